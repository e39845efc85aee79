//! The structures of RFC 9420 that vectors hold, in its presentation language.

mod framing;
mod group;
mod proposal;
mod tree;

pub use framing::*;
pub use group::*;
pub use proposal::*;
pub use tree::*;

use tls_codec::{DeserializeBytes, Error};

/// Decodes a value that takes up all bytes.
///
/// # Errors
///
/// The codec's, also for bytes that are left over.
pub fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Error> {
    T::tls_deserialize_exact_bytes(bytes)
}
