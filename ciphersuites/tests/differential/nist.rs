//! ECDSA against RustCrypto's `p256`, `p384` and `p521`.

use std::cell::Cell;

use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

use crate::cases::{Case, each};

/// A length in DER, in its shortest form or in the one with `longer` bytes.
fn length(value: usize, longer: usize) -> Vec<u8> {
    match (value, longer) {
        (_, 2) => vec![0x82, (value >> 8) as u8, value as u8],
        (128.., _) | (_, 1) => vec![0x81, value as u8],
        _ => vec![value as u8],
    }
}

/// One element of DER, well-formed unless a draw of the case says otherwise.
fn element(tag: u8, content: &[u8], case: &mut Case) -> Vec<u8> {
    let (mut tag, mut content, mut longer, mut wrong) = (tag, content.to_vec(), 0, 0i32);
    match case.below(40) {
        0 => tag ^= 1 << case.below(8),
        1 => content.insert(0, 0),
        2 => drop(content.drain(..1.min(content.len()))),
        3 => content.push(0),
        4 => content.clear(),
        5 => longer = 1,
        6 => longer = 2,
        7 => wrong = 1,
        8 => wrong = -1,
        9 => content.insert(0, 0xFF),
        _ => {}
    }
    let length = length((content.len() as i32 + wrong).max(0) as usize, longer);
    [&[tag], &length[..], &content].concat()
}

/// One element of DER.
fn plain(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag], &length(content.len(), 0)[..], content].concat()
}

/// The shortest two's complement form of a big-endian number.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let number = &number[zeros.min(number.len() - 1)..];
    if number[0] < 0x80 { number.to_vec() } else { [&[0], number].concat() }
}

fn signature(r: &[u8], s: &[u8], case: &mut Case) -> Vec<u8> {
    let content = [element(2, &integer(r), case), element(2, &integer(s), case)].concat();
    element(0x30, &content, case)
}

macro_rules! curve {
    ($name:ident, $scheme:expr, $scalar:literal, $order:literal) => {
        mod $name {
            use super::*;
            use ::$name::ecdsa;
            use ::$name::ecdsa::signature::{Signer, Verifier};

            const SCHEME: SignatureScheme = $scheme;

            fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
                let key = ecdsa::VerifyingKey::from_sec1_bytes(public).unwrap();
                let oracle = ecdsa::DerSignature::from_bytes(signature)
                    .and_then(|signature| key.verify(message, &signature))
                    .map_err(|_| Error::InvalidSignature);
                for backend in Backend::available() {
                    let ours = VerifyingKey::from_bytes(SCHEME, backend, public).unwrap();
                    assert_eq!(
                        ours.verify(message, signature),
                        oracle,
                        "{backend:?}: {}, {}, {}",
                        hex::encode(public),
                        hex::encode(message),
                        hex::encode(signature)
                    );
                }
                oracle
            }

            /// A private key in range; 1 and order - 1 in the first two cases.
            fn private_key(case: &mut Case) -> Vec<u8> {
                let order = hex::decode($order).unwrap();
                match case.number {
                    0 => [&[0; $scalar - 1][..], &[1]].concat(),
                    1 => {
                        let mut below = order;
                        *below.last_mut().unwrap() -= 1;
                        below
                    }
                    _ => {
                        let mut key = case.random($scalar);
                        key[0] &= order[0] >> 1;
                        key
                    }
                }
            }

            fn oracle_key(private: &[u8]) -> ecdsa::SigningKey {
                ecdsa::SigningKey::from_slice(private).unwrap()
            }

            #[test]
            fn signatures_are_exchanged_in_both_directions() {
                each(16, |case| {
                    let (private, message) = (private_key(case), case.text(1000));
                    let oracle = oracle_key(&private);
                    let public = oracle.verifying_key().to_sec1_point(false);
                    let public = public.as_bytes();
                    let theirs: ecdsa::DerSignature = oracle.sign(&message);
                    assert_eq!(verify(public, &message, theirs.as_bytes()), Ok(()));
                    for backend in Backend::available() {
                        let key = SigningKey::from_bytes(SCHEME, backend, &private).unwrap();
                        assert_eq!(key.public_key(), public);
                        let ours = key.sign(&message).unwrap();
                        assert!(ours.len() <= SCHEME.signature_len());
                        assert_eq!(verify(public, &message, &ours), Ok(()));
                        let refused = Err(Error::InvalidSignature);
                        assert_eq!(verify(public, &message, &case.altered(&ours)), refused);
                        let other = [&message[..], b"!"].concat();
                        assert_eq!(verify(public, &other, &ours), refused);
                    }
                });
            }

            #[test]
            fn every_encoding_is_judged_alike() {
                let (accepted, refused) = (Cell::new(0), Cell::new(0));
                each(8, |case| {
                    let private = private_key(case);
                    let oracle = oracle_key(&private);
                    let public = oracle.verifying_key().to_sec1_point(false);
                    let message = case.text(100);
                    let good: ecdsa::Signature = oracle.sign(&message);
                    let (r, s) = good.split_bytes();
                    for _ in 0..4 {
                        let mut encoded = signature(&r, &s, case);
                        if case.below(8) == 0 {
                            encoded = case.mangled(&encoded);
                        }
                        let result = verify(public.as_bytes(), &message, &encoded);
                        let counter = if result.is_ok() { &accepted } else { &refused };
                        counter.set(counter.get() + 1);
                    }
                });
                assert!(accepted.get() > 0 && refused.get() > 0);
            }

            /// r and s in the neighbourhood of 0, of the order and of the end of their range.
            #[test]
            fn numbers_out_of_range_are_refused() {
                let order = hex::decode($order).unwrap();
                let (mut below, mut above) = (order.clone(), order.clone());
                *below.last_mut().unwrap() -= 1;
                *above.last_mut().unwrap() += 1;
                let one = vec![1];
                let longer = [&[1][..], &order].concat();
                let edges = [
                    vec![0],
                    one,
                    below,
                    order,
                    above,
                    vec![0xFF; $scalar],
                    longer,
                    vec![0x7F; 90],
                ];
                let oracle = oracle_key(&private_key(&mut Case::new(2)));
                let public = oracle.verifying_key().to_sec1_point(false);
                let good: ecdsa::Signature = oracle.sign(b"");
                let (r, s) = good.split_bytes();
                let encode = |r: &[u8], s: &[u8]| {
                    let content = [plain(2, &integer(r)), plain(2, &integer(s))].concat();
                    plain(0x30, &content)
                };
                assert_eq!(verify(public.as_bytes(), b"", &encode(&r, &s)), Ok(()));
                for edge in &edges {
                    for encoded in
                        [encode(edge, &s), encode(&r, edge), encode(edge, edge), encode(edge, &[1])]
                    {
                        let result = verify(public.as_bytes(), b"", &encoded);
                        assert_eq!(result, Err(Error::InvalidSignature));
                    }
                }
            }

            /// With s also order - s verifies: ECDSA is malleable, and MLS does not forbid it.
            #[test]
            fn the_twin_of_a_signature_verifies_alike() {
                each(16, |case| {
                    let oracle = oracle_key(&private_key(case));
                    let public = oracle.verifying_key().to_sec1_point(false);
                    let message = case.text(100);
                    let good: ecdsa::Signature = oracle.sign(&message);
                    let twin = ecdsa::Signature::from_scalars(
                        good.r().to_bytes(),
                        (-*good.s()).to_bytes(),
                    );
                    let twin = twin.unwrap().to_der();
                    assert_eq!(verify(public.as_bytes(), &message, twin.as_bytes()), Ok(()));
                });
            }
        }
    };
}

curve!(
    p256,
    SignatureScheme::EcdsaP256Sha256,
    32,
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
);
curve!(
    p384,
    SignatureScheme::EcdsaP384Sha384,
    48,
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
);
curve!(
    p521,
    SignatureScheme::EcdsaP521Sha512,
    66,
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
);
