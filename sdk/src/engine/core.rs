//! What all groups of an engine share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use openmls::prelude::Lifetime;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{Ciphersuite, HashType};
use openmls_trellis_crypto::TrellisCrypto;
use tls_codec::VLBytes;

use super::io::{EngineError, Event, Output};
use super::mls::{self, Leaf, Refused, Snapshot};
use super::records::{InGroup, KeyPackageRecord, OutboxRecord};
use super::rules::Use;
use crate::identity::{Binding, DeviceKeys, LeafIdentity, VerifiedBinding};
use crate::store::{Space, Store};
use crate::wire::{self, Kind};
use crate::{Address, DeviceId, GroupId, MessageId, Span, StateId, Time, Topic};

/// In [`Space::Setting`]: keys have been deleted whose traces are still to be written over.
const ERASE: &[u8] = b"erase";
/// How many leaves this device has made.
const STAYS: &[u8] = b"stays";

/// The numbers of a client that are not its groups' business.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The suites that this client offers key packages for, the best first.
    pub suites: Vec<Ciphersuite>,
    /// How long a key package is valid, in seconds before and after its making.
    pub lifetime: (u64, u64),
    /// How often a client says where it stands when nothing happens.
    pub heartbeat: Span,
    /// How long it waits with saying what it received, so that one word does for many.
    pub acknowledge: Span,
    /// How long it waits for an answer before it asks again; each time twice as long.
    pub retry: Span,
    /// After how long without an answer an invitation fails.
    pub patience: Span,
    /// How long after keys are deleted the store's file is written over where they were.
    pub erase: Span,
    /// How many leaves one commit removes at most. OpenMLS puts several in an order of chance, so
    /// who wants the same bytes from the same seed has one.
    pub removals: usize,
    /// How many snapshots stay in memory.
    pub snapshots: usize,
    /// How many one-time key packages of each suite are left with whoever keeps them for this device.
    pub pool: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            suites: vec![
                Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
                Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
            ],
            lifetime: (3600, 84 * 24 * 3600),
            heartbeat: Span::seconds(10),
            acknowledge: Span::millis(400),
            retry: Span::seconds(1),
            patience: Span::seconds(7 * 24 * 3600),
            erase: Span::seconds(30),
            removals: 64,
            snapshots: 64,
            pool: 0,
        }
    }
}

/// This device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) identity: LeafIdentity,
    pub(super) keys: DeviceKeys,
    pub(super) binding: Vec<u8>,
}

/// What all groups share.
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) crypto: TrellisCrypto,
    pub(super) config: Config,
    pub(super) me: Device,
    pub(super) outputs: Vec<Output>,
    /// Whether something is kept for this device while it is away, as far as was said since it began.
    pub(super) is_kept: bool,
    /// The states that something has been left in for who comes in by them, since it began.
    pub(super) left: BTreeSet<StateId>,
    snapshots: BTreeMap<(GroupId, StateId), Snapshot>,
    recent: VecDeque<(GroupId, StateId)>,
    ticket: u64,
    bindings: BTreeMap<DeviceId, VerifiedBinding>,
    /// When keys were first deleted after the file was last written over, and when that was.
    deleted: Option<Time>,
    erased: Time,
}

impl Core {
    pub(super) fn new(
        store: Store,
        crypto: TrellisCrypto,
        config: Config,
        me: Device,
    ) -> Result<Self, EngineError> {
        let mut core = Self {
            store,
            crypto,
            config,
            me,
            outputs: Vec::new(),
            is_kept: false,
            left: BTreeSet::new(),
            snapshots: BTreeMap::new(),
            recent: VecDeque::new(),
            ticket: 0,
            bindings: BTreeMap::new(),
            deleted: None,
            erased: Time::default(),
        };
        if core.store.get(Space::Setting, &[], ERASE)?.is_some() {
            core.deleted = Some(Time::default());
        }
        core.resume_outbox()?;
        Ok(core)
    }

    /// Forgets what is in memory, after a step that was not carried out.
    pub(super) fn forget(&mut self) {
        self.snapshots.clear();
        self.recent.clear();
        // A step that was not carried out has deleted nothing.
        if let Ok(None) = self.store.get(Space::Setting, &[], ERASE) {
            self.deleted = None;
        }
    }

    /// Bytes at random.
    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], EngineError> {
        self.crypto.random_array().map_err(|_| EngineError::Randomness)
    }

    /// A moment up to `span` after `now`, at random.
    pub(super) fn soon(&self, now: Time, span: Span) -> Result<Time, EngineError> {
        let random = u64::from_be_bytes(self.random()?);
        Ok(now + Span(random % span.0.max(1)))
    }

    /// SHA-256.
    pub(super) fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        let digest = self.crypto.hash(HashType::Sha2_256, bytes);
        digest.ok().and_then(|digest| digest.try_into().ok()).expect("every backend has SHA-256")
    }

    /// The name of a message of a device.
    pub(super) fn message_id(&self, device: &DeviceId, nonce: &[u8; 16]) -> MessageId {
        let text = [&b"trellis message v1"[..], &device.0, nonce].concat();
        let mut id = [0; 16];
        id.copy_from_slice(&self.hash(&text)[..16]);
        MessageId(id)
    }

    /// What this device is in a group of a suite.
    pub(super) fn leaf(&self, suite: Ciphersuite, now: Time) -> Result<Leaf, EngineError> {
        let scheme = suite.signature_algorithm();
        let signer = self.me.keys.signer(scheme).ok_or(EngineError::Suite)?;
        let seconds = now.0 / 1000;
        let (before, after) = self.config.lifetime;
        Ok(Leaf {
            identity: self.me.identity.clone(),
            signer,
            suites: self.config.suites.clone(),
            lifetime: Lifetime::init(seconds.saturating_sub(before), seconds.saturating_add(after)),
        })
    }

    /// The number of the last leaf that this device has made.
    pub(super) fn last_stay(&self) -> Result<u64, EngineError> {
        let last = self.store.get(Space::Device, &[], STAYS)?;
        let last = last.and_then(|bytes| bytes.as_slice().try_into().ok());
        Ok(last.map_or(0, u64::from_be_bytes))
    }

    /// The number of a new leaf.
    pub(super) fn next_stay(&mut self) -> Result<u64, EngineError> {
        let next = self.last_stay()? + 1;
        self.store.put(Space::Device, &[], STAYS, &next.to_be_bytes())?;
        Ok(next)
    }

    /// A new key package, whose private keys are kept.
    pub(super) fn key_package(
        &mut self,
        now: Time,
        suite: Ciphersuite,
    ) -> Result<Vec<u8>, EngineError> {
        Ok(self.new_key_package(now, suite, Use::Once)?.1)
    }

    /// A new key package and its reference.
    pub(super) fn new_key_package(
        &mut self,
        now: Time,
        suite: Ciphersuite,
        purpose: Use,
    ) -> Result<(Vec<u8>, Vec<u8>), EngineError> {
        let (leaf, stay) = (self.leaf(suite, now)?, self.next_stay()?);
        let made = mls::key_package(&self.crypto, &leaf, suite, stay, purpose)?;
        let (reference, package, storage) = made;
        let record = KeyPackageRecord { created: now, storage: storage.export().to_vec().into() };
        self.store.put(Space::KeyPackage, &[], &reference, &wire::encode(&record))?;
        Ok((reference, package))
    }

    // Snapshots

    /// A snapshot, from memory or from the store. Whoever takes it gives it back.
    pub(super) fn take(&mut self, group: GroupId, state: StateId) -> Result<Snapshot, EngineError> {
        if let Some(snapshot) = self.snapshots.remove(&(group, state)) {
            return Ok(snapshot);
        }
        let storage = self
            .store
            .state_load(group, state)?
            .ok_or_else(|| EngineError::Mls("a snapshot is missing".into()))?;
        Ok(Snapshot::load(&self.crypto, group, storage)?)
    }

    /// Keeps a snapshot in memory.
    pub(super) fn give(&mut self, group: GroupId, state: StateId, snapshot: Snapshot) {
        self.snapshots.insert((group, state), snapshot);
        self.recent.retain(|other| *other != (group, state));
        self.recent.push_back((group, state));
        while self.recent.len() > self.config.snapshots {
            if let Some(oldest) = self.recent.pop_front() {
                self.snapshots.remove(&oldest);
            }
        }
    }

    /// Does something with a snapshot.
    pub(super) fn with<T>(
        &mut self,
        group: GroupId,
        state: StateId,
        action: impl FnOnce(&mut Self, &mut Snapshot) -> Result<T, Refused>,
    ) -> Result<Result<T, Refused>, EngineError> {
        let mut snapshot = self.take(group, state)?;
        let done = action(self, &mut snapshot);
        // What OpenMLS left behind when it refused is not used again.
        if done.is_ok() {
            self.give(group, state, snapshot);
        }
        Ok(done)
    }

    /// Whether keys have been deleted whose traces in the file are to be written over.
    pub(super) fn erasure_due(&self, now: Time) -> bool {
        self.next_erasure().is_some_and(|due| due <= now)
    }

    pub(super) fn next_erasure(&self) -> Option<Time> {
        self.deleted.map(|deleted| deleted.max(self.erased) + self.config.erase)
    }

    /// Writes over what has been deleted. It takes the longer the larger the store is, so it is done
    /// once for many states.
    pub(super) fn erase_now(&mut self, now: Time) -> Result<(), EngineError> {
        self.store.erase()?;
        (self.deleted, self.erased) = (None, now);
        self.store.begin()?;
        let cleared = self.store.delete(Space::Setting, &[], ERASE);
        match cleared {
            Ok(_) => Ok(self.store.commit()?),
            Err(error) => {
                self.store.rollback();
                Err(error.into())
            }
        }
    }

    /// Erases a snapshot.
    pub(super) fn erase(
        &mut self,
        now: Time,
        group: GroupId,
        state: StateId,
    ) -> Result<(), EngineError> {
        if self.deleted.is_none() {
            // Also if it stops before.
            self.store.put(Space::Setting, &[], ERASE, &[])?;
            self.deleted = Some(now);
        }
        self.snapshots.remove(&(group, state));
        self.recent.retain(|other| *other != (group, state));
        self.store.state_delete(group, state)?;
        Ok(())
    }

    // What goes out

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    /// Publishes what may get lost.
    pub(super) fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        self.outputs.push(Output::Publish { topic, bytes, ticket: None });
    }

    /// Publishes what must reach the transport, also after a crash.
    pub(super) fn publish_surely(
        &mut self,
        topic: Topic,
        bytes: Vec<u8>,
        message: Option<(GroupId, MessageId)>,
    ) -> Result<(), EngineError> {
        let ticket = self.ticket;
        self.ticket += 1;
        let record = OutboxRecord {
            topic,
            bytes: bytes.clone().into(),
            message: message.map(|(group, message)| InGroup { group, message }),
        };
        let record = wire::encode(&record);
        self.store.put(Space::Outbox, &[], &ticket.to_be_bytes(), &record)?;
        self.outputs.push(Output::Publish { topic, bytes, ticket: Some(ticket) });
        Ok(())
    }

    /// The transport has what it was given. Tells which message it was, if it was one.
    pub(super) fn published(
        &mut self,
        ticket: u64,
    ) -> Result<Option<(GroupId, MessageId)>, EngineError> {
        let key = ticket.to_be_bytes();
        let Some(record) = self.store.get(Space::Outbox, &[], &key)? else { return Ok(None) };
        self.store.delete(Space::Outbox, &[], &key)?;
        let record: Option<OutboxRecord> = wire::decode(&record);
        Ok(record.and_then(|record| record.message).map(|place| (place.group, place.message)))
    }

    /// Asks for everything again that the transport had not taken when the client stopped.
    fn resume_outbox(&mut self) -> Result<(), EngineError> {
        for (key, record) in self.store.scan(Space::Outbox, &[])? {
            let (Ok(key), Some(record)) = (key.try_into(), wire::decode::<OutboxRecord>(&record))
            else {
                continue;
            };
            let ticket = u64::from_be_bytes(key);
            self.ticket = ticket + 1;
            self.outputs.push(Output::Publish {
                topic: record.topic,
                bytes: record.bytes.as_slice().to_vec(),
                ticket: Some(ticket),
            });
        }
        Ok(())
    }

    /// The envelopes of a payload: one, or as many parts as it takes.
    pub(super) fn seal(
        &self,
        key: &[u8; 32],
        topic: &Topic,
        tip: StateId,
        kind: Kind,
        payload: &[u8],
    ) -> Result<Vec<Vec<u8>>, EngineError> {
        let one = |kind, payload: &[u8]| {
            wire::seal(&self.crypto, key, topic, kind, tip, payload).ok_or(EngineError::Randomness)
        };
        if payload.len() <= wire::MAX_PAYLOAD {
            return Ok(vec![one(kind, payload)?]);
        }
        let whole = self.hash(payload);
        let pieces = payload.chunks(wire::MAX_PAYLOAD);
        let count = u16::try_from(pieces.len())
            .map_err(|_| EngineError::TooLarge { what: "a payload", limit: super::MAX_WHOLE })?;
        (0..count)
            .zip(pieces)
            .map(|(index, bytes)| {
                let bytes: VLBytes = bytes.to_vec().into();
                one(Kind::Part, &wire::encode(&wire::Part { kind, whole, index, count, bytes }))
            })
            .collect()
    }

    // Bindings

    /// A binding that has been verified, in this run of the program or before.
    pub(super) fn binding(&mut self, device: &DeviceId) -> Result<bool, EngineError> {
        if self.bindings.contains_key(device) {
            return Ok(true);
        }
        let Some(bytes) = self.store.get(Space::Binding, &[], &device.0)? else { return Ok(false) };
        Ok(self.remember_binding(&bytes).is_some())
    }

    /// Those that have been looked up before.
    pub(super) fn bindings(&self) -> &BTreeMap<DeviceId, VerifiedBinding> {
        &self.bindings
    }

    fn remember_binding(&mut self, bytes: &[u8]) -> Option<DeviceId> {
        let binding = Binding::decode(bytes).ok()?;
        // A device has the name of its binding.
        let device = binding.device_id(&self.crypto);
        if !self.bindings.contains_key(&device) {
            self.bindings.insert(device, binding.verify(&self.crypto).ok()?);
        }
        Some(device)
    }

    /// Verifies a binding and keeps it for all groups. Tells whose it is, and whether it is news.
    pub(super) fn learn_binding(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<(DeviceId, bool)>, EngineError> {
        let Some(device) = self.remember_binding(bytes) else { return Ok(None) };
        let news = device != self.me.identity.device
            && self.store.get(Space::Binding, &[], &device.0)?.is_none();
        if news {
            self.store.put(Space::Binding, &[], &device.0, bytes)?;
        }
        Ok(Some((device, news)))
    }

    /// The bytes of a binding, to pass them on.
    pub(super) fn binding_bytes(&self, device: &DeviceId) -> Result<Option<Vec<u8>>, EngineError> {
        if *device == self.me.identity.device {
            return Ok(Some(self.me.binding.clone()));
        }
        let bytes = self.store.get(Space::Binding, &[], &device.0)?;
        Ok(bytes.map(|bytes| bytes.to_vec()))
    }

    /// Where invitations for an account go, and questions to it.
    pub(super) fn inbox(&self, address: &Address) -> Topic {
        crate::directory::inbox(&self.crypto, address)
    }
}
