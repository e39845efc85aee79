//! What an inviter makes of what it finds.

use std::collections::{BTreeMap, BTreeSet};

use openmls_trellis_crypto::TrellisCrypto;

use super::place::key;
use super::{DirectoryError, VerifiedRecord, judge};
use crate::identity::Binding;
use crate::transport::MAX_MESSAGE;
use crate::wire::{self, Answer, Question};
use crate::{DeviceId, Time, Topic};

/// The records of an account's devices that were found, the latest of each.
#[derive(Debug, Default)]
pub struct Found {
    latest: BTreeMap<DeviceId, VerifiedRecord>,
    slots: BTreeMap<u8, BTreeSet<DeviceId>>,
}

impl Found {
    /// Takes a value that was found in a place of an account, if it is a record that holds there.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`], if it is none.
    pub fn take(
        &mut self,
        crypto: &TrellisCrypto,
        now: Time,
        (inbox, slot): (&Topic, u8),
        value: &[u8],
    ) -> Result<(), DirectoryError> {
        let found = judge::found(crypto, now, &key(crypto, inbox, slot), value)?;
        self.slots.entry(slot).or_default().insert(found.device());
        let latest = self.latest.entry(found.device()).or_insert_with(|| found.clone());
        if latest.made() < found.made() {
            *latest = found;
        }
        Ok(())
    }

    /// The devices with records in a place, apart from one.
    #[must_use]
    pub fn others(&self, slot: u8, device: &DeviceId) -> Vec<DeviceId> {
        let there = self.slots.get(&slot).into_iter().flatten();
        there.filter(|other| *other != device).copied().collect()
    }

    /// The place where a device has a record.
    #[must_use]
    pub fn slot_of(&self, device: &DeviceId) -> Option<u8> {
        self.slots.iter().find(|(_, devices)| devices.contains(device)).map(|(slot, _)| *slot)
    }

    /// The latest record of each device, in the order of the devices' names.
    pub fn into_latest(self) -> impl Iterator<Item = VerifiedRecord> {
        self.latest.into_values()
    }
}

/// The cipher suite of a question, if it is one that a box can answer: for a key package, and not for
/// somebody who is to be in a group *again*, of whom only the device knows whether it has left since.
#[must_use]
pub fn wanted(question: &[u8]) -> Option<u16> {
    match wire::decode(question) {
        Some(Question::KeyPackage(suite)) => Some(suite),
        _ => None,
    }
}

/// The answers that a box gave in place of its device: the one with the key package, then those beside
/// it. What can be checked without knowing the group is: that the key package comes with the very binding
/// of the record, so that the account's signatures have been verified; what is beside it and is neither
/// a revocation nor a binding is left out. Each is checked again by who uses it.
///
/// # Errors
///
/// [`DirectoryError::OtherPackage`].
pub fn answers<'a>(
    crypto: &TrellisCrypto,
    device: &DeviceId,
    package: &'a [u8],
    beside: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Vec<u8>>, DirectoryError> {
    let other = DirectoryError::OtherPackage;
    let Some(Answer::KeyPackage(_, binding)) = bounded(package).and_then(wire::decode) else {
        return Err(other);
    };
    let binding = Binding::decode(binding.as_slice()).map_err(|_| other)?;
    if binding.device_id(crypto) != *device {
        return Err(other);
    }
    let is_beside = |answer: &&[u8]| {
        matches!(
            bounded(answer).and_then(wire::decode),
            Some(Answer::Revocation(_) | Answer::Binding(_))
        )
    };
    let beside = beside.into_iter().filter(is_beside);
    Ok([package].into_iter().chain(beside).map(<[u8]>::to_vec).collect())
}

fn bounded(bytes: &[u8]) -> Option<&[u8]> {
    (bytes.len() <= MAX_MESSAGE).then_some(bytes)
}
