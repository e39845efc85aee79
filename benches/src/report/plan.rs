//! How much is measured.

use std::time::Duration;

use super::turns::Turns;
use crate::{candidates, hpke};

/// How much a run measures.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether it is the short one.
    pub quick: bool,
    /// Which suites.
    pub suites: &'static [&'static str],
    /// Which tables of HPKE.
    pub hpke: &'static [candidates::Table],
    /// Group operations: the numbers of members, and the turns for each suite.
    pub groups: &'static [(usize, Turns)],
    /// Lives in processes of their own: the number of members, and the turns for each suite.
    pub alone: Option<(usize, Turns)>,
    /// Other storages, where the time of operations goes, and the tree outside the GroupInfo: the
    /// suites and the number of members.
    pub storages: &'static [&'static str],
    /// The members of the groups for storages and shares.
    pub members: usize,
    /// The turns for storages, for each suite.
    pub storage_turns: Turns,
    /// The turns for shares, for each suite.
    pub share_turns: Turns,
    /// The sizes with the tree outside the GroupInfo.
    pub tree_outside: &'static [usize],
    /// Their turns.
    pub tree_turns: Turns,
    /// The turns of tables of candidates.
    pub candidates: candidates::Turns,
}

const fn turns(least: usize, most: usize, seconds: u64) -> Turns {
    Turns { least, most, time: Duration::from_secs(seconds) }
}

/// The whole report, in at most 15 minutes on two cores.
pub const FULL: Plan = Plan {
    quick: false,
    suites: &["classical", "row 1", "row 2", "row 6", "row 9", "row 10", "row 11", "legacy"],
    hpke: hpke::TABLES,
    groups: &[(2, turns(11, 51, 2)), (32, turns(11, 31, 6)), (256, turns(7, 21, 32))],
    alone: Some((1000, turns(1, 3, 16))),
    storages: &["classical", "row 2", "row 9"],
    members: 256,
    storage_turns: turns(3, 11, 10),
    share_turns: turns(5, 11, 5),
    tree_outside: &[256, 1000],
    tree_turns: turns(5, 9, 15),
    candidates: candidates::Turns { turns: 51, batch: Duration::from_millis(1) },
};

/// What fits into two minutes.
pub const QUICK: Plan = Plan {
    quick: true,
    suites: &["classical", "row 2", "row 9"],
    // Without those to 255 recipients.
    hpke: hpke::TABLES.split_at(5).0,
    groups: &[(32, turns(5, 11, 2)), (256, turns(3, 7, 6))],
    alone: None,
    storages: &["row 2"],
    members: 256,
    storage_turns: turns(3, 3, 5),
    share_turns: turns(3, 5, 2),
    tree_outside: &[256, 1000],
    tree_turns: turns(3, 3, 5),
    candidates: candidates::Turns { turns: 5, batch: Duration::from_micros(200) },
};
