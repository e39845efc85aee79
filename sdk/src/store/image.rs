//! A store as it is to the byte, for simulations: what a thief of the file would find once it is
//! decrypted, and a second store that goes its own way.

use rusqlite::Connection;

use super::{Result, Store, StoreError};

impl Store {
    /// Every page of the database, those among them that are free.
    ///
    /// # Errors
    ///
    /// [`StoreError::InTransaction`] within a transaction, and those of the memory.
    pub fn image(&self) -> Result<Vec<u8>> {
        if self.in_transaction() {
            return Err(StoreError::InTransaction);
        }
        Ok(self.connection.serialize("main")?.to_vec())
    }

    /// A store in memory that holds what this one holds. No group must be gone on with in both,
    /// unless to see what comes of it.
    ///
    /// # Errors
    ///
    /// As for [`image`](Self::image).
    pub fn copy_to_memory(&self) -> Result<Self> {
        let image = self.image()?;
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact("main", &image[..], image.len(), false)?;
        Self::memory(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Space;

    const MARK: &[u8] = b"a key that has to go";

    fn put(store: &mut Store, key: &[u8], value: &[u8]) {
        store.transaction(|store| store.put(Space::Setting, b"", key, value)).unwrap();
    }

    fn shows(store: &Store) -> bool {
        store.image().unwrap().windows(MARK.len()).any(|window| window == MARK)
    }

    #[test]
    fn an_image_shows_what_is_there_and_nothing_that_was_erased() {
        let mut store = Store::in_memory().unwrap();
        assert!(!shows(&store));
        put(&mut store, b"1", MARK);
        assert!(shows(&store));
        store.transaction(|store| store.delete(Space::Setting, b"", b"1")).unwrap();
        store.erase().unwrap();
        assert!(!shows(&store));
        store.begin().unwrap();
        assert_eq!(store.image(), Err(StoreError::InTransaction));
    }

    #[test]
    fn what_was_taken_back_does_not_stay_in_free_pages() {
        let mut store = Store::in_memory().unwrap();
        let fill = |store: &mut Store, value: &[u8]| {
            (0..50).try_for_each(|key| store.put(Space::Setting, b"", &[key], value))
        };
        store.transaction(|store| fill(store, &[7; 4000])).unwrap();
        store.transaction(|store| fill(store, b"short")).unwrap();
        store.begin().unwrap();
        fill(&mut store, &MARK.repeat(200)).unwrap();
        store.rollback();
        assert!(shows(&store), "SQLite does not take back what free pages hold");
        // Who finds it so after a crash knows nothing of it.
        let mut found = store.copy_to_memory().unwrap();
        for store in [&mut store, &mut found] {
            store.erase().unwrap();
            assert!(!shows(store));
            let kept = store.get(Space::Setting, b"", &[7]).unwrap();
            assert_eq!(kept.unwrap().as_slice(), b"short");
        }
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut store = Store::in_memory().unwrap();
        put(&mut store, b"both", b"1");
        let mut copy = store.copy_to_memory().unwrap();
        put(&mut copy, b"copy", MARK);
        put(&mut store, b"store", b"2");
        let get = |store: &Store, key| store.get(Space::Setting, b"", key).unwrap().is_some();
        assert!(get(&copy, b"both") && get(&copy, b"copy") && !get(&copy, b"store"));
        assert!(get(&store, b"both") && get(&store, b"store") && !get(&store, b"copy"));
        assert!(shows(&copy) && !shows(&store));
        copy.erase().unwrap();
    }
}
