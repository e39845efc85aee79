//! X25519.

use aws_lc_rs::agreement;
use graviola::key_agreement::x25519 as graviola;
use trellis_ciphersuites::kem::KemAlgorithm;
use x25519_dalek as dalek;

use super::aws;
use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "X25519",
    note: "All keys are given as bytes, and an all-zero secret is refused. Ours has the public key \
        as part of DHKEM, and no raw shared secret.",
    rows,
};

fn rows() -> Vec<Row> {
    let sk = [0x43; 32];
    let pk = dalek::x25519([0x44; 32], dalek::X25519_BASEPOINT_BYTES);

    let public = Row::new("public key from private key")
        .add_ours(|backend| move || KemAlgorithm::DhKemX25519.public_key(backend, &sk).unwrap())
        .add("graviola", move || {
            graviola::StaticPrivateKey::from_array(&sk).public_key().as_bytes()
        })
        .add("dalek", move || dalek::PublicKey::from(&dalek::StaticSecret::from(sk)).to_bytes())
        .add("libcrux", move || {
            let mut pk = [0; 32];
            libcrux_curve25519::secret_to_public(&mut pk, &sk);
            pk
        })
        .add("aws-lc-rs", move || aws::public_key(&agreement::X25519, &sk));
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
        .add("aws-lc-rs", move || aws::shared_secret::<32>(&agreement::X25519, &sk, &pk));
    vec![public, shared]
}
