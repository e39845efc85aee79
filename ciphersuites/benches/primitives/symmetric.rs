//! AEAD, SHA-2, HMAC, SHA-3.

use crate::harness::*;
use aws_lc_rs::{aead as aws_aead, digest as aws_digest, hmac as aws_hmac};
use graviola::hashing::{hmac::Hmac as GraviolaHmac, sha2 as graviola_sha2, sha3 as graviola_sha3};

const NONCE: [u8; 12] = [0x4a; 12];
const AAD: [u8; 32] = [0x4b; 32];
const SIZES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1 << 10), ("64 KiB", 1 << 16)];

type Tag = [u8; 16];
type Seal = fn(&[u8], &mut [u8]) -> Tag;
type Open = fn(&[u8], &Text, &Tag) -> Text;
/// What is opened.
type Text = [u8; 1024];

fn rust_seal<C: aes_gcm::KeyInit + aes_gcm::AeadInOut>(key: &[u8], text: &mut [u8]) -> Tag {
    let cipher = C::new_from_slice(key).unwrap();
    let nonce = NONCE[..].try_into().unwrap();
    let tag = cipher.encrypt_inout_detached(nonce, &AAD, text.into()).unwrap();
    tag[..].try_into().unwrap()
}

fn rust_open<C: aes_gcm::KeyInit + aes_gcm::AeadInOut>(key: &[u8], text: &Text, tag: &Tag) -> Text {
    let cipher = C::new_from_slice(key).unwrap();
    let (nonce, tag) = (NONCE[..].try_into().unwrap(), tag[..].try_into().unwrap());
    let mut text = *text;
    cipher.decrypt_inout_detached(nonce, &AAD, text.as_mut_slice().into(), tag).unwrap();
    text
}

fn aws_key(algorithm: &'static aws_aead::Algorithm, key: &[u8]) -> aws_aead::LessSafeKey {
    aws_aead::LessSafeKey::new(aws_aead::UnboundKey::new(algorithm, key).unwrap())
}

fn aws_seal(algorithm: &'static aws_aead::Algorithm, key: &[u8], text: &mut [u8]) -> Tag {
    let (nonce, aad) = (aws_aead::Nonce::assume_unique_for_key(NONCE), aws_aead::Aad::from(AAD));
    let tag = aws_key(algorithm, key).seal_in_place_separate_tag(nonce, aad, text).unwrap();
    tag.as_ref().try_into().unwrap()
}

fn aws_open(algorithm: &'static aws_aead::Algorithm, key: &[u8], text: &Text, tag: &Tag) -> Text {
    let (nonce, aad) = (aws_aead::Nonce::assume_unique_for_key(NONCE), aws_aead::Aad::from(AAD));
    let mut plain = [0; 1024];
    aws_key(algorithm, key).open_separate_gather(nonce, aad, text, tag, &mut plain).unwrap();
    plain
}

fn aead_rows(
    name: &str,
    key: &'static [u8],
    libraries: [(&'static str, Seal, Open); 3],
) -> Vec<Row> {
    let seals = SIZES.map(|(size, bytes)| {
        libraries.iter().fold(
            Row::new(format!("{name} seal {size}")),
            |row, &(library, seal, _)| {
                let mut text = vec![0; bytes];
                row.add(library, move || seal(key, &mut text))
            },
        )
    });
    let mut sealed = [0; 1024];
    let tag = libraries[0].1(key, &mut sealed);
    let open = libraries
        .iter()
        .fold(Row::new(format!("{name} open 1 KiB")), |row, &(library, _, open)| {
            row.add(library, move || open(key, &sealed, &tag))
        });
    seals.into_iter().chain([open]).collect()
}

pub(crate) fn aead() -> Table {
    use graviola::aead::{AesGcm, ChaCha20Poly1305};

    let graviola_aes: (_, Seal, Open) = (
        "graviola",
        |key, text| {
            let mut tag = [0; 16];
            AesGcm::new(key).encrypt(&NONCE, &AAD, text, &mut tag);
            tag
        },
        |key, text, tag| {
            let mut text = *text;
            AesGcm::new(key).decrypt(&NONCE, &AAD, &mut text, tag).unwrap();
            text
        },
    );
    let aes_128 = aead_rows(
        "AES-128-GCM",
        &[0x4c; 16],
        [
            graviola_aes,
            ("RustCrypto", rust_seal::<aes_gcm::Aes128Gcm>, rust_open::<aes_gcm::Aes128Gcm>),
            (
                "aws-lc-rs",
                |key, text| aws_seal(&aws_aead::AES_128_GCM, key, text),
                |key, text, tag| aws_open(&aws_aead::AES_128_GCM, key, text, tag),
            ),
        ],
    );
    let aes_256 = aead_rows(
        "AES-256-GCM",
        &[0x4d; 32],
        [
            graviola_aes,
            ("RustCrypto", rust_seal::<aes_gcm::Aes256Gcm>, rust_open::<aes_gcm::Aes256Gcm>),
            (
                "aws-lc-rs",
                |key, text| aws_seal(&aws_aead::AES_256_GCM, key, text),
                |key, text, tag| aws_open(&aws_aead::AES_256_GCM, key, text, tag),
            ),
        ],
    );
    let chacha = aead_rows(
        "ChaCha20-Poly1305",
        &[0x4e; 32],
        [
            (
                "graviola",
                |key, text| {
                    let mut tag = [0; 16];
                    ChaCha20Poly1305::new(key.try_into().unwrap())
                        .encrypt(&NONCE, &AAD, text, &mut tag);
                    tag
                },
                |key, text, tag| {
                    let mut text = *text;
                    let cipher = ChaCha20Poly1305::new(key.try_into().unwrap());
                    cipher.decrypt(&NONCE, &AAD, &mut text, tag).unwrap();
                    text
                },
            ),
            (
                "RustCrypto",
                rust_seal::<chacha20poly1305::ChaCha20Poly1305>,
                rust_open::<chacha20poly1305::ChaCha20Poly1305>,
            ),
            (
                "aws-lc-rs",
                |key, text| aws_seal(&aws_aead::CHACHA20_POLY1305, key, text),
                |key, text, tag| aws_open(&aws_aead::CHACHA20_POLY1305, key, text, tag),
            ),
        ],
    );
    Table {
        title: "AEAD",
        note: "Key set-up is included; 32 bytes of additional data; sealing is in place.",
        rows: [aes_128, aes_256, chacha].into_iter().flatten().collect(),
    }
}

type HashFn<const N: usize> = fn(&[u8]) -> [u8; N];

/// One row for a hash function of an input of the given size.
fn hash_row<const N: usize, const LIBRARIES: usize>(
    operation: String,
    bytes: usize,
    libraries: [(&'static str, HashFn<N>); LIBRARIES],
) -> Row {
    libraries.into_iter().fold(Row::new(operation), |row, (library, hash)| {
        let input = vec![0x4f; bytes];
        row.add(library, move || hash(&input))
    })
}

fn aws_hash<const N: usize>(algorithm: &'static aws_digest::Algorithm, input: &[u8]) -> [u8; N] {
    aws_digest::digest(algorithm, input).as_ref().try_into().unwrap()
}

pub(crate) fn sha2() -> Table {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Digest;

    /// `graviola::hashing::sha2` has a context for each function, but no trait for them.
    macro_rules! sha2_rows {
        ($name:literal, $graviola:ident, $rust:ident, $aws:ident, $bytes:literal) => {
            SIZES.map(|(size, bytes)| {
                hash_row::<$bytes, 3>(
                    format!("{} of {size}", $name),
                    bytes,
                    [
                        ("graviola", |input| {
                            let mut context = graviola_sha2::$graviola::new();
                            context.update(input);
                            context.finish()
                        }),
                        ("RustCrypto", |input| sha2::$rust::digest(input).into()),
                        ("aws-lc-rs", |input| aws_hash(&aws_digest::$aws, input)),
                    ],
                )
            })
        };
    }

    let hashes = [
        sha2_rows!("SHA-256", Sha256Context, Sha256, SHA256, 32),
        sha2_rows!("SHA-384", Sha384Context, Sha384, SHA384, 48),
        sha2_rows!("SHA-512", Sha512Context, Sha512, SHA512, 64),
    ];
    const KEY: [u8; 48] = [0x50; 48];
    let hmac = hash_row::<48, 3>(
        "HMAC-SHA384, 48 B key, of 64 B".into(),
        64,
        [
            ("graviola", |input| {
                let mut mac = GraviolaHmac::<graviola::hashing::Sha384>::new(KEY);
                mac.update(input);
                mac.finish().as_ref().try_into().unwrap()
            }),
            ("RustCrypto", |input| {
                let mac = Hmac::<sha2::Sha384>::new_from_slice(&KEY).unwrap();
                mac.chain_update(input).finalize().into_bytes().into()
            }),
            ("aws-lc-rs", |input| {
                let key = aws_hmac::Key::new(aws_hmac::HMAC_SHA384, &KEY);
                aws_hmac::sign(&key, input).as_ref().try_into().unwrap()
            }),
        ],
    );
    let rows = hashes.into_iter().flatten().chain([hmac]).collect();
    Table { title: "SHA-2 and HMAC", note: "", rows }
}

pub(crate) fn sha3() -> Table {
    use sha3::Digest;
    use shake::{ExtendableOutput, Update, XofReader};

    fn graviola_shake256<const N: usize>(input: &[u8]) -> [u8; N] {
        let mut output = [0; N];
        graviola_sha3::Shake256::new(&[input]).read(&mut output);
        output
    }

    fn rust_shake<S: Default + Update + ExtendableOutput, const N: usize>(input: &[u8]) -> [u8; N] {
        let mut state = S::default();
        state.update(input);
        let mut output = [0; N];
        state.finalize_xof().read(&mut output);
        output
    }

    let rows = vec![
        hash_row::<96, 3>(
            "SHAKE256 of 32 B to 96 B".into(),
            32,
            [
                ("graviola", graviola_shake256),
                ("RustCrypto", rust_shake::<shake::Shake256, 96>),
                ("libcrux", libcrux_sha3::shake256),
            ],
        ),
        hash_row::<32, 4>(
            "SHA3-256 of 134 B".into(),
            134,
            [
                ("graviola", |input| {
                    let mut context = graviola_sha3::Sha3_256Context::new();
                    context.update(input);
                    context.finish()
                }),
                ("RustCrypto", |input| sha3::Sha3_256::digest(input).into()),
                ("libcrux", libcrux_sha3::sha256),
                ("aws-lc-rs", |input| aws_hash(&aws_digest::SHA3_256, input)),
            ],
        ),
        hash_row::<32, 3>(
            "SHAKE128 of 64 KiB to 32 B".into(),
            1 << 16,
            [
                ("graviola", |input| {
                    let mut output = [0; 32];
                    graviola_sha3::Shake128::new(&[input]).read(&mut output);
                    output
                }),
                ("RustCrypto", rust_shake::<shake::Shake128, 32>),
                ("libcrux", libcrux_sha3::shake128),
            ],
        ),
        hash_row::<32, 3>(
            "SHAKE256 of 64 KiB to 32 B".into(),
            1 << 16,
            [
                ("graviola", graviola_shake256),
                ("RustCrypto", rust_shake::<shake::Shake256, 32>),
                ("libcrux", libcrux_sha3::shake256),
            ],
        ),
    ];
    Table { title: "SHA-3", note: "RustCrypto's SHAKE is in the crate `shake`.", rows }
}
