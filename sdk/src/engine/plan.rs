//! From what users want to commits.
//!
//! An intent is not a commit: it is looked at anew in each state, until it has happened, has become
//! pointless, or can't happen.

use std::collections::{BTreeMap, BTreeSet};

use openmls::prelude::KeyPackage;

use super::chain::Adoption;
use super::core::Core;
use super::group::Group;
use super::io::{Changed, EngineError, Event, Failure, Intent, Outcome};
use super::law::{self, Facts};
use super::mls::{self, Changes, Snapshot};
use super::records::{IntentBody, IntentRecord, IntentStatus, Status, WelcomeRecord};
use super::rule::Class;
use super::rules::{GroupRules, MAX_NAME};
use super::talk::Matter;
use crate::identity::LeafIdentity;
use crate::policy::{Policy, Right, Role};
use crate::store::Space;
use crate::wire::{self, Bundle, Kind};
use crate::{Address, CommitHash, DeviceId, IntentId, Span, Time};

/// How many intents of one client wait at most.
pub(crate) const MAX_INTENTS: usize = 1024;
/// How many that are done are remembered, for the case that the group turns out to be split.
const DONE: usize = 64;
/// How long a member counts as heard from lately.
const LATELY: Span = Span::seconds(60);
/// Without a word from anyone for so long, nobody has to be waited for.
const SILENCE: Span = Span::seconds(15);
/// How many devices one commit adds at most.
pub(super) const ADD_AT_ONCE: usize = 256;

/// What an intent means in the newest state.
pub(super) enum Means {
    /// It is that way already.
    Happened,
    /// Something is missing for it.
    Wait,
    /// It can't happen.
    Never(Failure),
    /// It goes into the next commit.
    Commit,
}

impl Group {
    pub(super) fn intend(
        &mut self,
        core: &mut Core,
        now: Time,
        intent: Intent,
    ) -> Result<IntentId, EngineError> {
        if !self.is_active() {
            return Err(EngineError::NotInGroup);
        }
        if let Intent::Rename(name) = &intent
            && name.len() > MAX_NAME
        {
            return Err(EngineError::TooLarge { what: "the name", limit: MAX_NAME });
        }
        let waiting = self.intents.values().filter(|i| i.status == IntentStatus::Open).count();
        if waiting >= MAX_INTENTS {
            return Err(EngineError::TooLarge { what: "the list of intents", limit: MAX_INTENTS });
        }
        let id = IntentId(core.random()?);
        let record = IntentRecord {
            intent: intent.into(),
            status: IntentStatus::Open,
            created: now,
            key_packages: Vec::new(),
            asked: 0,
            next: now,
        };
        self.intents.insert(id, record);
        self.save_intent(core, &id)?;
        self.next_plan = Some(now);
        Ok(id)
    }

    /// Forgets the oldest of many intents that are done.
    pub(super) fn forget_intents(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let mut done: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| {
                matches!(intent.status, IntentStatus::Done(_) | IntentStatus::Failed(_))
            })
            .map(|(id, intent)| (intent.created, *id))
            .collect();
        done.sort_unstable();
        for (_, id) in done.iter().take(done.len().saturating_sub(DONE)) {
            self.intents.remove(id);
            core.store.delete(Space::Intent, &self.id.0, &id.0)?;
        }
        Ok(())
    }

    /// Looks at what is wanted, and commits if it is this client's turn.
    pub(super) fn plan(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        self.next_plan = None;
        if self.record.status == Status::Out || self.record.status == Status::Moved {
            let moved = self.record.status == Status::Moved;
            let failure = if moved { Failure::Migrated } else { Failure::NotInGroup };
            return self.fail_all(core, failure);
        }
        if !self.is_active() {
            return Ok(());
        }
        self.leavers.retain(|leaf, _| self.seats.iter().any(|seat| seat.leaf == *leaf));
        self.rejoins.retain(|_, (until, _)| *until > now);
        let mut wanted = Wanted::new(self, core.config.removals);
        let open: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| intent.status == IntentStatus::Open)
            .map(|(id, intent)| (intent.created, *id))
            .collect();
        let mut open = open;
        open.sort_unstable();
        for (_, id) in open {
            match self.means(core, now, &id, &mut wanted)? {
                Means::Happened => {
                    let (state, height) = (self.tip().id, self.tip().record.height);
                    self.set_intent(core, id, IntentStatus::At(state, height))?;
                }
                Means::Never(failure) => {
                    self.set_intent(core, id, IntentStatus::failed(failure))?;
                }
                Means::Wait => {}
                Means::Commit => wanted.intents.push(id),
            }
        }
        self.finalize(core, now)?;
        if !self.is_active() || self.asked_to_leave() {
            return Ok(());
        }
        for (device, (_, key_package)) in &self.rejoins {
            if let Some(seat) = self.seat(device)
                && wanted.remove(seat.leaf)
            {
                wanted.over.push(key_package.clone());
            }
        }
        // Whoever is removed anyway does not also leave.
        for (leaf, proposal) in &self.leavers {
            if !wanted.remove.contains(leaf) && wanted.room() {
                wanted.leavers.push((*leaf, proposal.clone()));
            }
        }
        if wanted.is_empty(&self.rules) {
            self.wanting = None;
            return Ok(());
        }
        let due = self.turn(core, now);
        if due > now {
            self.plan_at(due);
            return Ok(());
        }
        self.commit(core, now, wanted)
    }

    /// Looks again at the latest at a time.
    pub(super) fn plan_at(&mut self, at: Time) {
        self.next_plan = Some(self.next_plan.map_or(at, |next| next.min(at)));
    }

    fn fail_all(&mut self, core: &mut Core, failure: Failure) -> Result<(), EngineError> {
        let open: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| {
                matches!(intent.status, IntentStatus::Open | IntentStatus::At(..))
            })
            .map(|(id, intent)| (*id, intent.clone()))
            .collect();
        for (id, intent) in open {
            let status = match (&intent.intent, intent.status) {
                (IntentBody::Leave, _) | (_, IntentStatus::At(..)) => {
                    IntentStatus::Done(self.chain.last().map_or(0, |tip| tip.record.height))
                }
                _ => IntentStatus::failed(failure),
            };
            self.set_intent(core, id, status)?;
        }
        Ok(())
    }

    /// Whether the user wants to leave.
    pub(super) fn asked_to_leave(&self) -> bool {
        self.intents
            .values()
            .any(|intent| intent.intent == IntentBody::Leave && intent.status == IntentStatus::Open)
    }

    /// When it is this client's turn to commit: members heard of late come in the order of their
    /// rank in this state, so that most races do not happen.
    fn turn(&mut self, core: &Core, now: Time) -> Time {
        let since = *self.wanting.get_or_insert(now);
        let me = core.me.identity.device;
        let keys = &self.tip().record.keys;
        let rank = |leaf| mls::rank(&core.crypto, keys, leaf);
        let Some(own) = self.seat(&me).map(|seat| rank(seat.leaf)) else { return since };
        let before = self
            .seats
            .iter()
            .filter(|seat| seat.identity.device != me)
            .filter(|seat| {
                self.peers
                    .get(&seat.identity.device)
                    .is_some_and(|peer| now.since(peer.heard_at) < LATELY)
            })
            .filter(|seat| rank(seat.leaf) < own)
            .count() as u64;
        let turn = if now.since(self.heard_at) > SILENCE {
            since
        } else {
            since + self.rules.policy.turn.times(before)
        };
        // On a state of one's own that nobody has been heard in, more changes wait and go together.
        let tip = self.tip();
        let own_tip = tip.record.origin.as_ref().is_some_and(|origin| origin.device == me);
        let alone = self.others(core).next().is_none();
        let followed = self.peers.values().any(|peer| peer.heard == Some(tip.id));
        if own_tip && !followed && !alone {
            turn.max(tip.record.born + self.rules.policy.settle)
        } else {
            turn
        }
    }

    /// What an intent means in the newest state; if it is to be committed, adds it.
    fn means(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let Some(intent) = self.intents.get(id).cloned() else { return Ok(Means::Wait) };
        let me = core.me.identity.address;
        let rules = &self.rules;
        let leaves = |address: &Address| -> Vec<u32> {
            let own = |seat: &&mls::Seat| seat.identity.address == *address;
            self.seats.iter().filter(own).map(|seat| seat.leaf).collect()
        };
        let in_group = |address: &Address| !leaves(address).is_empty();
        if let Some(successor) = &rules.successor {
            return Ok(match intent.intent {
                IntentBody::Migrate(suite) if suite == successor.suite => Means::Happened,
                // Who was to found the successor may never come back.
                IntentBody::Migrate(suite) if suite == self.record.suite => {
                    if rules.allows(&me, Right::Migrate) {
                        wanted.rules.successor = None;
                        Means::Commit
                    } else {
                        Means::Never(Failure::NotAllowed)
                    }
                }
                _ => Means::Wait,
            });
        }
        Ok(match &intent.intent {
            IntentBody::Invite(address) if *address == me => {
                return self.means_devices(core, now, id, wanted);
            }
            IntentBody::Invite(address) => {
                return self.means_invite(core, now, id, address, wanted);
            }
            IntentBody::AddDevice(_) => return self.means_devices(core, now, id, wanted),
            IntentBody::Remove(address) => {
                let lower = rules.role(address) < rules.role(&me);
                if !in_group(address) {
                    Means::Happened
                } else if !lower || !rules.allows(&me, Right::Remove) {
                    Means::Never(Failure::NotAllowed)
                } else {
                    // Those that there is no room for come with the next commit.
                    for leaf in leaves(address) {
                        wanted.remove(leaf);
                    }
                    Means::Commit
                }
            }
            IntentBody::RemoveDevice(device) => match self.seat(device) {
                None => Means::Happened,
                Some(seat)
                    if seat.identity.address == me
                        || rules.role(&seat.identity.address) < rules.role(&me)
                            && rules.allows(&me, Right::Remove) =>
                {
                    wanted.remove(seat.leaf);
                    Means::Commit
                }
                Some(_) => Means::Never(Failure::NotAllowed),
            },
            IntentBody::Leave => {
                let others: Vec<_> = self.others(core).map(|seat| seat.identity.address).collect();
                let owner = rules.role(&me) == Role::Owner
                    && !others.contains(&me)
                    && !rules.roles().any(|(address, role)| role == Role::Owner && address != me);
                if others.is_empty() {
                    self.set_intent(core, *id, IntentStatus::Done(self.tip().record.height))?;
                    core.tell(Event::Out { group: self.id, by: None });
                    self.go(core, now)?;
                    Means::Wait
                } else if owner {
                    Means::Never(Failure::LastOwner)
                } else {
                    self.propose_to_leave(core, now)?;
                    Means::Wait
                }
            }
            IntentBody::Rename(name) => {
                let name = String::from_utf8_lossy(name.as_slice()).into_owned();
                if rules.name() == name {
                    Means::Happened
                } else if !rules.allows(&me, Right::Rename) {
                    Means::Never(Failure::NotAllowed)
                } else {
                    wanted.rules.set_name(&name);
                    Means::Commit
                }
            }
            IntentBody::SetRole(address, role) => {
                let old = rules.role(address);
                let allowed = rules.allows(&me, Right::SetRole)
                    && old.max(*role) <= rules.role(&me)
                    || *address == me && *role < old;
                let invited = self.intents.values().any(|other| {
                    other.intent == IntentBody::Invite(*address)
                        && other.status == IntentStatus::Open
                });
                if !in_group(address) {
                    if invited { Means::Wait } else { Means::Never(Failure::NoSuchMember) }
                } else if old == *role {
                    Means::Happened
                } else if !allowed {
                    Means::Never(Failure::NotAllowed)
                } else {
                    let before = wanted.rules.clone();
                    wanted.rules.set_role(*address, *role);
                    if wanted.rules.roles().any(|(_, role)| role == Role::Owner) {
                        Means::Commit
                    } else {
                        wanted.rules = before;
                        Means::Never(Failure::LastOwner)
                    }
                }
            }
            IntentBody::SetPolicy(policy) => {
                if rules.policy == *policy {
                    Means::Happened
                } else if !rules.allows(&me, Right::SetPolicy) || policy.floor < rules.policy.floor
                {
                    Means::Never(Failure::NotAllowed)
                } else {
                    wanted.rules.policy = Policy::clone(policy);
                    Means::Commit
                }
            }
            IntentBody::Rotate => {
                wanted.rotate = true;
                Means::Commit
            }
            IntentBody::Migrate(suite) => {
                let Ok(suite) = (*suite).try_into() else {
                    return Ok(Means::Never(Failure::Suite));
                };
                return self.means_migrate(core, now, id, suite, wanted);
            }
        })
    }

    fn means_invite(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        address: &Address,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let me = core.me.identity.address;
        if self.seats.iter().any(|seat| seat.identity.address == *address) {
            return Ok(Means::Happened);
        }
        if !self.rules.allows(&me, Right::Invite) {
            return Ok(Means::Never(Failure::NotAllowed));
        }
        let Some(intent) = self.intents.get(id) else { return Ok(Means::Wait) };
        let retry = core.config.retry;
        if intent.key_packages.is_empty() || intent.asked > 0 && now < intent.next {
            if now.since(intent.created) > core.config.patience && intent.key_packages.is_empty() {
                return Ok(Means::Never(Failure::NoKeyPackage));
            }
            if now >= intent.next {
                core.ask_key_package(address, self.record.suite)?;
                if let Some(intent) = self.intents.get_mut(id) {
                    intent.asked = intent.asked.saturating_add(1);
                    intent.next = now + retry.times(1 << intent.asked.min(6));
                }
                self.save_intent(core, id)?;
            }
            let next = self.intents.get(id).map_or(now, |intent| intent.next);
            self.plan_at(next);
            return Ok(Means::Wait);
        }
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        let mut any = false;
        let packages = intent.key_packages.clone();
        for package in packages {
            let checked = mls::check_key_package(&core.crypto, suite, package.as_slice());
            let Ok((package, identity)) = checked else { continue };
            let here = self.seat(&identity.device).is_some();
            if here || wanted.devices.contains(&identity.device) || wanted.add.len() >= ADD_AT_ONCE
            {
                continue;
            }
            any = true;
            wanted.devices.push(identity.device);
            wanted.add.push(package);
        }
        if any {
            return Ok(Means::Commit);
        }
        // None of them is good any more, so others are needed.
        if let Some(intent) = self.intents.get_mut(id) {
            intent.key_packages.clear();
            intent.next = now + retry;
        }
        self.next_plan = Some(now + retry);
        Ok(Means::Wait)
    }

    /// Tells the others that this device wants to leave, anew in each state and now and then.
    fn propose_to_leave(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let retry = core.config.retry.times(2);
        self.next_plan = Some(now + retry);
        let tip = self.tip().id;
        if !self.once_per(Matter::Proposal, now, Span(retry.0 / 2)) {
            return Ok(());
        }
        let leaf = self.leaf(core, now)?;
        let proposal =
            core.with(self.id, tip, |_, snapshot| snapshot.propose_to_leave(&leaf))??;
        let key = self.tip().record.keys.envelope;
        for envelope in core.seal(&key, &self.record.topic, tip, Kind::Proposal, &proposal)? {
            core.publish(self.record.topic, envelope);
        }
        Ok(())
    }

    /// A member of the newest state wants to leave.
    pub(super) fn take_proposal(
        &mut self,
        core: &mut Core,
        now: Time,
        payload: Vec<u8>,
    ) -> Result<(), EngineError> {
        let tip = self.tip().id;
        if !self.is_active() || self.leavers.values().any(|other| *other == payload) {
            return Ok(());
        }
        let leaver = core.with(self.id, tip, |_, snapshot| snapshot.leaver(&payload))?;
        let Ok(leaf) = leaver else { return Ok(()) };
        let me = core.me.identity.device;
        if self.seats.iter().any(|seat| seat.leaf == leaf && seat.identity.device != me) {
            self.leavers.entry(leaf).or_insert(payload);
            self.next_plan = Some(now);
        }
        Ok(())
    }

    /// Makes a commit of everything that is wanted, and moves to its state.
    fn commit(
        &mut self,
        core: &mut Core,
        now: Time,
        mut wanted: Wanted,
    ) -> Result<(), EngineError> {
        let tip = self.tip().id;
        let leaf = self.leaf(core, now)?;
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        for package in &wanted.over {
            if let Ok((package, identity)) = mls::check_key_package(&core.crypto, suite, package) {
                wanted.devices.push(identity.device);
                wanted.add.push(package);
            } else {
                // Checked when it came in; it has expired since.
                return Ok(());
            }
        }
        let leavers = std::mem::take(&mut wanted.leavers);
        self.drop_roles(&mut wanted, &leavers);
        let joiners = joiners(core, &wanted.add)?;
        let rules = (wanted.rules != self.rules).then(|| wanted.rules.clone());
        let proposals: Vec<_> = leavers.into_iter().map(|(_, proposal)| proposal).collect();
        let changes = Changes {
            add: wanted.add,
            remove: wanted.remove.iter().copied().collect(),
            rules,
            proposals: proposals.clone(),
            psk: None,
        };
        let made = core.with(self.id, tip, |_, parent| parent.commit(&leaf, changes))?;
        let made = match made {
            Ok(made) => made,
            Err(refused) => {
                // One of the intents cannot be committed, and nobody could say which before.
                tracing::warn!(%refused, "a commit could not be made");
                for intent in wanted.intents {
                    self.set_intent(core, intent, IntentStatus::failed(Failure::NotAllowed))?;
                }
                self.rejoins.clear();
                self.leavers.clear();
                return Ok(());
            }
        };
        let facts = self.own_facts(core, &made.child, &wanted.devices, &proposals)?;
        let bundle = Bundle {
            parent: tip,
            class: facts.class as u8,
            leaf: facts.leaf,
            proposals: proposals.into_iter().map(Into::into).collect(),
            commit: made.commit.clone().into(),
        };
        for device in &wanted.devices {
            self.publish_binding(core, device, &tip)?;
        }
        let envelopes = self.commit_envelopes(core, &bundle)?;
        let topic = self.record.topic;
        for envelope in &envelopes {
            core.publish_surely(topic, envelope.clone(), None)?;
        }
        let commit = CommitHash(core.hash(&made.commit));
        let (state, _) = made.child.keys()?;
        self.adopt(
            core,
            now,
            Adoption { parent: tip, commit, facts, child: Some(made.child), envelopes },
        )?;
        let height = self.tip().record.height;
        for id in wanted.intents {
            let waits = match self.intents.get(&id).map(|intent| &intent.intent) {
                Some(IntentBody::Remove(address)) => {
                    self.seats.iter().any(|seat| seat.identity.address == *address)
                }
                Some(IntentBody::RemoveDevice(device)) => self.seat(device).is_some(),
                Some(IntentBody::Invite(address)) if *address == core.me.identity.address => {
                    self.waits_for_devices(core, &IntentBody::Invite(*address))?
                }
                _ => false,
            };
            if !waits {
                self.set_intent(core, id, IntentStatus::At(state, height))?;
            }
        }
        if let Some(welcome) = made.welcome {
            self.keep_welcomes(core, now, &welcome, &joiners)?;
        }
        self.finalize(core, now)
    }

    /// Takes the roles of accounts that no device stays of.
    fn drop_roles(&self, wanted: &mut Wanted, leavers: &[(u32, Vec<u8>)]) {
        let goes = |leaf: &u32| {
            wanted.remove.contains(leaf) || leavers.iter().any(|(leaver, _)| leaver == leaf)
        };
        let over = &wanted.devices;
        let stays: Vec<Address> = self
            .seats
            .iter()
            .filter(|seat| !goes(&seat.leaf) || over.contains(&seat.identity.device))
            .map(|seat| seat.identity.address)
            // A device may take the place of another of its account.
            .chain(wanted.add.iter().filter_map(|package| {
                let credential = package.leaf_node().credential();
                LeafIdentity::decode(credential.serialized_content()).ok().map(|i| i.address)
            }))
            .collect();
        let gone: Vec<_> = wanted
            .rules
            .roles()
            .map(|(address, _)| address)
            .filter(|address| !stays.contains(address))
            .collect();
        for address in gone {
            wanted.rules.set_role(address, Role::Member);
        }
    }

    /// What a commit of one's own does, as others will judge it.
    fn own_facts(
        &self,
        core: &Core,
        child: &Snapshot,
        added: &[DeviceId],
        proposals: &[Vec<u8>],
    ) -> Result<Facts, EngineError> {
        let me = core.me.identity.clone();
        let leaf = self.seat(&me.device).map(|seat| seat.leaf).ok_or(EngineError::NotInGroup)?;
        let after = child.roster();
        let leavers: Vec<_> = self
            .leavers
            .iter()
            .filter(|(_, proposal)| proposals.contains(proposal))
            .map(|(leaf, _)| *leaf)
            .collect();
        let was = |device: &DeviceId| self.seat(device).is_some();
        let mut changes = Vec::new();
        let mut class = Class::Ordinary;
        for seat in after.iter().filter(|seat| added.contains(&seat.identity.device)) {
            let identity = &seat.identity;
            changes.push(if was(&identity.device) {
                Changed::CameOver(identity.address, identity.device)
            } else {
                Changed::Added(identity.address, identity.device)
            });
        }
        for seat in &self.seats {
            let identity = &seat.identity;
            if after.iter().any(|other| other.identity.device == identity.device) {
                continue;
            }
            if !leavers.contains(&seat.leaf) {
                class = Class::Removal;
            }
            changes.push(Changed::Removed(identity.address, identity.device));
        }
        let rules = child.rules()?;
        changes.extend(law::differences(&self.rules, &rules));
        Ok(Facts { leaf, by: me, class, changes })
    }

    /// Keeps a Welcome for each of the joiners until it has arrived.
    pub(super) fn keep_welcomes(
        &mut self,
        core: &mut Core,
        now: Time,
        welcome: &[u8],
        joiners: &BTreeMap<Vec<u8>, LeafIdentity>,
    ) -> Result<(), EngineError> {
        let (state, height) = (self.tip().id, self.tip().record.height);
        let tree: Vec<_> = self.tree_envelopes(core, state)?.into_iter().map(Into::into).collect();
        let mut tree = Some(tree);
        for (reference, bytes) in mls::split(welcome).unwrap_or_default() {
            let Some(LeafIdentity { address, device }) = joiners.get(&reference).cloned() else {
                continue;
            };
            let record = WelcomeRecord {
                device,
                address,
                state,
                height,
                bytes: bytes.into(),
                next: now + self.rules.policy.settle,
                tries: 0,
                tree: tree.take().unwrap_or_default(),
            };
            self.welcomes.insert(device, record);
            self.save_welcome(core, &device)?;
        }
        Ok(())
    }

    /// Sends the Welcomes of commits that have settled, again until they have arrived.
    pub(super) fn welcome(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heard: Vec<_> = self
            .others(core)
            .map(|seat| {
                let heard = self.peers.get(&seat.identity.device).and_then(|peer| peer.heard);
                heard.and_then(|state| self.height(&state)).unwrap_or(0)
            })
            .collect();
        let due: Vec<_> = self
            .welcomes
            .iter()
            .filter(|(_, welcome)| {
                let most = heard.iter().filter(|height| **height >= welcome.height).count() * 2;
                welcome.next <= now || welcome.tries == 0 && most > heard.len()
            })
            .map(|(device, _)| *device)
            .collect();
        for device in due {
            let Some(welcome) = self.welcomes.get_mut(&device) else { continue };
            welcome.tries = welcome.tries.saturating_add(1);
            welcome.next = now + core.config.retry.times(1 << welcome.tries.min(8));
            let inbox = wire::Inbox::Welcome(welcome.bytes.clone());
            let topic = core.inbox(&welcome.address.clone());
            core.publish(topic, wire::encode(&inbox));
            self.save_welcome(core, &device)?;
        }
        Ok(())
    }

    /// A device has been heard in the group, so its Welcome is through.
    pub(super) fn welcome_done(
        &mut self,
        core: &mut Core,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let Some(welcome) = self.welcomes.get(device) else { return Ok(()) };
        let heard = self.peers.get(device).and_then(|peer| peer.heard);
        let height = heard.and_then(|state| self.height(&state)).unwrap_or(0);
        if height < welcome.height {
            return Ok(());
        }
        let gone = self.welcomes.remove(device);
        core.store.delete(Space::Welcome, &self.id.0, &device.0)?;
        // The tree is kept with one of those who need it.
        if let Some(gone) = gone
            && !gone.tree.is_empty()
            && let Some((next, other)) =
                self.welcomes.iter_mut().find(|(_, other)| other.state == gone.state)
        {
            other.tree = gone.tree;
            let next = *next;
            self.save_welcome(core, &next)?;
        }
        Ok(())
    }

    /// What became of an intent.
    pub(super) fn outcome(&self, id: &IntentId) -> Option<Outcome> {
        self.intents.get(id).map(|intent| intent.status.outcome())
    }
}

/// Who the key packages are of, by their references.
pub(super) fn joiners(
    core: &Core,
    packages: &[KeyPackage],
) -> Result<BTreeMap<Vec<u8>, LeafIdentity>, EngineError> {
    let mut joiners = BTreeMap::new();
    for package in packages {
        let credential = package.leaf_node().credential();
        let (Ok(reference), Ok(identity)) =
            (package.hash_ref(&core.crypto), LeafIdentity::decode(credential.serialized_content()))
        else {
            continue;
        };
        joiners.insert(reference.as_slice().to_vec(), identity);
    }
    Ok(joiners)
}

/// What goes into the next commit.
pub(super) struct Wanted {
    pub(super) add: Vec<KeyPackage>,
    pub(super) devices: Vec<DeviceId>,
    remove: BTreeSet<u32>,
    /// Proposals of members who leave.
    leavers: Vec<(u32, Vec<u8>)>,
    /// How many leaves may go.
    removals: usize,
    /// Key packages of devices that come over.
    over: Vec<Vec<u8>>,
    pub(super) rules: GroupRules,
    rotate: bool,
    intents: Vec<IntentId>,
}

impl Wanted {
    fn new(group: &Group, removals: usize) -> Self {
        Self {
            add: Vec::new(),
            devices: Vec::new(),
            remove: BTreeSet::new(),
            leavers: Vec::new(),
            removals: removals.max(1),
            over: Vec::new(),
            rules: group.rules.clone(),
            rotate: false,
            intents: Vec::new(),
        }
    }

    /// Whether one more leaf may go.
    fn room(&self) -> bool {
        self.remove.len() + self.leavers.len() < self.removals
    }

    /// Removes a leaf, if there is room; tells whether it is among those that go.
    pub(super) fn remove(&mut self, leaf: u32) -> bool {
        let room = self.room();
        if room {
            self.remove.insert(leaf);
        }
        room || self.remove.contains(&leaf)
    }

    fn is_empty(&self, rules: &GroupRules) -> bool {
        let same = self.rules == *rules;
        self.add.is_empty()
            && self.remove.is_empty()
            && self.leavers.is_empty()
            && same
            && !self.rotate
    }
}
