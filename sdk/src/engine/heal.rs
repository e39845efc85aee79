//! Finding together again after a split for longer than the window.
//!
//! Beacons under keys of the past tell each side which states the other is in. The chains that
//! devices have told of form a tree; from the state that all have in common on, the branch that
//! more devices are on is kept, and among equal ones that with the smaller name. Who is on another
//! asks to be brought over: with a fresh key package, signed with the key of its old leaf. A member
//! of the branch that is kept removes the old leaf and adds the new one in one commit, for as many as
//! ask. So nobody gets a GroupInfo who is not in the group, and a hundred who come over take one
//! commit and not a hundred.

use std::collections::{BTreeMap, BTreeSet};

use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event};
use super::mls;
use super::records::{IntentStatus, KeyPackageRecord, SentRecord};
use super::talk::Matter;
use crate::store::Space;
use crate::wire::{self, Kind, Note, Rejoin};
use crate::{DeviceId, Span, StateId, Time};

/// How many heartbeats the sides listen to each other before one goes over.
const LISTEN: u64 = 2;
/// How many heartbeats old a chain may be to count.
const FRESH: u64 = 4;
/// How long somebody's wish to come over is remembered.
const WISH: Span = Span::seconds(30);

/// What a device told of its chain.
pub(super) struct Told {
    pub(super) at: Time,
    /// The newest state first.
    pub(super) chain: Vec<StateId>,
    /// How many of them it can still roll back.
    pub(super) window: usize,
}

/// A suspicion that the group is split.
pub(super) struct Split {
    /// Where we go over to: the last state in common, and a state of the other side.
    pub(super) over: Option<(StateId, StateId)>,
    pub(super) next: Time,
}

/// Where this client should go over to: the last state in common and the next one of the branch that
/// is kept; nothing if it is on that branch.
///
/// Chains have the newest state first. `mine` has heights too; of the others it is known at which
/// height the device came in. At each fork those count who were members there: they share a key with
/// each other, so all of them hear the same, and nobody wins by adding members to his side.
pub(super) fn verdict(
    mine: &[(u64, StateId)],
    others: &[(u64, &[StateId])],
) -> Option<(StateId, StateId)> {
    let own: Vec<StateId> = mine.iter().map(|(_, state)| *state).collect();
    let heights: BTreeMap<StateId, u64> = mine.iter().map(|(h, state)| (*state, *h)).collect();
    let chains = || others.iter().copied().chain([(0, &own[..])]);
    let parents: BTreeMap<StateId, StateId> =
        chains().flat_map(|(_, chain)| chain.windows(2)).map(|pair| (pair[0], pair[1])).collect();
    // Which states follow which, and how many devices went that way. Who joined late does not know
    // what was before, but others do.
    let mut ways: BTreeMap<StateId, BTreeMap<StateId, usize>> = BTreeMap::new();
    for (since, chain) in chains() {
        let Some(mut state) = chain.first() else { continue };
        // As many steps as there are states, whatever somebody makes of their order.
        for _ in 0..parents.len() {
            let Some(parent) = parents.get(state) else { break };
            let was_there = heights.get(parent).is_some_and(|height| since <= *height);
            let way = ways.entry(*parent).or_default().entry(*state).or_default();
            *way += usize::from(was_there);
            state = parent;
        }
    }
    for pair in own.windows(2).rev() {
        let (state, next) = (pair[1], pair[0]);
        let Some(best) = ways.get(&state).and_then(heaviest) else { continue };
        if best != next {
            return Some((state, best));
        }
    }
    // Others may have gone on from our newest state; that is no split.
    None
}

fn heaviest(ways: &BTreeMap<StateId, usize>) -> Option<StateId> {
    let by = |(state, count): &(&StateId, &usize)| (**count, std::cmp::Reverse(**state));
    ways.iter().max_by_key(by).map(|(state, _)| *state)
}

impl Group {
    pub(super) fn suspect_split(&mut self, core: &Core, now: Time) {
        if self.split.is_none() {
            let next = now + core.config.heartbeat.times(LISTEN);
            self.split = Some(Split { over: None, next });
        }
    }

    /// The states that are or were on our chain, the newest first.
    fn own_chain(&self) -> Vec<(u64, StateId)> {
        self.past.iter().rev().map(|(height, past)| (*height, past.id)).collect()
    }

    /// Decides which side goes over, and asks to be brought over if it is ours.
    pub(super) fn heal(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heartbeat = core.config.heartbeat;
        let Some(split) = &self.split else { return Ok(()) };
        if !self.is_active() {
            self.split = None;
            return Ok(());
        }
        if now < split.next {
            return Ok(());
        }
        let mine = self.own_chain();
        let told: Vec<_> = self
            .chains
            .iter()
            .filter(|(_, told)| now.since(told.at) <= heartbeat.times(FRESH))
            .collect();
        let since = |device| self.peers.get(device).map_or(0, |peer| peer.since);
        let fresh: Vec<(u64, &[StateId])> =
            told.iter().map(|(device, told)| (since(device), &told.chain[..])).collect();
        let own = |state: &StateId| mine.iter().any(|(_, other)| other == state);
        let tip = self.tip().id;
        let apart = fresh.iter().any(|(_, chain)| {
            chain.first().is_some_and(|newest| !own(newest) && !chain.contains(&tip))
        });
        if !apart {
            self.split = None;
            return Ok(());
        }
        let over = verdict(&mine, &fresh);
        // A fork that both sides can still roll back is settled by the winner rule.
        let over = over.filter(|(common, side)| {
            let on_it = || told.iter().filter(|(_, told)| told.chain.contains(side));
            self.place(common).is_none()
                || on_it()
                    .all(|(_, told)| !told.chain.iter().take(told.window).any(|s| s == common))
        });
        let Some((common, side)) = over else {
            if let Some(split) = &mut self.split {
                split.next = now + heartbeat;
            }
            return Ok(());
        };
        if let Some(split) = &mut self.split {
            if split.over.is_none() {
                core.tell(Event::Split { group: self.id });
            }
            split.over = Some((common, side));
            split.next = now + Span(heartbeat.0 / 2);
        }
        self.ask_to_come_over(core, now, common, side)
    }

    fn ask_to_come_over(
        &mut self,
        core: &mut Core,
        now: Time,
        common: StateId,
        side: StateId,
    ) -> Result<(), EngineError> {
        if !self.once_per(Matter::Rejoin, now, core.config.heartbeat) {
            return Ok(());
        }
        let leaf = self.leaf(core, now)?;
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        let (reference, key_package, storage) = mls::key_package(&core.crypto, &leaf, suite)?;
        let record = KeyPackageRecord { created: now, storage: storage.export().to_vec().into() };
        core.store.put(Space::KeyPackage, &[], &reference, &wire::encode(&record))?;
        let count = self.next_count(core)?;
        let rejoin = Rejoin { count, side, key_package: key_package.into() };
        let key = self.beacon_key(&common);
        self.say(core, now, &key, Kind::Rejoin, &rejoin)
    }

    /// Somebody wants to come over to a side.
    pub(super) fn take_rejoin(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some((device, body)) = self.verify(core, Kind::Rejoin, payload) else { return Ok(()) };
        let Some(rejoin) = wire::decode::<Rejoin>(&body) else { return Ok(()) };
        if self.height(&rejoin.side).is_none() || !self.is_active() {
            return Ok(());
        }
        let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
        if rejoin.count <= peer.count {
            return Ok(());
        }
        peer.count = rejoin.count;
        self.save_peer(core, &device)?;
        if self.seat(&device).is_none() {
            let key = self.beacon_key(&under);
            return self.say(core, now, &key, Kind::Note, &Note::NotAMember(device));
        }
        let lately = self.came_over.get(&device).is_some_and(|at| now.since(*at) < WISH);
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        let key_package = rejoin.key_package.as_slice();
        let Ok((_, identity)) = mls::check_key_package(&core.crypto, suite, key_package) else {
            return Ok(());
        };
        if lately || identity.device != device {
            return Ok(());
        }
        self.rejoins.insert(device, (now + WISH, key_package.to_vec()));
        self.next_plan = Some(now);
        Ok(())
    }

    /// A member of the side that we want to go over to says that we are not among its members. Only
    /// who could have removed us is believed.
    pub(super) fn not_a_member(
        &mut self,
        core: &mut Core,
        now: Time,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let going = self.split.as_ref().is_some_and(|split| split.over.is_some());
        let Some(seat) = self.seat(device) else { return Ok(()) };
        let by = seat.identity.address;
        let mine = self.rules.role(&core.me.identity.address);
        let could = self.rules.allows(&by, crate::Right::Remove) && self.rules.role(&by) > mine;
        if going && could {
            core.tell(Event::Out { group: self.id, by: Some(by) });
            self.go(core, now)?;
            self.next_plan = Some(now);
        }
        Ok(())
    }

    /// The highest state of our old side that is also on the side that we came over to. Without a
    /// split we were put out and asked in again, and what was final is on that side too.
    pub(super) fn fork_height(&self) -> u64 {
        let over = self.split.as_ref().and_then(|split| split.over);
        let root = self.chain.first().map_or(0, |root| root.record.height);
        over.and_then(|(common, _)| self.height(&common)).unwrap_or(root)
    }

    /// After coming over: what happened only on the old side happens again.
    pub(super) fn redo(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
    ) -> Result<(), EngineError> {
        let again: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| match intent.status {
                IntentStatus::At(_, at) | IntentStatus::Done(at) => at > fork,
                _ => false,
            })
            .map(|(id, _)| *id)
            .collect();
        for id in again {
            if let Some(intent) = self.intents.get_mut(&id) {
                intent.key_packages.clear();
                (intent.created, intent.next) = (now, now);
            }
            self.set_intent(core, id, IntentStatus::Open)?;
        }
        let mut numbers = BTreeSet::new();
        for (key, value) in core.store.scan(Space::Sent, &self.id.0)? {
            if let (Ok(number), Some(sent)) = (key.try_into(), wire::decode::<SentRecord>(&value))
                && sent.height > fork
            {
                numbers.insert(u64::from_be_bytes(number));
            }
        }
        for number in numbers {
            self.say_number(core, now, number, true)?;
        }
        self.split = None;
        self.chains.clear();
        self.next_plan = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(states: &[u8]) -> Vec<StateId> {
        states.iter().rev().map(|number| StateId([*number; 16])).collect()
    }

    /// The heights are the places in `mine`.
    fn judge_since(mine: &[u8], others: &[(u64, &[u8])]) -> Option<(u8, u8)> {
        let others: Vec<_> = others.iter().map(|(since, other)| (*since, chain(other))).collect();
        let others: Vec<_> = others.iter().map(|(since, other)| (*since, &other[..])).collect();
        let heights = (0..mine.len() as u64).rev();
        let mine: Vec<_> = heights.zip(chain(mine)).collect();
        verdict(&mine, &others).map(|(common, side)| (common.0[0], side.0[0]))
    }

    fn judge(mine: &[u8], others: &[&[u8]]) -> Option<(u8, u8)> {
        let others: Vec<_> = others.iter().map(|other| (0, *other)).collect();
        judge_since(mine, &others)
    }

    #[test]
    fn who_came_in_after_the_fork_does_not_count_there() {
        // Two who were added on our side since do not outweigh the one who was there.
        assert_eq!(judge_since(&[1, 7], &[(0, &[1, 6]), (1, &[7]), (1, &[7])]), Some((1, 6)));
        assert_eq!(judge_since(&[1, 6], &[(0, &[1, 7])]), None);
    }

    #[test]
    fn the_branch_with_more_devices_is_kept() {
        let others: [&[u8]; 2] = [&[1, 2, 8, 9], &[1, 2, 8]];
        assert_eq!(judge(&[1, 2, 3, 4, 5], &others), Some((2, 8)));
        assert_eq!(judge(&[1, 2, 8, 9], &[&[1, 2, 3], &[1, 2, 8]]), None);
    }

    #[test]
    fn among_equal_branches_the_smaller_name_is_and_both_sides_say_so() {
        assert_eq!(judge(&[1, 2, 7], &[&[1, 2, 6, 5]]), Some((2, 6)));
        assert_eq!(judge(&[1, 2, 6, 5], &[&[1, 2, 7]]), None);
    }

    #[test]
    fn who_is_behind_or_ahead_is_not_on_another_branch() {
        assert_eq!(judge(&[1, 2], &[&[1, 2, 3, 4], &[1]]), None);
        assert_eq!(judge(&[1, 2, 3, 4], &[&[1, 2], &[]]), None);
    }

    #[test]
    fn who_joined_late_counts_for_the_branch_that_he_joined() {
        assert_eq!(judge(&[1, 2, 7], &[&[1, 2, 6], &[7]]), None);
        assert_eq!(judge(&[1, 2, 6], &[&[1, 2, 7], &[7]]), Some((2, 7)));
    }

    #[test]
    fn a_chain_that_goes_round_ends() {
        assert!(judge(&[1, 2, 1, 2, 3], &[&[3, 1, 3, 2]]).is_some());
    }

    #[test]
    fn three_sides_agree() {
        let sides: [&[u8]; 5] = [&[1, 2, 10], &[1, 3, 20], &[1, 3, 21], &[1, 4, 30], &[1, 4, 30]];
        let rest = |mine: usize| -> Vec<&[u8]> {
            (0..5).filter(|other| *other != mine).map(|other| sides[other]).collect()
        };
        // 3 and 4 have two devices each, so 3 is kept, and on it 20.
        assert_eq!(judge(sides[0], &rest(0)), Some((1, 3)));
        assert_eq!(judge(sides[1], &rest(1)), None);
        assert_eq!(judge(sides[2], &rest(2)), Some((3, 20)));
        assert_eq!(judge(sides[3], &rest(3)), Some((1, 3)));
    }
}
