//! Leading the way: what who has moved does for those who have not.
//!
//! Of each whom it hears in the old group it finds out where he is in the successor, and points the
//! successor out, brings him along, or tells him that he is out.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::core::Core;
use super::follow::{FRESH, IN_VAIN};
use super::group::Group;
use super::io::{EngineError, Event, Failure, Intent};
use super::migrate::FOUNDED;
use super::mls;
use super::plan::Wanted;
use super::records::{Following, IntentBody, IntentStatus, MovedRecord, Status};
use super::stay;
use super::talk::Matter;
use crate::policy::{Floor, Right, Role};
use crate::wire::{self, Kind, Leave, Note, Onward, Rejoin};
use crate::{Address, DeviceId, GroupId, Span, StateId, Time};

/// How long somebody's wish to follow is remembered.
const WISH: Span = Span::seconds(30);
/// After how many tries a Welcome is given up for one whom it has not led to the successor.
const TRIES: u16 = 2;
/// How often, of 256 times, who has the smaller name goes over to somebody of whom nothing is heard.
const YIELDS: u8 = 32;
/// The pauses between words to those who have not followed grow with the time since the move.
const PAUSE: u64 = 32;
/// How often who is alone in a successor hears those who have stayed before he goes back to them.
const BACK: u32 = 6;
/// For how many heartbeats who came into the successor late listens whether those who were there before say
/// that somebody is out, until he brings him along.
const LATECOMER: u64 = 4;
/// How much earlier or later it is looked again whether somebody has not followed.
const PAUSE_MORE: Span = Span::seconds(10);

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
    /// He is in a state of the old group.
    Stays,
    /// Up to which of his stays.
    Leaves(u64),
    /// A word that is for the successor, if it is his.
    LeavesSuccessor(Leave),
    Follows(Vec<u8>),
    /// He points to the successor that we are in.
    Points,
    /// He says that we are no member where he is.
    Refuses,
    /// He says so of another.
    RefusesAnother(DeviceId),
}

impl Straggler {
    /// Somebody who points to the successor that we are in.
    pub(super) fn who_points(device: DeviceId, under: StateId) -> Self {
        Self { device, under, ward: false, what: Heard::Points }
    }
}

/// Somebody who wants to be added to the successor.
pub(super) struct Follower {
    pub(super) until: Time,
    key_package: Vec<u8>,
    account: Address,
    /// What his account was in the old group.
    role: Role,
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

impl Group {
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
            let Some(leave) = wire::decode::<Leave>(payload) else { return Ok(()) };
            let device = leave.device;
            what = if self.is_own_word(core, &leave) {
                Heard::Leaves(leave.upto)
            } else {
                Heard::LeavesSuccessor(leave)
            };
            Some(device)
        } else {
            let Some((device, body)) = self.verify(core, kind, payload) else { return Ok(()) };
            match kind {
                Kind::Note => match wire::decode::<Note>(&body) {
                    Some(Note::Moved(onward)) => {
                        return self.told_of_successor(core, now, under, device, &onward);
                    }
                    Some(Note::NotAMember(whom)) if whom == core.me.identity.device => {
                        what = Heard::Refuses;
                    }
                    Some(Note::NotAMember(whom)) => what = Heard::RefusesAnother(whom),
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
                Kind::Beacon => what = Heard::Stays,
                Kind::Request => {}
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

    /// Whether the word of somebody that he leaves this group is his own.
    fn is_own_word(&self, core: &Core, leave: &Leave) -> bool {
        let (Ok(suite), Some(peer)) = (self.suite(), self.peers.get(&leave.device)) else {
            return false;
        };
        let (scheme, key) = (suite.signature_algorithm(), peer.signature_key.as_slice());
        stay::is_signed(&core.crypto, scheme, self.id, key, leave)
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

    /// Asks to be added to the successor, though we are in it: nobody else is where we are.
    fn ask_to_follow_again(
        &mut self,
        core: &mut Core,
        now: Time,
        moved: &MovedRecord,
    ) -> Result<(), EngineError> {
        let Ok(suite) = moved.suite.try_into() else { return Ok(()) };
        let Some(under) = self.states_to_speak_in(core)?.first().copied() else { return Ok(()) };
        let following = Following { to: moved.to, fork: 0, asked: 0 };
        self.record.following.get_or_insert(following);
        tracing::debug!(group = ?self.id, to = ?moved.to, ?under, "is alone in the successor");
        self.ask_to_follow(core, now, &under, suite)
    }

    /// Points out the successor to whoever may still be in some state of the old group.
    fn point_out_to_all(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heartbeat = self.heartbeat(core);
        let pause = Span(heartbeat.0.max(now.since(self.record.since).0 / PAUSE));
        self.next_beacon = core.soon(now + pause, Span(pause.0 / 4))?;
        for state in self.states_to_speak_in(core)? {
            self.point_out(core, now, &state)?;
        }
        Ok(())
    }

    /// The newest state, and one below it, sooner or later any.
    fn states_to_speak_in(&mut self, core: &Core) -> Result<BTreeSet<StateId>, EngineError> {
        let Some((top, newest)) = self.past.last_key_value() else { return Ok(BTreeSet::new()) };
        self.deep = self.deep % 8 + 1;
        let depth = 1 + u64::from_be_bytes(core.random()?) % (1_u64 << self.deep);
        let below = top.saturating_sub(depth);
        let deep = self.past.range(..=below).next_back().or(self.past.first_key_value());
        Ok([Some(newest.id), deep.map(|(_, past)| past.id)].into_iter().flatten().collect())
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
            (
                Heard::Anything | Heard::Stays,
                Place::Added | Place::Late | Place::Gone | Place::Unknown,
            ) if self.once_per(Matter::Stand(*under), now, retry) => {
                self.point_out(core, now, under)
            }
            // He came into both by another way, and does not know that one follows the other.
            (Heard::Stays, Place::There)
                if now.since(self.record.since) > self.heartbeat(core).times(FRESH)
                    && self.once_per(Matter::Stand(*under), now, retry) =>
            {
                self.point_out(core, now, under)
            }
            (Heard::Leaves(_), Place::Late | Place::Gone | Place::Unknown)
            | (Heard::Follows(_), Place::Gone)
                if self.once_per(Matter::NotAMember(*device), now, retry) =>
            {
                let note = Note::NotAMember(*device);
                self.say_under(core, now, under, Kind::Note, &note)
            }
            _ => Ok(()),
        }
    }

    /// Where a device of the group before this one is.
    pub(super) fn place_of(&self, moved: &MovedRecord, device: &DeviceId) -> Place {
        let heard = self.peers.get(device).is_some_and(|peer| peer.was_heard());
        match self.seat(device) {
            Some(_) if heard => Place::There,
            Some(_) => Place::Added,
            // What had added others may have been rolled back.
            None if heard || self.went(device) => Place::Gone,
            None if moved.late.contains(device) => Place::Late,
            None => Place::Unknown,
        }
    }

    /// Whether this device knows who came and went in this group since it was founded.
    fn knows_founding(&self) -> bool {
        let lowest = self.past.first_key_value();
        lowest.is_some_and(|(height, _)| *height <= FOUNDED)
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

    /// Somebody who has been brought along has left before, unless he has been invited since.
    pub(super) fn let_go(
        &mut self,
        core: &mut Core,
        now: Time,
        device: DeviceId,
        upto: u64,
    ) -> Result<(), EngineError> {
        let me = core.me.identity.address;
        let wanted = self.intents.values().any(|intent| {
            intent.intent == IntentBody::RemoveDevice(device) && intent.status == IntentStatus::Open
        });
        let seat = self.seat(&device).filter(|seat| !wanted && seat.stay <= Some(upto));
        let Some(seat) = seat else { return Ok(()) };
        let lower = self.rules.role(&seat.identity.address) < self.rules.role(&me);
        let own = seat.identity.address == me;
        if own || lower && self.rules.allows(&me, Right::Remove) {
            self.intend(core, now, Intent::RemoveDevice(device))?;
        }
        Ok(())
    }

    /// The move was for nothing: from now on this is a group that this device is out of, and where it asks
    /// whom it hears to be brought over. Nothing above the state in which it heard somebody counts.
    fn go_back(&mut self, core: &mut Core, now: Time, under: &StateId) -> Result<(), EngineError> {
        let Some(height) = self.height(under) else { return Ok(()) };
        self.forget_past(core, now, height, u64::MAX)?;
        (self.record.moved, self.record.following) = (None, None);
        (self.record.status, self.record.since, self.record.back) = (Status::Out, now, 1);
        self.rivals.clear();
        self.refused = 0;
        self.save(core)
    }

    /// Adds those who want to follow to a commit, with the roles that they had.
    pub(super) fn bring_followers(&self, core: &Core, wanted: &mut Wanted) {
        let me = &core.me.identity.address;
        let mine = self.rules.role(me);
        for (device, follower) in &self.followers {
            let Follower { account, role, key_package, .. } = follower;
            let may = account == me || self.rules.allows(me, Right::Invite);
            let here = self.seat(device).is_some() || wanted.devices.contains(device);
            // His account may have been put out since he asked.
            if !may || here || self.went(device) {
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

impl Engine {
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
        for one in stragglers.iter().filter(|one| matches!(one.what, Heard::Follows(_))) {
            group.asking.entry(one.device).or_insert(now);
        }
        let wait = group.heartbeat(&self.core).times(LATECOMER);
        let asking = group.asking.clone();
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
            let any = |one: &&Straggler| matches!(one.what, Heard::Anything | Heard::Stays);
            let heard = |one: &&Straggler| gone == Some(true) && any(one);
            self.with_group(now, old, |group, core| {
                for one in stragglers.iter().filter(heard) {
                    group.say_gone(core, now, &one.under, moved.stay, None)?;
                }
                group.next_beacon =
                    core.soon(now + group.heartbeat(core).times(PAUSE), PAUSE_MORE)?;
                Ok(())
            })?;
            return Ok(());
        };
        let parts = |one: &&Straggler| matches!(one.what, Heard::Refuses | Heard::Stays);
        if let Some(one) = stragglers.iter().find(parts)
            && self.give_up_alone(now, old, next, one)?
        {
            return Ok(());
        }
        let me = self.core.me.identity.device;
        let [rand] = self.core.random()?;
        let (places, late, missed, refused, alone) = self
            .with_group(now, next, |group, core| {
                // Who came later does not know who was put out before.
                let founded = group.knows_founding();
                let refused = stragglers.iter().filter(|one| group.seat(&one.device).is_some());
                let refused = refused.filter_map(|one| match one.what {
                    Heard::RefusesAnother(whom) if !founded => Some(whom),
                    _ => None,
                });
                let refused: BTreeSet<_> = refused.collect();
                let waits = |device: &DeviceId| {
                    !founded && asking.get(device).is_none_or(|since| now.since(*since) < wait)
                };
                let points = stragglers.iter().filter(|one| matches!(one.what, Heard::Points));
                let missed = points.filter(|one| group.misses(core, now, &one.device));
                let missed = missed.min_by_key(|one| one.device).map(|one| (one.under, one.device));
                let place = |device: &DeviceId| group.place_of(&moved, device);
                // Who came in by a state that was given up was not there when the group moved.
                let straggles = |one: &Straggler| match place(&one.device) {
                    Place::Unknown if one.ward => Place::Late,
                    Place::Unknown if went.contains(&one.device) => Place::Gone,
                    Place::Late if refused.contains(&one.device) || waits(&one.device) => {
                        Place::Unknown
                    }
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
                        Heard::Leaves(_) if *place == Place::Late => {
                            group.leave_behind(core, account)?;
                        }
                        Heard::Leaves(upto) if *place == Place::Added => {
                            group.let_go(core, now, one.device, *upto)?;
                        }
                        Heard::LeavesSuccessor(leave) => {
                            group.hear_leave(core, now, leave.clone())?;
                        }
                        _ => {}
                    }
                }
                // It may have been brought in by somebody who lies, where nobody else is.
                let alone = group.is_alone(core, now) && group.others(core).next().is_some();
                Ok((places, late, missed, refused, alone))
            })?
            .unwrap_or_default();
        self.with_group(now, old, |group, core| {
            if let Some(moved) = group.record.moved.as_mut().filter(|_| !refused.is_empty()) {
                moved.late.retain(|device| !refused.contains(device));
                group.save(core)?;
            }
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
            if beat && alone {
                group.ask_to_follow_again(core, now, &moved)?;
            }
            if beat && (late || !group.rivals.is_empty()) {
                group.point_out_to_all(core, now)?;
            } else if beat {
                group.next_beacon =
                    core.soon(now + group.heartbeat(core).times(PAUSE), PAUSE_MORE)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Who is alone in a successor gives it up in the end: if he is told that he is no member where the
    /// others went on, or if they have stayed where they were, and are protected there as well as here. Then
    /// he asks them to be brought back. Tells whether he has.
    fn give_up_alone(
        &mut self,
        now: Time,
        old: GroupId,
        next: GroupId,
        one: &Straggler,
    ) -> Result<bool, EngineError> {
        let alone = self.with_group(now, next, |group, core| {
            Ok((group.is_alone(core, now), Floor::kept_after(group.suite()?)))
        })?;
        let Some((alone, floor)) = alone else { return Ok(false) };
        let gives_up = self.with_group(now, old, |group, core| {
            if !alone {
                group.refused = 0;
                return Ok(false);
            }
            let (counts, most) = match one.what {
                Heard::Refuses => (group.record.following.is_some(), IN_VAIN),
                _ => (Floor::of(group.suite()?).covers(floor) && !one.ward, BACK),
            };
            if counts {
                group.count_refusal(core, now);
            }
            Ok(counts && group.refused > most)
        })?;
        if gives_up != Some(true) {
            return Ok(false);
        }
        tracing::debug!(group = ?next, before = ?old, "gives up a successor that nobody else is in");
        self.with_group(now, next, |group, core| {
            core.tell(Event::Out { group: next, by: None });
            group.go(core, now)
        })?;
        if matches!(one.what, Heard::Stays) {
            self.with_group(now, old, |group, core| group.go_back(core, now, &one.under))?;
        }
        Ok(true)
    }
}
