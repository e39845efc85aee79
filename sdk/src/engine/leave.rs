//! Leaving: a word that outlives the side of a split on which it was said.
//!
//! Who wants to leave says so until he is out, under keys that both sides of a split know. Whoever
//! hears it removes the leaf in his next commit. The word is kept after that: when a commit with it is
//! rolled back, or its side of a split goes over to the other, the leaf goes again.

use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Output};
use super::mls::Seat;
use super::past;
use super::records::{IntentBody, IntentStatus, LeaveRecord, Status};
use super::stay;
use super::talk::Matter;
use crate::store::Space;
use crate::wire::{self, Beacon, Kind, Leave, Note, Onward, Opened, Request};
use crate::{DeviceId, Span, StateId, Time};

/// How many words of a group are kept, one of each device; the oldest goes.
const WORDS: usize = 256;
/// For how long who is out listens to whether somebody takes him for a member.
const LINGER: Span = Span::seconds(7 * 24 * 3600);
/// The pauses between its questions grow with the time since it went out.
const PAUSE: u64 = 32;

impl Group {
    /// Tells the others that this device leaves, now and then until it is out.
    pub(super) fn say_leave(
        &mut self,
        core: &mut Core,
        now: Time,
        upto: u64,
    ) -> Result<(), EngineError> {
        let retry = core.config.retry.times(2);
        self.plan_at(now + retry);
        if !self.once_per(Matter::Leave, now, Span(retry.0 / 2)) {
            return Ok(());
        }
        let upto = upto.max(self.end_this_stay(core)?);
        let leave = stay::end(&self.leaf(core, now)?, self.id, upto)?;
        self.say_words(core, now, Some(leave))
    }

    /// Who has been brought along after saying that it leaves does so all the same: tells which stay it
    /// ends.
    pub(super) fn end_this_stay(&mut self, core: &mut Core) -> Result<u64, EngineError> {
        let seat = self.seat(&core.me.identity.device).and_then(|seat| seat.stay).unwrap_or(0);
        let mut raised = Vec::new();
        for (id, intent) in &mut self.intents {
            match &mut intent.intent {
                IntentBody::Leave(upto) if *upto < seat && intent.status == IntentStatus::Open => {
                    *upto = seat;
                    raised.push(*id);
                }
                _ => {}
            }
        }
        for id in raised {
            self.save_intent(core, &id)?;
        }
        Ok(seat)
    }

    /// Passes on the words of those who leave, to whoever can do something about it: this device
    /// leaves too, or is out.
    pub(super) fn say_words(
        &mut self,
        core: &mut Core,
        now: Time,
        own: Option<Leave>,
    ) -> Result<(), EngineError> {
        let (topic, tip) = (self.record.topic, self.tip().id);
        // Who has gone on this side of a split may be a member on another.
        let members = self.members_at(self.fork_height());
        let open = |device| members.contains(device) || self.seat(device).is_some();
        let others = self.leaves.iter().filter(|(device, _)| open(device)).map(|(_, word)| word);
        let words: Vec<_> = others.map(|word| &word.leave).chain(&own).map(wire::encode).collect();
        if words.is_empty() {
            return Ok(());
        }
        for key in self.reach(core, now)? {
            for word in &words {
                for envelope in core.seal(&key, &topic, tip, Kind::Leave, word)? {
                    core.publish(topic, envelope);
                }
            }
        }
        Ok(())
    }

    /// Somebody leaves, or has left on another side of a split.
    pub(super) fn take_leave(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some(leave) = wire::decode::<Leave>(payload) else { return Ok(()) };
        if !self.is_active() {
            return Ok(());
        }
        let device = leave.device;
        if !self.hear_leave(core, now, leave)? {
            return Ok(());
        }
        // He is not here any more, and may not have heard of it. Or not yet: what brought him in may
        // have been rolled back, and come again.
        if self.seat(&device).is_none() {
            self.say_not_a_member(core, now, &under, device)?;
        }
        Ok(())
    }

    /// A word of somebody else's; tells whether it is his own.
    pub(super) fn hear_leave(
        &mut self,
        core: &mut Core,
        now: Time,
        leave: Leave,
    ) -> Result<bool, EngineError> {
        let device = leave.device;
        let Some(peer) = self.peers.get(&device).filter(|_| device != core.me.identity.device)
        else {
            return Ok(false);
        };
        let scheme = self.suite()?.signature_algorithm();
        let key = peer.signature_key.as_slice();
        let own = stay::is_signed(&core.crypto, scheme, self.id, key, &leave);
        if own && self.keep_leave(core, now, leave)? {
            self.next_plan = Some(now);
        }
        Ok(own)
    }

    /// Keeps a word of which it is known whose it is; tells whether it says more than one before.
    pub(super) fn keep_leave(
        &mut self,
        core: &mut Core,
        now: Time,
        leave: Leave,
    ) -> Result<bool, EngineError> {
        let device = leave.device;
        if self.leaves.get(&device).is_some_and(|word| word.leave.upto >= leave.upto) {
            return Ok(false);
        }
        tracing::debug!(group = ?self.id, ?device, upto = leave.upto, "somebody leaves");
        let record = LeaveRecord { heard: now, leave };
        core.store.put(Space::Leave, &self.id.0, &device.0, &wire::encode(&record))?;
        self.leaves.insert(device, record);
        while self.leaves.len() > WORDS {
            let oldest = self.leaves.iter().min_by_key(|(device, word)| (word.heard, **device));
            let Some(oldest) = oldest.map(|(device, _)| *device) else { break };
            self.leaves.remove(&oldest);
            core.store.delete(Space::Leave, &self.id.0, &oldest.0)?;
        }
        Ok(true)
    }

    /// Whether a member has said that it leaves.
    pub(super) fn leaves(&self, seat: &Seat) -> bool {
        let word = self.leaves.get(&seat.identity.device);
        word.is_some_and(|word| stay::ends(&word.leave, seat))
    }

    /// The other members that leave.
    pub(super) fn leavers(&self, core: &Core) -> impl Iterator<Item = &Seat> {
        self.others(core).filter(|seat| self.leaves(seat))
    }

    /// Something in a group that this device is out of. Those who removed it may have vanished before
    /// anybody else heard of it, or be on a side of a split that was given up. If it had left, it says so
    /// again to whom it does not know to have heard; if not, it asks to be brought over.
    pub(super) fn take_when_out(
        &mut self,
        core: &mut Core,
        now: Time,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let topic = self.record.topic;
        let past = self.past.values().rev().map(|past| (past.id, &past.record.beacon));
        // Who is out by the word of others alone may have given up the side that is kept.
        let given_up = self.wards.iter().filter(|_| !self.refusers.is_empty());
        let mut known = past.chain(given_up.map(|(state, ward)| (*state, &ward.beacon)));
        let opened = known.find_map(|(state, beacon)| {
            Some((state, wire::open(&core.crypto, beacon, &topic, bytes)?))
        });
        let Some((under, Opened { kind, payload, .. })) = opened else { return Ok(()) };
        if !matches!(kind, Kind::Beacon | Kind::Request | Kind::Rejoin | Kind::Note) {
            return Ok(());
        }
        let Some((device, body)) = self.verify(core, kind, &payload) else { return Ok(()) };
        self.answer_joiner(core, now, &device, kind, &body)?;
        let me = core.me.identity.device;
        if kind == Kind::Note
            && let Some(Note::NotAMember(whom)) = wire::decode(&body)
        {
            if whom == me && !self.refusers.contains_key(&device) {
                self.aware.insert(device);
            }
            return Ok(());
        }
        if self.aware.contains(&device) {
            return Ok(());
        }
        if let Some(stay) = self.left_upto() {
            let onward = match wire::decode::<Note>(&body).filter(|_| kind == Kind::Note) {
                Some(Note::Moved(onward)) => Some(onward),
                _ => None,
            };
            return self.say_gone(core, now, &under, stay, onward.as_ref());
        }
        let pause = Span(self.heartbeat(core).0.max(now.since(self.record.since).0 / PAUSE));
        if !self.refusers.is_empty() {
            return self.take_from_refuser(core, now, under, (device, kind), &body);
        }
        if !self.once_per(Matter::Stand(under), now, pause) {
            return Ok(());
        }
        match kind {
            Kind::Beacon => {
                let chain = wire::decode::<Beacon>(&body).and_then(|b| past::places(&b.chain));
                // Who is not beyond the last state that we were in may yet hear how we went out.
                let newest = self.past.last_key_value().map(|(height, _)| *height);
                let tip = chain.and_then(|chain| chain.last().copied());
                let beyond = |height: u64| self.record.back == 1 || Some(height) > newest;
                match tip.filter(|(height, _)| beyond(*height)) {
                    Some((_, tip)) => self.ask_to_come_over(core, now, under, vec![tip]),
                    None => Ok(()),
                }
            }
            Kind::Note => match wire::decode::<Note>(&body) {
                Some(Note::Moved(onward)) => match onward.suite.try_into() {
                    Ok(suite) if self.takes(core, suite)? => {
                        self.ask_to_follow(core, now, &under, suite)
                    }
                    _ => Ok(()),
                },
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Something that a member says of whom this device had the word that it is out. If he has gone over to
    /// others since, it may be a member there, and asks to be brought over.
    fn take_from_refuser(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        (device, kind): (DeviceId, Kind),
        body: &[u8],
    ) -> Result<(), EngineError> {
        let beacon = wire::decode::<Beacon>(body).filter(|_| kind == Kind::Beacon);
        let Some(chain) = beacon.and_then(|beacon| past::places(&beacon.chain)) else {
            return Ok(());
        };
        let Some(then) = self.refusers.get(&device).filter(|then| went_over(&chain, then)) else {
            return Ok(());
        };
        tracing::debug!(group = ?self.id, ?device, ?then, "who said that it is out has gone over");
        match chain.last().copied() {
            Some((_, tip)) => self.ask_to_come_over(core, now, under, vec![tip]),
            None => Ok(()),
        }
    }

    /// Somebody whom this device had brought in asks for the ratchet tree, or is there.
    fn answer_joiner(
        &mut self,
        core: &mut Core,
        now: Time,
        device: &DeviceId,
        kind: Kind,
        body: &[u8],
    ) -> Result<(), EngineError> {
        if let (Kind::Request, Some(Request::Tree(state))) = (kind, wire::decode(body)) {
            self.answer_tree(core, now, state)
        } else if kind == Kind::Beacon {
            self.drop_welcome(core, device)
        } else {
            Ok(())
        }
    }

    /// Tells those who know a state that this device is in the group no longer; nor in the successor that
    /// they have pointed out, where it may have been brought along before they heard of it.
    pub(super) fn say_gone(
        &mut self,
        core: &mut Core,
        now: Time,
        under: &StateId,
        stay: u64,
        onward: Option<&Onward>,
    ) -> Result<(), EngineError> {
        if !self.past.values().any(|past| past.id == *under)
            || !self.once_per(Matter::Leave, now, self.heartbeat(core))
        {
            return Ok(());
        }
        tracing::debug!(group = ?self.id, ?under, stay, "says that it has left");
        let mut words = vec![stay::end(&self.leaf(core, now)?, self.id, stay)?];
        // In a group that it knows it says so itself.
        if let Some(Onward { to, suite, .. }) = onward
            && core.store.get(Space::Group, &[], &to.0)?.is_none()
            && let Ok(leaf) = core.leaf((*suite).try_into().map_err(|_| EngineError::Suite)?, now)
        {
            words.push(stay::end(&leaf, *to, stay)?);
        }
        let (key, topic) = (self.beacon_key(under), self.record.topic);
        for word in words {
            for envelope in
                core.seal(&key, &topic, self.record.tip, Kind::Leave, &wire::encode(&word))?
            {
                core.publish(topic, envelope);
            }
        }
        Ok(())
    }

    /// Until when this device listens to a group that it is out of.
    pub(super) fn lingers(&self) -> Option<Time> {
        let lingers = self.record.status == Status::Out && !self.past.is_empty();
        lingers.then(|| self.record.since + LINGER)
    }

    /// Listens no longer to a group that this device is out of.
    pub(super) fn fall_silent(&mut self, core: &mut Core) -> Result<(), EngineError> {
        self.past.clear();
        self.wards.clear();
        self.welcomes.clear();
        for space in [Space::BeaconKey, Space::Ward, Space::Welcome] {
            core.store.delete_scope(space, &self.id.0)?;
        }
        core.outputs.push(Output::Unsubscribe(self.record.topic));
        Ok(())
    }

    /// Tells a device that it is not a member here.
    pub(super) fn say_not_a_member(
        &mut self,
        core: &mut Core,
        now: Time,
        under: &StateId,
        device: DeviceId,
    ) -> Result<(), EngineError> {
        if !self.once_per(Matter::NotAMember(device), now, core.config.retry) {
            return Ok(());
        }
        tracing::debug!(group = ?self.id, ?device, "tells somebody that he is no member");
        let key = self.beacon_key(under);
        self.say(core, now, &key, Kind::Note, &Note::NotAMember(device))
    }
}

/// Whether a chain is not that on which a state was at a height; where it does not say, it may be.
fn went_over(chain: &past::Places, (height, state): &(u64, StateId)) -> bool {
    let covers = chain.first().is_some_and(|(first, _)| first <= height)
        && chain.last().is_some_and(|(last, _)| last >= height);
    covers && !chain.contains(&(*height, *state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_on_another_chain_than_he_was_has_gone_over() {
        let chain: past::Places =
            [(3, 1), (4, 2), (7, 3)].map(|(height, state)| (height, StateId([state; 16]))).into();
        let went = |height, state| went_over(&chain, &(height, StateId([state; 16])));
        assert!(went(4, 9) && went(3, 2));
        // Nobody who comes over remembers the states between.
        assert!(went(5, 9));
        assert!(!went(3, 1) && !went(4, 2) && !went(7, 3));
        // Of what is below or above nothing is said.
        assert!(!went(2, 9) && !went(8, 9));
    }
}
