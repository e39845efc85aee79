//! ML-DSA.

use aws_lc_rs::signature::{self as aws_sign, KeyPair};
use libcrux_ml_dsa::{MLDSASignature, MLDSAVerificationKey};
use ml_dsa::{ExpandedSigningKey, Keypair, Signature, SigningKey, VerifyingKey};
use trellis_ciphersuites::signature as ours;

use super::MESSAGE;
use crate::candidates::{Row, Table};

const NOTE: &str = "256 bytes are signed. The mean of 32 given hedges, since each takes a random \
    number of rounds; aws-lc-rs draws its own. The key that libcrux keeps for signing is the \
    encoded one.";

pub(super) const ML_DSA_44: Table = Table { title: "ML-DSA-44", note: NOTE, rows: ml_dsa_44 };
pub(super) const ML_DSA_65: Table = Table { title: "ML-DSA-65", note: NOTE, rows: ml_dsa_65 };
pub(super) const ML_DSA_87: Table = Table { title: "ML-DSA-87", note: NOTE, rows: ml_dsa_87 };

/// One call signs with all of these, so that every library does the same work.
const HEDGES: u8 = 32;

macro_rules! rows {
    (
        $ours:ident, $libcrux:ident, $rust:ty, $aws_signing:ident, $aws_verifying:ident
    ) => {{
        use libcrux_ml_dsa::$libcrux as libcrux;

        const SEED: [u8; 32] = [0x49; 32];
        const SCHEME: ours::SignatureScheme = ours::SignatureScheme::$ours;
        let pair = libcrux::generate_key_pair(SEED);
        let libcrux_sk = pair.signing_key;
        let pk = *pair.verification_key.as_ref();
        let rust_sk = ExpandedSigningKey::<$rust>::from_seed(&SEED.into());
        let aws_key = || aws_sign::PqdsaKeyPair::from_seed(&aws_sign::$aws_signing, &SEED).unwrap();
        let aws_sk = aws_key();
        let signature = *libcrux::sign(&libcrux_sk, &MESSAGE, b"", [0; 32]).unwrap().as_ref();

        vec![
            Row::new("key generation from seed")
                .add_ours(|backend| {
                    move || {
                        let key = ours::SigningKey::from_bytes(SCHEME, backend, &SEED).unwrap();
                        key.public_key().to_vec()
                    }
                })
                .add("libcrux", || *libcrux::generate_key_pair(SEED).verification_key.as_ref())
                .add("RustCrypto", || {
                    SigningKey::<$rust>::from_seed(&SEED.into()).verifying_key().encode()
                })
                .add("aws-lc-rs", move || aws_key().public_key().as_ref().to_vec()),
            Row::new("sign, hedged, kept key")
                .operations_per_call(HEDGES.into())
                .add_ours(|backend| {
                    let key = ours::SigningKey::from_bytes(SCHEME, backend, &SEED).unwrap();
                    move || {
                        let sign = |hedge| key.sign_derandomized(&MESSAGE, &[hedge; 32]).unwrap();
                        (0..HEDGES).map(sign).last().unwrap()
                    }
                })
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
                .add_ours(|backend| {
                    move || {
                        let key = ours::VerifyingKey::from_bytes(SCHEME, backend, &pk).unwrap();
                        key.verify(&MESSAGE, &signature).unwrap();
                        "good"
                    }
                })
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
        ]
    }};
}

fn ml_dsa_44() -> Vec<Row> {
    rows!(MlDsa44, ml_dsa_44, ml_dsa::MlDsa44, ML_DSA_44_SIGNING, ML_DSA_44)
}

fn ml_dsa_65() -> Vec<Row> {
    rows!(MlDsa65, ml_dsa_65, ml_dsa::MlDsa65, ML_DSA_65_SIGNING, ML_DSA_65)
}

fn ml_dsa_87() -> Vec<Row> {
    rows!(MlDsa87, ml_dsa_87, ml_dsa::MlDsa87, ML_DSA_87_SIGNING, ML_DSA_87)
}
