//! Ed25519 against dalek, and against the strict verification equation written out.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signer;
use sha2::Digest;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

use crate::cases::{Case, each};

const SCHEME: SignatureScheme = SignatureScheme::Ed25519;

/// A point with the only encoding it may have, of any order but a small one.
fn point(bytes: &[u8]) -> Option<EdwardsPoint> {
    let encoded = CompressedEdwardsY(bytes.try_into().ok()?);
    encoded.decompress().filter(|point| point.compress() == encoded && !point.is_small_order())
}

fn challenge(r: &[u8], public: &[u8], message: &[u8]) -> Scalar {
    let hash = sha2::Sha512::new().chain_update(r).chain_update(public).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// `S·B = R + k·A`, without the cofactor (RFC 8032, section 5.1.7), on strict points.
fn oracle(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
    let key = point(public).ok_or(Error::InvalidPublicKey)?;
    let verify = || {
        let (r, s) = signature.split_at_checked(32)?;
        let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
        let left = EdwardsPoint::mul_base(&s);
        Some(left == point(r)? + challenge(r, public, message) * key)
    };
    if verify() == Some(true) { Ok(()) } else { Err(Error::InvalidSignature) }
}

/// What every backend and the oracle say.
fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
    let expected = oracle(public, message, signature);
    for backend in Backend::available() {
        let ours = VerifyingKey::from_bytes(SCHEME, backend, public)
            .and_then(|key| key.verify(message, signature));
        assert_eq!(
            ours,
            expected,
            "{backend:?}: {}, {}",
            hex::encode(public),
            hex::encode(signature)
        );
    }
    expected
}

#[test]
fn keys_and_signatures_are_those_of_dalek() {
    each(1, |case| {
        let (seed, message) = (case.array::<32>(), case.text(2000));
        let dalek = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public = dalek.verifying_key().to_bytes();
        let signature = dalek.sign(&message).to_bytes();
        for backend in Backend::available() {
            let ours = SigningKey::from_bytes(SCHEME, backend, &seed).unwrap();
            assert_eq!(ours.public_key(), public);
            assert_eq!(ours.sign(&message).unwrap(), signature);
        }
        assert_eq!(verify(&public, &message, &signature), Ok(()));
        assert!(verify(&public, &message, &case.altered(&signature)).is_err());
        assert!(verify(&case.altered(&public), &message, &signature).is_err());
        let _ = verify(&case.mangled(&public), &message, &case.mangled(&signature));
    });
}

fn scalar(case: &mut Case) -> Scalar {
    match case.below(8) {
        0 => Scalar::ZERO,
        1 => Scalar::ONE,
        _ => Scalar::from_bytes_mod_order(case.random(32).try_into().unwrap()),
    }
}

/// Keys and nonces with every component of small order: where implementations that multiply by
/// the cofactor part from those that do not.
#[test]
fn points_with_a_torsion_component_are_judged_alike() {
    let accepted = std::cell::Cell::new(0);
    each(1, |case| {
        let (a, r) = (scalar(case), scalar(case));
        let (i, j) = (case.below(8), case.below(8));
        let public = (EdwardsPoint::mul_base(&a) + EIGHT_TORSION[i]).compress().to_bytes();
        let nonce = (EdwardsPoint::mul_base(&r) + EIGHT_TORSION[j]).compress().to_bytes();
        let message = case.text(100);
        let s = r + challenge(&nonce, &public, &message) * a;
        let signature = [nonce, s.to_bytes()].concat();
        let result = verify(&public, &message, &signature);
        accepted.set(accepted.get() + u64::from(result.is_ok() && i != 0));
    });
    // A key of mixed order passes whenever the challenge happens to cancel its small part.
    assert!(accepted.get() > 0);
}

/// `S + L`, which RFC 8032 forbids, and the top bits that some decoders ignore.
#[test]
fn a_scalar_out_of_range_is_refused() {
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    each(4, |case| {
        let key = SigningKey::from_bytes(SCHEME, Backend::portable(), &case.array::<32>()).unwrap();
        let signature = key.sign(b"").unwrap();
        for times in 1..=case.below(7) + 1 {
            let (mut more, mut carry) = (signature.clone(), 0);
            for (byte, l) in more[32..].iter_mut().zip(L) {
                let sum = u16::from(*byte) + u16::from(l) * times as u16 + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
            assert_eq!(verify(key.public_key(), b"", &more), Err(Error::InvalidSignature));
        }
        for bit in [0x20, 0x40, 0x80] {
            let mut more = signature.clone();
            more[63] |= bit;
            assert_eq!(verify(key.public_key(), b"", &more), Err(Error::InvalidSignature));
        }
    });
}

/// Every encoding of y near 0 and near p, where it stops being canonical, with either sign.
#[test]
fn encodings_at_the_edges_of_the_field_are_judged_alike() {
    for near in 0..32 {
        for (low, rest, top) in [(0xFF - near, 0xFF, 0x7F), (near, 0x00, 0x00)] {
            for sign in [0, 0x80] {
                let mut bytes = [rest; 32];
                (bytes[0], bytes[31]) = (low, top | sign);
                let signature = [bytes, Scalar::ONE.to_bytes()].concat();
                let _ = verify(&bytes, b"", &signature);
                let key = EdwardsPoint::mul_base(&Scalar::from(7u8)).compress().to_bytes();
                let _ = verify(&key, b"", &signature);
            }
        }
    }
}
