//! Hashes, key derivation and authenticated encryption.

mod aead;
#[cfg(feature = "ff1")]
pub mod ff1;
mod hash;
mod kdf;
mod labeled;

pub use aead::AeadAlgorithm;
pub use hash::HashAlgorithm;
pub use kdf::{KdfAlgorithm, shake256};

pub(crate) use kdf::Stages;
pub(crate) use labeled::{Labeled, labeled_derive, length_prefix};
