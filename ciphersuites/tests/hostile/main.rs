//! Every public function that takes bytes, on bytes that no honest peer sends: the documented
//! error, and never a panic.
//!
//! The properties at the end run 10,000 cases each in release and 256 in debug, or what
//! `TRELLIS_CASES` says.

#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod common;
mod constant;
mod ed25519;
mod lengths;
mod long;
mod ml_kem;
mod nist;
mod printed;
mod properties;
mod x25519;
