//! The states that are or were on the chain: their names, under which keys others can be reached that
//! may be far behind or on another side of a split, and who was a member when.

use std::collections::BTreeSet;

use super::core::Core;
use super::group::{Group, State};
use super::io::EngineError;
use super::records::{ChangeRecord, PastRecord};
use crate::store::Space;
use crate::wire::{self, Run};
use crate::{DeviceId, Span, StateId, Time};

/// How many states of the past are remembered by name and beacon key.
pub(super) const PAST: usize = 256;
/// Under how many keys beside that of the newest final state something is said for those who came in
/// above it.
const ENTRIES: usize = 3;

/// A state that is or was on the chain.
pub(super) struct Past {
    pub(super) id: StateId,
    pub(super) record: PastRecord,
}

/// States by their height, the lowest first: a chain as somebody tells it.
pub(super) type Places = Vec<(u64, StateId)>;

/// The states of a chain that has been told; nothing if they are not in order, or too many.
pub(super) fn places(runs: &[Run]) -> Option<Places> {
    let mut places = Places::new();
    for run in runs {
        for (below, state) in (0..).zip(&run.states) {
            let height = run.top.checked_sub(below)?;
            let descends = places.last().is_none_or(|(above, _)| height < *above);
            if !descends || places.len() == PAST {
                return None;
            }
            places.push((height, *state));
        }
    }
    places.reverse();
    Some(places)
}

/// The same to be told.
fn runs(places: &[(u64, StateId)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (height, state) in places.iter().rev() {
        match runs.last_mut() {
            Some(run) if run.top.checked_sub(run.states.len() as u64) == Some(*height) => {
                run.states.push(*state);
            }
            _ => runs.push(Run { top: *height, states: vec![*state] }),
        }
    }
    runs
}

impl PastRecord {
    /// What is remembered of a state.
    pub(super) fn of(state: &State) -> Self {
        let mut record = Self {
            height: state.record.height,
            beacon: state.record.keys.beacon,
            came: Vec::new(),
            went: Vec::new(),
            entry: brings_in(state).into(),
        };
        for change in state.record.origin.iter().flat_map(|origin| &origin.changes) {
            match change {
                ChangeRecord::Added(_, device) => record.came.push(*device),
                ChangeRecord::Removed(_, device) => record.went.push(*device),
                _ => {}
            }
        }
        record
    }
}

impl Group {
    /// The states that are or were on our chain.
    pub(super) fn own_places(&self) -> Places {
        self.past.iter().map(|(height, past)| (*height, past.id)).collect()
    }

    /// Our chain from a height on, to be told.
    pub(super) fn own_runs(&self, from: u64) -> Vec<Run> {
        runs(&self.past.range(from..).map(|(h, past)| (*h, past.id)).collect::<Vec<_>>())
    }

    /// Who was a member at a height of our chain, as far back as it is remembered.
    pub(super) fn members_at(&self, height: u64) -> BTreeSet<DeviceId> {
        let mut members: BTreeSet<_> = match &self.record.moved {
            Some(moved) => moved.members.iter().copied().collect(),
            None => self.seats.iter().map(|seat| seat.identity.device).collect(),
        };
        for (_, past) in self.past.range(height.saturating_add(1)..).rev() {
            for device in &past.record.came {
                members.remove(device);
            }
            members.extend(&past.record.went);
        }
        members
    }

    /// In which state a device came in last, as far back as is remembered.
    pub(super) fn came_at(&self, device: &DeviceId) -> Option<u64> {
        let mut past = self.past.iter().rev();
        past.find(|(_, past)| past.record.came.contains(device)).map(|(height, _)| *height)
    }

    /// Whether somebody who is not a member was one on our chain, as far back as it is remembered, or his
    /// account was and is not any more.
    pub(super) fn went(&self, device: &DeviceId) -> bool {
        let account = |device: &DeviceId| self.peers.get(device).map(|peer| peer.address);
        let own = account(device);
        let out = !self.seats.iter().any(|seat| Some(seat.identity.address) == own);
        let mut gone = self.past.values().flat_map(|past| &past.record.went);
        gone.any(|other| other == device || out && own.is_some() && account(other) == own)
    }

    /// Remembers who came and went between the state with these members and the newest, of which we
    /// do not know the steps between.
    pub(super) fn remember_gap(
        &mut self,
        core: &mut Core,
        before: &BTreeSet<DeviceId>,
    ) -> Result<(), EngineError> {
        let members: BTreeSet<_> = self.seats.iter().map(|seat| seat.identity.device).collect();
        let State { id, record } = self.tip();
        let record = PastRecord {
            height: record.height,
            beacon: record.keys.beacon,
            came: members.difference(before).copied().collect(),
            went: before.difference(&members).copied().collect(),
            entry: 1,
        };
        self.remember(core, *id, record)
    }

    /// Remembers a state of the chain.
    pub(super) fn remember(
        &mut self,
        core: &mut Core,
        id: StateId,
        record: PastRecord,
    ) -> Result<(), EngineError> {
        core.store.put(Space::BeaconKey, &self.id.0, &id.0, &wire::encode(&record))?;
        self.past.insert(record.height, Past { id, record });
        while self.past.len() > PAST {
            let Some((_, oldest)) = self.past.pop_first() else { break };
            core.store.delete(Space::BeaconKey, &self.id.0, &oldest.id.0)?;
            core.store.delete(Space::Commit, &self.id.0, &oldest.id.0)?;
        }
        Ok(())
    }

    /// How often this device says where it stands when nothing happens: the more members, the less.
    pub(super) fn heartbeat(&self, core: &Core) -> Span {
        core.config.heartbeat.times(1 + self.seats.len() as u64 / 16)
    }

    /// The beacon keys under which something is said that everybody is to hear.
    pub(super) fn reach(&mut self, core: &Core, now: Time) -> Result<Vec<[u8; 32]>, EngineError> {
        let mut keys = vec![self.root().record.keys.beacon];
        // Who has come in above the newest final state knows no key of before.
        let entries = self.chain[1..].iter().rev();
        let entries = entries.filter(|state| state.record.inside == 1 && brings_in(state));
        keys.extend(entries.map(|state| state.record.keys.beacon).take(ENTRIES));
        // Both sides of a split know what they have in common.
        let common = self.split.as_ref().map(|split| split.common);
        keys.extend(common.map(|common| self.beacon_key(&common)));
        // Who is not heard may be far behind, or on another side.
        let silence = self.heartbeat(core).times(3);
        let lost = self.others(core).any(|seat| {
            let peer = self.peers.get(&seat.identity.device);
            peer.is_none_or(|peer| peer.heard.is_none() || now.since(peer.heard_at) > silence)
        });
        if lost || common.is_some() {
            // Each time about twice as deep, at random, so that no depth is left out.
            self.deep = self.deep % 8 + 1;
            let reach = 1_u64 << self.deep;
            let depth = 1 + u64::from_be_bytes(core.random()?) % reach;
            let below = self.root().record.height.saturating_sub(depth);
            let past = self.past.range(..=below).next_back().or(self.past.first_key_value());
            keys.extend(past.map(|(_, past)| past.record.beacon));
        }
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(*key));
        Ok(keys)
    }
}

/// Whether members came in with the commit that led to a state, or this device with its Welcome.
pub(super) fn brings_in(state: &State) -> bool {
    state.record.origin.as_ref().is_none_or(|origin| {
        let brings = |change: &ChangeRecord| {
            matches!(change, ChangeRecord::Added(..) | ChangeRecord::CameOver(..))
        };
        origin.changes.iter().any(brings)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u8) -> StateId {
        StateId([number; 16])
    }

    #[test]
    fn a_chain_with_gaps_is_told_in_runs() {
        let chain = [(2, state(1)), (3, state(2)), (7, state(3)), (9, state(4)), (10, state(5))];
        let told = runs(&chain);
        assert_eq!(told.iter().map(|run| run.top).collect::<Vec<_>>(), [10, 7, 3]);
        assert_eq!(places(&told), Some(chain.to_vec()));
        assert_eq!(places(&[]), Some(Vec::new()));
    }

    #[test]
    fn a_chain_that_is_out_of_order_or_too_long_is_refused() {
        let run = |top, count: usize| Run { top, states: vec![state(1); count] };
        assert_eq!(places(&[run(5, 3), run(3, 1)]), None);
        assert_eq!(places(&[run(5, 1), run(6, 1)]), None);
        assert_eq!(places(&[run(1, 3)]), None);
        assert!(places(&[run(1000, PAST)]).is_some());
        assert_eq!(places(&[run(1000, PAST), run(10, 1)]), None);
    }
}
