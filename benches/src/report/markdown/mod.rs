//! The report as text: `benches/REPORT.md`, and the tables that the README shows of it.

mod groups;
mod head;
mod memory;
mod notes;
mod plots;
mod profile;
mod readme;
#[cfg(test)]
pub(crate) mod sample;
mod shares;
mod sizes;
mod storages;
pub(crate) mod table;
mod tables;
pub(crate) mod targets;
pub(crate) mod units;

pub use readme::{readme_bytes, readme_speed};

use super::data::Report;

/// The parts, in their order. Each ends with a line break, or is empty where nothing was measured.
const PARTS: [fn(&Report) -> String; 10] = [
    head::render,
    targets::render,
    plots::render,
    groups::render,
    sizes::render,
    shares::render,
    storages::render,
    memory::render,
    tables::hpke,
    tables::primitives,
];

/// The content of `benches/REPORT.md`.
#[must_use]
pub fn render(report: &Report) -> String {
    let parts: Vec<String> =
        PARTS.iter().map(|part| part(report)).filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_report_is_the_same_text() {
        let report = sample::full();
        assert_eq!(render(&report), render(&report.clone()));
    }

    #[test]
    fn every_part_has_a_heading_and_one_blank_line_before_the_next() {
        let text = render(&sample::full());
        for heading in [
            "# Benchmarks",
            "## Where and how",
            "## Targets",
            "### Where the time goes in what missed",
            "## Plots",
            "## Group operations",
            "## Bytes on the wire",
            "## Where the time goes",
            "### The ratchet tree outside the GroupInfo",
            "## Storages",
            "## Memory",
            "## HPKE",
            "## Primitives",
        ] {
            assert_eq!(text.lines().filter(|line| *line == heading).count(), 1, "{heading}");
        }
        assert!(!text.contains("\n\n\n"));
        assert!(text.ends_with("|\n"));
    }

    #[test]
    fn every_row_has_as_many_cells_as_its_heading() {
        let text = render(&sample::full());
        let mut columns = None;
        for line in text.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            let expected = if line.starts_with('|') { *columns.get_or_insert(cells) } else { 0 };
            assert_eq!(cells, expected, "{line}");
            columns = columns.filter(|_| line.starts_with('|'));
        }
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let text = render(&sample::empty());
        assert!(text.contains("## Where and how"));
        assert_eq!(text.matches("## ").count(), 1);
    }

    #[test]
    fn parts_of_a_report_are_enough() {
        let clear: [fn(&mut Report); 8] = [
            |report| report.groups.clear(),
            |report| report.sizes.clear(),
            |report| report.shares.clear(),
            |report| report.tree_outside.clear(),
            |report| report.groups.retain(|group| group.members < 256),
            |report| report.groups.retain(|group| group.suite == "row 9"),
            |report| {
                report.groups.retain(|group| group.contender == crate::group::Contender::Native);
            },
            |report| report.memory.truncate(1),
        ];
        for clear in clear {
            let mut report = sample::full();
            clear(&mut report);
            let text = render(&report);
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
