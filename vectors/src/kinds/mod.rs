//! The kinds of vectors: one file each, with its format, its check and how it is made.

pub mod hpke;
pub mod kem;
mod lengths;
pub mod mls;
mod offered;
pub mod signature;
pub mod x_wing;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, Primitives};

/// A vector: an object of JSON that says what must come out.
pub trait Vector: Serialize + DeserializeOwned {
    /// Computes everything that the vector says.
    ///
    /// # Errors
    ///
    /// The first field that does not hold, or [`Failure::Skipped`] if `primitives` lack what it
    /// takes.
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure>;
}

/// A value is not of the kind that it looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FormatError {
    /// Which field, as a path.
    pub field: String,
    /// What is there and what was expected.
    pub reason: String,
}

/// What became of a check; [`FormatError`] if there was nothing to check.
pub type Checked = Result<Result<(), Failure>, FormatError>;

/// How a kind is checked.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// With primitives.
    Primitives(fn(&Value, &dyn Primitives) -> Checked),
    /// With a whole stack.
    Stack,
}

/// A kind of vectors.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, that of its published file.
    pub name: &'static str,
    /// Fields that its vectors have and those of no kind before it in the table have together.
    marks: &'static [&'static str],
    /// How it is checked.
    pub check: Check,
}

/// Reads a vector.
///
/// # Errors
///
/// The first field that is missing or holds something else.
pub fn parse<V: DeserializeOwned>(value: &Value) -> Result<V, FormatError> {
    serde_path_to_error::deserialize(value).map_err(|error| FormatError {
        field: error.path().to_string(),
        reason: error.into_inner().to_string(),
    })
}

fn run<V: Vector>(value: &Value, primitives: &dyn Primitives) -> Checked {
    Ok(parse::<V>(value)?.check(primitives))
}

macro_rules! kind {
    ($name:literal, $type:ty, $($mark:literal),+) => {
        Kind { name: $name, marks: &[$($mark),+], check: Check::Primitives(run::<$type>) }
    };
}

/// Every kind. A vector is of the first one whose marks it has.
pub static KINDS: [Kind; 18] = [
    kind!("crypto-basics", mls::crypto_basics::CryptoBasics, "cipher_suite", "ref_hash"),
    kind!("key-schedule", mls::key_schedule::KeySchedule, "cipher_suite", "initial_init_secret"),
    kind!("secret-tree", mls::secret_tree::SecretTree, "cipher_suite", "sender_data"),
    kind!("psk_secret", mls::psk_secret::PskSecret, "cipher_suite", "psks"),
    kind!(
        "transcript-hashes",
        mls::transcript_hashes::TranscriptHashes,
        "cipher_suite",
        "authenticated_content"
    ),
    kind!(
        "message-protection",
        mls::message_protection::MessageProtection,
        "cipher_suite",
        "application_priv"
    ),
    kind!("treekem", mls::treekem::TreeKem, "cipher_suite", "update_paths"),
    kind!("tree-validation", mls::tree_validation::TreeValidation, "cipher_suite", "resolutions"),
    kind!("tree-operations", mls::tree_operations::TreeOperations, "cipher_suite", "tree_before"),
    Kind {
        name: "passive-client",
        marks: &["cipher_suite", "initial_epoch_authenticator"],
        check: Check::Stack,
    },
    kind!("welcome", mls::welcome::Welcome, "cipher_suite", "welcome", "signer_pub"),
    kind!("tree-math", mls::tree_math::TreeMath, "n_leaves"),
    kind!("messages", mls::messages::Messages, "mls_welcome"),
    kind!("deserialization", mls::deserialization::Deserialization, "vlbytes_header"),
    kind!("hpke", hpke::HpkeVector, "kem_id", "kdf_id"),
    kind!("kem", kem::KemVector, "kem_id", "operation"),
    kind!("signature", signature::SignatureVector, "scheme"),
    kind!("x-wing", x_wing::XWingVector, "seed", "eseed"),
];

/// The kind of a vector.
#[must_use]
pub fn recognise(value: &Value) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.marks.iter().all(|mark| value.get(mark).is_some()))
}
