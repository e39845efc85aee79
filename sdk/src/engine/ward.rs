//! Those who were brought into a state that is not on the chain any more.
//!
//! Who came in there knows no state of before, and nobody is left who knows his. So whoever goes back
//! from such a state, or over to another side, keeps its beacon key for a while, and tells whom it
//! hears under it. He believes who brought him in, or most of those who were there with him, and asks
//! to be brought over.

use std::collections::BTreeSet;

use super::core::Core;
use super::group::{Group, State};
use super::heal::{IN_VAIN, Split};
use super::io::EngineError;
use super::past::brings_in;
use super::records::WardRecord;
use super::talk::Matter;
use crate::store::Space;
use crate::wire::{self, Kind, Note, Opened};
use crate::{DeviceId, StateId, Time};

/// How many such states of a group are remembered; the oldest goes.
const WARDS: usize = 16;
/// For how many heartbeats who is alone and has heard another in a state that was given up here waits before he
/// goes back to it.
const ALONE: u32 = 5;

impl Group {
    /// Remembers a state that is given up, if somebody came in by it.
    pub(super) fn keep_ward(
        &mut self,
        core: &mut Core,
        now: Time,
        state: &State,
    ) -> Result<(), EngineError> {
        if state.record.inside == 1 && brings_in(state) {
            self.remember_ward(core, now, state.id, state.record.keys.beacon)?;
        }
        Ok(())
    }

    pub(super) fn remember_ward(
        &mut self,
        core: &mut Core,
        now: Time,
        state: StateId,
        beacon: [u8; 32],
    ) -> Result<(), EngineError> {
        tracing::debug!(group = ?self.id, ?state, "keeps the key of a state that it gives up");
        let record = WardRecord { since: now, beacon };
        core.store.put(Space::Ward, &self.id.0, &state.0, &wire::encode(&record))?;
        self.wards.insert(state, record);
        while self.wards.len() > WARDS {
            let oldest = self.wards.iter().min_by_key(|(id, ward)| (ward.since, **id));
            let Some(oldest) = oldest.map(|(id, _)| *id) else { break };
            self.wards.remove(&oldest);
            core.store.delete(Space::Ward, &self.id.0, &oldest.0)?;
        }
        Ok(())
    }

    /// An envelope under the key of a state that was given up; tells whether it is one.
    pub(super) fn take_if_ward(
        &mut self,
        core: &mut Core,
        now: Time,
        bytes: &[u8],
    ) -> Result<bool, EngineError> {
        let topic = self.record.topic;
        let wards = self.wards.iter();
        let mut opened = wards.filter_map(|(state, ward)| {
            Some((*state, wire::open(&core.crypto, &ward.beacon, &topic, bytes)?))
        });
        match opened.next() {
            Some((state, opened)) => self.take_ward(core, now, state, opened).map(|()| true),
            None => Ok(false),
        }
    }

    fn take_ward(
        &mut self,
        core: &mut Core,
        now: Time,
        state: StateId,
        opened: Opened,
    ) -> Result<(), EngineError> {
        let Opened { kind, tip, payload } = opened;
        tracing::debug!(group = ?self.id, ?state, ?kind, "hears somebody in a state that was given up");
        match kind {
            Kind::Part => {
                let Some(part) = wire::decode::<wire::Part>(&payload) else { return Ok(()) };
                let name = part.whole;
                match self.parts.add(part) {
                    Some((kind, payload)) if kind != Kind::Part && core.hash(&payload) == name => {
                        self.take_ward(core, now, state, Opened { kind, tip, payload })
                    }
                    _ => Ok(()),
                }
            }
            _ if self.has_moved() => self.take_after_move(core, now, state, kind, &payload),
            Kind::Rejoin if self.is_active() => self.take_rejoin(core, now, state, &payload),
            // Soon this device is a member again, and can take care of him.
            Kind::Rejoin if self.comes_over(core) => Ok(()),
            // Who is out by the word of others does not know of whom else they would say so.
            Kind::Rejoin if !self.refusers.is_empty() => Ok(()),
            Kind::Rejoin => match self.verify(core, kind, &payload) {
                Some((device, _)) => self.say_not_a_member(core, now, &state, device),
                None => Ok(()),
            },
            Kind::Leave => self.take_leave(core, now, state, &payload),
            // He is on our side, and has only said it under the key of a state that we do not have here: we
            // came into a later one.
            Kind::Beacon | Kind::Request if self.knows(&tip) => Ok(()),
            Kind::Beacon | Kind::Request => {
                let Some((device, _)) = self.verify(core, kind, &payload) else { return Ok(()) };
                self.elsewhere = Some((state, device));
                if self.goes_back_alone(core, now)? {
                    return Ok(());
                }
                if self.once_per(Matter::Stand(state), now, core.config.heartbeat) {
                    let key = self.beacon_key(&state);
                    self.say(core, now, &key, Kind::Note, &Note::GivenUp(state))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// If this device is the last on its side, and hears of a member only in a state that was given up
    /// here, it asks for the way back to that in the end, of two such the one with the smaller name first.
    /// Tells whether it has.
    pub(super) fn goes_back_alone(
        &mut self,
        core: &mut Core,
        now: Time,
    ) -> Result<bool, EngineError> {
        let Some((state, device)) = self.elsewhere else { return Ok(false) };
        let lonely = self.is_active() && self.seat(&device).is_some() && self.is_alone(core, now);
        if !lonely || !self.wards.contains_key(&state) {
            self.elsewhere = None;
            return Ok(false);
        }
        self.count_refusal(core, now);
        let first = core.me.identity.device < device;
        if self.refused <= if first { ALONE } else { ALONE * 2 } {
            return Ok(false);
        }
        let next = now + self.heartbeat(core);
        self.split = Some(Split { common: state, over: Some(state), next });
        self.ask_to_come_over(core, now, state, vec![state])?;
        Ok(true)
    }

    /// A device says that those who were in a state are not any more.
    pub(super) fn told_given_up(
        &mut self,
        core: &mut Core,
        now: Time,
        device: DeviceId,
        state: StateId,
    ) -> Result<(), EngineError> {
        if !self.is_active() {
            return Ok(());
        }
        // Who knows a state of before finds the others by that, unless it may not be on this side.
        let above = self.record.doubt.map_or(0, |top| top + 1);
        let mut lowest = [0, above].into_iter().filter_map(|from| self.past.range(from..).next());
        let is_lowest = lowest.any(|(_, past)| past.id == state);
        let height = self.height(&state).filter(|height| is_lowest || *height >= above);
        let Some(height) = height else { return Ok(()) };
        self.given_up.retain(|(other, _)| self.past.values().any(|past| past.id == *other));
        self.given_up.insert((state, device));
        let members = self.members_at(height);
        let tellers = self.given_up.iter();
        let tellers: BTreeSet<_> = tellers
            .filter(|(other, device)| *other == state && members.contains(device))
            .map(|(_, device)| *device)
            .collect();
        tracing::debug!(group = ?self.id, ?device, ?state, tellers = tellers.len(), members = members.len(), "is told that its state was given up");
        // We count for those who are still there. In the end it is enough that no more accounts are heard here
        // than say so; and where no other is heard at all, any state is: who knew the lowest may be gone.
        self.count_refusal(core, now);
        let stay = self.accounts_heard(core, now);
        let go = tellers.iter().filter_map(|one| Some(self.peers.get(one)?.address));
        let go: BTreeSet<_> = go.collect();
        let outvoted = stay.is_empty() || is_lowest && stay.len() <= go.len();
        let most = self.record.inviter == Some(device) || tellers.len() * 2 >= members.len();
        if !(is_lowest && most || outvoted && self.refused > IN_VAIN) {
            return Ok(());
        }
        let next = now + self.heartbeat(core);
        self.split = Some(Split { common: state, over: Some(state), next });
        // Who leaves has a leaf there or has not, and is told so.
        self.ask_to_come_over(core, now, state, Vec::new())
    }
}
