//! Contexts: many messages under one encapsulation (RFC 9180, section 5.2).

use std::fmt;

use super::Hpke;
use super::schedule::{Schedule, export};
use crate::{Error, Secret};

/// What both sides hold.
struct Context {
    hpke: Hpke,
    key: Secret,
    base_nonce: Secret,
    exporter_secret: Secret,
    sequence: u64,
}

impl Context {
    fn new(hpke: Hpke, schedule: &Schedule) -> Result<Self, Error> {
        let (key, base_nonce) = schedule.key_and_nonce(&hpke)?;
        let exporter_secret = schedule.exporter_secret(&hpke)?;
        Ok(Self { hpke, key, base_nonce, exporter_secret, sequence: 0 })
    }

    /// `ComputeNonce(seq)`. The last number is never used, so that the next one always exists.
    fn nonce(&self) -> Result<Vec<u8>, Error> {
        if self.sequence == u64::MAX {
            return Err(Error::MessageLimitReached);
        }
        let mut nonce = self.base_nonce.to_vec();
        nonce.iter_mut().rev().zip(self.sequence.to_le_bytes()).for_each(|(a, b)| *a ^= b);
        Ok(nonce)
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Secret, Error> {
        export(&self.hpke, &self.exporter_secret, context, length)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:?}, sequence {}, ***)", self.hpke, self.sequence)
    }
}

/// The context of the sender.
#[derive(Debug)]
pub struct SenderContext(Context);

impl SenderContext {
    pub(super) fn new(hpke: Hpke, schedule: &Schedule) -> Result<Self, Error> {
        Context::new(hpke, schedule).map(Self)
    }

    /// Encrypts the next message and appends the tag.
    ///
    /// # Errors
    ///
    /// [`Error::MessageLimitReached`], [`Error::InputTooLong`], and [`Error::Unsupported`] for
    /// the export-only AEAD.
    pub fn seal(&mut self, aad: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
        let (aead, backend) = (self.0.hpke.suite.aead, self.0.hpke.backend);
        let sealed = aead.seal(backend, &self.0.key, &self.0.nonce()?, aad, text)?;
        self.0.sequence += 1;
        Ok(sealed)
    }

    /// A secret of `length` bytes that both sides know (RFC 9180, section 5.3).
    ///
    /// # Errors
    ///
    /// [`Error::OutputTooLong`] beyond 255 hashes, or 65,535 bytes of a one-stage function.
    pub fn export(&self, context: &[u8], length: usize) -> Result<Secret, Error> {
        self.0.export(context, length)
    }
}

/// The context of the receiver.
#[derive(Debug)]
pub struct ReceiverContext(Context);

impl ReceiverContext {
    pub(super) fn new(hpke: Hpke, schedule: &Schedule) -> Result<Self, Error> {
        Context::new(hpke, schedule).map(Self)
    }

    /// Decrypts the next message. After a failure the context still expects the same message.
    ///
    /// # Errors
    ///
    /// [`Error::OpenFailed`], [`Error::MessageLimitReached`], and [`Error::Unsupported`] for the
    /// export-only AEAD.
    pub fn open(&mut self, aad: &[u8], sealed: &[u8]) -> Result<Secret, Error> {
        let (aead, backend) = (self.0.hpke.suite.aead, self.0.hpke.backend);
        let opened = aead.open(backend, &self.0.key, &self.0.nonce()?, aad, sealed)?;
        self.0.sequence += 1;
        Ok(opened)
    }

    /// As [`SenderContext::export`].
    ///
    /// # Errors
    ///
    /// As [`SenderContext::export`].
    pub fn export(&self, context: &[u8], length: usize) -> Result<Secret, Error> {
        self.0.export(context, length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::HpkeSuite;
    use super::*;
    use crate::Backend;
    use crate::kem::KemAlgorithm;
    use crate::symmetric::{AeadAlgorithm, KdfAlgorithm};

    #[test]
    fn the_last_sequence_number_is_refused_and_nonces_differ_in_their_end() {
        let suite = HpkeSuite {
            kem: KemAlgorithm::DhKemX25519,
            kdf: KdfAlgorithm::HkdfSha256,
            aead: AeadAlgorithm::Aes128Gcm,
        };
        let hpke = Hpke::new(suite, Backend::default());
        let pair = hpke.generate_key_pair().unwrap();
        let (_, mut context) = hpke.info(b"").setup_sender(&pair.public).unwrap();
        let first = context.0.nonce().unwrap();
        context.0.sequence = 0x0102;
        let later = context.0.nonce().unwrap();
        assert_eq!(first[..10], later[..10]);
        assert_eq!([first[10] ^ 1, first[11] ^ 2], later[10..]);

        context.0.sequence = u64::MAX - 1;
        context.seal(b"", b"").unwrap();
        assert_eq!(context.seal(b"", b""), Err(Error::MessageLimitReached));
    }
}
