//! Group operations over other storages.

use super::table::{Table, escape};
use super::units;
use crate::group::Operation;
use crate::report::data::{Report, StorageTime};
use crate::report::query::{members, suites};

pub(super) fn render(report: &Report) -> String {
    if report.storages.is_empty() {
        return String::new();
    }
    let mut parts = vec![
        "## Storages\n".to_owned(),
        "The same operations with the cryptography of one over the storage of another, so that \
         nobody takes storage for\ncryptography.\n"
            .to_owned(),
    ];
    for suite in suites(report.storages.iter().map(|each| each.suite.as_str())) {
        let of_suite = || report.storages.iter().filter(|each| each.suite == suite);
        for members in members(of_suite().map(|each| each.members)) {
            let times: Vec<&StorageTime> =
                of_suite().filter(|each| each.members == members).collect();
            parts.push(format!("### {} with {members} members\n", escape(suite)));
            parts.push(table(&times));
        }
    }
    parts.join("\n")
}

fn table(times: &[&StorageTime]) -> String {
    // Each pair once, as they come.
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for time in times {
        let pair = (time.crypto.as_str(), time.storage.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let headings = pairs.iter().map(|(crypto, storage)| escape(&format!("{crypto} / {storage}")));
    let mut table = Table::new([String::new()].into_iter().chain(headings));
    for &operation in Operation::ALL {
        let of = |&(crypto, storage): &(&str, &str)| {
            times.iter().find(|time| {
                (time.crypto.as_str(), time.storage.as_str()) == (crypto, storage)
                    && time.operation == operation
            })
        };
        if pairs.iter().all(|pair| of(pair).is_none()) {
            continue;
        }
        let cells = pairs.iter().map(|pair| {
            of(pair).map_or(units::NOTHING.to_owned(), |time| units::spread(&time.time))
        });
        table.row([operation.name().to_owned()].into_iter().chain(cells));
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn operations_by_pairs() {
        assert_eq!(render(&sample::empty()), "");
        let mut report = sample::full();
        report.storages.pop();
        let text = render(&report);
        for line in [
            "### row 2 with 256 members",
            "| | trellis native / trellis, in memory | trellis native / openmls, in memory, JSON |",
            "| self-update, fresh tree | 4.00 ms (3.88–4.16) | – |",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} in {text}");
        }
    }
}
