//! Ed25519.

use trellis_ciphersuites::signature::{SignatureScheme, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

use crate::common::*;

#[test]
fn ed25519_points_of_small_order_and_coordinates_that_are_not_reduced() {
    let scheme = SignatureScheme::Ed25519;
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let not_reduced = (0xED..=0xFF).map(|low| {
        let mut point = [0xFF; 32];
        (point[0], point[31]) = (low, 0x7F);
        point.to_vec()
    });
    let points: Vec<_> =
        small.iter().map(|point| hex::decode(point).unwrap()).chain(not_reduced).collect();
    let good = signing_key(scheme);
    let signature = good.sign(b"").unwrap();
    for backend in Backend::available() {
        let key = VerifyingKey::from_bytes(scheme, backend, good.public_key()).unwrap();
        for point in &points {
            for sign in [0, 0x80] {
                let mut point = point.clone();
                point[31] |= sign;
                let result = VerifyingKey::from_bytes(scheme, backend, &point).map(drop);
                assert_eq!(result, Err(Error::InvalidPublicKey), "{}", hex::encode(&point));
                let forged = [&point[..], &signature[32..]].concat();
                assert_eq!(key.verify(b"", &forged), Err(Error::InvalidSignature));
                let forged = [&point[..], &[0; 32]].concat();
                assert_eq!(key.verify(b"", &forged), Err(Error::InvalidSignature));
            }
        }
    }
}
