//! Primitives that nobody here wrote and that the native backend does not run on.
//!
//! Everything comes from the crates of RustCrypto and dalek and from `hpke` (rust-hpke), whose KEMs
//! stand on `ml-kem`, `x-wing`, `x25519-dalek` and the NIST curves of RustCrypto. What is written
//! here translates between their types and [`Primitives`].
//!
//! A wrong input gets the code that [`trellis_ciphersuites`] has for it. The checks that the crates
//! leave to their callers are made here: lengths beyond which `hpke` panics, and the all-zero
//! Diffie-Hellman result in MLKEM768-X25519.

mod hpke;
mod kem;
mod signature;
mod source;
mod symmetric;

use std::marker::PhantomData;

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};

use crate::{HpkeContext, KeyPair, Primitives, Psk, Refusal};

/// The primitives of RustCrypto, of dalek and of `hpke`.
///
/// Offers every algorithm of the registry, save the export-only AEAD with a one-stage KDF, on which
/// `hpke` 0.15.1 panics.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

/// What a type of a crate implements, or a tuple of types together.
struct Of<T>(PhantomData<fn() -> T>);

impl<T> Of<T> {
    const NEW: Self = Self(PhantomData);
}

/// The refusal of invalid input, for `map_err`.
fn invalid<E>(code: &'static str) -> impl FnOnce(E) -> Refusal {
    move |_| Refusal::Invalid(code)
}

impl Primitives for RustCrypto {
    fn name(&self) -> String {
        "RustCrypto and rust-hpke".into()
    }

    fn hash(&self, hash: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(symmetric::hash(hash).hash(data))
    }

    fn hmac(&self, hash: HashAlgorithm, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        symmetric::hash(hash).hmac(key, data)
    }

    fn extract(&self, hash: HashAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(symmetric::hash(hash).extract(salt, ikm))
    }

    fn expand(
        &self,
        hash: HashAlgorithm,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Refusal> {
        symmetric::hash(hash).expand(prk, info, length)
    }

    fn aead_seal(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        symmetric::aead(aead)?.seal(key, nonce, aad, plaintext)
    }

    fn aead_open(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        symmetric::aead(aead)?.open(key, nonce, aad, ciphertext)
    }

    fn derive_key_pair(&self, kem: KemAlgorithm, ikm: &[u8]) -> Result<KeyPair, Refusal> {
        kem::kem(kem).derive(ikm)
    }

    fn public_key(&self, kem: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Refusal> {
        kem::kem(kem).public_key(private)
    }

    fn encapsulate(
        &self,
        kem: KemAlgorithm,
        public: &[u8],
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        let mut source = source::Source::new(kem, randomness)?;
        kem::kem(kem).encapsulate(public, &mut source)
    }

    fn decapsulate(
        &self,
        kem: KemAlgorithm,
        private: &[u8],
        enc: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        kem::kem(kem).decapsulate(private, enc)
    }

    fn hpke_sender(
        &self,
        suite: HpkeSuite,
        public: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal> {
        let setup = kem::kem(suite.kem).setup(suite.kdf, suite.aead)?;
        hpke::check(suite.kdf, info, psk)?;
        let mut source = source::Source::new(suite.kem, randomness)?;
        setup.sender(public, info, psk, &mut source)
    }

    fn hpke_receiver(
        &self,
        suite: HpkeSuite,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<Box<dyn HpkeContext>, Refusal> {
        let setup = kem::kem(suite.kem).setup(suite.kdf, suite.aead)?;
        hpke::check(suite.kdf, info, psk)?;
        setup.receiver(enc, private, info, psk)
    }

    fn verification_key(
        &self,
        scheme: SignatureScheme,
        private: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        signature::scheme(scheme).verification_key(private)
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        private: &[u8],
        message: &[u8],
        randomness: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal> {
        signature::scheme(scheme).sign(private, message, randomness)
    }

    fn verify(
        &self,
        scheme: SignatureScheme,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        signature::scheme(scheme).verify(public, message, signature)
    }
}
