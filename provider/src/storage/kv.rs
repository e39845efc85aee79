//! The map behind the storage: byte strings under byte strings, and lists of byte strings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::secret::SecretBytes;

/// The capacity of the buffer for a value that replaces none. Most values are smaller.
const FIRST_CAPACITY: usize = 1024;

/// Buffers from this capacity on are worth keeping for the next value. Smaller ones the allocator
/// hands out as quickly.
const SPARE_CAPACITY: usize = 16 * 1024;

/// The bytes before an item of a list: its length, big endian.
const ITEM_HEADER: usize = size_of::<u64>();

/// A map behind a lock.
#[derive(Default)]
pub(super) struct Store(RwLock<Entries>);

/// The map. Sorted, so that the entries of one kind are together and exports are deterministic.
#[derive(Default)]
pub(super) struct Entries {
    map: BTreeMap<SecretBytes, SecretBytes>,
    /// The wiped buffer of a large value that was replaced.
    spare: SecretBytes,
    /// The keys of what was put or removed, if that is to be remembered.
    changed: Option<BTreeSet<SecretBytes>>,
}

/// A list that is not made of whole items. Only an import can bring one in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MalformedList;

// A lock is poisoned if a thread panicked while it held it for writing. What happens under this
// lock are operations of maps and vectors on finished byte strings: all code that is not ours
// (`Serialize`, `Deserialize`) runs outside of it or under a read guard, and each of the changes
// that make up a batch leaves the map in order. So the map is usable, and a storage that
// panicked ever after would only turn one failure into many.
impl Store {
    /// A store of these entries.
    pub(super) fn new(map: BTreeMap<SecretBytes, SecretBytes>) -> Self {
        Self(RwLock::new(Entries { map, spare: SecretBytes::default(), changed: None }))
    }

    /// A store of these entries that remembers what is changed from now on.
    pub(super) fn tracked(map: BTreeMap<SecretBytes, SecretBytes>) -> Self {
        let changed = Some(BTreeSet::new());
        Self(RwLock::new(Entries { map, spare: SecretBytes::default(), changed }))
    }

    /// Locks for reading.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for writing: what is done with one guard, others see all of or nothing.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many entries there are, unless the map is locked.
    pub(super) fn try_len(&self) -> Option<usize> {
        use std::sync::TryLockError;
        match self.0.try_read() {
            Ok(entries) => Some(entries.len()),
            Err(TryLockError::Poisoned(entries)) => Some(entries.into_inner().len()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// A buffer for a value that is going to be put under `key`: as large as what is there now,
    /// because what OpenMLS rewrites has about the same size as before.
    pub(super) fn buffer(&self, key: &[u8]) -> SecretBytes {
        let mut entries = self.write();
        let Some(length) = entries.get(key).map(<[u8]>::len) else {
            return SecretBytes::with_capacity(FIRST_CAPACITY);
        };
        // The spare one must not be so large that a small value would hold on to it.
        if (length..=length + length / 8).contains(&entries.spare.capacity()) {
            return entries.spare.take();
        }
        SecretBytes::with_capacity(length + length / 16 + ITEM_HEADER)
    }
}

/// A copy of the entries, which remembers changes if the original does, and has none yet.
impl Clone for Store {
    fn clone(&self) -> Self {
        let entries = self.read();
        let map = entries
            .iter()
            .map(|(key, value)| (SecretBytes::copy_of(key), SecretBytes::copy_of(value)))
            .collect();
        if entries.changed.is_some() { Self::tracked(map) } else { Self::new(map) }
    }
}

impl Entries {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// All entries in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.map.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// The value under `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.map.get(key).map(SecretBytes::as_slice)
    }

    /// Stores `value` under `key`; what was there before is wiped.
    pub(super) fn put(&mut self, key: SecretBytes, value: SecretBytes) {
        self.remember(key.as_slice());
        if let Some(mut old) = self.map.insert(key, value.fitted())
            && old.capacity() >= SPARE_CAPACITY.max(self.spare.capacity())
        {
            old.wipe();
            self.spare = old;
        }
    }

    /// Removes what is under `key`, if anything.
    pub(super) fn remove(&mut self, key: &[u8]) {
        if self.map.remove(key).is_some() {
            self.remember(key);
        }
    }

    /// Takes the keys of what was put or removed since the last call, if they were remembered.
    pub(super) fn take_changed(&mut self) -> Option<BTreeSet<SecretBytes>> {
        self.changed.as_mut().map(std::mem::take)
    }

    /// Notes that what is under `key` is another, or gone.
    fn remember(&mut self, key: &[u8]) {
        if let Some(changed) = &mut self.changed
            && !changed.contains(key)
        {
            changed.insert(SecretBytes::copy_of(key));
        }
    }

    /// The values of the entries whose keys begin with `prefix`.
    #[cfg(feature = "virtual-clients-draft")]
    pub(super) fn values_under<'a>(&'a self, prefix: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        use std::ops::Bound;
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.map
            .range::<[u8], _>(from)
            .take_while(move |(key, _)| key.as_slice().starts_with(prefix))
            .map(|(_, value)| value.as_slice())
    }

    /// Adds an item at the end of the list under `key`.
    pub(super) fn append(&mut self, key: SecretBytes, item: &[u8]) {
        self.remember(key.as_slice());
        let list = self.map.entry(key).or_default();
        list.reserve(ITEM_HEADER + item.len());
        list.extend_from_slice(&(item.len() as u64).to_be_bytes());
        list.extend_from_slice(item);
    }

    /// Removes the first item of the list under `key` that equals `item`, if there is one.
    pub(super) fn remove_item(&mut self, key: &[u8], item: &[u8]) -> Result<(), MalformedList> {
        let Some(list) = self.map.get_mut(key) else { return Ok(()) };
        let mut start = 0;
        let mut found = None;
        for stored in Items(list.as_slice()) {
            let stored = stored?;
            let end = start + ITEM_HEADER + stored.len();
            if stored == item {
                found = Some((start, end));
                break;
            }
            start = end;
        }
        if let Some((start, end)) = found {
            list.cut(start, end);
        }
        if list.len() == 0 {
            self.remove(key);
        } else if found.is_some() {
            self.remember(key);
        }
        Ok(())
    }

    /// The items of the list under `key` in the order they were added.
    pub(super) fn items(&self, key: &[u8]) -> Items<'_> {
        Items(self.get(key).unwrap_or_default())
    }
}

/// The items of a list.
pub(super) struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a [u8], MalformedList>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let item = self.0.split_first_chunk::<ITEM_HEADER>().and_then(|(header, rest)| {
            rest.split_at_checked(usize::try_from(u64::from_be_bytes(*header)).ok()?)
        });
        let Some((item, rest)) = item else {
            self.0 = &[];
            return Some(Err(MalformedList));
        };
        self.0 = rest;
        Some(Ok(item))
    }
}
