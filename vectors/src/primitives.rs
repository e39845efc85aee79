//! What vectors ask of cryptography, and who can answer.

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};

/// Why an operation gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The implementation does not have the algorithm, or not this form of it. A check that meets
    /// this is skipped, not failed.
    #[error("not offered: {0}")]
    NotOffered(String),
    /// The input is invalid. The code is that of [`trellis_ciphersuites::Error::code`] that fits.
    #[error("refused: {0}")]
    Invalid(&'static str),
}

/// A key pair of a KEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The private key: the seed of ML-KEM and hybrids.
    pub private: Vec<u8>,
    /// The public key.
    pub public: Vec<u8>,
}

/// A pre-shared key of HPKE with its identifier (RFC 9180, section 5.1.2).
#[derive(Clone, Copy, Debug)]
pub struct Psk<'a> {
    /// The key, at least 32 bytes.
    pub psk: &'a [u8],
    /// Its identifier.
    pub psk_id: &'a [u8],
}

/// A context of HPKE, of a sender or of a receiver (RFC 9180, section 5.2).
pub trait HpkeContext {
    /// Seals the next message; only a sender's context can.
    fn seal(&mut self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// Opens the next message; only a receiver's context can.
    fn open(&mut self, aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// `Context.Export(context, length)`.
    fn export(&self, context: &[u8], length: usize) -> Result<Vec<u8>, Refusal>;
}

/// An implementation of the algorithms of the registry.
///
/// The numbers and names are those of `trellis-ciphersuites`, the work is the implementation's own.
/// `randomness` makes an operation deterministic; its layout is that of
/// [`KemAlgorithm::encapsulate_derandomized`] and of ML-DSA's `rnd` (FIPS 204, algorithm 2), empty
/// for schemes that draw none. Without it an operation draws its own.
pub trait Primitives: Send + Sync {
    /// A name for reports.
    fn name(&self) -> String;

    /// The hash of `data`.
    fn hash(&self, hash: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// HMAC (RFC 2104).
    fn hmac(&self, hash: HashAlgorithm, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// HKDF-Extract (RFC 5869).
    fn extract(&self, hash: HashAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// HKDF-Expand (RFC 5869).
    fn expand(
        &self,
        hash: HashAlgorithm,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Refusal>;

    /// Ciphertext and tag of an AEAD.
    fn aead_seal(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Refusal>;
    /// The plaintext, if it authenticates.
    fn aead_open(
        &self,
        aead: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal>;

    /// `DeriveKeyPair(ikm)`.
    fn derive_key_pair(&self, kem: KemAlgorithm, ikm: &[u8]) -> Result<KeyPair, Refusal>;
    /// The public key of a private one.
    fn public_key(&self, kem: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// `Encap(pk)`: first the encapsulation, then the shared secret.
    fn encapsulate(
        &self,
        kem: KemAlgorithm,
        public: &[u8],
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Vec<u8>), Refusal>;
    /// `Decap(enc, sk)`.
    fn decapsulate(
        &self,
        kem: KemAlgorithm,
        private: &[u8],
        enc: &[u8],
    ) -> Result<Vec<u8>, Refusal>;

    /// A sender's context in base mode or, with a `psk`, PSK mode; first its encapsulation.
    fn hpke_sender(
        &self,
        suite: HpkeSuite,
        public: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
        randomness: Option<&[u8]>,
    ) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal>;
    /// A receiver's context.
    fn hpke_receiver(
        &self,
        suite: HpkeSuite,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<Box<dyn HpkeContext>, Refusal>;

    /// The public key of a signing key.
    fn verification_key(&self, scheme: SignatureScheme, private: &[u8])
    -> Result<Vec<u8>, Refusal>;
    /// A signature; `randomness` is ML-DSA's `rnd`, 32 bytes, zeros for the deterministic form.
    fn sign(
        &self,
        scheme: SignatureScheme,
        private: &[u8],
        message: &[u8],
        randomness: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal>;
    /// Whether the signature holds.
    fn verify(
        &self,
        scheme: SignatureScheme,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal>;
}
