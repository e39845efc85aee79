//! The storage that OpenMLS publishes is the reference: the same operations give the same answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use openmls_memory_storage::MemoryStorage;
use openmls_trellis_crypto::storage::{StorageError, TrellisStorage};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::entities::{Data, Id, Kind, Storage, data, id};

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Write(Kind, Id, Data),
    Read(Kind, Id),
    Delete(Kind, Id),
    AppendLeaf(Id, Data),
    Leaves(Id),
    DeleteLeaves(Id),
    Enqueue(Id, Id, Data),
    References(Id),
    Proposals(Id),
    Dequeue(Id, Id),
    ClearQueue(Id),
    WriteEpochKeys(Id, Id, u32, Vec<Data>),
    EpochKeys(Id, Id, u32),
    DeleteEpochKeys(Id, Id, u32),
    #[cfg(feature = "virtual-clients-draft")]
    Retain(Id, Data, Vec<(Id, Data)>),
    #[cfg(feature = "virtual-clients-draft")]
    Retained(Id),
    #[cfg(feature = "virtual-clients-draft")]
    IsRetained(Id),
    #[cfg(feature = "virtual-clients-draft")]
    DeleteRetained(Id),
    #[cfg(feature = "virtual-clients-draft")]
    DeleteEpoch(Id),
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let kind = || select(Kind::ALL);
    let basic = prop_oneof![
        4 => (kind(), id(), data()).prop_map(|(k, i, d)| Write(k, i, d)),
        4 => (kind(), id()).prop_map(|(k, i)| Read(k, i)),
        2 => (kind(), id()).prop_map(|(k, i)| Delete(k, i)),
        2 => (id(), data()).prop_map(|(i, d)| AppendLeaf(i, d)),
        2 => id().prop_map(Leaves),
        1 => id().prop_map(DeleteLeaves),
        6 => (id(), id(), data()).prop_map(|(g, r, d)| Enqueue(g, r, d)),
        2 => id().prop_map(References),
        4 => id().prop_map(Proposals),
        3 => (id(), id()).prop_map(|(g, r)| Dequeue(g, r)),
        1 => id().prop_map(ClearQueue),
        2 => (id(), id(), 0..3u32, vec(data(), 0..3))
            .prop_map(|(g, e, l, k)| WriteEpochKeys(g, e, l, k)),
        2 => (id(), id(), 0..3u32).prop_map(|(g, e, l)| EpochKeys(g, e, l)),
        1 => (id(), id(), 0..3u32).prop_map(|(g, e, l)| DeleteEpochKeys(g, e, l)),
    ];
    #[cfg(not(feature = "virtual-clients-draft"))]
    return basic;
    #[cfg(feature = "virtual-clients-draft")]
    return prop_oneof![
        3 => basic,
        2 => prop_oneof![
            3 => (id(), data(), vec((id(), data()), 0..3)).prop_map(|(e, t, m)| Retain(e, t, m)),
            2 => id().prop_map(Retained),
            2 => id().prop_map(IsRetained),
            2 => id().prop_map(DeleteRetained),
            2 => id().prop_map(DeleteEpoch),
        ],
    ];
}

/// The answer to an operation as text, or the error.
pub(crate) fn answer<S: Storage>(storage: &S, operation: &Operation) -> Result<String, S::Error> {
    use Operation::*;
    fn text(answer: impl std::fmt::Debug) -> String {
        format!("{answer:?}")
    }
    match operation {
        Write(kind, id, data) => kind.write(storage, id, data).map(text),
        Read(kind, id) => kind.read(storage, id).map(text),
        Delete(kind, id) => kind.delete(storage, id).map(text),
        AppendLeaf(id, data) => storage.append_own_leaf_node(id, data).map(text),
        Leaves(id) => storage.own_leaf_nodes::<Id, Data>(id).map(text),
        DeleteLeaves(id) => storage.delete_own_leaf_nodes(id).map(text),
        Enqueue(group, reference, data) => storage.queue_proposal(group, reference, data).map(text),
        References(group) => storage.queued_proposal_refs::<Id, Id>(group).map(text),
        Proposals(group) => storage.queued_proposals::<Id, Id, Data>(group).map(text),
        Dequeue(group, reference) => storage.remove_proposal(group, reference).map(text),
        ClearQueue(group) => storage.clear_proposal_queue::<Id, Id>(group).map(text),
        WriteEpochKeys(group, epoch, leaf, keys) => {
            storage.write_encryption_epoch_key_pairs(group, epoch, *leaf, keys).map(text)
        }
        EpochKeys(group, epoch, leaf) => {
            storage.encryption_epoch_key_pairs::<Id, Id, Data>(group, epoch, *leaf).map(text)
        }
        DeleteEpochKeys(group, epoch, leaf) => {
            storage.delete_encryption_epoch_key_pairs(group, epoch, *leaf).map(text)
        }
        #[cfg(feature = "virtual-clients-draft")]
        Retain(epoch, tree, materials) => {
            storage.write_retained_key_package_material_batch(epoch, tree, materials).map(text)
        }
        #[cfg(feature = "virtual-clients-draft")]
        Retained(reference) => {
            storage.retained_key_package_material::<Id, Data>(reference).map(text)
        }
        #[cfg(feature = "virtual-clients-draft")]
        IsRetained(epoch) => storage.has_retained_key_package_material_for_epoch(epoch).map(text),
        #[cfg(feature = "virtual-clients-draft")]
        DeleteRetained(reference) => {
            storage.delete_retained_key_package_material(reference).map(text)
        }
        #[cfg(feature = "virtual-clients-draft")]
        DeleteEpoch(epoch) => storage.delete_vc_emulation_state_if_unreferenced(epoch).map(text),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn answers_are_those_of_the_reference(operations in vec(operation(), 1..120)) {
        let reference = MemoryStorage::default();
        let mut storage = TrellisStorage::new();
        for (step, operation) in operations.iter().enumerate() {
            let ours = answer(&storage, operation);
            // The reference panics where a queue refers to a proposal that is gone.
            let theirs = catch_unwind(AssertUnwindSafe(|| answer(&reference, operation)));
            match theirs {
                Ok(theirs) => prop_assert_eq!(ours.unwrap(), theirs.unwrap(), "step {}", step),
                Err(_) => {
                    prop_assert!(matches!(operation, Operation::Proposals(_)));
                    prop_assert_eq!(ours, Err(StorageError::MissingProposal));
                }
            }
            if step % 50 == 49 {
                storage = TrellisStorage::import(&storage.export()).unwrap();
            }
        }
    }
}
