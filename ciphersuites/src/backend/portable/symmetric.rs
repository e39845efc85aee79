//! AEAD, SHA-2, HMAC, HKDF and Keccak by RustCrypto.

use std::marker::PhantomData;

use aes_gcm::aead::{
    AeadInOut, KeyInit,
    consts::{U12, U16},
};
use hmac::{EagerHash, Hmac, Mac};
use sha2::Digest;
use shake::digest::{ExtendableOutput, Update, XofReader};

use crate::Error;
use crate::backend::{Aead, Hash, Xof};

/// An AEAD of RustCrypto.
pub(crate) struct RustCryptoAead<A>(PhantomData<fn() -> A>);

impl<A> RustCryptoAead<A> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<A: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit> Aead for RustCryptoAead<A> {
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let cipher = A::new_from_slice(key).map_err(|_| Error::InvalidLength)?;
        let tag = cipher
            .encrypt_inout_detached(nonce.into(), aad, text.into())
            .map_err(|_| Error::InputTooLong)?;
        Ok(tag.into())
    }

    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        let cipher = A::new_from_slice(key).map_err(|_| Error::InvalidLength)?;
        cipher
            .decrypt_inout_detached(nonce.into(), aad, text.into(), tag.into())
            .map_err(|_| Error::OpenFailed)
    }
}

/// A hash of the SHA-2 family.
pub(crate) struct Sha2<D>(PhantomData<fn() -> D>);

impl<D> Sha2<D> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<D: EagerHash> Hash for Sha2<D> {
    fn hash(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut digest = D::new();
        parts.iter().for_each(|part| Digest::update(&mut digest, part));
        out.copy_from_slice(&digest.finalize());
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) {
        let mut mac = match <Hmac<D> as KeyInit>::new_from_slice(key) {
            Ok(mac) => mac,
            // HMAC takes keys of any length (RFC 2104, section 2).
            Err(_) => unreachable!(),
        };
        parts.iter().for_each(|part| Mac::update(&mut mac, part));
        out.copy_from_slice(&mac.finalize().into_bytes());
    }

    fn expand(&self, prk: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
        hkdf::Hkdf::<D>::from_prk(prk)
            .map_err(|_| Error::InvalidLength)?
            .expand_multi_info(info, out)
            .map_err(|_| Error::OutputTooLong)
    }
}

/// SHA3-256 (FIPS 202).
pub(crate) struct Sha3_256;

impl Xof for Sha3_256 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut digest = sha3::Sha3_256::new();
        parts.iter().for_each(|part| Digest::update(&mut digest, part));
        out.copy_from_slice(&digest.finalize());
    }
}

/// SHAKE128 (rate 168) and SHAKE256 (rate 136) (FIPS 202).
pub(crate) struct RustCryptoShake<const RATE: usize>;

impl<const RATE: usize> Xof for RustCryptoShake<RATE>
where
    shake::Shake<RATE>: Default + Update + ExtendableOutput,
{
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut sponge = shake::Shake::<RATE>::default();
        parts.iter().for_each(|part| sponge.update(part));
        sponge.finalize_xof().read(out);
    }
}
