//! Memory.

use super::table::{Table, escape};
use super::{notes, units};
use crate::report::data::{Memory, Report};
use crate::report::query::{members, suites};

pub(super) fn render(report: &Report) -> String {
    if report.memory.is_empty() {
        return String::new();
    }
    let contenders = notes::contenders(|contender| {
        report.memory.iter().any(|memory| memory.contender == contender)
    });
    let headings = contenders.iter().map(|&contender| notes::heading(contender));
    let edges = ["", "n"].map(str::to_owned);
    let mut table = Table::new(edges.into_iter().chain(headings));
    for suite in suites(report.memory.iter().map(|memory| memory.suite.as_str())) {
        let of_suite = report.memory.iter().filter(|memory| memory.suite == suite);
        for members in members(of_suite.map(|memory| memory.members)) {
            let cells = contenders.iter().map(|&contender| {
                report.peak(suite, members, contender).map_or(units::NOTHING.to_owned(), cell)
            });
            table.row([escape(suite), members.to_string()].into_iter().chain(cells));
        }
    }
    format!(
        "## Memory\n\n\
         The largest resident size, in MiB, of a process that lives through one such group and \
         nothing else. In brackets: how\nmuch of it came after the group began; before are the \
         program and the key packages of the other members. Two\nmembers, both in the process, do \
         everything.\n\n{}",
        table.finish()
    )
}

fn cell(memory: &Memory) -> String {
    let growth = memory.peak.saturating_sub(memory.before);
    format!("{} ({})", units::mebibytes(memory.peak), units::mebibytes(growth))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::group::Contender;

    #[test]
    fn peak_and_growth() {
        let mut report = sample::empty();
        assert_eq!(render(&report), "");
        let memory = |suite: &str, contender, before, peak| Memory {
            suite: suite.to_owned(),
            members: 1000,
            contender,
            before,
            peak,
        };
        report.memory = vec![
            memory("row 2", Contender::Native, 10 << 20, 25 << 20),
            memory("row 9", Contender::RustCrypto, 10 << 20, 9 << 20),
        ];
        let text = render(&report);
        assert!(text.contains("| row 2 | 1000 | 25.0 (15.0) | – |"), "{text}");
        assert!(text.contains("| row 9 | 1000 | – | 9.0 (0.0) |"), "{text}");
    }
}
