//! The key derivation functions of HPKE.

use super::HashAlgorithm;
use crate::Secret;
use crate::backend::{Backend, Primitives, Xof};
use crate::identifiers::identifiers;

/// A key derivation function of HPKE: two-stage HKDF (RFC 9180, section 7.2) or one-stage SHAKE
/// (draft-ietf-hpke-pq, section 5).
///
/// The numbers are those of the HPKE KDF registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum KdfAlgorithm {
    HkdfSha256,
    HkdfSha384,
    HkdfSha512,
    Shake128,
    Shake256,
}

/// How the function works.
#[derive(Clone, Copy)]
pub(crate) enum Stages {
    Two(HashAlgorithm),
    One(fn(&'static Primitives) -> &'static dyn Xof),
}

struct Row {
    id: u16,
    name: &'static str,
    len: usize,
    stages: Stages,
}

static TABLE: [Row; 5] = [
    Row { id: 0x0001, name: "HKDF-SHA256", len: 32, stages: Stages::Two(HashAlgorithm::Sha256) },
    Row { id: 0x0002, name: "HKDF-SHA384", len: 48, stages: Stages::Two(HashAlgorithm::Sha384) },
    Row { id: 0x0003, name: "HKDF-SHA512", len: 64, stages: Stages::Two(HashAlgorithm::Sha512) },
    Row { id: 0x0010, name: "SHAKE128", len: 32, stages: Stages::One(|p| p.shake128) },
    Row { id: 0x0011, name: "SHAKE256", len: 64, stages: Stages::One(|p| p.shake256) },
];

identifiers!(KdfAlgorithm, HkdfSha256, HkdfSha384, HkdfSha512, Shake128, Shake256);

impl KdfAlgorithm {
    /// Bytes of an extracted key and of an exporter secret (`Nh`): 32, 48 or 64.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a length of an output, never zero")]
    pub const fn len(self) -> usize {
        self.row().len
    }

    /// Whether extraction and expansion are two steps. Only then can the `info` of HPKE be hashed
    /// ahead of the shared secret.
    #[must_use]
    pub const fn is_two_stage(self) -> bool {
        matches!(self.row().stages, Stages::Two(_))
    }

    pub(crate) const fn stages(self) -> Stages {
        self.row().stages
    }
}

/// SHAKE256 (FIPS 202, section 6.2) of `data`, `length` bytes.
#[must_use]
pub fn shake256(backend: Backend, data: &[u8], length: usize) -> Secret {
    let mut out = Secret::zeroed(length);
    backend.primitives().shake256.digest(&[data], out.as_mut());
    out
}
