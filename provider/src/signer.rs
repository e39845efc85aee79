//! A signature key for OpenMLS.

use std::fmt;

use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::storage::{CURRENT_VERSION, Entity, Key, StorageProvider, traits};
use openmls_traits::types::{CryptoError, SignatureScheme};
use serde::{Deserialize, Serialize};
use trellis_ciphersuites::signature::SigningKey;
use zeroize::Zeroizing;

use crate::source::Source;
use crate::{Backend, TrellisCrypto, map};

/// A signature key pair that implements OpenMLS's [`Signer`].
///
/// The private key is expanded once, when this is made; ML-DSA otherwise spends a third of each
/// signature on that. Cloning shares the expanded key.
///
/// In storage it stands under the same identifier and in the same shape as the `SignatureKeyPair`
/// of `openmls_basic_credential`, so each can read what the other stored.
///
/// ```
/// use openmls_traits::OpenMlsProvider;
/// use openmls_traits::types::Ciphersuite;
/// use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
///
/// let provider = TrellisProvider::default();
/// let suite = Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44;
/// let signer = TrellisSigner::generate(suite)?;
/// signer.store(provider.storage())?;
///
/// let again = TrellisSigner::read(provider.storage(), signer.public_key(), suite.into());
/// assert_eq!(again.unwrap().public_key(), signer.public_key());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TrellisSigner {
    scheme: SignatureScheme,
    key: SigningKey,
    source: Source,
}

impl TrellisSigner {
    /// A fresh key for a cipher suite or a signature scheme.
    ///
    /// # Errors
    ///
    /// [`CryptoError::UnsupportedSignatureScheme`] for Ed448,
    /// [`CryptoError::InsufficientRandomness`].
    pub fn generate(scheme: impl Into<SignatureScheme>) -> Result<Self, CryptoError> {
        let scheme = scheme.into();
        let key =
            SigningKey::generate(map::scheme(scheme)?, Backend::default()).map_err(map::error)?;
        Ok(Self { scheme, key, source: Source::default() })
    }

    /// The key of a seed: 32 bytes of Ed25519 or ML-DSA, the scalar of ECDSA.
    ///
    /// # Errors
    ///
    /// [`CryptoError::InvalidLength`] for a wrong length or a scalar out of range,
    /// [`CryptoError::UnsupportedSignatureScheme`] for Ed448.
    pub fn from_seed(scheme: impl Into<SignatureScheme>, seed: &[u8]) -> Result<Self, CryptoError> {
        let scheme = scheme.into();
        let key = SigningKey::from_bytes(map::scheme(scheme)?, Backend::default(), seed)
            .map_err(map::error)?;
        Ok(Self { scheme, key, source: Source::default() })
    }

    /// The same key on another backend.
    ///
    /// # Errors
    ///
    /// None that the key did not meet before.
    pub fn on_backend(&self, backend: Backend) -> Result<Self, CryptoError> {
        let backend = self.source.signing_backend(self.key.scheme(), backend);
        let key = SigningKey::from_bytes(self.key.scheme(), backend, self.key.private_key())
            .map_err(map::error)?;
        Ok(Self { scheme: self.scheme, key, source: self.source.clone() })
    }

    /// The same key on the backend of `crypto`, which draws what its signatures are hedged with where
    /// `crypto` draws. From a [seed](crate#features) the same key makes the same signature of the
    /// same message again. A storage does not keep this.
    ///
    /// # Errors
    ///
    /// None that the key did not meet before.
    pub fn hedged_by(&self, crypto: &TrellisCrypto) -> Result<Self, CryptoError> {
        Self { source: crypto.source.clone(), ..self.clone() }.on_backend(crypto.backend())
    }

    /// The public key, as it goes into a credential.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    /// Writes the key pair to a storage.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    pub fn store<S: StorageProvider<CURRENT_VERSION>>(&self, storage: &S) -> Result<(), S::Error> {
        let record = Record {
            private: Zeroizing::new(self.key.private_key().to_vec()),
            public: self.public_key().to_vec(),
            signature_scheme: self.scheme,
        };
        storage.write_signature_key_pair(&Id::new(self.public_key(), self.scheme), &record)
    }

    /// Reads a key pair from a storage. `None` if it is not there, cannot be read, or its private
    /// key does not belong to its public key.
    pub fn read<S: StorageProvider<CURRENT_VERSION>>(
        storage: &S,
        public_key: &[u8],
        scheme: SignatureScheme,
    ) -> Option<Self> {
        let record: Record = storage.signature_key_pair(&Id::new(public_key, scheme)).ok()??;
        let signer = Self::from_seed(record.signature_scheme, &record.private).ok()?;
        (signer.scheme == scheme && signer.public_key() == public_key).then_some(signer)
    }

    /// Deletes a key pair from a storage.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    pub fn delete<S: StorageProvider<CURRENT_VERSION>>(
        storage: &S,
        public_key: &[u8],
        scheme: SignatureScheme,
    ) -> Result<(), S::Error> {
        storage.delete_signature_key_pair(&Id::new(public_key, scheme))
    }
}

impl Signer for TrellisSigner {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.source
            .sign(&self.key, payload)
            .map_err(|error| SignerError::CryptoError(map::error(error)))
    }

    fn signature_scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for TrellisSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrellisSigner({:?}, ***)", self.scheme)
    }
}

/// What `openmls_basic_credential` stores.
#[derive(Serialize, Deserialize)]
struct Record {
    private: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
    signature_scheme: SignatureScheme,
}

impl Entity<CURRENT_VERSION> for Record {}
impl traits::SignatureKeyPair<CURRENT_VERSION> for Record {}

/// Where `openmls_basic_credential` stores it.
#[derive(Debug, Serialize, Deserialize)]
struct Id {
    value: Vec<u8>,
}

impl Id {
    fn new(public_key: &[u8], scheme: SignatureScheme) -> Self {
        let scheme = (scheme as u16).to_be_bytes();
        Self { value: [public_key, b"RustCryptoSignatureKey", &scheme].concat() }
    }
}

impl Key<CURRENT_VERSION> for Id {}
impl traits::SignaturePublicKey<CURRENT_VERSION> for Id {}
