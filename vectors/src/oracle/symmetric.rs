//! SHA-2, HMAC, HKDF and the AEADs.

use aes_gcm::aead::{KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;
use hkdf::Hkdf;
use hmac::{EagerHash, Hmac, Mac};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};

use super::{Of, invalid};
use crate::Refusal;

/// A hash with its HMAC and HKDF.
pub(super) trait Hash {
    fn hash(&self, data: &[u8]) -> Vec<u8>;
    fn hmac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn extract(&self, salt: &[u8], ikm: &[u8]) -> Vec<u8>;
    fn expand(&self, prk: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Refusal>;
}

/// The implementation of a hash.
pub(super) fn hash(hash: HashAlgorithm) -> &'static dyn Hash {
    match hash {
        HashAlgorithm::Sha256 => &Of::<sha2::Sha256>::NEW,
        HashAlgorithm::Sha384 => &Of::<sha2::Sha384>::NEW,
        HashAlgorithm::Sha512 => &Of::<sha2::Sha512>::NEW,
    }
}

impl<D: EagerHash> Hash for Of<D> {
    fn hash(&self, data: &[u8]) -> Vec<u8> {
        D::digest(data).to_vec()
    }

    fn hmac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mac = <Hmac<D> as KeyInit>::new_from_slice(key).map_err(invalid("invalid-length"))?;
        Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
    }

    fn extract(&self, salt: &[u8], ikm: &[u8]) -> Vec<u8> {
        Hkdf::<D>::extract(Some(salt), ikm).0.to_vec()
    }

    fn expand(&self, prk: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        let hkdf = Hkdf::<D>::from_prk(prk).map_err(invalid("invalid-length"))?;
        let mut out = vec![0; length];
        hkdf.expand(info, &mut out).map_err(invalid("output-too-long"))?;
        Ok(out)
    }
}

/// An AEAD.
pub(super) trait Aead {
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal>;
    fn open(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal>;
}

/// The implementation of an AEAD.
pub(super) fn aead(aead: AeadAlgorithm) -> Result<&'static dyn Aead, Refusal> {
    match aead {
        AeadAlgorithm::Aes128Gcm => Ok(&Of::<Aes128Gcm>::NEW),
        AeadAlgorithm::Aes256Gcm => Ok(&Of::<Aes256Gcm>::NEW),
        AeadAlgorithm::ChaCha20Poly1305 => Ok(&Of::<ChaCha20Poly1305>::NEW),
        AeadAlgorithm::ExportOnly => {
            Err(Refusal::NotOffered("the export-only AEAD encrypts nothing".into()))
        }
    }
}

impl<A: aes_gcm::aead::Aead + KeyInit> Aead for Of<A> {
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let cipher = A::new_from_slice(key).map_err(invalid("invalid-length"))?;
        let nonce = nonce.try_into().map_err(invalid("invalid-length"))?;
        cipher.encrypt(nonce, Payload { msg: plaintext, aad }).map_err(invalid("input-too-long"))
    }

    fn open(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let cipher = A::new_from_slice(key).map_err(invalid("invalid-length"))?;
        let nonce = nonce.try_into().map_err(invalid("invalid-length"))?;
        cipher.decrypt(nonce, Payload { msg: ciphertext, aad }).map_err(invalid("open-failed"))
    }
}
