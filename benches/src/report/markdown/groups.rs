//! Group operations.

use super::table::{Table, escape};
use super::{notes, units};
use crate::group::{Contender, Operation};
use crate::report::data::Report;
use crate::report::query::{MEMBERS, members};
use crate::suites::Suite;
use crate::summary::Summary;

pub(super) fn render(report: &Report) -> String {
    let suites: Vec<&str> = report.suites().collect();
    if suites.is_empty() {
        return String::new();
    }
    let mut parts = vec![
        "## Group operations\n".to_owned(),
        "The last two columns are the ratio and how many turns the medians are of. “Fresh tree”: \
         everyone was added by\none commit, so a path is encrypted to every leaf. “Full tree”: \
         everyone has committed, so it is encrypted to\nlog2(n) nodes.\n"
            .to_owned(),
    ];
    if report.groups.iter().any(|group| group.contender == Contender::MlsRs) {
        parts.push(notes::ANOTHER_STACK.to_owned());
    }
    parts.extend(suites.into_iter().map(|suite| of_suite(report, suite)));
    parts.join("\n")
}

/// The number of members that matters most, then the others behind a line to click on.
fn of_suite(report: &Report, suite: &str) -> String {
    let of_suite = report.groups.iter().filter(|group| group.suite == suite);
    let all = members(of_suite.map(|group| group.members));
    let (first, others): (Vec<usize>, Vec<usize>) =
        all.into_iter().partition(|&members| members == MEMBERS);
    let name = Suite::find(suite).map(|known| format!("`{}`\n", known.name));

    let mut parts = vec![format!("### {}\n", escape(suite))];
    parts.extend(name);
    parts.extend(first.into_iter().map(|members| of_members(report, suite, members)));
    if !others.is_empty() {
        let numbers: Vec<String> = others.iter().map(usize::to_string).collect();
        let summary = format!("{}: groups of {}", escape(suite), units::list(&numbers));
        parts.push(format!("<details><summary>{summary}</summary>\n"));
        parts.extend(others.into_iter().map(|members| of_members(report, suite, members)));
        parts.push("</details>\n".to_owned());
    }
    parts.join("\n")
}

fn of_members(report: &Report, suite: &str, members: usize) -> String {
    let time = |contender, operation| report.time(suite, members, contender, operation);
    let contenders = notes::contenders(|contender| {
        Operation::ALL.iter().any(|&operation| time(contender, operation).is_some())
    });
    let headings = contenders.iter().map(|&contender| notes::heading(contender));
    let edges = ["ratio", "turns"].map(str::to_owned);
    let mut table = Table::new([format!("n = {members}")].into_iter().chain(headings).chain(edges));
    for &operation in Operation::ALL {
        let times: Vec<Option<&Summary>> =
            contenders.iter().map(|&contender| time(contender, operation)).collect();
        if times.iter().all(Option::is_none) {
            continue;
        }
        let ratio = report.speed_up(suite, members, Contender::Native, operation);
        let mut cells = vec![operation.name().to_owned()];
        cells
            .extend(times.iter().map(|time| time.map_or(units::NOTHING.to_owned(), units::spread)));
        cells.push(ratio.map_or(units::NOTHING.to_owned(), units::ratio));
        cells.push(turns(times.iter().flatten().map(|time| time.turns)));
        table.row(cells);
    }
    table.finish()
}

/// How many turns, if not all had as many from the least to the most.
fn turns(turns: impl Iterator<Item = usize>) -> String {
    let turns = members(turns);
    match turns[..] {
        [] => units::NOTHING.to_owned(),
        [all] => all.to_string(),
        [least, .., most] => format!("{least}–{most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_row_has_every_contender_and_the_ratio() {
        let mut report = sample::empty();
        let operation = Operation::Join;
        report.groups = vec![
            sample::group("row 2", 256, Contender::Native, operation, 1000.0),
            sample::group("row 2", 256, Contender::Libcrux, operation, 2500.0),
            sample::group("row 2", 256, Contender::Native, Operation::KeyPackage, 100.0),
        ];
        let text = render(&report);
        for line in [
            "| n = 256 | trellis native | openmls_libcrux_crypto | ratio | turns |",
            "| join | 1.00 ms (0.970–1.04) | 2.50 ms (2.42–2.60) | 2.50 | 15 |",
            "| key package | 100 µs (97.0–104) | – | – | 15 |",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} in {text}");
        }
        assert!(!text.contains("another stack"));
        assert!(!text.contains("details"));
    }

    #[test]
    fn other_sizes_come_after_the_main_one() {
        let text = render(&sample::full());
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
        assert!(place("| n = 256 |") < place("| n = 2 |"));
        assert!(place("| n = 2 |") < place("| n = 1000 |"));
        assert!(text.contains("classical: groups of 2, 32 and 1000"));
        assert!(text.contains("mls-rs with AWS-LC (another stack)"));
    }

    #[test]
    fn turns_that_differ() {
        assert_eq!(turns([3, 9, 5].into_iter()), "3–9");
        assert_eq!(turns([3, 3].into_iter()), "3");
    }
}
