//! Where the chain that a device was on and the one that it is on now have parted.
//!
//! Who is brought over to another side before he has noticed the split, or was out for a while, does
//! not know which of the states that he remembers are on this side too. So he asks the others for their
//! whole chains. What he had done above the state in which they part is done again, and the
//! names of states from there on are forgotten: until then he vouches for none of them.
//!
//! Who lies about it makes him do again what is done, or leave it undone. So one who brought him in is
//! believed, and else two who say the same.

use super::core::Core;
use super::group::Group;
use super::heal::DOUBT;
use super::io::{EngineError, Event};
use super::past::Places;
use crate::store::Space;
use crate::wire::Request;
use crate::{DeviceId, StateId, Time};

/// How many others have to say the same.
const SAME: usize = 2;

/// Where another's chain and the one that we were on part, as far as he knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parted {
    /// At the height of the highest state that they have in common.
    At(u64),
    /// Somewhere below this height: he knows nothing of before.
    Below(u64),
}

impl Parted {
    /// From which height on they are surely apart.
    fn apart_from(self) -> u64 {
        match self {
            Self::At(fork) => fork.saturating_add(1),
            Self::Below(height) => height,
        }
    }

    /// Whether one knows a state in common where another says that they are apart.
    fn gainsays(self, other: Self) -> bool {
        match (self, other) {
            (Self::At(fork), Self::Below(height)) => fork >= height,
            (_, Self::At(_)) => self != other,
            (Self::Below(_), Self::Below(_)) => false,
        }
    }

    /// Whether what one says bears out what another does.
    fn bears_out(self, other: Self) -> bool {
        match other {
            Self::At(_) => self == other,
            Self::Below(height) => self.apart_from() <= height,
        }
    }
}

impl Group {
    /// Whether a state may not be on this side.
    pub(super) fn in_doubt(&self, state: &StateId) -> bool {
        self.record.doubt.is_some_and(|top| self.height(state).is_none_or(|height| height <= top))
    }

    /// Asks for the chains of the others on this side.
    pub(super) fn ask_where_parted(
        &mut self,
        core: &mut Core,
        now: Time,
    ) -> Result<(), EngineError> {
        match self.record.doubt {
            Some(_) => self.ask(core, now, self.root().id, &Request::Chain),
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
        let Some(told) = parted(&known, top).filter(|_| here) else { return Ok(()) };
        self.told_parted.insert(device, told);
        let tellers = self.told_parted.values().filter(|other| other.bears_out(told)).count();
        let others = self.others(core).count();
        // Those who came in later can't bear him out. In the end he is believed if nobody gainsays him.
        let waited = now.since(self.record.since) > self.heartbeat(core).times(DOUBT);
        let alone = waited && !self.told_parted.values().any(|other| other.gainsays(told));
        if self.record.inviter == Some(device) || tellers >= SAME.min(others) || alone {
            tracing::debug!(group = ?self.id, ?told, top, "knows where the sides parted");
            match told {
                Parted::At(fork) => self.settle_doubt(core, now, fork, top),
                Parted::Below(height) => self.redo_apart(core, now, height, top),
            }
        } else {
            Ok(())
        }
    }

    /// What is surely lost is done again. The states are kept, and the doubt: by one of them others may yet
    /// be found, and which of those below are on this side is not known.
    fn redo_apart(
        &mut self,
        core: &mut Core,
        now: Time,
        height: u64,
        top: u64,
    ) -> Result<(), EngineError> {
        if self.redone_from.is_some_and(|from| from <= height) {
            return Ok(());
        }
        let top = self.redone_from.replace(height).map_or(top, |from| from.saturating_sub(1));
        self.redo_between(core, now, height.saturating_sub(1), top)
    }

    fn settle_doubt(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
        top: u64,
    ) -> Result<(), EngineError> {
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

/// Where two chains part, from the heights at which both have a state and whether it is the same; nothing
/// if that is not said.
fn parted(known: &[(u64, bool)], top: u64) -> Option<Parted> {
    let mut common = None;
    for (height, same) in known.iter().filter(|(height, _)| *height <= top) {
        match (same, common) {
            (true, _) => common = Some(*height),
            (false, Some(fork)) => return Some(Parted::At(fork)),
            (false, None) => return Some(Parted::Below(*height)),
        }
    }
    common.filter(|height| *height == top).map(Parted::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_part_below_the_first_difference() {
        let parted = |known: &[_]| parted(known, 5);
        let apart = [(2, true), (3, true), (4, false), (5, false), (9, true)];
        assert_eq!(parted(&apart), Some(Parted::At(3)));
        // Someone who came over, too, has gaps.
        assert_eq!(parted(&[(2, true), (5, false), (9, true)]), Some(Parted::At(2)));
    }

    #[test]
    fn chains_that_are_the_same_up_to_the_top_do_not_part() {
        assert_eq!(parted(&[(2, true), (3, true), (9, true)], 3), Some(Parted::At(3)));
        assert_eq!(parted(&[(2, true), (9, true)], 3), None);
    }

    #[test]
    fn a_chain_that_begins_with_a_difference_tells_what_is_surely_apart() {
        assert_eq!(parted(&[(4, false), (5, false), (9, true)], 5), Some(Parted::Below(4)));
        assert_eq!(parted(&[(9, true)], 5), None);
        assert_eq!(parted(&[], 5), None);
    }

    #[test]
    fn who_knows_more_bears_out_who_knows_less() {
        assert!(Parted::At(2).bears_out(Parted::Below(4)));
        assert!(Parted::Below(3).bears_out(Parted::Below(4)));
        assert!(!Parted::Below(5).bears_out(Parted::Below(4)));
        assert!(!Parted::Below(3).bears_out(Parted::At(2)));
        assert!(Parted::At(2).bears_out(Parted::At(2)));
        assert!(!Parted::At(2).bears_out(Parted::At(3)));
        assert!(
            Parted::At(4).gainsays(Parted::Below(4)) && !Parted::At(3).gainsays(Parted::Below(4))
        );
        assert!(!Parted::Below(5).gainsays(Parted::Below(4)));
        assert!(Parted::Below(3).gainsays(Parted::At(2)) && !Parted::At(2).gainsays(Parted::At(2)));
    }
}
