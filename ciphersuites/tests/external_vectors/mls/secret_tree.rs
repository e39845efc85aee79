//! The secret tree of RFC 9420, section 9, and the keys of the sender data, section 6.3.2.

use serde_json::Value;
use trellis_ciphersuites::Backend;

use super::functions::Mls;
use crate::fields::Fields;

pub(super) fn check(backend: Backend, entry: &Value) {
    let mls = Mls::of(backend, entry);
    sender_data(&mls, &entry["sender_data"]);
    let leaves = entry.list("leaves");
    assert!(leaves.len().is_power_of_two(), "a full tree");
    subtree(&mls, &entry.bytes("encryption_secret"), leaves);
}

/// Keys from the first `KDF.Nh` bytes of the ciphertext.
fn sender_data(mls: &Mls, it: &Value) {
    let (secret, ciphertext) = (it.bytes("sender_data_secret"), it.bytes("ciphertext"));
    let sample = &ciphertext[..ciphertext.len().min(mls.hash.len())];
    let aead = mls.suite.aead();
    let key = mls.expand_with_label(&secret, "key", sample, aead.key_len());
    let nonce = mls.expand_with_label(&secret, "nonce", sample, aead.nonce_len());
    assert_eq!(key, it.bytes("key"), "key of the sender data");
    assert_eq!(nonce, it.bytes("nonce"), "nonce of the sender data");
}

/// `tree_node_[N]_secret` down to the leaves.
fn subtree(mls: &Mls, secret: &[u8], leaves: &[Value]) {
    if let [leaf] = leaves {
        ratchet(mls, secret, leaf, "handshake");
        ratchet(mls, secret, leaf, "application");
        return;
    }
    let length = mls.hash.len();
    let (left, right) = leaves.split_at(leaves.len() / 2);
    subtree(mls, &mls.expand_with_label(secret, "tree", b"left", length), left);
    subtree(mls, &mls.expand_with_label(secret, "tree", b"right", length), right);
}

/// One of the two ratchets of a leaf, up to each generation of the entry.
fn ratchet(mls: &Mls, leaf_secret: &[u8], leaf: &Value, kind: &str) {
    let (aead, length) = (mls.suite.aead(), mls.hash.len());
    let mut secret = mls.derive_secret(leaf_secret, kind);
    let mut generation = 0;
    for wanted in leaf.as_array().expect("a leaf is a list of generations") {
        let until: u32 = wanted.number("generation").try_into().unwrap();
        while generation < until {
            secret = mls.derive_tree_secret(&secret, "secret", generation, length);
            generation += 1;
        }
        let key = mls.derive_tree_secret(&secret, "key", generation, aead.key_len());
        let nonce = mls.derive_tree_secret(&secret, "nonce", generation, aead.nonce_len());
        let what = format!("{kind}, generation {generation}");
        assert_eq!(key, wanted.bytes(&format!("{kind}_key")), "{what}, key");
        assert_eq!(nonce, wanted.bytes(&format!("{kind}_nonce")), "{what}, nonce");
    }
}
