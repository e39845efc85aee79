//! The devices of an account: linking, revoking, coming back from a backup.
//!
//! An account's first device has the account's keys; with them it says which devices are the
//! account's and which no longer are. All devices of an account listen to the account's topic, tell
//! each other there of new devices and of revoked ones, and each brings the others into the groups
//! that it is in.
//!
//! # What a revocation does
//!
//! A [`Revocation`](crate::identity::Revocation) is the account's word, not a group's. Whether a
//! commit is valid never depends on it: it is not in the state of a group, so some members would know
//! it and others not, and they would go different ways. What it does is local:
//!
//! - the other devices of the account remove the revoked one from their groups, and these commits
//!   are what keeps it from reading on;
//! - who knows the revocation takes no key package of the device when it invites;
//! - the device itself stops as soon as it hears of it.
//!
//! Until its removal is on a group's chain a revoked device is a member like any other. One whose
//! holder does not want to stop can still do in a group what its account may do there.
//!
//! | file | subject |
//! |---|---|
//! | `mod` | which devices there are, and what they tell each other |
//! | `link` | a new device on its way to an account |
//! | `bring` | bringing a device into a group |
//! | `revoke` | taking a device from the account |
//! | `restore` | going on from a backup |

mod bring;
mod link;
mod restore;
mod revoke;

use openmls_trellis_crypto::TrellisCrypto;
use tls_codec::VLBytes;

pub use self::link::Linking;
use self::restore::CallRecord;

use super::core::{Config, Core};
use super::io::{EngineError, Intent, Output};
use super::records::{GroupRecord, IntentBody, IntentStatus, Status};
use super::{Engine, Event};
use crate::identity::{AccountKeys, Binding, DeviceKeys, LinkRequest};
use crate::store::{Space, Store};
use crate::wire::{self, Answer, Inbox};
use crate::{Address, DeviceId, GroupId, Span, Time};

/// How many devices an account has at most, as far as its devices know each other.
pub(crate) const MAX_DEVICES: usize = 16;
/// How many revocations of one account are kept and told.
pub(super) const MAX_REVOCATIONS: usize = 64;
/// How many statements about devices are looked at within [`HEARING`]. Verifying one takes about as
/// long as a commit, and anybody can send them.
const HEARD: u32 = 32;
const HEARING: Span = Span::seconds(10);

/// Where in [`Space::Account`] the other devices of the account are, by their names.
const DEVICES: &[u8] = b"device";

/// Where in [`Space::Account`] the revocations of an account are, by the devices' names.
fn revocations_of(address: &Address) -> Vec<u8> {
    [&b"revoked"[..], &address.0].concat()
}

/// What an engine keeps in memory about its account's devices.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Whether this device has been revoked.
    pub(super) revoked: bool,
    /// The call for the groups of before, after coming back from a backup.
    pub(super) call: Option<CallRecord>,
    heard: (u32, Time),
}

impl Devices {
    /// As it is in the store.
    pub(super) fn load(core: &Core) -> Result<Self, EngineError> {
        let me = &core.me.identity;
        let call = core.store.get(Space::Account, &[], restore::CALL)?;
        Ok(Self {
            revoked: core.is_revoked(&me.address, &me.device)?,
            call: call.and_then(|call| wire::decode(&call)),
            heard: (0, Time::default()),
        })
    }

    /// Whether one more statement is to be looked at now.
    fn may_hear(&mut self, now: Time) -> bool {
        if now.since(self.heard.1) > HEARING {
            self.heard = (0, now);
        }
        self.heard.0 += 1;
        self.heard.0 <= HEARD
    }
}

/// New keys for a device that is to be in groups of the suites of a client.
pub(super) fn new_keys(crypto: &TrellisCrypto, config: &Config) -> Result<DeviceKeys, EngineError> {
    let schemes: Vec<_> = config.suites.iter().map(|suite| suite.signature_algorithm()).collect();
    Ok(DeviceKeys::generate(crypto, &schemes)?)
}

/// The account's keys, if this device has them.
fn account_keys(store: &Store, crypto: &TrellisCrypto) -> Result<AccountKeys, EngineError> {
    let seeds = store.get(Space::Account, &[], b"keys")?.ok_or(EngineError::NoAccountKeys)?;
    Ok(AccountKeys::from_bytes(crypto, &seeds)?)
}

impl Core {
    /// The account's other devices, as far as this one knows them.
    pub(super) fn own_devices(&self) -> Result<Vec<DeviceId>, EngineError> {
        let me = self.me.identity.device;
        let devices = self.store.scan(Space::Account, DEVICES)?;
        let names = devices.iter().filter_map(|(key, _)| DeviceId::from_slice(key));
        Ok(names.filter(|device| *device != me).collect())
    }

    /// Whether an account is known to have revoked a device.
    pub(super) fn is_revoked(
        &self,
        address: &Address,
        device: &DeviceId,
    ) -> Result<bool, EngineError> {
        let known = self.store.get(Space::Account, &revocations_of(address), &device.0)?;
        Ok(known.is_some())
    }

    /// Whose a device is, if its binding is known.
    pub(super) fn account_of(&mut self, device: &DeviceId) -> Result<Option<Address>, EngineError> {
        if *device == self.me.identity.device {
            return Ok(Some(self.me.identity.address));
        }
        let known = self.binding(device)?;
        Ok(self.bindings().get(device).filter(|_| known).map(|binding| binding.address()))
    }
}

impl Engine {
    /// The account's devices that this one knows, itself among them; none that was revoked.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn devices(&self) -> Result<Vec<DeviceId>, EngineError> {
        let mut devices = self.core.own_devices()?;
        if !self.devices.revoked {
            devices.push(self.device());
        }
        devices.sort_unstable();
        Ok(devices)
    }

    /// Whether this device has the account's keys, so that it can approve and revoke devices.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn has_account_keys(&self) -> Result<bool, EngineError> {
        Ok(self.core.store.get(Space::Account, &[], b"keys")?.is_some())
    }

    /// Makes the device that asks one of this account, and brings it into all groups.
    ///
    /// Let the user compare the [code](LinkRequest::comparison_code) on both devices first. What it
    /// returns is the grant for [`Linking::complete`], which may travel in the open. Approving the
    /// same request again gives the same device.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoAccountKeys`] on another than the first device, [`EngineError::Identity`] if
    /// the request is not by who has its keys, [`EngineError::Revoked`] if a device with these keys
    /// was revoked or this one was, [`EngineError::TooLarge`] for one device too many, and those of
    /// the store.
    pub fn approve_device(
        &mut self,
        now: Time,
        request: &LinkRequest,
    ) -> Result<Vec<u8>, EngineError> {
        self.step(|engine| {
            let core = &mut engine.core;
            let account = account_keys(&core.store, &core.crypto)?;
            if engine.devices.revoked {
                return Err(EngineError::Revoked);
            }
            request.verify(&core.crypto)?;
            let device = match engine.bound_to(request)? {
                Some(device) => device,
                None => {
                    let core = &mut engine.core;
                    if core.own_devices()?.len() + 1 >= MAX_DEVICES {
                        let what = "the list of the account's devices";
                        return Err(EngineError::TooLarge { what, limit: MAX_DEVICES });
                    }
                    let binding = account.approve(&core.crypto, request, now)?.encode();
                    let device = DeviceId(core.hash(&binding));
                    let inbox = wire::encode(&Inbox::Device(binding.clone().into()));
                    core.publish_surely(engine.inbox, inbox, None)?;
                    engine.add_device(now, &binding)?;
                    device
                }
            };
            engine.grant(&device)
        })
    }

    /// The device that an earlier approval of the same request made.
    fn bound_to(&mut self, request: &LinkRequest) -> Result<Option<DeviceId>, EngineError> {
        let core = &mut self.core;
        let same = |core: &mut Core, device: &DeviceId| -> Result<bool, EngineError> {
            let known = core.binding(device)?;
            let binding = core.bindings().get(device).filter(|_| known);
            Ok(binding.is_some_and(|binding| binding.keys() == request.device()))
        };
        let revoked = revocations_of(&core.me.identity.address);
        for (key, _) in core.store.scan(Space::Account, &revoked)? {
            if let Some(device) = DeviceId::from_slice(&key)
                && same(core, &device)?
            {
                return Err(EngineError::Revoked);
            }
        }
        for device in core.own_devices()? {
            if same(core, &device)? {
                return Ok(Some(device));
            }
        }
        Ok(None)
    }

    /// A statement that a device is the own account's, `online` if the device may have just come
    /// there. If it is news, the device is brought into the groups.
    pub(super) fn meet(
        &mut self,
        now: Time,
        bytes: &[u8],
        online: bool,
    ) -> Result<(), EngineError> {
        let core = &mut self.core;
        let me = core.me.identity.clone();
        let device = DeviceId(core.hash(bytes));
        if device == me.device || core.is_revoked(&me.address, &device)? {
            return Ok(());
        }
        let devices = core.own_devices()?;
        if devices.contains(&device) {
            let hurry = online && self.devices.may_hear(now);
            return if hurry { self.hurry(now, device) } else { Ok(()) };
        }
        if devices.len() >= MAX_DEVICES || !self.devices.may_hear(now) {
            return Ok(());
        }
        let verified = Binding::decode(bytes).ok().and_then(|b| b.verify(&core.crypto).ok());
        if verified.is_none_or(|verified| verified.address() != me.address) {
            return Ok(());
        }
        self.add_device(now, bytes)
    }

    /// A device is the account's from now on.
    fn add_device(&mut self, now: Time, binding: &[u8]) -> Result<(), EngineError> {
        let core = &mut self.core;
        let Some((device, _)) = core.learn_binding(binding)? else { return Ok(()) };
        core.store.put(Space::Account, DEVICES, &device.0, &[])?;
        for group in self.active_groups()? {
            self.want(now, group, Intent::AddDevice(device))?;
        }
        Ok(())
    }

    /// Asks again at once for a device that groups wait for.
    fn hurry(&mut self, now: Time, device: DeviceId) -> Result<(), EngineError> {
        for id in self.groups_with_wishes() {
            self.with_group(now, id, |group, core| {
                let waiting = group.intents.iter_mut().filter(|(_, intent)| {
                    intent.status == IntentStatus::Open
                        && intent.intent == IntentBody::AddDevice(device)
                });
                let ids: Vec<_> = waiting
                    .map(|(id, intent)| {
                        intent.next = now;
                        *id
                    })
                    .collect();
                for id in ids {
                    group.save_intent(core, &id)?;
                    group.plan_at(now);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The groups that this client takes part in.
    fn active_groups(&self) -> Result<Vec<GroupId>, EngineError> {
        let mut active = Vec::new();
        for (id, group) in &self.groups {
            let status = match group {
                Some(group) => Some(group.record.status),
                None => {
                    let record = self.core.store.get(Space::Group, &[], &id.0)?;
                    let record = record.and_then(|record| wire::decode::<GroupRecord>(&record));
                    record.map(|record| record.status)
                }
            };
            if status == Some(Status::Active) {
                active.push(*id);
            }
        }
        Ok(active)
    }

    /// Wants something of a group that the account's devices are the reason of, unless it is wanted
    /// already.
    fn want(&mut self, now: Time, group: GroupId, intent: Intent) -> Result<(), EngineError> {
        self.with_group(now, group, |group, core| {
            let body = IntentBody::from(intent.clone());
            let wanted = group.intents.values().any(|other| {
                other.intent == body
                    && matches!(other.status, IntentStatus::Open | IntentStatus::At(..))
            });
            if wanted {
                return Ok(());
            }
            match group.intend(core, now, intent) {
                // A full list is no reason to refuse what this comes with.
                Err(EngineError::TooLarge { .. } | EngineError::NotInGroup) => Ok(()),
                done => done.map(drop),
            }
        })?;
        Ok(())
    }

    /// This device is in a group. If it was not before, so are to be the account's others, as far as
    /// `along` says; those that were revoked are not.
    pub(super) fn settle_devices(
        &mut self,
        now: Time,
        group: GroupId,
        along: impl Fn(&DeviceId) -> bool,
    ) -> Result<(), EngineError> {
        let own = self.core.own_devices()?;
        let me = self.core.me.identity.clone();
        let seats = self.with_group(now, group, |group, _| {
            let own = group.seats.iter().filter(|seat| seat.identity.address == me.address);
            Ok(own.map(|seat| seat.identity.device).collect::<Vec<_>>())
        })?;
        let seats = seats.unwrap_or_default();
        for device in own.into_iter().filter(|device| along(device) && !seats.contains(device)) {
            self.want(now, group, Intent::AddDevice(device))?;
        }
        for device in seats.into_iter().filter(|device| *device != me.device) {
            if self.core.is_revoked(&me.address, &device)? {
                self.want(now, group, Intent::RemoveDevice(device))?;
            }
        }
        Ok(())
    }

    /// This device has come from a group to its successor. The account's devices that were there and
    /// gave no key package in time are to follow; those that had left are not.
    pub(super) fn settle_successor(
        &mut self,
        now: Time,
        old: GroupId,
        next: GroupId,
    ) -> Result<(), EngineError> {
        let late = self.with_group(now, old, |group, _| {
            Ok(group.record.moved.as_ref().map(|moved| moved.late.clone()))
        })?;
        let late = late.flatten().unwrap_or_default();
        self.settle_devices(now, next, |device| late.contains(device))
    }

    /// Something on the topic of this account that is about devices.
    pub(super) fn take_statement(&mut self, now: Time, inbox: Inbox) -> Result<(), EngineError> {
        match inbox {
            Inbox::Restored(restored) => self.take_restored(now, &restored),
            Inbox::Revocation(bytes) => self.take_revocation(now, bytes.as_slice()),
            Inbox::Device(bytes) => self.meet(now, bytes.as_slice(), true),
            Inbox::Welcome(_) => Ok(()),
        }
    }

    /// Asks the account's other devices what they know of it, if there are any.
    pub(super) fn ask_account(&mut self) -> Result<(), EngineError> {
        if !self.core.own_devices()?.is_empty() {
            let question = wire::encode(&wire::Question::Account);
            self.core.outputs.push(Output::Ask { topic: self.inbox, question });
        }
        Ok(())
    }

    /// Tells who asks which devices the account has. It is nothing that the answers to those who
    /// invite would not tell.
    pub(super) fn tell_account(&mut self, asker: u64) -> Result<(), EngineError> {
        let devices = [vec![self.device()], self.core.own_devices()?].concat();
        for device in devices.iter().take(MAX_DEVICES) {
            if let Some(binding) = self.core.binding_bytes(device)? {
                let answer = wire::encode(&Answer::Binding(binding.into()));
                self.core.outputs.push(Output::Answer { asker, answer });
            }
        }
        self.tell_revocations(asker)
    }

    /// The grant for a device of the account.
    fn grant(&mut self, device: &DeviceId) -> Result<Vec<u8>, EngineError> {
        let core = &self.core;
        let address = core.me.identity.address;
        let binding = core.binding_bytes(device)?.ok_or(EngineError::NoDevice)?;
        let mut devices: Vec<VLBytes> = vec![core.me.binding.clone().into()];
        for other in core.own_devices()?.iter().filter(|other| *other != device) {
            devices.extend(core.binding_bytes(other)?.map(VLBytes::from));
        }
        let revocations = core.store.scan(Space::Account, &revocations_of(&address))?;
        let revocations = revocations.iter().map(|(_, bytes)| bytes.to_vec().into());
        let revocations = revocations.take(MAX_REVOCATIONS).collect();
        Ok(wire::encode(&link::Grant::new(binding.into(), devices, revocations)))
    }

    /// This device is a new one of the account: those that wait for it need not wait longer.
    pub(super) fn announce(&mut self) -> Result<(), EngineError> {
        let inbox = wire::encode(&Inbox::Device(self.core.me.binding.clone().into()));
        self.core.publish_surely(self.inbox, inbox, None)
    }

    /// What follows from what the store says about devices.
    pub(super) fn resume_devices(&mut self) -> Result<(), EngineError> {
        if self.devices.revoked {
            self.core.tell(Event::Revoked);
            return Ok(());
        }
        self.ask_account()
    }
}
