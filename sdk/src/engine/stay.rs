//! A device's stay in a group: from the commit that added its leaf to the one that removes it.
//!
//! The leaf names it by 16 random bytes in an extension, which its own commits keep. So a device can
//! say once, signed with the key of its leaf, that it ends this stay: whoever hears of it may remove
//! the leaf, in any state that has it and on any side of a split, and nobody can use the same words
//! when the device has come in again.
//!
//! The commit carries these words in its `authenticated_data` (RFC 9420, section 6.1), where its
//! committer's signature covers them: so all members judge it by the same words.

use openmls::prelude::{Extension, Extensions, LeafNode, UnknownExtension};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::TrellisCrypto;

use super::io::EngineError;
use super::mls::{Refused, Seat};
use crate::wire::{self, Leave};
use crate::{GroupId, Stay};

/// The type of the leaf's extension, from the range for private use (RFC 9420, section 17.3).
pub(super) const EXTENSION_TYPE: u16 = 0xf54d;

/// The extensions of a leaf that begins a stay.
pub(super) fn extensions(stay: Stay) -> Result<Extensions<LeafNode>, Refused> {
    let extension = Extension::Unknown(EXTENSION_TYPE, UnknownExtension(stay.0.to_vec()));
    Extensions::single(extension).map_err(Refused::new)
}

/// The stay that a leaf names.
pub(super) fn of(leaf: &LeafNode) -> Option<Stay> {
    Stay::from_slice(&leaf.extensions().unknown(EXTENSION_TYPE)?.0)
}

fn text(group: GroupId, stay: Stay) -> Vec<u8> {
    [&b"trellis leave v1"[..], &group.0, &stay.0].concat()
}

/// The word of a device that it ends a stay.
pub(super) fn end(signer: &impl Signer, group: GroupId, stay: Stay) -> Result<Leave, EngineError> {
    let signature = signer.sign(&text(group, stay)).map_err(|_| EngineError::Randomness)?;
    Ok(Leave { stay, signature: signature.into() })
}

/// The member that a word is of, if it is one's.
pub(super) fn leaver<'a>(
    crypto: &TrellisCrypto,
    scheme: SignatureScheme,
    group: GroupId,
    roster: &'a [Seat],
    leave: &Leave,
) -> Option<&'a Seat> {
    let seat = roster.iter().find(|seat| seat.stay == Some(leave.stay))?;
    is_of(crypto, scheme, group, &seat.signature_key, leave).then_some(seat)
}

/// Whether a word is signed with a key.
pub(super) fn is_of(
    crypto: &TrellisCrypto,
    scheme: SignatureScheme,
    group: GroupId,
    key: &[u8],
    leave: &Leave,
) -> bool {
    let text = text(group, leave.stay);
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
