//! Exports, and what is not one.

use openmls_trellis_crypto::storage::{ImportError, StorageError, TrellisStorage};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::entities::{Choice, Data, Id, Kind, Storage, data, id};

fn filled() -> TrellisStorage {
    let storage = TrellisStorage::new();
    let data = Data {
        bytes: vec![1, 2, 3],
        number: 300,
        choice: Some(Choice::Two(4, -5)),
        pairs: vec![(6, "seven".into())],
    };
    for kind in Kind::ALL {
        kind.write(&storage, &Id(vec![1]), &data).unwrap();
    }
    fill_lists(&storage, &data);
    storage
}

fn fill_lists<S: Storage>(storage: &S, data: &Data) {
    let id = Id(vec![1]);
    for _ in 0..2 {
        storage.append_own_leaf_node(&id, data).unwrap();
        storage.queue_proposal(&id, &id, data).unwrap();
    }
}

/// Reads everything that `filled` writes; what comes out does not matter, only that it returns.
fn read_all<S: Storage>(storage: &S) {
    let id = Id(vec![1]);
    for kind in Kind::ALL {
        let _ = kind.read(storage, &id);
    }
    let _ = storage.own_leaf_nodes::<Id, Data>(&id);
    let _ = storage.queued_proposal_refs::<Id, Id>(&id);
    let _ = storage.queued_proposals::<Id, Id, Data>(&id);
    let _ = storage.remove_proposal(&id, &id);
    let _ = storage.clear_proposal_queue::<Id, Id>(&id);
}

fn import_error(input: &[u8]) -> ImportError {
    match TrellisStorage::import(input).unwrap_err() {
        StorageError::Import(error) => error,
        other => panic!("{other}"),
    }
}

/// An export made by hand.
fn export_of(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = b"TrellisS\x00\x01".to_vec();
    out.extend((entries.len() as u64).to_be_bytes());
    for (key, value) in entries {
        out.extend((key.len() as u64).to_be_bytes());
        out.extend((value.len() as u64).to_be_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
    out
}

#[test]
fn the_format_is_what_is_documented() {
    assert_eq!(*TrellisStorage::new().export(), export_of(&[]));
    let storage = TrellisStorage::new();
    let data = Data { bytes: vec![9, 8], number: 300, choice: None, pairs: vec![] };
    Kind::Tree.write(&storage, &Id(vec![5]), &data).unwrap();
    // The label, the version and the group's identifier; a struct of four fields.
    let key = [0x01, 0x00, 0x01, 0x0f, 1, 5];
    let value = [0x10, 4, 0x0f, 2, 9, 8, 0x06, 0xac, 0x02, 0x03, 0x10, 0];
    assert_eq!(*storage.export(), export_of(&[(&key, &value)]));
}

#[test]
fn an_import_equals_what_was_exported() {
    let storage = filled();
    let export = storage.export();
    let restored = TrellisStorage::import(&export).unwrap();
    assert_eq!(restored.export(), export);
    assert_eq!(restored.len(), storage.len());
    for kind in Kind::ALL {
        assert_eq!(kind.read(&restored, &Id(vec![1])), kind.read(&storage, &Id(vec![1])));
    }
}

#[test]
fn every_truncation_is_an_error() {
    let export = filled().export();
    for length in 0..export.len() {
        assert_eq!(import_error(&export[..length]), ImportError::Truncated, "{length}");
    }
    let longer = [export.as_slice(), &[0]].concat();
    assert_eq!(import_error(&longer), ImportError::TrailingBytes);
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(import_error(b"TrellisT\x00\x01\0\0\0\0\0\0\0\0"), ImportError::Magic);
    assert_eq!(import_error(b"TrellisS\x01\x02\0\0\0\0\0\0\0\0"), ImportError::Format(0x102));
    let twice = export_of(&[(b"a", b"1"), (b"a", b"2")]);
    assert_eq!(import_error(&twice), ImportError::DuplicateKey);
    let unsorted = export_of(&[(b"b", b"1"), (b"a", b"2")]);
    assert_eq!(import_error(&unsorted), ImportError::Unsorted);
    let error = TrellisStorage::import(&twice).unwrap_err();
    assert_eq!(error.to_string(), "the export is malformed: a key occurs twice");
}

#[test]
fn huge_lengths_are_refused() {
    for huge in [u64::MAX, u64::MAX / 2, 1 << 40, 1 << 31] {
        let mut count = b"TrellisS\x00\x01".to_vec();
        count.extend(huge.to_be_bytes());
        assert_eq!(import_error(&count), ImportError::Truncated);
        for (key, value) in [(huge, 0), (0, huge), (huge, huge)] {
            let mut input = b"TrellisS\x00\x01\0\0\0\0\0\0\0\x01".to_vec();
            input.extend(key.to_be_bytes());
            input.extend(value.to_be_bytes());
            input.extend([0; 32]);
            assert_eq!(import_error(&input), ImportError::Truncated);
        }
    }
}

/// Keys of the entries of `Id(vec![1])`, so that hostile values end up where they are read.
fn key_of(label: u8) -> [u8; 6] {
    [label, 0, 1, 0x0f, 1, 1]
}

#[test]
fn hostile_values_are_errors() {
    // Sequences in sequences, `Some` in `Some`, and lengths that nothing backs.
    let nested = [[0x10, 1].repeat(100_000), [0x04].repeat(100_000)];
    let lengths: Vec<Vec<u8>> = [0x0d, 0x0e, 0x0f, 0x10, 0x11]
        .into_iter()
        .map(|tag| vec![tag, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])
        .collect();
    for value in nested.iter().chain(&lengths) {
        let export = export_of(&[(&key_of(0x01), value), (&key_of(0x10), value)]);
        let storage = TrellisStorage::import(&export).unwrap();
        for kind in [Kind::Tree, Kind::JoinConfig] {
            let error = kind.read(&storage, &Id(vec![1])).unwrap_err();
            assert!(matches!(error, StorageError::Decode { .. }), "{error}");
        }
        real_config(&storage).unwrap_err();
    }
}

/// The configuration as OpenMLS reads it, because a field of it is buffered in a form that nests as
/// the input does.
fn real_config<S: Storage>(
    storage: &S,
) -> Result<Option<openmls::group::MlsGroupJoinConfig>, S::Error> {
    storage.mls_group_join_config(&Id(vec![1]))
}

#[test]
fn a_hostile_list_is_an_error() {
    let error = StorageError::MalformedList { entry: "OwnLeafNodes" };
    for list in [&[0; 7][..], &[0, 0, 0, 0, 0, 0, 0, 1], &[255; 9], &[0, 0, 0, 0, 0, 0, 0, 2, 1]] {
        let storage = TrellisStorage::import(&export_of(&[(&key_of(0x12), list)])).unwrap();
        let read = |storage: &TrellisStorage| leaf_nodes(storage);
        assert_eq!(read(&storage).unwrap_err(), error);
        read_all(&storage);
    }
}

fn leaf_nodes<S: Storage>(storage: &S) -> Result<Vec<Data>, S::Error> {
    storage.own_leaf_nodes(&Id(vec![1]))
}

#[test]
fn every_bit_flip_is_survived() {
    let export = filled().export();
    for bit in 0..export.len() * 8 {
        let mut flipped = export.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(storage) = TrellisStorage::import(&flipped) {
            read_all(&storage);
        }
    }
}

proptest! {
    #[test]
    fn any_content_comes_back(entries in vec((select(Kind::ALL), id(), data()), 0..20)) {
        let storage = TrellisStorage::new();
        for (kind, id, data) in &entries {
            kind.write(&storage, id, data).unwrap();
        }
        let export = storage.export();
        let restored = TrellisStorage::import(&export).unwrap();
        prop_assert_eq!(restored.export(), export);
        // The order of the writes leaves no trace, only the last value under a key does.
        let again = TrellisStorage::new();
        for kind in Kind::ALL.iter().rev() {
            for (_, id, _) in &entries {
                if let Some(data) = kind.read(&storage, id).unwrap() {
                    kind.write(&again, id, &data).unwrap();
                }
            }
        }
        prop_assert_eq!(again.export(), storage.export());
    }

    #[test]
    fn random_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(TrellisStorage::import(&bytes).is_err());
        let mut input = b"TrellisS\x00\x01\0\0\0\0\0\0\0\x01".to_vec();
        input.extend(&bytes);
        let _ = TrellisStorage::import(&input);
    }

    #[test]
    fn random_values_are_survived(
        // Mostly tags and small lengths: random bytes alone do not get far.
        bytes in vec(prop_oneof![3 => 0..0x14u8, 1 => any::<u8>()], 0..60),
    ) {
        for label in 0..0x40 {
            let storage = TrellisStorage::import(&export_of(&[(&key_of(label), &bytes)])).unwrap();
            read_all(&storage);
            let _ = real_config(&storage);
        }
    }
}
