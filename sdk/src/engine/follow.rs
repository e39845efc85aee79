//! Following a group that has moved.
//!
//! Who was cut off while the group moved, or is on a branch that the move is not on, finds nobody in
//! the old group any more. So those who have moved keep the beacon keys of its past states and point
//! out the successor to whoever they hear there. Who is told so by somebody whose word counts asks to
//! be added to the successor, with a key package for its suite, signed with the key of its old leaf.
//!
//! A move is not taken back: a side that has moved is followed, however many are on the other. If two
//! sides have moved, the successor is followed that more devices of the old group point to, and among
//! equal ones that with the smaller name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use openmls_traits::types::Ciphersuite;

use super::Engine;
use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event, Failure, Intent};
use super::mls;
use super::package::Wish;
use super::plan::Wanted;
use super::records::{
    Following, GroupRecord, IntentBody, IntentStatus, MovedRecord, SentRecord, Status,
};
use super::stay;
use super::talk::Matter;
use crate::policy::{Floor, Right, Role};
use crate::store::Space;
use crate::wire::{self, Kind, Leave, Note, Onward, Rejoin};
use crate::{Address, DeviceId, GroupId, Span, StateId, Time};

/// For how many heartbeats a word about a successor counts.
const FRESH: u64 = 4;
/// How often who is the last one asks to be brought along: those who hear him may not, and those who may
/// have never heard of him.
const IN_VAIN: u32 = 20;
/// For how many heartbeats nobody is heard where there is nobody.
const ALONE: u64 = 12;
/// For how many heartbeats those of two successors listen to each other.
const LISTEN: u64 = 2;
/// How long somebody's wish to follow is remembered.
const WISH: Span = Span::seconds(30);
/// After how many tries a Welcome is given up for one whom it has not led to the successor.
const TRIES: u16 = 2;
/// How often, of 256 times, who has the smaller name goes over to somebody of whom nothing is heard.
const YIELDS: u8 = 32;
/// The pauses between words to those who have not followed grow with the time since the move.
const PAUSE: u64 = 32;

/// What a device said of where the group goes on.
pub(super) struct Pointer {
    at: Time,
    to: GroupId,
    /// The highest state that is known to be on both sides: what it says, and no higher than the state
    /// under whose key it was said.
    pub(super) common: u64,
}

/// Somebody who was heard in the old group.
pub(super) struct Straggler {
    device: DeviceId,
    under: StateId,
    /// The state was given up.
    ward: bool,
    what: Heard,
}

/// What was heard of him.
enum Heard {
    Anything,
    Leaves,
    Follows(Vec<u8>),
    /// He points to the successor that we are in.
    Points,
}

/// Somebody who wants to be added to the successor.
pub(super) struct Follower {
    pub(super) until: Time,
    key_package: Vec<u8>,
    account: Address,
    /// What his account was in the old group.
    role: Role,
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

    /// Something in the old group after the move.
    pub(super) fn take_after_move(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        kind: Kind,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let mut what = Heard::Anything;
        let device = if kind == Kind::Leave {
            what = Heard::Leaves;
            self.leaver(core, payload)
        } else {
            let Some((device, body)) = self.verify(core, kind, payload) else { return Ok(()) };
            match kind {
                Kind::Note => match wire::decode::<Note>(&body) {
                    Some(Note::Moved(onward)) => {
                        return self.told_of_successor(core, now, under, device, &onward);
                    }
                    _ => return Ok(()),
                },
                Kind::Rejoin => {
                    let Some(rejoin) = wire::decode::<Rejoin>(&body) else { return Ok(()) };
                    let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
                    if rejoin.count <= peer.count {
                        return Ok(());
                    }
                    peer.count = rejoin.count;
                    self.save_peer(core, &device)?;
                    if rejoin.side.is_empty() {
                        what = Heard::Follows(rejoin.key_package.as_slice().to_vec());
                    }
                }
                Kind::Beacon | Kind::Request => {}
                _ => return Ok(()),
            }
            Some(device)
        };
        if let Some(device) = device {
            let ward = self.wards.contains_key(&under);
            self.stragglers.push(Straggler { device, under, ward, what });
        }
        Ok(())
    }

    /// Whose word it is that says that he leaves.
    fn leaver(&self, core: &Core, payload: &[u8]) -> Option<DeviceId> {
        let leave: Leave = wire::decode(payload)?;
        let scheme = self.suite().ok()?.signature_algorithm();
        let key = self.peers.get(&leave.device)?.signature_key.as_slice();
        let own = stay::is_signed(&core.crypto, scheme, self.id, key, &leave);
        own.then_some(leave.device)
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
        tracing::debug!(group = ?self.id, ?device, ?to, height, fork, "is told of a successor");
        let pointer = Pointer { at: now, to, common };
        self.pointers.insert(device, pointer);
        let Ok(suite) = Ciphersuite::try_from(suite) else { return Ok(()) };
        if !self.takes(core, suite)? {
            return Ok(());
        }
        let present = self.record.moved.as_ref();
        if present.is_some_and(|moved| moved.to == to) {
            self.stragglers.push(Straggler { device, under, ward: false, what: Heard::Points });
            return Ok(());
        }
        let follows = match (self.record.status, present) {
            (Status::Active, _) => {
                !self.asked_to_leave() && self.believes(&device, to, height, now)
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

    /// Whether a successor may have a suite.
    pub(super) fn takes(&self, core: &Core, suite: Ciphersuite) -> Result<bool, EngineError> {
        Ok(Floor::of(suite) >= self.floor()? && core.config.suites.contains(&suite))
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
    /// the device may move the group or brought this one in, or because most say the same.
    fn believes(&self, device: &DeviceId, to: GroupId, height: u64, now: Time) -> bool {
        let members = self.members_at(height);
        let present = self.rules.successor.as_ref().map(|successor| successor.group);
        let named = present == Some(to) || self.record.named.contains(&to);
        let account = self.peers.get(device).map(|peer| peer.address);
        let may = account.is_some_and(|account| self.rules.allows(&account, Right::Migrate))
            && (members.contains(device) || self.seat(device).is_some());
        let inviter = self.record.inviter == Some(*device);
        let told = self.pointing(now, Span(u64::MAX), to, |device| members.contains(device));
        named || may || inviter || told * 2 > members.len()
    }

    /// How many devices point to a successor.
    fn pointing(
        &self,
        now: Time,
        fresh: Span,
        to: GroupId,
        counts: impl Fn(&DeviceId) -> bool,
    ) -> usize {
        let here = |pointer: &Pointer| pointer.to == to && now.since(pointer.at) <= fresh;
        let pointers = self.pointers.iter();
        pointers.filter(|(device, pointer)| here(pointer) && counts(device)).count()
    }

    /// Whether another successor is the one to follow, after those of both have been heard for a while.
    fn outweighed(&mut self, core: &Core, now: Time, mine: GroupId, other: GroupId) -> bool {
        let heartbeat = self.heartbeat(core);
        let since = match self.rival {
            Some((rival, since)) if rival == other => since,
            _ => {
                self.rival = Some((other, now));
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
        let count = |to| self.pointing(now, fresh, to, |device| members.contains(device));
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
    fn say_under<T: tls_codec::Serialize>(
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

    /// Points out the successor to those who know a state.
    fn point_out(
        &mut self,
        core: &mut Core,
        now: Time,
        under: &StateId,
    ) -> Result<(), EngineError> {
        let Some(moved) = &self.record.moved else { return Ok(()) };
        tracing::trace!(group = ?self.id, to = ?moved.to, ?under, "points out the successor");
        // Of a state that was given up nothing is on the side that moved.
        let unknown = self.wards.contains_key(under) || self.in_doubt(under);
        let fork = if unknown { 0 } else { moved.fork };
        let note = Note::Moved(Onward { to: moved.to, suite: moved.suite, fork });
        self.say_under(core, now, under, Kind::Note, &note)
    }

    /// Points out the successor to whoever may still be in some state of the old group.
    fn point_out_to_all(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heartbeat = self.heartbeat(core);
        let pause = Span(heartbeat.0.max(now.since(self.record.since).0 / PAUSE));
        self.next_beacon = core.soon(now + pause, Span(pause.0 / 4))?;
        let Some((top, newest)) = self.past.last_key_value() else { return Ok(()) };
        self.deep = self.deep % 8 + 1;
        let depth = 1 + u64::from_be_bytes(core.random()?) % (1_u64 << self.deep);
        let below = top.saturating_sub(depth);
        let deep = self.past.range(..=below).next_back().or(self.past.first_key_value());
        let states: BTreeSet<_> =
            [Some(newest.id), deep.map(|(_, past)| past.id)].into_iter().flatten().collect();
        for state in states {
            self.point_out(core, now, &state)?;
        }
        Ok(())
    }

    /// Answers somebody who was heard in the old group; nothing more is known of it than what the
    /// successor says.
    fn answer_straggler(
        &mut self,
        core: &mut Core,
        now: Time,
        straggler: &Straggler,
        place: &Place,
    ) -> Result<(), EngineError> {
        let Straggler { device, under, what, .. } = straggler;
        let retry = core.config.retry;
        match (what, place) {
            (Heard::Anything, Place::Added | Place::Late | Place::Gone | Place::Unknown)
                if self.once_per(Matter::Stand(*under), now, retry) =>
            {
                self.point_out(core, now, under)
            }
            (Heard::Leaves, Place::Late | Place::Gone | Place::Unknown)
            | (Heard::Follows(_), Place::Gone)
                if self.once_per(Matter::NotAMember(*device), now, retry) =>
            {
                let note = Note::NotAMember(*device);
                self.say_under(core, now, under, Kind::Note, &note)
            }
            _ => Ok(()),
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

/// Where somebody who was heard in the old group is in the successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// He has been heard there.
    There,
    /// He has a leaf there, and has not been heard.
    Added,
    /// He was in the old group when it moved, and has not been added.
    Late,
    /// He has been in the successor or the group before it, and is not any more.
    Gone,
    /// He was in neither, as far as is known here: others know whether he belongs there.
    Unknown,
}

impl Engine {
    /// What is kept of a group, whether it is in memory or not.
    fn record_of(&self, id: &GroupId) -> Result<Option<GroupRecord>, EngineError> {
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

    /// Takes care of those who were heard in a group that has moved.
    pub(super) fn lead(&mut self, now: Time, old: GroupId) -> Result<(), EngineError> {
        let Some(Some(group)) = self.groups.get_mut(&old) else { return Ok(()) };
        let (stragglers, moved) =
            (std::mem::take(&mut group.stragglers), group.record.moved.clone());
        let Some(moved) = moved.filter(|_| group.has_moved()) else { return Ok(()) };
        let beat = group.next_beacon <= now;
        if stragglers.is_empty() && !beat {
            return Ok(());
        }
        let accounts: BTreeMap<_, _> =
            group.peers.iter().map(|(device, peer)| (*device, peer.address)).collect();
        let mut went: BTreeSet<_> =
            group.past.values().flat_map(|past| &past.record.went).copied().collect();
        went.retain(|device| !moved.members.contains(device));
        let next = self.record_of(&moved.to)?;
        let next = next.filter(|next| next.status == Status::Active).map(|_| moved.to);
        let Some(next) = next else {
            // Who is no longer in the successor has left the old group as well, unless he was put out there
            // and may yet come back.
            let gone = self.with_group(now, moved.to, |group, _| {
                let out = group.record.status == Status::Out;
                Ok(out && (group.left_upto().is_some() || group.lingers().is_none()))
            })?;
            let heard =
                |one: &&Straggler| gone == Some(true) && matches!(one.what, Heard::Anything);
            self.with_group(now, old, |group, core| {
                for one in stragglers.iter().filter(heard) {
                    group.say_gone(core, now, &one.under, moved.stay)?;
                }
                group.next_beacon =
                    core.soon(now + group.heartbeat(core).times(PAUSE), PAUSE_MORE)?;
                Ok(())
            })?;
            return Ok(());
        };
        let me = self.core.me.identity.device;
        let [rand] = self.core.random()?;
        let (places, late, missed) = self
            .with_group(now, next, |group, core| {
                let points = stragglers.iter().filter(|one| matches!(one.what, Heard::Points));
                let missed = points.filter(|one| group.misses(core, now, &one.device));
                let missed = missed.min_by_key(|one| one.device).map(|one| (one.under, one.device));
                let place = |device: &DeviceId| group.place_of(&moved, device);
                // Who came in by a state that was given up was not there when the group moved.
                let straggles = |one: &Straggler| match place(&one.device) {
                    Place::Unknown if one.ward => Place::Late,
                    Place::Unknown if went.contains(&one.device) => Place::Gone,
                    place => place,
                };
                let places: Vec<_> = stragglers.iter().map(straggles).collect();
                let late = moved.late.iter().filter(|device| **device != me);
                let late = late.map(place).any(|place| matches!(place, Place::Late | Place::Added));
                for (one, place) in stragglers.iter().zip(&places) {
                    let Some(account) = accounts.get(&one.device) else { continue };
                    match &one.what {
                        Heard::Follows(key_package) => {
                            let role = moved.role(account);
                            group.take_follower(
                                core,
                                now,
                                one.device,
                                key_package,
                                *place,
                                role,
                            )?;
                        }
                        Heard::Leaves if *place == Place::Late => {
                            group.leave_behind(core, account)?;
                        }
                        Heard::Leaves if *place == Place::Added => {
                            group.let_go(core, now, one.device)?;
                        }
                        _ => {}
                    }
                }
                Ok((places, late, missed))
            })?
            .unwrap_or_default();
        self.with_group(now, old, |group, core| {
            for (one, place) in stragglers.iter().zip(&places) {
                group.answer_straggler(core, now, one, place)?;
            }
            if let (Some((under, device)), Ok(suite)) = (missed, moved.suite.try_into()) {
                tracing::debug!(group = ?group.id, to = ?moved.to, ?device, "hears nothing in the successor of somebody who is there");
                // If two ask each other, they may change places for ever.
                if device < me || rand < YIELDS {
                    group.ask_to_follow(core, now, &under, suite)?;
                }
                if group.once_per(Matter::Stand(under), now, group.heartbeat(core)) {
                    group.point_out(core, now, &under)?;
                }
            }
            if beat && (late || group.rival.is_some()) {
                group.point_out_to_all(core, now)?;
            } else if beat {
                group.next_beacon =
                    core.soon(now + group.heartbeat(core).times(PAUSE), PAUSE_MORE)?;
            }
            Ok(())
        })?;
        Ok(())
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

/// How much earlier or later it is looked again whether somebody has not followed.
const PAUSE_MORE: Span = Span::seconds(10);

impl Group {
    /// Where a device of the group before this one is.
    fn place_of(&self, moved: &MovedRecord, device: &DeviceId) -> Place {
        let peer = self.peers.get(device);
        match (self.seat(device), peer) {
            (Some(_), Some(peer)) if peer.was_heard() => Place::There,
            (Some(_), _) => Place::Added,
            (None, None) if moved.late.contains(device) => Place::Late,
            (None, None) => Place::Unknown,
            (None, Some(_)) => Place::Gone,
        }
    }

    /// Somebody wants to follow into this group.
    pub(super) fn take_follower(
        &mut self,
        core: &Core,
        now: Time,
        device: DeviceId,
        key_package: &[u8],
        place: Place,
        role: Role,
    ) -> Result<(), EngineError> {
        let suite = self.suite()?;
        let Ok((_, identity)) = mls::check_key_package(&core.crypto, suite, key_package) else {
            return Ok(());
        };
        if identity.device != device || core.is_revoked(&identity.address, &device)? {
            return Ok(());
        }
        let key_package = key_package.to_vec();
        tracing::debug!(group = ?self.id, ?device, ?place, "somebody wants to follow");
        match place {
            Place::Late => {
                let until = now + WISH;
                let account = identity.address;
                self.followers.insert(device, Follower { until, key_package, account, role });
            }
            // His Welcome has not led him here: another may.
            Place::Added if self.waited_for(now, &device) => {
                self.rejoins.insert(device, (now + WISH, key_package));
            }
            _ => return Ok(()),
        }
        self.plan_at(now);
        Ok(())
    }

    /// Whether nothing has been heard in this group for a while of a device that should be in it. We may
    /// have been brought in on a side that nobody else is on any more.
    fn misses(&self, core: &Core, now: Time, device: &DeviceId) -> bool {
        let heard = self.peers.get(device).map_or(Time::default(), |peer| peer.heard_at);
        self.is_active()
            && now.since(heard.max(self.record.since)) > self.heartbeat(core).times(FRESH)
    }

    /// Whether a device that has been added had time to come.
    fn waited_for(&self, now: Time, device: &DeviceId) -> bool {
        match self.welcomes.get(device) {
            Some(welcome) => welcome.tries > TRIES,
            None => now.since(self.tip().record.born) > WISH,
        }
    }

    /// Somebody who was to be brought along leaves.
    fn leave_behind(&mut self, core: &mut Core, account: &Address) -> Result<(), EngineError> {
        let waiting = self.intents.iter().filter(|(_, intent)| {
            let about = match &intent.intent {
                IntentBody::Invite(address) | IntentBody::SetRole(address, _) => address == account,
                _ => false,
            };
            about && intent.status == IntentStatus::Open
        });
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.set_intent(core, id, IntentStatus::failed(Failure::NoSuchMember))?;
        }
        Ok(())
    }

    /// Somebody who has been brought along has left before.
    pub(super) fn let_go(
        &mut self,
        core: &mut Core,
        now: Time,
        device: DeviceId,
    ) -> Result<(), EngineError> {
        let me = core.me.identity.address;
        let wanted = self.intents.values().any(|intent| {
            intent.intent == IntentBody::RemoveDevice(device) && intent.status == IntentStatus::Open
        });
        let Some(seat) = self.seat(&device).filter(|_| !wanted) else { return Ok(()) };
        let lower = self.rules.role(&seat.identity.address) < self.rules.role(&me);
        let own = seat.identity.address == me;
        if own || lower && self.rules.allows(&me, Right::Remove) {
            self.intend(core, now, Intent::RemoveDevice(device))?;
        }
        Ok(())
    }

    /// Adds those who want to follow to a commit, with the roles that they had.
    pub(super) fn bring_followers(&self, core: &Core, wanted: &mut Wanted) {
        let me = &core.me.identity.address;
        let mine = self.rules.role(me);
        for (device, follower) in &self.followers {
            let Follower { account, role, key_package, .. } = follower;
            let may = account == me || self.rules.allows(me, Right::Invite);
            if !may || self.seat(device).is_some() || wanted.devices.contains(device) {
                continue;
            }
            wanted.over.push(key_package.clone());
            let new = !self.seats.iter().any(|seat| seat.identity.address == *account);
            if new && *role <= mine && self.rules.allows(me, Right::SetRole) {
                wanted.rules.set_role(*account, *role);
            }
        }
    }
}
