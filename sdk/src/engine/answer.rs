//! Answering what others ask for: each answer is for all, so one of the members is enough, and the others
//! wait a little for him.

use super::bindings::BINDINGS;
use super::core::Core;
use super::group::Group;
use super::io::EngineError;
use super::records::{Archive, Status};
use super::talk::{MATTERS, MESSAGES, Matter};
use crate::store::Space;
use crate::wire::{self, Kind, Note, Request};
use crate::{DeviceId, Span, StateId, Time};

/// How many commits one answer has.
const COMMITS: usize = 16;

impl Group {
    pub(super) fn take_request(
        &mut self,
        core: &mut Core,
        now: Time,
        under: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some((device, body)) = self.verify(core, Kind::Request, payload) else { return Ok(()) };
        let due = core.soon(now, self.crowd())?;
        match wire::decode::<Request>(&body) {
            Some(Request::Commits(after)) if self.height(&after).is_some() => {
                self.answer_at(Matter::Commits(after), due);
            }
            Some(Request::Tree(state)) => {
                self.answer_at(Matter::Tree(state), due);
            }
            Some(Request::Bindings(devices)) if devices.len() <= BINDINGS => {
                for device in devices {
                    // The answer is for all who lack it.
                    self.once_per(Matter::Lacking(device), now, Span(0));
                    if device == core.me.identity.device || core.binding(&device)? {
                        self.answer_at(Matter::Binding(device, under), due);
                    }
                }
            }
            Some(Request::Chain) if self.is_active() => {
                self.answer_at(Matter::Chain(under), due);
            }
            Some(Request::Messages(author, from, to)) if author == core.me.identity.device => {
                self.repeat_messages(core, now, &device, under, (from, to))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn repeat_messages(
        &mut self,
        core: &mut Core,
        now: Time,
        device: &DeviceId,
        under: StateId,
        (from, to): (u64, u64),
    ) -> Result<(), EngineError> {
        let Some(peer) = self.peers.get(device) else { return Ok(()) };
        let floor = peer.floor;
        if from <= floor && self.once_per(Matter::Messages(*device), now, core.config.retry) {
            let key = self.beacon_key(&under);
            self.say(core, now, &key, Kind::Note, &Note::Floor(*device, floor))?;
        }
        let from = from.max(floor + 1);
        let to = to.min(self.record.sent).min(from.saturating_add(MESSAGES));
        for number in from..=to {
            if self.once_per(Matter::Message(number), now, core.config.retry) {
                self.say_number(core, now, number, false)?;
            }
        }
        Ok(())
    }

    /// Answers at a time, if nothing else comes first. They fall due soon: what is too much has to be asked again.
    pub(super) fn answer_at(&mut self, matter: Matter, due: Time) {
        if self.answers.len() < MATTERS {
            self.answers.entry(matter).or_insert(due);
        }
    }

    /// Gives the answers that are due, unless somebody else has.
    pub(super) fn answer(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let due: Vec<_> =
            self.answers.iter().filter(|(_, due)| **due <= now).map(|(m, _)| *m).collect();
        for matter in due {
            self.answers.remove(&matter);
            match matter {
                Matter::Commits(after) => self.answer_commits(core, now, after)?,
                Matter::Left(after, device) if self.is_behind(&device, &after) => {
                    self.answer_commits(core, now, after)?;
                }
                Matter::Want(after, state) if !self.knows(&state) => {
                    self.ask_for_commits(core, now, after)?;
                }
                Matter::Tree(state) => self.answer_tree(core, now, state)?,
                Matter::Stand(under) => {
                    let key = self.beacon_key(&under);
                    self.stand(core, now, &key)?;
                }
                Matter::Chain(under) => {
                    let key = self.beacon_key(&under);
                    self.tell_chain(core, now, &key, 0)?;
                }
                Matter::Binding(device, under) => {
                    self.publish_binding(core, &device, &under)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a device has not been heard in a state after this one.
    fn is_behind(&self, device: &DeviceId, state: &StateId) -> bool {
        let heard = self.peers.get(device).and_then(|peer| peer.heard);
        heard.and_then(|heard| self.place(&heard)) <= self.place(state)
    }

    fn answer_commits(
        &mut self,
        core: &mut Core,
        now: Time,
        after: StateId,
    ) -> Result<(), EngineError> {
        let Some(height) = self.height(&after) else { return Ok(()) };
        let mut next: Vec<_> =
            self.past.range(height + 1..).map(|(_, past)| past.id).take(COMMITS).collect();
        // The commit that put this client out is for the others too.
        if next.len() < COMMITS && self.record.status == Status::Leaving {
            next.push(self.tip().id);
        }
        for state in next {
            if !self.once_per(Matter::Commit(state), now, Span(core.config.retry.0 / 2)) {
                continue;
            }
            let Some(archive) = core.store.get(Space::Commit, &self.id.0, &state.0)? else {
                continue;
            };
            let Some(archive) = wire::decode::<Archive>(&archive) else { continue };
            for envelope in archive.envelopes {
                core.publish(self.record.topic, envelope.as_slice().to_vec());
            }
        }
        Ok(())
    }

    pub(super) fn answer_tree(
        &mut self,
        core: &mut Core,
        now: Time,
        state: StateId,
    ) -> Result<(), EngineError> {
        if !self.once_per(Matter::Tree(state), now, core.config.retry) {
            return Ok(());
        }
        let kept = self
            .welcomes
            .values()
            .find(|welcome| welcome.state == state && !welcome.tree.is_empty());
        if let Some(welcome) = kept {
            for envelope in &welcome.tree {
                core.publish(self.record.topic, envelope.as_slice().to_vec());
            }
            return Ok(());
        }
        let inside = |place: usize| self.chain[place].record.inside == 1;
        // Who is out has the states no longer.
        if self.record.status != Status::Out && self.place(&state).is_some_and(inside) {
            for envelope in self.tree_envelopes(core, state)? {
                core.publish(self.record.topic, envelope);
            }
        }
        Ok(())
    }

    /// The ratchet tree of a state of the window, in envelopes under its key.
    pub(super) fn tree_envelopes(
        &self,
        core: &mut Core,
        state: StateId,
    ) -> Result<Vec<Vec<u8>>, EngineError> {
        let Some(place) = self.place(&state) else { return Ok(Vec::new()) };
        let key = self.chain[place].record.keys.envelope;
        let tree = core.with(self.id, state, |_, snapshot| snapshot.tree())??;
        core.seal(&key, &self.record.topic, state, Kind::Tree, &tree)
    }
}
