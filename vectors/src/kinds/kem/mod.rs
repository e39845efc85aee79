//! Key encapsulation: ML-KEM and the hybrids of draft-ietf-hpke-pq, without what HPKE builds on
//! them, and with what has to be refused.
//!
//! A vector is one call of a KEM. Every one has
//!
//! | field | |
//! |---|---|
//! | `kem_id` | number of the KEM (HPKE KEM registry) |
//! | `kem` | its name |
//! | `comment` | what is special |
//! | `operation` | one of those below |
//!
//! and the fields of its operation ([`Operation`]):
//!
//! | `operation` | given | computed |
//! |---|---|---|
//! | `generate` | `private_key` | `public_key` |
//! | `derive` | `derivation`, `ikm` | `private_key`, `public_key` |
//! | `encapsulate` | `public_key`, `randomness` | `enc`, `shared_secret` |
//! | `decapsulate` | `private_key`, `enc` | `shared_secret` |
//!
//! Where the call must fail, none of what it computes is there, but
//!
//! | field | |
//! |---|---|
//! | `error` | `invalid-private-key`, `invalid-public-key` or `invalid-encapsulation` |
//! | `hpke_error` | the same in the words of HPKE ([`HpkeError`]), which is not compared |
//!
//! Whatever has no `error` must be accepted: a changed ML-KEM ciphertext of the right length gives
//! the secret of implicit rejection (FIPS 203, section 6.3).

mod generate;
mod malformed;

pub use generate::generate;

use serde::{Deserialize, Serialize};
use trellis_ciphersuites::kem::KemAlgorithm;

use super::Vector;
use super::offered::unless_refused;
use crate::{Failure, Hex, Primitives, Refusal};

/// One call of a KEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KemVector {
    /// Number of the KEM.
    pub kem_id: u16,
    /// Its name.
    pub kem: String,
    /// What is special.
    pub comment: String,
    /// The call.
    #[serde(flatten)]
    pub operation: Operation,
    /// That the call fails, and why: a code of [`trellis_ciphersuites::Error::code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How HPKE calls that failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hpke_error: Option<HpkeError>,
}

/// What is called, with what, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "lowercase")]
pub enum Operation {
    /// The public key of a private one.
    Generate {
        /// `d ‖ z` of ML-KEM (64 bytes), or the seed of a hybrid (32 bytes).
        private_key: Hex,
        /// Computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<Hex>,
    },
    /// `DeriveKeyPair(ikm)`.
    Derive {
        /// In which way; `hpke-pq` is that of draft-ietf-hpke-pq, with a label.
        derivation: String,
        /// The input.
        ikm: Hex,
        /// Computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private_key: Option<Hex>,
        /// Computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<Hex>,
    },
    /// `Encap(pkR)`, derandomised.
    Encapsulate {
        /// The recipient's key.
        public_key: Hex,
        /// `m` of ML-KEM (32 bytes); in a hybrid followed by the seed of the group's ephemeral key:
        /// 32 bytes for X25519, 48 for P-384, 128 for P-256 (four candidate scalars, of which the
        /// first in range counts).
        randomness: Hex,
        /// Computed: the encapsulated secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enc: Option<Hex>,
        /// Computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shared_secret: Option<Hex>,
    },
    /// `Decap(enc, skR)`.
    Decapsulate {
        /// The recipient's key.
        private_key: Hex,
        /// The encapsulated secret.
        enc: Hex,
        /// Computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shared_secret: Option<Hex>,
    },
}

/// The errors of HPKE (RFC 9180, section 4). Which one a check belongs to: draft-ietf-hpke-pq,
/// section 3 for lengths and ML-KEM's own checks; RFC 9180, sections 7.1.1 and 7.1.4 for the
/// elements of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HpkeError {
    /// A key is no encoding of one.
    DeserializeError,
    /// An element of a group is not a valid one, or a Diffie-Hellman result is all zero.
    ValidationError,
    /// A public key fails the check of an encapsulation.
    EncapError,
    /// An encapsulated secret fails the check of a decapsulation.
    DecapError,
}

/// The name of the derivation that vectors use.
const HPKE_PQ: &str = "hpke-pq";

/// The name of a KEM's file.
pub(super) fn stem(kem: KemAlgorithm) -> String {
    kem.name().to_lowercase().replace("ml-kem-", "mlkem")
}

impl Vector for KemVector {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let kem = KemAlgorithm::from_id(self.kem_id)
            .map_err(|_| Failure::Skipped(format!("KEM {:#06x}", self.kem_id)))?;
        if self.kem != kem.name() {
            return Err(Failure::refused("kem", format!("KEM {:#06x} is {kem}", self.kem_id)));
        }
        match (&self.error, &self.hpke_error) {
            (Some(code), _) => self.check_refusal(primitives, kem, code),
            (None, None) => self.check_result(primitives, kem),
            (None, Some(_)) => Err(Failure::refused("hpke_error", "without an error")),
        }
    }
}

impl KemVector {
    fn check_result(&self, primitives: &dyn Primitives, kem: KemAlgorithm) -> Result<(), Failure> {
        let computed = self.operation.run(primitives, kem).map_err(Failure::of("operation"))?;
        for ((field, expected), found) in self.operation.wanted().into_iter().zip(computed) {
            let expected = expected.ok_or_else(|| Failure::refused(field, "missing"))?;
            Failure::unless_equal(field, expected, found)?;
        }
        Ok(())
    }

    fn check_refusal(
        &self,
        primitives: &dyn Primitives,
        kem: KemAlgorithm,
        code: &str,
    ) -> Result<(), Failure> {
        if self.operation.wanted().iter().any(|(_, value)| value.is_some()) {
            return Err(Failure::refused("error", "beside a result"));
        }
        match (self.operation.run(primitives, kem), &self.operation) {
            // A key that is refused is refused with any randomness.
            (Err(Refusal::NotOffered(_)), Operation::Encapsulate { public_key, .. }) => {
                unless_refused(code, primitives.encapsulate(kem, public_key, None))
            }
            (result, _) => unless_refused(code, result),
        }
    }
}

impl Operation {
    /// The fields that are computed, in the order of [`run`](Self::run).
    fn wanted(&self) -> Vec<(&'static str, Option<&Hex>)> {
        match self {
            Self::Generate { public_key, .. } => vec![("public_key", public_key.as_ref())],
            Self::Derive { private_key, public_key, .. } => {
                vec![("private_key", private_key.as_ref()), ("public_key", public_key.as_ref())]
            }
            Self::Encapsulate { enc, shared_secret, .. } => {
                vec![("enc", enc.as_ref()), ("shared_secret", shared_secret.as_ref())]
            }
            Self::Decapsulate { shared_secret, .. } => {
                vec![("shared_secret", shared_secret.as_ref())]
            }
        }
    }

    /// Computes them.
    fn run(&self, primitives: &dyn Primitives, kem: KemAlgorithm) -> Result<Vec<Vec<u8>>, Refusal> {
        match self {
            Self::Generate { private_key, .. } => {
                Ok(vec![primitives.public_key(kem, private_key)?])
            }
            Self::Derive { derivation, ikm, .. } if derivation == HPKE_PQ => {
                let pair = primitives.derive_key_pair(kem, ikm)?;
                Ok(vec![pair.private, pair.public])
            }
            Self::Derive { derivation, .. } => {
                let shown: String = derivation.chars().take(20).collect();
                Err(Refusal::NotOffered(format!("derivation {shown:?}")))
            }
            Self::Encapsulate { public_key, randomness, .. } => {
                let (enc, secret) = primitives.encapsulate(kem, public_key, Some(randomness))?;
                Ok(vec![enc, secret])
            }
            Self::Decapsulate { private_key, enc, .. } => {
                Ok(vec![primitives.decapsulate(kem, private_key, enc)?])
            }
        }
    }

    /// Puts in what [`run`](Self::run) gave.
    fn fill(&mut self, computed: Vec<Vec<u8>>) {
        let fields = match self {
            Self::Generate { public_key, .. } => vec![public_key],
            Self::Derive { private_key, public_key, .. } => vec![private_key, public_key],
            Self::Encapsulate { enc, shared_secret, .. } => vec![enc, shared_secret],
            Self::Decapsulate { shared_secret, .. } => vec![shared_secret],
        };
        for (field, value) in fields.into_iter().zip(computed) {
            *field = Some(value.into());
        }
    }
}
