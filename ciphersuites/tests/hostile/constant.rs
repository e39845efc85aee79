//! All zeros and all ones, at the right length.

use trellis_ciphersuites::Error;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};

use crate::common::*;

#[test]
fn constant_kem_inputs() {
    for (kem, backend) in kems() {
        let private = &pair(kem).private;
        let (public, enc) = (vec![0; kem.public_key_len()], vec![0; kem.enc_len()]);
        // A key of ML-KEM may be zero, a ciphertext anything.
        let zero = curve(kem) == Curve::None;
        let refused = if zero { Ok(()) } else { Err(Error::InvalidPublicKey) };
        assert_eq!(use_public_key(kem, backend, &public), refused, "{kem}");
        let refused = if zero { Ok(()) } else { Err(Error::InvalidEncapsulation) };
        assert_eq!(use_enc(kem, backend, private, &enc), refused, "{kem}");

        let (public, enc) = (vec![0xFF; kem.public_key_len()], vec![0xFF; kem.enc_len()]);
        // X25519 reads 2^255 - 1 as 18; a coefficient of ML-KEM is at most 3328.
        let accepted = kem == KemAlgorithm::DhKemX25519;
        let refused = if accepted { Ok(()) } else { Err(Error::InvalidPublicKey) };
        assert_eq!(use_public_key(kem, backend, &public), refused, "{kem}");
        let accepted = !matches!(curve(kem), Curve::Nist(_));
        let refused = if accepted { Ok(()) } else { Err(Error::InvalidEncapsulation) };
        assert_eq!(use_enc(kem, backend, private, &enc), refused, "{kem}");

        let is_scalar = matches!(curve(kem), Curve::Nist(_)) && post_quantum(kem).0 == 0;
        let refused = if is_scalar { Err(Error::InvalidPrivateKey) } else { Ok(()) };
        for byte in [0, 0xFF] {
            let private = vec![byte; kem.private_key_len()];
            assert_eq!(kem.public_key(backend, &private).map(drop), refused, "{kem}");
            assert_eq!(use_enc(kem, backend, &private, self::enc(kem)), refused, "{kem}");
        }
    }
}

/// A hybrid's randomness without a scalar in it, which an honest sender draws with a chance of
/// 2^-128 and 2^-190.
#[test]
fn constant_randomness() {
    for (kem, backend) in kems() {
        for byte in [0, 0xFF] {
            let randomness = vec![byte; kem.randomness_len()];
            let result = kem.encapsulate_derandomized(backend, &pair(kem).public, &randomness);
            let is_nist_hybrid = matches!(curve(kem), Curve::Nist(_)) && post_quantum(kem).0 != 0;
            let refused = if is_nist_hybrid { Err(Error::InvalidPrivateKey) } else { Ok(()) };
            assert_eq!(result.map(drop), refused, "{kem}");
        }
    }
}

#[test]
fn constant_signature_inputs() {
    for (scheme, backend) in schemes() {
        let is_nist = matches!(
            scheme,
            SignatureScheme::EcdsaP256Sha256
                | SignatureScheme::EcdsaP384Sha384
                | SignatureScheme::EcdsaP521Sha512
        );
        let is_lattice = matches!(
            scheme,
            SignatureScheme::MlDsa44 | SignatureScheme::MlDsa65 | SignatureScheme::MlDsa87
        );
        let key = VerifyingKey::from_bytes(scheme, backend, signing_key(scheme).public_key());
        let key = key.unwrap();
        for byte in [0, 0xFF] {
            let private = vec![byte; scheme.private_key_len()];
            let refused = if is_nist { Err(Error::InvalidPrivateKey) } else { Ok(()) };
            let expanded = SigningKey::from_bytes(scheme, backend, &private);
            assert_eq!(expanded.map(drop), refused, "{scheme}");

            let signature = vec![byte; scheme.signature_len()];
            assert_eq!(key.verify(b"", &signature), Err(Error::InvalidSignature), "{scheme}");

            // Any bytes are a key of ML-DSA, and none of these verifies anything.
            let public = vec![byte; scheme.public_key_len()];
            match VerifyingKey::from_bytes(scheme, backend, &public) {
                Ok(key) => {
                    assert!(is_lattice, "{scheme}");
                    let refused = Err(Error::InvalidSignature);
                    assert_eq!(key.verify(b"", &signature), refused);
                    assert_eq!(key.verify(b"", &signing_key(scheme).sign(b"").unwrap()), refused);
                }
                Err(error) => assert_eq!(error, Error::InvalidPublicKey, "{scheme}"),
            }
        }
    }
}
