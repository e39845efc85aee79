//! `psk_secret` of external pre-shared keys (RFC 9420, section 8.4).

use serde_json::Value;
use trellis_ciphersuites::Backend;

use super::functions::{Mls, vector};
use crate::fields::Fields;

/// `PSKType.external`.
const EXTERNAL: u8 = 1;

pub(super) fn check(backend: Backend, entry: &Value) {
    let mls = Mls::of(backend, entry);
    let length = mls.hash.len();
    let psks = entry.list("psks");
    let count = u16::try_from(psks.len()).unwrap().to_be_bytes();
    let mut secret = vec![0; length];
    for (index, psk) in (0u16..).zip(psks) {
        let label = [
            &[EXTERNAL][..],
            &vector(&psk.bytes("psk_id")),
            &vector(&psk.bytes("psk_nonce")),
            &index.to_be_bytes(),
            &count,
        ]
        .concat();
        let extracted = mls.extract(&vec![0; length], &psk.bytes("psk"));
        let input = mls.expand_with_label(&extracted, "derived psk", &label, length);
        secret = mls.extract(&input, &secret);
    }
    assert_eq!(secret, entry.bytes("psk_secret"), "psk_secret");
}
