//! Fetching content from peers of whom anything can be expected.
//!
//! `cargo +nightly fuzz run fetch`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::transport::libp2p::fuzzing::fetch(data));
