//! Authenticated encryption (RFC 5116, RFC 8439).

use zeroize::Zeroize;

use crate::backend::{Aead, Backend, Primitives};
use crate::identifiers::identifiers;
use crate::{Error, Secret};

/// An AEAD of HPKE and MLS.
///
/// The numbers are those of the HPKE AEAD registry (RFC 9180, section 7.3). Every one that
/// encrypts has nonces of 12 and tags of 16 bytes.
///
/// ```
/// use trellis_ciphersuites::{Backend, Error, symmetric::AeadAlgorithm};
///
/// let (aead, backend) = (AeadAlgorithm::ChaCha20Poly1305, Backend::default());
/// let (key, nonce) = ([7; 32], [0; 12]);
/// let mut sealed = aead.seal(backend, &key, &nonce, b"header", b"frost tonight")?;
/// assert_eq!(aead.open(backend, &key, &nonce, b"header", &sealed)?[..], *b"frost tonight");
///
/// sealed[0] ^= 1;
/// assert_eq!(aead.open(backend, &key, &nonce, b"header", &sealed), Err(Error::OpenFailed));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum AeadAlgorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    /// Encrypts nothing: for contexts that only export secrets (RFC 9180, section 5.3).
    ExportOnly,
}

/// Bytes of an authentication tag, `Nt`.
const TAG: usize = 16;

struct Row {
    id: u16,
    name: &'static str,
    key: usize,
    engine: Option<fn(&'static Primitives) -> &'static dyn Aead>,
}

static TABLE: [Row; 4] = [
    Row { id: 0x0001, name: "AES-128-GCM", key: 16, engine: Some(|p| p.aes_128_gcm) },
    Row { id: 0x0002, name: "AES-256-GCM", key: 32, engine: Some(|p| p.aes_256_gcm) },
    Row { id: 0x0003, name: "ChaCha20Poly1305", key: 32, engine: Some(|p| p.chacha20_poly1305) },
    Row { id: 0xFFFF, name: "Export-only", key: 0, engine: None },
];

identifiers!(AeadAlgorithm, Aes128Gcm, Aes256Gcm, ChaCha20Poly1305, ExportOnly);

impl AeadAlgorithm {
    /// Bytes of a key (`Nk`): 16 or 32; 0 for export-only.
    #[must_use]
    pub const fn key_len(self) -> usize {
        self.row().key
    }

    /// Bytes of a nonce (`Nn`): 12; 0 for export-only.
    #[must_use]
    pub const fn nonce_len(self) -> usize {
        if self.row().engine.is_some() { 12 } else { 0 }
    }

    /// Bytes of a tag (`Nt`): 16; 0 for export-only.
    #[must_use]
    pub const fn tag_len(self) -> usize {
        if self.row().engine.is_some() { TAG } else { 0 }
    }

    fn engine(self, backend: Backend) -> Result<&'static dyn Aead, Error> {
        self.row().engine.map(|engine| engine(backend.primitives())).ok_or(Error::Unsupported)
    }

    /// Encrypts and appends the tag.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLength`] for a key or nonce of the wrong length, [`Error::InputTooLong`]
    /// for a text beyond the limit of the AEAD, [`Error::Unsupported`] for export-only.
    pub fn seal(
        self,
        backend: Backend,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let engine = self.engine(backend)?;
        let nonce = self.check(key, nonce)?;
        let mut out = Vec::with_capacity(text.len() + TAG);
        out.extend_from_slice(text);
        match engine.seal(key, nonce, aad, &mut out) {
            Ok(tag) => out.extend_from_slice(&tag),
            Err(error) => {
                out.zeroize();
                return Err(error);
            }
        }
        Ok(out)
    }

    /// Checks the tag and decrypts.
    ///
    /// # Errors
    ///
    /// [`Error::OpenFailed`] if the ciphertext is shorter than its tag or does not authenticate,
    /// [`Error::InvalidLength`] for a key or nonce of the wrong length, [`Error::Unsupported`]
    /// for export-only.
    pub fn open(
        self,
        backend: Backend,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, Error> {
        let engine = self.engine(backend)?;
        let nonce = self.check(key, nonce)?;
        let (text, tag) = sealed.split_last_chunk::<TAG>().ok_or(Error::OpenFailed)?;
        let mut out = Secret::from(text);
        engine.open(key, nonce, aad, out.as_mut(), tag)?;
        Ok(out)
    }

    fn check<'n>(self, key: &[u8], nonce: &'n [u8]) -> Result<&'n [u8; 12], Error> {
        if key.len() != self.key_len() {
            return Err(Error::InvalidLength);
        }
        nonce.try_into().map_err(|_| Error::InvalidLength)
    }
}
