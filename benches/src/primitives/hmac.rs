//! HMAC.

use ::graviola::hashing::{self as graviola, hmac::Hmac as GraviolaHmac};
use aws_lc_rs::hmac as aws;
use hmac::{Hmac, KeyInit, Mac};
use trellis_ciphersuites::symmetric::HashAlgorithm;

use super::SIZES;
use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "HMAC",
    note: "The key is as long as the hash, and its set-up is included.",
    rows,
};

macro_rules! hmac {
    ($name:literal, $hash:ident, $aws:ident) => {
        SIZES.map(|(size, bytes)| {
            const KEY: &[u8] = &[0x50; HashAlgorithm::$hash.len()];
            let input = vec![0x4f; bytes];
            let (first, second, third) = (input.clone(), input.clone(), input.clone());
            Row::new(format!("{} of {size}", $name))
                .add_ours(|backend| {
                    let input = input.clone();
                    move || HashAlgorithm::$hash.hmac(backend, KEY, &input).into_inner()
                })
                .add("graviola", move || {
                    let mut mac = GraviolaHmac::<graviola::$hash>::new(KEY);
                    mac.update(&first);
                    mac.finish()
                })
                .add("RustCrypto", move || {
                    let mac = Hmac::<sha2::$hash>::new_from_slice(KEY).unwrap();
                    mac.chain_update(&second).finalize().into_bytes()
                })
                .add("aws-lc-rs", move || aws::sign(&aws::Key::new(aws::$aws, KEY), &third))
        })
    };
}

fn rows() -> Vec<Row> {
    let macs = [
        hmac!("HMAC-SHA-256", Sha256, HMAC_SHA256),
        hmac!("HMAC-SHA-384", Sha384, HMAC_SHA384),
        hmac!("HMAC-SHA-512", Sha512, HMAC_SHA512),
    ];
    macs.into_iter().flatten().collect()
}
