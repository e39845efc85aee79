//! A gossip message of the network, and the name of its topic.
//!
//! `cargo +nightly fuzz run gossip`

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trellis_sdk::transport::libp2p::fuzzing::gossip(data));
