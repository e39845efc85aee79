//! The goals.

use super::contest::Step;
use super::data::Sdk;
use super::opening::What;
use crate::report::data::{Bound, Target};

/// The group in which commits are judged.
const LARGE: usize = 256;
/// The group in which messages are judged.
const SMALL: usize = 2;

/// Against the quickest of those on raw OpenMLS, at most.
const TIMES: [(&str, usize, Step, f64); 6] = [
    ("message, n = 2", SMALL, Step::Sent, 2.0),
    ("message, n = 2", SMALL, Step::Received, 2.0),
    ("message, n = 256", LARGE, Step::Sent, 2.0),
    ("message, n = 256", LARGE, Step::Received, 2.0),
    ("commit, n = 256", LARGE, Step::Made, 1.5),
    ("commit, n = 256", LARGE, Step::Applied, 1.5),
];

/// A snapshot takes at most this part of a copy.
const SHARED: f64 = 0.5;

/// From the second last measurement to the last the file grows at most by this.
const BOUNDED: f64 = 1.05;

/// Opening takes at most this part of reading everything.
const LAZY: f64 = 0.2;

/// Messages grow at most so much faster than commits.
const NOT_QUADRATIC: f64 = 1.2;

/// All goals, with what this run measured.
#[must_use]
pub fn targets(sdk: &Sdk) -> Vec<Target> {
    let at_most = |group: &str, what: &str, bound, measured| Target {
        group: group.into(),
        what: what.into(),
        bound: Bound::AtMost(bound),
        measured,
    };
    let mut targets: Vec<_> = TIMES
        .into_iter()
        .map(|(group, members, step, bound)| {
            // Waiting for the processor brings everyone together, so the worse of the two counts.
            let ratios = sdk.ratio(members, step).zip(sdk.quiet_ratio(members, step));
            at_most(group, step.name(), bound, ratios.map(|(ratio, quiet)| ratio.max(quiet)))
        })
        .collect();
    for growth in &sdk.growth {
        let of = |what: &str| format!("{what}, n = {}", growth.members);
        if growth.members == LARGE {
            let part = growth.snapshot / growth.copy as f64;
            targets.push(at_most("store", &of("a snapshot over a copy"), SHARED, Some(part)));
        }
        // A short run does not come to where growth ends.
        if let [.., before, last] = &growth.epochs[..]
            && !sdk.quick
        {
            let part = last.bytes as f64 / before.bytes as f64;
            let what =
                of(&format!("the file after {} commits over {}", last.commits, before.commits));
            targets.push(at_most("store", &what, BOUNDED, Some(part)));
        }
    }
    let median = |what| sdk.opened(what).map(|opened| opened.time.median);
    let part = median(What::Full).zip(median(What::Everything)).map(|(one, all)| one / all);
    targets.push(at_most("opening", "time over that of reading everything", LAZY, part));
    let memory = |what| sdk.opened(what).and_then(|opened| opened.memory).map(|bytes| bytes as f64);
    let beyond = |what| Some(memory(what)? - memory(What::Empty)?);
    let part = beyond(What::Full).zip(beyond(What::Everything)).map(|(one, all)| one / all);
    let what = "memory beyond that of an empty account, over that of reading everything";
    targets.push(at_most("opening", what, LAZY, part));
    if let [first, .., last] = &sdk.convergence[..] {
        let more = last.commits as f64 / first.commits as f64;
        let of = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(a, b)| b / a / more);
        let commits = format!("{} commits over {}, by commit", last.commits, first.commits);
        let met = |each: &super::data::Convergence| each.seconds.map(|_| each.messages as f64);
        let messages = of(met(first), met(last));
        let what = format!("messages, {commits}");
        targets.push(at_most("convergence", &what, NOT_QUADRATIC, messages));
        let what = format!("virtual seconds, {commits}");
        targets.push(at_most("convergence", &what, NOT_QUADRATIC, of(first.seconds, last.seconds)));
    }
    targets
}
