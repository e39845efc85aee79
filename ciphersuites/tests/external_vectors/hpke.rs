//! The vectors of draft-ietf-hpke-pq.

use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::hpke::{Hpke, HpkeSuite, Info};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, KdfAlgorithm};

use crate::fields::Fields;
use crate::file::{File, Label};

pub(crate) const FILE: File = File { path: "hpke-pq/test-vectors.json", entries: 13, label, check };

fn label(entry: &Value) -> Label {
    let (kem, kdf, aead) = (entry.short("kem_id"), entry.short("kdf_id"), entry.short("aead_id"));
    let name = format!("({kem:#06x}, {kdf:#06x}, {aead:#06x})");
    if KemAlgorithm::from_id(kem).is_err() {
        return Err(format!("{name} has a KEM that we do not"));
    }
    if KdfAlgorithm::from_id(kdf).is_err() {
        return Err(format!("{name} has a KDF that we do not"));
    }
    if AeadAlgorithm::from_id(aead).is_err() {
        return Err(format!("{name} has an AEAD that we do not"));
    }
    if entry.number("mode") != 0 {
        return Err(format!("{name} is in another mode than base"));
    }
    Ok(name)
}

fn check(backend: Backend, entry: &Value) {
    let suite = HpkeSuite {
        kem: KemAlgorithm::from_id(entry.short("kem_id")).unwrap(),
        kdf: KdfAlgorithm::from_id(entry.short("kdf_id")).unwrap(),
        aead: AeadAlgorithm::from_id(entry.short("aead_id")).unwrap(),
    };
    let hpke = Hpke::new(suite, backend);
    assert_eq!(suite.suite_id()[..], entry.bytes("suite_id"), "suite_id");

    let pair = hpke.derive_key_pair(&entry.bytes("ikmR")).unwrap();
    assert_eq!(pair.private[..], entry.bytes("skRm"), "skRm");
    assert_eq!(pair.public, entry.bytes("pkRm"), "pkRm");

    let text = entry.bytes("info");
    let info = hpke.info(&text);
    receive(backend, suite.kem, &info, entry);
    send(suite.kem, &info, entry);
}

fn receive(backend: Backend, kem: KemAlgorithm, info: &Info<'_>, entry: &Value) {
    let (private, enc) = (entry.bytes("skRm"), entry.bytes("enc"));
    let secret = kem.decapsulate(backend, &private, &enc).unwrap();
    assert_eq!(secret[..], entry.bytes("shared_secret"), "shared_secret");

    let mut receiver = info.setup_receiver(&enc, &private).unwrap();
    for (number, message) in entry.list("encryptions").iter().enumerate() {
        let opened = receiver.open(&message.bytes("aad"), &message.bytes("ct"));
        assert_eq!(opened.unwrap()[..], message.bytes("pt"), "pt of message {number}");
    }
    for (number, wanted) in entry.list("exports").iter().enumerate() {
        let context = wanted.bytes("exporter_context");
        let exported = receiver.export(&context, wanted.length("L")).unwrap();
        assert_eq!(exported[..], wanted.bytes("exported_value"), "receiver's export {number}");
    }
}

/// The randomness of the MLKEM768-P256 entries is 128 bytes, the layout of an older draft with three
/// candidate scalars for the group; today there are four. The first one is in range in these
/// entries, so what is appended is never looked at; zeros would be no scalar.
fn send(kem: KemAlgorithm, info: &Info<'_>, entry: &Value) {
    let mut randomness = entry.bytes("ikmE");
    if kem == KemAlgorithm::MlKem768P256 && randomness.len() == 128 {
        randomness.resize(kem.randomness_len(), 0);
    }
    let (enc, mut sender) =
        info.setup_sender_derandomized(&entry.bytes("pkRm"), None, &randomness).unwrap();
    assert_eq!(enc, entry.bytes("enc"), "enc");
    for (number, message) in entry.list("encryptions").iter().enumerate() {
        let sealed = sender.seal(&message.bytes("aad"), &message.bytes("pt"));
        assert_eq!(sealed.unwrap(), message.bytes("ct"), "ct of message {number}");
    }
    for (number, wanted) in entry.list("exports").iter().enumerate() {
        let context = wanted.bytes("exporter_context");
        let exported = sender.export(&context, wanted.length("L")).unwrap();
        assert_eq!(exported[..], wanted.bytes("exported_value"), "sender's export {number}");
    }
}
