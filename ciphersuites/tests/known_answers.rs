//! Known answers of our own, pinned in `known_answers.json`: a change of any byte that this crate
//! derives shows here, on every backend.
//!
//! The values were confirmed by independent implementations when they were pinned, and are so in
//! every run: `differential/pinned.rs` computes all of them again with rust-hpke, hpke-rs and the
//! crates of RustCrypto.
//!
//! New values, should a draft change: `cargo test --features hazmat --test known_answers
//! print_known_answers -- --ignored --nocapture`.

#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use serde_json::{Map, Value, json};
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, CipherSuite, Error};

const PINNED: &str = include_str!("known_answers.json");

const MESSAGE: &[u8] = b"frost tonight";
const INFO: &[u8] = b"trellis known answers";
const EXPORTER_CONTEXT: &[u8] = b"exporter context";

/// `length` bytes that count up from `first`.
fn count(first: u8, length: usize) -> Vec<u8> {
    (0..length).map(|i| first.wrapping_add(i as u8)).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(HashAlgorithm::Sha256.hash(Backend::portable(), bytes))
}

fn kem(kem: KemAlgorithm, backend: Backend) -> Result<Value, Error> {
    let (ikm, randomness) = (count(0x00, 32), count(0x40, kem.randomness_len()));
    let pair = kem.derive_key_pair(backend, &ikm)?;
    let (enc, secret) = kem.encapsulate_derandomized(backend, &pair.public, &randomness)?;
    assert_eq!(kem.decapsulate(backend, &pair.private, &enc)?, secret);
    let mut answer = json!({
        "ikm": hex::encode(ikm),
        "private": hex::encode(&pair.private[..]),
        "public_sha256": sha256(&pair.public),
        "randomness": hex::encode(randomness),
        "enc_sha256": sha256(&enc),
        "secret": hex::encode(&secret[..]),
    });
    // Where there is implicit rejection: the secret in the encapsulation with one bit flipped.
    if kem.enc_len() > 1000 {
        let rejected = [&[enc[0] ^ 1], &enc[1..]].concat();
        let secret = kem.decapsulate(backend, &pair.private, &rejected)?;
        answer["rejected_secret"] = hex::encode(&secret[..]).into();
    }
    Ok(answer)
}

/// Signatures are those of the deterministic variants (RFC 8032; RFC 6979; FIPS 204 with zeros for
/// randomness). The native backend adds randomness to its ECDSA, so that they come from the
/// portable one and are verified by all.
fn signature(scheme: SignatureScheme, backend: Backend) -> Result<Value, Error> {
    let private = count(0x00, scheme.private_key_len());
    let key = SigningKey::from_bytes(scheme, backend, &private)?;
    let portable = SigningKey::from_bytes(scheme, Backend::portable(), &private)?;
    let signature = portable.sign_derandomized(MESSAGE, &[0; 32])?;
    VerifyingKey::from_bytes(scheme, backend, key.public_key())?.verify(MESSAGE, &signature)?;
    if !scheme.name().starts_with("ECDSA") {
        assert_eq!(key.sign_derandomized(MESSAGE, &[0; 32])?, signature);
    }
    Ok(json!({
        "private": hex::encode(private),
        "public_sha256": sha256(key.public_key()),
        "message": hex::encode(MESSAGE),
        "signature_sha256": sha256(&signature),
    }))
}

/// The keys and the randomness are those of the KEM's answer.
fn hpke(suite: CipherSuite, backend: Backend) -> Result<Value, Error> {
    let hpke = Hpke::new(suite.hpke(), backend);
    let pair = hpke.derive_key_pair(&count(0x00, 32))?;
    let randomness = count(0x40, suite.kem().randomness_len());
    let info = hpke.info(INFO);
    let (enc, mut sender) = info.setup_sender_derandomized(&pair.public, None, &randomness)?;
    let exported = sender.export(EXPORTER_CONTEXT, 32)?;
    let sealed = sender.seal(b"", MESSAGE)?;
    assert_eq!(info.receive_export(&enc, &pair.private, EXPORTER_CONTEXT, 32)?, exported);
    assert_eq!(info.open(&enc, &pair.private, b"", &sealed)?[..], *MESSAGE);
    Ok(json!({
        "kem": suite.kem().id(),
        "kdf": suite.kdf().id(),
        "aead": suite.aead().id(),
        "info": hex::encode(INFO),
        "exporter_context": hex::encode(EXPORTER_CONTEXT),
        "exported": hex::encode(&exported[..]),
        "message": hex::encode(MESSAGE),
        "sealed": hex::encode(sealed),
    }))
}

fn known_answers(backend: Backend) -> Value {
    let kems: Map<_, _> =
        (KemAlgorithm::ALL.iter()).map(|&it| (it.to_string(), kem(it, backend).unwrap())).collect();
    let signatures: Map<_, _> = (SignatureScheme::ALL.iter())
        .map(|&it| (it.to_string(), signature(it, backend).unwrap()))
        .collect();
    let suites: Map<_, _> =
        CipherSuite::all().map(|it| (it.to_string(), hpke(it, backend).unwrap())).collect();
    json!({ "kem": kems, "signature": signatures, "hpke": suites })
}

#[test]
fn every_backend_gives_the_known_answers() {
    let pinned: Value = serde_json::from_str(PINNED).unwrap();
    let count = |kind: &str| pinned[kind].as_object().unwrap().len();
    assert_eq!((count("kem"), count("signature"), count("hpke")), (9, 7, 18));
    for backend in Backend::available() {
        let ours = known_answers(backend);
        for kind in ["kem", "signature", "hpke"] {
            for (name, expected) in pinned[kind].as_object().unwrap() {
                assert_eq!(ours[kind][name], *expected, "{name} on {backend:?}");
            }
        }
        assert_eq!(ours, pinned);
    }
}

#[test]
#[ignore = "prints new values"]
fn print_known_answers() {
    println!("{}", serde_json::to_string_pretty(&known_answers(Backend::portable())).unwrap());
}
