//! Test vectors for the post-quantum cipher suites of MLS: formats, generator, verifier.
//!
//! A vector is a JSON object of one of the published kinds (module [`kinds`]). It is checked with
//! [`Primitives`]: ours on either backend ([`Trellis`]), or ones that nobody here wrote
//! ([`oracle::RustCrypto`]). What MLS builds on top of primitives is in [`mls`], a small model of
//! RFC 9420 that exists for vectors alone; whole groups run on a [`stack`].

pub mod checker;
mod failure;
pub mod file;
pub mod generate;
mod hexadecimal;
pub mod interop;
pub mod kinds;
pub mod mls;
pub mod oracle;
mod primitives;
mod randomness;
pub mod stack;
pub mod terminal;
mod trellis;
pub mod verify;

pub use failure::Failure;
pub use hexadecimal::Hex;
pub use primitives::{HpkeContext, KeyPair, Primitives, Psk, Refusal};
pub use randomness::Randomness;
pub use trellis::Trellis;
