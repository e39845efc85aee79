//! ECDH and ECDSA on P-256 and P-384.

use aws_lc_rs::{agreement, rand, signature as aws_sign};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature as ours;

use super::{MESSAGE, aws};
use crate::candidates::{Row, Table};

const NOTE: &str = "Keys are given as bytes (public keys uncompressed), but signing keys are kept. \
    Ours signs and verifies DER, the others fixed lengths. Ours has the public key as part of \
    DHKEM, and no raw shared secret.";

pub(super) const P256_TABLE: Table = Table { title: "P-256", note: NOTE, rows: p256 };
pub(super) const P384_TABLE: Table = Table { title: "P-384", note: NOTE, rows: p384 };

macro_rules! rows {
    (
        $curve:ident, $field:literal, $graviola:ident, $hash:ident,
        $kem:ident, $scheme:ident, $aws_ecdh:ident, $aws_signing:ident, $aws_verifying:ident
    ) => {{
        use ::graviola::hashing::$hash as GraviolaHash;
        use ::graviola::key_agreement::$curve as graviola;
        use ::graviola::signing::ecdsa as graviola_ecdsa;
        use ::graviola::signing::ecdsa::$graviola as Curve;
        use ::$curve::ecdsa::signature::{Signer, Verifier};
        use ::$curve::ecdsa::{Signature, SigningKey, VerifyingKey};
        use ::$curve::{PublicKey, SecretKey, ecdh};

        const SK: [u8; $field] = [0x46; $field];
        const SCHEME: ours::SignatureScheme = ours::SignatureScheme::$scheme;
        let pk: [u8; 2 * $field + 1] =
            graviola::StaticPrivateKey::from_bytes(&SK).unwrap().public_key_uncompressed();
        let peer: [u8; 2 * $field + 1] = graviola::StaticPrivateKey::from_bytes(&[0x47; $field])
            .unwrap()
            .public_key_uncompressed();

        let rust_sk = SigningKey::from_slice(&SK).unwrap();
        let graviola_sk = graviola_ecdsa::SigningKey::<Curve> {
            private_key: graviola::StaticPrivateKey::from_bytes(&SK).unwrap(),
        };
        let aws_sk = aws_sign::EcdsaKeyPair::from_private_key_and_public_key(
            &aws_sign::$aws_signing,
            &SK,
            &pk,
        )
        .unwrap();
        let signature: Signature = rust_sk.sign(&MESSAGE);
        let der = signature.to_der();
        let signature: [u8; 2 * $field] = signature.to_bytes().into();

        vec![
            Row::new("public key from private key")
                .add_ours(|backend| move || KemAlgorithm::$kem.public_key(backend, &SK).unwrap())
                .add("graviola", || {
                    graviola::StaticPrivateKey::from_bytes(&SK).unwrap().public_key_uncompressed()
                })
                .add("RustCrypto", || {
                    SecretKey::from_slice(&SK).unwrap().public_key().to_sec1_bytes()
                })
                .add("aws-lc-rs", || aws::public_key(&agreement::$aws_ecdh, &SK)),
            Row::new("shared secret")
                .add("graviola", move || {
                    let peer = graviola::PublicKey::from_x962_uncompressed(&peer).unwrap();
                    let sk = graviola::StaticPrivateKey::from_bytes(&SK).unwrap();
                    sk.diffie_hellman(&peer).unwrap().0
                })
                .add("RustCrypto", move || {
                    let peer = PublicKey::from_sec1_bytes(&peer).unwrap();
                    let sk = SecretKey::from_slice(&SK).unwrap();
                    *ecdh::diffie_hellman(sk.to_nonzero_scalar(), peer.as_affine())
                        .raw_secret_bytes()
                })
                .add("aws-lc-rs", move || {
                    aws::shared_secret::<$field>(&agreement::$aws_ecdh, &SK, &peer)
                }),
            Row::new("ECDSA sign")
                .add_ours_unchecked(|backend| {
                    let sk = ours::SigningKey::from_bytes(SCHEME, backend, &SK).unwrap();
                    move || sk.sign(&MESSAGE).unwrap()
                })
                .add_unchecked("graviola", move || {
                    let mut out = [0; 2 * $field];
                    graviola_sk.sign::<GraviolaHash>(&[&MESSAGE], &mut out).unwrap();
                    out
                })
                .add_unchecked("RustCrypto", move || -> Signature { rust_sk.sign(&MESSAGE) })
                .add_unchecked("aws-lc-rs", move || {
                    aws_sk.sign(&rand::SystemRandom::new(), &MESSAGE).unwrap()
                }),
            Row::new("ECDSA decode key and verify")
                .add_ours(|backend| {
                    let der = der.clone();
                    move || {
                        let pk = ours::VerifyingKey::from_bytes(SCHEME, backend, &pk).unwrap();
                        pk.verify(&MESSAGE, der.as_bytes()).unwrap();
                        "good"
                    }
                })
                .add("graviola", move || {
                    let pk =
                        graviola_ecdsa::VerifyingKey::<Curve>::from_x962_uncompressed(&pk).unwrap();
                    pk.verify::<GraviolaHash>(&[&MESSAGE], &signature).unwrap();
                    "good"
                })
                .add("RustCrypto", move || {
                    let pk = VerifyingKey::from_sec1_bytes(&pk).unwrap();
                    pk.verify(&MESSAGE, &Signature::from_slice(&signature).unwrap()).unwrap();
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

fn p256() -> Vec<Row> {
    rows!(
        p256,
        32,
        P256,
        Sha256,
        DhKemP256,
        EcdsaP256Sha256,
        ECDH_P256,
        ECDSA_P256_SHA256_FIXED_SIGNING,
        ECDSA_P256_SHA256_FIXED
    )
}

fn p384() -> Vec<Row> {
    rows!(
        p384,
        48,
        P384,
        Sha384,
        DhKemP384,
        EcdsaP384Sha384,
        ECDH_P384,
        ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P384_SHA384_FIXED
    )
}
