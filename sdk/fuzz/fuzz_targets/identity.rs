//! Bindings, revocations, requests, approvals, leaves, and the texts of addresses and requests.
//!
//! `cargo +nightly fuzz run identity`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::identity(data));
