//! Making sure that what was deleted is gone.

use super::open::PAGE;
use super::{Result, Store, StoreError};

/// The tables that hold keys.
const TABLES: [&str; 2] = ["record", "entry"];

/// How much room is taken at a time: one value of SQLite has a billion bytes at most.
const PIECE: u64 = 64 << 20;

impl Store {
    /// Writes the tables that hold keys anew, so that nothing that was deleted from them before is
    /// in the file afterwards; see the [module](super) for why deleting is not enough. History and
    /// chunks of ratchet trees are left alone, so the cost goes with what the engine keeps.
    ///
    /// # Errors
    ///
    /// [`StoreError::InTransaction`] within a transaction, and those of the file.
    pub fn erase(&mut self) -> Result<()> {
        if self.in_transaction() {
            return Err(StoreError::InTransaction);
        }
        self.transaction(|store| {
            store.write(|store| {
                if store.stale {
                    store.clear_free_pages()?;
                }
                TABLES.iter().try_for_each(|table| {
                    // The copy is in memory. Deleting everything frees the pages of the table, and
                    // pages that fall free are cleared as a whole.
                    store.connection.execute_batch(&format!(
                        "CREATE TEMP TABLE anew AS SELECT * FROM main.{table};
                        DELETE FROM main.{table};
                        INSERT INTO main.{table} SELECT * FROM anew;
                        DROP TABLE anew;"
                    ))?;
                    Ok(())
                })
            })
        })?;
        self.stale = false;
        Ok(())
    }

    /// Takes all free pages, and lets them go again.
    fn clear_free_pages(&self) -> Result<()> {
        let count = "freelist_count";
        let pages: u64 = self.connection.pragma_query_value(None, count, |row| row.get(0))?;
        let mut left = pages.saturating_mul(PAGE);
        self.connection.execute_batch("CREATE TABLE main.room (bytes BLOB);")?;
        while left > 0 {
            let piece = left.min(PIECE);
            let insert = format!("INSERT INTO main.room VALUES (zeroblob({piece}));");
            self.connection.execute_batch(&insert)?;
            left -= piece;
        }
        self.connection.execute_batch("DROP TABLE main.room;")?;
        Ok(())
    }

    /// Writes the whole file anew, without room for what was deleted. That takes as long as writing
    /// everything, and as much room again in the meantime.
    ///
    /// # Errors
    ///
    /// [`StoreError::InTransaction`] within a transaction, and those of the file.
    pub fn compact(&mut self) -> Result<()> {
        if self.in_transaction() {
            return Err(StoreError::InTransaction);
        }
        self.connection.execute_batch("VACUUM")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use openmls_trellis_crypto::TrellisStorage;
    use openmls_trellis_crypto::storage::Entry;
    use rusqlite::Connection;
    use zeroize::Zeroizing;

    use super::*;
    use crate::store::{Space, StoreOptions};
    use crate::{GroupId, StateId};

    const GROUP: GroupId = GroupId([1; 32]);
    const MARK: &[u8] = b"key that has to go";

    /// A value in which the mark and a number stand again and again.
    fn marked(number: u32, length: usize) -> Vec<u8> {
        let unit = [MARK, &number.to_be_bytes()[..]].concat();
        unit.iter().copied().cycle().take(length).collect()
    }

    /// Which numbers stand in the file after a mark.
    fn found(file: &std::path::Path) -> std::collections::BTreeSet<u32> {
        let bytes = fs::read(file).unwrap();
        let unit = MARK.len() + 4;
        bytes
            .windows(unit)
            .filter(|window| window.starts_with(MARK))
            .map(|window| u32::from_be_bytes(window[MARK.len()..].try_into().unwrap()))
            // Where a value goes on in another page, a mark may be the last before the end.
            .filter(|number| *number < 400)
            .collect()
    }

    #[test]
    fn an_encrypted_file_is_erased_the_first_time_and_after_a_failure() {
        let name = format!("trellis-erase-encrypted-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let open = || {
            let key = crate::store::Key::raw([7; 32]);
            Store::open(directory.join("store"), &key, StoreOptions::default()).unwrap()
        };
        let mut store = open();
        store.erase().unwrap();
        let fill = |store: &mut Store, value: &[u8]| {
            (0..50).try_for_each(|key| store.put(Space::Setting, b"", &[key], value))
        };
        store.transaction(|store| fill(store, &[7; 4000])).unwrap();
        store.transaction(|store| fill(store, b"short")).unwrap();
        store.begin().unwrap();
        fill(&mut store, &[8; 4000]).unwrap();
        store.rollback();
        store.erase().unwrap();
        drop(store);
        let mut store = open();
        store.erase().unwrap();
        store.erase().unwrap();
        assert_eq!(store.get(Space::Setting, b"", &[7]).unwrap().unwrap().as_slice(), b"short");
        fs::remove_dir_all(&directory).unwrap();
    }

    /// The file is not encrypted here, so that one can look into it.
    #[test]
    fn what_was_deleted_is_not_in_the_file() {
        let directory = std::env::temp_dir().join(format!("trellis-erase-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("store");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch(super::super::open::DURABILITY).unwrap();
        let mut store = Store::with(connection, None, StoreOptions::default()).unwrap();
        let mut left = std::collections::BTreeSet::new();
        for number in 0..400_u32 {
            store
                .transaction(|store| {
                    // Lengths and keys that let rows move.
                    let length = 50 + (number as usize * 7919) % 2500;
                    let name = StateId([number as u8; 16]);
                    let secrets = (0..4).map(|entry| Entry {
                        key: vec![0x14, entry],
                        value: Zeroizing::new(marked(number, length / (1 + entry as usize))),
                    });
                    let secrets = TrellisStorage::from_entries(secrets);
                    store.state_create(GROUP, name, None, &secrets)?;
                    let key = (number.wrapping_mul(2_654_435_761)).to_be_bytes();
                    store.put(Space::State, b"", &key, &marked(number, length / 3))?;
                    // The last ten stay.
                    if let Some(old) = number.checked_sub(10) {
                        store.state_delete(GROUP, StateId([old as u8; 16]))?;
                        let key = (old.wrapping_mul(2_654_435_761)).to_be_bytes();
                        store.delete(Space::State, b"", &key)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            let remaining = found(&file).into_iter().filter(|found| found + 10 <= number);
            left.extend(remaining);
        }
        println!("{} of 390 had left something before the file was erased", left.len());
        store.erase().unwrap();
        assert_eq!(found(&file), (390..400).collect());
        assert_eq!(
            fs::metadata(directory.join("store-journal")).map(|file| file.len()).ok(),
            Some(0)
        );
        assert_eq!(store.states(GROUP).unwrap().len(), 10);
        assert_eq!(store.scan(Space::State, b"").unwrap().len(), 10);
        drop(store);
        fs::remove_dir_all(directory).unwrap();
    }
}
