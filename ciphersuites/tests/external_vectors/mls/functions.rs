//! The functions that RFC 9420 builds on a cipher suite (sections 5.1, 5.2 and 8).

use serde_json::Value;
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, CipherSuite, Ecosystem};

use crate::fields::Fields;

/// A cipher suite on a backend.
pub(super) struct Mls {
    pub(super) suite: CipherSuite,
    pub(super) backend: Backend,
    pub(super) hash: HashAlgorithm,
}

impl Mls {
    /// The suite of an entry.
    pub(super) fn of(backend: Backend, entry: &Value) -> Self {
        let number = entry.short("cipher_suite");
        let suite = CipherSuite::from_code_point(Ecosystem::Iana, number).unwrap();
        Self { suite, backend, hash: suite.hash() }
    }

    /// `KDF.Extract(salt, ikm)`.
    pub(super) fn extract(&self, salt: &[u8], ikm: &[u8]) -> Vec<u8> {
        self.hash.extract(self.backend, salt, ikm).to_vec()
    }

    /// `ExpandWithLabel(Secret, Label, Context, Length)` (section 8).
    pub(super) fn expand_with_label(
        &self,
        secret: &[u8],
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Vec<u8> {
        let kdf_label =
            [&u16::try_from(length).unwrap().to_be_bytes(), &labelled(label, context)[..]].concat();
        self.hash.expand(self.backend, secret, &kdf_label, length).unwrap().to_vec()
    }

    /// `DeriveSecret(Secret, Label)` (section 8).
    pub(super) fn derive_secret(&self, secret: &[u8], label: &str) -> Vec<u8> {
        self.expand_with_label(secret, label, b"", self.hash.len())
    }

    /// `DeriveTreeSecret(Secret, Label, Generation, Length)` (section 9).
    pub(super) fn derive_tree_secret(
        &self,
        secret: &[u8],
        label: &str,
        generation: u32,
        length: usize,
    ) -> Vec<u8> {
        self.expand_with_label(secret, label, &generation.to_be_bytes(), length)
    }

    /// `RefHash(label, value)` (section 5.2).
    pub(super) fn ref_hash(&self, label: &str, value: &[u8]) -> Vec<u8> {
        self.hash.hash(self.backend, &[vector(label.as_bytes()), vector(value)].concat())
    }

    pub(super) fn hpke(&self) -> Hpke {
        Hpke::new(self.suite.hpke(), self.backend)
    }
}

/// `KDFLabel` without its length, `SignContent` and `EncryptContext`: a prefixed label, then the
/// content.
pub(super) fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    [vector(format!("MLS 1.0 {label}").as_bytes()), vector(content)].concat()
}

/// `opaque bytes<V>` (section 2.1.2): the two highest bits say how many bytes the length has.
pub(super) fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let header = match length {
        0..=0x3F => vec![length as u8],
        0x40..=0x3FFF => (0x4000 | length as u16).to_be_bytes().to_vec(),
        0x4000..=0x3FFF_FFFF => (0x8000_0000 | length).to_be_bytes().to_vec(),
        _ => panic!("{length} bytes have no encoding"),
    };
    [&header, bytes].concat()
}
