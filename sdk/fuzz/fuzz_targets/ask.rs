//! A question or an answer, as one peer gives it to another.
//!
//! `cargo +nightly fuzz run ask`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::transport::libp2p::fuzzing::ask(data));
