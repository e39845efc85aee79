//! The structures of RFC 9420 that vectors hold, in its presentation language.

mod framing;
mod group;
mod proposal;
mod tree;

pub use framing::*;
pub use group::*;
pub use proposal::*;
pub use tree::*;

use tls_codec::vlen::read_length;
use tls_codec::{DeserializeBytes, Error};

/// No vector comes near that many nodes. A blank one takes a byte here and hundreds in memory.
const MAX_NODES: usize = 1 << 20;

/// Decodes the body of a `ratchet_tree` extension (section 12.4.3.3).
///
/// # Errors
///
/// The codec's, also for bytes that are left over and for more than 2^20 nodes.
pub fn decode_nodes(mut bytes: &[u8]) -> Result<Vec<Option<Node>>, Error> {
    let (length, _) = read_length(&mut bytes)?;
    if length != bytes.len() {
        return Err(Error::InvalidVectorLength);
    }
    let mut nodes = Vec::new();
    while !bytes.is_empty() {
        if nodes.len() == MAX_NODES {
            return Err(Error::DecodingError("more than 2^20 nodes".into()));
        }
        let (node, rest) = Option::<Node>::tls_deserialize_bytes(bytes)?;
        nodes.push(node);
        bytes = rest;
    }
    Ok(nodes)
}

/// Decodes a value that takes up all bytes.
///
/// # Errors
///
/// The codec's, also for bytes that are left over.
pub fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Error> {
    T::tls_deserialize_exact_bytes(bytes)
}
