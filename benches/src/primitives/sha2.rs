//! SHA-2.

use aws_lc_rs::digest as aws;
use graviola::hashing::sha2 as graviola;
use sha2::Digest;
use trellis_ciphersuites::symmetric::HashAlgorithm;

use super::SIZES;
use crate::candidates::{Row, Table};

pub(super) const TABLE: Table =
    Table { title: "SHA-2", note: "Ours answers with a new vector each time.", rows };

/// `graviola::hashing::sha2` has a context for each function, but no trait for them.
macro_rules! hash {
    ($name:literal, $ours:ident, $graviola:ident, $rust:ident, $aws:ident) => {
        SIZES.map(|(size, bytes)| {
            let input = vec![0x4f; bytes];
            let (first, second, third) = (input.clone(), input.clone(), input.clone());
            Row::new(format!("{} of {size}", $name))
                .add_ours(|backend| {
                    let input = input.clone();
                    move || HashAlgorithm::$ours.hash(backend, &input)
                })
                .add("graviola", move || {
                    let mut context = graviola::$graviola::new();
                    context.update(&first);
                    context.finish()
                })
                .add("RustCrypto", move || sha2::$rust::digest(&second))
                .add("aws-lc-rs", move || aws::digest(&aws::$aws, &third))
        })
    };
}

fn rows() -> Vec<Row> {
    let hashes = [
        hash!("SHA-256", Sha256, Sha256Context, Sha256, SHA256),
        hash!("SHA-384", Sha384, Sha384Context, Sha384, SHA384),
        hash!("SHA-512", Sha512, Sha512Context, Sha512, SHA512),
    ];
    hashes.into_iter().flatten().collect()
}
