//! The engine: everything that decides, without a network, a clock or randomness of its own.
//!
//! Bytes, commands and the time go in; [`Output`]s come out. Each call is one step: what it changes
//! is written in one transaction, and nothing comes out of a step that was not carried out.
//!
//! | file | subject |
//! |---|---|
//! | `rule` | which of several commits on one state wins |
//! | `law` | which commits a group's rules allow |
//! | `chain` | the chain of states, going forward and back, what becomes final |
//! | `plan`, `means` | from what users want to commits |
//! | `leave` | leaving |
//! | `speak` | messages |
//! | `talk` | beacons and requests |
//! | `answer`, `bindings` | what is given to others who ask |
//! | `welcome`, `join` | Welcomes, key packages, coming in |
//! | `keeping` | what others keep for this device while it is away |
//! | `devices` | the devices of an account: linking, revoking, coming back from a backup |
//! | `heal` | splits that went on for longer than the window |
//! | `doubt` | where the chain that a device was on and the one that it is on now have parted |
//! | `absent` | members who were brought in and have never been heard |
//! | `ward` | those who were brought into a state that was given up |
//! | `migrate` | moving a group to another cipher suite |
//! | `follow` | those who were cut off while it moved |
//! | `inbound` | what comes in on the topic of a group |
//! | `past` | the states that were on the chain |
//! | `stay` | a device's stay in a group, and the word that ends it |
//! | `inspect` | what simulations look at |
//! | `specimen` | bytes for the specification |
//! | `malice` | what members do in simulations that do not keep to the protocol |
//! | `mls` | OpenMLS, one state at a time |
//! | `fuzzing` | what fuzz targets call, under `cfg(fuzzing)` alone |

mod absent;
mod answer;
mod bindings;
mod chain;
mod connected;
mod core;
mod devices;
mod doubt;
mod follow;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group;
pub(crate) mod handle;
mod heal;
mod inbound;
#[cfg(feature = "simulator")]
pub(crate) mod inspect;
mod io;
mod join;
mod keeping;
mod law;
mod lead;
mod leave;
#[cfg(feature = "simulator")]
pub(crate) mod malice;
mod means;
mod migrate;
mod mls;
mod package;
mod parts;
mod past;
mod plan;
mod records;
mod rule;
mod rules;
mod speak;
#[cfg(feature = "simulator")]
pub mod specimen;
mod stay;
mod talk;
#[cfg(test)]
mod tests;
mod view;
mod ward;
mod welcome;

use std::collections::BTreeMap;

use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::TrellisCrypto;

pub use self::core::Config;
use self::core::{Core, Device};
use self::devices::Devices;
pub use self::devices::Linking;
use self::group::Group;
pub use self::io::{Change, Changed, EngineError, Event, Failure, Intent, Outcome, Output};
use self::join::Joining;
use self::mls::Snapshot;
use self::records::{GroupRecord, JoinRecord, Status};
use self::rules::{GroupRules, MAX_NAME};
use self::talk::Matter;
pub use self::view::{GroupView, MemberView};
use crate::identity::{AccountKeys, Binding, DeviceKeys, LeafIdentity};
use crate::message::{Delivery, Message};
use crate::policy::{Floor, Policy};
use crate::store::{Space, Store};
use crate::{Address, GroupId, IntentId, MessageId, Time, Topic, wire};

/// The longest thing that travels in parts: a ratchet tree or a commit that adds many.
pub(crate) const MAX_WHOLE: usize = 16 << 20;
/// How many states a client keeps at most, whatever is final.
pub(crate) const MAX_WINDOW: usize = 64;
/// How many key packages are collected for one intent.
pub(crate) const MAX_PACKAGES: usize = 1024;

/// The engine of one device.
pub struct Engine {
    core: Core,
    groups: BTreeMap<GroupId, Option<Group>>,
    topics: BTreeMap<Topic, GroupId>,
    inbox: Topic,
    /// By the digest of the Welcome.
    joining: BTreeMap<[u8; 32], Joining>,
    /// When a group that is not in memory has to be looked at.
    due: BTreeMap<GroupId, Time>,
    key_packages: usize,
    given: (u32, Time),
    /// When key packages of a suite were last left with somebody.
    deposited: BTreeMap<(u64, u16), Time>,
    devices: Devices,
    /// Until when it says where it stands because the network was there.
    stands: Time,
}

impl Engine {
    /// The engine on a store; whatever was going on when it was last used goes on.
    ///
    /// A new store gets an account with this device as its first.
    ///
    /// # Errors
    ///
    /// Those of the store, [`EngineError::Randomness`], and [`EngineError::NotLinked`] if the store is
    /// that of a device that waits to be linked, see [`Linking`].
    pub fn open(
        mut store: Store,
        crypto: TrellisCrypto,
        now: Time,
        config: Config,
    ) -> Result<Self, EngineError> {
        store.begin()?;
        let me = match device(&mut store, &crypto, now, &config) {
            Ok(me) => me,
            Err(error) => {
                store.rollback();
                return Err(error);
            }
        };
        store.commit()?;
        let core = Core::new(store, crypto, config, me)?;
        let inbox = core.inbox(&core.me.identity.address);
        let devices = Devices::load(&core)?;
        let mut engine = Self {
            core,
            groups: BTreeMap::new(),
            topics: BTreeMap::new(),
            inbox,
            joining: BTreeMap::new(),
            due: BTreeMap::new(),
            key_packages: 0,
            given: (0, now),
            deposited: BTreeMap::new(),
            devices,
            stands: Time::default(),
        };
        engine.core.outputs.push(Output::Subscribe(inbox));
        engine.keep_inbox()?;
        engine.step(|engine| engine.resume(now))?;
        Ok(engine)
    }

    /// Finds the groups and the Welcomes in the store.
    fn resume(&mut self, now: Time) -> Result<(), EngineError> {
        for (key, value) in self.core.store.scan(Space::Group, &[])? {
            let (Some(id), Some(record)) =
                (GroupId::from_slice(&key), wire::decode::<GroupRecord>(&value))
            else {
                continue;
            };
            self.groups.insert(id, None);
            self.core.keep(&record)?;
            self.topics.insert(record.topic, id);
            // Who has left may still have to say so.
            let keys = || self.core.store.scan_from(Space::BeaconKey, &id.0, &[], 1);
            if record.status != Status::Out || !keys()?.is_empty() {
                self.core.outputs.push(Output::Subscribe(record.topic));
                let due = self.core.soon(now, self.core.config.heartbeat)?;
                self.due.insert(id, due);
            }
        }
        for (name, value) in self.core.store.scan(Space::Pending, &[])? {
            let record = wire::decode::<JoinRecord>(&value);
            // Its key package may have been used, or have gone for newer ones.
            let goes_on = match record {
                Some(record) => self.begin_join(now, record)?,
                None => false,
            };
            if !goes_on {
                self.core.store.delete(Space::Pending, &[], &name)?;
            }
        }
        self.key_packages = self.core.store.scan(Space::KeyPackage, &[])?.len();
        self.resume_devices()
    }

    /// The store, as the last step left it.
    #[must_use]
    pub fn into_store(self) -> Store {
        self.core.store
    }

    /// The store, for what only it can do: backups, and making it fail.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.core.store
    }

    /// The account.
    #[must_use]
    pub fn address(&self) -> Address {
        self.core.me.identity.address
    }

    /// This device of it.
    #[must_use]
    pub fn device(&self) -> crate::DeviceId {
        self.core.me.identity.device
    }

    /// Founds a group with this account as its owner.
    ///
    /// # Errors
    ///
    /// [`EngineError::TooLarge`] for the name, [`EngineError::Suite`] for a suite that this client
    /// does not have, [`EngineError::NotAllowed`] for one below the policy's floor.
    pub fn create_group(
        &mut self,
        now: Time,
        name: &str,
        suite: Ciphersuite,
        policy: Policy,
    ) -> Result<GroupId, EngineError> {
        if name.len() > MAX_NAME {
            return Err(EngineError::TooLarge { what: "the name", limit: MAX_NAME });
        }
        if !Floor::of(suite).covers(policy.floor) {
            return Err(EngineError::NotAllowed);
        }
        if self.devices.revoked {
            return Err(EngineError::Revoked);
        }
        self.step(|engine| {
            let core = &mut engine.core;
            let id = GroupId(core.random()?);
            let topic = Topic(core.random()?);
            let rules = GroupRules::new(topic, name, policy, core.me.identity.address);
            let (leaf, stay) = (core.leaf(suite, now)?, core.next_stay()?);
            let snapshot = Snapshot::found(&core.crypto, (&leaf, stay), id, suite, &rules)?;
            let record = GroupRecord::new(suite.into(), topic, None, now);
            let mut group = Group::new(id, record, rules, now);
            group.begin(core, now, snapshot)?;
            core.outputs.push(Output::Subscribe(topic));
            core.tell(Event::Joined { group: id, by: None });
            engine.topics.insert(topic, id);
            engine.groups.insert(id, Some(group));
            engine.settle_devices(now, id, |_| true)?;
            Ok(id)
        })
    }

    /// Wants a change of a group.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], [`EngineError::NotInGroup`], [`EngineError::TooLarge`].
    pub fn intend(
        &mut self,
        now: Time,
        group: GroupId,
        intent: Intent,
    ) -> Result<IntentId, EngineError> {
        self.in_group(now, group, |group, core| group.intend(core, now, intent))
    }

    /// Says something to a group.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], [`EngineError::NotInGroup`], [`EngineError::Message`].
    pub fn send(
        &mut self,
        now: Time,
        group: GroupId,
        message: Message,
    ) -> Result<MessageId, EngineError> {
        self.in_group(now, group, |group, core| group.speak(core, now, &message))
    }

    /// An envelope has come in.
    ///
    /// # Errors
    ///
    /// Those of the store. What is wrong with the envelope is no error: anyone can send anything.
    pub fn receive(&mut self, now: Time, topic: Topic, bytes: &[u8]) -> Result<(), EngineError> {
        self.receive_all(now, [(topic, bytes)])
    }

    /// Several envelopes have come in: the same in one step, so that the disk is waited for once.
    ///
    /// # Errors
    ///
    /// Those of the store; then none of them has been taken.
    pub fn receive_all<'a>(
        &mut self,
        now: Time,
        envelopes: impl IntoIterator<Item = (Topic, &'a [u8])>,
    ) -> Result<(), EngineError> {
        let fits = |(_, bytes): &(Topic, &[u8])| bytes.len() <= wire::MAX_ENVELOPE;
        let mut envelopes = envelopes.into_iter().filter(fits).peekable();
        if envelopes.peek().is_none() {
            return Ok(());
        }
        self.step(|engine| envelopes.try_for_each(|(topic, bytes)| engine.take(now, topic, bytes)))
    }

    fn take(&mut self, now: Time, topic: Topic, bytes: &[u8]) -> Result<(), EngineError> {
        if topic == self.inbox {
            return self.take_inbox(now, bytes);
        }
        self.take_while_joining(now, topic, bytes)?;
        if let Some(group) = self.topics.get(&topic).copied() {
            let left_after = self.left_after(now, &group)?;
            self.with_group(now, group, |group, core| {
                group.left_after = left_after;
                group.take(core, now, bytes)
            })?;
            self.lead(now, group)?;
            self.catch_up(now, group)?;
        }
        Ok(())
    }

    /// Somebody asks on a topic that this client listens to.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn asked(
        &mut self,
        now: Time,
        asker: u64,
        topic: Topic,
        question: &[u8],
    ) -> Result<(), EngineError> {
        if topic != self.inbox {
            return Ok(());
        }
        self.step(|engine| engine.give_key_package(now, asker, question))
    }

    /// Somebody has answered.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn answered(&mut self, now: Time, answer: &[u8]) -> Result<(), EngineError> {
        self.step(|engine| engine.take_answer(now, answer))
    }

    /// The transport has taken what an [`Output::Publish`] with this ticket gave it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn published(&mut self, ticket: u64) -> Result<(), EngineError> {
        self.step(|engine| {
            if let Some((group, message)) = engine.core.published(ticket)? {
                speak::delivered_id(&mut engine.core, group, message, Delivery::Sent)?;
            }
            Ok(())
        })
    }

    /// Time has passed.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn tick(&mut self, now: Time) -> Result<(), EngineError> {
        let unloaded = self.due.iter().filter(|(_, due)| **due <= now).map(|(id, _)| *id);
        let loaded = self.groups.iter().filter_map(|(id, group)| {
            group.as_ref().is_some_and(|group| group.deadline() <= Some(now)).then_some(*id)
        });
        let mut due: Vec<_> = unloaded.chain(loaded).collect();
        due.sort_unstable();
        due.dedup();
        let joins: Vec<_> = self
            .joining
            .iter()
            .filter(|(_, joining)| joining.record.next <= now)
            .map(|(welcome, _)| *welcome)
            .collect();
        if self.core.erasure_due(now) {
            self.core.erase_now(now)?;
        }
        let call = self.next_call().is_some_and(|next| next <= now);
        if due.is_empty() && joins.is_empty() && !call {
            return Ok(());
        }
        self.step(|engine| {
            engine.call(now)?;
            for group in due {
                engine.with_group(now, group, |group, core| group.tick(core, now))?;
                engine.lead(now, group)?;
                engine.found_successor(now, group)?;
            }
            for welcome in joins {
                engine.ask_for_tree(now, &welcome)?;
            }
            Ok(())
        })
    }

    /// When [`tick`](Self::tick) has something to do next.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let loaded = self.groups.values().flatten().filter_map(Group::deadline);
        let joins = self.joining.values().map(|joining| joining.record.next);
        let erasure = self.core.next_erasure();
        let call = self.next_call();
        loaded.chain(self.due.values().copied()).chain(joins).chain(erasure).chain(call).min()
    }

    /// What there is to do for the caller, in order, each once.
    pub fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.core.outputs)
    }

    // Steps

    /// One step: all of it happens, or none.
    fn step<T>(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let outputs = self.core.outputs.len();
        self.core.store.begin()?;
        let done = action(self).and_then(|done| {
            self.core.store.commit()?;
            Ok(done)
        });
        if done.is_err() {
            self.core.store.rollback();
            self.core.outputs.truncate(outputs);
            self.core.forget();
            // What is in memory may be ahead of the store.
            for (id, group) in &mut self.groups {
                if let Some(group) = group.take() {
                    self.due.insert(*id, group.deadline().unwrap_or_default());
                }
            }
            if let Ok(devices) = Devices::load(&self.core) {
                self.devices = devices;
            }
        }
        done
    }

    /// A step in a group that exists.
    fn in_group<T>(
        &mut self,
        now: Time,
        id: GroupId,
        action: impl FnOnce(&mut Group, &mut Core) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.step(|engine| engine.with_group(now, id, action)?.ok_or(EngineError::NoGroup))
    }

    /// Does something with a group, and what follows from it.
    fn with_group<T>(
        &mut self,
        now: Time,
        id: GroupId,
        action: impl FnOnce(&mut Group, &mut Core) -> Result<T, EngineError>,
    ) -> Result<Option<T>, EngineError> {
        let Some(place) = self.groups.get_mut(&id) else { return Ok(None) };
        let mut group = match place.take() {
            Some(group) => group,
            None => {
                let Some(record) = self.core.store.get(Space::Group, &[], &id.0)? else {
                    return Ok(None);
                };
                let Some(record) = wire::decode(&record) else { return Ok(None) };
                Group::load(&mut self.core, id, record, now)?
            }
        };
        self.due.remove(&id);
        let tip = group.record.tip;
        let done = action(&mut group, &mut self.core)?;
        if group.record.tip != tip {
            group.retry_parked(&mut self.core, now)?;
            // Once for all commits of a step: those between are nobody's newest state.
            group.release(&mut self.core, now)?;
        }
        if let Some(place) = self.groups.get_mut(&id) {
            *place = Some(group);
        }
        Ok(Some(done))
    }

    /// The groups in which key packages may be waited for.
    fn groups_with_wishes(&self) -> Vec<GroupId> {
        let waits = |group: &Group| {
            let absent = |matter: &Matter| matches!(matter, Matter::Absent(_));
            !group.intents.is_empty() || group.asked.keys().any(absent)
        };
        self.groups
            .iter()
            .filter(|(_, group)| group.as_ref().is_none_or(waits))
            .map(|(id, _)| *id)
            .collect()
    }
}

impl Group {
    /// When there is something to do in the group.
    fn deadline(&self) -> Option<Time> {
        match self.record.status {
            Status::Out => {
                let welcomes = self.welcomes.values().map(|welcome| welcome.next);
                return self.next_plan.into_iter().chain(self.lingers()).chain(welcomes).min();
            }
            Status::Moved => {
                let plan = self.next_plan.unwrap_or(self.next_beacon);
                return Some(self.next_beacon.min(plan));
            }
            Status::Active | Status::Leaving => {}
        }
        let next = [
            Some(self.next_beacon),
            self.next_plan,
            self.behind.map(|(_, due, _)| due),
            self.parked_due(),
            self.answers.values().min().copied(),
            self.welcomes.values().map(|welcome| welcome.next).min(),
            self.split.as_ref().map(|split| split.next),
            self.hold.as_ref().map(|hold| hold.until),
        ];
        next.into_iter().flatten().min()
    }

    /// Does what is due.
    fn tick(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        if self.lingers().is_some_and(|until| until <= now) {
            self.fall_silent(core)?;
        }
        if self.record.status == Status::Out {
            self.welcome(core, now)?;
        }
        if !matches!(self.record.status, Status::Out | Status::Moved) {
            self.answer(core, now)?;
            self.lack(core, now)?;
            self.welcome(core, now)?;
            self.heal(core, now)?;
            self.release(core, now)?;
        }
        if self.next_plan.is_some_and(|next| next <= now) {
            self.retry_parked(core, now)?;
            self.plan(core, now)?;
        }
        if self.next_beacon <= now && !matches!(self.record.status, Status::Out | Status::Moved) {
            self.beacon(core, now)?;
            self.lack_bindings(core, now)?;
            self.finalize(core, now)?;
        }
        Ok(())
    }
}

/// This device as it is in the store, or a new one of a new account.
fn device(
    store: &mut Store,
    crypto: &TrellisCrypto,
    now: Time,
    config: &Config,
) -> Result<Device, EngineError> {
    let keys = store.get(Space::Device, &[], b"keys")?;
    let binding = store.get(Space::Device, &[], b"binding")?;
    let damaged = || EngineError::Mls("the keys in the store are damaged".into());
    let (keys, binding) = match (keys, binding) {
        (Some(keys), Some(binding)) => {
            (DeviceKeys::decode(crypto, &keys).map_err(|_| damaged())?, binding.to_vec())
        }
        // A device that waits to be linked has keys and no account.
        (Some(_), None) => return Err(EngineError::NotLinked),
        _ => {
            let identity = |_| EngineError::Randomness;
            let account = AccountKeys::generate(crypto).map_err(identity)?;
            let keys = devices::new_keys(crypto, config)?;
            let binding = account.bind(keys.public(), now).map_err(identity)?.encode();
            store.put(Space::Account, &[], b"keys", &account.to_bytes())?;
            store.put(Space::Device, &[], b"keys", &keys.encode())?;
            store.put(Space::Device, &[], b"binding", &binding)?;
            (keys, binding)
        }
    };
    let verified = Binding::decode(&binding)
        .and_then(|binding| binding.verify(crypto))
        .map_err(|_| damaged())?;
    let identity = LeafIdentity { address: verified.address(), device: verified.device() };
    Ok(Device { identity, keys, binding })
}
