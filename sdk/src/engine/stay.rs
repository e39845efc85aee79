//! A device's stay in a group: from the commit that added its leaf to the one that removes it.
//!
//! The leaf names it by a number in an extension, which its own commits keep. A device counts the leaves
//! that it makes, for all groups, so a later stay has a higher number. It can say once, signed with the
//! key of its leaf, that it ends its stays up to a number: whoever hears of it may remove the leaf, in any
//! state that has it and on any side of a split, also one on which the device has another leaf than on
//! its own. And nobody can use the same words when the device has come in again.
//!
//! The commit carries these words in its `authenticated_data` (RFC 9420, section 6.1), where its
//! committer's signature covers them: so all members judge it by the same words.

use openmls::prelude::{Extension, Extensions, LeafNode, UnknownExtension};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::TrellisCrypto;

use super::io::EngineError;
use super::mls::{Leaf, Refused, Seat};
use crate::wire::{self, Leave};
use crate::{DeviceId, GroupId};

/// The type of the leaf's extension, from the range for private use (RFC 9420, section 17.3).
pub(super) const EXTENSION_TYPE: u16 = 0xf54d;

/// The extensions of a leaf that begins a stay.
pub(super) fn extensions(stay: u64) -> Result<Extensions<LeafNode>, Refused> {
    let content = stay.to_be_bytes().to_vec();
    let extension = Extension::Unknown(EXTENSION_TYPE, UnknownExtension(content));
    Extensions::single(extension).map_err(Refused::new)
}

/// The number of the stay that a leaf names.
pub(super) fn of(leaf: &LeafNode) -> Option<u64> {
    let content = &leaf.extensions().unknown(EXTENSION_TYPE)?.0;
    content.as_slice().try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn text(group: GroupId, upto: u64) -> Vec<u8> {
    [&b"trellis leave v1"[..], &group.0, &upto.to_be_bytes()].concat()
}

/// The word of a device that it ends its stays up to one.
pub(super) fn end(leaf: &Leaf, group: GroupId, upto: u64) -> Result<Leave, EngineError> {
    let text = text(group, upto);
    let signature = openmls_traits::signatures::Signer::sign(&leaf.signer, &text)
        .map_err(|_| EngineError::Randomness)?;
    Ok(Leave { device: leaf.identity.device, upto, signature: signature.into() })
}

/// Whether a word ends the stay of a member.
pub(super) fn ends(leave: &Leave, seat: &Seat) -> bool {
    seat.identity.device == leave.device && seat.stay.is_some_and(|stay| stay <= leave.upto)
}

/// The member of whom a word says that it leaves, if it is its own.
pub(super) fn leaver<'a>(
    crypto: &TrellisCrypto,
    scheme: SignatureScheme,
    group: GroupId,
    roster: &'a [Seat],
    leave: &Leave,
) -> Option<&'a DeviceId> {
    let seat = roster.iter().find(|seat| ends(leave, seat))?;
    let own = is_signed(crypto, scheme, group, &seat.signature_key, leave);
    own.then_some(&seat.identity.device)
}

/// Whether a word is signed with a key.
pub(super) fn is_signed(
    crypto: &TrellisCrypto,
    scheme: SignatureScheme,
    group: GroupId,
    key: &[u8],
    leave: &Leave,
) -> bool {
    let text = text(group, leave.upto);
    crypto.verify_signature(scheme, &text, key, leave.signature.as_slice()).is_ok()
}

/// The words as a commit carries them; nothing is no bytes.
pub(super) fn to_commit(leaves: &Vec<Leave>) -> Vec<u8> {
    if leaves.is_empty() { Vec::new() } else { wire::encode(leaves) }
}

/// The words that a commit carries; nothing if it carries something else.
pub(super) fn from_commit(bytes: &[u8]) -> Option<Vec<Leave>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    wire::decode::<Vec<Leave>>(bytes).filter(|leaves| !leaves.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;
    use crate::identity::LeafIdentity;
    use openmls_traits::signatures::Signer;
    use openmls_trellis_crypto::TrellisSigner;

    const SCHEME: SignatureScheme = SignatureScheme::ED25519;
    const GROUP: GroupId = GroupId([1; 32]);

    fn seat(device: u8, signer: &TrellisSigner, stay: u64) -> Seat {
        Seat {
            leaf: 0,
            identity: LeafIdentity { address: Address([9; 32]), device: DeviceId([device; 32]) },
            signature_key: signer.public_key().to_vec(),
            stay: Some(stay),
        }
    }

    fn word(device: u8, signer: &TrellisSigner, group: GroupId, upto: u64) -> Leave {
        let signature = signer.sign(&text(group, upto)).unwrap();
        Leave { device: DeviceId([device; 32]), upto, signature: signature.into() }
    }

    #[test]
    fn a_word_ends_the_stays_of_its_device_up_to_a_number() {
        let crypto = TrellisCrypto::default();
        let [own, other] = [(); 2].map(|()| TrellisSigner::generate(SCHEME).unwrap());
        let roster = [seat(1, &own, 5), seat(2, &other, 5)];
        let leaver = |leave: &Leave| leaver(&crypto, SCHEME, GROUP, &roster, leave).copied();
        assert_eq!(leaver(&word(1, &own, GROUP, 5)), Some(DeviceId([1; 32])));
        assert_eq!(leaver(&word(1, &own, GROUP, 6)), Some(DeviceId([1; 32])));
        // Of a stay before, for another group, of another, and of nobody who is here.
        assert_eq!(leaver(&word(1, &own, GROUP, 4)), None);
        assert_eq!(leaver(&word(1, &own, GroupId([2; 32]), 5)), None);
        assert_eq!(leaver(&word(2, &own, GROUP, 5)), None);
        assert_eq!(leaver(&word(3, &own, GROUP, 5)), None);
    }

    #[test]
    fn words_in_a_commit_are_some_or_no_bytes() {
        let signer = TrellisSigner::generate(SCHEME).unwrap();
        let words = vec![word(1, &signer, GROUP, 5), word(2, &signer, GROUP, 7)];
        assert_eq!(from_commit(&to_commit(&words)), Some(words));
        assert_eq!(from_commit(&to_commit(&Vec::new())), Some(Vec::new()));
        assert_eq!(from_commit(&wire::encode(&Vec::<Leave>::new())), None);
        assert_eq!(from_commit(b"something else"), None);
    }
}
