//! An instrumented provider: it passes every call on, and enters it into a ledger with what decides
//! its cost and how long it took.
//!
//! An entry takes two looks at the clock and a hash map behind a lock, about a tenth of a
//! microsecond. A look at the clock falls into the part of the call, the rest into that of OpenMLS.

mod crypto;
mod ledger;
mod signer;
mod storage;
#[cfg(test)]
pub(crate) mod tests;

use openmls_traits::OpenMlsProvider;

pub use crypto::MeteredCrypto;
pub use ledger::{Call, Info, Ledger, Psk, Tally};
pub use signer::MeteredSigner;
pub use storage::MeteredStorage;

/// A provider whose calls are entered into a ledger.
#[derive(Debug)]
pub struct Metered<C, S> {
    crypto: MeteredCrypto<C>,
    storage: MeteredStorage<S>,
}

impl<C, S> Metered<C, S> {
    /// This cryptography and storage, with this ledger.
    pub fn new(crypto: C, storage: S, ledger: &Ledger) -> Self {
        Self {
            crypto: MeteredCrypto::new(crypto, ledger.clone()),
            storage: MeteredStorage::new(storage, ledger.clone()),
        }
    }
}

impl<C, S> OpenMlsProvider for Metered<C, S>
where
    C: openmls_traits::crypto::OpenMlsCrypto + openmls_traits::random::OpenMlsRand,
    S: openmls_traits::storage::StorageProvider<{ openmls_traits::storage::CURRENT_VERSION }>,
{
    type CryptoProvider = MeteredCrypto<C>;
    type RandProvider = MeteredCrypto<C>;
    type StorageProvider = MeteredStorage<S>;

    fn storage(&self) -> &MeteredStorage<S> {
        &self.storage
    }

    fn crypto(&self) -> &MeteredCrypto<C> {
        &self.crypto
    }

    fn rand(&self) -> &MeteredCrypto<C> {
        &self.crypto
    }
}
