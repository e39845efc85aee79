//! A run: everything is measured, and what can't be is said.

use std::time::Instant;

use super::data::{Network, Through};
use super::plan::Plan;
use super::{alone, catch_up, groups, latency, storage, targets, wire};
use crate::report::machine;
use crate::report::progress::Progress;

/// The packages whose versions matter here.
const PACKAGES: [&str; 4] = ["trellis-sdk", "openmls", "libp2p", "redb"];

/// Measures what the plan says.
#[must_use]
pub fn run(plan: &Plan) -> Network {
    let start = Instant::now();
    let mut network = Network {
        quick: plan.quick,
        date: machine::today(),
        seconds: 0.0,
        machine: machine::machine(),
        versions: machine::versions_of(&PACKAGES),
        latency: None,
        groups: Vec::new(),
        wire: Vec::new(),
        catch_up: None,
        storage: None,
        missing: Vec::new(),
        targets: Vec::new(),
    };
    let left = || plan.limit.saturating_sub(start.elapsed());
    let progress = Progress::new(3 + plan.groups.len() + plan.wire.len());
    let mut missing = Vec::new();
    let mut note = |part: &str, why: &str| {
        eprintln!("{part}: {why}");
        missing.push(format!("{part}: {why}"));
    };

    let name = "one mailbox";
    progress.part(name);
    network.storage = storage::measure(plan.storage).map_err(|why| note(name, &why)).ok();
    progress.done();
    let name = "catching up";
    progress.part(name);
    let caught_up = alone(left(), catch_up::measure(plan.catch_up)).flatten();
    network.catch_up = caught_up.map_err(|why| note(name, &why)).ok();
    progress.done();
    let name = "host to host";
    progress.part(name);
    let timed = alone(left(), latency::measure(plan.latency)).flatten();
    network.latency = timed.map_err(|why| note(name, &why)).ok();
    progress.done();
    for what in plan.wire {
        let name = format!("bytes, {} members", what.members);
        progress.part(&name);
        let counted = alone(left(), wire::measure(*what)).flatten();
        network.wire.extend(counted.map_err(|why| note(&name, &why)));
        progress.done();
    }
    for size in plan.groups {
        let name = format!("messages, {} members", size.members);
        progress.part(&name);
        match alone(left(), groups::measure(*size)) {
            Ok((through, wrong)) => {
                network.groups.push(through);
                wrong.iter().for_each(|why| note(&name, why));
            }
            Err(why) => {
                network.groups.push(Through::nothing(size.members));
                note(&name, &why);
            }
        }
        progress.done();
    }
    network.missing = missing;
    network.targets = targets::targets(&network);
    network.seconds = start.elapsed().as_secs_f64();
    network
}
