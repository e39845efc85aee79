//! Saying where one stands, and asking for what one lacks.

use super::core::Core;
use super::group::{Group, signed_text};
use super::heal::Told;
use super::io::{EngineError, Intent};
use super::past;
use crate::message::Delivery;
use crate::wire::{self, Beacon, Got, Kind, Note, Request, Signed};
use crate::{CommitHash, DeviceId, Span, StateId, Time};
use openmls_traits::crypto::OpenMlsCrypto;

/// How many messages one answer has.
pub(super) const MESSAGES: u64 = 32;
/// How many devices it acknowledges messages of.
const GOT: usize = 128;
/// Of how many members one answers first: the wait grows up to there.
const CROWD: u64 = 250;
/// How often a state that others are in is asked for before it is taken for a dead end.
const TRIES: u32 = 6;
/// How many things are remembered as asked for or answered.
pub(super) const MATTERS: usize = 1024;
/// For how many heartbeats the commits are waited for that lead to where others are.
const STUCK: u64 = 6;
/// How many heartbeats later one goes on from the own state again because of the same device.
const STUCK_AGAIN: u64 = 360;

/// How often this device says where it stands because somebody lacks what it said, in
/// [`Config::retry`](super::Config::retry).
const BEHIND: u64 = 4;

/// What can be asked for or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    Commits(StateId),
    /// Commits after a state, for a device that was still there.
    Left(StateId, DeviceId),
    /// Commits after a state that we know, on the way to one that others are in.
    Want(StateId, StateId),
    Commit(StateId),
    Tree(StateId),
    /// A binding, and a state under whose key it was asked for.
    Binding(DeviceId, StateId),
    Lacking(DeviceId),
    Messages(DeviceId),
    Message(u64),
    Rejoin,
    Leave,
    NotAMember(DeviceId),
    Stand(StateId),
    Chain(StateId),
    Stuck(DeviceId),
    Absent(DeviceId),
    Refused,
    Behind,
    /// A commit on a state that waits, though it is evidence.
    Evidence(StateId, CommitHash),
}

impl Group {
    /// Whether it is time to do something about a matter, at most once per `pause`.
    pub(super) fn once_per(&mut self, matter: Matter, now: Time, pause: Span) -> bool {
        if self.asked.len() > MATTERS {
            self.asked.clear();
        }
        let due = self.asked.get(&matter).is_none_or(|last| now.since(*last) >= pause);
        if due {
            self.asked.insert(matter, now);
        }
        due
    }

    /// How long the members wait with something that one of them is enough for.
    pub(super) fn crowd(&self) -> Span {
        Span::millis(40 * (self.seats.len() as u64).min(CROWD))
    }

    pub(super) fn acknowledge_soon(
        &mut self,
        core: &mut Core,
        now: Time,
    ) -> Result<(), EngineError> {
        let wait = core.config.acknowledge.times(1 + self.seats.len() as u64 / 16);
        let half = Span(wait.0 / 2);
        self.next_beacon = self.next_beacon.min(core.soon(now + half, half)?);
        Ok(())
    }

    /// Says where this device stands to those who know a state.
    pub(super) fn stand(
        &mut self,
        core: &mut Core,
        now: Time,
        key: &[u8; 32],
    ) -> Result<(), EngineError> {
        let known = self.past.values().find(|past| past.record.beacon == *key);
        let from = known.map_or(self.root().record.height, |past| past.record.height);
        self.tell_chain(core, now, key, from)
    }

    /// Tells of the chain from a height on.
    pub(super) fn tell_chain(
        &mut self,
        core: &mut Core,
        now: Time,
        key: &[u8; 32],
        from: u64,
    ) -> Result<(), EngineError> {
        let count = self.next_count(core)?;
        let got = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.upto > 0)
            .take(GOT)
            .map(|(device, peer)| Got { device: *device, upto: peer.upto })
            .collect();
        let window = u16::try_from(self.chain.len()).unwrap_or(u16::MAX);
        let chain = self.own_runs(from);
        let beacon = Beacon { count, sent: self.record.sent, window, chain, got };
        self.say(core, now, key, Kind::Beacon, &beacon)
    }

    /// Says where this device stands.
    pub(super) fn beacon(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heartbeat = self.heartbeat(core);
        self.next_beacon = core.soon(now + heartbeat, Span(heartbeat.0 / 4))?;
        if self.others(core).next().is_none() {
            return Ok(());
        }
        if !self.is_active() {
            return self.say_words(core, now, None);
        }
        for key in self.reach(core, now)? {
            self.stand(core, now, &key)?;
        }
        self.go_on_if_stuck(core, now)?;
        self.goes_back_alone(core, now)?;
        self.ask_absent(core, now)?;
        self.ask_where_parted(core, now)?;
        // Otherwise the next commit carries them.
        if self.rules.successor.is_some() && self.leavers(core).next().is_some() {
            self.say_words(core, now, None)?;
        }
        Ok(())
    }

    /// Goes on from the own state, if others say that they are beyond it and nobody can give the commits:
    /// who made them may have vanished, and who came in by them does not have them. That makes a split,
    /// which heals.
    fn go_on_if_stuck(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let tip = self.tip().id;
        let Some((_, _, device)) =
            self.stuck.filter(|(state, due, _)| *state == tip && *due <= now)
        else {
            return Ok(());
        };
        self.stuck = None;
        tracing::debug!(group = ?self.id, state = ?tip, ?device, "waits in vain for commits");
        // Who says so and lies is not listened to again for long.
        if self.once_per(Matter::Stuck(device), now, self.heartbeat(core).times(STUCK_AGAIN)) {
            self.intend(core, now, Intent::Rotate)?;
        }
        Ok(())
    }

    /// Who signed something, and what; nothing if it is nobody that is known, or not so.
    pub(super) fn verify(
        &self,
        core: &Core,
        kind: Kind,
        payload: &[u8],
    ) -> Option<(DeviceId, Vec<u8>)> {
        let signed: Signed = wire::decode(payload)?;
        let peer = self.peers.get(&signed.device)?;
        let suite: openmls_traits::types::Ciphersuite = self.record.suite.try_into().ok()?;
        let text = signed_text(kind, self.id, signed.body.as_slice());
        core.crypto
            .verify_signature(
                suite.signature_algorithm(),
                &text,
                peer.signature_key.as_slice(),
                signed.signature.as_slice(),
            )
            .ok()?;
        Some((signed.device, signed.body.as_slice().to_vec()))
    }

    /// Another is in this state.
    pub(super) fn heard(
        &mut self,
        core: &mut Core,
        now: Time,
        device: &DeviceId,
        tip: &StateId,
    ) -> Result<(), EngineError> {
        self.heard_at = now;
        let place = self.place(tip);
        let before = self.peers.get(device).and_then(|peer| peer.heard);
        let before = before.and_then(|state| self.place(&state));
        // What he said before he went and came in again may arrive only now.
        let former = self.height(tip) < self.came_at(device).filter(|_| self.height(tip).is_some());
        let Some(peer) = self.peers.get_mut(device).filter(|_| !former) else { return Ok(()) };
        peer.heard_at = now;
        if place.is_some() && place > before {
            peer.heard = Some(*tip);
            self.save_peer(core, device)?;
            self.welcome_done(core, device)?;
            return self.finalize(core, now);
        }
        Ok(())
    }

    /// Another is in a state that may not be known here.
    pub(super) fn hint(&mut self, core: &Core, now: Time, tip: &StateId) {
        if self.knows(tip) {
            return;
        }
        let due = self.in_flight(core, now);
        match self.behind {
            Some((state, ..)) if state == *tip => {}
            Some((_, before, _)) => self.behind = Some((*tip, due.min(before), 0)),
            None => self.behind = Some((*tip, due, 0)),
        }
    }

    /// Whether a state is or was on the chain.
    pub(super) fn knows(&self, state: &StateId) -> bool {
        self.height(state).is_some() || self.chain.iter().any(|known| known.id == *state)
    }

    /// Until when a commit may be on its way, though what was said after it is here: it is longer than that.
    fn in_flight(&self, core: &Core, now: Time) -> Time {
        now + Span(core.config.retry.0 / 2)
    }

    pub(super) fn take_beacon(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some((device, body)) = self.verify(core, Kind::Beacon, payload) else { return Ok(()) };
        let Some(beacon) = wire::decode::<Beacon>(&body) else { return Ok(()) };
        let Some(chain) = past::places(&beacon.chain) else { return Ok(()) };
        let Some((_, tip)) = chain.last().copied() else { return Ok(()) };
        let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
        if beacon.count <= peer.count {
            return Ok(());
        }
        peer.count = beacon.count;
        peer.sent = peer.sent.max(beacon.sent);
        let (me, floor) = (core.me.identity.device, peer.floor);
        let got = beacon.got.iter().find(|got| got.device == me).map(|got| got.upto);
        if let Some(upto) = got
            && upto > peer.acked
        {
            peer.acked = upto.min(self.record.sent);
            self.tell_delivery(core)?;
        }
        // Who has not got what this device said asks when it knows of it.
        let untold = if beacon.got.len() < GOT { 0 } else { u64::MAX };
        let behind = got.unwrap_or(untold).max(floor) < self.record.sent;
        self.save_peer(core, &device)?;
        if behind && self.once_per(Matter::Behind, now, core.config.retry.times(BEHIND)) {
            self.acknowledge_soon(core, now)?;
        }
        self.heard(core, now, &device, &tip)?;
        let window = chain.len().saturating_sub(usize::from(beacon.window));
        self.take_chain(core, now, device, Told { at: now, under, chain: chain.clone(), window });
        self.learn_where_parted(core, now, device, &chain)?;
        self.ask_for_messages(core, now, &device)?;

        let mine = self.tip().id;
        if tip == mine {
            return Ok(());
        }
        let arrived = self.in_flight(core, now);
        if self.height(&tip).is_some() {
            let due = core.soon(arrived, self.crowd())?;
            self.answer_at(Matter::Left(tip, device), due);
            return Ok(());
        }
        if chain.iter().any(|(_, state)| *state == mine) {
            if self.stuck.is_none_or(|(state, ..)| state != mine) {
                let heartbeat = self.heartbeat(core);
                let due = core.soon(now + heartbeat.times(STUCK), heartbeat.times(STUCK / 2))?;
                self.stuck = Some((mine, due, device));
            }
            self.hint(core, now, &tip);
            return Ok(());
        }
        // Each has what the other has not.
        let place = chain.iter().rposition(|(_, state)| self.height(state).is_some());
        let common = place.map_or(under, |place| chain[place].1);
        let theirs = place.is_some_and(|place| place >= window);
        let ours = self.place(&common).is_some();
        if ours {
            self.answer_at(Matter::Want(common, tip), arrived);
        }
        if theirs {
            let due = core.soon(arrived, self.crowd())?;
            self.answer_at(Matter::Left(common, device), due);
        }
        if !ours || !theirs {
            self.suspect_split(core, now, common);
            // The other side can read what is under the key that it used.
            if self.once_per(Matter::Stand(under), now, core.config.heartbeat) {
                let key = self.beacon_key(&under);
                self.stand(core, now, &key)?;
            }
        }
        Ok(())
    }

    pub(super) fn ask_for_commits(
        &mut self,
        core: &mut Core,
        now: Time,
        after: StateId,
    ) -> Result<(), EngineError> {
        if self.once_per(Matter::Commits(after), now, core.config.retry) {
            self.ask(core, now, after, &Request::Commits(after))?;
        }
        Ok(())
    }

    /// Asks under the key of a state that those who answer know.
    pub(super) fn ask(
        &self,
        core: &mut Core,
        now: Time,
        state: StateId,
        request: &Request,
    ) -> Result<(), EngineError> {
        let key = self.beacon_key(&state);
        self.say(core, now, &key, Kind::Request, request)
    }

    /// The beacon key of a state, or of the newest final one if it is not known.
    pub(super) fn beacon_key(&self, state: &StateId) -> [u8; 32] {
        let past = self.past.values().rev().find(|past| past.id == *state);
        let ward = self.wards.get(state);
        past.map(|past| past.record.beacon)
            .or(ward.map(|ward| ward.beacon))
            .unwrap_or_else(|| self.root().record.keys.beacon)
    }

    fn ask_for_messages(
        &mut self,
        core: &mut Core,
        now: Time,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let Some(peer) = self.peers.get(device) else { return Ok(()) };
        if peer.upto >= peer.sent || self.seat(device).is_none() {
            return Ok(());
        }
        let from = peer.upto.saturating_add(1);
        let to = peer.sent.min(peer.upto.saturating_add(MESSAGES));
        if self.once_per(Matter::Messages(*device), now, core.config.retry) {
            let root = self.root().id;
            self.ask(core, now, root, &Request::Messages(*device, from, to))?;
        }
        Ok(())
    }

    pub(super) fn take_note(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some((device, body)) = self.verify(core, Kind::Note, payload) else { return Ok(()) };
        let me = core.me.identity.device;
        match wire::decode::<Note>(&body) {
            Some(Note::Floor(whom, floor)) if whom == me => {
                let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
                peer.upto = peer.upto.max(floor.min(peer.sent));
                settle_numbers(&mut peer.upto, &mut peer.beyond);
                self.save_peer(core, &device)?;
                self.ask_for_messages(core, now, &device)
            }
            Some(Note::NotAMember(whom)) if whom == me => {
                self.not_a_member(core, now, &under, &device)
            }
            Some(Note::GivenUp(state)) if state == under => {
                self.told_given_up(core, now, device, state)
            }
            Some(Note::Moved(onward)) => self.told_of_successor(core, now, under, device, &onward),
            _ => Ok(()),
        }
    }

    /// Asks for what is lacking: the bindings of members, and the states that others are in.
    pub(super) fn lack(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        if self.parked_due().is_some_and(|due| due <= now) {
            self.retry_parked(core, now)?;
            self.ask_for_parked(core, now)?;
        }
        if let Some((state, due, tries)) = self.behind
            && due <= now
        {
            self.behind = None;
            if self.height(&state).is_none() && tries < TRIES {
                let wait = core.config.retry.times(1 << tries);
                self.behind = Some((state, now + wait, tries + 1));
                let mine = self.tip().id;
                self.ask_for_commits(core, now, mine)?;
            }
        }
        Ok(())
    }

    fn tell_delivery(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let others: Vec<_> = self.others(core).map(|seat| seat.identity.device).collect();
        let acked: Vec<_> = others
            .iter()
            .filter_map(|device| self.peers.get(device))
            .map(|peer| peer.acked.max(peer.floor))
            .collect();
        let of = u32::try_from(others.len()).unwrap_or(u32::MAX);
        for number in self.record.sent.saturating_sub(MESSAGES) + 1..=self.record.sent {
            let devices = acked.iter().filter(|acked| **acked >= number).count();
            let devices = u32::try_from(devices).unwrap_or(u32::MAX);
            if devices > 0 {
                self.delivered(core, number, Delivery::Reached { devices, of })?;
            }
        }
        Ok(())
    }
}

/// Moves what is without a gap from `beyond` into `upto`.
pub(super) fn settle_numbers(upto: &mut u64, beyond: &mut Vec<u64>) {
    beyond.sort_unstable();
    beyond.dedup();
    while beyond.first().is_some_and(|first| *first <= upto.saturating_add(1)) {
        *upto = (*upto).max(beyond.remove(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_settle_up_to_the_first_gap() {
        let (mut upto, mut beyond) = (3, vec![9, 5, 4, 2, 7, 5]);
        settle_numbers(&mut upto, &mut beyond);
        assert_eq!((upto, beyond), (5, vec![7, 9]));
        // Somebody may lie.
        let (mut upto, mut beyond) = (u64::MAX, vec![1, u64::MAX]);
        settle_numbers(&mut upto, &mut beyond);
        assert_eq!((upto, beyond), (u64::MAX, vec![]));
    }
}
