//! Where records are.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HashType;
use openmls_trellis_crypto::TrellisCrypto;

use crate::{Address, DeviceId, Topic};

/// How many places an account has.
pub const SLOTS: u8 = 8;
/// In how many of them a device may be.
pub const CHOICES: usize = 3;

fn sha256(crypto: &TrellisCrypto, bytes: &[u8]) -> [u8; 32] {
    let digest = crypto.hash(HashType::Sha2_256, bytes);
    digest.ok().and_then(|digest| digest.try_into().ok()).expect("SHA-256 takes all and gives 32")
}

/// The topic of an account, where invitations for it go and questions to it:
/// `SHA-256("trellis inbox v1" || address)`.
#[must_use]
pub fn inbox(crypto: &TrellisCrypto, address: &Address) -> Topic {
    Topic(sha256(crypto, &[b"trellis inbox v1", &address.0[..]].concat()))
}

/// The key of a place of an account, in a distributed hash table.
#[must_use]
pub fn key(crypto: &TrellisCrypto, inbox: &Topic, slot: u8) -> [u8; 32] {
    sha256(crypto, &[&b"trellis directory v1"[..], &inbox.0, &[slot]].concat())
}

/// The places that a device may be in, the best first.
#[must_use]
pub fn choices(device: &DeviceId) -> [u8; CHOICES] {
    // A hash has three different ones among its bytes, except for one in 10^13; that one takes the first
    // that are left.
    let mut slots = device.0.iter().map(|byte| byte % SLOTS).chain(0..SLOTS);
    let mut chosen: [Option<u8>; CHOICES] = [None; CHOICES];
    for place in 0..CHOICES {
        let next = slots.find(|slot| !chosen.contains(&Some(*slot)));
        if let Some(place) = chosen.get_mut(place) {
            *place = next;
        }
    }
    chosen.map(Option::unwrap_or_default)
}

/// Which of its places a device takes. `others` tells which other devices have records that hold in a
/// place.
///
/// It takes the first that is free. If two devices took the same at the same time, the one whose name is
/// the lesser stays: each node of the table has one of both, and next time the other one sees that. If all
/// are taken, it takes the best, and is there when the other device's record ends.
#[must_use]
pub fn place(device: &DeviceId, others: impl Fn(u8) -> Vec<DeviceId>, mine: Option<u8>) -> u8 {
    let choices = choices(device);
    let stays = |slot: &u8| others(*slot).iter().all(|other| device < other);
    if let Some(mine) = mine.filter(|mine| choices.contains(mine) && stays(mine)) {
        return mine;
    }
    let free = choices.iter().find(|slot| others(**slot).is_empty());
    let [best, ..] = choices;
    free.copied().unwrap_or(best)
}
