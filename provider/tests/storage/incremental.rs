//! The storage entry by entry: what is persisted by changes is what is there.

use std::collections::BTreeMap;

use openmls_traits::storage::StorageProvider;
use openmls_trellis_crypto::storage::{Change, Entry, TrellisStorage};
use proptest::{collection::vec, prelude::*};

use crate::differential::{answer, operation};
use crate::entities::{Data, Id, Kind};

fn sample(number: u64) -> Data {
    Data { bytes: vec![3; number as usize], number, choice: None, pairs: vec![] }
}

/// What a database would hold.
#[derive(Default)]
struct Mirror(BTreeMap<Vec<u8>, Vec<u8>>);

impl Mirror {
    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change.value {
                Some(value) => self.0.insert(change.key, value.to_vec()),
                None => self.0.remove(&change.key),
            };
        }
    }

    fn storage(&self) -> TrellisStorage {
        TrellisStorage::from_entries(
            self.0
                .iter()
                .map(|(key, value)| Entry { key: key.clone(), value: value.clone().into() }),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn replaying_changes_gives_the_same_storage(
        operations in vec((operation(), 0..6u8), 1..120),
    ) {
        let mut storage = TrellisStorage::tracked();
        let mut mirror = Mirror::default();
        for (operation, what_then) in &operations {
            let _ = answer(&storage, operation);
            match what_then {
                0 => mirror.apply(storage.take_changes().unwrap()),
                1 => {
                    mirror.apply(storage.take_changes().unwrap());
                    storage = mirror.storage();
                }
                2 => {
                    mirror.apply(storage.take_changes().unwrap());
                    storage = storage.clone();
                }
                _ => {}
            }
        }
        mirror.apply(storage.take_changes().unwrap());
        prop_assert_eq!(mirror.storage().export(), storage.export());
        let again = TrellisStorage::from_entries(storage.entries());
        prop_assert_eq!(again.export(), storage.export());
        prop_assert!(again.take_changes().unwrap().is_empty());
    }
}

#[test]
fn an_entry_is_reported_once_and_as_it_is_now() {
    let storage = TrellisStorage::tracked();
    let id = Id(vec![1]);
    Kind::Tree.write(&storage, &id, &sample(1)).unwrap();
    Kind::Tree.write(&storage, &id, &sample(2)).unwrap();
    Kind::Psk.write(&storage, &id, &sample(3)).unwrap();
    Kind::Psk.delete(&storage, &id).unwrap();
    let changes = storage.take_changes().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0].value.as_ref(), Some(&storage.entries()[0].value));
    assert_eq!(changes[1].value, None);
    assert!(storage.take_changes().unwrap().is_empty());
}

#[test]
fn what_changes_nothing_is_not_reported() {
    let storage = TrellisStorage::tracked();
    let (group, reference, other) = (Id(vec![1]), Id(vec![2]), Id(vec![3]));
    storage.queue_proposal(&group, &reference, &sample(1)).unwrap();
    assert_eq!(storage.take_changes().unwrap().len(), 2);
    storage.remove_proposal(&group, &other).unwrap();
    Kind::Tree.delete(&storage, &group).unwrap();
    assert!(storage.take_changes().unwrap().is_empty());
    storage.remove_proposal(&group, &reference).unwrap();
    assert_eq!(storage.take_changes().unwrap().len(), 2);
}

#[test]
fn only_tracked_storages_remember() {
    fn changes(storage: &TrellisStorage) -> Option<usize> {
        Kind::Tree.write(storage, &Id(vec![1]), &sample(1)).unwrap();
        storage.take_changes().map(|changes| changes.len())
    }
    let plain = TrellisStorage::new();
    assert_eq!(changes(&plain), None);
    assert_eq!(changes(&plain.clone()), None);
    assert_eq!(changes(&TrellisStorage::import(&plain.export()).unwrap()), None);
    let tracked = TrellisStorage::from_entries([]);
    assert_eq!(changes(&tracked.clone()), Some(1));
    assert_eq!(changes(&tracked), Some(1));
}

#[test]
fn a_clone_is_a_storage_of_its_own_without_changes() {
    let storage = TrellisStorage::tracked();
    let id = Id(vec![1]);
    Kind::Tree.write(&storage, &id, &sample(1)).unwrap();
    let clone = storage.clone();
    assert!(clone.take_changes().unwrap().is_empty());
    assert_eq!(clone.export(), storage.export());
    Kind::Tree.write(&clone, &id, &sample(2)).unwrap();
    assert_eq!(Kind::Tree.read(&storage, &id), Ok(Some(sample(1))));
    assert_eq!(storage.take_changes().unwrap().len(), 1);
}

#[test]
fn only_what_all_members_know_is_public() {
    for kind in Kind::ALL {
        let storage = TrellisStorage::new();
        kind.write(&storage, &Id(vec![1]), &sample(1)).unwrap();
        let public =
            [Kind::Tree, Kind::Context, Kind::TranscriptHash, Kind::ConfirmationTag].contains(kind);
        assert_eq!(Entry::is_public(&storage.entries()[0].key), public, "{kind:?}");
    }
    assert!(!Entry::is_public(&[]));
}

#[test]
fn debug_prints_lengths_only() {
    let entry = Entry { key: vec![0x5a], value: vec![0xa5; 7].into() };
    assert_eq!(format!("{entry:?}"), "Entry { length: 7, .. }");
    let change = Change { key: entry.key, value: Some(entry.value) };
    assert_eq!(format!("{change:?}"), "Change { length: Some(7), .. }");
}
