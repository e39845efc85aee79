//! A storage in memory with a compact binary codec.
//!
//! [`TrellisStorage`] implements OpenMLS's [`StorageProvider`] for everything that OpenMLS stores.
//! It keeps the entries in a map in memory, like the storage that OpenMLS publishes, but encodes
//! them in a binary format instead of JSON: OpenMLS rewrites the whole ratchet tree with every
//! commit, and in a large group writing it as JSON takes a considerable part of the commit's time.
//!
//! ```
//! use openmls_trellis_crypto::storage::TrellisStorage;
//!
//! let storage = TrellisStorage::default();
//! // … create groups, exchange messages …
//! let export = storage.export();
//! let restored = TrellisStorage::import(&export)?;
//! assert_eq!(restored.len(), storage.len());
//! # Ok::<(), openmls_trellis_crypto::storage::StorageError>(())
//! ```
//!
//! # Secrets
//!
//! The entries hold private keys and epoch secrets. Their encodings are wiped when they are
//! replaced, removed or dropped, and so are the buffers they grow out of while they are written.
//! What OpenMLS reads back is in its own types, which look after themselves. The messages of the
//! errors and the `Debug` output contain nothing that was stored. An [export](TrellisStorage::export)
//! is everything in the clear: whoever writes it to a disk has to encrypt it.
//!
//! To keep the entries in a database and write only those that changed, see
//! [`TrellisStorage::tracked`].
//!
//! # Consistency
//!
//! Every method of the trait takes effect as a whole or not at all: values are encoded before
//! anything is changed, and all changes are made under one lock. Several methods together are no
//! transaction, and OpenMLS calls several for one commit: an application that exports the storage
//! must not do so while another thread works with a group.
//!
//! [`StorageProvider`]: openmls_traits::storage::StorageProvider

mod codec;
mod error;
mod export;
mod incremental;
mod kv;
mod label;
mod operations;
mod provider;
mod secret;
#[cfg(feature = "virtual-clients-draft")]
mod virtual_clients;

use std::fmt;

pub use codec::CodecError;
pub use error::{ImportError, StorageError};
pub use incremental::{Change, Entry};

/// A storage for OpenMLS in memory.
///
/// It implements [`StorageProvider`](openmls_traits::storage::StorageProvider) for every version of
/// the stored types; the entries of different versions do not get in each other's way. See the
/// [module](self) for what it promises.
///
/// A clone is a storage of its own with a copy of everything, secrets included: what is deleted from
/// one stays in the other.
#[derive(Clone, Default)]
pub struct TrellisStorage {
    store: kv::Store,
}

impl TrellisStorage {
    /// An empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are, of all kinds together. The proposals in the queue of a group are
    /// an entry each, and the queue is one more.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.read().len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Says how many entries there are, and nothing about them.
impl fmt::Debug for TrellisStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Waiting for a lock while formatting would turn a log line into a deadlock.
        let mut output = f.debug_struct("TrellisStorage");
        match self.store.try_len() {
            Some(entries) => output.field("entries", &entries),
            None => output.field("entries", &format_args!("<locked>")),
        };
        output.finish()
    }
}
