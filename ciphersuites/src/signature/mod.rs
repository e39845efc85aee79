//! Signatures: Ed25519, ECDSA and ML-DSA, with keys that are expanded once and kept.
//!
//! - **Ed25519** (RFC 8032) is verified strictly: a key of small order or with a coordinate that is
//!   not reduced is no key, a signature whose `R` is of small order or whose `S` is not reduced is
//!   no signature.
//! - **ECDSA** (FIPS 186-5) takes uncompressed points and DER signatures (RFC 9420, section 5.1.2).
//! - **ML-DSA** (FIPS 204) is pure and hedged, with the empty context string
//!   (draft-ietf-tls-mldsa); private keys are 32-byte seeds.

use std::fmt;
use std::sync::Arc;

use crate::Protection::{self, *};
use crate::backend::{Backend, Primitives, Scheme, Sign, Verify};
use crate::identifiers::identifiers;
use crate::{Error, Secret, random};

/// A signature scheme.
///
/// The numbers are those of the TLS `SignatureScheme` registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SignatureScheme {
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    EcdsaP521Sha512,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

struct Row {
    id: u16,
    name: &'static str,
    public: usize,
    private: usize,
    signature: usize,
    /// What the first byte of a random private key may hold.
    mask: u8,
    /// Whether signing takes randomness.
    hedged: bool,
    protection: Protection,
    engine: fn(&'static Primitives) -> &'static dyn Scheme,
}

#[rustfmt::skip]
static TABLE: [Row; 7] = [
    Row { id: 0x0403, name: "ECDSA-P256-SHA256", public: 65,   private: 32, signature: 72,   mask: 0xFF, hedged: false, protection: Classical, engine: |p| p.ecdsa_p256 },
    Row { id: 0x0503, name: "ECDSA-P384-SHA384", public: 97,   private: 48, signature: 104,  mask: 0xFF, hedged: false, protection: Classical, engine: |p| p.ecdsa_p384 },
    Row { id: 0x0603, name: "ECDSA-P521-SHA512", public: 133,  private: 66, signature: 139,  mask: 0x01, hedged: false, protection: Classical, engine: |p| p.ecdsa_p521 },
    Row { id: 0x0807, name: "Ed25519",           public: 32,   private: 32, signature: 64,   mask: 0xFF, hedged: false, protection: Classical, engine: |p| p.ed25519 },
    Row { id: 0x0904, name: "ML-DSA-44",         public: 1312, private: 32, signature: 2420, mask: 0xFF, hedged: true,  protection: PostQuantum, engine: |p| p.ml_dsa_44 },
    Row { id: 0x0905, name: "ML-DSA-65",         public: 1952, private: 32, signature: 3309, mask: 0xFF, hedged: true,  protection: PostQuantum, engine: |p| p.ml_dsa_65 },
    Row { id: 0x0906, name: "ML-DSA-87",         public: 2592, private: 32, signature: 4627, mask: 0xFF, hedged: true,  protection: PostQuantum, engine: |p| p.ml_dsa_87 },
];

identifiers!(
    SignatureScheme,
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    EcdsaP521Sha512,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87
);

impl SignatureScheme {
    /// Bytes of a public key.
    #[must_use]
    pub const fn public_key_len(self) -> usize {
        self.row().public
    }

    /// Bytes of a private key: a seed, or the scalar of ECDSA.
    #[must_use]
    pub const fn private_key_len(self) -> usize {
        self.row().private
    }

    /// The most bytes that a signature has. Only those of ECDSA, in DER, can be shorter.
    #[must_use]
    pub const fn signature_len(self) -> usize {
        self.row().signature
    }

    /// Against whom it protects.
    #[must_use]
    pub const fn protection(self) -> Protection {
        self.row().protection
    }

    fn engine(self, backend: Backend) -> &'static dyn Scheme {
        (self.row().engine)(backend.primitives())
    }
}

/// A private key, expanded. Cloning shares it; the last clone wipes it.
///
/// ```
/// use trellis_ciphersuites::{Backend, signature::{SignatureScheme, SigningKey, VerifyingKey}};
///
/// let key = SigningKey::generate(SignatureScheme::MlDsa44, Backend::default())?;
/// let signature = key.sign(b"frost tonight")?;
/// let peer = VerifyingKey::from_bytes(key.scheme(), Backend::default(), key.public_key())?;
/// peer.verify(b"frost tonight", &signature)?;
/// # Ok::<(), trellis_ciphersuites::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Expanded>);

struct Expanded {
    scheme: SignatureScheme,
    private: Secret,
    public: Vec<u8>,
    key: Box<dyn Sign>,
}

impl SigningKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntropy`].
    pub fn generate(scheme: SignatureScheme, backend: Backend) -> Result<Self, Error> {
        let mut private = Secret::zeroed(scheme.row().private);
        loop {
            random::fill(private.as_mut())?;
            private.as_mut()[0] &= scheme.row().mask;
            // Only a scalar of ECDSA can be out of range, with a chance below 2^-31.
            match Self::from_bytes(scheme, backend, &private) {
                Err(Error::InvalidPrivateKey) => continue,
                done => return done,
            }
        }
    }

    /// Expands a private key: the 32-byte seed of Ed25519 or ML-DSA, the big-endian scalar of
    /// ECDSA.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPrivateKey`] for a wrong length, or a scalar that is zero or not below the
    /// order of the group.
    pub fn from_bytes(
        scheme: SignatureScheme,
        backend: Backend,
        private: &[u8],
    ) -> Result<Self, Error> {
        let key = scheme.engine(backend).signing_key(private)?;
        let public = key.public_key();
        Ok(Self(Arc::new(Expanded { scheme, private: private.into(), public, key })))
    }

    /// The scheme of this key.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.0.scheme
    }

    /// The private key as [`from_bytes`](Self::from_bytes) takes it.
    #[must_use]
    pub fn private_key(&self) -> &Secret {
        &self.0.private
    }

    /// The public key, [`SignatureScheme::public_key_len`] bytes.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.0.public
    }

    /// Signs. ML-DSA is hedged with 32 random bytes (FIPS 204, section 3.4).
    ///
    /// # Errors
    ///
    /// [`Error::NoEntropy`], [`Error::SigningFailed`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut randomness = [0; 32];
        if self.scheme().row().hedged {
            random::fill(&mut randomness)?;
        }
        self.0.key.sign(message, &randomness)
    }

    /// Signs with given randomness for ML-DSA: 32 zero bytes are the deterministic variant.
    ///
    /// # Errors
    ///
    /// [`Error::SigningFailed`].
    #[cfg(feature = "hazmat")]
    pub fn sign_derandomized(
        &self,
        message: &[u8],
        randomness: &[u8; 32],
    ) -> Result<Vec<u8>, Error> {
        self.0.key.sign(message, randomness)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ***)", self.scheme())
    }
}

/// A public key, decoded and checked.
pub struct VerifyingKey {
    scheme: SignatureScheme,
    key: Box<dyn Verify>,
}

impl VerifyingKey {
    /// Decodes and checks a public key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPublicKey`].
    pub fn from_bytes(
        scheme: SignatureScheme,
        backend: Backend,
        public: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self { scheme, key: scheme.engine(backend).verifying_key(public)? })
    }

    /// The scheme of this key.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// Verifies.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSignature`], for a wrong signature as for bytes that are none.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.key.verify(message, signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.scheme)
    }
}
