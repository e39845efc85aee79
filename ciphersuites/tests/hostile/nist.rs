//! P-256, P-384, P-521.

use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

use crate::common::*;

/// A reduced point with an x so small that x + p has as many bytes.
fn point_with_small_x(curve: Nist) -> Vec<u8> {
    macro_rules! find {
        ($curve:ident, $length:literal) => {
            (0..=255u8)
                .find_map(|x| {
                    let compressed = [&[2][..], &[0; $length - 1], &[x]].concat();
                    let key = $curve::PublicKey::from_sec1_bytes(&compressed).ok()?;
                    Some($curve::Sec1Point::from(key).as_bytes().to_vec())
                })
                .unwrap()
        };
    }
    match curve {
        Nist::P256 => find!(p256, 32),
        Nist::P384 => find!(p384, 48),
        Nist::P521 => find!(p521, 66),
    }
}

/// The prime and the order of a curve, big-endian.
fn field(curve: Nist) -> (Vec<u8>, Vec<u8>) {
    let (prime, order) = match curve {
        Nist::P256 => (
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff".to_owned(),
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned(),
        ),
        Nist::P384 => (
            format!("{}feffffffff0000000000000000ffffffff", "ff".repeat(31)),
            format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", "ff".repeat(24)),
        ),
        Nist::P521 => (
            format!("01{}", "ff".repeat(65)),
            format!(
                "01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
                "ff".repeat(32)
            ),
        ),
    };
    (hex::decode(prime).unwrap(), hex::decode(order).unwrap())
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = a.to_vec();
    let mut carry = 0;
    for (a, b) in out.iter_mut().zip(b).rev() {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        *a = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    out
}

/// Bytes of the length of a point that are none, given one that is.
fn no_points(curve: Nist, good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (prime, _) = field(curve);
    let length = prime.len();
    let (x, y) = good[1..].split_at(length);
    let point = |tag: u8, x: &[u8], y: &[u8]| [&[tag], x, y].concat();
    let (zero, ones) = (vec![0; length], vec![0xFF; length]);
    let parity = y.last().unwrap() & 1;
    let mut near = y.to_vec();
    *near.last_mut().unwrap() ^= 1;
    let mut cases = vec![
        ("the point at infinity, padded", point(0, &zero, &zero)),
        ("a compressed point, padded", point(2 | parity, x, &zero)),
        ("the hybrid form", point(6 | parity, x, y)),
        ("the hybrid form of the other point", point(7 ^ parity, x, y)),
        ("zero as coordinates", point(4, &zero, &zero)),
        ("x = p", point(4, &prime, y)),
        ("y = p", point(4, x, &prime)),
        ("x all ones", point(4, &ones, y)),
        ("y all ones", point(4, x, &ones)),
        ("off the curve", point(4, x, &near)),
        ("off the curve, coordinates swapped", point(4, y, x)),
    ];
    for tag in [0, 1, 2, 3, 5, 6, 7, 0x0C, 0x84, 0xFF] {
        cases.push(("another tag", point(tag, x, y)));
    }
    let small = point_with_small_x(curve);
    let (x, y) = small[1..].split_at(length);
    cases.push(("x + p", point(4, &add(x, &prime), y)));
    cases
}

#[test]
fn nist_points_that_are_none() {
    for (kem, backend) in kems() {
        let Curve::Nist(curve) = curve(kem) else { continue };
        let small = point_with_small_x(curve);
        assert_eq!(use_public_key(kem, backend, &with_element(kem, &small).0), Ok(()));
        let good = &pair(kem).public[post_quantum(kem).0..];
        for (what, point) in no_points(curve, good) {
            let (public, enc) = with_element(kem, &point);
            let result = use_public_key(kem, backend, &public);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {backend:?}: {what}");
            let result = use_enc(kem, backend, &pair(kem).private, &enc);
            assert_eq!(result, Err(Error::InvalidEncapsulation), "{kem} {backend:?}: {what}");
        }
        for tag in (0..=255).filter(|&tag| tag != 4) {
            let public = with_element(kem, &[&[tag], &good[1..]].concat()).0;
            let result = kem.check_public_key(backend, &public);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {backend:?}: tag {tag}");
        }
        // Compressed at the length of a compressed point.
        let short = [&[2], &good[1..good.len() / 2 + 1]].concat();
        let (public, enc) = with_element(kem, &short);
        assert_eq!(use_public_key(kem, backend, &public), Err(Error::InvalidPublicKey));
        let result = use_enc(kem, backend, &pair(kem).private, &enc);
        assert_eq!(result, Err(Error::InvalidEncapsulation));
    }
}

const ECDSA: [(SignatureScheme, Nist); 3] = [
    (SignatureScheme::EcdsaP256Sha256, Nist::P256),
    (SignatureScheme::EcdsaP384Sha384, Nist::P384),
    (SignatureScheme::EcdsaP521Sha512, Nist::P521),
];

#[test]
fn ecdsa_keys_that_are_no_points() {
    for (scheme, curve) in ECDSA {
        for backend in Backend::available() {
            let good = signing_key(scheme).public_key();
            let compressed = [&[2], &good[1..good.len() / 2 + 1]].concat();
            let infinity = vec![0];
            let others = [("compressed", compressed), ("infinity", infinity)];
            for (what, point) in no_points(curve, good).into_iter().chain(others) {
                let result = VerifyingKey::from_bytes(scheme, backend, &point).map(drop);
                assert_eq!(result, Err(Error::InvalidPublicKey), "{scheme} {backend:?}: {what}");
            }
        }
    }
}

#[test]
fn nist_scalars_out_of_range() {
    for backend in Backend::available() {
        for (scheme, curve) in ECDSA {
            let (_, order) = field(curve);
            let kem = match curve {
                Nist::P256 => KemAlgorithm::DhKemP256,
                Nist::P384 => KemAlgorithm::DhKemP384,
                Nist::P521 => KemAlgorithm::DhKemP521,
            };
            let (mut below, mut above) = (order.clone(), order.clone());
            *below.last_mut().unwrap() -= 1;
            *above.last_mut().unwrap() += 1;
            let sign = |scalar: &[u8]| SigningKey::from_bytes(scheme, backend, scalar).map(drop);
            assert_eq!(sign(&below), Ok(()));
            assert_eq!(kem.public_key(backend, &below).map(drop), Ok(()));
            for scalar in [order, above] {
                assert_eq!(sign(&scalar), Err(Error::InvalidPrivateKey));
                assert_eq!(kem.public_key(backend, &scalar), Err(Error::InvalidPrivateKey));
                let result = use_enc(kem, backend, &scalar, enc(kem));
                assert_eq!(result, Err(Error::InvalidPrivateKey));
            }
        }
    }
}
