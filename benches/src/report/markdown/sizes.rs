//! Bytes on the wire.

use super::table::{Table, escape};
use super::units;
use crate::group::Operation;
use crate::report::data::Report;
use crate::report::query::{MEMBERS, members, suites};

pub(super) fn render(report: &Report) -> String {
    if report.sizes.is_empty() {
        return String::new();
    }
    let mut numbers = members(report.sizes.iter().map(|size| size.members));
    numbers.sort_by_key(|&members| members != MEMBERS);
    let mut parts = vec![
        "## Bytes on the wire\n".to_owned(),
        "As framed `MLSMessage`s, with basic credentials of a few bytes. An addition is commit and \
         Welcome, with the ratchet\ntree in the GroupInfo.\n"
            .to_owned(),
    ];
    parts.extend(numbers.into_iter().map(|members| of_members(report, members)));
    parts.join("\n")
}

fn of_members(report: &Report, members: usize) -> String {
    let here = || report.sizes.iter().filter(|size| size.members == members);
    let operations: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|&operation| here().any(|size| size.operation == operation))
        .collect();
    let names = operations.iter().map(|operation| operation.name().to_owned());
    let mut table = Table::new([format!("n = {members}")].into_iter().chain(names));
    for suite in suites(here().map(|size| size.suite.as_str())) {
        let sizes = operations.iter().map(|&operation| {
            report.size(suite, members, operation).map_or(units::NOTHING.to_owned(), units::bytes)
        });
        table.row([escape(suite)].into_iter().chain(sizes));
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::report::data::Size;

    #[test]
    fn suites_by_operations() {
        let mut report = sample::empty();
        assert_eq!(render(&report), "");
        let size = |suite: &str, members, operation, bytes| Size {
            suite: suite.to_owned(),
            members,
            operation,
            bytes,
        };
        report.sizes = vec![
            size("row 2", 2, Operation::KeyPackage, 1),
            size("row 2", 256, Operation::Add, 1_374_919),
            size("row 2", 256, Operation::KeyPackage, 2648),
            size("classical", 256, Operation::KeyPackage, 278),
        ];
        let text = render(&report);
        let table = "| n = 256 | key package | add all others |\n|---|---:|---:|\n\
                     | classical | 278 | – |\n| row 2 | 2,648 | 1,374,919 |\n\n| n = 2 |";
        assert!(text.contains(table), "{text}");
    }
}
