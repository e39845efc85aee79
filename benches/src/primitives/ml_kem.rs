//! ML-KEM.

use std::hint::black_box;

use aws_lc_rs::kem as aws_kem;
use graviola::key_agreement::mlkem768::{DecapKey, EncapKey, Message};
use ml_kem::{DecapsulationKey, EncapsulationKey, KeyExport, kem::Decapsulate};
use pqcrypto_traits::kem::{Ciphertext as _, PublicKey as _, SecretKey as _, SharedSecret as _};
use trellis_ciphersuites::kem::KemAlgorithm;

use crate::candidates::{Row, Table};

const NOTE: &str = "Encapsulation decodes the key and checks it; with libcrux by \
    `validate_public_key`. Its unpacked form is called for AVX2 or NEON, unasked. pqcrypto-mlkem \
    has no seeds and no check of keys: fresh random key, own randomness, expanded private key. \
    aws-lc-rs has the check, but no seeds either.";

pub(super) const ML_KEM_768: Table = Table { title: "ML-KEM-768", note: NOTE, rows: ml_kem_768 };
pub(super) const ML_KEM_1024: Table = Table { title: "ML-KEM-1024", note: NOTE, rows: ml_kem_1024 };

const SEED: [u8; 64] = [0x41; 64];
const COIN: [u8; 32] = [0x42; 32];

/// The rows of one parameter set, each with what graviola adds to it.
macro_rules! rows {
    ($ours:ident, $set:ident, $rust:ty, $aws:expr, $keygen:expr, $encaps:expr, $decaps:expr) => {{
        use libcrux_ml_kem::$set as libcrux;
        #[cfg(target_arch = "x86_64")]
        use libcrux_ml_kem::$set::avx2::unpacked;
        #[cfg(target_arch = "aarch64")]
        use libcrux_ml_kem::$set::neon::unpacked;
        use pqcrypto_mlkem::$set as pqclean;

        #[cfg(target_arch = "x86_64")]
        assert!(is_x86_feature_detected!("avx2"), "the unpacked rows call AVX2 code unasked");

        const OURS: KemAlgorithm = KemAlgorithm::$ours;
        let pair = libcrux::generate_key_pair(SEED);
        let (dk, ek) = (*pair.sk(), *pair.pk());
        let ct: [u8; OURS.enc_len()] = *libcrux::encapsulate(&ek.into(), COIN).0.as_slice();

        let keygen = Row::new("key generation from seed")
            .add_ours(|backend| move || OURS.public_key(backend, &SEED).unwrap())
            .add("libcrux", || *libcrux::generate_key_pair(SEED).pk())
            .add("libcrux unpacked", || {
                let pair = unpacked::generate_key_pair(SEED);
                *unpacked::key_pair_serialized_public_key(&pair).as_slice()
            })
            .add("RustCrypto", || {
                let dk = DecapsulationKey::<$rust>::from_seed(SEED.into());
                dk.encapsulation_key().to_bytes()
            })
            .add_unchecked("pqcrypto-mlkem", pqclean::keypair)
            .add_unchecked("aws-lc-rs", || {
                let dk = aws_kem::DecapsulationKey::generate($aws).unwrap();
                dk.encapsulation_key().unwrap().key_bytes().unwrap()
            });
        let encaps = Row::new("encapsulate to encoded key")
            .add_ours(|backend| {
                move || {
                    let (ct, secret) = OURS.encapsulate_derandomized(backend, &ek, &COIN).unwrap();
                    black_box(ct);
                    secret.into_inner()
                }
            })
            .add("libcrux", move || {
                let ek = ek.into();
                assert!(libcrux::validate_public_key(&ek));
                let (ct, secret) = libcrux::encapsulate(&ek, COIN);
                black_box(ct);
                secret
            })
            .add("libcrux unpacked", move || {
                let ek = ek.into();
                assert!(libcrux::validate_public_key(&ek));
                let mut key = unpacked::init_public_key();
                unpacked::unpacked_public_key(&ek, &mut key);
                let (ct, secret) = unpacked::encapsulate(&key, COIN);
                black_box(ct);
                secret
            })
            .add("RustCrypto", move || {
                let ek = EncapsulationKey::<$rust>::new(&ek.into()).unwrap();
                let (ct, secret) = ek.encapsulate_deterministic(&COIN.into());
                black_box(ct);
                secret
            })
            .add_unchecked("pqcrypto-mlkem", move || {
                pqclean::encapsulate(&pqclean::PublicKey::from_bytes(&ek).unwrap())
            })
            .add_unchecked("aws-lc-rs", move || {
                aws_kem::EncapsulationKey::new($aws, &ek).unwrap().encapsulate().unwrap()
            });
        let decaps = Row::new("seed and ciphertext to secret")
            .add_ours(|backend| move || OURS.decapsulate(backend, &SEED, &ct).unwrap().into_inner())
            .add("libcrux", move || {
                let pair = libcrux::generate_key_pair(SEED);
                libcrux::decapsulate(pair.private_key(), &ct.into())
            })
            .add("libcrux unpacked", move || {
                let pair = unpacked::generate_key_pair(SEED);
                unpacked::decapsulate(&pair, &ct.into())
            })
            .add("RustCrypto", move || {
                DecapsulationKey::<$rust>::from_seed(SEED.into()).decapsulate(&ct.into())
            });
        let stored = Row::new("expanded key and ciphertext to secret")
            .add("libcrux", move || libcrux::decapsulate(&dk.into(), &ct.into()))
            .add("pqcrypto-mlkem", move || {
                let dk = pqclean::SecretKey::from_bytes(&dk).unwrap();
                let ct = pqclean::Ciphertext::from_bytes(&ct).unwrap();
                pqclean::decapsulate(&ct, &dk).as_bytes().to_vec()
            })
            .add("aws-lc-rs", move || {
                let dk = aws_kem::DecapsulationKey::new($aws, &dk).unwrap();
                dk.decapsulate(ct[..].into()).unwrap().as_ref().to_vec()
            });
        vec![$keygen(keygen), $encaps(encaps, ek), $decaps(decaps, ct), stored]
    }};
}

fn ml_kem_768() -> Vec<Row> {
    rows!(
        MlKem768,
        mlkem768,
        ml_kem::MlKem768,
        &aws_kem::ML_KEM_768,
        |row: Row| row.add("graviola", || {
            DecapKey::keygen_internal(&SEED).encapsulation_key().as_bytes()
        }),
        |row: Row, ek| row.add("graviola", move || {
            let ek = EncapKey::from_bytes(&ek).unwrap();
            let (secret, ct) = ek.encaps_internal(Message(COIN));
            black_box(ct);
            *secret.as_ref()
        }),
        |row: Row, ct: [u8; 1088]| row.add("graviola", move || {
            *DecapKey::keygen_internal(&SEED).decaps(&ct.into()).as_ref()
        })
    )
}

/// graviola has no ML-KEM-1024.
fn ml_kem_1024() -> Vec<Row> {
    rows!(
        MlKem1024,
        mlkem1024,
        ml_kem::MlKem1024,
        &aws_kem::ML_KEM_1024,
        |row| row,
        |row, _| row,
        |row, _| row
    )
}
