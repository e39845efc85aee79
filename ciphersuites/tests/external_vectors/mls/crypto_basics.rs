//! Sections 5.1.2, 5.1.3, 5.2, 8 and 9 of RFC 9420, one function each.

use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::signature::{SigningKey, VerifyingKey};

use super::functions::{Mls, labelled};
use crate::fields::Fields;

pub(super) fn check(backend: Backend, entry: &Value) {
    let mls = Mls::of(backend, entry);

    let it = &entry["ref_hash"];
    assert_eq!(mls.ref_hash(it.text("label"), &it.bytes("value")), it.bytes("out"), "ref_hash");

    let it = &entry["expand_with_label"];
    let (secret, context) = (it.bytes("secret"), it.bytes("context"));
    let out = mls.expand_with_label(&secret, it.text("label"), &context, it.length("length"));
    assert_eq!(out, it.bytes("out"), "expand_with_label");

    let it = &entry["derive_secret"];
    let out = mls.derive_secret(&it.bytes("secret"), it.text("label"));
    assert_eq!(out, it.bytes("out"), "derive_secret");

    let it = &entry["derive_tree_secret"];
    let generation = it.number("generation").try_into().unwrap();
    let (secret, length) = (it.bytes("secret"), it.length("length"));
    let out = mls.derive_tree_secret(&secret, it.text("label"), generation, length);
    assert_eq!(out, it.bytes("out"), "derive_tree_secret");

    sign_with_label(&mls, &entry["sign_with_label"]);
    encrypt_with_label(&mls, &entry["encrypt_with_label"]);
}

/// `SignWithLabel`, `VerifyWithLabel` (section 5.1.2).
fn sign_with_label(mls: &Mls, it: &Value) {
    let scheme = mls.suite.signature();
    let content = labelled(it.text("label"), &it.bytes("content"));
    let peer = VerifyingKey::from_bytes(scheme, mls.backend, &it.bytes("pub")).unwrap();
    assert_eq!(peer.verify(&content, &it.bytes("signature")), Ok(()), "their signature");

    let key = SigningKey::from_bytes(scheme, mls.backend, &it.bytes("priv")).unwrap();
    assert_eq!(key.public_key(), it.bytes("pub"), "pub of sign_with_label");
    let signature = key.sign(&content).unwrap();
    assert_eq!(peer.verify(&content, &signature), Ok(()), "our signature");

    let other = labelled("another label", &it.bytes("content"));
    assert!(peer.verify(&other, &signature).is_err(), "the label is signed");
}

/// `EncryptWithLabel`, `DecryptWithLabel` (section 5.1.3).
fn encrypt_with_label(mls: &Mls, it: &Value) {
    let (private, public, text) = (it.bytes("priv"), it.bytes("pub"), it.bytes("plaintext"));
    let context = labelled(it.text("label"), &it.bytes("context"));
    let hpke = mls.hpke();
    let info = hpke.info(&context);
    let public_of = mls.suite.kem().public_key(mls.backend, &private).unwrap();
    assert_eq!(public_of, public, "pub of encrypt_with_label");

    let opened = info.open(&it.bytes("kem_output"), &private, b"", &it.bytes("ciphertext"));
    assert_eq!(opened.unwrap()[..], text, "their ciphertext");

    let (enc, sealed) = info.seal(&public, b"", &text).unwrap();
    assert_eq!(info.open(&enc, &private, b"", &sealed).unwrap()[..], text, "our ciphertext");
}
