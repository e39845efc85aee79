//! What a run found. `network.json` is this, and `NETWORK.md` is written from nothing else.

use serde::{Deserialize, Serialize};

use crate::group::named;
use crate::report::data::{Machine, Target, Version};
use crate::summary::Summary;

/// The figures of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Whether the run was the short one.
    pub quick: bool,
    /// The day, in UTC.
    pub date: String,
    /// How long the run took.
    pub seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The versions of what was measured.
    pub versions: Vec<Version>,
    /// Messages timed one by one.
    pub latency: Option<Latency>,
    /// Groups through which messages went.
    pub groups: Vec<Through>,
    /// Bytes on the wire.
    pub wire: Vec<Wire>,
    /// What was missed.
    pub catch_up: Option<CatchUp>,
    /// What one mailbox stores.
    pub storage: Option<Storage>,
    /// What was to be measured and could not be, and why.
    pub missing: Vec<String>,
    /// The goals.
    pub targets: Vec<Target>,
}

named! {
    /// Who carries a message.
    Carrier {
        /// Two clients with their stores in files.
        Files = "SDK, stores in files",
        /// Two clients with their stores in memory.
        Memory = "SDK, stores in memory",
        /// Two nodes without clients.
        Bare = "bare gossip",
    }
}

/// Times of one message from host to host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The bytes of the text.
    pub payload: usize,
    /// The bytes of the envelope that held it, and of the bare message.
    pub envelope: usize,
    /// By carrier.
    pub times: Vec<(Carrier, Tail)>,
}

/// A distribution, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// The median.
    pub median: f64,
    /// What 99 of 100 stay below.
    pub p99: f64,
    /// How many samples there were.
    pub turns: usize,
}

impl Tail {
    /// Of these samples. `None` if there are none.
    #[must_use]
    pub fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            // The nearest rank: the least sample that so many percent do not exceed.
            samples.get((samples.len() * percent).div_ceil(100).checked_sub(1)?).copied()
        };
        Some(Self { median: at(50)?, p99: at(99)?, turns: samples.len() })
    }
}

/// Messages through a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Through {
    /// How many members there were to be.
    pub members: usize,
    /// How many seconds it took until all were in; nothing if that took too long.
    pub gathered: Option<f64>,
    /// How many were in, when it was given up or done.
    pub joined: usize,
    /// How many messages were under way at a time.
    pub window: usize,
    /// The SDK.
    pub sdk: Option<Flow>,
    /// Bare gossip on the same nodes.
    pub bare: Option<Flow>,
}

impl Through {
    /// Of a group of which nothing is known.
    #[must_use]
    pub const fn nothing(members: usize) -> Self {
        Self { members, gathered: None, joined: 0, window: 0, sdk: None, bare: None }
    }
}

/// How messages went through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Microseconds for each message, by round.
    pub each: Option<Summary>,
    /// How many messages arrived, at each member.
    pub arrived: u64,
    /// How many should have.
    pub expected: u64,
}

impl Flow {
    /// Messages a second.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.each.map(|each| 1e6 / each.median)
    }

    /// The part that arrived in time.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.arrived as f64 / self.expected.max(1) as f64
    }
}

/// Bytes on the wire in a group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// How many members it has, each a host of its own.
    pub members: usize,
    /// The bytes of the text of a message.
    pub payload: usize,
    /// For each message.
    pub message: Bytes,
    /// For each commit.
    pub commit: Bytes,
    /// What all sockets carry in a second when nothing is said.
    pub idle: f64,
}

/// Bytes for one message or commit, on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bytes {
    /// How many were counted.
    pub count: u64,
    /// The envelope that holds it; the longest one of those that do.
    pub envelope: u64,
    /// Envelopes that all members published because of it.
    pub envelopes: f64,
    /// Their bytes, once each.
    pub published: f64,
    /// Questions and answers.
    pub asked: f64,
    /// What clients were handed in, at all members together.
    pub arrived: f64,
    /// What all sockets carried, without what they carry when nothing is said.
    pub sockets: f64,
}

/// Catching up from a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatchUp {
    /// How many messages were missed.
    pub missed: u64,
    /// How many of them the client told of in the end.
    pub heard: u64,
    /// From opening the client until then, in seconds.
    pub seconds: f64,
    /// Until the mailbox had given everything.
    pub fetched: f64,
    /// Messages of reconciliation that were answered, in all boxes.
    pub rounds: u64,
    /// Boxes that were looked into.
    pub boxes: u64,
    /// Answers with envelopes.
    pub fetches: u64,
    /// Frames to the mailbox and back.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, the bytes of reconciliation.
    pub reconciliation: u64,
    /// Envelopes that came.
    pub envelopes: u64,
    /// Their bytes.
    pub payload: u64,
    /// The seconds that it took the sender to say all of it.
    pub said: f64,
}

/// What one mailbox stores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// How many envelopes were to be stored.
    pub wanted: u64,
    /// How many were.
    pub stored: u64,
    /// The bytes of each.
    pub length: usize,
    /// In how many boxes.
    pub boxes: usize,
    /// How many arrived at the same time.
    pub at_once: usize,
    /// How many seconds it took.
    pub seconds: f64,
    /// Of these, the first tenth of all envelopes.
    pub first_tenth: f64,
    /// And the last.
    pub last_tenth: f64,
    /// Envelopes in a second if one waits for the other.
    pub alone: f64,
    /// The resident size before, and the most from then on, and at the end, in bytes.
    pub memory: Option<(u64, u64, u64)>,
    /// The bytes of the file.
    pub file: u64,
}

impl Storage {
    /// Envelopes in a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.stored as f64 / self.seconds
    }
}

impl Network {
    /// How long a carrier took.
    #[must_use]
    pub fn time(&self, carrier: Carrier) -> Option<Tail> {
        let times = &self.latency.as_ref()?.times;
        times.iter().find(|(who, _)| *who == carrier).map(|(_, tail)| *tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_of_the_nearest_rank() {
        let tail = Tail::of((1..=200).rev().map(f64::from).collect()).unwrap();
        assert_eq!(tail, Tail { median: 100.0, p99: 198.0, turns: 200 });
        let one = Tail::of(vec![3.0]).unwrap();
        assert_eq!(one, Tail { median: 3.0, p99: 3.0, turns: 1 });
        assert_eq!(Tail::of(Vec::new()), None);
    }
}
