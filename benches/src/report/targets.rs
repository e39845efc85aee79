//! The targets: what the project set out to reach.

use super::data::{Bound, Report, Target};
use crate::group::{Contender, Operation};

/// The size of group that targets are about.
const MEMBERS: usize = 256;

/// Against the faster published provider, at least: key package, add, join, update in a fresh tree,
/// process, 1 KiB sent, 1 KiB received.
#[rustfmt::skip]
const SPEED_UPS: [(&str, [f64; 7]); 6] = [
    ("classical", [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ("row 1",     [4.0, 3.5, 1.5, 2.5, 2.0, 2.0, 1.2]),
    ("row 2",     [4.0, 6.0, 1.5, 2.5, 2.0, 2.2, 1.3]),
    ("row 9",     [5.0, 7.0, 2.0, 1.8, 2.0, 7.0, 2.7]),
    ("row 10",    [5.0, 7.0, 2.0, 1.8, 2.0, 7.0, 2.7]),
    ("row 11",    [5.0, 7.0, 2.0, 1.8, 2.0, 7.0, 2.7]),
];

const SPED_UP: [Operation; 7] = [
    Operation::KeyPackage,
    Operation::Add,
    Operation::Join,
    Operation::UpdateFresh,
    Operation::ProcessFresh,
    Operation::Send1KiB,
    Operation::Receive1KiB,
];

/// In which the portable backend is to be at least twice as fast as RustCrypto's provider; the last
/// two where messages are signed with ML-DSA.
const PORTABLE_TWICE: [Operation; 4] =
    [Operation::KeyPackage, Operation::Add, Operation::Send1KiB, Operation::Receive1KiB];

const SIGNED_WITH_ML_DSA: [&str; 3] = ["row 9", "row 10", "row 11"];

/// The provider and its storage take at most so many times what their primitives take.
const OVER_PRIMITIVES: f64 = 1.15;

/// Adding 999 takes at most so many times as long as adding 255, with the tree outside.
const GROWTH: (usize, usize, f64) = (256, 1000, 5.0);

/// All targets, with what this report measured.
#[must_use]
pub fn targets(report: &Report) -> Vec<Target> {
    let mut targets = speed_ups(report);
    targets.extend(portable(report));
    targets.extend(over_primitives(report));
    targets.extend(growth(report));
    targets
}

fn speed_ups(report: &Report) -> Vec<Target> {
    let of = |(suite, bounds): (&'static str, [f64; 7])| {
        SPED_UP.into_iter().zip(bounds).map(move |(operation, bound)| Target {
            group: suite.into(),
            what: operation.name().into(),
            bound: Bound::AtLeast(bound),
            measured: report.speed_up(suite, MEMBERS, Contender::Native, operation),
        })
    };
    SPEED_UPS.into_iter().flat_map(of).collect()
}

fn portable(report: &Report) -> Vec<Target> {
    let twice = |suite: &str, operation| {
        let message = matches!(operation, Operation::Send1KiB | Operation::Receive1KiB);
        PORTABLE_TWICE.contains(&operation) && (!message || SIGNED_WITH_ML_DSA.contains(&suite))
    };
    let time = |suite, contender, operation| {
        report.time(suite, MEMBERS, contender, operation).map(|time| time.median)
    };
    report
        .suites()
        .flat_map(|suite| Operation::ALL.iter().map(move |&operation| (suite, operation)))
        .filter_map(|(suite, operation)| {
            let theirs = time(suite, Contender::RustCrypto, operation)?;
            let ours = time(suite, Contender::Portable, operation)?;
            Some(Target {
                group: "portable against openmls_rust_crypto".into(),
                what: format!("{suite}: {}", operation.name()),
                bound: Bound::AtLeast(if twice(suite, operation) { 2.0 } else { 1.0 }),
                measured: Some(theirs / ours),
            })
        })
        .collect()
}

fn over_primitives(report: &Report) -> impl Iterator<Item = Target> {
    report.shares.iter().filter(|share| share.limit > 0.0).map(|share| Target {
        group: "provider and storage over primitives".into(),
        what: format!("{}: {}", share.suite, share.operation.name()),
        bound: Bound::AtMost(OVER_PRIMITIVES),
        measured: Some((share.provider + share.storage) / share.limit),
    })
}

fn growth(report: &Report) -> Option<Target> {
    let (small, large, bound) = GROWTH;
    let time = |members| {
        report.tree_outside.iter().find(|each| each.members == members).map(|each| each.time.median)
    };
    Some(Target {
        group: "linear growth".into(),
        what: format!("row 2: {}, {large} members over {small}", Operation::Add.name()),
        bound: Bound::AtMost(bound),
        measured: time(large).zip(time(small)).map(|(large, small)| large / small),
    })
}
