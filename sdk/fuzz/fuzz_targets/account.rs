//! What travels on the topic of an account: announcements, questions, answers.
//!
//! `cargo +nightly fuzz run account`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::account(data));
