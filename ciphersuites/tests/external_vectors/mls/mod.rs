//! The vectors of the MLS working group (mlswg/mls-implementations, `test-vectors.md`), computed
//! here from RFC 9420 on the algorithms of this crate.

mod crypto_basics;
mod functions;
mod key_schedule;
mod psk_secret;
mod secret_tree;

use serde_json::Value;
use trellis_ciphersuites::{CipherSuite, Ecosystem};

use crate::fields::Fields;
use crate::file::{File, Label};

pub(crate) const FILES: [File; 4] = [
    File {
        path: "mls-implementations/crypto-basics.json",
        entries: 7,
        label,
        check: crypto_basics::check,
    },
    File {
        path: "mls-implementations/key-schedule.json",
        entries: 7,
        label,
        check: key_schedule::check,
    },
    File {
        path: "mls-implementations/secret-tree.json",
        entries: 21,
        label,
        check: secret_tree::check,
    },
    File {
        path: "mls-implementations/psk_secret.json",
        entries: 77,
        label,
        check: psk_secret::check,
    },
];

fn label(entry: &Value) -> Label {
    let number = entry.short("cipher_suite");
    CipherSuite::from_code_point(Ecosystem::Iana, number)
        .map(|suite| suite.to_string())
        .map_err(|_| format!("cipher suite {number} is one that we do not have"))
}
