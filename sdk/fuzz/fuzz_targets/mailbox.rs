//! Frames of mailboxes: asks, answers, signed requests to a whole mailbox, reconciliation.
//!
//! `cargo +nightly fuzz run mailbox`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::fuzzing::mailbox(data));
