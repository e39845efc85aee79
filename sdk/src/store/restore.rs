//! Making a store out of a backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::open::Place;
use super::{Key, Store, StoreError, StoreOptions};

/// A file that is no store yet. Nothing of it stays but what was given another name.
struct Unfinished(PathBuf);

impl Unfinished {
    /// A new one. What a crash left of an earlier one goes first: SQLite would take its journal for
    /// the new file's.
    fn new(file: PathBuf) -> Self {
        let unfinished = Self(file);
        unfinished.clear();
        unfinished
    }

    fn clear(&self) {
        for suffix in ["", "-journal", "-lock"] {
            let mut file = self.0.clone().into_os_string();
            file.push(suffix);
            // Mostly it is not there.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.clear();
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
        let lock = Lock::of(&place)?;
        if place.file.exists() {
            return Err(StoreError::Exists.into());
        }
        // To open a store that is not there would make one.
        if !backup.0.exists() {
            return Err(StoreError::Io(io::ErrorKind::NotFound).into());
        }
        let unfinished = Unfinished::new(place.beside("-restoring"));
        Self::open(backup.0, backup.1, options)?.backup(&unfinished.0, key)?;
        drop(prepare(Self::open(&unfinished.0, key, options)?)?);
        fs::rename(&unfinished.0, &place.file).map_err(StoreError::from)?;
        place.sync_directory()?;
        drop((unfinished, lock));
        Ok(Self::open(path, key, options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Space;

    #[test]
    fn what_a_crash_left_does_no_harm() {
        let name = format!("trellis-store-restore-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let (file, backup) = (directory.join("store"), directory.join("backup"));
        let (key, options) = (Key::raw([7; 32]), StoreOptions::default());
        let mut store = Store::in_memory().unwrap();
        store.transaction(|store| store.put(Space::Setting, b"", b"a", b"kept")).unwrap();
        store.backup(&backup, &key).unwrap();

        // So many writes that some are in the file before the transaction ends.
        let mut crashing = Store::open(directory.join("crashing"), &key, options).unwrap();
        crashing.begin().unwrap();
        for number in 0..8000_u32 {
            crashing.put(Space::Done, b"", &number.to_be_bytes(), &[1; 3000]).unwrap();
        }
        for suffix in ["", "-journal"] {
            let from = directory.join(format!("crashing{suffix}"));
            assert!(fs::metadata(&from).unwrap().len() > 0);
            fs::copy(from, directory.join(format!("store-restoring{suffix}"))).unwrap();
        }
        drop(crashing);

        let from = (&*backup, &key);
        let refused = Store::from_backup(&file, &key, options, from, |_| Err(StoreError::Full));
        assert_eq!(refused.map(drop), Err(StoreError::Full));
        assert!(!file.exists());
        let restored = Store::from_backup(&file, &key, options, from, Ok::<_, StoreError>).unwrap();
        assert_eq!(restored.get(Space::Setting, b"", b"a").unwrap().unwrap().as_slice(), b"kept");
        assert_eq!(restored.scan(Space::Done, b"").unwrap(), []);
        let left = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!left.into_iter().any(|name| name.to_str().unwrap().contains("restoring")));
        drop(restored);
        fs::remove_dir_all(directory).unwrap();
    }
}
