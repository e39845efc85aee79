//! Where the time of operations goes, and how far it is from the limit.

use super::table::{Table, escape};
use super::units;
use crate::group::{Contender, Operation};
use crate::report::data::{Report, Share};
use crate::report::query::{members, suites};

const WHAT: &str = "\
On the native backend, on one thread: the part of each operation inside the provider (cryptography,
randomness and signer), inside its storage, and the rest, which is OpenMLS. The limit is the primitives
that the provider's calls need, times what each costs by itself on this machine, measured in the same
minute. It counts every call of OpenMLS. The provider remembers digests, and OpenMLS hashes the same nodes
several times, so the provider can stay below it.
";

pub(super) fn render(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.shares.is_empty() {
        parts.extend(["## Where the time goes\n".to_owned(), WHAT.to_owned()]);
    }
    for suite in suites(report.shares.iter().map(|share| share.suite.as_str())) {
        let of_suite = || report.shares.iter().filter(|share| share.suite == suite);
        for members in members(of_suite().map(|share| share.members)) {
            parts.push(format!("### {} with {members} members\n", escape(suite)));
            parts.push(table(report, suite, members));
        }
    }
    parts.extend(tree_outside(report));
    parts.join("\n")
}

fn table(report: &Report, suite: &str, members: usize) -> String {
    let mut table = Table::new([
        "",
        "total",
        "provider",
        "storage",
        "OpenMLS",
        "limit",
        "provider ÷ limit",
        "provider and storage ÷ limit",
        "total ÷ limit",
    ]);
    let shares = Operation::ALL.iter().filter_map(|&each| report.share(suite, members, each));
    for share in shares {
        table.row(cells(share));
    }
    table.finish()
}

fn cells(share: &Share) -> [String; 9] {
    let part = |time: f64| format!("{} ({})", units::time(time), units::percent(time, share.total));
    let over_limit = |time: f64| units::quotient(time, share.limit);
    [
        share.operation.name().to_owned(),
        units::time(share.total),
        part(share.provider),
        part(share.storage),
        part(share.open_mls()),
        units::time(share.limit),
        over_limit(share.provider),
        over_limit(share.provider + share.storage),
        over_limit(share.total),
    ]
}

/// How much less an addition takes with the ratchet tree outside.
fn tree_outside(report: &Report) -> Vec<String> {
    if report.tree_outside.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["", "n", "inside", "outside", "inside ÷ outside"]);
    for suite in suites(report.tree_outside.iter().map(|each| each.suite.as_str())) {
        let of_suite = report.tree_outside.iter().filter(|each| each.suite == suite);
        for members in members(of_suite.map(|each| each.members)) {
            let Some(outside) = report.outside(suite, members) else { continue };
            let inside = report.time(suite, members, Contender::Native, Operation::Add);
            table.row([
                escape(suite),
                members.to_string(),
                inside.map_or(units::NOTHING.to_owned(), units::spread),
                units::spread(&outside.time),
                inside.map_or(units::NOTHING.to_owned(), |inside| {
                    units::quotient(inside.median, outside.time.median)
                }),
            ]);
        }
    }
    vec![
        "### The ratchet tree outside the GroupInfo\n".to_owned(),
        "OpenMLS serialises the GroupInfo again for each member that it adds, with the whole ratchet \
         tree if that is inside.\nThis is the time of adding all others, with the tree inside, as \
         everywhere else here, and outside.\n"
            .to_owned(),
        table.finish(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_row_says_how_far_the_limit_is() {
        let mut report = sample::empty();
        assert_eq!(render(&report), "");
        report.shares.push(Share {
            suite: "row 2".to_owned(),
            members: 256,
            operation: Operation::Join,
            total: 1000.0,
            provider: 300.0,
            storage: 50.0,
            limit: 200.0,
            calls: Vec::new(),
        });
        let text = render(&report);
        let row = "| join | 1.00 ms | 300 µs (30 %) | 50.0 µs (5 %) | 650 µs (65 %) | 200 µs \
                   | 1.50 | 1.75 | 5.00 |";
        assert!(text.lines().any(|line| line == row), "{text}");
    }

    #[test]
    fn no_limit_no_ratio() {
        let mut report = sample::full();
        report.shares.truncate(1);
        report.shares[0].limit = 0.0;
        assert!(render(&report).contains("| 0.000 µs | – | – | – |"));
    }

    #[test]
    fn the_tree_outside_stands_beside_the_tree_inside() {
        let mut report = sample::full();
        report.groups.retain(|group| group.suite == "row 2");
        let text = render(&report);
        assert!(
            text.contains("| row 2 | 256 | 108 ms (105–113) | 30.0 ms (29.1–31.2) | 3.61 |"),
            "{text}"
        );
        assert!(text.contains("| row 9 | 256 | – | 30.0 ms (29.1–31.2) | – |"), "{text}");
    }
}
