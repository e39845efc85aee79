//! MLKEM768-P256 and MLKEM1024-P384 against a composition written from the text of
//! draft-irtf-cfrg-concrete-hybrid-kems and draft-irtf-cfrg-hybrid-kems alone: RustCrypto's
//! ML-KEM, group arithmetic, SHAKE256 and SHA3-256.

use ::ml_kem::{Decapsulate, KeyExport};
use sha3::Digest;
use shake::digest::{ExtendableOutput, Update, XofReader};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::{Backend, Error};

use crate::cases::each;

fn shake256(input: &[u8], length: usize) -> Vec<u8> {
    let mut sponge = shake::Shake256::default();
    sponge.update(input);
    let mut out = vec![0; length];
    sponge.finalize_xof().read(&mut out);
    out
}

macro_rules! hybrid {
    (
        $name:ident, $algorithm:expr, $label:literal, $ml_kem:ident, $ciphertext:literal,
        $curve:ident, $scalar:literal, $seed:literal, $order:literal
    ) => {
        mod $name {
            use super::*;
            use ::ml_kem::$ml_kem::{DecapsulationKey, EncapsulationKey};
            use $curve::elliptic_curve::PrimeField;
            use $curve::elliptic_curve::point::AffineCoordinates;
            use $curve::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
            use $curve::{AffinePoint, ProjectivePoint, Scalar, Sec1Point};

            const KEM: KemAlgorithm = $algorithm;

            /// `RandomScalar`: the first piece of the seed in `1..order`.
            fn random_scalar(seed: &[u8]) -> Option<Scalar> {
                let order = hex::decode($order).unwrap();
                let piece = seed
                    .chunks($scalar)
                    .find(|piece| **piece < order[..] && piece.iter().any(|&byte| byte != 0))?;
                Some(Scalar::from_repr(piece.try_into().unwrap()).unwrap())
            }

            fn encode(point: ProjectivePoint) -> Vec<u8> {
                point.to_affine().to_sec1_point(false).as_bytes().to_vec()
            }

            fn decode(bytes: &[u8]) -> Option<ProjectivePoint> {
                let point = Sec1Point::from_bytes(bytes).ok()?;
                let point = AffinePoint::from_sec1_point(&point).into_option()?;
                (bytes[0] == 4).then(|| point.into())
            }

            fn combine(
                post_quantum: &[u8],
                product: ProjectivePoint,
                enc: &[u8],
                public: &[u8],
            ) -> Vec<u8> {
                let mut hash = sha3::Sha3_256::new();
                for part in [post_quantum, &product.to_affine().x(), enc, public, $label] {
                    Digest::update(&mut hash, part);
                }
                hash.finalize().to_vec()
            }

            struct Keys {
                post_quantum: DecapsulationKey,
                group: Scalar,
            }

            impl Keys {
                fn expand(seed: &[u8]) -> Option<Self> {
                    let seeds = shake256(seed, 64 + $seed);
                    let (post_quantum, group) = seeds.split_at(64);
                    Some(Self {
                        post_quantum: DecapsulationKey::from_seed(post_quantum.try_into().unwrap()),
                        group: random_scalar(group)?,
                    })
                }

                fn group_public(&self) -> Vec<u8> {
                    encode(ProjectivePoint::GENERATOR * self.group)
                }

                fn public(&self) -> Vec<u8> {
                    let post_quantum = self.post_quantum.encapsulation_key().to_bytes();
                    [post_quantum.to_vec(), self.group_public()].concat()
                }

                fn decapsulate(&self, enc: &[u8]) -> Option<Vec<u8>> {
                    let (post_quantum, group) = enc.split_at($ciphertext);
                    let shared = self.post_quantum.decapsulate(&post_quantum.try_into().unwrap());
                    let product = decode(group)? * self.group;
                    Some(combine(&shared, product, group, &self.group_public()))
                }
            }

            fn encapsulate(public: &[u8], randomness: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
                let (post_quantum, group) = public.split_at(public.len() - (2 * $scalar + 1));
                let (m, seed) = randomness.split_at(32);
                let key = EncapsulationKey::new(&post_quantum.try_into().unwrap()).ok()?;
                let (post_quantum_enc, shared) =
                    key.encapsulate_deterministic(&m.try_into().unwrap());
                let ephemeral = random_scalar(seed)?;
                let group_enc = encode(ProjectivePoint::GENERATOR * ephemeral);
                let secret = combine(&shared, decode(group)? * ephemeral, &group_enc, group);
                Some(([post_quantum_enc.to_vec(), group_enc].concat(), secret))
            }

            #[test]
            fn keys_encapsulations_and_rejections_are_equal() {
                each(8, |case| {
                    let (seed, randomness) = (case.array::<32>(), case.bytes(32 + $seed));
                    let keys = Keys::expand(&seed).unwrap();
                    let expected = encapsulate(&keys.public(), &randomness);
                    for backend in Backend::available() {
                        let public = KEM.public_key(backend, &seed).unwrap();
                        assert_eq!(public, keys.public());
                        let ours = KEM.encapsulate_derandomized(backend, &public, &randomness);
                        let ours = ours.ok().map(|(enc, secret)| (enc, secret.into_inner()));
                        assert_eq!(ours, expected);

                        let (enc, secret) = KEM.encapsulate(backend, &public).unwrap();
                        assert_eq!(keys.decapsulate(&enc).unwrap(), secret[..]);
                    }

                    // Randomness without a scalar in it: an edge of the first two cases.
                    let Some((enc, secret)) = expected else { return assert!(case.number < 2) };
                    let (post_quantum, group) = enc.split_at($ciphertext);
                    let rejected = [case.altered(post_quantum), group.to_vec()].concat();
                    let other = encode(ProjectivePoint::GENERATOR * Scalar::from(3u64));
                    let negated = encode(-decode(group).unwrap());
                    for (enc, is_equal) in [
                        (&enc, true),
                        (&rejected, false),
                        (&[post_quantum, &other].concat(), false),
                        (&[post_quantum, &negated].concat(), false),
                    ] {
                        let theirs = keys.decapsulate(enc).unwrap();
                        assert_eq!(theirs == secret, is_equal);
                        for backend in Backend::available() {
                            assert_eq!(KEM.decapsulate(backend, &seed, enc).unwrap()[..], theirs);
                        }
                    }
                    let off_curve = [post_quantum, &case.altered(group)].concat();
                    let theirs = keys.decapsulate(&off_curve).ok_or(Error::InvalidEncapsulation);
                    for backend in Backend::available() {
                        let ours = KEM.decapsulate(backend, &seed, &off_curve);
                        assert_eq!(ours.map(|secret| secret.into_inner()), theirs);
                    }
                });
            }

            /// Every sequence of two pieces of the seed that are, and are not, in range.
            #[test]
            fn the_same_pieces_of_a_seed_are_rejected() {
                let order = hex::decode($order).unwrap();
                let (mut below, mut above) = (order.clone(), order.clone());
                *below.last_mut().unwrap() -= 1;
                *above.last_mut().unwrap() += 1;
                let zero = vec![0; $scalar];
                let mut one = zero.clone();
                one[$scalar - 1] = 1;
                let pieces = [zero, one, below, order, above, vec![0xFF; $scalar]];
                let public = Keys::expand(&[7; 32]).unwrap().public();
                for first in &pieces {
                    for second in &pieces {
                        let mut seed = [&first[..], &second[..]].concat().repeat(2);
                        seed.truncate($seed);
                        let randomness = [&[9; 32][..], &seed].concat();
                        let expected =
                            encapsulate(&public, &randomness).ok_or(Error::InvalidPrivateKey);
                        for backend in Backend::available() {
                            let ours = KEM
                                .encapsulate_derandomized(backend, &public, &randomness)
                                .map(|(enc, secret)| (enc, secret.into_inner()));
                            assert_eq!(ours, expected);
                        }
                    }
                }
            }
        }
    };
}

hybrid!(
    ml_kem_768_p256,
    KemAlgorithm::MlKem768P256,
    b"MLKEM768-P256",
    ml_kem_768,
    1088,
    p256,
    32,
    128,
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
);
hybrid!(
    ml_kem_1024_p384,
    KemAlgorithm::MlKem1024P384,
    b"MLKEM1024-P384",
    ml_kem_1024,
    1568,
    p384,
    48,
    48,
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
);
