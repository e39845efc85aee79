//! Where the time goes in operations that missed a target.

use super::table::escape;
use super::targets::{bound, measured};
use super::units;
use crate::group::Operation;
use crate::report::data::{Call, Report, Share, Target};
use crate::report::query::MEMBERS;
use crate::suites::Suite;

/// How many of the longest calls are listed.
const CALLS: usize = 5;

/// A line for each operation that missed a target and has [shares](Report::shares). Empty if there
/// is none.
pub(super) fn render(report: &Report) -> String {
    let lines: Vec<String> = missed(report)
        .into_iter()
        .map(|(share, targets)| format!("- {}", line(share, &targets)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "### Where the time goes in what missed\n\n\
         With {MEMBERS} members, on the native backend, on one thread. The limit: the primitives \
         that the provider's calls\nneed, times what each costs by itself.\n\n{}\n",
        lines.join("\n")
    )
}

/// Operations with the targets that each missed.
fn missed(report: &Report) -> Vec<(&Share, Vec<&Target>)> {
    let mut missed: Vec<(&Share, Vec<&Target>)> = Vec::new();
    for target in report.targets.iter().filter(|target| target.is_met() == Some(false)) {
        let Some((suite, operation)) = subject(target) else { continue };
        let Some(share) = report.share(suite, MEMBERS, operation) else { continue };
        match missed.iter_mut().find(|(known, _)| std::ptr::eq(*known, share)) {
            Some((_, targets)) => targets.push(target),
            None => missed.push((share, vec![target])),
        }
    }
    missed
}

/// The suite and the operation that a target is about: the suite is the group, or stands before a
/// colon; what is measured begins with the operation.
fn subject(target: &Target) -> Option<(&str, Operation)> {
    let (suite, what) = match Suite::find(&target.group) {
        Some(_) => (target.group.as_str(), target.what.as_str()),
        None => target.what.split_once(": ")?,
    };
    let operation = Operation::ALL.iter().copied().find(|operation| {
        let rest = what.strip_prefix(operation.name());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })?;
    Some((suite, operation))
}

fn line(share: &Share, targets: &[&Target]) -> String {
    let targets: Vec<String> = targets.iter().map(|target| miss(target)).collect();
    let part = |time: f64| units::percent(time, share.total);
    let inside = share.provider + share.storage;
    // What is left if the provider costs no more than its primitives, and the storage nothing.
    let least = share.open_mls() + share.limit;
    format!(
        "**{}, {}** ({}): {} in all, of it OpenMLS {}, provider {}, storage {}. Provider and storage \
         take {} times the limit of {}; in that limit, without a storage, the whole would take {}.\n  - the longest calls: {}",
        escape(&share.suite),
        share.operation.name(),
        targets.join("; "),
        units::time(share.total),
        part(share.open_mls()),
        part(share.provider),
        part(share.storage),
        units::quotient(inside, share.limit),
        units::time(share.limit),
        units::time(least),
        calls(share),
    )
}

fn miss(target: &Target) -> String {
    let group = match Suite::find(&target.group) {
        Some(_) => String::new(),
        None => format!("{}: ", escape(&target.group)),
    };
    format!("{group}{} instead of {}", measured(target), bound(target.bound))
}

fn calls(share: &Share) -> String {
    if share.calls.is_empty() {
        return "none".to_owned();
    }
    let call = |call: &Call| {
        format!(
            "{} × {}, {}, {}",
            escape(&call.name),
            call.count,
            units::time(call.time),
            units::percent(call.time, share.total)
        )
    };
    let calls: Vec<String> = longest(&share.calls).into_iter().map(call).collect();
    calls.join("; ")
}

fn longest(calls: &[Call]) -> Vec<&Call> {
    let mut calls: Vec<&Call> = calls.iter().collect();
    calls.sort_by(|one, other| other.time.total_cmp(&one.time));
    calls.truncate(CALLS);
    calls
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::report::data::Bound;

    fn target(group: &str, what: &str, measured: Option<f64>) -> Target {
        let bound = Bound::AtLeast(2.0);
        Target { group: group.to_owned(), what: what.to_owned(), bound, measured }
    }

    #[test]
    fn a_missed_target_has_its_profile_once() {
        let report = sample::full();
        let text = render(&report);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        let [line] = lines[..] else { panic!("one operation missed two targets: {text}") };
        let start = "- **row 2, join** (1.4999 instead of ≥ 1.50; \
                     linear growth: 1.31 instead of ≤ 1.20): 15.7 ms in all, of it OpenMLS 59 %, \
                     provider 29 %, storage 12 %.";
        assert!(line.starts_with(start), "{line}");
        let calls = text.lines().find(|line| line.starts_with("  - ")).unwrap();
        assert!(
            calls.starts_with("  - the longest calls: hpke_open × 3, 2.27 ms, 15 %; "),
            "{calls}"
        );
        assert!(calls.contains("storage: write_tree"), "{calls}");
        assert!(!calls.contains("verify_signature"), "five are enough: {calls}");
    }

    #[test]
    fn targets_that_were_met_or_not_measured_have_none() {
        let mut report = sample::full();
        report.targets = vec![target("row 2", "join", Some(2.0)), target("row 2", "join", None)];
        assert_eq!(render(&report), "");
    }

    #[test]
    fn without_shares_there_is_no_profile() {
        let mut report = sample::full();
        report.shares.clear();
        assert_eq!(render(&report), "");
    }

    #[test]
    fn subjects() {
        let subject = |group: &str, what: &str| {
            let target = target(group, what, None);
            super::subject(&target).map(|(suite, operation)| (suite.to_owned(), operation))
        };
        let of = |suite: &str, operation| Some((suite.to_owned(), operation));
        assert_eq!(subject("row 2", "join"), of("row 2", Operation::Join));
        assert_eq!(subject("row 10", "key package, median"), of("row 10", Operation::KeyPackage));
        assert_eq!(
            subject("portable", "row 9: self-update, full tree"),
            of("row 9", Operation::UpdateFull)
        );
        assert_eq!(subject("portable", "join"), None);
        assert_eq!(subject("row 2", "joining"), None);
        assert_eq!(subject("row 2", "something else"), None);
    }
}
