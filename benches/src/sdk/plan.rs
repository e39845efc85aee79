//! How much is measured.

use std::time::Duration;

use super::convergence::Parts;
use super::growth::Extent;
use super::opening::Account;
use crate::report::turns::Turns;

/// How much a run measures.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether it is the short one.
    pub quick: bool,
    /// Groups by size: what is timed in them, and what growth is measured of.
    pub groups: &'static [Group],
    /// The account that is opened, and the turns.
    pub opening: (Account, Turns),
    /// Clients and parts, and how many commits each part makes.
    pub convergence: (Parts, &'static [u64]),
}

/// What is measured in groups of one size.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The size.
    pub members: usize,
    /// The turns of messages.
    pub messages: Turns,
    /// The turns of commits.
    pub commits: Turns,
    /// Growth.
    pub growth: Extent,
}

const fn turns(least: usize, most: usize, seconds: u64) -> Turns {
    Turns { least, most, time: Duration::from_secs(seconds) }
}

const fn group(members: usize, epochs: &'static [u64]) -> Group {
    let growth = Extent { messages: 500, unheard: 20, epochs };
    Group { members, messages: turns(101, 401, 8), commits: turns(15, 51, 20), growth }
}

/// All figures. The numbers of commits go beyond what a client remembers of the past, so that the end
/// of growth is seen; in the large group more than that were made while it came together.
pub const FULL: Plan = Plan {
    quick: false,
    groups: &[
        group(2, &[0, 64, 128, 256, 320]),
        group(32, &[0, 64, 128, 256, 320]),
        group(256, &[0, 32, 64]),
    ],
    opening: (Account { groups: 100, members: 50, messages: 10_000 }, turns(5, 11, 20)),
    convergence: (Parts { nodes: 24, parts: 3 }, &[10, 25, 50]),
};

/// What fits into a minute.
pub const QUICK: Plan = Plan {
    quick: true,
    groups: &[Group {
        members: 32,
        messages: turns(11, 21, 2),
        commits: turns(5, 11, 3),
        growth: Extent { messages: 50, unheard: 5, epochs: &[0, 8] },
    }],
    opening: (Account { groups: 5, members: 10, messages: 500 }, turns(3, 3, 3)),
    convergence: (Parts { nodes: 9, parts: 3 }, &[6, 12]),
};
