//! AEAD.

use aws_lc_rs::aead as aws;
use graviola::aead::{AesGcm, ChaCha20Poly1305};
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::AeadAlgorithm;

use super::SIZES;
use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "AEAD",
    note: "Key set-up is included; 32 bytes of additional data. The libraries seal in place, and \
        open a copy that they first make into a buffer that is kept; ours answers with a new vector \
        each time.",
    rows,
};

const NONCE: [u8; 12] = [0x4a; 12];
const AAD: [u8; 32] = [0x4b; 32];

type Tag = [u8; 16];

/// A library: how to seal in place and how to open in place.
struct Library {
    name: &'static str,
    seal: fn(&[u8], &mut [u8]) -> Tag,
    open: fn(&[u8], &mut [u8], &Tag),
}

fn rust_crypto<C: aes_gcm::KeyInit + aes_gcm::AeadInOut>() -> Library {
    Library {
        name: "RustCrypto",
        seal: |key, text| {
            let cipher = C::new_from_slice(key).unwrap();
            let nonce = NONCE[..].try_into().unwrap();
            let tag = cipher.encrypt_inout_detached(nonce, &AAD, text.into()).unwrap();
            tag[..].try_into().unwrap()
        },
        open: |key, text, tag| {
            let cipher = C::new_from_slice(key).unwrap();
            let (nonce, tag) = (NONCE[..].try_into().unwrap(), tag[..].try_into().unwrap());
            cipher.decrypt_inout_detached(nonce, &AAD, text.into(), tag).unwrap();
        },
    }
}

/// A key of AWS-LC, with the nonce and the additional data.
fn aws_key(
    algorithm: &'static aws::Algorithm,
    key: &[u8],
) -> (aws::LessSafeKey, aws::Nonce, aws::Aad<[u8; 32]>) {
    let key = aws::LessSafeKey::new(aws::UnboundKey::new(algorithm, key).unwrap());
    (key, aws::Nonce::assume_unique_for_key(NONCE), aws::Aad::from(AAD))
}

macro_rules! aws_lc {
    ($algorithm:ident) => {
        Library {
            name: "aws-lc-rs",
            seal: |key, text| {
                let (key, nonce, aad) = aws_key(&aws::$algorithm, key);
                let tag = key.seal_in_place_separate_tag(nonce, aad, text).unwrap();
                tag.as_ref().try_into().unwrap()
            },
            open: |key, text, tag| {
                let (key, nonce, aad) = aws_key(&aws::$algorithm, key);
                key.open_in_place_separate_tag(nonce, aad, tag, text).unwrap();
            },
        }
    };
}

const GRAVIOLA_GCM: Library = Library {
    name: "graviola",
    seal: |key, text| {
        let mut tag = [0; 16];
        AesGcm::new(key).encrypt(&NONCE, &AAD, text, &mut tag);
        tag
    },
    open: |key, text, tag| AesGcm::new(key).decrypt(&NONCE, &AAD, text, tag).unwrap(),
};

const GRAVIOLA_CHACHA: Library = Library {
    name: "graviola",
    seal: |key, text| {
        let mut tag = [0; 16];
        ChaCha20Poly1305::new(key.try_into().unwrap()).encrypt(&NONCE, &AAD, text, &mut tag);
        tag
    },
    open: |key, text, tag| {
        let cipher = ChaCha20Poly1305::new(key.try_into().unwrap());
        cipher.decrypt(&NONCE, &AAD, text, tag).unwrap();
    },
};

fn seal(name: &str, (size, bytes): (&str, usize), libraries: &[Library]) -> Row {
    let (ours, key) = ours(name);
    let row = Row::new(format!("{name} seal {size}")).add_ours(|backend| {
        let text = vec![0; bytes];
        move || {
            let sealed = ours.seal(backend, key, &NONCE, &AAD, &text).unwrap();
            *sealed.last_chunk::<16>().unwrap()
        }
    });
    libraries.iter().fold(row, |row, library| {
        let (seal, mut text) = (library.seal, vec![0; bytes]);
        row.add(library.name, move || seal(key, &mut text))
    })
}

fn open(name: &str, (size, bytes): (&str, usize), libraries: &[Library]) -> Row {
    let (ours, key) = ours(name);
    let plain = vec![0; bytes];
    let sealed = ours.seal(Backend::portable(), key, &NONCE, &AAD, &plain).unwrap();
    let (text, tag) = sealed.split_last_chunk::<16>().unwrap();
    let row = Row::new(format!("{name} open {size}")).add_ours(|backend| {
        let sealed = sealed.clone();
        move || ours.open(backend, key, &NONCE, &AAD, &sealed).unwrap().into_inner()
    });
    libraries.iter().fold(row, |row, library| {
        let (open, text, tag) = (library.open, text.to_vec(), *tag);
        let mut buffer = text.clone();
        open(key, &mut buffer, &tag);
        assert_eq!(buffer, plain, "{} disagrees on {name} open", library.name);
        row.add_unchecked(library.name, move || {
            buffer.copy_from_slice(&text);
            open(key, &mut buffer, &tag);
        })
    })
}

/// Our algorithm of this name, and a key.
fn ours(name: &str) -> (AeadAlgorithm, &'static [u8]) {
    match name {
        "AES-128-GCM" => (AeadAlgorithm::Aes128Gcm, &[0x4c; 16]),
        "AES-256-GCM" => (AeadAlgorithm::Aes256Gcm, &[0x4d; 32]),
        _ => (AeadAlgorithm::ChaCha20Poly1305, &[0x4e; 32]),
    }
}

fn rows() -> Vec<Row> {
    let aeads = [
        ("AES-128-GCM", [GRAVIOLA_GCM, rust_crypto::<aes_gcm::Aes128Gcm>(), aws_lc!(AES_128_GCM)]),
        ("AES-256-GCM", [GRAVIOLA_GCM, rust_crypto::<aes_gcm::Aes256Gcm>(), aws_lc!(AES_256_GCM)]),
        (
            "ChaCha20-Poly1305",
            [
                GRAVIOLA_CHACHA,
                rust_crypto::<chacha20poly1305::ChaCha20Poly1305>(),
                aws_lc!(CHACHA20_POLY1305),
            ],
        ),
    ];
    let mut rows = Vec::new();
    for (name, libraries) in &aeads {
        rows.extend(SIZES.map(|size| seal(name, size, libraries)));
        rows.extend(SIZES.map(|size| open(name, size, libraries)));
    }
    rows
}
