//! ML-DSA.

use crate::curves::MESSAGE;
use crate::harness::*;
use aws_lc_rs::signature::{self as aws_sign, KeyPair};

/// ML-DSA signing retries a random number of times: one call signs with all of these hedges, so
/// that every library does the same work.
const HEDGES: u8 = 32;

macro_rules! ml_dsa_table {
    ($title:literal, $libcrux:ident, $rust:ty, $aws_signing:ident, $aws_verifying:ident) => {{
        use libcrux_ml_dsa::{MLDSASignature, MLDSAVerificationKey, $libcrux as libcrux};
        use ml_dsa::{ExpandedSigningKey, Keypair, Signature, SigningKey, VerifyingKey};

        const SEED: [u8; 32] = [0x49; 32];
        let pair = libcrux::generate_key_pair(SEED);
        let libcrux_sk = pair.signing_key;
        let pk = *pair.verification_key.as_ref();
        let rust_sk = ExpandedSigningKey::<$rust>::from_seed(&SEED.into());
        let aws_key = || aws_sign::PqdsaKeyPair::from_seed(&aws_sign::$aws_signing, &SEED).unwrap();
        let aws_sk = aws_key();
        let signature = *libcrux::sign(&libcrux_sk, &MESSAGE, b"", [0; 32]).unwrap().as_ref();

        let rows = vec![
            Row::new("key generation from seed")
                .add("libcrux", || *libcrux::generate_key_pair(SEED).verification_key.as_ref())
                .add("RustCrypto", || {
                    SigningKey::<$rust>::from_seed(&SEED.into()).verifying_key().encode()
                })
                .add("aws-lc-rs", move || aws_key().public_key().as_ref().to_vec()),
            Row::new("sign, hedged, kept key")
                .operations_per_call(HEDGES.into())
                .add("libcrux", move || {
                    let sign =
                        |hedge| libcrux::sign(&libcrux_sk, &MESSAGE, b"", [hedge; 32]).unwrap();
                    *(0..HEDGES).map(sign).last().unwrap().as_ref()
                })
                .add("RustCrypto", move || {
                    // Two zeroes: no pre-hash, and an empty context.
                    let sign =
                        |hedge| rust_sk.sign_internal(&[&[0, 0], &MESSAGE], &[hedge; 32].into());
                    (0..HEDGES).map(sign).last().unwrap().encode()
                })
                .add_unchecked("aws-lc-rs", move || {
                    let mut out = signature;
                    for _ in 0..HEDGES {
                        aws_sk.sign(&MESSAGE, &mut out).unwrap();
                    }
                    out
                }),
            Row::new("decode key and verify")
                .add("libcrux", move || {
                    let (pk, signature) =
                        (MLDSAVerificationKey::new(pk), MLDSASignature::new(signature));
                    libcrux::verify(&pk, &MESSAGE, b"", &signature).unwrap();
                    "good"
                })
                .add("RustCrypto", move || {
                    let pk = VerifyingKey::<$rust>::decode(&pk.into());
                    let signature = Signature::decode(&signature.into()).unwrap();
                    assert!(pk.verify_with_context(&MESSAGE, b"", &signature));
                    "good"
                })
                .add("aws-lc-rs", move || {
                    let pk = aws_sign::UnparsedPublicKey::new(&aws_sign::$aws_verifying, &pk);
                    pk.verify(&MESSAGE, &signature).unwrap();
                    "good"
                }),
        ];
        let note =
            "The key libcrux keeps for signing is the encoded one; aws-lc-rs hedges by itself.";
        Table { title: $title, note, rows }
    }};
}

pub(crate) fn ml_dsa_44() -> Table {
    ml_dsa_table!("ML-DSA-44", ml_dsa_44, ml_dsa::MlDsa44, ML_DSA_44_SIGNING, ML_DSA_44)
}

pub(crate) fn ml_dsa_65() -> Table {
    ml_dsa_table!("ML-DSA-65", ml_dsa_65, ml_dsa::MlDsa65, ML_DSA_65_SIGNING, ML_DSA_65)
}

pub(crate) fn ml_dsa_87() -> Table {
    ml_dsa_table!("ML-DSA-87", ml_dsa_87, ml_dsa::MlDsa87, ML_DSA_87_SIGNING, ML_DSA_87)
}
