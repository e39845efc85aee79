//! Where the chain that a device was on and the one that it is on now have parted.
//!
//! Who is brought over to another side before he has noticed the split, or was out for a while, does
//! not know which of the states that he remembers are on this side too. So he asks under their keys
//! for the others' chains. What he had done above the state in which they part is done again, and the
//! names of states from there on are forgotten: until then he vouches for none of them.
//!
//! Who lies about it makes him do again what is done, or leave it undone. So one who brought him in is
//! believed, and else two who say the same.

use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event};
use super::past::Places;
use crate::store::Space;
use crate::wire::Request;
use crate::{DeviceId, StateId, Time};

/// How many others have to say the same.
const SAME: usize = 2;

impl Group {
    /// Whether a state may not be on this side.
    pub(super) fn in_doubt(&self, state: &StateId) -> bool {
        self.record.doubt.is_some_and(|top| self.height(state).is_none_or(|height| height <= top))
    }

    /// Asks for the chains of others, each time from about twice as deep on.
    pub(super) fn ask_where_parted(
        &mut self,
        core: &mut Core,
        now: Time,
    ) -> Result<(), EngineError> {
        let Some(top) = self.record.doubt else { return Ok(()) };
        self.deep = self.deep % 8 + 1;
        let depth = u64::from_be_bytes(core.random()?) % (1_u64 << self.deep);
        let below = self.past.range(..=top.saturating_sub(depth)).next_back();
        match below.or(self.past.first_key_value()).map(|(_, past)| past.id) {
            Some(state) => self.ask(core, now, state, &Request::Chain),
            None => Ok(()),
        }
    }

    /// Another has told of its chain.
    pub(super) fn learn_where_parted(
        &mut self,
        core: &mut Core,
        now: Time,
        device: DeviceId,
        chain: &Places,
    ) -> Result<(), EngineError> {
        let Some(top) = self.record.doubt else { return Ok(()) };
        let same =
            |(height, state): &(u64, StateId)| Some((*height, self.past.get(height)?.id == *state));
        let known: Vec<_> = chain.iter().filter_map(same).collect();
        let here = known.iter().any(|(height, same)| *height > top && *same);
        let Some(fork) = parted(&known, top).filter(|_| here) else { return Ok(()) };
        self.told_parted.insert(device, fork);
        let tellers = self.told_parted.values().filter(|told| **told == fork).count();
        let others = self.others(core).count();
        if self.record.inviter == Some(device) || tellers >= SAME.min(others) {
            self.settle_doubt(core, now, fork, top)
        } else {
            Ok(())
        }
    }

    fn settle_doubt(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
        top: u64,
    ) -> Result<(), EngineError> {
        tracing::debug!(group = ?self.id, fork, top, "knows where the sides parted");
        self.record.doubt = None;
        self.told_parted.clear();
        self.save(core)?;
        if fork < top {
            core.tell(Event::Healed { group: self.id });
        }
        self.forget_past(core, now, fork, top)?;
        self.redo_between(core, now, fork, top)
    }

    /// Forgets the states between two heights; who came in by them is remembered.
    pub(super) fn forget_past(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
        top: u64,
    ) -> Result<(), EngineError> {
        let gone = |height: &u64| *height > fork && *height <= top;
        let heights: Vec<_> = self.past.keys().copied().filter(gone).collect();
        for height in heights {
            let Some(past) = self.past.remove(&height) else { continue };
            if past.record.entry == 1 {
                self.remember_ward(core, now, past.id, past.record.beacon)?;
            }
            core.store.delete(Space::BeaconKey, &self.id.0, &past.id.0)?;
            core.store.delete(Space::Commit, &self.id.0, &past.id.0)?;
        }
        Ok(())
    }
}

/// The highest state that two chains have in common, from the heights at which both have one and
/// whether it is the same; nothing if that is not said.
fn parted(known: &[(u64, bool)], top: u64) -> Option<u64> {
    let below: Vec<_> = known.iter().filter(|(height, _)| *height <= top).collect();
    let common = match below.iter().position(|(_, same)| !same) {
        Some(apart) => below[..apart].last(),
        None => below.last().filter(|(height, _)| *height == top),
    };
    common.map(|(height, _)| *height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_part_below_the_first_difference() {
        assert_eq!(parted(&[(2, true), (3, true), (4, false), (5, false), (9, true)], 5), Some(3));
        // Someone who came over, too, has gaps.
        assert_eq!(parted(&[(2, true), (5, false), (9, true)], 5), Some(2));
    }

    #[test]
    fn chains_that_are_the_same_up_to_the_top_do_not_part() {
        assert_eq!(parted(&[(2, true), (3, true), (9, true)], 3), Some(3));
        assert_eq!(parted(&[(2, true), (9, true)], 3), None);
    }

    #[test]
    fn a_chain_that_begins_with_a_difference_tells_nothing() {
        assert_eq!(parted(&[(4, false), (9, true)], 5), None);
        assert_eq!(parted(&[(9, true)], 5), None);
        assert_eq!(parted(&[], 5), None);
    }
}
