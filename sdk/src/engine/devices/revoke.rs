//! Taking a device from the account. What that means, the [module](super) says.

use super::{DEVICES, MAX_REVOCATIONS, account_keys, revocations_of};
use crate::engine::Engine;
use crate::engine::io::{EngineError, Event, Intent, Output};
use crate::engine::mls;
use crate::engine::records::{IntentBody, IntentStatus, Status};
use crate::identity::Revocation;
use crate::store::Space;
use crate::wire::{self, Answer, Inbox};
use crate::{Address, DeviceId, Time};

/// How many revocations are told to who asks for key packages.
const TOLD: usize = 8;

impl Engine {
    /// Takes a device from the account, for good: it is put out of all groups, and its keys will not
    /// be an account's again. Returns the [`Revocation`], which the other devices get by themselves.
    ///
    /// Revoking a device again gives the same revocation, and tells the others again.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoAccountKeys`] on another than the first device, [`EngineError::NoDevice`] if
    /// the device is not another one of this account, [`EngineError::Revoked`] if this one was
    /// revoked, and those of the store.
    pub fn revoke_device(&mut self, now: Time, device: DeviceId) -> Result<Vec<u8>, EngineError> {
        self.step(|engine| {
            let core = &mut engine.core;
            let account = account_keys(&core.store, &core.crypto)?;
            if engine.devices.revoked {
                return Err(EngineError::Revoked);
            }
            let me = core.me.identity.clone();
            if device == me.device || core.account_of(&device)? != Some(me.address) {
                return Err(EngineError::NoDevice);
            }
            let scope = revocations_of(&me.address);
            let bytes = match core.store.get(Space::Account, &scope, &device.0)? {
                Some(known) => known.to_vec(),
                None => account.revoke(device, now)?.encode(),
            };
            let inbox = wire::encode(&Inbox::Revocation(bytes.clone().into()));
            core.publish_surely(engine.inbox, inbox, None)?;
            engine.drop_device(now, &device, &bytes)?;
            Ok(bytes)
        })
    }

    /// A device is no longer the account's.
    fn drop_device(
        &mut self,
        now: Time,
        device: &DeviceId,
        revocation: &[u8],
    ) -> Result<(), EngineError> {
        let address = self.address();
        self.core.store.put(Space::Account, &revocations_of(&address), &device.0, revocation)?;
        self.core.store.delete(Space::Account, DEVICES, &device.0)?;
        for group in self.active_groups()? {
            let inside = self.with_group(now, group, |group, _| {
                // Whoever waits for it, waits no longer.
                group.plan_at(now);
                Ok(group.seat(device).is_some())
            })?;
            if inside == Some(true) {
                self.want(now, group, Intent::RemoveDevice(*device))?;
            }
        }
        Ok(())
    }

    /// A revocation, of whatever account. Those of strangers are not kept.
    pub(in crate::engine) fn take_revocation(
        &mut self,
        now: Time,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        // What is known already, and told often, is not verified again.
        let own = self.core.store.scan(Space::Account, &revocations_of(&self.address()))?;
        if own.iter().any(|(_, known)| **known == bytes) || !self.devices.may_hear(now) {
            return Ok(());
        }
        let core = &mut self.core;
        let verified = Revocation::decode(bytes).ok().and_then(|r| r.verify(&core.crypto).ok());
        let Some(revocation) = verified else { return Ok(()) };
        let (address, device) = (revocation.address(), revocation.device());
        let me = core.me.identity.clone();
        if core.is_revoked(&address, &device)? {
            return Ok(());
        }
        if address != me.address {
            return self.take_foreign(now, &address, &device, bytes);
        }
        if device != me.device {
            return self.drop_device(now, &device, bytes);
        }
        self.core.store.put(Space::Account, &revocations_of(&address), &device.0, bytes)?;
        self.stop(now)
    }

    /// This device is no longer the account's: it goes out of everything and keeps what was said.
    fn stop(&mut self, now: Time) -> Result<(), EngineError> {
        let by = Some(self.address());
        let groups: Vec<_> = self.groups.keys().copied().collect();
        for id in groups {
            self.with_group(now, id, |group, core| {
                match group.record.status {
                    Status::Out => return Ok(()),
                    Status::Moved => {}
                    Status::Active | Status::Leaving => core.tell(Event::Out { group: id, by }),
                }
                // The account's other devices may have left the group before.
                if group.is_active() {
                    group.say_leave(core, now, core.last_stay()?)?;
                }
                group.go(core, now)?;
                group.fall_silent(core)
            })?;
        }
        for space in [Space::KeyPackage, Space::Pending, Space::Outbox] {
            self.core.store.delete_scope(space, &[])?;
        }
        self.joining.clear();
        self.key_packages = 0;
        self.devices.revoked = true;
        self.devices.call = None;
        self.core.tell(Event::Revoked);
        Ok(())
    }

    /// A revocation by another account. It counts where this client is about to invite the account:
    /// key packages of the device are not taken.
    fn take_foreign(
        &mut self,
        now: Time,
        address: &Address,
        device: &DeviceId,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let mut invited = false;
        for id in self.groups_with_wishes() {
            let found = self.with_group(now, id, |group, core| {
                let inviting: Vec<_> = group
                    .intents
                    .iter()
                    .filter(|(_, intent)| {
                        intent.status == IntentStatus::Open
                            && intent.intent == IntentBody::Invite(*address)
                    })
                    .map(|(id, _)| *id)
                    .collect();
                let suite = group.suite()?;
                for id in &inviting {
                    let Some(intent) = group.intents.get_mut(id) else { continue };
                    intent.key_packages.retain(|package| {
                        mls::check_key_package(&core.crypto, suite, package.as_slice())
                            .is_ok_and(|(_, identity)| identity.device != *device)
                    });
                    group.save_intent(core, id)?;
                }
                Ok(!inviting.is_empty())
            })?;
            invited |= found == Some(true);
        }
        if invited { self.keep_foreign(address, device, bytes) } else { Ok(()) }
    }

    /// Keeps a verified revocation by another account.
    pub(super) fn keep_foreign(
        &mut self,
        address: &Address,
        device: &DeviceId,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        let scope = revocations_of(address);
        let store = &mut self.core.store;
        if store.scan_from(Space::Account, &scope, &[], MAX_REVOCATIONS)?.len() < MAX_REVOCATIONS {
            store.put(Space::Account, &scope, &device.0, bytes)?;
        }
        Ok(())
    }

    /// Tells who asks which devices were revoked, the last ones first.
    pub(in crate::engine) fn tell_revocations(&mut self, asker: u64) -> Result<(), EngineError> {
        for answer in self.revocation_answers()? {
            self.core.outputs.push(Output::Answer { asker, answer });
        }
        Ok(())
    }

    /// What is answered beside a key package.
    pub(in crate::engine) fn revocation_answers(&self) -> Result<Vec<Vec<u8>>, EngineError> {
        let scope = revocations_of(&self.address());
        let known = self.core.store.scan(Space::Account, &scope)?;
        let told = latest(&known).into_iter().take(TOLD);
        Ok(told.map(|(_, bytes)| wire::encode(&Answer::Revocation(bytes.into()))).collect())
    }
}

/// Revocations by their time, the last one first. They were verified when they were kept; their time
/// stands at a fixed place behind the account's keys and the device.
pub(super) fn latest(records: &[crate::store::Record]) -> Vec<(u64, Vec<u8>)> {
    const AT: usize = 1 + crate::identity::AccountPublic::LENGTH + DeviceId::LENGTH;
    let time = |bytes: &[u8]| {
        bytes.get(AT..AT + 8).and_then(|at| at.try_into().ok()).map_or(0, u64::from_be_bytes)
    };
    let mut all: Vec<_> = records.iter().map(|(_, bytes)| (time(bytes), bytes.to_vec())).collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    all
}
