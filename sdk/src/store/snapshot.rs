//! The states of groups, each a whole storage that can be loaded.
//!
//! Most entries of a storage are small and change with every commit; they are kept with the state.
//! The ratchet tree is large, and a commit changes the nodes of one path. It is cut into chunks by
//! [content](super::chunk), and each chunk is kept once, however many states refer to it. No
//! comparison with the parent is needed for that: an unchanged part is found by its hash wherever it
//! came from, from the parent, a sibling or the other branch of a fork.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HashType;
use openmls_trellis_crypto::TrellisStorage;
use openmls_trellis_crypto::storage::{Change, Entry};
use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use super::chunk::chunks;
use super::record::{optional_secret, secret};
use super::transaction::execute;
use super::{Result, Store, StoreError};
use crate::{GroupId, StateId};

/// From this length on a value is cut.
const CUT_FROM: usize = 2 << 10;

/// The key under which chunks are hashed. It is no secret. A hash of this use should not be one of
/// another, and the provider keeps a copy of what it hashes without a key, in case it comes again.
const CHUNK_LABEL: &[u8] = b"trellis chunk";

/// The bytes of a number in a list of chunks.
const NUMBER: usize = size_of::<i64>();

/// What the snapshots take: rows of all their tables, and the bytes in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotSize {
    /// How many rows there are.
    pub rows: u64,
    /// How many bytes are in them.
    pub bytes: u64,
}

impl Store {
    /// Keeps a state of a group; one of the same name is replaced. The storage counts as unchanged
    /// from then on.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn state_create(
        &mut self,
        group: GroupId,
        state: StateId,
        parent: Option<StateId>,
        storage: &TrellisStorage,
    ) -> Result<()> {
        const CREATE: &str = "INSERT INTO state (group_id, name, parent) VALUES (?1, ?2, ?3)";
        self.write(|store| {
            store.remove_state(group, state)?;
            let parent = parent.as_ref().map(AsRef::as_ref);
            let parent: Option<&[u8]> = parent;
            execute(&store.connection, CREATE, params![group.as_ref(), state.as_ref(), parent])?;
            let id = store.connection.last_insert_rowid();
            let _ = storage.take_changes();
            storage
                .entries()
                .iter()
                .try_for_each(|entry| store.put_entry(id, &entry.key, &entry.value))
        })
    }

    /// Writes the entries of a state that changed since it was created, loaded or updated. Of a
    /// storage that does not [track](TrellisStorage::tracked) its changes all entries are written.
    ///
    /// If the transaction is taken back, the storage is ahead of the store: load it again.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoState`], [`StoreError::NoTransaction`], and those of the file.
    pub fn state_update(
        &mut self,
        group: GroupId,
        state: StateId,
        storage: &TrellisStorage,
    ) -> Result<()> {
        self.write(|store| {
            let id = store.state_row(group, state)?.ok_or(StoreError::NoState)?;
            let Some(changes) = storage.take_changes() else {
                store.remove_entries(id)?;
                return storage
                    .entries()
                    .iter()
                    .try_for_each(|entry| store.put_entry(id, &entry.key, &entry.value));
            };
            changes.iter().try_for_each(|Change { key, value }| match value {
                Some(value) => store.put_entry(id, key, value),
                None => store.remove_entry(id, key),
            })
        })
    }

    /// A state of a group, as a storage that tracks its changes.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn state_load(&self, group: GroupId, state: StateId) -> Result<Option<TrellisStorage>> {
        const LOAD: &str = "SELECT key, value, chunks FROM entry WHERE state = ?1";
        let Some(id) = self.state_row(group, state)? else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(LOAD)?;
        let mut rows = statement.query([id])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let value = match optional_secret(row, 1)? {
                Some(value) => value,
                None => self.joined(&List::decode(row.get_ref(2)?.as_blob().map_err(damaged)?)?)?,
            };
            entries.push(Entry { key: row.get(0)?, value });
        }
        Ok(Some(TrellisStorage::from_entries(entries)))
    }

    /// Removes a state of a group, and says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn state_delete(&mut self, group: GroupId, state: StateId) -> Result<bool> {
        self.write(|store| store.remove_state(group, state))
    }

    /// The states of a group, in the order in which they were created.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn states(&self, group: GroupId) -> Result<Vec<StateId>> {
        const STATES: &str = "SELECT name FROM state WHERE group_id = ?1 ORDER BY id";
        self.connection
            .prepare_cached(STATES)?
            .query_map([group.as_ref()], |row| row.get::<_, Vec<u8>>(0))?
            .map(|name| StateId::from_slice(&name?).ok_or(StoreError::Damaged))
            .collect()
    }

    /// The parent of a state, as it was given when the state was created. The parent itself may be
    /// gone.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn state_parent(&self, group: GroupId, state: StateId) -> Result<Option<StateId>> {
        const PARENT: &str = "SELECT parent FROM state WHERE group_id = ?1 AND name = ?2";
        let parent: Option<Option<Vec<u8>>> = self
            .connection
            .prepare_cached(PARENT)?
            .query_row([group.as_ref(), state.as_ref()], |row| row.get(0))
            .optional()?;
        parent
            .flatten()
            .map(|name| StateId::from_slice(&name).ok_or(StoreError::Damaged))
            .transpose()
    }

    /// Removes all states of all groups, as a device does that comes out of a backup: another device
    /// may have gone on from them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn drop_all_states(&mut self) -> Result<()> {
        self.write(|store| {
            ["entry", "state", "chunk_data", "chunk"].iter().try_for_each(|table| {
                execute(&store.connection, &format!("DELETE FROM {table}"), ()).map(drop)
            })
        })
    }

    /// What the snapshots take.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn snapshot_size(&self) -> Result<SnapshotSize> {
        const SIZE: &str = "SELECT count(*), coalesce(sum(bytes), 0) FROM (
            SELECT length(group_id) + length(name) + coalesce(length(parent), 0) AS bytes FROM state
            UNION ALL
            SELECT length(key) + coalesce(length(value), 0) + coalesce(length(chunks), 0) FROM entry
            UNION ALL
            SELECT length(hash) + 8 FROM chunk
            UNION ALL
            SELECT length(data) FROM chunk_data
        )";
        let (rows, bytes): (i64, i64) =
            self.connection.query_row(SIZE, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(SnapshotSize { rows: rows.cast_unsigned(), bytes: bytes.cast_unsigned() })
    }

    fn state_row(&self, group: GroupId, state: StateId) -> Result<Option<i64>> {
        const FIND: &str = "SELECT id FROM state WHERE group_id = ?1 AND name = ?2";
        self.connection
            .prepare_cached(FIND)?
            .query_row([group.as_ref(), state.as_ref()], |row| row.get(0))
            .optional()
            .map_err(StoreError::from)
    }

    fn remove_state(&self, group: GroupId, state: StateId) -> Result<bool> {
        let Some(id) = self.state_row(group, state)? else { return Ok(false) };
        self.remove_entries(id)?;
        execute(&self.connection, "DELETE FROM state WHERE id = ?1", [id])?;
        Ok(true)
    }

    fn remove_entries(&self, state: i64) -> Result<()> {
        const LISTS: &str = "SELECT chunks FROM entry WHERE state = ?1 AND chunks IS NOT NULL";
        let lists: Vec<Vec<u8>> = self
            .connection
            .prepare_cached(LISTS)?
            .query_map([state], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        execute(&self.connection, "DELETE FROM entry WHERE state = ?1", [state])?;
        for list in lists {
            self.release(&List::decode(&list)?.chunks)?;
        }
        Ok(())
    }

    fn put_entry(&self, state: i64, key: &[u8], value: &[u8]) -> Result<()> {
        const PUT: &str = "INSERT INTO entry (state, key, value, chunks) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET value = excluded.value, chunks = excluded.chunks";
        // What may hold a secret is never cut: a chunk lives as long as any state refers to it, and
        // is not written anew when the store is erased.
        let list = if value.len() >= CUT_FROM && Entry::is_public(key) {
            Some(self.keep(value)?)
        } else {
            None
        };
        // After keeping the new chunks, so that those that stay are not removed in between.
        let old = self.list_of(state, key)?;
        let encoded = list.as_ref().map(List::encode);
        let value = encoded.is_none().then_some(value);
        execute(&self.connection, PUT, params![state, key, value, encoded])?;
        old.map_or(Ok(()), |old| self.release(&old.chunks))
    }

    fn remove_entry(&self, state: i64, key: &[u8]) -> Result<()> {
        let old = self.list_of(state, key)?;
        const REMOVE: &str = "DELETE FROM entry WHERE state = ?1 AND key = ?2";
        execute(&self.connection, REMOVE, params![state, key])?;
        old.map_or(Ok(()), |old| self.release(&old.chunks))
    }

    /// The list of the chunks of an entry, if it is there and has one.
    fn list_of(&self, state: i64, key: &[u8]) -> Result<Option<List>> {
        const LIST: &str = "SELECT chunks FROM entry WHERE state = ?1 AND key = ?2";
        let list: Option<Option<Vec<u8>>> = self
            .connection
            .prepare_cached(LIST)?
            .query_row(params![state, key], |row| row.get(0))
            .optional()?;
        list.flatten().map(|list| List::decode(&list)).transpose()
    }

    /// Keeps the chunks of a value, with one reference more to each.
    fn keep(&self, value: &[u8]) -> Result<List> {
        const REFER: &str = "INSERT INTO chunk (hash, refs) VALUES (?1, 1)
            ON CONFLICT DO UPDATE SET refs = refs + 1 RETURNING id, refs";
        const FILL: &str = "INSERT INTO chunk_data (id, data) VALUES (?1, ?2)";
        let mut refer = self.connection.prepare_cached(REFER)?;
        let mut list = List { length: value.len(), chunks: Vec::new() };
        for chunk in chunks(value) {
            let hash = self
                .crypto
                .hmac(HashType::Sha2_256, CHUNK_LABEL, chunk)
                .map_err(|_| StoreError::Memory)?;
            let (id, refs): (i64, i64) =
                refer.query_row([hash.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if refs == 1 {
                execute(&self.connection, FILL, params![id, chunk])?;
            }
            list.chunks.push(id);
        }
        Ok(list)
    }

    /// Takes a reference from each of these chunks, and removes those that have none left.
    fn release(&self, chunks: &[i64]) -> Result<()> {
        const UNREFER: &str = "UPDATE chunk SET refs = refs - 1 WHERE id = ?1 RETURNING refs";
        let mut unrefer = self.connection.prepare_cached(UNREFER)?;
        for id in chunks {
            let refs: i64 = unrefer.query_row([id], |row| row.get(0))?;
            if refs == 0 {
                execute(&self.connection, "DELETE FROM chunk_data WHERE id = ?1", [id])?;
                execute(&self.connection, "DELETE FROM chunk WHERE id = ?1", [id])?;
            }
        }
        Ok(())
    }

    /// The value that was cut into these chunks.
    fn joined(&self, list: &List) -> Result<Zeroizing<Vec<u8>>> {
        const READ: &str = "SELECT data FROM chunk_data WHERE id = ?1";
        let mut read = self.connection.prepare_cached(READ)?;
        let mut value = Zeroizing::new(Vec::with_capacity(list.length));
        for id in &list.chunks {
            let chunk = read.query_row([id], |row| secret(row, 0))?;
            value.extend_from_slice(&chunk);
        }
        if value.len() == list.length { Ok(value) } else { Err(StoreError::Damaged) }
    }
}

/// How a value was cut: how long it is, and the numbers of its chunks.
struct List {
    length: usize,
    chunks: Vec<i64>,
}

impl List {
    fn encode(&self) -> Vec<u8> {
        let length = (self.length as u64).to_be_bytes();
        let chunks = self.chunks.iter().map(|id| id.to_be_bytes());
        std::iter::once(length).chain(chunks).flatten().collect()
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let (numbers, rest) = bytes.as_chunks::<NUMBER>();
        let (length, chunks) = numbers.split_first().ok_or(StoreError::Damaged)?;
        if !rest.is_empty() {
            return Err(StoreError::Damaged);
        }
        let length =
            usize::try_from(u64::from_be_bytes(*length)).map_err(|_| StoreError::Damaged)?;
        // No chunk is empty and none is longer than this, so a false length reserves no memory.
        if length > chunks.len().saturating_mul(super::chunk::LONGEST) {
            return Err(StoreError::Damaged);
        }
        Ok(Self { length, chunks: chunks.iter().map(|id| i64::from_be_bytes(*id)).collect() })
    }
}

fn damaged(_: rusqlite::types::FromSqlError) -> StoreError {
    StoreError::Damaged
}
