//! From what users want to commits.
//!
//! An intent is not a commit: it is looked at anew in each state, until it has happened, has become
//! pointless, or can't happen.

use std::collections::BTreeSet;

use openmls::prelude::KeyPackage;

use super::chain::Adoption;
use super::core::Core;
use super::group::Group;
use super::io::{Changed, EngineError, Failure, Intent, Outcome};
use super::law::{self, Facts};
use super::means::Means;
use super::mls::{self, Changes, Seat, Snapshot};
use super::package::Wish;
use super::records::{IntentBody, IntentRecord, IntentStatus, PeerRecord, Status};
use super::rule::Class;
use super::rules::{GroupRules, MAX_NAME};
use super::welcome::joiners;
use crate::identity::LeafIdentity;
use crate::policy::Role;
use crate::store::Space;
use crate::wire::Bundle;
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

impl Group {
    pub(super) fn intend(
        &mut self,
        core: &mut Core,
        now: Time,
        intent: Intent,
    ) -> Result<IntentId, EngineError> {
        self.intend_again(core, now, Wish { intent, stays: Vec::new() })
    }

    /// The same for what was wanted before, and came to nothing.
    pub(super) fn intend_again(
        &mut self,
        core: &mut Core,
        now: Time,
        Wish { intent, stays }: Wish,
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
        let intent = match intent {
            Intent::Leave => IntentBody::Leave(core.last_stay()?),
            intent => intent.into(),
        };
        let record = IntentRecord {
            intent,
            status: IntentStatus::Open,
            created: now,
            order: 1 + self.intents.values().map(|intent| intent.order).max().unwrap_or(0),
            key_packages: Vec::new(),
            stays,
            asked: 0,
            next: now,
        };
        let stranger = match &record.intent {
            IntentBody::Remove(address) => {
                !self.seats.iter().any(|seat| seat.identity.address == *address)
            }
            _ => false,
        };
        // Of two roles for an account the later wish counts, also if the earlier still waits for him.
        if let IntentBody::SetRole(address, _) = &record.intent {
            let earlier = self.intents.iter().filter(|(_, intent)| {
                let same =
                    matches!(&intent.intent, IntentBody::SetRole(other, _) if other == address);
                same && intent.status == IntentStatus::Open
            });
            for earlier in earlier.map(|(id, _)| *id).collect::<Vec<_>>() {
                let height = self.tip().record.height;
                self.set_intent(core, earlier, IntentStatus::Done(height))?;
            }
        }
        self.intents.insert(id, record);
        self.save_intent(core, &id)?;
        if stranger {
            // He may be a member on another side of a split: it is not done.
            self.set_intent(core, id, IntentStatus::failed(Failure::NoSuchMember))?;
        }
        self.next_plan = Some(now);
        Ok(id)
    }

    /// Forgets what was wanted before this device was out; but up to which stay it has left.
    pub(super) fn forget_wishes(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let old = self.intents.iter().filter(|(_, intent)| {
            let ended = matches!(intent.status, IntentStatus::Done(_) | IntentStatus::Failed(_));
            ended && !matches!(intent.intent, IntentBody::Leave(_))
        });
        for id in old.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.intents.remove(&id);
            core.store.delete(Space::Intent, &self.id.0, &id.0)?;
        }
        Ok(())
    }

    /// Forgets the oldest of many intents that are done.
    pub(super) fn forget_intents(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let mut done: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| {
                matches!(intent.status, IntentStatus::Done(_) | IntentStatus::Failed(_))
            })
            .map(|(id, intent)| (intent.order, *id))
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
        self.rejoins.retain(|_, (until, _)| *until > now);
        let mut wanted = Wanted::new(self, core.config.removals);
        let open: Vec<_> = self
            .intents
            .iter()
            .filter(|(_, intent)| intent.status == IntentStatus::Open)
            .map(|(id, intent)| (intent.order, *id))
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
                    // Another may have waited for it.
                    self.plan_at(now);
                }
                Means::Wait => {}
                Means::Commit => wanted.intents.push(id),
            }
        }
        self.finalize(core, now)?;
        // Who leaves is removed by another, and until there is one brings in those who follow.
        let heard =
            |seat: &Seat| self.peers.get(&seat.identity.device).is_some_and(PeerRecord::was_heard);
        if !self.is_active() || self.asked_to_leave() && self.others(core).any(heard) {
            return Ok(());
        }
        self.call_back(core, now, &mut wanted);
        // A group that is about to move rests, and calling it back does nothing else.
        let rests = self.rules.successor.is_some() || wanted.rules.successor.is_some();
        for (device, (_, key_package)) in self.rejoins.iter().filter(|_| !rests) {
            if let Some(seat) = self.seat(device)
                && wanted.remove(seat.leaf)
            {
                wanted.over.push(key_package.clone());
            }
        }
        self.followers.retain(|_, follower| follower.until > now);
        if !rests {
            self.bring_followers(core, &mut wanted);
        }
        // Whoever is removed anyway does not also leave.
        for seat in self.leavers(core).filter(|_| !rests) {
            if !wanted.remove.contains(&seat.leaf) && wanted.remove(seat.leaf) {
                wanted.leavers.push(seat.identity.device);
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

    /// Ends all intents when this client is no longer in the group. What has been committed and is
    /// not final yet may still be rolled back, and nobody will tell this client.
    fn fail_all(&mut self, core: &mut Core, failure: Failure) -> Result<(), EngineError> {
        let height = self.chain.last().map_or(0, |tip| tip.record.height);
        let ended = |intent: &IntentRecord| match (&intent.intent, intent.status) {
            (IntentBody::Leave(_), IntentStatus::Open | IntentStatus::At(..))
                if failure == Failure::NotInGroup =>
            {
                Some(IntentStatus::Done(height))
            }
            // A group that moves takes along what it has come to.
            (_, IntentStatus::At(..)) if failure == Failure::Migrated => {
                Some(IntentStatus::Done(height))
            }
            (_, IntentStatus::Open | IntentStatus::At(..)) => Some(IntentStatus::failed(failure)),
            _ => None,
        };
        let open: Vec<_> =
            self.intents.iter().filter_map(|(id, intent)| Some((*id, ended(intent)?))).collect();
        for (id, status) in open {
            self.set_intent(core, id, status)?;
        }
        Ok(())
    }

    /// Whether the user wants to leave.
    pub(super) fn asked_to_leave(&self) -> bool {
        self.intents.values().any(|intent| {
            matches!(intent.intent, IntentBody::Leave(_)) && intent.status == IntentStatus::Open
        })
    }

    /// Up to which stay this device has said that it leaves.
    pub(super) fn left_upto(&self) -> Option<u64> {
        let intents = self.intents.values();
        let said = intents.filter(|intent| !matches!(intent.status, IntentStatus::Failed(_)));
        said.filter_map(|intent| match intent.intent {
            IntentBody::Leave(upto) => Some(upto),
            _ => None,
        })
        .max()
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
        self.drop_roles(&mut wanted);
        let words = wanted.leavers.iter().filter_map(|device| self.leaves.get(device));
        let leaves = words.map(|record| record.leave.clone()).collect();
        let joiners = joiners(core, &wanted.add)?;
        let rules = (wanted.rules != self.rules).then(|| wanted.rules.clone());
        let changes = Changes {
            add: wanted.add,
            remove: wanted.remove.iter().copied().collect(),
            rules,
            leaves,
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
                return Ok(());
            }
        };
        let facts = self.own_facts(core, &made.child, &wanted.devices, &wanted.leavers)?;
        let bundle = Bundle {
            parent: tip,
            class: facts.class as u8,
            leaf: facts.leaf,
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

    /// Takes the roles of accounts that no device stays of; if none is owner then, the heir is.
    fn drop_roles(&self, wanted: &mut Wanted) {
        let over = &wanted.devices;
        let stays: BTreeSet<Address> = self
            .seats
            .iter()
            .filter(|seat| {
                !wanted.remove.contains(&seat.leaf) || over.contains(&seat.identity.device)
            })
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
        // The last owner may leave where nobody knew yet that another was to be one.
        let owner = wanted.rules.roles().any(|(_, role)| role == Role::Owner);
        if let Some(heir) = self.rules.heir(&stays).filter(|_| !owner) {
            wanted.rules.set_role(heir, Role::Owner);
        }
    }

    /// What a commit of one's own does, as others will judge it.
    fn own_facts(
        &self,
        core: &Core,
        child: &Snapshot,
        added: &[DeviceId],
        leavers: &[DeviceId],
    ) -> Result<Facts, EngineError> {
        let me = core.me.identity.clone();
        let leaf = self.seat(&me.device).map(|seat| seat.leaf).ok_or(EngineError::NotInGroup)?;
        let after = child.roster();
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
            if !leavers.contains(&identity.device) {
                class = Class::Removal;
            }
            changes.push(Changed::Removed(identity.address, identity.device));
        }
        let rules = child.rules()?;
        changes.extend(law::differences(&self.rules, &rules));
        Ok(Facts { leaf, by: me, class, changes, words: Vec::new() })
    }

    /// What became of an intent.
    pub(super) fn outcome(&self, id: &IntentId) -> Option<Outcome> {
        self.intents.get(id).map(|intent| intent.status.outcome())
    }
}

/// What goes into the next commit.
pub(super) struct Wanted {
    pub(super) add: Vec<KeyPackage>,
    pub(super) devices: Vec<DeviceId>,
    remove: BTreeSet<u32>,
    /// Those among them who leave.
    leavers: Vec<DeviceId>,
    /// How many leaves may go.
    removals: usize,
    /// Key packages of devices that come over.
    pub(super) over: Vec<Vec<u8>>,
    pub(super) rules: GroupRules,
    pub(super) rotate: bool,
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

    /// Whether a leaf goes.
    pub(super) fn removes(&self, leaf: u32) -> bool {
        self.remove.contains(&leaf)
    }

    /// Whether one more leaf may go.
    fn room(&self) -> bool {
        self.remove.len() < self.removals
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
        let nobody = self.add.is_empty() && self.over.is_empty() && self.remove.is_empty();
        nobody && same && !self.rotate
    }
}
