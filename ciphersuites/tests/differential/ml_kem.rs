//! ML-KEM against RustCrypto's `ml-kem` and, through the expanded key, PQClean.

use ::ml_kem::{Decapsulate, KeyExport};
use pqcrypto_traits::kem::{Ciphertext, PublicKey, SecretKey, SharedSecret};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::{Backend, Error};

use crate::cases::{each, same};

macro_rules! parameter_set {
    ($name:ident, $algorithm:expr, $rust_crypto:ident, $pq_clean:ident) => {
        mod $name {
            use super::*;
            use ::ml_kem::$rust_crypto::{DecapsulationKey, EncapsulationKey};
            use pqcrypto_mlkem::$pq_clean;

            const KEM: KemAlgorithm = $algorithm;

            /// The secret in `enc`, upon which all implementations agree.
            #[allow(deprecated, reason = "PQClean knows no seeds, only expanded keys")]
            fn decapsulate(seed: &[u8; 64], enc: &[u8]) -> Vec<u8> {
                use ::ml_kem::ExpandedKeyEncoding;
                let key = DecapsulationKey::from_seed((*seed).into());
                let rust_crypto = key.decapsulate(&enc.try_into().unwrap()).to_vec();
                let expanded = key.to_expanded_bytes();
                let pq_clean = $pq_clean::decapsulate(
                    &$pq_clean::Ciphertext::from_bytes(enc).unwrap(),
                    &$pq_clean::SecretKey::from_bytes(&expanded).unwrap(),
                );
                let ours = Backend::available()
                    .map(|backend| KEM.decapsulate(backend, seed, enc).unwrap().into_inner());
                same([rust_crypto, pq_clean.as_bytes().to_vec()].into_iter().chain(ours))
            }

            #[test]
            fn keys_encapsulations_and_rejections_are_equal() {
                each(8, |case| {
                    let (seed, m) = (case.array::<64>(), case.array::<32>());
                    let key = DecapsulationKey::from_seed(seed.into());
                    let public = key.encapsulation_key().to_bytes().to_vec();
                    let (enc, secret) =
                        key.encapsulation_key().encapsulate_deterministic(&m.into());
                    let (enc, secret) = (enc.to_vec(), secret.to_vec());
                    for backend in Backend::available() {
                        assert_eq!(KEM.public_key(backend, &seed).unwrap(), public);
                        assert_eq!(KEM.check_public_key(backend, &public), Ok(()));
                        let ours = KEM.encapsulate_derandomized(backend, &public, &m).unwrap();
                        assert_eq!((&ours.0, &ours.1[..]), (&enc, &secret[..]));
                    }
                    assert_eq!(decapsulate(&seed, &enc), secret);
                    assert_ne!(decapsulate(&seed, &case.altered(&enc)), secret);
                    decapsulate(&seed, &case.bytes(enc.len()));
                });
            }

            #[test]
            fn pq_clean_exchanges_secrets_in_both_directions() {
                each(8, |case| {
                    let seed = case.array::<64>();
                    let (their_public, their_private) = $pq_clean::keypair();
                    for backend in Backend::available() {
                        let (enc, secret) =
                            KEM.encapsulate(backend, their_public.as_bytes()).unwrap();
                        let enc = $pq_clean::Ciphertext::from_bytes(&enc).unwrap();
                        let theirs = $pq_clean::decapsulate(&enc, &their_private);
                        assert_eq!(theirs.as_bytes(), &secret[..]);

                        let public = KEM.public_key(backend, &seed).unwrap();
                        let public = $pq_clean::PublicKey::from_bytes(&public).unwrap();
                        let (theirs, enc) = $pq_clean::encapsulate(&public);
                        let secret = KEM.decapsulate(backend, &seed, enc.as_bytes()).unwrap();
                        assert_eq!(theirs.as_bytes(), &secret[..]);
                    }
                });
            }

            /// The modulus check of FIPS 203, section 7.2, on altered and on random keys.
            #[test]
            fn the_same_public_keys_are_refused() {
                each(2, |case| {
                    let mut public =
                        KEM.public_key(Backend::portable(), &case.array::<64>()).unwrap();
                    for _ in 0..case.below(4) {
                        let coefficient = case.below((public.len() - 32) / 3) * 3;
                        let bytes = case.array::<3>();
                        public[coefficient..coefficient + 3].copy_from_slice(&bytes);
                    }
                    let oracle = EncapsulationKey::new(&public[..].try_into().unwrap())
                        .map(drop)
                        .map_err(|_| Error::InvalidPublicKey);
                    for backend in Backend::available() {
                        assert_eq!(KEM.check_public_key(backend, &public), oracle);
                        let encapsulated = KEM.encapsulate(backend, &public).map(drop);
                        assert_eq!(encapsulated, oracle);
                    }
                });
            }
        }
    };
}

parameter_set!(ml_kem_768, KemAlgorithm::MlKem768, ml_kem_768, mlkem768);
parameter_set!(ml_kem_1024, KemAlgorithm::MlKem1024, ml_kem_1024, mlkem1024);
