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
use super::io::{EngineError, Event, Failure};
use super::lead::Place;
use super::mls;
use super::past::Places;
use super::records::{IntentBody, IntentStatus, Status};
use super::talk::Matter;
use crate::policy::Role;
use crate::wire::{self, Kind, Rejoin};
use crate::{DeviceId, Span, StateId, Time};

/// How many of the newest states of a side who wants to come over names.
const SIDE: usize = 16;
/// How many heartbeats the sides listen to each other before one goes over.
const LISTEN: u64 = 2;
/// How many heartbeats old a chain may be to count.
const FRESH: u64 = 4;
/// For how many heartbeats who has come over finds out where the sides had parted before he weighs them again.
pub(super) const DOUBT: u64 = 12;
/// For how many heartbeats who asks to come over, and is only told that he is no member, does not believe
/// it.
pub(super) const IN_VAIN: u32 = 20;
/// How long somebody's wish to come over is remembered.
const WISH: Span = Span::seconds(30);

/// What a device told of its chain.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) at: Time,
    /// The state under whose key it was told.
    pub(super) under: StateId,
    pub(super) chain: Places,
    /// From which of the states on it can still roll back.
    pub(super) window: usize,
}

/// A suspicion that the group is split.
pub(super) struct Split {
    /// The newest state that all are known to have in common.
    pub(super) common: StateId,
    /// The last state in common with the side that we go over to.
    pub(super) over: Option<StateId>,
    pub(super) next: Time,
}

/// Where a client should go over to.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    /// The last state in common.
    common: StateId,
    /// The first state of the side that is kept.
    side: StateId,
    /// The chains that are on it.
    on: Vec<usize>,
}

/// Where this client should go over to; nothing if it is on the side that is kept.
///
/// Each chain counts for what it tells itself, so no member can make others count for his side. Who
/// came over or came back does not know each step since the fork: he counts for the side of which
/// most have the first state that he does know. `voters` tells whose chains count for a fork at a
/// height; the last chain is our own and always does.
fn verdict(
    chains: &[&[(u64, StateId)]],
    voters: impl Fn(u64) -> BTreeSet<usize>,
) -> Option<Verdict> {
    let me = chains.len().checked_sub(1)?;
    let maps: Vec<BTreeMap<u64, StateId>> =
        chains.iter().map(|chain| chain.iter().copied().collect()).collect();
    // The first state above a height that a chain tells of, if it tells of the one there.
    let next = |chain: usize, fork: &(u64, StateId)| -> Option<(u64, StateId)> {
        let map = &maps[chain];
        let here = map.get(&fork.0) == Some(&fork.1);
        here.then(|| map.range(fork.0 + 1..).next().map(|(height, state)| (*height, *state)))?
    };
    for fork in chains[me].iter().take(chains[me].len().saturating_sub(1)) {
        let own = next(me, fork)?;
        let elsewhere = |chain| next(chain, fork).is_some_and(|next| next != own);
        if !(0..me).any(elsewhere) {
            continue;
        }
        let voters = voters(fork.0);
        let steps: Vec<_> = (0..chains.len())
            .filter(|chain| *chain == me || voters.contains(chain))
            .filter_map(|chain| Some((chain, next(chain, fork)?)))
            .collect();
        let sides = sides(&maps, fork.0 + 1, &steps);
        let weigh = |(state, on): &(&StateId, &Vec<usize>)| (on.len(), std::cmp::Reverse(**state));
        let Some((best, on)) = sides.iter().max_by_key(weigh) else { continue };
        if !on.contains(&me) {
            return Some(Verdict { common: fork.1, side: *best, on: on.clone() });
        }
    }
    // Others may have gone on from our newest state; that is no split.
    None
}

/// The sides of a fork by their first states, which are at the height `first`, with the chains that
/// are on them.
fn sides(
    maps: &[BTreeMap<u64, StateId>],
    first: u64,
    steps: &[(usize, (u64, StateId))],
) -> BTreeMap<StateId, Vec<usize>> {
    let mut sides: BTreeMap<StateId, Vec<usize>> = BTreeMap::new();
    let (whole, gaps): (Vec<_>, Vec<_>) =
        steps.iter().copied().partition(|(_, (height, _))| *height == first);
    for (chain, (_, state)) in whole {
        sides.entry(state).or_default().push(chain);
    }
    // Those who tell of each step say where the others belong.
    let known = sides.clone();
    for (chain, (height, state)) in gaps {
        let there = |witness: &&usize| maps[**witness].get(&height) == Some(&state);
        let place = known
            .iter()
            .map(|(side, witnesses)| (witnesses.iter().filter(there).count(), *side))
            .filter(|(count, _)| *count > 0)
            .max_by_key(|(count, side)| (*count, std::cmp::Reverse(*side)));
        sides.entry(place.map_or(state, |(_, side)| side)).or_default().push(chain);
    }
    sides
}

impl Group {
    pub(super) fn suspect_split(&mut self, core: &Core, now: Time, common: StateId) {
        let next = now + self.heartbeat(core).times(LISTEN);
        let height = self.height(&common);
        tracing::trace!(group = ?self.id, ?common, ?height, "may be split");
        match &self.split {
            Some(split) if height >= self.height(&split.common) => {}
            Some(split) => self.split = Some(Split { common, over: split.over, next: split.next }),
            None => self.split = Some(Split { common, over: None, next }),
        }
    }

    /// Another has told of its chain.
    pub(super) fn take_chain(&mut self, core: &Core, now: Time, device: DeviceId, told: Told) {
        let fresh = self.heartbeat(core).times(FRESH);
        let deeper = |told: &Told, other: &Told| {
            let height = |told: &Told| self.height(&told.under);
            height(told) <= height(other)
        };
        let vote = self
            .votes
            .get(&device)
            .is_none_or(|old| deeper(&told, old) || now.since(old.at) > fresh);
        if vote {
            self.votes.insert(device, told.clone());
        }
        self.chains.insert(device, told);
    }

    /// Decides which side goes over, and asks to be brought over if it is ours.
    pub(super) fn heal(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heartbeat = self.heartbeat(core);
        let Some(split) = &self.split else { return Ok(()) };
        if now < split.next {
            return Ok(());
        }
        if !self.is_active() {
            self.split = None;
            return Ok(());
        }
        let fresh = |told: &Told| now.since(told.at) <= heartbeat.times(FRESH);
        let mine = self.own_places();
        let tip = self.tip().id;
        let has = |chain: &Places, state: StateId| chain.iter().any(|(_, other)| *other == state);
        let apart = self.chains.values().filter(|told| fresh(told)).any(|told| {
            let newest = told.chain.last();
            newest.is_some_and(|(_, newest)| !has(&mine, *newest) && !has(&told.chain, tip))
        });
        if !apart {
            self.split = None;
            return Ok(());
        }
        // Of whom we have just left we would find the way back: which of our states are on this side is found
        // out first.
        let doubts = now.since(self.record.since) < heartbeat.times(DOUBT);
        let sure = |state: &StateId| !doubts || !self.in_doubt(state);
        let mine: Places = mine.into_iter().filter(|(_, state)| sure(state)).collect();
        let over = self.weigh(&mine, fresh);
        tracing::debug!(group = ?self.id, ?tip, ?over, "is split");
        if let Some(split) = &mut self.split {
            let Some((common, _)) = &over else {
                (split.over, split.next) = (None, now + heartbeat);
                return Ok(());
            };
            if split.over.is_none() {
                core.tell(Event::Split { group: self.id });
            }
            split.over = Some(*common);
            split.next = now + Span(heartbeat.0 / 2);
        }
        match over {
            // Who leaves needs no place on the other side.
            Some((common, side)) if !self.asked_to_leave() => {
                self.ask_to_come_over(core, now, common, side)
            }
            _ => Ok(()),
        }
    }

    /// The side to go over to, if ours is not kept. It is weighed by what was told under keys that
    /// both sides of the fork have: all of them hear the same, and nobody can be on two sides. And by
    /// the devices that were members at the fork: nobody wins by adding members to his side.
    fn weigh(
        &self,
        mine: &Places,
        fresh: impl Fn(&Told) -> bool,
    ) -> Option<(StateId, Vec<StateId>)> {
        let votes: Vec<_> = self.votes.iter().filter(|(_, told)| fresh(told)).collect();
        let mut chains: Vec<&[_]> = votes.iter().map(|(_, told)| &told.chain[..]).collect();
        chains.push(mine);
        let Verdict { common, side, on } = verdict(&chains, |fork| {
            let members = self.members_at(fork);
            let counts = |(device, told): &(&DeviceId, &Told)| {
                members.contains(device) && self.height(&told.under).is_some_and(|h| h <= fork)
            };
            (0..votes.len()).filter(|place| counts(&votes[*place])).collect()
        })?;
        // A fork that both sides can still roll back is settled by the winner rule.
        let open = |told: &Told| told.chain[told.window..].iter().any(|(_, s)| *s == common);
        let settled =
            self.place(&common).is_none() || on.iter().all(|place| !open(votes[*place].1));
        let newest = on.iter().filter_map(|place| votes[*place].1.chain.last());
        let mut side = vec![side];
        side.extend(newest.map(|(_, state)| *state).take(SIDE));
        settled.then_some((common, side))
    }

    pub(super) fn ask_to_come_over(
        &mut self,
        core: &mut Core,
        now: Time,
        common: StateId,
        side: Vec<StateId>,
    ) -> Result<(), EngineError> {
        if !self.once_per(Matter::Rejoin, now, self.heartbeat(core)) {
            return Ok(());
        }
        // Who has left on this side may be a member on the other.
        if self.record.status != Status::Out {
            self.say_words(core, now, None)?;
        }
        tracing::debug!(group = ?self.id, ?common, ?side, "asks to come over");
        let key_package = core.key_package(now, self.suite()?)?;
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
        // Who goes over himself brings nobody here.
        let going = self.split.as_ref().is_some_and(|split| split.over.is_some());
        let ours = rejoin.side.iter().take(1 + SIDE).any(|side| self.height(side).is_some())
            || self.wards.contains_key(&under);
        tracing::debug!(group = ?self.id, ?device, ?under, ours, going, "somebody wants to come over");
        if !ours || !self.is_active() || going {
            return Ok(());
        }
        let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
        if rejoin.count <= peer.count {
            return Ok(());
        }
        peer.count = rejoin.count;
        self.save_peer(core, &device)?;
        if self.seat(&device).is_none() {
            // Who came in on a side that was given up, and was never put out on this one, comes in here. Who
            // was put out names the state of the others, and what was given up here may be on their side.
            let came = rejoin.side.is_empty() && self.wards.contains_key(&under);
            if came && !self.went(&device) {
                let key_package = rejoin.key_package.as_slice();
                return self.take_follower(
                    core,
                    now,
                    device,
                    key_package,
                    Place::Late,
                    Role::Member,
                );
            }
            return self.say_not_a_member(core, now, &under, device);
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

    /// Counts that this device is told that it is on no side that others are on; who asks once per
    /// heartbeat is answered a little earlier or later.
    pub(super) fn count_refusal(&mut self, core: &Core, now: Time) {
        if self.once_per(Matter::Refused, now, Span(self.heartbeat(core).0 / 10 * 9)) {
            self.refused += 1;
        }
    }

    /// A member of another side says that we are not among its members. Only who could have removed us
    /// is believed at once; if we want to leave, anybody.
    pub(super) fn not_a_member(
        &mut self,
        core: &mut Core,
        now: Time,
        under: &StateId,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let brought = self.record.inviter == Some(*device);
        let Some(seat) = self.seat(device).filter(|_| self.is_active()) else { return Ok(()) };
        let by = seat.identity.address;
        let going = self.record.following.is_some()
            || self.split.as_ref().is_some_and(|split| split.over.is_some());
        let mine = self.rules.role(&core.me.identity.address);
        let could = self.rules.allows(&by, crate::Right::Remove) && self.rules.role(&by) > mine;
        let leaves = self.asked_to_leave();
        // And anybody in the end, if nobody takes us along.
        if going {
            self.count_refusal(core, now);
        }
        let in_vain = self.refused > IN_VAIN;
        let believed = leaves || going && (could || brought || in_vain);
        tracing::debug!(group = ?self.id, ?device, leaves, going, could, brought, "is told that it is no member");
        if !believed {
            return Ok(());
        }
        self.end_this_stay(core)?;
        let newest = self.chains.get(device).and_then(|told| told.chain.last());
        self.refusers.extend(newest.map(|newest| (*device, *newest)));
        self.suspect_split(core, now, *under);
        core.tell(Event::Out { group: self.id, by: (!leaves).then_some(by) });
        // What was changed on this side alone is not so where the group goes on.
        let fork = self.fork_height();
        let lost: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| matches!(intent.status, IntentStatus::At(_, at) if at > fork))
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.set_intent(core, id, IntentStatus::failed(Failure::NotInGroup))?;
        }
        // Whom we brought in on this side is told so by nobody else.
        let above = self.past.range(fork.saturating_add(1)..).map(|(_, past)| past);
        let brought = above.filter(|past| past.record.entry == 1);
        let brought: Vec<_> = brought.map(|past| (past.id, past.record.beacon)).collect();
        for (state, beacon) in brought {
            self.remember_ward(core, now, state, beacon)?;
        }
        // For a while words are passed on of others who leave.
        (self.record.status, self.record.since) = (Status::Leaving, now);
        self.save(core)?;
        self.say_words(core, now, None)
    }

    /// The highest state of our old side that is also on the side that we came over to. Without a
    /// split we were put out and asked in again, and what was final is on that side too.
    pub(super) fn fork_height(&self) -> u64 {
        let common = self.split.as_ref().map(|split| split.over.unwrap_or(split.common));
        let root = self.chain.first().map_or(0, |root| root.record.height);
        // Of a state that was given up nothing is on the other side, nor was anything before it here.
        let given_up = |common: &StateId| self.given_up.iter().any(|(state, _)| state == common);
        common
            .and_then(|common| Some((common, self.height(&common)?)))
            .map_or(root, |(common, height)| height.saturating_sub(given_up(&common).into()))
    }

    /// After coming over: what happened only on the old side happens again.
    pub(super) fn redo(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
    ) -> Result<(), EngineError> {
        self.redo_between(core, now, fork, u64::MAX)?;
        (self.split, self.refused) = (None, 0);
        self.chains.clear();
        self.votes.clear();
        Ok(())
    }

    /// What happened only on the old side, above one height and up to another, happens again.
    pub(super) fn redo_between(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
        top: u64,
    ) -> Result<(), EngineError> {
        let lost = |at: u64| at > fork && at <= top;
        let again: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| match intent.status {
                IntentStatus::At(_, at) => lost(at),
                // Who has left and is in again does not leave again.
                IntentStatus::Done(at) => {
                    lost(at) && !matches!(intent.intent, IntentBody::Leave(_))
                }
                _ => false,
            })
            .map(|(id, _)| *id)
            .collect();
        for id in again {
            if let Some(intent) = self.intents.get_mut(&id) {
                intent.use_up(core, self.id);
                (intent.created, intent.next) = (now, now);
            }
            self.set_intent(core, id, IntentStatus::Open)?;
        }
        for (number, sent) in self.said_above(core, fork)? {
            if lost(sent.height) {
                self.say_number(core, now, number, true)?;
            }
        }
        self.next_plan = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States from height 0 on; 0 is a gap.
    fn chain(states: &[u8]) -> Places {
        let places = (0..).zip(states).filter(|(_, state)| **state != 0);
        places.map(|(height, state)| (height, StateId([*state; 16]))).collect()
    }

    /// Each chain with the height from which on it counts.
    fn judge_since(mine: &[u8], others: &[(u64, &[u8])]) -> Option<(u8, u8)> {
        let chains: Vec<_> =
            others.iter().map(|(_, other)| chain(other)).chain([chain(mine)]).collect();
        let chains: Vec<&[_]> = chains.iter().map(|chain| &chain[..]).collect();
        let voters = |fork| (0..others.len()).filter(|other| others[*other].0 <= fork).collect();
        verdict(&chains, voters).map(|verdict| (verdict.common.0[0], verdict.side.0[0]))
    }

    fn judge(mine: &[u8], others: &[&[u8]]) -> Option<(u8, u8)> {
        let others: Vec<_> = others.iter().map(|other| (0, *other)).collect();
        judge_since(mine, &others)
    }

    #[test]
    fn who_does_not_count_at_a_fork_does_not_decide_it() {
        // Two who were added on our side since do not outweigh the one who was there.
        let others: [(u64, &[u8]); 3] = [(0, &[1, 6]), (1, &[1, 7]), (1, &[1, 7])];
        assert_eq!(judge_since(&[1, 7], &others), Some((1, 6)));
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
    fn who_came_over_counts_for_the_side_that_he_came_to() {
        // He was at the fork, and knows the other side from its second state on.
        assert_eq!(judge(&[1, 2, 6, 5], &[&[1, 2, 7, 8], &[1, 2, 0, 8]]), Some((2, 7)));
        assert_eq!(judge(&[1, 2, 7, 8], &[&[1, 2, 6, 5], &[1, 2, 0, 8]]), None);
        // So do we if it was us.
        assert_eq!(judge(&[1, 2, 0, 8], &[&[1, 2, 6, 5], &[1, 2, 7, 8]]), None);
        assert_eq!(judge(&[1, 2, 0, 8], &[&[1, 2, 6], &[1, 2, 6], &[1, 2, 7, 8]]), Some((2, 6)));
    }

    #[test]
    fn a_chain_that_nobody_bears_out_counts_for_its_teller_alone() {
        // One says that a state follows another side's. Two who saw it know better, so who does not
        // know still counts where he is.
        let others: [&[u8]; 4] = [&[1, 2, 8], &[1, 2, 8], &[1, 0, 8], &[1, 3, 8]];
        assert_eq!(judge(&[1, 3, 9], &others), Some((1, 2)));
        assert_eq!(judge(&[1, 2, 8], &others), None);
        assert_eq!(judge(&[1, 0, 8], &others), None);
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
