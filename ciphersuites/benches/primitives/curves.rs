//! X25519, P-256, P-384, Ed25519, ECDSA.

use crate::harness::*;
use aws_lc_rs::{
    agreement, rand,
    signature::{self as aws_sign, KeyPair},
};
use graviola::{key_agreement as graviola_kx, signing as graviola_sign};

fn aws_public(algorithm: &'static agreement::Algorithm, sk: &[u8]) -> agreement::PublicKey {
    let sk = agreement::PrivateKey::from_private_key(algorithm, sk).unwrap();
    sk.compute_public_key().unwrap()
}

fn aws_shared<const N: usize>(
    algorithm: &'static agreement::Algorithm,
    sk: &[u8],
    pk: &[u8],
) -> [u8; N] {
    let sk = agreement::PrivateKey::from_private_key(algorithm, sk).unwrap();
    let pk = agreement::UnparsedPublicKey::new(algorithm, pk);
    agreement::agree(&sk, pk, (), |secret| secret.try_into().map_err(drop)).unwrap()
}

pub(crate) fn x25519() -> Table {
    use graviola_kx::x25519 as graviola;
    use x25519_dalek as dalek;

    let sk = [0x43; 32];
    let pk = dalek::x25519([0x44; 32], dalek::X25519_BASEPOINT_BYTES);

    let public = Row::new("public key from private key")
        .add("graviola", move || {
            graviola::StaticPrivateKey::from_array(&sk).public_key().as_bytes()
        })
        .add("dalek", move || dalek::PublicKey::from(&dalek::StaticSecret::from(sk)).to_bytes())
        .add("libcrux", move || {
            let mut pk = [0; 32];
            libcrux_curve25519::secret_to_public(&mut pk, &sk);
            pk
        })
        .add("aws-lc-rs", move || aws_public(&agreement::X25519, &sk));
    let shared = Row::new("shared secret")
        .add("graviola", move || {
            let pk = graviola::PublicKey::from_array(&pk);
            graviola::StaticPrivateKey::from_array(&sk).diffie_hellman(&pk).unwrap().0
        })
        .add("dalek", move || {
            let shared = dalek::StaticSecret::from(sk).diffie_hellman(&pk.into());
            assert!(shared.was_contributory());
            shared.to_bytes()
        })
        .add("libcrux", move || {
            let mut shared = [0; 32];
            assert!(libcrux_curve25519::ecdh(&mut shared, &pk, &sk).is_ok());
            shared
        })
        .add("aws-lc-rs", move || aws_shared::<32>(&agreement::X25519, &sk, &pk));
    Table { title: "X25519", note: "All keys are given as bytes.", rows: vec![public, shared] }
}

/// The message that is signed.
pub(crate) const MESSAGE: [u8; 256] = [0x45; 256];

/// ECDH and ECDSA rows of one NIST curve.
macro_rules! nist_curve_rows {
    (
        $name:literal, $curve:ident, $field:literal, $graviola:ident, $hash:ident,
        $aws_ecdh:ident, $aws_signing:ident, $aws_verifying:ident
    ) => {{
        use ::graviola::hashing::$hash as GraviolaHash;
        use graviola_kx::$curve as graviola;
        use graviola_sign::ecdsa as graviola_ecdsa;
        use graviola_sign::ecdsa::$graviola as Curve;
        use $curve::{
            PublicKey, SecretKey, ecdh,
            ecdsa::{
                Signature, SigningKey, VerifyingKey,
                signature::{Signer, Verifier},
            },
        };

        const SK: [u8; $field] = [0x46; $field];
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
        let signature: [u8; 2 * $field] = signature.to_bytes().into();

        [
            Row::new(concat!($name, " public key from private key"))
                .add("graviola", || {
                    graviola::StaticPrivateKey::from_bytes(&SK).unwrap().public_key_uncompressed()
                })
                .add("RustCrypto", || {
                    SecretKey::from_slice(&SK).unwrap().public_key().to_sec1_bytes()
                })
                .add("aws-lc-rs", || aws_public(&agreement::$aws_ecdh, &SK)),
            Row::new(concat!($name, " shared secret"))
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
                .add("aws-lc-rs", move || aws_shared::<$field>(&agreement::$aws_ecdh, &SK, &peer)),
            Row::new(concat!($name, " ECDSA sign"))
                .add_unchecked("graviola", move || {
                    let mut out = [0; 2 * $field];
                    graviola_sk.sign::<GraviolaHash>(&[&MESSAGE], &mut out).unwrap();
                    out
                })
                .add_unchecked("RustCrypto", move || -> Signature { rust_sk.sign(&MESSAGE) })
                .add_unchecked("aws-lc-rs", move || {
                    aws_sk.sign(&rand::SystemRandom::new(), &MESSAGE).unwrap()
                }),
            Row::new(concat!($name, " ECDSA decode key and verify"))
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

pub(crate) fn nist_curves() -> Table {
    let p256 = nist_curve_rows!(
        "P-256",
        p256,
        32,
        P256,
        Sha256,
        ECDH_P256,
        ECDSA_P256_SHA256_FIXED_SIGNING,
        ECDSA_P256_SHA256_FIXED
    );
    let p384 = nist_curve_rows!(
        "P-384",
        p384,
        48,
        P384,
        Sha384,
        ECDH_P384,
        ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P384_SHA384_FIXED
    );
    Table {
        title: "NIST curves",
        note: "Keys are given as bytes (public keys uncompressed), but signing keys are kept.",
        rows: p256.into_iter().chain(p384).collect(),
    }
}

pub(crate) fn ed25519() -> Table {
    use ed25519_dalek as dalek;
    use graviola_sign::eddsa as graviola;

    let seed = [0x48; 32];
    let dalek_sk = dalek::SigningKey::from_bytes(&seed);
    let graviola_sk = graviola::Ed25519SigningKey::from_bytes(&seed).unwrap();
    let aws_sk = aws_sign::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let pk = graviola_sk.public_key().as_bytes();
    let signature = graviola_sk.sign(&MESSAGE);
    let dalek_pk = dalek_sk.verifying_key();
    let dalek_expanded = dalek::hazmat::ExpandedSecretKey::from(&seed);

    let public = Row::new("public key from seed")
        .add("graviola", move || {
            graviola::Ed25519SigningKey::from_bytes(&seed).unwrap().public_key().as_bytes()
        })
        .add("dalek", move || dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes())
        .add("aws-lc-rs", move || {
            aws_sign::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap().public_key().clone()
        });
    let sign = Row::new("sign with expanded key")
        .add("graviola", move || graviola_sk.sign(&MESSAGE))
        .add("dalek", move || {
            dalek::hazmat::raw_sign::<sha2::Sha512>(&dalek_expanded, &MESSAGE, &dalek_pk).to_bytes()
        })
        .add("aws-lc-rs", move || aws_sk.sign(&MESSAGE));
    let verify = Row::new("decode key and verify")
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
    Table {
        title: "Ed25519",
        note: "dalek uses `verify_strict`.",
        rows: vec![public, sign, verify],
    }
}
