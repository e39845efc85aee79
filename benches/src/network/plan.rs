//! How much is measured.

use std::time::Duration;

use super::catch_up::Absence;
use super::groups::Size;
use super::storage::Load;
use super::wire::Conversation;
use crate::report::turns::Turns;

/// How much a run measures.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether it is the short one.
    pub quick: bool,
    /// After this time nothing begins, and what goes on is given up.
    pub limit: Duration,
    /// Messages that are timed one by one.
    pub latency: Turns,
    /// Groups through which messages go.
    pub groups: &'static [Size],
    /// Groups of which the bytes are counted.
    pub wire: &'static [Conversation],
    /// What is missed and caught up with.
    pub catch_up: Absence,
    /// What a mailbox stores.
    pub storage: Load,
}

const fn turns(least: usize, most: usize, seconds: u64) -> Turns {
    Turns { least, most, time: Duration::from_secs(seconds) }
}

const fn size(members: usize, rounds: usize, messages: u64, gather: u64, round: u64) -> Size {
    let (gather, round) = (Duration::from_secs(gather), Duration::from_secs(round));
    Size { members, rounds, messages, gather, round }
}

const fn conversation(members: usize, messages: u64, commits: u64) -> Conversation {
    Conversation { members, messages, commits }
}

/// All figures.
pub const FULL: Plan = Plan {
    quick: false,
    limit: Duration::from_secs(14 * 60),
    latency: turns(301, 1001, 30),
    groups: &[size(2, 5, 400, 60, 60), size(32, 3, 60, 90, 60), size(128, 2, 20, 300, 60)],
    wire: &[conversation(2, 100, 8), conversation(32, 20, 4)],
    catch_up: Absence { messages: 10_000, patience: Duration::from_secs(120) },
    storage: Load { envelopes: 1_000_000, alone: 500, patience: Duration::from_secs(300) },
};

/// What fits into a minute and a half on two busy cores.
pub const QUICK: Plan = Plan {
    quick: true,
    limit: Duration::from_secs(85),
    latency: turns(51, 201, 6),
    groups: &[size(2, 3, 60, 20, 6), size(32, 2, 20, 25, 6)],
    wire: &[conversation(2, 10, 2)],
    catch_up: Absence { messages: 1000, patience: Duration::from_secs(20) },
    storage: Load { envelopes: 20_000, alone: 50, patience: Duration::from_secs(10) },
};
