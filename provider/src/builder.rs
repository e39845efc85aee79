//! The builder of [`TrellisProvider`].

use crate::{Backend, KeyDerivation, TrellisCrypto, TrellisProvider, TrellisStorage};

/// Made by [`TrellisProvider::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder<S = TrellisStorage> {
    backend: Backend,
    derivation: KeyDerivation,
    storage: S,
}

impl<S> Builder<S> {
    /// Runs on this backend instead of the fastest one.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Derives HPKE key pairs in this way instead of [`KeyDerivation::HpkePq`].
    pub fn key_derivation(mut self, derivation: KeyDerivation) -> Self {
        self.derivation = derivation;
        self
    }

    /// Stores here instead of in memory.
    pub fn storage<T>(self, storage: T) -> Builder<T> {
        Builder { backend: self.backend, derivation: self.derivation, storage }
    }

    /// The provider.
    pub fn build(self) -> TrellisProvider<S> {
        TrellisProvider::with_crypto(
            TrellisCrypto::new(self.backend, self.derivation),
            self.storage,
        )
    }
}
