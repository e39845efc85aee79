//! The key schedule of RFC 9420, section 8, over five epochs.

use serde_json::Value;
use trellis_ciphersuites::{Backend, Ecosystem};

use super::functions::{Mls, vector};
use crate::fields::Fields;

/// What `DeriveSecret(epoch_secret, Label)` gives (section 8, table 4), and its label.
const SECRETS: [(&str, &str); 9] = [
    ("sender_data_secret", "sender data"),
    ("encryption_secret", "encryption"),
    ("exporter_secret", "exporter"),
    ("external_secret", "external"),
    ("confirmation_key", "confirm"),
    ("membership_key", "membership"),
    ("resumption_psk", "resumption"),
    ("epoch_authenticator", "authentication"),
    ("init_secret", "init"),
];

pub(super) fn check(backend: Backend, entry: &Value) {
    let mls = Mls::of(backend, entry);
    let mut init_secret = entry.bytes("initial_init_secret");
    for (number, epoch) in entry.list("epochs").iter().enumerate() {
        check_epoch(&mls, &entry.bytes("group_id"), number as u64, &init_secret, epoch);
        init_secret = epoch.bytes("init_secret");
    }
}

fn check_epoch(mls: &Mls, group_id: &[u8], number: u64, init_secret: &[u8], epoch: &Value) {
    let length = mls.hash.len();
    let context = group_context(mls, group_id, number, epoch);
    assert_eq!(context, epoch.bytes("group_context"), "epoch {number}, group_context");

    let joiner = mls.extract(init_secret, &epoch.bytes("commit_secret"));
    let joiner = mls.expand_with_label(&joiner, "joiner", &context, length);
    assert_eq!(joiner, epoch.bytes("joiner_secret"), "epoch {number}, joiner_secret");

    let member = mls.extract(&joiner, &epoch.bytes("psk_secret"));
    let welcome = mls.derive_secret(&member, "welcome");
    assert_eq!(welcome, epoch.bytes("welcome_secret"), "epoch {number}, welcome_secret");

    let epoch_secret = mls.expand_with_label(&member, "epoch", &context, length);
    for (name, label) in SECRETS {
        let secret = mls.derive_secret(&epoch_secret, label);
        assert_eq!(secret, epoch.bytes(name), "epoch {number}, {name}");
    }

    let external = mls.hpke().derive_key_pair(&epoch.bytes("external_secret")).unwrap();
    assert_eq!(external.public, epoch.bytes("external_pub"), "epoch {number}, external_pub");

    // `MLS-Exporter(Label, Context, Length)` (section 8.5).
    let it = &epoch["exporter"];
    let secret = mls.derive_secret(&epoch.bytes("exporter_secret"), it.text("label"));
    let context = mls.hash.hash(mls.backend, &it.bytes("context"));
    let exported = mls.expand_with_label(&secret, "exported", &context, it.length("length"));
    assert_eq!(exported, it.bytes("secret"), "epoch {number}, exporter");
}

/// `GroupContext` (section 8.1), version `mls10`, without extensions.
fn group_context(mls: &Mls, group_id: &[u8], number: u64, epoch: &Value) -> Vec<u8> {
    let suite = mls.suite.code_point(Ecosystem::Iana).unwrap();
    [
        &1u16.to_be_bytes()[..],
        &suite.to_be_bytes(),
        &vector(group_id),
        &number.to_be_bytes(),
        &vector(&epoch.bytes("tree_hash")),
        &vector(&epoch.bytes("confirmed_transcript_hash")),
        &vector(b""),
    ]
    .concat()
}
