//! X25519 (RFC 7748) and Ed25519 (RFC 8032) by the dalek crates.

use ed25519_dalek::ed25519::signature::Signer;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::Error;
use crate::backend::{Group, Scheme, Sign, Verify};

pub(crate) struct X25519;

fn secret(private: &[u8]) -> Result<StaticSecret, Error> {
    let bytes: [u8; 32] = private.try_into().map_err(|_| Error::InvalidPrivateKey)?;
    Ok(StaticSecret::from(*Zeroizing::new(bytes)))
}

impl Group for X25519 {
    fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
        public.copy_from_slice(PublicKey::from(&secret(private)?).as_bytes());
        Ok(())
    }

    fn shared_secret(&self, private: &[u8], public: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public: [u8; 32] = public.try_into().map_err(|_| Error::InvalidPublicKey)?;
        let shared = secret(private)?.diffie_hellman(&PublicKey::from(public));
        if !shared.was_contributory() {
            return Err(Error::InvalidPublicKey);
        }
        out.copy_from_slice(shared.as_bytes());
        Ok(())
    }

    /// Every point of small order gives zero for every scalar, since clamping makes the scalar a
    /// multiple of the cofactor; so one multiplication by a fixed scalar finds them all.
    fn check_public_key(&self, public: &[u8]) -> Result<(), Error> {
        self.shared_secret(&[1; 32], public, &mut [0; 32])
    }

    fn check_private_key(&self, private: &[u8]) -> Result<(), Error> {
        secret(private).map(drop)
    }
}

pub(crate) struct Ed25519;

impl Scheme for Ed25519 {
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
        let seed = private.try_into().map_err(|_| Error::InvalidPrivateKey)?;
        Ok(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// Rejects keys of small order and encodings whose y coordinate is not reduced.
    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
        let bytes: &[u8; 32] = public.try_into().map_err(|_| Error::InvalidPublicKey)?;
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| Error::InvalidPublicKey)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(Error::InvalidPublicKey);
        }
        Ok(Box::new(key))
    }
}

impl Sign for ed25519_dalek::SigningKey {
    fn public_key(&self) -> Vec<u8> {
        self.verifying_key().as_bytes().to_vec()
    }

    fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let signature = self.try_sign(message).map_err(|_| Error::SigningFailed)?;
        Ok(signature.to_bytes().to_vec())
    }
}

impl Verify for ed25519_dalek::VerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| Error::InvalidSignature)?;
        self.verify_strict(message, &signature).map_err(|_| Error::InvalidSignature)
    }
}
