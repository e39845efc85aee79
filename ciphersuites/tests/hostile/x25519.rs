//! X25519.

use trellis_ciphersuites::Error;

use crate::common::*;

/// The u coordinates of small order, reduced and not (RFC 7748, section 6.1).
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn x25519_points_of_small_order() {
    for (kem, backend) in kems().filter(|&(kem, _)| curve(kem) == Curve::X25519) {
        for point in LOW_ORDER {
            for top in [0, 0x80] {
                let mut point = hex::decode(point).unwrap();
                point[31] |= top;
                let (public, enc) = with_element(kem, &point);
                let result = use_public_key(kem, backend, &public);
                assert_eq!(result, Err(Error::InvalidPublicKey));
                let result = use_enc(kem, backend, &pair(kem).private, &enc);
                assert_eq!(result, Err(Error::InvalidEncapsulation));
            }
        }
    }
}

/// RFC 7748, section 5: u coordinates from p on are accepted, and the top bit is ignored.
#[test]
fn x25519_coordinates_that_are_not_reduced() {
    for (kem, backend) in kems().filter(|&(kem, _)| curve(kem) == Curve::X25519) {
        for low in 0xEF..=0xFF {
            for top in [0x7F, 0xFF] {
                let mut point = [0xFF; 32];
                (point[0], point[31]) = (low, top);
                let (public, enc) = with_element(kem, &point);
                assert_eq!(use_public_key(kem, backend, &public), Ok(()));
                assert_eq!(use_enc(kem, backend, &pair(kem).private, &enc), Ok(()));
            }
        }
    }
}
