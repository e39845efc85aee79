//! The hashes of the registry and what RFC 9420 builds on them: HMAC and HKDF.

use crate::backend::{Backend, Hash, Primitives};
use crate::identifiers::identifiers;
use crate::{Error, Secret};

/// A hash function of the SHA-2 family (FIPS 180-4).
///
/// The numbers are those of the TLS `HashAlgorithm` registry.
///
/// ```
/// use trellis_ciphersuites::{Backend, symmetric::HashAlgorithm};
///
/// let digest = HashAlgorithm::Sha384.hash(Backend::default(), b"frost tonight");
/// assert_eq!(digest.len(), HashAlgorithm::Sha384.len());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

struct Row {
    id: u16,
    name: &'static str,
    len: usize,
    engine: fn(&'static Primitives) -> &'static dyn Hash,
}

static TABLE: [Row; 3] = [
    Row { id: 4, name: "SHA-256", len: 32, engine: |p| p.sha256 },
    Row { id: 5, name: "SHA-384", len: 48, engine: |p| p.sha384 },
    Row { id: 6, name: "SHA-512", len: 64, engine: |p| p.sha512 },
];

identifiers!(HashAlgorithm, Sha256, Sha384, Sha512);

impl HashAlgorithm {
    /// Bytes of the digest (`Nh`): 32, 48 or 64.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a length of an output, never zero")]
    pub const fn len(self) -> usize {
        self.row().len
    }

    pub(crate) fn engine(self, p: &'static Primitives) -> &'static dyn Hash {
        (self.row().engine)(p)
    }

    /// The digest of `data`, [`len`](Self::len) bytes.
    #[must_use]
    pub fn hash(self, backend: Backend, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.len()];
        self.engine(backend.primitives()).hash(&[data], &mut out);
        out
    }

    /// HMAC (RFC 2104) under a key of any length, [`len`](Self::len) bytes.
    #[must_use]
    pub fn hmac(self, backend: Backend, key: &[u8], message: &[u8]) -> Secret {
        let mut out = Secret::zeroed(self.len());
        self.engine(backend.primitives()).hmac(key, &[message], out.as_mut());
        out
    }

    /// HKDF-Extract (RFC 5869, section 2.2), [`len`](Self::len) bytes.
    #[must_use]
    pub fn extract(self, backend: Backend, salt: &[u8], ikm: &[u8]) -> Secret {
        self.hmac(backend, salt, ikm)
    }

    /// HKDF-Expand (RFC 5869, section 2.3), `length` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLength`] if `prk` is shorter than the hash (section 2.3: at least
    /// `HashLen` bytes), [`Error::OutputTooLong`] if `length` exceeds 255 times the hash.
    pub fn expand(
        self,
        backend: Backend,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Secret, Error> {
        if prk.len() < self.len() {
            return Err(Error::InvalidLength);
        }
        if length > 255 * self.len() {
            return Err(Error::OutputTooLong);
        }
        let mut out = Secret::zeroed(length);
        self.engine(backend.primitives()).expand(prk, &[info], out.as_mut())?;
        Ok(out)
    }
}
