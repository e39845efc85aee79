//! What others keep for this device while it is away: the topics of its groups, its inbox, and key packages
//! to give to who asks.
//!
//! The right to what is kept comes from a secret: of a group, `SHA-256("trellis mailbox v1" || beacon key)` of
//! the state that this device came in by, and after a removal of the one that became final with it, so that
//! who was put out has no right to what is kept from then on; of the inbox, the same of this device's
//! private keys.
//!
//! Whoever brings others in has the group kept with the secret of the state that their Welcomes lead to,
//! and the ratchet tree and bindings with it: they know the secret from their Welcomes, and look there.

use std::collections::BTreeSet;

use openmls_traits::types::Ciphersuite;
use trellis_ciphersuites::Secret;
use zeroize::Zeroizing;

use super::Engine;
use super::bindings::BINDINGS;
use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Output};
use super::records::{GroupRecord, LastResortRecord, PastResort, Status};
use super::rules::Use;
use crate::directory::{DirectoryError, Record};
use crate::store::Space;
use crate::transport::{Boxes, Deposit, Keep, KeepFor, KeepKind, Pools};
use crate::wire::{self, Kind};
use crate::{Span, StateId, Time, Topic};

/// How long after a deposit with the same keeper no other of the suite is made: it may say that it has
/// none as often as it likes.
const PAUSE: Span = Span::seconds(3600);
/// How long a last-resort key package is given, if nobody is brought in with it.
const FRESH: Span = Span::seconds(30 * 24 * 3600);
/// How long Welcomes for one that is given no more may be under way.
const UNDER_WAY: Span = Span::seconds(30 * 24 * 3600);
/// How many of those before are kept.
const BEFORE: usize = 8;

/// Where in [`Space::Device`] the last-resort key packages are, by their suites.
const LAST_RESORT: &[u8] = b"last resort";
/// Where in [`Space::Setting`] it is up to when what was kept of a topic has been handed in.
const KEPT: &[u8] = b"kept";
/// Where the number of the last deposit is.
const SERIAL: &[u8] = b"deposits";

impl Group {
    /// Has this group kept with the secret of the newest final state from now on. Whoever calls it saves the
    /// record: what is kept with one secret is found by no other.
    pub(super) fn keep_anew(&mut self, core: &mut Core) -> Result<(), EngineError> {
        self.record.kept = core.keep_secret(&self.root().record.keys.beacon);
        core.keep(&self.record)
    }
}

impl Group {
    /// Has what is said from now on kept for those whom Welcomes lead to a state, with the ratchet tree that
    /// they need and the bindings that they ask for first: nobody may be there when they come. Each time this
    /// program runs it is done once.
    pub(super) fn keep_for_joiners(
        &self,
        core: &mut Core,
        state: StateId,
    ) -> Result<(), EngineError> {
        let tree =
            self.welcomes.values().find(|other| other.state == state && !other.tree.is_empty());
        let (Some(tree), true, true) = (tree, core.is_kept, self.knows(&state)) else {
            return Ok(());
        };
        if !core.left.insert(state) {
            return Ok(());
        }
        let (topic, key) = (self.record.topic, self.beacon_key(&state));
        let secret = Secret::from(core.keep_secret(&key).to_vec());
        let mut envelopes: Vec<_> =
            tree.tree.iter().map(|envelope| envelope.as_slice().to_vec()).collect();
        let others = self.others(core).map(|seat| seat.identity.device);
        let me = core.me.identity.device;
        let devices: Vec<_> = std::iter::once(me).chain(others).take(BINDINGS).collect();
        for device in devices {
            let Some(binding) = core.binding_bytes(&device)? else { continue };
            envelopes.extend(core.seal(&key, &topic, state, Kind::Binding, &binding)?);
        }
        core.outputs.push(Output::KeepFor(KeepFor { topic, secret, envelopes }));
        Ok(())
    }
}

impl Core {
    /// Has a topic kept that a Welcome leads to: by the beacon key of the state, as when this device is in.
    pub(super) fn keep_to_come(&mut self, topic: Topic, beacon: &[u8; 32]) {
        let secret = Secret::from(self.keep_secret(beacon).to_vec());
        let (kind, since) = (KeepKind::Invitation, Time::default());
        self.outputs.push(Output::Keep(Keep { topic, secret, kind, since }));
    }

    /// Says what is to be kept of a group.
    pub(super) fn keep(&mut self, group: &GroupRecord) -> Result<(), EngineError> {
        if group.status == Status::Active {
            let (topic, secret) = (group.topic, Secret::from(group.kept.to_vec()));
            let (kind, since) = (KeepKind::Group, self.kept_until(&topic)?);
            self.outputs.push(Output::Keep(Keep { topic, secret, kind, since }));
        }
        Ok(())
    }

    /// Up to when all that was kept of a topic has been handed in.
    fn kept_until(&self, topic: &Topic) -> Result<Time, EngineError> {
        let until = self.store.get(Space::Setting, KEPT, &topic.0)?;
        let until = until.and_then(|bytes| bytes.as_slice().try_into().ok());
        Ok(until.map_or(Time::default(), |until| Time(u64::from_be_bytes(until))))
    }

    fn keep_secret(&self, key: &[u8]) -> [u8; 32] {
        let text = Zeroizing::new([b"trellis mailbox v1", key].concat());
        self.hash(&text)
    }

    fn last_resort(&self, suite: u16) -> Result<Option<LastResortRecord>, EngineError> {
        let record = self.store.get(Space::Device, LAST_RESORT, &suite.to_be_bytes())?;
        Ok(record.and_then(|record| wire::decode(&record)))
    }

    /// The references of all key packages that may be used more than once.
    pub(super) fn last_resorts(&self) -> Result<BTreeSet<Vec<u8>>, EngineError> {
        let records = self.store.scan(Space::Device, LAST_RESORT)?;
        let records = records.iter().filter_map(|(_, bytes)| wire::decode(bytes));
        let references = records.flat_map(|record: LastResortRecord| {
            let before = record.before.into_iter().map(|past| past.reference);
            before.chain([record.reference])
        });
        Ok(references.map(Vec::from).collect())
    }

    /// This device has come in by a key package. Tells whether it is one that may lead in others, too.
    pub(super) fn use_last_resort(&mut self, reference: &[u8]) -> Result<bool, EngineError> {
        for (suite, bytes) in self.store.scan(Space::Device, LAST_RESORT)? {
            let Some(mut record) = wire::decode::<LastResortRecord>(&bytes) else { continue };
            if record.reference.as_slice() == reference {
                record.used = 1;
                self.store.put(Space::Device, LAST_RESORT, &suite, &wire::encode(&record))?;
                return Ok(true);
            }
            if record.before.iter().any(|past| past.reference.as_slice() == reference) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn next_deposit(&mut self, now: Time) -> Result<u64, EngineError> {
        let last = self.store.get(Space::Device, &[], SERIAL)?;
        let last = last.and_then(|bytes| bytes.as_slice().try_into().ok());
        // It grows also after coming back from a backup.
        let next = last.map_or(0, u64::from_be_bytes).saturating_add(1).max(now.0);
        self.store.put(Space::Device, &[], SERIAL, &next.to_be_bytes())?;
        Ok(next)
    }
}

impl Engine {
    /// Says that the inbox is to be kept.
    pub(super) fn keep_inbox(&mut self) -> Result<(), EngineError> {
        if !self.devices.revoked {
            let secret = Secret::from(self.core.keep_secret(&self.core.me.keys.encode()).to_vec());
            let since = self.core.kept_until(&self.inbox)?;
            let keep = Keep { topic: self.inbox, secret, kind: KeepKind::Account, since };
            self.core.outputs.push(Output::Keep(keep));
        }
        Ok(())
    }

    /// All that was kept of a topic has been handed in, up to a moment.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn kept(&mut self, topic: Topic, until: Time) -> Result<(), EngineError> {
        if topic != self.inbox && !self.topics.contains_key(&topic) {
            return Ok(());
        }
        self.core.is_kept = true;
        self.step(|engine| {
            let until = until.0.to_be_bytes();
            Ok(engine.core.store.put(Space::Setting, KEPT, &topic.0, &until)?)
        })
    }

    /// Somebody who keeps key packages for this device says how many it has.
    ///
    /// # Errors
    ///
    /// Those of the store, [`EngineError::Randomness`].
    pub fn pools(&mut self, now: Time, pools: &Pools) -> Result<(), EngineError> {
        self.core.is_kept = true;
        let pool = self.core.config.pool;
        if self.devices.revoked || pool == 0 {
            return Ok(());
        }
        let suites = self.core.config.suites.clone();
        let lacking: Vec<_> = suites
            .into_iter()
            .filter_map(|suite| {
                let number = u16::from(suite);
                let left = pools.left.iter().find(|(suite, _)| *suite == number);
                let left = left.map_or(0, |(_, left)| usize::try_from(*left).unwrap_or(usize::MAX));
                let before = self.deposited.get(&(pools.keeper, number));
                let rests = before.is_some_and(|at| now.since(*at) < PAUSE);
                (!rests).then(|| (suite, pool.saturating_sub(left)))
            })
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        self.step(|engine| {
            for (suite, lacks) in lacking {
                engine.deposit(now, pools.keeper, suite, lacks)?;
            }
            Ok(())
        })
    }

    /// The transport says where key packages of this device are: the directory gets a record of it. A device
    /// that was revoked says nothing any more.
    ///
    /// # Errors
    ///
    /// [`EngineError::Randomness`]. Boxes of which no record can be made are left out.
    pub fn boxes(&mut self, now: Time, boxes: &Boxes) -> Result<(), EngineError> {
        if self.devices.revoked || boxes.topic != self.inbox {
            return Ok(());
        }
        let me = &self.core.me;
        match Record::sign(&me.keys, &me.binding, boxes.boxes.clone(), now) {
            Ok(record) => self.core.outputs.push(Output::Announce(record.encode())),
            Err(DirectoryError::Identity(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(code = error.code(), "no record of the directory"),
        }
        Ok(())
    }

    /// Leaves as many key packages with somebody as it lacks, if those are many, and the last-resort one.
    fn deposit(
        &mut self,
        now: Time,
        keeper: u64,
        suite: Ciphersuite,
        lacks: usize,
    ) -> Result<(), EngineError> {
        let (last_resort, new) = self.last_resort(now, suite)?;
        let first = !self.deposited.contains_key(&(keeper, suite.into()));
        if 2 * lacks < self.core.config.pool && !new && !first {
            return Ok(());
        }
        let mut one_time = Vec::new();
        for _ in 0..lacks {
            let key_package = self.core.key_package(now, suite)?;
            one_time.push(self.core.key_package_answer(key_package));
            self.limit_key_packages()?;
        }
        let serial = self.core.next_deposit(now)?;
        let expires = now + Span::seconds(self.core.config.lifetime.1);
        let beside = self.revocation_answers()?;
        self.deposited.insert((keeper, suite.into()), now);
        let suite = suite.into();
        let last_resort = Some(last_resort);
        let deposit = Deposit { keeper, suite, serial, expires, one_time, last_resort, beside };
        self.core.outputs.push(Output::Deposit(deposit));
        Ok(())
    }

    /// The answer with the last-resort key package of a suite, and whether it is a new one.
    fn last_resort(
        &mut self,
        now: Time,
        suite: Ciphersuite,
    ) -> Result<(Vec<u8>, bool), EngineError> {
        let core = &mut self.core;
        let record = core.last_resort(suite.into())?;
        let good =
            |record: &&LastResortRecord| record.used == 0 && now.since(record.created) < FRESH;
        if let Some(record) = record.as_ref().filter(good) {
            return Ok((record.answer.as_slice().to_vec(), false));
        }
        let (reference, package) = core.new_key_package(now, suite, Use::LastResort)?;
        let mut before = Vec::new();
        if let Some(record) = record {
            before = record.before;
            before.push(PastResort { reference: record.reference, since: now });
        }
        let excess = before.len().saturating_sub(BEFORE);
        let ended = before.iter().filter(|past| now.since(past.since) >= UNDER_WAY).count();
        for past in before.drain(..excess.max(ended)) {
            core.store.delete(Space::KeyPackage, &[], past.reference.as_slice())?;
        }
        let answer = core.key_package_answer(package);
        let (reference, kept) = (reference.into(), answer.clone().into());
        let record = LastResortRecord { reference, answer: kept, created: now, used: 0, before };
        let number = u16::from(suite).to_be_bytes();
        core.store.put(Space::Device, LAST_RESORT, &number, &wire::encode(&record))?;
        Ok((answer, true))
    }
}
