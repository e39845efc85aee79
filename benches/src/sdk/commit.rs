//! A commit with its snapshots, made and applied.

use super::contest;
use super::data::Timed;
use super::files::Folder;
use super::grown::Grown;
use crate::report::turns::Turns;

/// Commits in turns, each of which replaces the keys of its maker.
pub(super) fn measure(grown: &Grown, folder: &Folder, turns: Turns) -> Vec<Timed> {
    contest::in_turns(grown, folder, turns, |contestant, tell| contestant.commit(tell))
}
