//! Peers over the internet and on the local network.
mod behaviour;
mod codec;
mod content;
mod fetch;
mod flood;
mod frame;
mod limits;
mod link;
mod socket;

use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::HashAlgorithm;

pub use limits::{CHUNK, Limits, MAX_CONTENT, Rate};
pub use link::{KeyExchange, LinkError};

/// SHA-256 of some bytes, one after the other.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.hash(Backend::default(), &parts.concat());
    digest.try_into().expect("SHA-256 has 32 bytes")
}
