//! Bringing a device into a group.
//!
//! Adding a device of the own account needs no right: an account is in a group with all of its
//! devices. Adding one of another account, which came back from a backup, is an invitation, and needs
//! what an invitation needs.

use crate::engine::core::Core;
use crate::engine::group::Group;
use crate::engine::io::{EngineError, Failure};
use crate::engine::means::Means;
use crate::engine::mls;
use crate::engine::plan::{ADD_AT_ONCE, Wanted};
use crate::engine::records::{IntentBody, IntentRecord};
use crate::policy::Right;
use crate::wire::Stay;
use crate::{Address, DeviceId, IntentId, Time};

impl IntentBody {
    /// Whether a device is one that this brings in.
    pub(in crate::engine) fn brings(&self, address: &Address, device: &DeviceId) -> bool {
        match self {
            Self::Invite(whom) => whom == address,
            Self::AddDevice(which) => which == device,
            _ => false,
        }
    }
}

impl Group {
    /// Which devices an intent is about that are not in the group, and whose they are; nothing if
    /// that is not known.
    fn missing(
        &self,
        core: &mut Core,
        body: &IntentBody,
    ) -> Result<Option<(Address, Vec<DeviceId>)>, EngineError> {
        let (address, devices) = match body {
            IntentBody::AddDevice(device) => match core.account_of(device)? {
                Some(address) => (address, vec![*device]),
                None => return Ok(None),
            },
            _ => (core.me.identity.address, core.own_devices()?),
        };
        let missing = devices.into_iter().filter(|device| self.seat(device).is_none()).collect();
        Ok(Some((address, missing)))
    }

    /// Whether an intent waits for devices still, after a commit that brought some in.
    pub(in crate::engine) fn waits_for_devices(
        &self,
        core: &mut Core,
        body: &IntentBody,
    ) -> Result<bool, EngineError> {
        let missing = self.missing(core, body)?;
        Ok(missing.is_some_and(|(_, missing)| !missing.is_empty()))
    }

    /// What it means to bring in one device, or all of the own account.
    pub(in crate::engine) fn means_devices(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let me = core.me.identity.address;
        let Some(intent) = self.intents.get(id).cloned() else { return Ok(Means::Wait) };
        let Some((address, mut missing)) = self.missing(core, &intent.intent)? else {
            return Ok(Means::Never(Failure::NoKeyPackage));
        };
        if missing.is_empty() {
            return Ok(Means::Happened);
        }
        let mut left = Vec::new();
        for device in missing {
            if !core.is_revoked(&address, &device)? {
                left.push(device);
            }
        }
        missing = left;
        if missing.is_empty() {
            return Ok(Means::Never(Failure::Revoked));
        }
        missing.retain(|device| !self.has_left_since(core, device, &intent));
        if missing.is_empty() {
            return Ok(Means::Never(Failure::NoSuchMember));
        }
        if address != me {
            if !self.rules.allows(&me, Right::Invite) {
                return Ok(Means::Never(Failure::NotAllowed));
            }
            // Part of an account comes in where the account is: who was put out stays out.
            if !self.seats.iter().any(|seat| seat.identity.address == address) {
                return Ok(Means::Never(Failure::NoSuchMember));
            }
        }
        if missing.iter().all(|device| wanted.devices.contains(device)) {
            return Ok(Means::Wait);
        }
        if self.add_packages(core, &intent, &missing, wanted)? {
            self.replace_revoked(core, &address, wanted)?;
            return Ok(Means::Commit);
        }
        // A device that has left stays out; and so does another one of the account that hears the question.
        if address == me {
            missing = core.own_devices()?;
            missing.retain(|device| self.seat(device).is_none());
        }
        let stays: Vec<_> = missing.iter().map(|device| core.stay(self.id, device, 0)).collect();
        self.ask_for_device(core, now, id, &address, &stays)
    }

    /// Whether a device has said that it leaves after the stay that an intent had led to.
    fn has_left_since(&self, core: &Core, device: &DeviceId, intent: &IntentRecord) -> bool {
        let name = core.stay(self.id, device, 0).name;
        let number = intent.stays.iter().find(|stay| stay.name == name).map(|stay| stay.number);
        let word = self.leaves.get(device).map(|word| word.leave.upto);
        number.is_some() && word >= number
    }

    /// Adds the devices whose key packages are here; tells whether there are any.
    fn add_packages(
        &self,
        core: &Core,
        intent: &IntentRecord,
        missing: &[DeviceId],
        wanted: &mut Wanted,
    ) -> Result<bool, EngineError> {
        let suite = self.suite()?;
        let mut any = false;
        for package in &intent.key_packages {
            let checked = mls::check_key_package(&core.crypto, suite, package.as_slice());
            let Ok((package, identity)) = checked else { continue };
            let device = identity.device;
            if missing.contains(&device)
                && !wanted.devices.contains(&device)
                && wanted.add.len() < ADD_AT_ONCE
            {
                wanted.devices.push(device);
                wanted.add.push(package);
                any = true;
            }
        }
        Ok(any)
    }

    /// In the same commit the account's revoked devices go, as far as the rules let this client
    /// remove them: in two commits the account could be without a device in between, and so lose its
    /// role.
    fn replace_revoked(
        &self,
        core: &Core,
        address: &Address,
        wanted: &mut Wanted,
    ) -> Result<(), EngineError> {
        let me = &core.me.identity;
        let lower = self.rules.role(address) < self.rules.role(&me.address);
        let may = *address == me.address || lower && self.rules.allows(&me.address, Right::Remove);
        for seat in self.seats.iter().filter(|seat| may && seat.identity.address == *address) {
            let device = &seat.identity.device;
            if *device != me.device && core.is_revoked(address, device)? {
                wanted.remove(seat.leaf);
            }
        }
        Ok(())
    }

    fn ask_for_device(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        address: &Address,
        stays: &[Stay],
    ) -> Result<Means, EngineError> {
        let Some(intent) = self.intents.get_mut(id) else { return Ok(Means::Wait) };
        if now.since(intent.created) > core.config.patience {
            return Ok(Means::Never(Failure::NoKeyPackage));
        }
        let mut next = intent.next;
        if now >= next {
            // What came before was of devices that are in by now, or is too old.
            intent.key_packages.clear();
            intent.asked = intent.asked.saturating_add(1);
            next = now + core.config.retry.times(1 << intent.asked.min(6));
            intent.next = next;
            core.ask_key_package(address, self.record.suite, stays)?;
            self.save_intent(core, id)?;
        }
        self.plan_at(next);
        Ok(Means::Wait)
    }
}
