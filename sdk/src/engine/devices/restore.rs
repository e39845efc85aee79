//! Going on from a backup, as a new device.
//!
//! The MLS states in a backup must never be gone on with: the device may have used their keys since
//! the backup was made, and a key used twice protects nothing. So everything that could encrypt or
//! sign for the old device goes, in one transaction and before anything else happens. What stays is
//! the history, who was in which group, and the account's keys. With these the store becomes a new
//! device, and the old one is revoked.
//!
//! The new device has no key of any group, so it calls on the topics of the accounts that were in the
//! groups with it: here is a binding of the new device and a revocation of the old one, both signed by
//! the account. Which groups it is about is said by a hash that only who knows the name of a group
//! can tell, and that is who is or was in it. A member in whose group there still is the old device
//! takes it for an invitation, if the rules let it invite; all others tell their user. It repeats the
//! call, to other members each time, until it is in or has lost patience.
//!
//! The law of a group knows nothing of all this: the new device comes in as an ordinary addition by
//! a member who may invite, or by another device of the account. Where the only one who may invite
//! is the account that lost its only device, nobody can bring it back.

use std::collections::BTreeMap;

use openmls_trellis_crypto::TrellisCrypto;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::revoke::latest;
use super::{DEVICES, account_keys, new_keys, revocations_of};
use crate::engine::Engine;
use crate::engine::core::{Config, Core};
use crate::engine::io::{EngineError, Event, Intent};
use crate::engine::records::{GroupRecord, IntentBody, PeerRecord, Status};
use crate::identity::{Binding, Revocation, VerifiedBinding};
use crate::policy::Right;
use crate::store::{Space, Store};
use crate::wire::{self, Inbox, Restored};
use crate::{Address, DeviceId, GroupId, Span, Time};

/// Where in [`Space::Account`] the call is, and the groups that it is about.
pub(super) const CALL: &[u8] = b"call";
const LOST: &[u8] = b"lost";
/// Where in [`Space::Account`] the devices are that this store has been.
const FORMER: &[u8] = b"former";

/// How many former devices one call names, and how many groups: it fits into one message.
const NAMED: usize = 3;
const GROUPS: usize = 64;
/// How many accounts of a group one call goes to.
const CALLED: usize = 8;
/// The longest pause between two calls is this many times the retry: about an hour by default.
const SLOWEST: u32 = 12;

/// Where the call stands.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(in crate::engine) struct CallRecord {
    since: Time,
    next: Time,
    tries: u16,
}

impl Core {
    /// How a device names a group to those who know it.
    fn mark(&self, group: &GroupId, device: &DeviceId) -> [u8; 32] {
        self.hash(&[b"trellis restored v1", &group.0[..], &device.0].concat())
    }
}

/// The binding of the device that a store is of, and its bytes.
pub(super) fn old_binding(
    store: &Store,
    crypto: &TrellisCrypto,
) -> Result<(VerifiedBinding, Vec<u8>), EngineError> {
    let bytes = store.get(Space::Device, &[], b"binding")?.ok_or(EngineError::NotLinked)?;
    Ok((Binding::decode(&bytes)?.verify(crypto)?, bytes.to_vec()))
}

/// Drops all that could encrypt or sign for the device that a store is of. Its groups are known
/// afterwards, and it is in none of them.
pub(super) fn drop_secrets(store: &mut Store, now: Time) -> Result<(), EngineError> {
    store.drop_all_states()?;
    for space in [Space::KeyPackage, Space::Pending, Space::Outbox] {
        store.delete_scope(space, &[])?;
    }
    store.delete(Space::Device, &[], b"keys")?;
    for (key, value) in store.scan(Space::Group, &[])? {
        let Some(mut record) = wire::decode::<GroupRecord>(&value) else { continue };
        // What was wanted then may have happened and been undone since.
        let gone = [
            Space::State,
            Space::BeaconKey,
            Space::Commit,
            Space::Welcome,
            Space::Sent,
            Space::Intent,
            Space::Leave,
            Space::Ward,
        ];
        for space in gone {
            store.delete_scope(space, &key)?;
        }
        // The new device counts its own messages, from the first.
        for (device, peer) in store.scan(Space::Peer, &key)? {
            let Some(peer) = wire::decode::<PeerRecord>(&peer) else { continue };
            let peer = PeerRecord { heard: None, acked: 0, floor: 0, ..peer };
            store.put(Space::Peer, &key, &device, &wire::encode(&peer))?;
        }
        (record.sent, record.count) = (0, 0);
        if record.status != Status::Moved {
            if record.status == Status::Active {
                store.put(Space::Account, LOST, &key, &[])?;
            }
            (record.status, record.since) = (Status::Out, now);
        }
        store.put(Space::Group, &[], &key, &wire::encode(&record))?;
    }
    Ok(())
}

/// Makes a store that of a new device of the same account.
fn renew(
    store: &mut Store,
    crypto: &TrellisCrypto,
    now: Time,
    config: &Config,
) -> Result<(), EngineError> {
    let (old, old_bytes) = old_binding(store, crypto)?;
    let account = account_keys(store, crypto)?;
    drop_secrets(store, now)?;
    let (address, device) = (old.address(), old.device());
    let revocation = account.revoke(device, now)?.encode();
    store.put(Space::Binding, &[], &device.0, &old_bytes)?;
    store.put(Space::Account, &revocations_of(&address), &device.0, &revocation)?;
    store.put(Space::Account, FORMER, &device.0, &revocation)?;
    store.delete(Space::Account, DEVICES, &device.0)?;
    let keys = new_keys(crypto, config)?;
    let binding = account.bind(keys.public(), now)?.encode();
    store.put(Space::Device, &[], b"keys", &keys.encode())?;
    store.put(Space::Device, &[], b"binding", &binding)?;
    let call = CallRecord { since: now, next: now, tries: 0 };
    store.put(Space::Account, &[], CALL, &wire::encode(&call))?;
    Ok(())
}

impl Engine {
    /// Goes on from a backup as a new device of the account; the device that the backup is of is
    /// revoked. `store` is a copy of the backup at the place where it is to stay.
    ///
    /// The history is there. The groups are known and this device is in none of them until a member
    /// who may invite, or another device of the account, has brought it in, which happens by itself
    /// once one of them hears of it. What was said in between does not come back. Groups that this
    /// device was in show no name until it is in them again.
    ///
    /// Done once; from then on the store is opened with [`Engine::open`]. If it is not certain whether
    /// it was done, doing it again is safe.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoAccountKeys`] if the backup is not of the account's first device: then
    /// [`Linking::restore`](super::Linking::restore) asks that one; [`EngineError::NotLinked`] if it
    /// is of a device without an account; and those of the store.
    pub fn restore(
        mut store: Store,
        crypto: TrellisCrypto,
        now: Time,
        config: Config,
    ) -> Result<Self, EngineError> {
        store.transaction(|store| renew(store, &crypto, now, &config))?;
        store.erase()?;
        let mut engine = Self::open(store, crypto, now, config)?;
        engine.step(|engine| {
            engine.announce()?;
            engine.call(now)
        })?;
        Ok(engine)
    }

    /// When the next call is due.
    pub(in crate::engine) fn next_call(&self) -> Option<Time> {
        self.devices.call.as_ref().map(|call| call.next)
    }

    /// Calls on those who were in the groups with this device, if it is time.
    pub(in crate::engine) fn call(&mut self, now: Time) -> Result<(), EngineError> {
        let Some(call) = self.devices.call.clone().filter(|call| call.next <= now) else {
            return Ok(());
        };
        let mut lost = self.lost_groups()?;
        if now.since(call.since) > self.core.config.patience {
            lost.clear();
        }
        if lost.is_empty() {
            self.core.store.delete(Space::Account, &[], CALL)?;
            self.core.store.delete_scope(Space::Account, LOST)?;
            self.devices.call = None;
            return Ok(());
        }
        let core = &mut self.core;
        let former = core.store.scan(Space::Account, FORMER)?;
        let revocations: Vec<VLBytes> =
            latest(&former).into_iter().take(NAMED).map(|(_, bytes)| bytes.into()).collect();
        let me = core.me.identity.clone();
        let mut marks: BTreeMap<Address, Vec<[u8; 32]>> = BTreeMap::new();
        for group in &lost {
            let mark = core.mark(group, &me.device);
            let mut accounts: Vec<_> = core
                .store
                .scan(Space::Peer, &group.0)?
                .into_iter()
                .filter_map(|(_, peer)| wire::decode::<PeerRecord>(&peer))
                .map(|peer| peer.address)
                .filter(|address| *address != me.address)
                .collect();
            accounts.sort_unstable();
            accounts.dedup();
            // Others each time, so that all of a large group are called in the end.
            let start = (usize::from(call.tries) * CALLED) % accounts.len().max(1);
            let called = accounts.iter().cycle().skip(start).take(accounts.len().min(CALLED));
            for address in called {
                marks.entry(*address).or_default().push(mark);
            }
        }
        for (address, marks) in marks {
            let topic = core.inbox(&address);
            for groups in marks.chunks(GROUPS) {
                let restored = Restored {
                    revocations: revocations.clone(),
                    binding: core.me.binding.clone().into(),
                    groups: groups.to_vec(),
                };
                core.publish(topic, wire::encode(&Inbox::Restored(restored)));
            }
        }
        // The account's other devices need no call: they bring in whom they meet.
        core.publish(self.inbox, wire::encode(&Inbox::Device(core.me.binding.clone().into())));
        for revocation in revocations {
            core.publish(self.inbox, wire::encode(&Inbox::Revocation(revocation)));
        }
        let tries = call.tries.saturating_add(1);
        let pause = core.config.retry.times(1 << u32::from(tries).min(SLOWEST));
        let call = CallRecord { tries, next: now + pause, ..call };
        core.store.put(Space::Account, &[], CALL, &wire::encode(&call))?;
        self.devices.call = Some(call);
        Ok(())
    }

    /// The groups of the backup that this device is not in yet.
    fn lost_groups(&mut self) -> Result<Vec<GroupId>, EngineError> {
        let active = self.active_groups()?;
        let mut lost = Vec::new();
        for (key, _) in self.core.store.scan(Space::Account, LOST)? {
            match GroupId::from_slice(&key) {
                Some(group) if !active.contains(&group) => lost.push(group),
                _ => drop(self.core.store.delete(Space::Account, LOST, &key)?),
            }
        }
        Ok(lost)
    }

    /// Somebody has come back from a backup.
    pub(super) fn take_restored(
        &mut self,
        now: Time,
        restored: &Restored,
    ) -> Result<(), EngineError> {
        let many = restored.groups.len() > GROUPS || restored.revocations.len() > NAMED;
        let device = DeviceId(self.core.hash(restored.binding.as_slice()));
        let marked = |group: &GroupId| restored.groups.contains(&self.core.mark(group, &device));
        // Who does not know a group's name cannot make anybody verify anything.
        let groups: Vec<_> = self.groups.keys().copied().filter(marked).collect();
        if many || groups.is_empty() || !self.devices.may_hear(now) {
            return Ok(());
        }
        let core = &mut self.core;
        let crypto = &core.crypto;
        let binding = Binding::decode(restored.binding.as_slice());
        let Ok(binding) = binding.and_then(|binding| binding.verify(crypto)) else { return Ok(()) };
        let address = binding.address();
        let mut old = Vec::new();
        for bytes in &restored.revocations {
            let revocation = Revocation::decode(bytes.as_slice()).and_then(|r| r.verify(crypto));
            let Ok(revocation) = revocation else { return Ok(()) };
            if revocation.address() != address || revocation.device() == device {
                return Ok(());
            }
            old.push((revocation.device(), bytes.as_slice().to_vec()));
        }
        if address == core.me.identity.address || core.is_revoked(&address, &device)? {
            return Ok(());
        }
        for group in groups {
            if self.lost_seat(now, group, &address, &old)? {
                self.core.learn_binding(restored.binding.as_slice())?;
                for (device, bytes) in &old {
                    self.keep_foreign(&address, device, bytes)?;
                }
                self.welcome_back(now, group, address, device)?;
            }
        }
        Ok(())
    }

    /// Whether one of these devices of an account is in a group that this client is in.
    fn lost_seat(
        &mut self,
        now: Time,
        group: GroupId,
        address: &Address,
        old: &[(DeviceId, Vec<u8>)],
    ) -> Result<bool, EngineError> {
        let found = self.with_group(now, group, |group, _| {
            let seat = |device: &DeviceId| {
                group.seat(device).is_some_and(|seat| seat.identity.address == *address)
            };
            Ok(group.is_active() && old.iter().any(|(device, _)| seat(device)))
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Brings a device in that came back, if the rules let this client; tells the user once.
    fn welcome_back(
        &mut self,
        now: Time,
        group: GroupId,
        account: Address,
        device: DeviceId,
    ) -> Result<(), EngineError> {
        let mark = self.core.mark(&group, &device);
        let there = self.with_group(now, group, |group, _| Ok(group.seat(&device).is_some()))?;
        if there == Some(true) || self.core.store.get(Space::Done, b"restored", &mark)?.is_some() {
            return Ok(());
        }
        self.core.store.put(Space::Done, b"restored", &mark, &[])?;
        self.core.tell(Event::Restored { group, account, device });
        let me = self.address();
        let may =
            self.with_group(now, group, |group, _| Ok(group.rules.allows(&me, Right::Invite)))?;
        if may == Some(true) {
            self.want(now, group, Intent::AddDevice(device))?;
            self.stagger(now, group, device)?;
        }
        Ok(())
    }

    /// Many hear of it at once and one of them is enough, so each waits for a while by chance.
    fn stagger(&mut self, now: Time, group: GroupId, device: DeviceId) -> Result<(), EngineError> {
        self.with_group(now, group, |group, core| {
            let next = core.soon(now, Span::millis(40 * (group.seats.len() as u64).min(50)))?;
            let fresh: Vec<_> = group
                .intents
                .iter_mut()
                .filter(|(_, i)| i.intent == IntentBody::AddDevice(device) && i.asked == 0)
                .map(|(id, intent)| {
                    intent.next = next;
                    *id
                })
                .collect();
            for id in fresh {
                group.save_intent(core, &id)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
