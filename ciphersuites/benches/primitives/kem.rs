//! ML-KEM.

use std::hint::black_box;

use crate::harness::*;
use aws_lc_rs::kem as aws_kem;
use graviola::key_agreement as graviola_kx;

const KEM_NOTE: &str = "libcrux checks an encoded key with `validate_public_key`, which is \
    included. pqcrypto-mlkem has no seeds and no key check: fresh random key, own randomness, \
    expanded private key. aws-lc-rs has the check, but no seeds either.";

/// The rows of one ML-KEM parameter set.
macro_rules! ml_kem_rows {
    ($set:ident, $rust:ty, $aws:expr) => {{
        use libcrux_ml_kem::$set as libcrux;
        #[cfg(target_arch = "x86_64")]
        use libcrux_ml_kem::$set::avx2::unpacked;
        #[cfg(target_arch = "aarch64")]
        use libcrux_ml_kem::$set::neon::unpacked;
        use ml_kem::{DecapsulationKey, EncapsulationKey, KeyExport, kem::Decapsulate};
        use pqcrypto_mlkem::$set as pqclean;
        use pqcrypto_traits::kem::{
            Ciphertext as _, PublicKey as _, SecretKey as _, SharedSecret as _,
        };

        #[cfg(target_arch = "x86_64")]
        assert!(is_x86_feature_detected!("avx2"), "the unpacked rows call AVX2 code unasked");

        let pair = libcrux::generate_key_pair(KEM_SEED);
        let (dk, ek) = (*pair.sk(), *pair.pk());
        let ct = libcrux::encapsulate(&ek.into(), KEM_COIN).0.as_slice().to_owned();

        let keygen = Row::new("key generation from seed")
            .add("libcrux", || *libcrux::generate_key_pair(KEM_SEED).pk())
            .add("libcrux unpacked", || {
                let pair = unpacked::generate_key_pair(KEM_SEED);
                *unpacked::key_pair_serialized_public_key(&pair).as_slice()
            })
            .add("RustCrypto", || {
                let dk = DecapsulationKey::<$rust>::from_seed(KEM_SEED.into());
                dk.encapsulation_key().to_bytes()
            })
            .add_unchecked("pqcrypto-mlkem", pqclean::keypair)
            .add_unchecked("aws-lc-rs", || {
                let dk = aws_kem::DecapsulationKey::generate($aws).unwrap();
                dk.encapsulation_key().unwrap().key_bytes().unwrap()
            });
        let encaps = Row::new("encapsulate to encoded key")
            .add("libcrux", move || {
                let ek = ek.into();
                assert!(libcrux::validate_public_key(&ek));
                let (ct, secret) = libcrux::encapsulate(&ek, KEM_COIN);
                black_box(ct);
                secret
            })
            .add("libcrux unpacked", move || {
                let ek = ek.into();
                assert!(libcrux::validate_public_key(&ek));
                let mut key = unpacked::init_public_key();
                unpacked::unpacked_public_key(&ek, &mut key);
                let (ct, secret) = unpacked::encapsulate(&key, KEM_COIN);
                black_box(ct);
                secret
            })
            .add("RustCrypto", move || {
                let ek = EncapsulationKey::<$rust>::new(&ek.into()).unwrap();
                let (ct, secret) = ek.encapsulate_deterministic(&KEM_COIN.into());
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
            .add("libcrux", move || {
                let pair = libcrux::generate_key_pair(KEM_SEED);
                libcrux::decapsulate(pair.private_key(), &ct.into())
            })
            .add("libcrux unpacked", move || {
                let pair = unpacked::generate_key_pair(KEM_SEED);
                unpacked::decapsulate(&pair, &ct.into())
            })
            .add("RustCrypto", move || {
                DecapsulationKey::<$rust>::from_seed(KEM_SEED.into()).decapsulate(&ct.into())
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
        [keygen, encaps, decaps, stored]
    }};
}

const KEM_SEED: [u8; 64] = [0x41; 64];
const KEM_COIN: [u8; 32] = [0x42; 32];

pub(crate) fn ml_kem_768() -> Table {
    use graviola_kx::mlkem768::{DecapKey, EncapKey, Message};

    let dk = DecapKey::keygen_internal(&KEM_SEED);
    let ek = dk.encapsulation_key().as_bytes();
    let (_, ct) = dk.encapsulation_key().encaps_internal(Message(KEM_COIN));

    let [keygen, encaps, decaps, stored] =
        ml_kem_rows!(mlkem768, ml_kem::MlKem768, &aws_kem::ML_KEM_768);
    let rows = vec![
        keygen.add("graviola", || {
            DecapKey::keygen_internal(&KEM_SEED).encapsulation_key().as_bytes()
        }),
        encaps.add("graviola", move || {
            let ek = EncapKey::from_bytes(&ek).unwrap();
            let (secret, ct) = ek.encaps_internal(Message(KEM_COIN));
            black_box(ct);
            *secret.as_ref()
        }),
        decaps.add("graviola", move || {
            *DecapKey::keygen_internal(&KEM_SEED).decaps_internal(&ct).as_ref()
        }),
        stored,
    ];
    Table { title: "ML-KEM-768", note: KEM_NOTE, rows }
}

pub(crate) fn ml_kem_1024() -> Table {
    let rows = ml_kem_rows!(mlkem1024, ml_kem::MlKem1024, &aws_kem::ML_KEM_1024);
    Table { title: "ML-KEM-1024", note: KEM_NOTE, rows: rows.into() }
}
