//! Moving a group to a stronger cipher suite.
//!
//! MLS fixes the suite of a group, so the group gets a successor. What happens, in order:
//!
//! 1. A member who may asks for it. The suite must protect at least as much as the present one and
//!    as the policy's floor, and every leaf must say that it supports it.
//! 2. Its client gets key packages for the suite from all devices; after a while it goes on without
//!    those that do not answer.
//! 3. It commits the name of the successor to the group's rules. No commit is valid after this one,
//!    so the group rests in that state.
//! 4. When that state is final, or most members are in it and it has stood for a while, the client
//!    founds the successor: same name, roles and policy, the old group as predecessor, all devices of
//!    which there are key packages. The founding commit has a pre-shared key that the old group's
//!    state gives: `MLS-Exporter(state, "trellis successor", name of the successor, 32)`. Nobody
//!    joins who was not there.
//! 5. Who joins compares the successor with what the old group's rules say. The others are invited
//!    to it when they are back.
//!
//! Until the successor is founded, who may move the group may also call the move back, and the client
//! of such a member does so by itself after a while: whoever was to found it may never come back.
//!
//! Each step follows from what is in the store, so a crash between them repeats at most the step.
//! What was said before stays encrypted as it was: who recorded it and has a quantum computer later
//! reads it. The move protects what comes after.

use std::collections::{BTreeMap, BTreeSet};

use openmls::prelude::KeyPackage;
use openmls_traits::types::Ciphersuite;

use super::Engine;
use super::core::Core;
use super::follow::Lost;
use super::group::Group;
use super::io::{EngineError, Event, Failure, Intent};
use super::means::Means;
use super::mls::{self, Changes, Psk, Seat, Snapshot};
use super::package::Wish;
use super::plan::Wanted;
use super::records::{
    GroupRecord, IntentBody, IntentRecord, IntentStatus, MovedRecord, PeerRecord, RoleRecord,
    Status,
};
use super::rules::{BEFORE, GroupRules, Successor};
use super::welcome::joiners;
use crate::policy::{Floor, Right, Role};
use crate::wire::Stay;
use crate::{Address, GroupId, IntentId, StateId, Time, Topic};

/// For how many retries key packages are waited for.
const GATHER: u64 = 30;
/// After how many settle times a state that most members are in is good enough.
const STAND: u64 = 5;
/// After how many settle times a move is called back that nobody carries out.
const CALL_BACK: u64 = 60;
/// The epoch that the founding commit leads to.
pub(super) const FOUNDED: u64 = 1;

/// A group that somebody has invited to.
pub(super) struct Next<'a> {
    pub(super) group: GroupId,
    pub(super) suite: Ciphersuite,
    pub(super) rules: &'a GroupRules,
    /// The names of the pre-shared keys in its Welcome.
    pub(super) psks: &'a [Vec<u8>],
}

/// The name of the pre-shared key between a group and its successor.
fn psk_name(group: GroupId, state: StateId) -> Vec<u8> {
    [&b"trellis successor v1"[..], &group.0, &state.0].concat()
}

impl Group {
    /// What a wish to move the group means now.
    pub(super) fn means_migrate(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        suite: Ciphersuite,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let present = self.suite()?;
        if suite == present {
            return Ok(Means::Happened);
        }
        if !self.takes(core, suite)? {
            return Ok(Means::Never(Failure::Suite));
        }
        if !self.rules.allows(&core.me.identity.address, Right::Migrate) {
            return Ok(Means::Never(Failure::NotAllowed));
        }
        let tip = self.tip().id;
        if !core.with(self.id, tip, |_, snapshot| Ok(snapshot.all_support(suite)))?? {
            return Ok(Means::Never(Failure::Suite));
        }
        let Some(intent) = self.intents.get(id) else { return Ok(Means::Wait) };
        let have: Vec<_> = packages(core, intent, suite)
            .into_iter()
            .map(|(_, identity)| identity.device)
            .collect();
        let mut lacking: Vec<Address> = self
            .others(core)
            .filter(|seat| !have.contains(&seat.identity.device))
            .map(|seat| seat.identity.address)
            .collect();
        lacking.dedup();
        let retry = core.config.retry;
        if !lacking.is_empty() && now.since(intent.created) < retry.times(GATHER) {
            if now >= intent.next {
                for address in &lacking {
                    core.ask_key_package(address, suite.into(), &[])?;
                }
                if let Some(intent) = self.intents.get_mut(id) {
                    intent.next = now + retry.times(2);
                }
                self.save_intent(core, id)?;
            }
            self.plan_at(now + retry);
            return Ok(Means::Wait);
        }
        let group = GroupId(core.random()?);
        wanted.rules.successor = Some(Successor { group, suite: suite.into() });
        Ok(Means::Commit)
    }

    /// Calls a move back that is not carried out, because nobody hears whoever wanted it, or he nobody.
    pub(super) fn call_back(&mut self, core: &Core, now: Time, wanted: &mut Wanted) {
        let may = self.rules.allows(&core.me.identity.address, Right::Migrate);
        if !may || self.rules.successor.is_none() {
            return;
        }
        let tip = &self.tip().record;
        let due = tip.born + self.rules.policy.settle.times(CALL_BACK);
        if due <= now {
            tracing::debug!(group = ?self.id, "calls a move back");
            wanted.rules.successor = None;
        } else {
            self.plan_at(due);
        }
    }

    /// Whether this client is to found the successor now.
    fn founds_successor(&self, core: &Core, now: Time) -> Option<(IntentId, Successor)> {
        let successor = self.rules.successor.clone()?;
        let going = self.split.as_ref().is_some_and(|split| split.over.is_some());
        if !self.is_active() || going {
            return None;
        }
        let tip = self.tip();
        let own = |intent: &&IntentRecord| matches!(intent.intent, IntentBody::Migrate(_));
        let (id, _) = self.intents.iter().find(|(_, intent)| {
            own(intent)
                && matches!(intent.status, IntentStatus::At(_, at) | IntentStatus::Done(at)
                    if at == tip.record.height)
        })?;
        let by_us = tip.record.origin.as_ref().is_some_and(|o| o.device == core.me.identity.device);
        let others = self.others(core).count();
        let there = self.peers.values().filter(|peer| peer.heard == Some(tip.id)).count();
        let stood = now.since(tip.record.born) >= self.rules.policy.settle.times(STAND);
        let ready = self.record.root == tip.id || stood && there * 2 > others;
        (by_us && ready).then_some((*id, successor))
    }

    /// The pre-shared key between this group and its successor, in the newest state.
    fn psk(&self, core: &mut Core, successor: GroupId) -> Result<Psk, EngineError> {
        let tip = self.tip().id;
        let secret = core.with(self.id, tip, |_, snapshot| {
            snapshot.export("trellis successor", &successor.0)
        })??;
        Ok(Psk { name: psk_name(self.id, tip), secret })
    }

    /// The group goes on under another name. Of a branch that the move was not on, those are brought
    /// along who came in above the fork; the others are for those who know whether they still belong.
    fn moved(
        &mut self,
        core: &mut Core,
        now: Time,
        (to, suite): (GroupId, u16),
        fork: Option<u64>,
    ) -> Result<(), EngineError> {
        let before = fork.map(|fork| self.members_at(fork)).unwrap_or_default();
        // Who was brought in by somebody does not know where the sides parted, if they did.
        let named = self.rules.successor.as_ref().is_some_and(|next| next.group == to);
        tracing::debug!(group = ?self.id, ?to, ?fork, named, "has moved");
        let members: Vec<_> = self.seats.iter().map(|seat| seat.identity.device).collect();
        let late = members.iter().copied().filter(|device| !before.contains(device)).collect();
        let roles = self.rules.roles().filter(|(_, role)| *role > Role::Member);
        self.record.moved = Some(MovedRecord {
            to,
            suite,
            fork: fork.unwrap_or(if named { self.tip().record.height } else { 0 }),
            stay: core.last_stay()?,
            members,
            late,
            least: self.floor()?,
            roles: roles.map(|(address, role)| RoleRecord { address, role }).collect(),
        });
        self.erase_states(core, now)?;
        self.chain.clear();
        self.split = None;
        (self.record.status, self.record.since) = (Status::Moved, now);
        self.next_beacon = core.soon(now, self.heartbeat(core))?;
        self.save(core)?;
        core.tell(Event::Migrated { from: self.id, to });
        Ok(())
    }

    /// Remembers groups in whose histories messages of this one may be.
    pub(super) fn add_kin(&mut self, groups: Vec<GroupId>) {
        let id = self.id;
        let kin = &mut self.record.kin;
        for group in groups {
            if group != id && !kin.contains(&group) {
                kin.push(group);
            }
        }
        kin.drain(..kin.len().saturating_sub(BEFORE));
    }

    /// What a successor has to protect against.
    pub(super) fn floor(&self) -> Result<Floor, EngineError> {
        match &self.record.moved {
            Some(moved) => Ok(moved.floor()),
            None => Ok(self.rules.policy.floor.join(Floor::kept_after(self.suite()?))),
        }
    }

    pub(super) fn suite(&self) -> Result<Ciphersuite, EngineError> {
        self.record.suite.try_into().map_err(|_| EngineError::Suite)
    }
}

/// The topic of a successor: `SHA-256("trellis successor topic v1" || topic of the group before it ||
/// name of the successor)`. If it were chosen freely, who founds the successor twice could have one half
/// of the members listen to one topic, and the other half to another.
fn successor_topic(core: &Core, old: &Topic, to: &GroupId) -> Topic {
    Topic(core.hash(&[&b"trellis successor topic v1"[..], &old.0, &to.0].concat()))
}

/// The roles in a successor: those of the accounts that have moved along. A group has an owner, and
/// who may move it may do so in the place of one.
fn roles_after(
    old: &GroupRules,
    founder: &Address,
    accounts: &BTreeSet<Address>,
) -> BTreeMap<Address, Role> {
    let mut roles: BTreeMap<_, _> =
        old.roles().filter(|(address, _)| accounts.contains(address)).collect();
    if !roles.values().any(|role| *role == Role::Owner) {
        roles.insert(*founder, Role::Owner);
    }
    roles
}

/// The key packages that an intent has, as far as they are good for a suite.
fn packages(
    core: &Core,
    intent: &IntentRecord,
    suite: Ciphersuite,
) -> Vec<(KeyPackage, crate::identity::LeafIdentity)> {
    intent
        .key_packages
        .iter()
        .filter_map(|package| mls::check_key_package(&core.crypto, suite, package.as_slice()).ok())
        .collect()
}

impl Engine {
    /// Founds the successors of groups that are ready for it.
    pub(super) fn found_successor(&mut self, now: Time, id: GroupId) -> Result<(), EngineError> {
        let Some(Some(group)) = self.groups.get(&id) else { return Ok(()) };
        let Some((intent_id, successor)) = group.founds_successor(&self.core, now) else {
            return Ok(());
        };
        if self.groups.contains_key(&successor.group) {
            return Ok(());
        }
        let Some(intent) = group.intents.get(&intent_id).cloned() else { return Ok(()) };
        let suite: Ciphersuite = successor.suite.try_into().map_err(|_| EngineError::Suite)?;
        let members: Vec<_> =
            group.seats.iter().map(|seat| (seat.identity.clone(), seat.stay)).collect();
        let old = group.rules.clone();
        // Who has not come in yet can't have the pre-shared key, and who leaves does not come along.
        let along: BTreeSet<_> = group
            .seats
            .iter()
            .filter(|seat| !group.leaves(seat))
            .map(|seat| seat.identity.device)
            .filter(|device| group.peers.get(device).is_some_and(PeerRecord::was_heard))
            .collect();
        let gone: BTreeSet<_> =
            group.leavers(&self.core).map(|seat| seat.identity.address).collect();
        let core = &mut self.core;
        let psk = group.psk(core, successor.group)?;
        let me = core.me.identity.clone();

        let add: Vec<_> = packages(core, &intent, suite)
            .into_iter()
            .filter(|(_, identity)| along.contains(&identity.device) && *identity != me)
            .collect();
        let there = |address: &Address| {
            *address == me.address || add.iter().any(|(_, identity)| identity.address == *address)
        };
        let topic = successor_topic(core, &old.topic, &successor.group);
        let mut rules = GroupRules::new(topic, &old.name(), old.policy.clone(), me.address);
        rules.predecessors.clone_from(&old.predecessors);
        rules.predecessors.push(id);
        let excess = rules.predecessors.len().saturating_sub(BEFORE);
        rules.predecessors.drain(..excess);
        rules.set_role(me.address, Role::Member);
        let accounts: BTreeSet<_> = members
            .iter()
            .map(|(member, _)| member.address)
            .filter(|address| there(address))
            .collect();
        for (address, role) in roles_after(&old, &me.address, &accounts) {
            rules.set_role(address, role);
        }
        let mut late: BTreeMap<Address, Vec<Stay>> = BTreeMap::new();
        for (member, stay) in members {
            if !there(&member.address) && !gone.contains(&member.address) {
                let stay = stay.map(|number| core.stay(id, &member.device, number));
                late.entry(member.address).or_default().extend(stay);
            }
        }

        let (leaf, stay) = (core.leaf(suite, now)?, core.next_stay()?);
        let founded = Snapshot::found(&core.crypto, (&leaf, stay), successor.group, suite, &rules)?;
        let add: Vec<_> = add.into_iter().map(|(package, _)| package).collect();
        let joiners = joiners(core, &add)?;
        let changes = Changes { add, psk: Some(psk), ..Changes::default() };
        let made = founded.commit(&leaf, changes)?;
        let record = GroupRecord::new(suite.into(), topic, None, now);
        let mut next = Group::new(successor.group, record, rules, now);
        next.begin(core, now, made.child)?;
        if let Some(welcome) = made.welcome {
            next.keep_welcomes(core, now, &welcome, &joiners)?;
        }
        core.outputs.push(super::io::Output::Subscribe(topic));
        tracing::debug!(group = ?id, to = ?successor.group, ?along, ?gone, ?late, "founds the successor");
        for (address, stays) in late {
            let wish = Wish { intent: Intent::Invite(address), stays };
            next.intend_again(core, now, wish)?;
            let role = old.role(&address);
            if role != Role::Member {
                next.intend(core, now, Intent::SetRole(address, role))?;
            }
        }
        core.tell(Event::Joined { group: successor.group, by: None });
        self.topics.insert(topic, successor.group);
        self.groups.insert(successor.group, Some(next));
        self.with_group(now, id, |group, core| {
            let height = group.tip().record.height;
            group.set_intent(core, intent_id, IntentStatus::Done(height))
        })?;
        self.leave_predecessor(now, id, successor.group)?;
        self.settle_successor(now, id, successor.group)
    }

    /// The pre-shared keys of groups that are about to move: a Welcome to a successor needs its.
    pub(super) fn successor_psks(&mut self) -> Result<Vec<Psk>, EngineError> {
        let mut psks = Vec::new();
        for group in self.groups.values().flatten() {
            if let Some(successor) = &group.rules.successor
                && group.is_active()
            {
                psks.push(group.psk(&mut self.core, successor.group)?);
            }
        }
        Ok(psks)
    }

    /// The newest of the groups before one that this device knows.
    fn newest_before(&self, rules: &GroupRules) -> Option<GroupId> {
        rules.predecessors.iter().rev().find(|old| self.groups.contains_key(*old)).copied()
    }

    /// The groups that this device leaves by being in another one.
    pub(super) fn left_behind(
        &self,
        id: GroupId,
        rules: &GroupRules,
    ) -> Result<BTreeSet<GroupId>, EngineError> {
        let mut olds = self.followed_to(id)?;
        let active = self.groups_where(|record| record.status == Status::Active)?;
        olds.retain(|old| active.contains(old));
        olds.extend(self.newest_before(rules));
        Ok(olds)
    }

    /// Whether a group that says that it is the successor of one of ours is, as far as we can tell:
    /// its topic follows from the old one, the old group named it, the suite is the one it named, the
    /// founding commit has the key that only members have, nobody is in it who was not in the old group, and its rules are the same.
    pub(super) fn is_successor(
        &mut self,
        now: Time,
        next: &Next<'_>,
        snapshot: &Snapshot,
        inviter: Option<&Seat>,
    ) -> Result<bool, EngineError> {
        let Some(old) = self.newest_before(next.rules) else { return Ok(true) };
        let (device, inviter) =
            (inviter.map(|seat| seat.identity.device), inviter.map(|seat| &seat.identity.address));
        let (id, suite, psks) = (next.group, next.suite, next.psks);
        let direct = next.rules.predecessors.last() == Some(&old);
        let judged = self.with_group(now, old, |group, core| {
            if direct && next.rules.topic != successor_topic(core, &group.record.topic, &id) {
                return Ok(false);
            }
            let follows = group.follows(id);
            match group.record.status {
                Status::Active => {}
                // Who was put out of the successor may be invited to it again.
                Status::Moved => {
                    let here = group.record.moved.as_ref().is_some_and(|moved| moved.to == id);
                    return Ok(here || follows);
                }
                Status::Leaving | Status::Out => return Ok(true),
            }
            let Some(inviter) = inviter else { return Ok(false) };
            let was_in = |address: &Address| {
                group.seats.iter().any(|seat| seat.identity.address == *address)
            };
            let strong = Floor::of(suite).covers(group.floor()?);
            let named = group.rules.successor.as_ref().is_some_and(|successor| {
                successor.group == id && successor.suite == u16::from(suite)
            });
            let bound = psks.contains(&psk_name(group.id, group.tip().id));
            let roster = snapshot.roster();
            let accounts: BTreeSet<_> = roster.iter().map(|seat| seat.identity.address).collect();
            let same = accounts.iter().all(was_in)
                && next.rules.policy == group.rules.policy
                && next.rules.roles().eq(roles_after(&group.rules, inviter, &accounts));
            let late = snapshot.epoch() > FOUNDED
                && group.rules.allows(inviter, Right::Migrate)
                && was_in(inviter);
            let brought = device.is_some() && device == group.record.inviter;
            tracing::debug!(group = ?group.id, to = ?id, strong, named, bound, same, late, brought, follows, "is invited to a successor");
            Ok(strong && (named && bound && same || late || brought || follows))
        })?;
        Ok(judged.unwrap_or(true))
    }

    /// After joining a successor, the old group is done.
    pub(super) fn leave_predecessor(
        &mut self,
        now: Time,
        old: GroupId,
        to: GroupId,
    ) -> Result<(), EngineError> {
        let suite = self.with_group(now, to, |group, _| Ok(group.record.suite))?;
        let to = (to, suite.unwrap_or_default());
        let rival = self.with_group(now, old, |group, core| {
            let fork = group.parted(to.0).unwrap_or(0);
            let there = group.members_at(fork);
            let Some(moved) = group.record.moved.as_mut().filter(|moved| moved.to != to.0) else {
                return Ok(None);
            };
            let rival = moved.to;
            (moved.to, moved.suite, moved.fork) = (to.0, to.1, moved.fork.min(fork));
            moved.late.retain(|device| !there.contains(device));
            group.rivals.clear();
            group.save(core)?;
            Ok(Some((rival, group.lose(core, now, fork)?)))
        })?;
        // What was said and done in another successor than the one that is kept is lost there, and in the
        // old group what was done since the sides of the two have parted.
        let (group, fork, before) = match rival.flatten() {
            Some((rival, lost)) => (rival, Some(0), Some(lost)),
            None => (old, None, None),
        };
        let left = self.with_group(now, group, |group, core| {
            let id = group.id;
            if !group.is_active() {
                return Ok(None);
            }
            let named = group.rules.successor.as_ref().is_some_and(|next| next.group == to.0);
            let fork = fork.or_else(|| group.parted(to.0).filter(|_| !named));
            // Who is not told where the sides parted may have noticed, and has else at most lost what was
            // not final.
            let noticed = group.fork_height();
            let fork = fork.map(|fork| match group.split.as_ref().and_then(|split| split.over) {
                Some(_) => fork.min(noticed),
                None => fork,
            });
            let lost = match fork.or((!named).then_some(noticed)) {
                Some(fork) => group.lose(core, now, fork)?,
                None => {
                    let unheard = group.unheard(core)?.into_values().collect();
                    // Who was invited and is not in yet is invited where the group goes on, and who was to
                    // be removed is removed there.
                    let open = group.intents.values();
                    let open = open.filter(|intent| intent.status == IntentStatus::Open);
                    let members = open.filter_map(|intent| Wish::of(core, id, intent)).collect();
                    Lost { members, unheard }
                }
            };
            let leaves = group.asked_to_leave();
            let mut gone: BTreeSet<_> =
                group.leavers(core).map(|seat| seat.identity.device).collect();
            // Who left on our side alone may have been brought along from the other.
            if let Some(fork) = fork {
                let members = group.members_at(fork);
                let left = group.leaves.keys().filter(|device| group.seat(device).is_none());
                gone.extend(left.filter(|device| members.contains(device)));
            }
            // Who may remove them in the successor has to know.
            if !gone.is_empty() {
                group.say_words(core, now, None)?;
            }
            let upto = |device| Some((device, group.leaves.get(&device)?.leave.upto));
            let gone: Vec<_> = gone.into_iter().filter_map(upto).collect();
            group.moved(core, now, to, fork)?;
            let mut kin = group.record.kin.clone();
            kin.push(group.id);
            Ok(Some((lost, leaves, gone, kin)))
        })?;
        // What was said there has been carried along to the other successor.
        if let Some(Lost { members, .. }) = before {
            self.redo_after_move(now, to.0, Lost { members, unheard: Vec::new() })?;
        }
        let Some((lost, leaves, gone, kin)) = left.flatten() else { return Ok(()) };
        self.with_group(now, to.0, |group, core| {
            group.add_kin(kin);
            group.save(core)?;
            for (device, upto) in gone {
                group.let_go(core, now, device, upto)?;
            }
            if leaves {
                group.intend(core, now, Intent::Leave)?;
            }
            Ok(())
        })?;
        self.shorten(now, group, to)?;
        self.redo_after_move(now, to.0, lost)
    }
}
