//! Only one has a store open at a time.

use std::fs::{File, OpenOptions, TryLockError};

use super::open::Place;
use super::{Result, StoreError};

/// The lock of a store, which is given up when this is dropped or the process ends.
///
/// It is on a file of its own, because on most systems SQLite's locks on a file are gone when the
/// process closes that file anywhere, and the salt has to be read before SQLite opens it.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Locks the store at this place.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if it is locked, and those of the file.
    pub(super) fn of(place: &Place) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(place.beside("-lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    /// Closing the file would leave the lock to a child that another thread is just starting, since it
    /// has all open files until it runs its program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_up_though_a_child_has_the_file() {
        let name = format!("trellis-lock-{}", std::process::id());
        let place = Place::of(&std::env::temp_dir().join(name)).unwrap();
        let lock = Lock::of(&place).unwrap();
        assert_eq!(Lock::of(&place).unwrap_err(), StoreError::InUse);
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        drop(Lock::of(&place).unwrap());
        drop(inherited);
        std::fs::remove_file(place.beside("-lock")).unwrap();
    }
}
