//! Ed25519 (RFC 8032), strictly verified.

use graviola::signing::eddsa;

use crate::Error;
use crate::backend::{Scheme, Sign, Verify, portable};

/// Ed25519, verified as strictly as dalek's `verify_strict`, which the portable backend calls.
///
/// Its curve arithmetic is the faster one, its SHA-512 is not: from [`LONG`] on, a message is better
/// off with the portable backend. MLS signs such: a commit that adds many, and its GroupInfo.
pub(super) struct Ed25519;

/// The length in bytes from which hashing the message outweighs the curve.
const LONG: usize = 16 << 10;

struct SigningKey {
    short: eddsa::Ed25519SigningKey,
    long: Box<dyn Sign>,
}

struct VerifyingKey(eddsa::Ed25519VerifyingKey);

/// The y coordinates of the points of small order, little-endian: 0 and -1 and 1 of order 4, 2
/// and 1, and the two of order 8. With either sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    unit(1),
    minus_one(),
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
];

const fn unit(y: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes
}

/// p - 1 = 2^255 - 20.
const fn minus_one() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xec;
    bytes[31] = 0x7f;
    bytes
}

/// Whether an encoded point has a coordinate below p = 2^255 - 19 and no small order.
fn is_strict(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    let reduced = y[0] < 0xed || y[1..31].iter().any(|&byte| byte != 0xff) || y[31] != 0x7f;
    reduced && !SMALL_ORDER.contains(&y)
}

impl Scheme for Ed25519 {
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
        let short =
            eddsa::Ed25519SigningKey::from_bytes(private).map_err(|_| Error::InvalidPrivateKey)?;
        Ok(Box::new(SigningKey { short, long: portable::Ed25519.signing_key(private)? }))
    }

    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
        let bytes = public.try_into().map_err(|_| Error::InvalidPublicKey)?;
        if !is_strict(bytes) {
            return Err(Error::InvalidPublicKey);
        }
        let key =
            eddsa::Ed25519VerifyingKey::from_bytes(bytes).map_err(|_| Error::InvalidPublicKey)?;
        Ok(Box::new(VerifyingKey(key)))
    }
}

impl Sign for SigningKey {
    fn public_key(&self) -> Vec<u8> {
        self.short.public_key().as_bytes().to_vec()
    }

    fn sign(&self, message: &[u8], randomness: &[u8; 32]) -> Result<Vec<u8>, Error> {
        if message.len() >= LONG {
            return self.long.sign(message, randomness);
        }
        Ok(self.short.sign(message).to_vec())
    }
}

impl Verify for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if message.len() >= LONG {
            return portable::Ed25519.verifying_key(&self.0.as_bytes())?.verify(message, signature);
        }
        match signature.first_chunk() {
            Some(r) if is_strict(r) => {
                self.0.verify(signature, message).map_err(|_| Error::InvalidSignature)
            }
            _ => Err(Error::InvalidSignature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_of_small_order_is_refused_in_each_encoding() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                assert!(!is_strict(&point));
                assert!(portable::PRIMITIVES.ed25519.verifying_key(&point).is_err());
            }
        }
        for low in 0xed..=0xff {
            let mut point = [0xff; 32];
            point[0] = low;
            assert!(!is_strict(&point), "y = p + {}", low - 0xed);
        }
    }
}
