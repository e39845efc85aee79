//! The GroupContext extension `hybrid_policy`: below which protection a group never goes.
//!
//! `specs/draft-trellis-mls-hybrid-kem-00.md`, section "Downgrade Protection", defines it:
//!
//! ```text
//! enum { classical(0), post_quantum(1), hybrid(2), (255) } ProtectionLevel;
//!
//! struct {
//!     ProtectionLevel confidentiality;
//!     ProtectionLevel authenticity;
//! } ProtectionFloor;
//!
//! struct {
//!     opaque group_id<V>;
//!     CipherSuite cipher_suite;
//! } Successor;
//!
//! struct {
//!     ProtectionFloor floor;
//!     optional<Successor> successor;
//!     GroupId predecessors<V>;        // opaque<V> each, the newest last, at most 16
//! } HybridPolicy;
//! ```
//!
//! Here are its bytes and the rules of the draft that need nothing but it and a cipher suite. Who may
//! change it, and which members move along, is for the application.

use openmls_traits::types::Ciphersuite;
use std::io::{Read, Write};
use tls_codec::{
    Deserialize, DeserializeBytes, Serialize, Size, TlsDeserialize, TlsDeserializeBytes,
    TlsSerialize, TlsSize, VLBytes,
};
use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};

/// The type of the extension, from the range for private use (RFC 9420, section 17.3).
pub const HYBRID_POLICY: u16 = 0xf54e;

/// How many groups before this one are named at most.
pub const MAX_PREDECESSORS: usize = 16;

/// What cryptography at least protects against: one level for what is said, one for who says it.
///
/// ```
/// use openmls_traits::types::Ciphersuite;
/// use openmls_trellis_crypto::Floor;
///
/// let suite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
/// assert!(Floor::of(suite).covers(Floor::HYBRID_CONFIDENTIALITY));
/// assert!(!Floor::of(suite).covers(Floor::POST_QUANTUM));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Floor {
    /// Of the KEM.
    pub confidentiality: Protection,
    /// Of the signature scheme.
    pub authenticity: Protection,
}

impl Floor {
    /// Adversaries without a quantum computer.
    pub const CLASSICAL: Self = Self::new(Protection::Classical, Protection::Classical);
    /// Who records today and has a quantum computer later.
    pub const POST_QUANTUM_CONFIDENTIALITY: Self =
        Self::new(Protection::PostQuantum, Protection::Classical);
    /// The same, and who breaks ML-KEM without one.
    pub const HYBRID_CONFIDENTIALITY: Self = Self::new(Protection::Hybrid, Protection::Classical);
    /// Also who has a quantum computer while the group is used.
    pub const POST_QUANTUM: Self = Self::new(Protection::PostQuantum, Protection::PostQuantum);

    const fn new(confidentiality: Protection, authenticity: Protection) -> Self {
        Self { confidentiality, authenticity }
    }

    /// What a cipher suite protects against; one that the registry does not know counts as classical.
    #[must_use]
    pub fn of(suite: Ciphersuite) -> Self {
        CipherSuite::from_code_point(Ecosystem::OpenMls, suite.into())
            .map_or(Self::CLASSICAL, |suite| {
                Self::new(suite.confidentiality(), suite.authenticity())
            })
    }

    /// What the successor of a group on this suite has to protect against, whatever its policy says:
    /// a quantum computer, where the group does. Whether by a hybrid, the policy decides.
    #[must_use]
    pub fn kept_after(suite: Ciphersuite) -> Self {
        let of = Self::of(suite);
        let quantum = Protection::PostQuantum;
        Self::new(of.confidentiality.min(quantum), of.authenticity.min(quantum))
    }

    /// Whether it protects at least as much as another, in both respects.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.confidentiality >= other.confidentiality && self.authenticity >= other.authenticity
    }

    /// The higher of two levels in both respects.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self::new(
            self.confidentiality.max(other.confidentiality),
            self.authenticity.max(other.authenticity),
        )
    }
}

/// The levels in the order of their numbers.
const LEVELS: [Protection; 3] =
    [Protection::Classical, Protection::PostQuantum, Protection::Hybrid];

impl Size for Floor {
    fn tls_serialized_len(&self) -> usize {
        2
    }
}

impl Serialize for Floor {
    fn tls_serialize<W: Write>(&self, writer: &mut W) -> Result<usize, tls_codec::Error> {
        [self.confidentiality as u8, self.authenticity as u8].tls_serialize(writer)
    }
}

impl DeserializeBytes for Floor {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), tls_codec::Error> {
        let (levels, rest) = <[u8; 2]>::tls_deserialize_bytes(bytes)?;
        Ok((Self::from_levels(levels)?, rest))
    }
}

impl Deserialize for Floor {
    fn tls_deserialize<R: Read>(bytes: &mut R) -> Result<Self, tls_codec::Error> {
        Self::from_levels(<[u8; 2]>::tls_deserialize(bytes)?)
    }
}

impl Floor {
    fn from_levels([confidentiality, authenticity]: [u8; 2]) -> Result<Self, tls_codec::Error> {
        let level = |number: u8| {
            LEVELS.get(usize::from(number)).copied().ok_or(tls_codec::Error::InvalidInput)
        };
        Ok(Self::new(level(confidentiality)?, level(authenticity)?))
    }
}

/// The group that another one moves to.
#[derive(
    Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserialize, TlsDeserializeBytes, TlsSize,
)]
pub struct Successor {
    /// Its group_id.
    pub group_id: VLBytes,
    /// The code point of its cipher suite.
    pub cipher_suite: u16,
}

/// The content of the extension.
///
/// ```
/// use openmls::prelude::{Extension, UnknownExtension};
/// use openmls_traits::types::Ciphersuite;
/// use openmls_trellis_crypto::{Floor, HYBRID_POLICY, HybridPolicy};
///
/// let policy = HybridPolicy::new(Floor::POST_QUANTUM_CONFIDENTIALITY);
/// let extension = Extension::Unknown(HYBRID_POLICY, UnknownExtension(policy.to_bytes()));
/// assert_eq!(policy.to_bytes(), [1, 0, 0, 0]);
///
/// let classical = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
/// let hybrid = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
/// assert!(!policy.admits(classical) && policy.admits(hybrid));
/// # let _ = extension;
/// ```
#[derive(
    Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserialize, TlsDeserializeBytes, TlsSize,
)]
pub struct HybridPolicy {
    /// Below what the group and what comes after it never go.
    pub floor: Floor,
    /// Where the group goes on, once that is decided.
    pub successor: Option<Successor>,
    /// The group_ids of the groups before this one, the newest last.
    pub predecessors: Vec<VLBytes>,
}

/// Why a change of the policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Downgrade {
    /// In one respect at least.
    #[error("a lower floor")]
    LowerFloor,
    /// The group would have to move before the next message.
    #[error("a floor that the group's own cipher suite does not reach")]
    FloorAboveSuite,
    /// Than the floor, or than the present suite against a quantum computer; or one that is not known.
    #[error("a successor that protects less")]
    WeakerSuccessor,
    /// A successor may be called back, not exchanged.
    #[error("another successor in place of the one that there is")]
    ExchangedSuccessor,
    /// A group's past does not change.
    #[error("changed predecessors")]
    ChangedPredecessors,
}

impl HybridPolicy {
    /// That of a group with no group before it.
    #[must_use]
    pub fn new(floor: Floor) -> Self {
        Self { floor, successor: None, predecessors: Vec::new() }
    }

    /// The content of the extension.
    ///
    /// # Panics
    ///
    /// If a group_id is longer than 2^30 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("its lengths fit into 30 bits")
    }

    /// Reads the content of the extension.
    ///
    /// # Errors
    ///
    /// If it is anything else than one policy with known levels and at most [`MAX_PREDECESSORS`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, tls_codec::Error> {
        let policy = Self::tls_deserialize_exact_bytes(bytes)?;
        if policy.predecessors.len() > MAX_PREDECESSORS {
            return Err(tls_codec::Error::InvalidVectorLength);
        }
        Ok(policy)
    }

    /// Whether a group with this policy may be on a suite.
    #[must_use]
    pub fn admits(&self, suite: Ciphersuite) -> bool {
        Floor::of(suite).covers(self.floor)
    }

    /// Whether a group that is on one suite may move to another.
    #[must_use]
    pub fn admits_successor(&self, present: Ciphersuite, next: Ciphersuite) -> bool {
        Floor::of(next).covers(self.floor.join(Floor::kept_after(present)))
    }

    /// Judges a commit that replaces this policy, in a group that is on a suite.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn check_change(&self, after: &Self, present: Ciphersuite) -> Result<(), Downgrade> {
        let rules = [
            (after.floor.covers(self.floor), Downgrade::LowerFloor),
            (after.admits(present) || after.floor == self.floor, Downgrade::FloorAboveSuite),
            (self.may_succeed(after, present), Downgrade::WeakerSuccessor),
            (
                self.successor.is_none()
                    || after.successor.is_none()
                    || after.successor == self.successor,
                Downgrade::ExchangedSuccessor,
            ),
            (after.predecessors == self.predecessors, Downgrade::ChangedPredecessors),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, broken)| Err(broken))
    }

    fn may_succeed(&self, after: &Self, present: Ciphersuite) -> bool {
        after.successor.as_ref().is_none_or(|successor| {
            self.successor.as_ref() == Some(successor)
                || Ciphersuite::try_from(successor.cipher_suite)
                    .is_ok_and(|next| after.admits_successor(present, next))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    const HYBRID: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
    const PURE: Ciphersuite = Ciphersuite::MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87;
    const PURE_CLASSICAL_SIGNATURE: Ciphersuite =
        Ciphersuite::MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519;

    fn successor(suite: Ciphersuite) -> Option<Successor> {
        Some(Successor { group_id: vec![7; 32].into(), cipher_suite: suite.into() })
    }

    #[test]
    fn its_bytes_are_those_of_the_draft() {
        let mut policy = HybridPolicy::new(Floor::POST_QUANTUM);
        assert_eq!(policy.to_bytes(), [1, 1, 0, 0]);
        policy.successor =
            Some(Successor { group_id: vec![0xaa, 0xbb].into(), cipher_suite: 0x004e });
        policy.predecessors = vec![vec![0xcc].into()];
        let bytes = [1, 1, 1, 2, 0xaa, 0xbb, 0x00, 0x4e, 2, 1, 0xcc];
        assert_eq!(policy.to_bytes(), bytes);
        assert_eq!(HybridPolicy::from_bytes(&bytes), Ok(policy));
    }

    #[test]
    fn what_breaks_the_format_is_refused() {
        let long = HybridPolicy {
            predecessors: vec![vec![1].into(); MAX_PREDECESSORS + 1],
            ..HybridPolicy::new(Floor::CLASSICAL)
        };
        let broken: [&[u8]; 7] = [
            &[],
            &[0, 0],
            &[3, 0, 0, 0],
            &[0, 3, 0, 0],
            &[0, 0, 2, 0],
            &[0, 0, 0, 0, 0],
            &long.to_bytes(),
        ];
        for bytes in broken {
            assert!(HybridPolicy::from_bytes(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_group_is_on_a_suite_that_reaches_the_floor() {
        let admitted = |floor| {
            [CLASSICAL, HYBRID, PURE_CLASSICAL_SIGNATURE, PURE]
                .map(|suite| HybridPolicy::new(floor).admits(suite))
        };
        assert_eq!(admitted(Floor::CLASSICAL), [true; 4]);
        assert_eq!(admitted(Floor::POST_QUANTUM_CONFIDENTIALITY), [false, true, true, true]);
        assert_eq!(admitted(Floor::HYBRID_CONFIDENTIALITY), [false, true, false, false]);
        assert_eq!(admitted(Floor::POST_QUANTUM), [false, false, false, true]);
    }

    #[test]
    fn there_is_no_way_back_to_a_weaker_suite() {
        let moves = |floor, from| {
            [CLASSICAL, HYBRID, PURE_CLASSICAL_SIGNATURE, PURE]
                .map(|to| HybridPolicy::new(floor).admits_successor(from, to))
        };
        assert_eq!(moves(Floor::CLASSICAL, CLASSICAL), [true; 4]);
        assert_eq!(moves(Floor::CLASSICAL, HYBRID), [false, true, true, true]);
        assert_eq!(moves(Floor::CLASSICAL, PURE), [false, false, false, true]);
        // From a hybrid to ML-KEM alone: where the policy does not ask for the hybrid.
        assert_eq!(moves(Floor::HYBRID_CONFIDENTIALITY, HYBRID), [false, true, false, false]);
    }

    #[test]
    fn a_floor_only_rises_and_not_above_the_suite() {
        let before = HybridPolicy::new(Floor::POST_QUANTUM_CONFIDENTIALITY);
        let change = |floor| before.check_change(&HybridPolicy::new(floor), HYBRID);
        assert_eq!(change(Floor::HYBRID_CONFIDENTIALITY), Ok(()));
        assert_eq!(change(Floor::CLASSICAL), Err(Downgrade::LowerFloor));
        let sideways =
            Floor { confidentiality: Protection::Classical, authenticity: Protection::PostQuantum };
        assert_eq!(change(sideways), Err(Downgrade::LowerFloor));
        assert_eq!(change(Floor::POST_QUANTUM), Err(Downgrade::FloorAboveSuite));
    }

    #[test]
    fn a_successor_is_strong_enough_and_not_exchanged() {
        let before = HybridPolicy::new(Floor::CLASSICAL);
        let named = |suite| HybridPolicy { successor: successor(suite), ..before.clone() };
        assert_eq!(before.check_change(&named(PURE), HYBRID), Ok(()));
        assert_eq!(before.check_change(&named(CLASSICAL), HYBRID), Err(Downgrade::WeakerSuccessor));
        // Raising the floor and naming a successor below it in one commit.
        let mut both = named(PURE_CLASSICAL_SIGNATURE);
        both.floor = Floor::HYBRID_CONFIDENTIALITY;
        assert_eq!(before.check_change(&both, HYBRID), Err(Downgrade::WeakerSuccessor));
        let mut unknown = named(PURE);
        unknown.successor.as_mut().unwrap().cipher_suite = 0xabcd;
        assert_eq!(before.check_change(&unknown, CLASSICAL), Err(Downgrade::WeakerSuccessor));
        // Calling it back, leaving it, exchanging it.
        assert_eq!(named(PURE).check_change(&before, HYBRID), Ok(()));
        assert_eq!(named(PURE).check_change(&named(PURE), HYBRID), Ok(()));
        let exchanged = named(PURE).check_change(&named(HYBRID), HYBRID);
        assert_eq!(exchanged, Err(Downgrade::ExchangedSuccessor));
        let mut past = before.clone();
        past.predecessors = vec![vec![1].into()];
        assert_eq!(before.check_change(&past, HYBRID), Err(Downgrade::ChangedPredecessors));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_gives_what_was_written(bytes in vec(any::<u8>(), 0..200)) {
            if let Ok(policy) = HybridPolicy::from_bytes(&bytes) {
                prop_assert_eq!(HybridPolicy::from_bytes(&policy.to_bytes()), Ok(policy));
            }
        }
    }
}
