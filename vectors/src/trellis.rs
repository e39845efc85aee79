//! Our own primitives, on either backend.

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::hpke::{Hpke, HpkeSuite, ReceiverContext, SenderContext};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};
use trellis_ciphersuites::{Backend, Error};

use crate::{HpkeContext, KeyPair, Primitives, Psk, Refusal};

/// The primitives of `trellis-ciphersuites`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trellis {
    /// On what they run.
    pub backend: Backend,
    /// How HPKE key pairs are derived.
    pub derivation: KeyDerivation,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unsupported | Error::Unknown => Self::NotOffered(error.to_string()),
            _ => Self::Invalid(error.code()),
        }
    }
}

impl HpkeContext for SenderContext {
    fn seal(&mut self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(SenderContext::seal(self, aad, plaintext)?)
    }

    fn open(&mut self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::NotOffered("a sender opens nothing".into()))
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        Ok(SenderContext::export(self, context, length)?.into_inner())
    }
}

impl HpkeContext for ReceiverContext {
    fn seal(&mut self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::NotOffered("a receiver seals nothing".into()))
    }

    fn open(&mut self, aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(ReceiverContext::open(self, aad, ciphertext)?.into_inner())
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        Ok(ReceiverContext::export(self, context, length)?.into_inner())
    }
}

impl Primitives for Trellis {
    fn name(&self) -> String {
        format!("trellis, {}", self.backend.name())
    }

    fn hash(&self, hash: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(hash.hash(self.backend, data))
    }

    fn hmac(&self, hash: HashAlgorithm, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(hash.hmac(self.backend, key, data).into_inner())
    }

    fn extract(&self, hash: HashAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(hash.extract(self.backend, salt, ikm).into_inner())
    }

    fn expand(
        &self,
        hash: HashAlgorithm,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Refusal> {
        Ok(hash.expand(self.backend, prk, info, length)?.into_inner())
    }

    fn aead_seal(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(aead.seal(self.backend, key, nonce, aad, plaintext)?)
    }

    fn aead_open(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(aead.open(self.backend, key, nonce, aad, ciphertext)?.into_inner())
    }

    fn derive_key_pair(&self, kem: KemAlgorithm, ikm: &[u8]) -> Result<KeyPair, Refusal> {
        let pair = self.derivation.derive(kem, self.backend, ikm)?;
        Ok(KeyPair { private: pair.private.into_inner(), public: pair.public })
    }

    fn public_key(&self, kem: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(kem.public_key(self.backend, private)?)
    }

    fn encapsulate(
        &self,
        kem: KemAlgorithm,
        public: &[u8],
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        let (enc, secret) = match randomness {
            Some(bytes) => kem.encapsulate_derandomized(self.backend, public, bytes)?,
            None => kem.encapsulate(self.backend, public)?,
        };
        Ok((enc, secret.into_inner()))
    }

    fn decapsulate(
        &self,
        kem: KemAlgorithm,
        private: &[u8],
        enc: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(kem.decapsulate(self.backend, private, enc)?.into_inner())
    }

    fn hpke_sender(
        &self,
        suite: HpkeSuite,
        public: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal> {
        let hpke = Hpke::new(suite, self.backend);
        let info = hpke.info(info);
        let pair = psk.map(|psk| (psk.psk, psk.psk_id));
        let (enc, context) = match (randomness, pair) {
            (Some(bytes), pair) => info.setup_sender_derandomized(public, pair, bytes)?,
            (None, Some((psk, psk_id))) => info.setup_sender_psk(public, psk, psk_id)?,
            (None, None) => info.setup_sender(public)?,
        };
        Ok((enc, Box::new(context)))
    }

    fn hpke_receiver(
        &self,
        suite: HpkeSuite,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<Box<dyn HpkeContext>, Refusal> {
        let hpke = Hpke::new(suite, self.backend);
        let info = hpke.info(info);
        let context = match psk {
            Some(psk) => info.setup_receiver_psk(enc, private, psk.psk, psk.psk_id)?,
            None => info.setup_receiver(enc, private)?,
        };
        Ok(Box::new(context))
    }

    fn verification_key(
        &self,
        scheme: SignatureScheme,
        private: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(SigningKey::from_bytes(scheme, self.backend, private)?.public_key().to_vec())
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        private: &[u8],
        message: &[u8],
        randomness: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal> {
        let key = SigningKey::from_bytes(scheme, self.backend, private)?;
        Ok(match randomness {
            Some(bytes) => key.sign_derandomized(message, bytes)?,
            None => key.sign(message)?,
        })
    }

    fn verify(
        &self,
        scheme: SignatureScheme,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        Ok(VerifyingKey::from_bytes(scheme, self.backend, public)?.verify(message, signature)?)
    }
}
