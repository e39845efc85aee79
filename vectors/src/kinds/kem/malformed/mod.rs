//! Keys and encapsulated secrets that somebody got wrong, or that only look so: what each check of
//! the standards exists for, as tables of changes to good bytes.

mod curves;

use trellis_ciphersuites::kem::KemAlgorithm;

use super::HpkeError::{self, *};
use curves::{COORDINATES, POINTS};

/// What a KEM's bytes are made of: the part of ML-KEM, then an element of the group.
pub(super) struct Layout {
    pub(super) kem: KemAlgorithm,
    /// Bytes of ML-KEM in a public key.
    pub(super) key: usize,
    /// Bytes of ML-KEM in an encapsulated secret.
    pub(super) ciphertext: usize,
    /// Changes to the vector `t` of a public key, which comes first, before the 32 bytes of `rho`.
    pub(super) vector: &'static [Change],
    /// Changes to an element of the group.
    pub(super) element: &'static [Change],
}

/// The KEMs that there are vectors for.
#[rustfmt::skip]
pub(super) static LAYOUTS: [Layout; 5] = [
    Layout { kem: KemAlgorithm::MlKem768,       key: 1184, ciphertext: 1088, vector: &VECTOR, element: &[] },
    Layout { kem: KemAlgorithm::MlKem1024,      key: 1568, ciphertext: 1568, vector: &VECTOR, element: &[] },
    Layout { kem: KemAlgorithm::MlKem768P256,   key: 1184, ciphertext: 1088, vector: &VECTOR, element: &POINTS },
    Layout { kem: KemAlgorithm::MlKem1024P384,  key: 1568, ciphertext: 1568, vector: &VECTOR, element: &POINTS },
    Layout { kem: KemAlgorithm::MlKem768X25519, key: 1184, ciphertext: 1088, vector: &VECTOR, element: &COORDINATES },
];

/// A change to bytes, and what must come of it.
pub(super) struct Change {
    pub(super) comment: &'static str,
    /// `None` if the bytes are still to be accepted.
    pub(super) error: Option<HpkeError>,
    pub(super) apply: fn(&[u8]) -> Vec<u8>,
}

const fn refused(comment: &'static str, error: HpkeError, apply: fn(&[u8]) -> Vec<u8>) -> Change {
    Change { comment, error: Some(error), apply }
}

const fn accepted(comment: &'static str, apply: fn(&[u8]) -> Vec<u8>) -> Change {
    Change { comment, error: None, apply }
}

/// Other ciphertexts of ML-KEM. All are accepted, and give the secret of implicit rejection.
#[rustfmt::skip]
pub(super) static CIPHERTEXTS: [Change; 4] = [
    accepted("first bit of the ML-KEM ciphertext flipped", |bytes| flipped(bytes, 0, 0x01)),
    accepted("last bit of the ML-KEM ciphertext flipped",  |bytes| flipped(bytes, bytes.len() - 1, 0x80)),
    accepted("ML-KEM ciphertext of zeros",                 |bytes| vec![0; bytes.len()]),
    accepted("ML-KEM ciphertext of ones",                  |bytes| vec![0xFF; bytes.len()]),
];

/// The modulus of ML-KEM.
const Q: u16 = 3329;

/// The check of FIPS 203, section 7.2: coefficients are below the modulus.
#[rustfmt::skip]
static VECTOR: [Change; 5] = [
    refused("first coefficient of the ML-KEM key is q",    EncapError, |t| with_first(t, Q)),
    refused("last coefficient of the ML-KEM key is q",     EncapError, |t| with_last(t, Q)),
    refused("first coefficient of the ML-KEM key is 4095", EncapError, |t| with_first(t, 0xFFF)),
    refused("last coefficient of the ML-KEM key is 4095",  EncapError, |t| with_last(t, 0xFFF)),
    accepted("outer coefficients of the ML-KEM key are q - 1", |t| with_last(&with_first(t, Q - 1), Q - 1)),
];

/// Two coefficients are three bytes, the lower bits first (`ByteEncode`, FIPS 203, algorithm 5).
fn with_first(t: &[u8], coefficient: u16) -> Vec<u8> {
    let [low, high] = coefficient.to_le_bytes();
    [&[low, t[1] & 0xF0 | high], &t[2..]].concat()
}

fn with_last(t: &[u8], coefficient: u16) -> Vec<u8> {
    let [low, high] = (coefficient << 4).to_le_bytes();
    let end = t.len() - 2;
    [&t[..end], &[t[end] & 0x0F | low, high]].concat()
}

fn flipped(bytes: &[u8], position: usize, mask: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[position] ^= mask;
    bytes
}
