//! The rules of a group, in the extension of its GroupContext.
//!
//! `cargo +nightly fuzz run rules`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::rules(data));
