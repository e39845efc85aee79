//! Coming in: Welcomes, and the ratchet tree that they need.

use super::Engine;
use super::group::Group;
use super::heal::Split;
use super::io::{EngineError, Event, Intent, Output};
use super::migrate::Next;
use super::mls::{self, Opened, Snapshot};
use super::records::{GroupRecord, JoinRecord, KeyPackageRecord, Status};
use super::rules::GroupRules;
use crate::policy::Right;
use crate::store::Space;
use crate::wire::{self, Inbox, Kind, Part, Request, Signed};
use crate::{DeviceId, GroupId, Span, Time};
use openmls_trellis_crypto::TrellisStorage;

/// How many Welcomes wait for their ratchet tree at most.
const JOINS: usize = 64;
/// How many of them are for one key package; the oldest goes. The state of the first may have been given
/// up before its tree was here.
const JOINS_EACH: usize = 4;
/// How long one does.
const JOIN_PATIENCE: Span = Span::seconds(24 * 3600);

/// A Welcome whose ratchet tree is being fetched.
pub(super) struct Joining {
    pub(super) record: JoinRecord,
    pub(super) opened: Opened,
    pub(super) parts: super::parts::Parts,
}

impl Engine {
    /// Something on the topic of this account.
    pub(super) fn take_inbox(&mut self, now: Time, bytes: &[u8]) -> Result<(), EngineError> {
        let welcome = match wire::decode(bytes) {
            _ if self.devices.revoked => return Ok(()),
            Some(Inbox::Welcome(welcome)) => welcome,
            Some(statement) => return self.take_statement(now, statement),
            None => return Ok(()),
        };
        if self.joining.len() >= JOINS {
            return Ok(());
        }
        let Some(reference) = mls::welcomed(welcome.as_slice()) else { return Ok(()) };
        let name = self.core.hash(welcome.as_slice());
        if self.joining.contains_key(&name) {
            return Ok(());
        }
        let record = JoinRecord {
            welcome,
            key_package: reference.clone().into(),
            created: now,
            tries: 0,
            next: now,
        };
        if self.begin_join(now, record.clone())? {
            self.core.store.put(Space::Pending, &[], &name, &wire::encode(&record))?;
            let same = self
                .joining
                .iter()
                .filter(|(_, joining)| joining.record.key_package.as_slice() == reference);
            let mut same: Vec<_> =
                same.map(|(name, joining)| (joining.record.created, *name)).collect();
            same.sort_unstable();
            for (_, oldest) in same.iter().take(same.len().saturating_sub(JOINS_EACH)) {
                self.forget_join(oldest)?;
            }
        }
        Ok(())
    }

    /// Opens a Welcome. Tells whether it is one for this device.
    pub(super) fn begin_join(
        &mut self,
        now: Time,
        record: JoinRecord,
    ) -> Result<bool, EngineError> {
        let reference = record.key_package.as_slice().to_vec();
        let Some(keys) = self.core.store.get(Space::KeyPackage, &[], &reference)? else {
            return Ok(false);
        };
        let Some(keys) = wire::decode::<KeyPackageRecord>(&keys) else { return Ok(false) };
        let Ok(storage) = TrellisStorage::import(keys.storage.as_slice()) else { return Ok(false) };
        let storage = TrellisStorage::from_entries(storage.entries());
        let psks = self.successor_psks()?;
        let welcome = record.welcome.as_slice();
        let opened = match mls::open_welcome(&self.core.crypto, storage, welcome, &psks) {
            Ok(opened) => opened,
            Err(refused) => {
                tracing::debug!(%refused, "a Welcome was refused");
                return Ok(false);
            }
        };
        tracing::debug!(group = ?opened.group, state = ?opened.state, "has a Welcome");
        let (topic, beacon) = (opened.rules.topic, opened.keys.beacon);
        // Whoever made the Welcome chose the topic: it must not take the place of one that is kept already.
        let overtaken = self.joining.values().any(|other| {
            other.opened.rules.topic == topic && other.record.created > record.created
        });
        if !overtaken && !self.has_kept(&topic)? {
            self.core.keep_to_come(topic, &beacon);
        }
        let name = self.core.hash(welcome);
        let joining = Joining { record, opened, parts: super::parts::Parts::default() };
        self.joining.insert(name, joining);
        self.ask_for_tree(now, &name)?;
        Ok(true)
    }

    /// Whether a topic is that of this account, or of a group that this device is in.
    pub(super) fn has_kept(&self, topic: &crate::Topic) -> Result<bool, EngineError> {
        let record = self.topics.get(topic).map(|group| self.record_of(group)).transpose()?;
        let is_in = record.flatten().is_some_and(|record| record.status != Status::Out);
        Ok(is_in || *topic == self.inbox)
    }

    /// Gives up a Welcome, and has nothing kept for its sake any more: strangers may send many.
    fn forget_join(&mut self, name: &[u8; 32]) -> Result<(), EngineError> {
        let Some(joining) = self.joining.remove(name) else { return Ok(()) };
        let topic = joining.opened.rules.topic;
        let mut others = self.joining.values();
        let needed = topic == self.inbox
            || self.topics.contains_key(&topic)
            || others.any(|other| other.opened.rules.topic == topic);
        if self.core.is_kept && !needed {
            self.core.outputs.push(Output::Unsubscribe(topic));
        }
        self.core.store.delete(Space::Pending, &[], name)?;
        Ok(())
    }

    /// Asks the group for the ratchet tree of the state that a Welcome leads to.
    pub(super) fn ask_for_tree(&mut self, now: Time, name: &[u8; 32]) -> Result<(), EngineError> {
        let retry = self.core.config.retry;
        let Some(joining) = self.joining.get_mut(name) else { return Ok(()) };
        if now.since(joining.record.created) > JOIN_PATIENCE {
            return self.forget_join(name);
        }
        joining.record.tries = joining.record.tries.saturating_add(1);
        joining.record.next = now + retry.times(1 << joining.record.tries.min(6));
        let (group, state) = (joining.opened.group, joining.opened.state);
        let (key, topic) = (joining.opened.keys.beacon, joining.opened.rules.topic);
        // Each time: who was put out of the group before may have gone since, and listened no longer.
        self.core.outputs.push(Output::Subscribe(topic));
        let suite = joining.opened.suite();
        let body = wire::encode(&Request::Tree(state));
        let leaf = self.core.leaf(suite, now)?;
        let text = super::group::signed_text(Kind::Request, group, &body);
        let signature = openmls_traits::signatures::Signer::sign(&leaf.signer, &text)
            .map_err(|_| EngineError::Randomness)?;
        let device = self.core.me.identity.device;
        let signed = Signed { device, body: body.into(), signature: signature.into() };
        let payload = wire::encode(&signed);
        for envelope in self.core.seal(&key, &topic, state, Kind::Request, &payload)? {
            self.core.publish(topic, envelope);
        }
        Ok(())
    }

    /// An envelope on the topic of a group that this device is about to join, maybe by one of several
    /// Welcomes.
    pub(super) fn take_while_joining(
        &mut self,
        now: Time,
        topic: crate::Topic,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let mut found = None;
        for (name, joining) in &mut self.joining {
            let key = &joining.opened.keys.envelope;
            if joining.opened.rules.topic == topic
                && let Some(opened) = wire::open(&self.core.crypto, key, &topic, bytes)
            {
                found = Some((*name, joining, opened));
                break;
            }
        }
        let Some((name, joining, opened)) = found else { return Ok(()) };
        let tree = match opened.kind {
            Kind::Tree => opened.payload,
            Kind::Part => {
                let Some(part) = wire::decode::<Part>(&opened.payload) else { return Ok(()) };
                let whole = part.whole;
                match joining.parts.add(part) {
                    Some((Kind::Tree, tree)) if self.core.hash(&tree) == whole => tree,
                    _ => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        self.join(now, &name, &tree)
    }

    /// Joins with the ratchet tree.
    fn join(&mut self, now: Time, name: &[u8; 32], tree: &[u8]) -> Result<(), EngineError> {
        let Some(joining) = self.joining.remove(name) else { return Ok(()) };
        let Joining { record, opened, .. } = joining;
        let (id, rules, suite) = (opened.group, opened.rules.clone(), opened.suite());
        let (psks, opened_state) = (opened.psks.clone(), opened.state);
        let (snapshot, inviter) = match opened.join(tree) {
            Ok(joined) => joined,
            // Somebody sent another tree: the Welcome is opened again, for the right one.
            Err(refused) => {
                tracing::debug!(group = ?id, %refused, "a ratchet tree was refused");
                if !self.begin_join(now, record)? {
                    self.core.store.delete(Space::Pending, &[], name)?;
                }
                return Ok(());
            }
        };
        self.core.store.delete(Space::Pending, &[], name)?;
        if !self.core.use_last_resort(record.key_package.as_slice())? {
            self.core.store.delete(Space::KeyPackage, &[], record.key_package.as_slice())?;
            self.key_packages = self.key_packages.saturating_sub(1);
        }
        let inviter = snapshot.roster().into_iter().find(|seat| seat.leaf == inviter);
        let by = inviter.as_ref().map(|seat| seat.identity.address);
        tracing::debug!(group = ?id, state = ?opened_state, ?by, "has a Welcome and its tree");
        let next = Next { group: id, suite, rules: &rules, psks: &psks };
        if !self.is_successor(now, &next, &snapshot, inviter.as_ref())? {
            return Ok(());
        }
        if self.groups.contains_key(&id) {
            // Those who are still in the old group do not know where it has gone on. But two sides may have
            // changed places, each to the successor of the other, and then one of them has to go back.
            if self.goes_on(&id)? && !self.changed_places(now, id)? {
                return Ok(());
            }
            // Who asked to follow may have been brought in twice.
            let follows = !self.followed_to(id)?.is_empty();
            let me = self.core.me.identity.device;
            let stay = snapshot.roster().into_iter().find(|seat| seat.identity.device == me);
            let stay = stay.and_then(|seat| seat.stay);
            let accepted = self.with_group(now, id, |group, core| {
                // A Welcome for an older key package than that of our leaf has been overtaken.
                if group.seat(&me).is_some_and(|seat| seat.stay >= stay) {
                    return Ok(false);
                }
                let split = group.split.as_ref().is_some_and(|split| split.over.is_some());
                let known = inviter.as_ref().and_then(|seat| group.seat(&seat.identity.device));
                let may = known.is_some_and(|seat| {
                    let address = &seat.identity.address;
                    group.rules.allows(address, Right::Invite)
                        && group.rules.allows(address, Right::Remove)
                });
                // Who brought us in may take us along to the other side of a split, and so may a device
                // of our own account.
                let brought = known.is_some_and(|seat| {
                    group.record.inviter == Some(seat.identity.device)
                        || seat.identity.address == core.me.identity.address
                });
                // Who is alone has nobody to lose.
                let alone = known.is_some() && group.is_alone(core, now);
                let out = group.record.status == Status::Out;
                tracing::debug!(group = ?id, split, may, brought, alone, follows, status = ?group.record.status, "is brought over");
                Ok(split
                    || may
                    || brought
                    || alone
                    || follows
                    || out
                    || group.record.status == Status::Leaving)
            })?;
            if !accepted.unwrap_or(false) {
                return Ok(());
            }
            let by = inviter.map(|seat| seat.identity.device);
            // It may have come into a group before this one since it was in this one.
            let active = self.groups_where(|record| record.status == Status::Active)?;
            let before = self.left_behind(id, &rules)?;
            self.come_over(now, id, snapshot, by)?;
            for old in before.intersection(&active) {
                self.leave_predecessor(now, *old, id)?;
                self.settle_successor(now, *old, id)?;
            }
            self.leave_again(now, id, &rules)?;
            return self.settle_devices(now, id, |_| false);
        }
        let before = self.left_behind(id, &rules)?;
        let by_device = inviter.as_ref().map(|seat| seat.identity.device);
        let mut record = GroupRecord::new(suite.into(), rules.topic, by_device, now);
        record.kin.clone_from(&rules.predecessors);
        let mut group = Group::new(id, record, rules.clone(), now);
        group.begin(&mut self.core, now, snapshot)?;
        group.acknowledge_soon(&mut self.core, now)?;
        group.lack_bindings(&mut self.core, now)?;
        // What has been committed since the Welcome was made.
        let tip = group.tip().id;
        group.ask_for_commits(&mut self.core, now, tip)?;
        self.topics.insert(group.record.topic, id);
        self.groups.insert(id, Some(group));
        self.core.tell(Event::Joined { group: id, by });
        // Who had left reads what was said before that for a while.
        for old in &rules.predecessors {
            self.with_group(now, *old, |group, core| {
                group.add_kin(vec![id]);
                group.save(core)
            })?;
        }
        for old in &before {
            self.leave_predecessor(now, *old, id)?;
            self.settle_successor(now, *old, id)?;
        }
        self.leave_again(now, id, &rules)?;
        // A device that is in the group takes care of the account's others itself.
        let own = by == Some(self.core.me.identity.address);
        if before.is_empty() { self.settle_devices(now, id, |_| !own) } else { Ok(()) }
    }

    /// Whether a group has moved to one that does not name it as a group before it, and this device has
    /// asked, in the group before both, to be added to it again.
    fn changed_places(&mut self, now: Time, id: GroupId) -> Result<bool, EngineError> {
        let Some(moved) = self.record_of(&id)?.and_then(|record| record.moved) else {
            return Ok(false);
        };
        let asked = self.groups_where(|record| {
            let there = record.moved.as_ref().is_some_and(|other| other.to == moved.to);
            let back = record.following.as_ref().is_some_and(|following| following.to == id);
            record.status == Status::Moved && there && back
        })?;
        let after =
            self.with_group(now, moved.to, |group, _| Ok(group.rules.predecessors.contains(&id)))?;
        Ok(!asked.is_empty() && after == Some(false))
    }

    /// Leaves a group into which this device was brought with a key package from before it left, here
    /// or in a group before.
    fn leave_again(
        &mut self,
        now: Time,
        id: GroupId,
        rules: &GroupRules,
    ) -> Result<(), EngineError> {
        let mut groups = self.followed_to(id)?;
        groups.extend(rules.predecessors.iter().chain([&id]));
        let mut upto = None;
        for group in groups {
            let said = self.with_group(now, group, |group, _| Ok(group.left_upto()))?;
            upto = upto.max(said.flatten());
        }
        self.with_group(now, id, |group, core| {
            let seat = group.seat(&core.me.identity.device);
            let left = upto.is_some() && seat.is_some_and(|seat| seat.stay <= upto);
            if left && !group.asked_to_leave() {
                group.intend(core, now, Intent::Leave)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Goes on in another state of a group that this device has been in.
    fn come_over(
        &mut self,
        now: Time,
        id: GroupId,
        snapshot: Snapshot,
        inviter: Option<DeviceId>,
    ) -> Result<(), EngineError> {
        self.with_group(now, id, |group, core| {
            let was = group.record.status;
            let known = |split: &Split| group.height(&split.over.unwrap_or(split.common)).is_some();
            let split = group.split.as_ref().is_some_and(known) && was != Status::Out;
            // Nothing as high as the new state was on this side.
            let below = snapshot.epoch().saturating_sub(1);
            let fork = if was == Status::Out { below } else { group.fork_height().min(below) };
            let mut before = group.members_at(fork);
            tracing::debug!(group = ?id, fork, ?was, "comes over");
            for state in group.chain.drain(..) {
                core.erase(now, id, state.id)?;
                core.store.delete(Space::State, &id.0, &state.id.0)?;
            }
            group.forget_past(core, now, fork, u64::MAX)?;
            let newest = group.past.last_key_value().map(|(height, _)| *height);
            group.record.doubt = newest.filter(|_| !split);
            group.told_parted.clear();
            group.redone_from = None;
            if was == Status::Out {
                group.forget_wishes(core)?;
            }
            // Those into a state that is on this side too still lead here.
            let gone: Vec<_> = group
                .welcomes
                .iter()
                .filter(|(_, welcome)| welcome.height > fork)
                .map(|(device, _)| *device)
                .collect();
            for device in gone {
                group.welcomes.remove(&device);
                core.store.delete(Space::Welcome, &id.0, &device.0)?;
            }
            group.stash.clear();
            group.given_up.clear();
            // What was wanted on the old side may have happened on this one.
            group.rejoins.clear();
            (group.record.status, group.record.since) = (Status::Active, now);
            group.record.back = 0;
            group.begin(core, now, snapshot)?;
            group.record.inviter = inviter;
            // Who was out has forgotten who was there.
            if before.is_empty() {
                before = group.members_at(fork);
            }
            group.remember_gap(core, &before)?;
            group.after_move(core, now)?;
            for peer in group.peers.values_mut() {
                peer.heard = None;
            }
            core.outputs.push(Output::Subscribe(group.record.topic));
            if was == Status::Out {
                core.tell(Event::Joined { group: id, by: None });
            } else {
                core.tell(Event::Healed { group: id });
            }
            group.lack_bindings(core, now)?;
            group.redo(core, now, fork)
        })?;
        Ok(())
    }
}
