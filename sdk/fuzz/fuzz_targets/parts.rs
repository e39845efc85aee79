//! Putting together what came in parts.
//!
//! `cargo +nightly fuzz run parts`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::parts(data));
