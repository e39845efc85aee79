//! An envelope and what is inside: anything as it comes in, and anything under the group's key.
//!
//! `cargo +nightly fuzz run envelope`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::envelope(data));
