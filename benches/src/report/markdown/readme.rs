//! What the README shows of the report.

use super::table::{Table, escape};
use super::units;
use crate::group::{Contender, Operation};
use crate::report::data::Report;
use crate::report::query::{MEMBERS, suites};

/// What the README says of sizes: the heading and the operation.
const SIZES: [(&str, Operation); 5] = [
    ("key package", Operation::KeyPackage),
    ("commit and Welcome adding 255", Operation::Add),
    ("update commit, fresh tree", Operation::UpdateFresh),
    ("update commit, full tree", Operation::UpdateFull),
    ("1 KiB message", Operation::Send1KiB),
];

/// The README's table of speed-ups: operations by suites, in groups of 256, how many times as fast
/// the native backend is as the faster published provider.
#[must_use]
pub fn readme_speed(report: &Report) -> String {
    let ratio = |suite, operation| report.speed_up(suite, MEMBERS, Contender::Native, operation);
    let of_suite = |suite| Operation::ALL.iter().any(|&each| ratio(suite, each).is_some());
    let suites: Vec<&str> = report.suites().filter(|suite| of_suite(suite)).collect();
    let headings = suites.iter().map(|suite| escape(suite));
    let mut table = Table::new([String::new()].into_iter().chain(headings));
    for &operation in Operation::ALL {
        let ratios: Vec<Option<f64>> = suites.iter().map(|suite| ratio(suite, operation)).collect();
        if ratios.iter().all(Option::is_none) {
            continue;
        }
        let cells =
            ratios.into_iter().map(|ratio| ratio.map_or(units::NOTHING.to_owned(), units::ratio));
        table.row([operation.name().to_owned()].into_iter().chain(cells));
    }
    table.finish()
}

/// The README's table of bytes: suites by what is sent, in groups of 256.
#[must_use]
pub fn readme_bytes(report: &Report) -> String {
    let mut table = Table::new(["suite"].into_iter().chain(SIZES.map(|(heading, _)| heading)));
    let here = report.sizes.iter().filter(|size| size.members == MEMBERS);
    for suite in suites(here.map(|size| size.suite.as_str())) {
        let sizes = SIZES.iter().map(|&(_, operation)| {
            report.size(suite, MEMBERS, operation).map_or(units::NOTHING.to_owned(), units::bytes)
        });
        table.row([escape(suite)].into_iter().chain(sizes));
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn ratios_by_suite() {
        let mut report = sample::full();
        report.groups.retain(|group| ["classical", "row 2"].contains(&group.suite.as_str()));
        let table = readme_speed(&report);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 2 + Operation::ALL.len());
        assert_eq!(
            lines[..3],
            ["| | classical | row 2 |", "|---|---:|---:|", "| key package | 1.20 | 1.20 |",]
        );
    }

    #[test]
    fn bytes_by_suite() {
        let mut report = sample::full();
        report.sizes.retain(|size| size.suite == "row 1" && size.operation != Operation::Add);
        assert_eq!(
            readme_bytes(&report).lines().last(),
            Some("| row 1 | 2,648 | – | 314,296 | 15,000 | 1,170 |")
        );
    }

    #[test]
    fn an_empty_report_has_no_rows() {
        let report = sample::empty();
        assert_eq!(readme_speed(&report), "| |\n|---|\n");
        assert_eq!(readme_bytes(&report).lines().count(), 2);
    }
}
