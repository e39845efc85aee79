//! Leaving: a word that outlives the side of a split on which it was said.
//!
//! Who wants to leave says so until he is out, under keys that both sides of a split know. Whoever
//! hears it removes the leaf in his next commit. The word is kept after that: when a commit with it is
//! rolled back, or its side of a split goes over to the other, the leaf goes again.

use super::core::Core;
use super::group::Group;
use super::io::EngineError;
use super::records::LeaveRecord;
use super::stay;
use super::talk::Matter;
use crate::store::Space;
use crate::wire::{self, Kind, Leave, Note};
use crate::{DeviceId, Span, StateId, Stay, Time};

/// How many words of a group are kept, and how many of one device; the oldest goes.
const WORDS: usize = 256;
const OF_ONE: usize = 4;

impl Group {
    /// Tells the others that this device leaves, now and then until it is out.
    pub(super) fn say_leave(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let retry = core.config.retry.times(2);
        self.plan_at(now + retry);
        if !self.once_per(Matter::Leave, now, Span(retry.0 / 2)) {
            return Ok(());
        }
        let me = core.me.identity.device;
        let Some(stay) = self.seat(&me).and_then(|seat| seat.stay) else { return Ok(()) };
        let leaf = self.leaf(core, now)?;
        let leave = stay::end(&leaf.signer, self.id, stay)?;
        self.say_words(core, now, Some(leave))
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
        let others = self.leaves.values().filter(|record| open(&record.device));
        let words: Vec<_> =
            others.map(|record| &record.leave).chain(&own).map(wire::encode).collect();
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
        let scheme = self.suite()?.signature_algorithm();
        let leaver = stay::leaver(&core.crypto, scheme, self.id, &self.seats, &leave);
        if let Some(device) = leaver.map(|seat| seat.identity.device) {
            if device != core.me.identity.device && !self.has_word(&device, &leave.stay) {
                self.keep_leave(core, now, device, leave)?;
                self.next_plan = Some(now);
            }
            return Ok(());
        }
        // He is not here any more, and may not have heard of it. Or not yet: what brought him in may
        // have been rolled back, and come again.
        let gone = self.peers.iter().find(|(_, peer)| {
            let key = peer.signature_key.as_slice();
            stay::is_of(&core.crypto, scheme, self.id, key, &leave)
        });
        match gone.map(|(device, _)| *device) {
            Some(device) if self.seat(&device).is_none() => {
                // One who has gone may name the stay of another: that is no word of the other's.
                let others = self.seats.iter().any(|seat| seat.stay == Some(leave.stay));
                if !others && !self.has_word(&device, &leave.stay) {
                    self.keep_leave(core, now, device, leave)?;
                }
                self.say_not_a_member(core, now, &under, device)
            }
            _ => Ok(()),
        }
    }

    /// Keeps a word of which it is known whose it is.
    pub(super) fn keep_leave(
        &mut self,
        core: &mut Core,
        now: Time,
        device: DeviceId,
        leave: Leave,
    ) -> Result<(), EngineError> {
        let stay = leave.stay;
        let record = LeaveRecord { heard: now, device, leave };
        core.store.put(Space::Leave, &self.id.0, &stay.0, &wire::encode(&record))?;
        self.leaves.insert(stay, record);
        self.limit_leaves(core, OF_ONE, |record| record.device == device)?;
        self.limit_leaves(core, WORDS, |_| true)
    }

    fn limit_leaves(
        &mut self,
        core: &mut Core,
        limit: usize,
        among: impl Fn(&LeaveRecord) -> bool,
    ) -> Result<(), EngineError> {
        let mut words: Vec<_> = self
            .leaves
            .iter()
            .filter(|(_, record)| among(record))
            .map(|(stay, record)| (record.heard, *stay))
            .collect();
        words.sort_unstable();
        for (_, stay) in words.iter().take(words.len().saturating_sub(limit)) {
            self.leaves.remove(stay);
            core.store.delete(Space::Leave, &self.id.0, &stay.0)?;
        }
        Ok(())
    }

    /// The words of members, with their leaves.
    pub(super) fn leavers(&self, core: &Core) -> Vec<(u32, Stay)> {
        self.others(core)
            .filter_map(|seat| Some((seat, seat.stay?)))
            .filter(|(seat, stay)| self.has_word(&seat.identity.device, stay))
            .map(|(seat, stay)| (seat.leaf, stay))
            .collect()
    }

    /// Whether a device has said that it ends a stay.
    pub(super) fn has_word(&self, device: &DeviceId, stay: &Stay) -> bool {
        self.leaves.get(stay).is_some_and(|record| record.device == *device)
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
        let key = self.beacon_key(under);
        self.say(core, now, &key, Kind::Note, &Note::NotAMember(device))
    }
}
