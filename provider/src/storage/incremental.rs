//! Incremental persistence: the storage entry by entry, and which entries have changed.

use std::{collections::BTreeMap, fmt};

use zeroize::Zeroizing;

use super::{TrellisStorage, kv::Store, label::Label, secret::SecretBytes};

/// What is stored under a key. Keys name groups, epochs and public keys, and hold no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key: a few dozen bytes that stay the same from release to release.
    pub key: Vec<u8>,
    /// The value.
    pub value: Zeroizing<Vec<u8>>,
}

/// What has become of the entry under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// The value that is there now; none if the entry was removed.
    pub value: Option<Zeroizing<Vec<u8>>>,
}

impl Entry {
    /// Whether all members of a group know what is stored under this key: the ratchet tree, the
    /// GroupContext and what confirms them. The other entries hold keys, or may.
    #[must_use]
    pub fn is_public(key: &[u8]) -> bool {
        const PUBLIC: [u8; 4] = [
            Label::Tree as u8,
            Label::GroupContext as u8,
            Label::InterimTranscriptHash as u8,
            Label::ConfirmationTag as u8,
        ];
        key.first().is_some_and(|label| PUBLIC.contains(label))
    }
}

/// Incremental persistence.
impl TrellisStorage {
    /// An empty storage that remembers which entries change, for whoever keeps them in a database.
    ///
    /// Other storages don't, because what is remembered grows with every key that is ever used and
    /// only [`take_changes`](Self::take_changes) clears it.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
    /// use openmls_trellis_crypto::storage::{Entry, TrellisStorage};
    /// # #[derive(serde::Serialize)] struct Reference(u8);
    /// # #[derive(serde::Serialize, serde::Deserialize)] struct Package(String);
    /// # impl openmls_traits::storage::Key<CURRENT_VERSION> for Reference {}
    /// # impl openmls_traits::storage::Entity<CURRENT_VERSION> for Package {}
    /// # impl openmls_traits::storage::traits::HashReference<CURRENT_VERSION> for Reference {}
    /// # impl openmls_traits::storage::traits::KeyPackage<CURRENT_VERSION> for Package {}
    ///
    /// let mut database = BTreeMap::new();
    /// let storage = TrellisStorage::tracked();
    /// // … create groups, exchange messages …
    /// # storage.write_key_package(&Reference(1), &Package("one".to_owned()))?;
    /// for change in storage.take_changes().unwrap_or_default() {
    ///     match change.value {
    ///         Some(value) => database.insert(change.key, value),
    ///         None => database.remove(&change.key),
    ///     };
    /// }
    /// assert_eq!(storage.take_changes(), Some(vec![]));
    ///
    /// let stored = database.into_iter().map(|(key, value)| Entry { key, value });
    /// let restored = TrellisStorage::from_entries(stored);
    /// assert_eq!(restored.export(), storage.export());
    /// # Ok::<(), openmls_trellis_crypto::storage::StorageError>(())
    /// ```
    #[must_use]
    pub fn tracked() -> Self {
        Self { store: Store::tracked(BTreeMap::new()) }
    }

    /// A storage of these entries that remembers which of them [change](Self::tracked) from now on.
    /// Of entries with the same key the last one counts.
    #[must_use]
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let map = entries
            .into_iter()
            .map(|Entry { key, mut value }| {
                (SecretBytes::from_vec(key), SecretBytes::from_vec(std::mem::take(&mut *value)))
            })
            .collect();
        Self { store: Store::tracked(map) }
    }

    /// Copies of all entries, in the order of their keys.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let entries = self.store.read();
        entries.iter().map(|(key, value)| Entry { key: key.to_vec(), value: copy(value) }).collect()
    }

    /// The entries that were put or removed since the last call, in the order of their keys: each
    /// once, as it is now. An entry that came and went in between is among them, as removed.
    ///
    /// None, if the storage remembers no changes: if it was not made by [`tracked`](Self::tracked)
    /// or [`from_entries`](Self::from_entries), nor cloned from one that was. A clone starts
    /// without changes.
    #[must_use = "the changes are reported once"]
    pub fn take_changes(&self) -> Option<Vec<Change>> {
        let mut entries = self.store.write();
        let changed = entries.take_changed()?;
        let change = |key: &[u8]| Change { key: key.to_vec(), value: entries.get(key).map(copy) };
        Some(changed.iter().map(SecretBytes::as_slice).map(change).collect())
    }
}

fn copy(value: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.to_vec())
}

/// Says how long the value is, and nothing else.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("length", &self.value.len()).finish_non_exhaustive()
    }
}

/// Says how long the value is, and nothing else.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.value.as_ref().map(|value| value.len());
        f.debug_struct("Change").field("length", &length).finish_non_exhaustive()
    }
}
