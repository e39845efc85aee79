//! Following a group that has moved.
//!
//! Who was cut off while the group moved, or is on a branch that the move is not on, finds nobody in
//! the old group any more. So those who have moved keep the beacon keys of its past states and point
//! out the successor to whoever they hear there. Who is told so by somebody whose word counts asks to
//! be added to the successor, with a key package for its suite, signed with the key of its old leaf.
//!
//! A move is not taken back: a side that has moved is followed, however many are on the other, by whoever
//! has reason to believe it. Only who stays alone in a successor goes back, if that costs nothing. If two
//! sides have moved, the successor is followed that more devices of the old group point to, and among
//! equal ones that with the smaller name.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use openmls_traits::types::Ciphersuite;

use super::Engine;
use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event, Failure, Intent};
use super::lead::{Place, Straggler};
use super::package::Wish;
use super::records::{Following, GroupRecord, IntentStatus, SentRecord, Status};
use super::talk::Matter;
use crate::policy::{Floor, Right};
use crate::store::Space;
use crate::wire::{self, Kind, Onward, Rejoin};
use crate::{Address, DeviceId, GroupId, Span, StateId, Time};

/// For how many heartbeats a word about a successor counts.
pub(super) const FRESH: u64 = 4;
/// How often who is the last one asks to be brought along: those who hear him may not, and those who may
/// have never heard of him.
pub(super) const IN_VAIN: u32 = 20;
/// For how many heartbeats nobody is heard where there is nobody.
const ALONE: u64 = 12;
/// How many other successors are listened to.
const RIVALS: usize = 4;
/// For how many heartbeats those of two successors listen to each other.
const LISTEN: u64 = 2;

/// What a device said of where the group goes on.
pub(super) struct Pointer {
    at: Time,
    to: GroupId,
    /// The highest state that is known to be on both sides: what it says, and no higher than the state
    /// under whose key it was said.
    pub(super) common: u64,
}

/// What is lost of a branch that the move was not on.
pub(super) struct Lost {
    /// Who was to be brought in, and who to be removed.
    pub(super) members: Vec<Wish>,
    pub(super) unheard: Vec<SentRecord>,
}

impl Group {
    pub(super) fn has_moved(&self) -> bool {
        self.record.status == Status::Moved
    }

    /// Whether this device has asked to be added to a successor.
    pub(super) fn follows(&self, to: GroupId) -> bool {
        self.record.following.as_ref().is_some_and(|following| following.to == to)
    }

    /// A device says where the group goes on. Follows it, if its word counts.
    pub(super) fn told_of_successor(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        device: DeviceId,
        onward: &Onward,
    ) -> Result<(), EngineError> {
        let Onward { to, suite, fork } = *onward;
        let Some(height) = self.height(&under) else { return Ok(()) };
        let common = if self.in_doubt(&under) { 0 } else { fork.min(height) };
        // What is said under the key of a lower state says less.
        let known = self.pointers.get(&device).filter(|pointer| pointer.to == to);
        let common = common.max(known.map_or(0, |pointer| pointer.common));
        tracing::debug!(group = ?self.id, ?device, ?to, height, fork, "is told of a successor");
        let pointer = Pointer { at: now, to, common };
        self.pointers.insert(device, pointer);
        let Ok(suite) = Ciphersuite::try_from(suite) else { return Ok(()) };
        if !self.takes(core, suite)? {
            return Ok(());
        }
        let present = self.record.moved.as_ref();
        if present.is_some_and(|moved| moved.to == to) {
            self.stragglers.push(Straggler::who_points(device, under));
            return Ok(());
        }
        // Who has left where the group went does not come in where it went as well.
        if let Some(stay) = present.filter(|_| self.left_after).map(|moved| moved.stay) {
            return self.say_gone(core, now, &under, stay, Some(onward));
        }
        let follows = match (self.record.status, present) {
            (Status::Active, _) => {
                !self.asked_to_leave() && self.believes(core, &device, to, height, now)
            }
            (Status::Moved, Some(moved)) => self.outweighed(core, now, moved.to, to),
            _ => false,
        };
        if !follows {
            return Ok(());
        }
        let before = self.record.following.as_ref().filter(|following| following.to == to);
        let (fork, asked) =
            before.map_or((common, 0), |following| (following.fork.max(common), following.asked));
        let fork = if self.has_moved() { 0 } else { fork };
        tracing::debug!(group = ?self.id, ?to, fork, "follows");
        self.record.following = Some(Following { to, fork, asked });
        self.save(core)?;
        if self.is_active() && asked > IN_VAIN && self.is_alone(core, now) {
            core.tell(Event::Out { group: self.id, by: None });
            return self.go(core, now);
        }
        self.ask_to_follow(core, now, &under, suite)
    }

    /// Whether nobody but this device is where it is any more.
    pub(super) fn is_alone(&self, core: &Core, now: Time) -> bool {
        let lately = self.heartbeat(core).times(ALONE);
        !self.peers.values().any(|peer| now.since(peer.heard_at) < lately)
    }

    /// The other accounts of whom a device has been heard here lately.
    pub(super) fn accounts_heard(&self, core: &Core, now: Time) -> BTreeSet<Address> {
        let lately = self.heartbeat(core).times(ALONE);
        let heard = self.peers.values().filter(|peer| now.since(peer.heard_at) < lately);
        heard.map(|peer| peer.address).filter(|other| *other != core.me.identity.address).collect()
    }

    /// Whether a successor may have a suite.
    pub(super) fn takes(&self, core: &Core, suite: Ciphersuite) -> Result<bool, EngineError> {
        Ok(Floor::of(suite).covers(self.floor()?) && core.config.suites.contains(&suite))
    }

    /// Asks to be added to a successor.
    pub(super) fn ask_to_follow(
        &mut self,
        core: &mut Core,
        now: Time,
        under: &StateId,
        suite: Ciphersuite,
    ) -> Result<(), EngineError> {
        if !self.once_per(Matter::Rejoin, now, self.heartbeat(core)) {
            return Ok(());
        }
        if let Some(following) = &mut self.record.following {
            following.asked += 1;
        }
        let key_package = core.key_package(now, suite)?;
        let count = self.next_count(core)?;
        let rejoin = Rejoin { count, side: Vec::new(), key_package: key_package.into() };
        self.say_under(core, now, under, Kind::Rejoin, &rejoin)
    }

    /// Whether what a device says of a successor counts: because the group has named it, because
    /// the device may move the group or brought this one in, or because half of the members say the same.
    fn believes(
        &self,
        core: &Core,
        device: &DeviceId,
        to: GroupId,
        height: u64,
        now: Time,
    ) -> bool {
        let members = self.members_at(height);
        let present = self.rules.successor.as_ref().map(|successor| successor.group);
        let named = present == Some(to) || self.record.named.contains(&to);
        let account = self.peers.get(device).map(|peer| peer.address);
        let may = account.is_some_and(|account| self.rules.allows(&account, Right::Migrate))
            && (members.contains(device) || self.seat(device).is_some());
        let inviter = self.record.inviter == Some(*device);
        // People count, and not how many devices they have. Half of them are enough, as a move is not taken
        // back; one alone is not.
        let me = &core.me.identity;
        let other = |device: &DeviceId| self.peers.get(device).map(|peer| peer.address);
        let account = |device: &DeviceId| {
            if *device == me.device { Some(me.address) } else { other(device) }
        };
        let all: BTreeSet<_> = members.iter().filter_map(account).collect();
        let told = self.pointing(now, Span(u64::MAX), to).filter(|device| members.contains(device));
        let told = told.filter_map(account).collect::<BTreeSet<_>>().len();
        named || may || inviter || told > 1 && told * 2 >= all.len()
    }

    /// The devices that point to a successor.
    fn pointing(&self, now: Time, fresh: Span, to: GroupId) -> impl Iterator<Item = &DeviceId> {
        let here = move |pointer: &Pointer| pointer.to == to && now.since(pointer.at) <= fresh;
        let pointers = self.pointers.iter();
        pointers.filter(move |(_, pointer)| here(pointer)).map(|(device, _)| device)
    }

    /// Whether another successor is the one to follow, after those of both have been heard for a while.
    fn outweighed(&mut self, core: &Core, now: Time, mine: GroupId, other: GroupId) -> bool {
        let heartbeat = self.heartbeat(core);
        let since = match self.rivals.get(&other) {
            Some(since) => *since,
            None if self.rivals.len() >= RIVALS => return false,
            None => {
                self.rivals.insert(other, now);
                self.next_beacon = now;
                now
            }
        };
        if now.since(since) < heartbeat.times(LISTEN) {
            return false;
        }
        let told = self.pointers.values().filter(|pointer| pointer.to == other);
        let fork = told.map(|pointer| pointer.common).max().unwrap_or(0);
        let members = self.members_at(fork);
        let fresh = heartbeat.times(FRESH);
        let count =
            |to| self.pointing(now, fresh, to).filter(|device| members.contains(device)).count();
        let own = usize::from(members.contains(&core.me.identity.device));
        tracing::debug!(group = ?self.id, ?mine, ?other, here = count(mine) + own, there = count(other), fork, "has two successors");
        (count(other), Reverse(other)) > (count(mine) + own, Reverse(mine))
    }

    /// The highest state that is known to be on the side that has moved to a successor too.
    pub(super) fn parted(&self, to: GroupId) -> Option<u64> {
        let told = self.pointers.values().filter(|pointer| pointer.to == to);
        let following = self.record.following.as_ref().filter(|following| following.to == to);
        told.map(|pointer| pointer.common).chain(following.map(|following| following.fork)).max()
    }

    /// Says something under the beacon key of a state that is remembered.
    pub(super) fn say_under<T: tls_codec::Serialize>(
        &self,
        core: &mut Core,
        now: Time,
        under: &StateId,
        kind: Kind,
        body: &T,
    ) -> Result<(), EngineError> {
        if self.wards.contains_key(under) || self.past.values().any(|past| past.id == *under) {
            self.say(core, now, &self.beacon_key(under), kind, body)
        } else {
            Ok(())
        }
    }

    /// What happened above a state is lost: whom it was wanted from is told so. Tells what is to be
    /// done again where the group goes on.
    pub(super) fn lose(
        &mut self,
        core: &mut Core,
        now: Time,
        fork: u64,
    ) -> Result<Lost, EngineError> {
        let lost: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| match intent.status {
                IntentStatus::At(_, at) | IntentStatus::Done(at) => at > fork,
                IntentStatus::Open => intent.intent.about_members().is_some(),
                IntentStatus::Failed(_) => false,
            })
            .map(|(id, intent)| (*id, Wish::of(core, self.id, intent)))
            .collect();
        tracing::debug!(group = ?self.id, fork, "loses what was on its side");
        core.tell(Event::Healed { group: self.id });
        let mut members = Vec::new();
        for (id, wish) in lost {
            members.extend(wish);
            self.set_intent(core, id, IntentStatus::failed(Failure::Migrated))?;
        }
        for state in self.chain.iter().rev().filter(|state| state.record.height > fork) {
            if let Some(origin) = &state.record.origin {
                let what = origin.changes.iter().map(super::io::Changed::from).collect();
                let change = super::io::Change { by: origin.by, state: state.id, at: now, what };
                core.tell(Event::RolledBack { group: self.id, change });
            }
        }
        let mut unheard = self.said_above(core, fork)?;
        for (number, sent) in self.unheard(core)? {
            unheard.insert(number, sent);
        }
        let unheard = unheard.into_values().collect();
        Ok(Lost { members, unheard })
    }
}

impl Engine {
    /// What is kept of a group, whether it is in memory or not.
    pub(super) fn record_of(&self, id: &GroupId) -> Result<Option<GroupRecord>, EngineError> {
        match self.groups.get(id) {
            Some(Some(group)) => Ok(Some(group.record.clone())),
            Some(None) => {
                let record = self.core.store.get(Space::Group, &[], &id.0)?;
                Ok(record.and_then(|record| wire::decode(&record)))
            }
            None => Ok(None),
        }
    }

    /// The groups that fit by what is kept of them.
    pub(super) fn groups_where(
        &self,
        fits: impl Fn(&GroupRecord) -> bool,
    ) -> Result<BTreeSet<GroupId>, EngineError> {
        let mut found = BTreeSet::new();
        for id in self.groups.keys() {
            if self.record_of(id)?.as_ref().is_some_and(&fits) {
                found.insert(*id);
            }
        }
        Ok(found)
    }

    /// The groups in which this device has asked to be added to another.
    pub(super) fn followed_to(&self, to: GroupId) -> Result<BTreeSet<GroupId>, EngineError> {
        self.groups_where(|record| {
            record.following.as_ref().is_some_and(|following| following.to == to)
        })
    }

    /// Whether a group has moved, and this device has left its successor.
    pub(super) fn left_after(&mut self, now: Time, id: &GroupId) -> Result<bool, EngineError> {
        let Some(moved) = self.record_of(id)?.and_then(|record| record.moved) else {
            return Ok(false);
        };
        if self.record_of(&moved.to)?.is_none_or(|next| next.status != Status::Out) {
            return Ok(false);
        }
        let left = self.with_group(now, moved.to, |group, _| Ok(group.left_upto().is_some()))?;
        Ok(left == Some(true))
    }

    /// Whether a group has moved, and this device is in its successor.
    pub(super) fn goes_on(&self, id: &GroupId) -> Result<bool, EngineError> {
        let Some(moved) = self.record_of(id)?.and_then(|record| record.moved) else {
            return Ok(false);
        };
        Ok(self.record_of(&moved.to)?.is_some_and(|next| next.status == Status::Active))
    }

    /// A group that others have moved to has moved itself: from now on they lead to where it goes on.
    /// Who was put out on the way is not brought along.
    pub(super) fn shorten(
        &mut self,
        now: Time,
        between: GroupId,
        to: (GroupId, u16),
    ) -> Result<(), EngineError> {
        let olds = self.groups_where(|record| {
            record.moved.as_ref().is_some_and(|moved| moved.to == between)
        })?;
        for old in olds {
            let Some(Some(moved)) =
                self.with_group(now, old, |group, _| Ok(group.record.moved.clone()))?
            else {
                continue;
            };
            let stays = self.with_group(now, between, |group, _| {
                let late = moved.late.iter().copied();
                Ok(late.filter(|device| group.place_of(&moved, device) != Place::Gone).collect())
            })?;
            self.with_group(now, old, |group, core| {
                if let Some(moved) = &mut group.record.moved {
                    (moved.to, moved.suite) = to;
                    moved.late = stays.unwrap_or_default();
                }
                group.save(core)
            })?;
        }
        Ok(())
    }

    /// Who is told to follow to where he is already, by another way, is there.
    pub(super) fn catch_up(&mut self, now: Time, id: GroupId) -> Result<(), EngineError> {
        let Some(Some(group)) = self.groups.get(&id) else { return Ok(()) };
        let following = group.record.following.as_ref().filter(|_| group.is_active());
        let Some(to) = following.map(|following| following.to) else { return Ok(()) };
        if self.record_of(&to)?.is_none_or(|next| next.status != Status::Active) {
            return Ok(());
        }
        self.leave_predecessor(now, id, to)?;
        self.settle_successor(now, id, to)
    }

    /// Does again in a successor what was lost of the branch that it was not on.
    pub(super) fn redo_after_move(
        &mut self,
        now: Time,
        to: GroupId,
        lost: Lost,
    ) -> Result<(), EngineError> {
        self.with_group(now, to, |group, core| {
            for wish in lost.members {
                let there = group.seats.iter().any(|seat| match &wish.intent {
                    Intent::Invite(address) | Intent::Remove(address) => {
                        seat.identity.address == *address
                    }
                    Intent::AddDevice(device) | Intent::RemoveDevice(device) => {
                        seat.identity.device == *device
                    }
                    _ => false,
                });
                let out = matches!(wish.intent, Intent::Remove(_) | Intent::RemoveDevice(_));
                if there == out {
                    group.intend_again(core, now, wish)?;
                }
            }
            group.say_after_move(core, now, lost.unheard)
        })?;
        Ok(())
    }
}
