//! Every method of the trait by itself.

use openmls_traits::storage::StorageProvider;
use openmls_trellis_crypto::storage::{CodecError, StorageError, TrellisStorage};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

use crate::entities::{Choice, Data, Id, Kind, Storage, data, id};

fn sample(number: u64) -> Data {
    Data {
        bytes: vec![7; number as usize],
        number,
        choice: Some(Choice::One(vec![1, 2])),
        pairs: vec![(-1, "é".into())],
    }
}

#[test]
fn every_kind_is_written_replaced_read_and_deleted() {
    for kind in Kind::ALL {
        let storage = TrellisStorage::new();
        let (one, other) = (Id(vec![1]), Id(vec![1, 2]));
        assert_eq!(kind.read(&storage, &one), Ok(None), "{kind:?}");
        assert_eq!(kind.delete(&storage, &one), Ok(()), "{kind:?}");
        kind.write(&storage, &one, &sample(100)).unwrap();
        kind.write(&storage, &other, &sample(3)).unwrap();
        assert_eq!(kind.read(&storage, &one), Ok(Some(sample(100))), "{kind:?}");
        kind.write(&storage, &one, &sample(40_000)).unwrap();
        kind.write(&storage, &one, &sample(50_000)).unwrap();
        kind.write(&storage, &one, &sample(49_000)).unwrap();
        assert_eq!(kind.read(&storage, &one), Ok(Some(sample(49_000))), "{kind:?}");
        assert_eq!(kind.read(&storage, &other), Ok(Some(sample(3))), "{kind:?}");
        assert_eq!(storage.len(), 2);
        kind.delete(&storage, &one).unwrap();
        assert_eq!(kind.read(&storage, &one), Ok(None), "{kind:?}");
        assert_eq!(kind.read(&storage, &other), Ok(Some(sample(3))), "{kind:?}");
        kind.delete(&storage, &other).unwrap();
        assert!(storage.is_empty(), "{kind:?}");
    }
}

#[test]
fn kinds_do_not_share_entries() {
    let storage = TrellisStorage::new();
    let id = Id(vec![9]);
    for (number, kind) in Kind::ALL.iter().enumerate() {
        kind.write(&storage, &id, &sample(number as u64)).unwrap();
    }
    assert_eq!(storage.len(), Kind::ALL.len());
    for (number, kind) in Kind::ALL.iter().enumerate() {
        assert_eq!(kind.read(&storage, &id), Ok(Some(sample(number as u64))), "{kind:?}");
    }
}

fn leaf_nodes<S: Storage>(storage: &S, id: &Id) -> Result<Vec<Data>, S::Error> {
    storage.own_leaf_nodes(id)
}

#[test]
fn own_leaf_nodes_keep_their_order() {
    let storage = TrellisStorage::new();
    let (one, other) = (Id(vec![1]), Id(vec![]));
    assert_eq!(leaf_nodes(&storage, &one), Ok(vec![]));
    for number in [3, 1, 2, 1] {
        append(&storage, &one, &sample(number)).unwrap();
    }
    append(&storage, &other, &sample(8)).unwrap();
    assert_eq!(leaf_nodes(&storage, &one), Ok([3, 1, 2, 1].map(sample).to_vec()));
    delete_leaf_nodes(&storage, &one).unwrap();
    assert_eq!(leaf_nodes(&storage, &one), Ok(vec![]));
    assert_eq!(leaf_nodes(&storage, &other), Ok(vec![sample(8)]));
    assert_eq!(storage.len(), 1);
}

fn append<S: Storage>(storage: &S, id: &Id, data: &Data) -> Result<(), S::Error> {
    storage.append_own_leaf_node(id, data)
}

fn delete_leaf_nodes<S: Storage>(storage: &S, id: &Id) -> Result<(), S::Error> {
    storage.delete_own_leaf_nodes(id)
}

/// The methods of the proposal queue, with the types filled in.
trait Queue: Storage {
    fn enqueue(&self, group: &Id, reference: &Id, proposal: &Data) {
        self.queue_proposal(group, reference, proposal).unwrap();
    }
    fn refs(&self, group: &Id) -> Vec<Id> {
        self.queued_proposal_refs(group).unwrap()
    }
    fn proposals(&self, group: &Id) -> Result<Vec<(Id, Data)>, Self::Error> {
        self.queued_proposals(group)
    }
    fn dequeue(&self, group: &Id, reference: &Id) {
        self.remove_proposal(group, reference).unwrap();
    }
    fn clear(&self, group: &Id) {
        self.clear_proposal_queue::<Id, Id>(group).unwrap();
    }
}

impl<S: Storage> Queue for S {}

#[test]
fn proposals_queue_up() {
    let storage = TrellisStorage::new();
    let (group, other) = (Id(vec![1]), Id(vec![2]));
    let [a, b, c] = [10, 11, 12].map(|byte| Id(vec![byte]));
    storage.dequeue(&group, &a);
    storage.clear(&group);
    for (number, reference) in [&b, &a, &c].into_iter().enumerate() {
        storage.enqueue(&group, reference, &sample(number as u64));
    }
    storage.enqueue(&other, &a, &sample(77));
    assert_eq!(storage.refs(&group), [b.clone(), a.clone(), c.clone()]);
    storage.dequeue(&group, &a);
    storage.dequeue(&group, &a);
    let expected = vec![(b, sample(0)), (c, sample(2))];
    assert_eq!(storage.proposals(&group), Ok(expected));
    storage.clear(&group);
    assert_eq!(storage.refs(&group), []);
    assert_eq!(storage.proposals(&group), Ok(vec![]));
    assert_eq!(storage.proposals(&other), Ok(vec![(a.clone(), sample(77))]));
    storage.dequeue(&other, &a);
    assert!(storage.is_empty(), "the proposals themselves are deleted with their references");
}

#[test]
fn a_queue_without_its_proposal_is_an_error() {
    let storage = TrellisStorage::new();
    let (group, reference) = (Id(vec![1]), Id(vec![2]));
    storage.enqueue(&group, &reference, &sample(1));
    storage.enqueue(&group, &reference, &sample(2));
    let twice = vec![(reference.clone(), sample(2)), (reference.clone(), sample(2))];
    assert_eq!(storage.proposals(&group), Ok(twice));
    storage.dequeue(&group, &reference);
    assert_eq!(storage.proposals(&group), Err(StorageError::MissingProposal));
    storage.clear(&group);
    assert!(storage.is_empty());
}

/// The methods of the epoch key pairs, with the types filled in.
trait EpochKeys: Storage {
    fn write_keys(&self, group: &Id, epoch: &Id, leaf: u32, keys: &[Data]) {
        self.write_encryption_epoch_key_pairs(group, epoch, leaf, keys).unwrap();
    }
    fn keys(&self, group: &Id, epoch: &Id, leaf: u32) -> Vec<Data> {
        self.encryption_epoch_key_pairs(group, epoch, leaf).unwrap()
    }
    fn delete_keys(&self, group: &Id, epoch: &Id, leaf: u32) {
        self.delete_encryption_epoch_key_pairs(group, epoch, leaf).unwrap();
    }
}

impl<S: Storage> EpochKeys for S {}

#[test]
fn epoch_key_pairs_belong_to_group_epoch_and_leaf() {
    let storage = TrellisStorage::new();
    let [empty, one, two, both] = [vec![], vec![1], vec![2], vec![1, 2]].map(Id);
    // Keys that a careless encoding would confuse.
    let keys =
        [(&one, &two, 1), (&two, &one, 1), (&both, &empty, 1), (&empty, &both, 1), (&one, &two, 2)];
    for (number, (group, epoch, leaf)) in keys.iter().enumerate() {
        assert_eq!(storage.keys(group, epoch, *leaf), []);
        storage.write_keys(group, epoch, *leaf, &vec![sample(5); number]);
    }
    assert_eq!(storage.len(), keys.len());
    for (number, (group, epoch, leaf)) in keys.iter().enumerate() {
        assert_eq!(storage.keys(group, epoch, *leaf), vec![sample(5); number]);
        storage.delete_keys(group, epoch, *leaf);
        assert_eq!(storage.keys(group, epoch, *leaf), []);
    }
    assert!(storage.is_empty());
}

/// A value of which the serialisation fails after it has begun.
#[derive(Deserialize)]
struct Failing;

impl Serialize for Failing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (vec![1u8; 100], Refusing).serialize(serializer)
    }
}

struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("the secret is 42"))
    }
}

impl openmls_traits::storage::Entity<1> for Failing {}
impl openmls_traits::storage::traits::TreeSync<1> for Failing {}
impl openmls_traits::storage::traits::QueuedProposal<1> for Failing {}

#[test]
fn a_failing_write_changes_nothing() {
    let storage = TrellisStorage::new();
    let id = Id(vec![1]);
    Kind::Tree.write(&storage, &id, &sample(5)).unwrap();
    let before = storage.export();
    let error = storage.write_tree(&id, &Failing).unwrap_err();
    assert_eq!(error, StorageError::Encode { entry: "Tree", source: CodecError::Rejected });
    storage.queue_proposal(&id, &id, &Failing).unwrap_err();
    assert_eq!(storage.export(), before);
}

#[test]
fn a_wrong_type_is_an_error_that_does_not_quote() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Number(u64);
    impl openmls_traits::storage::Entity<1> for Number {}
    impl openmls_traits::storage::traits::TreeSync<1> for Number {}

    let storage = TrellisStorage::new();
    let id = Id(vec![1]);
    storage.write_tree(&id, &Number(987_654_321)).unwrap();
    let error = Kind::Tree.read(&storage, &id).unwrap_err();
    assert_eq!(error, StorageError::Decode { entry: "Tree", source: CodecError::Rejected });
    assert!(!format!("{error} {error:?}").contains("987"));
}

#[test]
fn debug_shows_the_count_only() {
    let storage = TrellisStorage::default();
    Kind::Psk.write(&storage, &Id(b"name".to_vec()), &sample(2)).unwrap();
    assert_eq!(format!("{storage:?}"), "TrellisStorage { entries: 1 }");
}

#[test]
fn it_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let storage = TrellisStorage::new();
    shared(&storage);
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let storage = &storage;
            scope.spawn(move || {
                for round in 0..100 {
                    Kind::Tree.write(storage, &Id(vec![thread]), &sample(round)).unwrap();
                    append(storage, &Id(vec![]), &sample(1)).unwrap();
                }
            });
        }
    });
    assert_eq!(storage.len(), 5);
    assert_eq!(leaf_nodes(&storage, &Id(vec![])).unwrap().len(), 400);
}

#[cfg(feature = "test-utils")]
#[test]
fn versions_do_not_share_entries() {
    use openmls_traits::storage::{Entity, Key, V_TEST, traits};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Next(u64);
    impl Key<V_TEST> for Next {}
    impl Entity<V_TEST> for Next {}
    impl traits::HashReference<V_TEST> for Next {}
    impl traits::KeyPackage<V_TEST> for Next {}

    let storage = TrellisStorage::new();
    storage.write_key_package(&Next(1), &Next(2)).unwrap();
    assert_eq!(storage.key_package(&Next(1)), Ok(Some(Next(2))));
    assert_eq!(<TrellisStorage as StorageProvider<V_TEST>>::version(), V_TEST);
    // The same bytes as a key of the current version.
    #[derive(Serialize)]
    struct Current(u64);
    impl Key<1> for Current {}
    impl traits::HashReference<1> for Current {}
    let read: Option<Data> = storage.key_package(&Current(1)).unwrap();
    assert_eq!(read, None);
}

proptest! {
    #[test]
    fn any_value_comes_back(id in id(), data in data(), again in data()) {
        let storage = TrellisStorage::new();
        for kind in Kind::ALL {
            kind.write(&storage, &id, &data).unwrap();
            prop_assert_eq!(kind.read(&storage, &id), Ok(Some(data.clone())));
            kind.write(&storage, &id, &again).unwrap();
            prop_assert_eq!(kind.read(&storage, &id), Ok(Some(again.clone())));
        }
    }

    #[test]
    fn any_list_comes_back(id in id(), items in vec(data(), 0..6)) {
        let storage = TrellisStorage::new();
        for item in &items {
            append(&storage, &id, item).unwrap();
        }
        prop_assert_eq!(leaf_nodes(&storage, &id), Ok(items.clone()));
        storage.write_keys(&id, &id, 3, &items);
        prop_assert_eq!(storage.keys(&id, &id, 3), items);
    }
}
