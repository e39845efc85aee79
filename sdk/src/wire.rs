//! What travels: envelopes, and what is inside.
//!
//! An envelope hides group, epoch, sender and kind of content. On the wire it is
//!
//! | bytes | content |
//! |---|---|
//! | 12 | nonce, random |
//! | … | AES-256-GCM under a key of the group, with the topic as associated data, of the rest: |
//! | 1 | version, 1 |
//! | 1 | [`Kind`] |
//! | 16 | the sender's newest state |
//! | 4 | length of the payload, big endian |
//! | … | payload |
//! | … | zeros, up to a length of Padmé |
//!
//! Each state gives two such keys, `MLS-Exporter(state, "trellis envelope", "", 32)` for what is said
//! and done in the state, and `MLS-Exporter(state, "trellis beacon", "", 32)` for what members who
//! lost each other need to find together again. The former is erased when the state is; the latter
//! stays for a while, and protects no content.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::AeadType;
use openmls_trellis_crypto::TrellisCrypto;
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use crate::{DeviceId, GroupId, StateId, Time, Topic};

/// The version of all formats here.
const VERSION: u8 = 1;
const NONCE: usize = 12;
const HEADER: usize = 2 + StateId::LENGTH + 4;
const TAG: usize = 16;

/// The longest payload of one envelope; what is longer travels in parts.
pub(crate) const MAX_PAYLOAD: usize = 32 * 1024;

/// The longest envelope: the payload's length after padding, and what surrounds it.
pub(crate) const MAX_ENVELOPE: usize = NONCE + padded(HEADER + MAX_PAYLOAD + 512) + TAG;

/// The kinds of envelopes. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A [`Bundle`].
    Commit = 1,
    /// A PrivateMessage with a [`Body`].
    Application = 2,
    /// A [`Leave`].
    Leave = 3,
    /// A [`Signed`] [`Beacon`].
    Beacon = 4,
    /// A [`Signed`] [`Request`].
    Request = 5,
    /// A [`Part`] of something longer.
    Part = 6,
    /// A ratchet tree.
    Tree = 7,
    /// A binding.
    Binding = 8,
    /// A [`Signed`] [`Rejoin`].
    Rejoin = 9,
    /// A [`Signed`] [`Note`].
    Note = 10,
}

/// What an envelope holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) kind: Kind,
    pub(crate) tip: StateId,
    pub(crate) payload: Vec<u8>,
}

/// The length that `length` bytes are padded to: Padmé (Nikitin et al., PoPETs 2019), which leaks
/// O(log log length) bits and adds at most 12 %.
const fn padded(length: usize) -> usize {
    if length < 256 {
        return 256;
    }
    let exponent = usize::BITS - 1 - length.leading_zeros();
    let significant = u32::BITS - exponent.leading_zeros();
    let mask = (1 << (exponent - significant)) - 1;
    (length + mask) & !mask
}

/// Seals a payload, which is at most [`MAX_PAYLOAD`] and a little long.
pub(crate) fn seal(
    crypto: &TrellisCrypto,
    key: &[u8; 32],
    topic: &Topic,
    kind: Kind,
    tip: StateId,
    payload: &[u8],
) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok()?;
    let mut plain = Vec::with_capacity(padded(HEADER + payload.len()));
    plain.extend([VERSION, kind as u8]);
    plain.extend(tip.0);
    plain.extend(length.to_be_bytes());
    plain.extend(payload);
    plain.resize(padded(plain.len()), 0);
    let nonce: [u8; NONCE] = crypto.random_array().ok()?;
    let sealed = crypto.aead_encrypt(AeadType::Aes256Gcm, key, &plain, &nonce, &topic.0).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Opens an envelope; nothing if it is not one under this key.
pub(crate) fn open(
    crypto: &TrellisCrypto,
    key: &[u8; 32],
    topic: &Topic,
    envelope: &[u8],
) -> Option<Opened> {
    if envelope.len() > MAX_ENVELOPE {
        return None;
    }
    let (nonce, sealed) = envelope.split_first_chunk::<NONCE>()?;
    let plain = crypto.aead_decrypt(AeadType::Aes256Gcm, key, sealed, nonce, &topic.0).ok()?;
    let (header, rest) = plain.split_first_chunk::<HEADER>()?;
    if header[0] != VERSION {
        return None;
    }
    let (kind, _) = Kind::tls_deserialize_bytes(&header[1..2]).ok()?;
    let tip = StateId::from_slice(&header[2..18])?;
    let length = u32::from_be_bytes(header[18..].try_into().ok()?);
    let payload = rest.get(..usize::try_from(length).ok()?)?;
    Some(Opened { kind, tip, payload: payload.to_vec() })
}

/// A structure that is exactly these bytes.
pub(crate) fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Option<T> {
    T::tls_deserialize_exact_bytes(bytes).ok()
}

/// The bytes of a structure of ours, none of which can be too long for its length.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    value.tls_serialize_detached().expect("its lengths fit into 30 bits")
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Bundle {
    /// The state that it is made on.
    pub(crate) parent: StateId,
    /// What it claims its class and its committer's leaf to be. Who lies makes it invalid.
    pub(crate) class: u8,
    pub(crate) leaf: u32,
    /// An MLSMessage.
    pub(crate) commit: VLBytes,
}

/// What an application message is inside MLS.
#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Body {
    /// What its device names it by, see [`MessageId`](crate::MessageId).
    pub(crate) nonce: [u8; 16],
    /// Its number among the messages of its device in this group; the first is 1.
    pub(crate) number: u64,
    pub(crate) written: Time,
    /// A [`Message`](crate::message::Message).
    pub(crate) message: VLBytes,
}

/// Nothing of what was said.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

/// Something that a device says outside of MLS, signed with the key of its leaf.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Signed {
    pub(crate) device: DeviceId,
    pub(crate) body: VLBytes,
    pub(crate) signature: VLBytes,
}

/// Where a device stands.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Beacon {
    /// Grows with every beacon of a device: one that does not is old.
    pub(crate) count: u64,
    /// How many messages the device has sent.
    pub(crate) sent: u64,
    /// How many of the states, from the newest on, it can still roll back.
    pub(crate) window: u16,
    /// From the newest state down to the one under whose key this is said.
    pub(crate) chain: Vec<Run>,
    /// Up to which number it has the messages of others.
    pub(crate) got: Vec<Got>,
}

/// States of a chain without a gap, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Run {
    /// How high the first of them is.
    pub(crate) top: u64,
    pub(crate) states: Vec<StateId>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Got {
    pub(crate) device: DeviceId,
    pub(crate) upto: u64,
}

/// What a device lacks.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Request {
    /// The commits after a state.
    #[tls_codec(discriminant = 1)]
    Commits(StateId),
    /// The ratchet tree of a state.
    #[tls_codec(discriminant = 2)]
    Tree(StateId),
    /// Bindings.
    #[tls_codec(discriminant = 3)]
    Bindings(Vec<DeviceId>),
    /// Messages of a device, from a number to another.
    #[tls_codec(discriminant = 4)]
    Messages(DeviceId, u64, u64),
    /// The own chain, from the state under whose key it is asked for.
    #[tls_codec(discriminant = 5)]
    Chain,
}

/// A part of a payload that is too long for one envelope.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// SHA-256 of the whole.
    pub(crate) whole: [u8; 32],
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) bytes: VLBytes,
}

/// A device asks to be brought over from the other side of a split.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Rejoin {
    pub(crate) count: u64,
    /// The side that it wants to join, or nothing for the group's successor: the first state after the fork, and the newest of those who are
    /// on it, for members who came over themselves and do not know the first.
    pub(crate) side: Vec<StateId>,
    /// An MLSMessage.
    pub(crate) key_package: VLBytes,
}

/// A device ends its stays in a group up to one. Whoever has this may remove its leaf, in whatever state
/// of the group that leaf is.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Leave {
    pub(crate) device: DeviceId,
    /// The number of the last stay that it ends.
    pub(crate) upto: u64,
    /// With the key of the leaf, over "trellis leave v1", the group and the number.
    pub(crate) signature: VLBytes,
}

/// Where a group that has moved goes on.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Onward {
    pub(crate) to: GroupId,
    pub(crate) suite: u16,
    /// The height of the last state of the old group that is known to whoever says this, and on the side
    /// that has moved.
    pub(crate) fork: u64,
}

/// A short word.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Note {
    /// The device came in when this one had sent so many messages: there are no earlier ones for it.
    #[tls_codec(discriminant = 1)]
    Floor(DeviceId, u64),
    /// The device is not in the group any more, where this one is.
    #[tls_codec(discriminant = 2)]
    NotAMember(DeviceId),
    /// The group has moved.
    #[tls_codec(discriminant = 3)]
    Moved(Onward),
    /// Who was in the state under whose key this is said is not any more.
    #[tls_codec(discriminant = 4)]
    GivenUp(StateId),
}

/// A device has come back from a backup: what it says to those who were in groups with it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Restored {
    /// Revocations of the devices that it was before.
    pub(crate) revocations: Vec<VLBytes>,
    /// The binding of the device that it is.
    pub(crate) binding: VLBytes,
    /// SHA-256 of "trellis restored v1", a group, and the new device, for each of the groups.
    pub(crate) groups: Vec<[u8; 32]>,
}

/// What travels on the topic of an account, in the clear but for what MLS encrypts.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Inbox {
    /// An MLSMessage with a Welcome for one device.
    #[tls_codec(discriminant = 1)]
    Welcome(VLBytes),
    /// A revocation of a device of the account.
    #[tls_codec(discriminant = 2)]
    Revocation(VLBytes),
    /// A device of another account that has come back from a backup.
    #[tls_codec(discriminant = 3)]
    Restored(Restored),
    /// A binding of a device of the account: it is new, or has just been linked.
    #[tls_codec(discriminant = 4)]
    Device(VLBytes),
}

/// What is asked of whoever listens to the topic of an account.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Question {
    /// A key package for a cipher suite.
    #[tls_codec(discriminant = 1)]
    KeyPackage(u16),
    /// Which devices the account has, and which it has revoked.
    #[tls_codec(discriminant = 2)]
    Account,
    /// A key package for a cipher suite, for somebody who is to be in a group again: he was brought in on
    /// a side of a split that was given up, or was not there when the group moved. Whoever has left it
    /// since gives none.
    #[tls_codec(discriminant = 3)]
    Again(u16, Vec<Stay>),
}

/// A stay of a device in a group, for those who know both: the number of its leaf.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Stay {
    /// `SHA-256("trellis stay v1" || group || device)`, the first half.
    pub(crate) name: [u8; 16],
    pub(crate) number: u64,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(crate) enum Answer {
    /// An MLSMessage with a key package, and the binding of its device.
    #[tls_codec(discriminant = 1)]
    KeyPackage(VLBytes, VLBytes),
    /// A binding of a device of the account.
    #[tls_codec(discriminant = 2)]
    Binding(VLBytes),
    /// A revocation of one.
    #[tls_codec(discriminant = 3)]
    Revocation(VLBytes),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn envelopes_open_with_their_key_and_topic_only() {
        let crypto = TrellisCrypto::default();
        let (key, topic, tip) = ([1; 32], Topic([2; 32]), StateId([3; 16]));
        let sealed = seal(&crypto, &key, &topic, Kind::Beacon, tip, b"payload").unwrap();
        let opened = open(&crypto, &key, &topic, &sealed).unwrap();
        assert_eq!(opened, Opened { kind: Kind::Beacon, tip, payload: b"payload".to_vec() });
        assert_eq!(open(&crypto, &[4; 32], &topic, &sealed), None);
        assert_eq!(open(&crypto, &key, &Topic([4; 32]), &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open(&crypto, &key, &topic, &changed), None);
        }
    }

    proptest! {
        #[test]
        fn padding_adds_little_and_hides_the_low_bits(length in 256_usize..1 << 24) {
            let padded = padded(length);
            prop_assert!(padded >= length && padded * 100 <= length * 112);
            prop_assert_eq!(super::padded(padded), padded);
        }

        #[test]
        fn an_envelope_of_the_largest_payload_is_within_the_limit(extra in 0_usize..256) {
            let crypto = TrellisCrypto::default();
            let payload = vec![0; MAX_PAYLOAD + extra];
            let sealed =
                seal(&crypto, &[1; 32], &Topic([2; 32]), Kind::Part, StateId([0; 16]), &payload);
            prop_assert!(sealed.unwrap().len() <= MAX_ENVELOPE);
        }

        #[test]
        fn nothing_from_outside_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode::<Bundle>(&bytes);
            let _ = decode::<Body>(&bytes);
            let _ = decode::<Signed>(&bytes);
            let _ = decode::<Beacon>(&bytes);
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Part>(&bytes);
            let _ = decode::<Rejoin>(&bytes);
            let _ = decode::<Leave>(&bytes);
            let _ = decode::<Note>(&bytes);
            let _ = decode::<Inbox>(&bytes);
            let _ = decode::<Question>(&bytes);
            let _ = decode::<Answer>(&bytes);
            let _ = open(&TrellisCrypto::default(), &[0; 32], &Topic([0; 32]), &bytes);
        }
    }
}
