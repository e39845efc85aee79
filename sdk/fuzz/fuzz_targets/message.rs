//! A message body.
//!
//! `cargo +nightly fuzz run message`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::message(data));
