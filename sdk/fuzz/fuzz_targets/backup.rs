//! A backup that was changed, and going on from one whose records were.
//!
//! `cargo +nightly fuzz run backup`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::backup(data));
