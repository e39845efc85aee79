//! The content of the extension `hybrid_policy`: what is read has these bytes and no others, and may
//! follow on itself in a group on a suite that it admits.
//!
//! `cargo +nightly fuzz run hybrid_policy`

#![no_main]

use openmls::prelude::Ciphersuite;
use openmls_trellis_crypto::HybridPolicy;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(policy) = HybridPolicy::from_bytes(data) else { return };
    assert_eq!(policy.to_bytes(), data);
    let suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    assert_eq!(policy.check_change(&policy, suite), Ok(()));
});
