//! The vectors of draft-connolly-cfrg-xwing-kem: the KEM without HPKE, so from the private key on.

use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::kem::KemAlgorithm::MlKem768X25519;

use crate::fields::Fields;
use crate::file::File;

pub(crate) const FILE: File = File {
    path: "xwing/test-vectors.json",
    entries: 3,
    label: |_| Ok(MlKem768X25519.to_string()),
    check,
};

fn check(backend: Backend, entry: &Value) {
    let (kem, seed, public) = (MlKem768X25519, entry.bytes("seed"), entry.bytes("pk"));
    assert_eq!(seed, entry.bytes("sk"), "sk");
    assert_eq!(kem.public_key(backend, &seed).unwrap(), public, "pk");
    assert_eq!(kem.check_public_key(backend, &public), Ok(()), "pk");
    let (enc, secret) =
        kem.encapsulate_derandomized(backend, &public, &entry.bytes("eseed")).unwrap();
    assert_eq!(enc, entry.bytes("ct"), "ct");
    assert_eq!(secret[..], entry.bytes("ss"), "ss of the sender");
    let received = kem.decapsulate(backend, &seed, &entry.bytes("ct")).unwrap();
    assert_eq!(received[..], entry.bytes("ss"), "ss of the receiver");
}
