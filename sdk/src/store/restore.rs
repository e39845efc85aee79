//! Making a store out of a backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::open::Place;
use super::{Key, Store, StoreError, StoreOptions};

/// A file that is no store yet. What is left of it goes with the value.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-lock"] {
            let mut file = self.0.clone().into_os_string();
            file.push(suffix);
            // After a success only the lock is there.
            let _ = fs::remove_file(file);
        }
    }
}

impl Store {
    /// Makes a new store at a path out of a backup, and has `prepare` make of it what it is to be.
    ///
    /// The file is either there as a whole, with what `prepare` did, or not at all: what a backup is
    /// before that must never be gone on with. The backup stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is a file at the path, [`StoreError::Io`] if there is no
    /// backup, those of opening either, and those of `prepare`.
    pub(crate) fn from_backup<E: From<StoreError>>(
        path: &Path,
        key: &Key,
        options: StoreOptions,
        backup: (&Path, &Key),
        prepare: impl FnOnce(Self) -> Result<Self, E>,
    ) -> Result<Self, E> {
        let place = Place::of(path)?;
        let lock = place.lock()?;
        if place.file.exists() {
            return Err(StoreError::Exists.into());
        }
        // To open a store that is not there would make one.
        if !backup.0.exists() {
            return Err(StoreError::Io(io::ErrorKind::NotFound).into());
        }
        let unfinished = Unfinished(place.beside("-restoring"));
        Self::open(backup.0, backup.1, options)?.backup(&unfinished.0, key)?;
        drop(prepare(Self::open(&unfinished.0, key, options)?)?);
        fs::rename(&unfinished.0, &place.file).map_err(StoreError::from)?;
        place.sync_directory()?;
        drop((unfinished, lock));
        Ok(Self::open(path, key, options)?)
    }
}
