//! What the engine keeps, as bytes under a key.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, params};
use zeroize::Zeroizing;

use super::transaction::execute;
use super::{Result, Store, StoreError};

/// The kinds of records. The numbers are in the file: they never change, and a retired one is not
/// given away again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Space {
    /// The account and its keys.
    Account = 1,
    /// This device and its keys.
    Device = 2,
    /// What binds devices to accounts.
    Binding = 3,
    /// Key packages of this device, with their private keys.
    KeyPackage = 4,
    /// Groups.
    Group = 5,
    /// What the engine knows about the states of a group, beside the snapshots.
    State = 6,
    /// Commits.
    Commit = 7,
    /// Intents.
    Intent = 8,
    /// What the transport has not taken yet.
    Outbox = 9,
    /// Chunks by their content hash.
    Content = 10,
    /// Messages of one's own that may have to be sent again.
    Sent = 11,
    /// What is known of other members and devices.
    Peer = 12,
    /// Keys under which beacons are encrypted.
    BeaconKey = 13,
    /// What has been dealt with already.
    Done = 14,
    /// What waits for something else.
    Pending = 15,
    /// Settings.
    Setting = 16,
    /// Welcomes that have to reach a device.
    Welcome = 17,
    /// Words of devices that they leave a group.
    Leave = 18,
    /// States that were given up and that somebody came in by.
    Ward = 19,
}

/// A key with its value.
pub type Record = (Vec<u8>, Zeroizing<Vec<u8>>);

impl Store {
    /// Keeps a value under a key; what was there is replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn put(&mut self, space: Space, scope: &[u8], key: &[u8], value: &[u8]) -> Result<()> {
        const PUT: &str = "INSERT INTO record (space, scope, key, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET value = excluded.value";
        self.write(|store| {
            execute(&store.connection, PUT, params![space as u8, scope, key, value])?;
            Ok(())
        })
    }

    /// Removes what is under a key, and says whether there was anything.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub fn delete(&mut self, space: Space, scope: &[u8], key: &[u8]) -> Result<bool> {
        const DELETE: &str = "DELETE FROM record WHERE space = ?1 AND scope = ?2 AND key = ?3";
        self.write(|store| {
            Ok(execute(&store.connection, DELETE, params![space as u8, scope, key])? > 0)
        })
    }

    /// Removes everything in a scope, and says how many records there were.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub fn delete_scope(&mut self, space: Space, scope: &[u8]) -> Result<usize> {
        const DELETE: &str = "DELETE FROM record WHERE space = ?1 AND scope = ?2";
        self.write(|store| execute(&store.connection, DELETE, params![space as u8, scope]))
    }

    /// What is under a key.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn get(
        &self,
        space: Space,
        scope: &[u8],
        key: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        const GET: &str = "SELECT value FROM record WHERE space = ?1 AND scope = ?2 AND key = ?3";
        self.connection
            .prepare_cached(GET)?
            .query_row(params![space as u8, scope, key], |row| secret(row, 0))
            .optional()
            .map_err(StoreError::from)
    }

    /// Everything in a scope, in the order of the keys.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn scan(&self, space: Space, scope: &[u8]) -> Result<Vec<Record>> {
        self.scan_from(space, scope, &[], usize::MAX)
    }

    /// At most `limit` records of a scope, in the order of the keys, from the first on whose key is
    /// not below `from`.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn scan_from(
        &self,
        space: Space,
        scope: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Record>> {
        const SCAN: &str = "SELECT key, value FROM record
            WHERE space = ?1 AND scope = ?2 AND key >= ?3 ORDER BY key LIMIT ?4";
        self.connection
            .prepare_cached(SCAN)?
            .query_map(params![space as u8, scope, from, sql_limit(limit)], |row| {
                Ok((row.get(0)?, secret(row, 1)?))
            })?
            .map(|row| row.map_err(StoreError::from))
            .collect()
    }
}

/// A column of bytes, wiped when it is dropped.
pub(super) fn secret(row: &Row<'_>, column: usize) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(row.get_ref(column)?.as_blob()?.to_vec()))
}

/// A column of bytes, wiped when it is dropped, unless it is null.
pub(super) fn optional_secret(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<Zeroizing<Vec<u8>>>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => secret(row, column).map(Some),
    }
}

/// A limit as SQLite takes it.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
