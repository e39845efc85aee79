//! A copy of everything in another file, under another key.

use std::fs;
use std::path::Path;

use rusqlite::params;
use zeroize::Zeroizing;

use super::key::{self, Key};
use super::lock::Lock;
use super::open::{self, Place};
use super::schema;
use super::{Result, Store, StoreError};

impl Store {
    /// Writes everything into a file of its own, encrypted with a key of its own, which
    /// [`Store::open`] opens like any other. What was deleted is not in it.
    ///
    /// The file is either there as a whole or not at all; one that was there is replaced, unless it
    /// is a store in use. With a passphrase, the same [cost](super::KeyCost) as for this store
    /// opens it.
    ///
    /// A group must not be continued from a backup, since its keys may have been used since; see
    /// [`drop_all_states`](Self::drop_all_states).
    ///
    /// # Errors
    ///
    /// [`StoreError::InTransaction`] within a transaction, [`StoreError::InUse`] if the path is that
    /// of a store in use, and those of the file.
    pub fn backup(&self, path: impl AsRef<Path>, key: &Key) -> Result<()> {
        if self.in_transaction() {
            return Err(StoreError::InTransaction);
        }
        let place = Place::of(path.as_ref())?;
        let _lock = Lock::of(&place)?;
        let unfinished = place.beside("-unfinished");
        let outcome = self
            .export(&unfinished, key)
            .and_then(|()| Ok(fs::rename(&unfinished, &place.file)?))
            .and_then(|()| place.sync_directory());
        if outcome.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        outcome
    }

    /// Writes everything into a new file and makes sure that it is on the disk.
    fn export(&self, file: &Path, key: &Key) -> Result<()> {
        let salt = key::new_salt()?;
        let key: Zeroizing<String> = key.for_file(&salt, self.options.cost)?;
        let _ = fs::remove_file(file);
        open::create_private(file)?;
        let name = file.to_str().ok_or(StoreError::Io(std::io::ErrorKind::InvalidFilename))?;
        self.connection.execute("ATTACH DATABASE ?1 AS backup KEY ?2", params![name, *key])?;
        let copied = self.copy_attached();
        let detached = self.connection.execute_batch("DETACH DATABASE backup");
        copied?;
        detached?;
        fs::OpenOptions::new().write(true).open(file)?.sync_all()?;
        Ok(())
    }

    fn copy_attached(&self) -> Result<()> {
        let version = schema::version(&self.connection)?;
        // The file is no store before it has its name, so that a journal of it protects nothing.
        self.connection.execute_batch(
            "PRAGMA backup.journal_mode = OFF;
            PRAGMA backup.synchronous = OFF;
            SELECT sqlcipher_export('backup');",
        )?;
        self.connection.execute_batch(&format!("PRAGMA backup.user_version = {version}"))?;
        Ok(())
    }
}
