//! The cipher suites of MLS (RFC 9420) and of draft-ietf-mls-pq-ciphersuites: what they are, and
//! everything they do.
//!
//! Start at [`CipherSuite`], the registry. Each suite names its algorithms, and each algorithm is a
//! small value with the operations of its kind:
//!
//! | module | holds |
//! |---|---|
//! | [`hpke`] | hybrid public key encryption, RFC 9180 and its post-quantum successors |
//! | [`kem`] | DHKEM, ML-KEM, and the hybrids of both |
//! | [`signature`] | Ed25519, ECDSA, ML-DSA |
//! | [`symmetric`] | AEAD, hash, HMAC, HKDF |
//! | [`random`] | random bytes |
//!
//! Every operation runs on a [`Backend`]: `native` where the processor allows, `portable`
//! everywhere. Both give the same bytes.
//!
//! ```
//! use trellis_ciphersuites::{Backend, CipherSuite, Protection, hpke::Hpke};
//!
//! for suite in CipherSuite::all().filter(|suite| suite.confidentiality() == Protection::Hybrid) {
//!     let hpke = Hpke::new(suite.hpke(), Backend::default());
//!     let recipient = hpke.derive_key_pair(&[42; 32])?;
//!     let (enc, sealed) = hpke.info(b"doc").seal(&recipient.public, b"", b"hello")?;
//!     println!("{suite}: {} bytes around 5", enc.len() + sealed.len() - 5);
//! }
//! # Ok::<(), trellis_ciphersuites::Error>(())
//! ```
//!
//! # Features
//!
//! - `native` (default): the native backend, on x86-64 and AArch64.
//! - `hazmat`: derandomised forms, for vectors and tests. Never in production.
//! - `ff1`: format-preserving encryption for the draft of virtual clients.
//! - `js`: random numbers on `wasm32-unknown-unknown`.

mod backend;
mod error;
pub mod hpke;
mod identifiers;
pub mod kem;
mod protection;
pub mod random;
mod secret;
pub mod signature;
mod suite;
pub mod symmetric;

pub use backend::Backend;
pub use error::Error;
pub use protection::Protection;
pub use secret::Secret;
pub use suite::{CipherSuite, Ecosystem, Sizes};
