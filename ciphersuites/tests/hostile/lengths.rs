//! Lengths.

use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};
use trellis_ciphersuites::{Backend, Error};

use crate::common::*;

#[test]
fn kem_inputs_of_another_length() {
    for (kem, backend) in kems() {
        let private = &pair(kem).private;
        for length in other_lengths(kem.public_key_len()) {
            let result = use_public_key(kem, backend, &vec![4; length]);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {length}");
        }
        for length in other_lengths(kem.enc_len()) {
            let result = use_enc(kem, backend, private, &vec![4; length]);
            assert_eq!(result, Err(Error::InvalidEncapsulation), "{kem} {length}");
        }
        for length in other_lengths(kem.private_key_len()) {
            let private = vec![1; length];
            let result = use_enc(kem, backend, &private, enc(kem));
            assert_eq!(result, Err(Error::InvalidPrivateKey), "{kem} {length}");
            let result = kem.public_key(backend, &private);
            assert_eq!(result, Err(Error::InvalidPrivateKey), "{kem} {length}");
        }
        for length in other_lengths(kem.randomness_len()) {
            let (public, randomness) = (&pair(kem).public, vec![1; length]);
            let result = kem.encapsulate_derandomized(backend, public, &randomness);
            assert_eq!(result, Err(Error::InvalidLength), "{kem} {length}");
        }
    }
}

/// `ikm` may have any length.
#[test]
fn key_pairs_from_ikm_of_any_length() {
    for (kem, backend) in kems() {
        for length in [0, 1, 31, 65, 1000] {
            let pair = kem.derive_key_pair(backend, &vec![0; length]).unwrap();
            assert_eq!(kem.check_public_key(backend, &pair.public), Ok(()));
        }
    }
    let ikm = long_text();
    for kem in [KemAlgorithm::DhKemP521, KemAlgorithm::MlKem768X25519] {
        for backend in Backend::available() {
            kem.derive_key_pair(backend, &ikm).unwrap();
        }
    }
}

#[test]
fn signature_inputs_of_another_length() {
    for (scheme, backend) in schemes() {
        let public = signing_key(scheme).public_key();
        for length in other_lengths(scheme.private_key_len()) {
            let result = SigningKey::from_bytes(scheme, backend, &vec![1; length]);
            assert_eq!(result.map(drop), Err(Error::InvalidPrivateKey), "{scheme} {length}");
        }
        for length in other_lengths(scheme.public_key_len()) {
            let mut longer = public.to_vec();
            longer.resize(length, 0);
            for bytes in [vec![4; length], longer] {
                let result = VerifyingKey::from_bytes(scheme, backend, &bytes);
                assert_eq!(result.map(drop), Err(Error::InvalidPublicKey), "{scheme} {length}");
            }
        }
        let signature = signing_key(scheme).sign(b"").unwrap();
        let key = VerifyingKey::from_bytes(scheme, backend, public).unwrap();
        for length in other_lengths(signature.len()) {
            let mut longer = signature.clone();
            longer.resize(length, 0);
            for bytes in [vec![0x30; length], longer] {
                let result = key.verify(b"", &bytes);
                assert_eq!(result, Err(Error::InvalidSignature), "{scheme} {length}");
            }
        }
    }
}

#[test]
fn aead_inputs_of_another_length() {
    for backend in Backend::available() {
        for &aead in &AeadAlgorithm::ALL[..3] {
            let (key, nonce) = (vec![1; aead.key_len()], [2; 12]);
            for length in other_lengths(aead.key_len()) {
                let wrong = vec![1; length];
                let refused = Err(Error::InvalidLength);
                assert_eq!(aead.seal(backend, &wrong, &nonce, b"", b"").map(drop), refused);
                assert_eq!(aead.open(backend, &wrong, &nonce, b"", &[0; 16]).map(drop), refused);
            }
            for length in other_lengths(12) {
                let wrong = vec![1; length];
                let refused = Err(Error::InvalidLength);
                assert_eq!(aead.seal(backend, &key, &wrong, b"", b"").map(drop), refused);
                assert_eq!(aead.open(backend, &key, &wrong, b"", &[0; 16]).map(drop), refused);
            }
            for length in (0..40).chain([long_text().len()]) {
                for byte in [0, 0xFF] {
                    let result = aead.open(backend, &key, &nonce, b"", &vec![byte; length]);
                    assert_eq!(result, Err(Error::OpenFailed), "{aead} {length}");
                }
            }
        }
        let none = AeadAlgorithm::ExportOnly;
        assert_eq!(none.seal(backend, b"", b"", b"", b""), Err(Error::Unsupported));
        assert_eq!(none.open(backend, b"", b"", b"", b""), Err(Error::Unsupported));
    }
}

#[test]
fn key_derivation_inputs_of_another_length() {
    for backend in Backend::available() {
        for &hash in HashAlgorithm::ALL {
            let length = hash.len();
            let expand =
                |prk: usize, length| hash.expand(backend, &vec![1; prk], b"", length).map(drop);
            for prk in [0, 1, length - 1] {
                assert_eq!(expand(prk, 32), Err(Error::InvalidLength));
            }
            assert_eq!(expand(length, 255 * length), Ok(()));
            for too_long in [255 * length + 1, LONG, usize::MAX] {
                assert_eq!(expand(length, too_long), Err(Error::OutputTooLong));
            }
            assert_eq!(expand(long_text().len(), 0), Ok(()));
        }
    }
}
