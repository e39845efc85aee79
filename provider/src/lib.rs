//! An [OpenMLS](https://docs.rs/openmls) provider with every cipher suite that OpenMLS knows, the
//! hybrid and post-quantum ones exactly as drafted, on fast native primitives.
//!
//! Where a program says `OpenMlsRustCrypto::default()`, it says [`TrellisProvider::default()`]:
//!
//! ```
//! use openmls::prelude::*;
//! use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = TrellisProvider::default();
//! let suite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
//!
//! let signer = TrellisSigner::generate(suite)?;
//! let credential = CredentialWithKey {
//!     credential: BasicCredential::new(b"alice".to_vec()).into(),
//!     signature_key: signer.public_key().into(),
//! };
//! let group = MlsGroup::builder().ciphersuite(suite).build(&provider, &signer, credential)?;
//! assert_eq!(group.ciphersuite(), suite);
//! # Ok(())
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | [`TrellisProvider`] | cryptography, randomness and storage in one value; any OpenMLS storage fits |
//! | [`TrellisCrypto`] | the cryptography and randomness alone |
//! | [`TrellisSigner`] | a signature key that stays expanded |
//! | [`TrellisStorage`] | the default storage: in memory, with a compact binary codec |
//! | [`HybridPolicy`] | a GroupContext extension that keeps a group from going back to weaker suites |
//! | [`KeyDerivation`] | which of two incompatible ways derives HPKE key pairs: read this before joining a group whose members run OpenMLS's own providers |
//!
//! # Features
//!
//! `native` (default) brings the fast backend; without it everything runs on the portable one.
//! `draft-ietf-mls-pq-ciphersuites` (default), `extensions-draft`, `targeted-messages-draft`,
//! `virtual-clients-draft` and `test-utils` are those of OpenMLS and must be the same here and
//! there. `js` is for `wasm32-unknown-unknown`. `hazmat` brings `TrellisCrypto::seeded`, randomness
//! from a seed: for simulations and test vectors, and never in production.

mod builder;
mod crypto;
mod derivation;
mod hash_cache;
mod hybrid_policy;
mod info_cache;
mod map;
mod random;
#[cfg(feature = "hazmat")]
mod seed;
mod signer;
mod source;
pub mod storage;

use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};

pub use builder::Builder;
pub use crypto::TrellisCrypto;
pub use derivation::KeyDerivation;
pub use hybrid_policy::{
    Downgrade, Floor, HYBRID_POLICY, HybridPolicy, MAX_PREDECESSORS, Successor,
};
pub use signer::TrellisSigner;
pub use storage::TrellisStorage;
pub use trellis_ciphersuites::{Backend, Error, Protection};

/// A provider for OpenMLS: [`TrellisCrypto`] beside a storage of the user's choice.
#[derive(Clone, Debug)]
pub struct TrellisProvider<S = TrellisStorage> {
    crypto: TrellisCrypto,
    storage: S,
}

/// For the default storage alone, so that `TrellisProvider::default()` leaves nothing to infer.
impl Default for TrellisProvider {
    fn default() -> Self {
        Self::new(TrellisStorage::default())
    }
}

impl<S> TrellisProvider<S> {
    /// A provider over a storage, with the fastest backend and [`KeyDerivation::HpkePq`].
    #[must_use]
    pub fn new(storage: S) -> Self {
        Self::with_crypto(TrellisCrypto::default(), storage)
    }

    /// A provider over a storage and cryptography that there are already. Providers with clones of
    /// one [`TrellisCrypto`] share what it remembers.
    #[must_use]
    pub fn with_crypto(crypto: TrellisCrypto, storage: S) -> Self {
        Self { crypto, storage }
    }
}

impl TrellisProvider {
    /// Chooses backend, key derivation and storage.
    ///
    /// ```
    /// use openmls_trellis_crypto::{Backend, KeyDerivation, TrellisProvider};
    ///
    /// let provider = TrellisProvider::builder()
    ///     .key_derivation(KeyDerivation::OpenMls09)
    ///     .backend(Backend::portable())
    ///     .build();
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl<S: StorageProvider<CURRENT_VERSION>> OpenMlsProvider for TrellisProvider<S> {
    type CryptoProvider = TrellisCrypto;
    type RandProvider = TrellisCrypto;
    type StorageProvider = S;

    fn storage(&self) -> &S {
        &self.storage
    }

    fn crypto(&self) -> &TrellisCrypto {
        &self.crypto
    }

    fn rand(&self) -> &TrellisCrypto {
        &self.crypto
    }
}
