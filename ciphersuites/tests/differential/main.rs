//! Each backend against independent implementations, and the backends against each other.
//!
//! Every property runs over seeded cases, the first of them edges (all zero, all ones). How many
//! there are follows from [`cases::count`]; `TRELLIS_CASES=100000` asks for more.

#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod agreement;
mod cases;
mod edwards;
mod hpke;
mod hybrid;
mod ml_dsa;
mod ml_kem;
mod nist;
mod pinned;
mod replay;
mod symmetric;
mod x_wing;
