//! Arbitrary bytes as verifying key, signature and private key of an arbitrary scheme.
//!
//! The first byte chooses the scheme, the second one how much of the rest is the signature.
//!
//! `cargo +nightly fuzz run verify`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

/// What every backend says.
fn verify(
    scheme: SignatureScheme,
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    let verify =
        |backend| VerifyingKey::from_bytes(scheme, backend, public)?.verify(message, signature);
    let expected = verify(Backend::portable());
    for backend in Backend::available() {
        assert_eq!(verify(backend), expected, "{scheme} on {backend:?}");
    }
    expected
}

fuzz_target!(|data: &[u8]| {
    let [first, second, bytes @ ..] = data else { return };
    let scheme = SignatureScheme::ALL[usize::from(*first) % SignatureScheme::ALL.len()];
    let (signature, public) = bytes.split_at(usize::from(*second).min(bytes.len()));

    let private = vec![1; scheme.private_key_len()];
    let key = SigningKey::from_bytes(scheme, Backend::portable(), &private).unwrap();
    let honest = key.sign_derandomized(b"message", &[0; 32]).unwrap();

    if let Err(error) = verify(scheme, public, b"message", signature) {
        assert!(matches!(error, Error::InvalidPublicKey | Error::InvalidSignature));
    }
    // ECDSA is malleable: a twin of the honest signature is one as well.
    let _ = verify(scheme, key.public_key(), b"message", bytes);
    let mut altered = honest;
    for (byte, change) in altered.iter_mut().rev().zip(bytes) {
        *byte ^= change;
    }
    let _ = verify(scheme, key.public_key(), b"message", &altered);

    for backend in Backend::available() {
        match SigningKey::from_bytes(scheme, backend, bytes) {
            Ok(key) => assert_eq!(&key.private_key()[..], bytes),
            Err(error) => assert_eq!(error, Error::InvalidPrivateKey),
        }
    }
});
