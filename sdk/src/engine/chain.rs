//! The chain of states: the one place where the state of a group changes.

use super::core::Core;
use super::group::{Group, State};
use super::io::{Change, Changed, EngineError, Event, Failure};
use super::law::Facts;
use super::mls::{Snapshot, StateKeys};
use super::records::{
    Archive, ChangeRecord, IntentBody, IntentStatus, Origin, PastRecord, StateRecord, Status,
};
use super::rule::{Claim, Class};
use crate::store::Space;
use crate::wire::{self, Bundle, Kind};
use crate::{CommitHash, StateId, Time};

/// How long a state that this client was put out by can be rolled back, in settle times.
const LEAVING: u64 = 10;
/// How many successors that commits have named are remembered.
const NAMED: usize = 4;

/// A new state, about to be adopted.
pub(super) struct Adoption {
    pub(super) parent: StateId,
    pub(super) commit: CommitHash,
    pub(super) facts: Facts,
    /// Nothing if the commit removes this client.
    pub(super) child: Option<Snapshot>,
    /// The envelopes that carry the commit.
    pub(super) envelopes: Vec<Vec<u8>>,
}

impl Group {
    /// What decides about the commit that led to a state.
    pub(super) fn claim(&self, core: &Core, state: &State) -> Option<Claim> {
        let origin = state.record.origin.as_ref()?;
        let parent = self.chain.get(self.place(&state.record.parent?)?)?;
        Some(Claim {
            class: Class::from_number(origin.class)?,
            rank: super::mls::rank(&core.crypto, &parent.record.keys, origin.leaf),
            commit: origin.commit,
        })
    }

    /// The first state of a group.
    pub(super) fn begin(
        &mut self,
        core: &mut Core,
        now: Time,
        snapshot: Snapshot,
    ) -> Result<(), EngineError> {
        let (id, keys) = snapshot.keys()?;
        let record = StateRecord {
            height: snapshot.epoch(),
            parent: None,
            born: now,
            keys,
            origin: None,
            inside: 1,
        };
        core.store.state_create(self.id, id, None, snapshot.storage())?;
        core.give(self.id, id, snapshot);
        (self.record.root, self.record.tip) = (id, id);
        self.push(core, State { id, record })?;
        self.keep_anew(core)?;
        self.save(core)?;
        self.read_tip(core)?;
        self.greet(core)
    }

    /// Moves to a child of a state of the window, back to that state first if need be.
    pub(super) fn adopt(
        &mut self,
        core: &mut Core,
        now: Time,
        adoption: Adoption,
    ) -> Result<(), EngineError> {
        let Adoption { parent, commit, facts, child, envelopes } = adoption;
        let back = self.tip().id != parent;
        let gone: Vec<_> =
            self.chain.iter().skip_while(|state| state.id != parent).skip(1).collect();
        let gone: Vec<_> = gone.into_iter().flat_map(super::speak::put_out).collect();
        self.roll_back(core, now, &parent)?;
        let height = self.tip().record.height + 1;
        let origin = Origin {
            commit,
            class: facts.class as u8,
            leaf: facts.leaf,
            by: facts.by.address,
            device: facts.by.device,
            changes: facts.changes.iter().map(ChangeRecord::from).collect(),
        };
        let (id, keys, inside) = match &child {
            Some(child) => {
                let (id, keys) = child.keys()?;
                core.store.state_create(self.id, id, Some(parent), child.storage())?;
                (id, keys, 1)
            }
            None => {
                let mut id = [0; StateId::LENGTH];
                id.copy_from_slice(&commit.0[..StateId::LENGTH]);
                (StateId(id), StateKeys::none(), 0)
            }
        };
        let outside = child.is_none();
        if let Some(child) = child {
            core.give(self.id, id, child);
        }
        let record = StateRecord {
            height,
            parent: Some(parent),
            born: now,
            keys,
            origin: Some(origin),
            inside,
        };
        let archive = Archive { envelopes: envelopes.into_iter().map(Into::into).collect() };
        core.store.put(Space::Commit, &self.id.0, &id.0, &wire::encode(&archive))?;
        self.record.tip = id;
        tracing::debug!(group = ?self.id, state = ?id, height, by = ?facts.by.device, outside, what = ?facts.changes, "goes on");
        self.push(core, State { id, record })?;
        if outside {
            (self.record.status, self.record.since) = (Status::Leaving, now);
            if !self.comes_over(core) {
                let by = facts.by.address;
                let by = (by != core.me.identity.address).then_some(by);
                let by = by.filter(|_| !self.asked_to_leave());
                core.tell(Event::Out { group: self.id, by });
            }
            self.say_words(core, now, None)?;
        } else if self.record.status == Status::Leaving {
            // Somebody has said that this device is no member, and here others go on with it.
            (self.record.status, self.record.since) = (Status::Active, now);
            core.tell(Event::Joined { group: self.id, by: None });
        }
        self.save(core)?;
        self.after_move(core, now)?;
        let change =
            Change { by: facts.by.address, state: id, at: now, what: facts.changes.clone() };
        core.tell(Event::Changed { group: self.id, change });
        self.greet(core)?;
        // Where this commit does not count, the words in it still do.
        for leave in facts.words {
            self.keep_leave(core, now, leave)?;
        }
        for changed in &facts.changes {
            self.after_change(core, now, changed)?;
        }
        if back {
            self.hold_until_out(now, &gone, height - 1);
        }
        self.finalize(core, now)
    }

    /// Adds a state at the end of the chain.
    fn push(&mut self, core: &mut Core, state: State) -> Result<(), EngineError> {
        let scope = self.id.0;
        core.store.put(Space::State, &scope, &state.id.0, &wire::encode(&state.record))?;
        if state.record.inside == 1 {
            self.remember(core, state.id, PastRecord::of(&state))?;
        }
        self.chain.push(state);
        Ok(())
    }

    /// Goes back to a state of the window. What was only on the states above happens again.
    fn roll_back(&mut self, core: &mut Core, now: Time, to: &StateId) -> Result<(), EngineError> {
        let place = self.place(to).ok_or_else(|| EngineError::Mls("no such state".into()))?;
        if place + 1 == self.chain.len() {
            return Ok(());
        }
        let scope = self.id.0;
        let height = self.chain[place].record.height;
        tracing::debug!(group = ?self.id, ?to, height, "rolls back");
        while self.chain.len() > place + 1 {
            let Some(state) = self.chain.pop() else { break };
            self.keep_ward(core, now, &state)?;
            core.erase(now, self.id, state.id)?;
            for space in [Space::State, Space::BeaconKey, Space::Commit] {
                core.store.delete(space, &scope, &state.id.0)?;
            }
            self.past.remove(&state.record.height);
            if let Some(origin) = &state.record.origin {
                let what = origin.changes.iter().map(Changed::from).collect();
                let change = Change { by: origin.by, state: state.id, at: now, what };
                core.tell(Event::RolledBack { group: self.id, change });
            }
        }
        self.record.tip = *to;
        // What was common with those who have moved may be given up here.
        if let Some(following) = &mut self.record.following {
            following.fork = following.fork.min(height);
        }
        for pointer in self.pointers.values_mut() {
            pointer.common = pointer.common.min(height);
        }
        if self.record.status == Status::Leaving {
            (self.record.status, self.record.since) = (Status::Active, now);
            core.tell(Event::Joined { group: self.id, by: None });
        }
        let gone: Vec<_> = self
            .welcomes
            .iter()
            .filter(|(_, welcome)| welcome.height > height)
            .map(|(device, _)| *device)
            .collect();
        for device in gone {
            self.welcomes.remove(&device);
            core.store.delete(Space::Welcome, &scope, &device.0)?;
        }
        let again: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| matches!(intent.status, IntentStatus::At(_, at) if at > height))
            .map(|(intent, _)| *intent)
            .collect();
        for id in again {
            // Their key packages may have been used for a Welcome that went out.
            if let Some(intent) = self.intents.get_mut(&id) {
                intent.use_up(core, self.id);
                (intent.created, intent.next) = (now, now);
            }
            self.set_intent(core, id, IntentStatus::Open)?;
        }
        for peer in self.peers.values_mut() {
            peer.heard = peer.heard.filter(|heard| self.chain.iter().any(|s| s.id == *heard));
        }
        Ok(())
    }

    /// Brings what depends on the newest state up to date.
    pub(super) fn after_move(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let chain = &self.chain;
        self.parked.retain(|parked| chain.iter().any(|state| state.id == parked.bundle.parent));
        self.read_tip(core)?;
        if self.is_active() {
            self.refusers.clear();
        }
        self.next_plan = Some(now);
        self.wanting = None;
        self.acknowledge_soon(core, now)
    }

    fn after_change(
        &mut self,
        core: &mut Core,
        now: Time,
        changed: &Changed,
    ) -> Result<(), EngineError> {
        match changed {
            Changed::Moving(successor) => {
                self.record.named.retain(|named| named != successor);
                self.record.named.push(*successor);
                let excess = self.record.named.len().saturating_sub(NAMED);
                self.record.named.drain(..excess);
                self.save(core)
            }
            Changed::Added(_, device) | Changed::CameOver(_, device) => {
                let sent = self.stands(core)?;
                self.chains.remove(device);
                self.votes.remove(device);
                if let Some(peer) = self.peers.get_mut(device) {
                    if matches!(changed, Changed::Added(..)) {
                        peer.floor = sent;
                    }
                    // What it had heard was on its old side, and it has yet to come.
                    (peer.heard, peer.heard_at) = (None, Time::default());
                }
                self.rejoins.remove(device);
                self.followers.remove(device);
                self.came_over.insert(*device, now);
                self.save_peer(core, device)
            }
            Changed::Removed(_, device) => {
                // What he wished before does not bring him back.
                self.rejoins.remove(device);
                self.followers.remove(device);
                self.chains.remove(device);
                self.votes.remove(device);
                self.drop_welcome(core, device)
            }
            _ => Ok(()),
        }
    }

    /// Makes a record of each member that has none.
    fn greet(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let me = core.me.identity.device;
        let strangers: Vec<_> = self
            .seats
            .iter()
            .filter(|seat| seat.identity.device != me)
            .filter(|seat| {
                self.peers
                    .get(&seat.identity.device)
                    .is_none_or(|peer| peer.signature_key.as_slice() != seat.signature_key)
            })
            .cloned()
            .collect();
        let sent = if strangers.is_empty() { 0 } else { self.stands(core)? };
        for seat in strangers {
            let device = seat.identity.device;
            let peer = self.peers.entry(device).or_insert_with(|| super::records::PeerRecord {
                address: seat.identity.address,
                signature_key: Vec::new().into(),
                heard: None,
                heard_at: Time::default(),
                count: 0,
                upto: 0,
                beyond: Vec::new(),
                sent: 0,
                acked: 0,
                floor: sent,
            });
            peer.signature_key = seat.signature_key.into();
            self.save_peer(core, &device)?;
        }
        Ok(())
    }

    /// Makes states final that have become so, and erases what was before them.
    pub(super) fn finalize(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        if self.record.status == Status::Leaving {
            let settle = self.rules.policy.settle;
            if now.since(self.record.since) > settle.times(LEAVING) {
                if self.comes_over(core) {
                    core.tell(Event::Out { group: self.id, by: None });
                }
                return self.go(core, now);
            }
            return Ok(());
        }
        if self.record.status != Status::Active {
            return Ok(());
        }
        let place = self.final_place(core, now);
        if place > 0 {
            self.advance(core, now, place)?;
        }
        let height = self.root().record.height;
        let suite = self.record.suite;
        let done: Vec<_> = self
            .intents
            .iter()
            .filter_map(|(id, intent)| match (intent.status, &intent.intent) {
                // The group has not moved before there is a successor.
                (IntentStatus::At(_, at), IntentBody::Migrate(to)) if *to != suite => {
                    (at < height).then_some((*id, IntentStatus::failed(Failure::CalledBack)))
                }
                (IntentStatus::At(_, at), _) if at <= height => Some((*id, IntentStatus::Done(at))),
                _ => None,
            })
            .collect();
        for (intent, status) in &done {
            self.set_intent(core, *intent, *status)?;
        }
        // A successor is founded when this group is looked at next: now, and not with a heartbeat.
        if place > 0 && self.rules.successor.is_some() {
            self.plan_at(now);
        }
        if done.is_empty() {
            return Ok(());
        }
        self.forget_intents(core)
    }

    /// Whether this device was put out to be added anew in the same commit, and waits for the Welcome.
    pub(super) fn comes_over(&self, core: &Core) -> bool {
        let me = core.me.identity.device;
        let origin = self.chain.last().and_then(|tip| tip.record.origin.as_ref());
        self.record.status == Status::Leaving
            && origin.is_some_and(|origin| {
                let over = |change: &ChangeRecord| matches!(change, ChangeRecord::CameOver(_, device) if *device == me);
                origin.changes.iter().any(over)
            })
    }

    /// Makes the state at a place of the window the oldest, and erases those before it.
    fn advance(&mut self, core: &mut Core, now: Time, place: usize) -> Result<(), EngineError> {
        let gone =
            self.chain[1..=place].iter().any(|state| !super::speak::put_out(state).is_empty());
        for state in self.chain.drain(..place) {
            core.erase(now, self.id, state.id)?;
            core.store.delete(Space::State, &self.id.0, &state.id.0)?;
        }
        self.record.root = self.root().id;
        tracing::debug!(group = ?self.id, state = ?self.record.root, height = self.root().record.height, "a state is final");
        // The oldest state has no parent here any more.
        if let Some(root) = self.chain.first_mut() {
            root.record.parent = None;
            core.store.put(Space::State, &self.id.0, &root.id.0, &wire::encode(&root.record))?;
        }
        if gone {
            self.keep_anew(core)?;
        }
        self.save(core)
    }

    /// The place in the window of the newest state that is final.
    fn final_place(&self, core: &Core, now: Time) -> usize {
        let policy = &self.rules.policy;
        let tip = self.chain.len() - 1;
        let others: Vec<_> = self.others(core).collect();
        if others.is_empty() {
            return tip;
        }
        let heard: Vec<_> = others
            .iter()
            .map(|seat| {
                let heard = self.peers.get(&seat.identity.device).and_then(|peer| peer.heard);
                heard.and_then(|state| self.place(&state))
            })
            .collect();
        // Heard from everyone at or above it.
        let everyone = heard.iter().map(|place| place.unwrap_or(0)).min().unwrap_or(0);
        // A client that hears nobody would make final what nobody else has: it keeps a longer
        // window instead.
        let anyone = heard.iter().filter_map(|place| *place).max().unwrap_or(0);
        let deep = tip.saturating_sub(usize::from(policy.depth));
        let deep = (0..=deep)
            .rev()
            .find(|place| {
                self.chain
                    .get(place + 1)
                    .is_none_or(|child| now.since(child.record.born) >= policy.settle)
            })
            .unwrap_or(0);
        let old = (0..=tip)
            .rev()
            .find(|place| now.since(self.chain[*place].record.born) > policy.horizon)
            .unwrap_or(0);
        let forced = tip.saturating_sub(super::MAX_WINDOW);
        everyone.max(deep.max(old).min(anyone)).max(forced)
    }

    /// Leaves the group for good: everything but what was said is erased. The keys of beacons are kept for
    /// a while, to hear of those who do not know, or of whoever has said that this device is out when he goes
    /// over to others.
    pub(super) fn go(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        tracing::debug!(group = ?self.id, "is out for good");
        let put_out = self.chain.last().is_some_and(|tip| tip.record.inside == 0);
        if !put_out && self.left_upto().is_none() && self.refusers.is_empty() {
            self.fall_silent(core)?;
        }
        // Whom this device has brought in may not have his Welcome yet.
        let welcomes = std::mem::take(&mut self.welcomes);
        self.erase_states(core, now)?;
        (self.record.status, self.record.since) = (Status::Out, now);
        if self.lingers().is_some() {
            self.welcomes = welcomes;
            for device in self.welcomes.keys() {
                self.save_welcome(core, device)?;
            }
        }
        self.save(core)
    }

    /// Erases all states of a group that this client is no longer in.
    pub(super) fn erase_states(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        for state in &self.chain {
            core.erase(now, self.id, state.id)?;
        }
        let spaces = [Space::State, Space::Commit, Space::Welcome, Space::Leave];
        for space in spaces {
            core.store.delete_scope(space, &self.id.0)?;
        }
        self.parked.clear();
        self.stash.clear();
        self.welcomes.clear();
        self.leaves.clear();
        self.next_plan = Some(now);
        Ok(())
    }

    /// The envelopes of a commit under the key of its parent.
    pub(super) fn commit_envelopes(
        &self,
        core: &Core,
        bundle: &Bundle,
    ) -> Result<Vec<Vec<u8>>, EngineError> {
        let place =
            self.place(&bundle.parent).ok_or_else(|| EngineError::Mls("no such state".into()))?;
        let key = &self.chain[place].record.keys.envelope;
        let payload = wire::encode(bundle);
        core.seal(key, &self.record.topic, self.tip().id, Kind::Commit, &payload)
    }
}
