//! Arbitrary bytes as public key, encapsulation and private key of an arbitrary KEM.
//!
//! The first byte chooses the KEM, the rest is the input. To reach past the checks of length, each
//! input is also laid over an honest one.
//!
//! `cargo +nightly fuzz run kem`

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::{Backend, Error};

/// `over`, with its end replaced by `bytes`: the part of the elliptic curve is there.
fn lay(bytes: &[u8], over: &[u8]) -> Vec<u8> {
    let kept = over.len().saturating_sub(bytes.len());
    over[..kept].iter().chain(bytes).take(over.len()).copied().collect()
}

/// What every backend answers.
fn same<T: PartialEq + Debug>(operation: impl Fn(Backend) -> Result<T, Error>) -> Result<T, Error> {
    let expected = operation(Backend::portable());
    for backend in Backend::available() {
        assert_eq!(operation(backend), expected, "{backend:?}");
    }
    expected
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let kem = KemAlgorithm::ALL[usize::from(first) % KemAlgorithm::ALL.len()];
    let honest = kem.derive_key_pair(Backend::portable(), &[first]).unwrap();
    let randomness = vec![1; kem.randomness_len()];

    for public in [bytes, &lay(bytes, &honest.public)] {
        let checked = same(|backend| kem.check_public_key(backend, public));
        assert!(matches!(checked, Ok(()) | Err(Error::InvalidPublicKey)));
        let encapsulated =
            same(|backend| kem.encapsulate_derandomized(backend, public, &randomness));
        assert_eq!(encapsulated.map(drop), checked);
    }

    let (enc, _) =
        kem.encapsulate_derandomized(Backend::portable(), &honest.public, &randomness).unwrap();
    for enc in [bytes, &lay(bytes, &enc)] {
        let secret = same(|backend| kem.decapsulate(backend, &honest.private, enc));
        assert!(matches!(secret, Ok(_) | Err(Error::InvalidEncapsulation)));
    }
    for private in [bytes, &lay(bytes, &honest.private)] {
        let public = same(|backend| kem.public_key(backend, private));
        assert!(matches!(public, Ok(_) | Err(Error::InvalidPrivateKey)));
        let secret = same(|backend| kem.decapsulate(backend, private, &enc));
        assert_eq!(secret.map(drop), public.map(drop));
    }
});
