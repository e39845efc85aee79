//! The goals.

use super::data::{Carrier, Flow, Network};
use crate::report::data::{Bound, Target};

/// What the SDK may take from host to host, times a bare message: it encrypts, signs, stores, checks.
const LATENCY: f64 = 10.0;
/// What bytes an envelope may add to a message of 1 KiB.
const ENVELOPE: f64 = 1.5;
/// What frames may add to the envelopes in them.
const FRAMES: f64 = 1.1;
/// How many messages of reconciliation a box may take.
const ROUNDS: f64 = 5.0;
/// What the last tenth of all envelopes may take, times the first.
const STEADY: f64 = 2.0;
/// What concurrent arrivals gain at least.
const TOGETHER: f64 = 5.0;
/// What part of what is stored may be in memory.
const RESIDENT: f64 = 0.2;
/// The sizes of groups through which messages have to come.
const SIZES: [usize; 3] = [2, 32, 128];

/// All goals, with what this run measured.
#[must_use]
pub fn targets(network: &Network) -> Vec<Target> {
    let target = |group: &str, what: &str, bound, measured| Target {
        group: group.into(),
        what: what.into(),
        bound,
        measured,
    };
    let most = Bound::AtMost;
    let times = network.time(Carrier::Memory).zip(network.time(Carrier::Bare));
    let median = times.map(|(sdk, bare)| sdk.median / bare.median);
    let p99 = times.map(|(sdk, bare)| sdk.p99 / bare.p99);
    let mut targets = vec![
        target("host to host", "median over a bare message's, in memory", most(LATENCY), median),
        target(
            "host to host",
            "99th percentile over a bare message's, in memory",
            most(LATENCY),
            p99,
        ),
    ];
    for size in SIZES {
        let through = network.groups.iter().find(|through| through.members == size);
        // A group that did not come together let nothing through.
        let part = through.map(|through| through.sdk.as_ref().map_or(0.0, Flow::part));
        let what = format!("part of the messages that arrived in time, n = {size}");
        targets.push(target("groups", &what, Bound::AtLeast(1.0), part));
    }
    for wire in &network.wire {
        let part = wire.message.envelope as f64 / wire.payload as f64;
        let what = format!("envelope over text, n = {}", wire.members);
        targets.push(target("wire", &what, most(ENVELOPE), Some(part)));
    }
    let catch_up = network.catch_up.as_ref();
    let of = |part: fn(&super::data::CatchUp) -> (u64, u64)| {
        catch_up.map(part).map(|(part, whole)| part as f64 / whole.max(1) as f64)
    };
    let what = "part of what was missed that was heard";
    targets.push(target("mailbox", what, Bound::AtLeast(1.0), of(|it| (it.heard, it.missed))));
    let what = "bytes of frames over those of envelopes";
    targets.push(target("mailbox", what, most(FRAMES), of(|it| (it.bytes, it.payload))));
    let what = "rounds of reconciliation for each box";
    targets.push(target("mailbox", what, most(ROUNDS), of(|it| (it.rounds, it.boxes))));
    let storage = network.storage.as_ref();
    let part = storage.map(|it| it.stored as f64 / it.wanted as f64);
    targets.push(target(
        "store",
        "part of what arrived that was stored in time",
        Bound::AtLeast(1.0),
        part,
    ));
    let gain = storage.map(|it| it.rate() / it.alone);
    let what = "arrivals at the same time over one after the other";
    targets.push(target("store", what, Bound::AtLeast(TOGETHER), gain));
    let slower = storage.map(|it| it.last_tenth / it.first_tenth);
    targets.push(target("store", "time of the last tenth over the first", most(STEADY), slower));
    // In a short run the cache is larger than what is stored.
    let resident = storage.filter(|_| !network.quick).and_then(|it| {
        let (before, _, end) = it.memory?;
        Some(end.saturating_sub(before) as f64 / (it.stored as f64 * it.length as f64))
    });
    let what = "memory with all of it over its bytes";
    targets.push(target("store", what, most(RESIDENT), resident));
    targets
}
