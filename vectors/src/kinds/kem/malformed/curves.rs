//! Elements of the groups of the hybrids: points of P-256 and P-384, u coordinates of X25519.

use super::super::HpkeError::*;
use super::{Change, accepted, flipped, refused};

/// Changes to an uncompressed point. The other encodings that SEC 1 (section 2.3.3) has are none of
/// HPKE (RFC 9180, section 7.1.1); what is not on the curve or not reduced fails the validation of
/// section 7.1.4.
#[rustfmt::skip]
pub(super) static POINTS: [Change; 11] = [
    accepted("point negated: same Diffie-Hellman result, other secret, for the point is hashed", negated),
    refused("point compressed",                                  DeserializeError, |point| [&[2 | odd(point)], x(point)].concat()),
    refused("prefix of a compressed point before both coordinates", DeserializeError, |point| prefixed(2 | odd(point), point)),
    refused("point in the hybrid encoding of SEC 1",             DeserializeError, |point| prefixed(6 | odd(point), point)),
    refused("prefix 0 before both coordinates",                  DeserializeError, |point| prefixed(0, point)),
    refused("point at infinity: one byte of zero",               ValidationError,  |_| vec![0]),
    refused("point at infinity, filled up with zeros",           ValidationError,  |point| vec![0; point.len()]),
    refused("point (0, 0)",                                      ValidationError,  |point| prefixed(4, &vec![0; point.len()])),
    refused("point not on the curve, y coordinate changed",      ValidationError,  |point| flipped(point, point.len() - 1, 1)),
    refused("point not on the curve, x coordinate changed",      ValidationError,  off_the_curve),
    refused("x coordinate of a point not reduced",               ValidationError,  unreduced),
];

/// Changes to a u coordinate. Its highest bit means nothing and it need not be reduced (RFC 7748,
/// section 5), but a hybrid hashes the bytes as they were sent. What has a small order leads to an
/// all-zero result (section 6.1).
#[rustfmt::skip]
pub(super) static COORDINATES: [Change; 9] = [
    accepted("highest bit of the u coordinate set: same Diffie-Hellman result, other secret, for the bytes are hashed", |u| flipped(u, 31, 0x80)),
    accepted("u coordinate not reduced: p + 9",       |_| near_the_prime(0xF6)),
    refused("u coordinate 0",                         ValidationError, |_| vec![0; 32]),
    refused("u coordinate 1, of order 4",             ValidationError, |_| flipped(&[0; 32], 0, 1)),
    refused("u coordinate of order 8, the lower one", ValidationError, |_| ORDER_8[0].to_vec()),
    refused("u coordinate of order 8, the upper one", ValidationError, |_| ORDER_8[1].to_vec()),
    refused("u coordinate p - 1, of order 4 on the twist", ValidationError, |_| near_the_prime(0xEC)),
    refused("u coordinate p, which is 0",             ValidationError, |_| near_the_prime(0xED)),
    refused("u coordinate p + 1, which is 1",         ValidationError, |_| near_the_prime(0xEE)),
];

/// The two u coordinates of order 8 on curve25519.
#[rustfmt::skip]
const ORDER_8: [[u8; 32]; 2] = [
    [
        0xE0, 0xEB, 0x7A, 0x7C, 0x3B, 0x41, 0xB8, 0xAE, 0x16, 0x56, 0xE3, 0xFA, 0xF1, 0x9F, 0xC4, 0x6A,
        0xDA, 0x09, 0x8D, 0xEB, 0x9C, 0x32, 0xB1, 0xFD, 0x86, 0x62, 0x05, 0x16, 0x5F, 0x49, 0xB8, 0x00,
    ],
    [
        0x5F, 0x9C, 0x95, 0xBC, 0xA3, 0x50, 0x8C, 0x24, 0xB1, 0xD0, 0xB1, 0x55, 0x9C, 0x83, 0xEF, 0x5B,
        0x04, 0x44, 0x5C, 0xC4, 0x58, 0x1C, 0x8E, 0x86, 0xD8, 0x22, 0x4E, 0xDD, 0xD0, 0x9F, 0x11, 0x57,
    ],
];

/// A number around `p = 2^255 - 19`, whose lowest byte is 0xED.
fn near_the_prime(lowest: u8) -> Vec<u8> {
    let mut u = vec![0xFF; 32];
    u[0] = lowest;
    u[31] = 0x7F;
    u
}

fn x(point: &[u8]) -> &[u8] {
    &point[1..=point.len() / 2]
}

/// Whether the y coordinate is odd: the lowest bit of the prefixes of SEC 1.
fn odd(point: &[u8]) -> u8 {
    point[point.len() - 1] & 1
}

fn prefixed(prefix: u8, point: &[u8]) -> Vec<u8> {
    [&[prefix], &point[1..]].concat()
}

/// The point with this x coordinate and this parity of y, if there is one. The length tells the
/// curve.
fn point(x: &[u8], odd: u8) -> Option<Vec<u8>> {
    let compressed = [&[2 | odd], x].concat();
    match x.len() {
        32 => {
            p256::PublicKey::from_sec1_bytes(&compressed).ok().map(|it| it.to_sec1_bytes().into())
        }
        48 => {
            p384::PublicKey::from_sec1_bytes(&compressed).ok().map(|it| it.to_sec1_bytes().into())
        }
        _ => None,
    }
}

fn negated(it: &[u8]) -> Vec<u8> {
    point(x(it), 1 ^ odd(it)).unwrap_or_default()
}

/// A random x coordinate belongs to no point in half of the cases.
fn off_the_curve(it: &[u8]) -> Vec<u8> {
    let last = it.len() / 2;
    let changed = (1..=u8::MAX).map(|mask| flipped(it, last, mask));
    changed.into_iter().find(|it| point(x(it), 0).is_none()).unwrap_or_default()
}

/// `p` in front of the smallest x coordinate: the point is on the curve if somebody reduces.
fn unreduced(it: &[u8]) -> Vec<u8> {
    let prime = if x(it).len() == 32 { &P256[..] } else { &P384[..] };
    let small = |number: u8| {
        let mut coordinate = vec![0; prime.len()];
        *coordinate.last_mut()? = number;
        Some((number, point(&coordinate, 0)?))
    };
    let Some((mut carry, found)) = (0..=u8::MAX).find_map(small) else { return Vec::new() };
    let mut sum = prime.to_vec();
    for byte in sum.iter_mut().rev() {
        let (digit, overflow) = byte.overflowing_add(carry);
        (*byte, carry) = (digit, u8::from(overflow));
    }
    [&[4], &sum[..], &found[1 + prime.len()..]].concat()
}

/// The prime of P-256 (SP 800-186, section 3.2.1.3).
#[rustfmt::skip]
const P256: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
];

/// The prime of P-384 (SP 800-186, section 3.2.1.4).
#[rustfmt::skip]
const P384: [u8; 48] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF,
];
