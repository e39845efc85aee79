//! A record of the directory, changes to a good one, and what a box gave.
//!
//! `cargo +nightly fuzz run directory -- -max_len=17000`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::directory::fuzzing::directory(data));
