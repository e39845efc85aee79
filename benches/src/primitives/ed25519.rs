//! Ed25519.

use aws_lc_rs::signature::{self as aws_sign, KeyPair};
use ed25519_dalek as dalek;
use graviola::signing::eddsa as graviola;
use trellis_ciphersuites::signature::{SignatureScheme::Ed25519, SigningKey, VerifyingKey};

use super::MESSAGE;
use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "Ed25519",
    note: "256 bytes are signed. Ours is strict about points and scalars and so is dalek, by \
        `verify_strict`; the others are less so. Ours native expands two keys where it makes one: \
        graviola's, and dalek's for long messages.",
    rows,
};

fn rows() -> Vec<Row> {
    let seed = [0x48; 32];
    let dalek_sk = dalek::SigningKey::from_bytes(&seed);
    let graviola_sk = graviola::Ed25519SigningKey::from_bytes(&seed).unwrap();
    let aws_sk = aws_sign::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let pk = graviola_sk.public_key().as_bytes();
    let signature = graviola_sk.sign(&MESSAGE);
    let dalek_pk = dalek_sk.verifying_key();
    let dalek_expanded = dalek::hazmat::ExpandedSecretKey::from(&seed);

    let public = Row::new("public key from seed")
        .add_ours(|backend| {
            move || {
                let key = SigningKey::from_bytes(Ed25519, backend, &seed).unwrap();
                key.public_key().to_vec()
            }
        })
        .add("graviola", move || {
            graviola::Ed25519SigningKey::from_bytes(&seed).unwrap().public_key().as_bytes()
        })
        .add("dalek", move || dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes())
        .add("aws-lc-rs", move || {
            aws_sign::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap().public_key().clone()
        });
    let sign = Row::new("sign with expanded key")
        .add_ours(|backend| {
            let key = SigningKey::from_bytes(Ed25519, backend, &seed).unwrap();
            move || key.sign(&MESSAGE).unwrap()
        })
        .add("graviola", move || graviola_sk.sign(&MESSAGE))
        .add("dalek", move || {
            dalek::hazmat::raw_sign::<sha2::Sha512>(&dalek_expanded, &MESSAGE, &dalek_pk).to_bytes()
        })
        .add("aws-lc-rs", move || aws_sk.sign(&MESSAGE));
    let verify = Row::new("decode key and verify")
        .add_ours(|backend| {
            move || {
                let key = VerifyingKey::from_bytes(Ed25519, backend, &pk).unwrap();
                key.verify(&MESSAGE, &signature).unwrap();
                "good"
            }
        })
        .add("graviola", move || {
            let pk = graviola::Ed25519VerifyingKey::from_bytes(&pk).unwrap();
            pk.verify(&signature, &MESSAGE).unwrap();
            "good"
        })
        .add("dalek", move || {
            let pk = dalek::VerifyingKey::from_bytes(&pk).unwrap();
            pk.verify_strict(&MESSAGE, &dalek::Signature::from_bytes(&signature)).unwrap();
            "good"
        })
        .add("aws-lc-rs", move || {
            let pk = aws_sign::UnparsedPublicKey::new(&aws_sign::ED25519, &pk);
            pk.verify(&MESSAGE, &signature).unwrap();
            "good"
        });
    vec![public, sign, verify]
}
