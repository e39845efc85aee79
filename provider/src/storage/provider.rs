//! [`StorageProvider`] for [`TrellisStorage`]: a table of kinds of entries and the methods of the
//! trait that write, read and delete them.

use openmls_traits::storage::{StorageProvider, traits};

use super::{TrellisStorage, error::StorageError, label::Label, operations::epoch_key};

/// One row: the label, the trait of the key, the trait of the value, and the methods. A method
/// lists its type parameters if the trait does not declare the key's first.
macro_rules! entry {
    ($label:ident: $key:ident => $value:ident {
        $( $operation:ident $name:ident $(<$first:ident, $second:ident>)? ),* $(,)?
    }) => {
        $( method! { $operation $name $label $key $value $(<$first, $second>)? } )*
    };
}

/// One method.
macro_rules! method {
    ($operation:ident $name:ident $label:ident $key:ident $value:ident) => {
        method! { $operation $name $label $key $value <$key, $value> }
    };
    (write $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$first: traits::$first<VERSION>, $second: traits::$second<VERSION>>(
            &self,
            key: &$key,
            value: &$value,
        ) -> Result<(), StorageError> {
            self.write::<VERSION>(Label::$label, key, value)
        }
    };
    (append $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$first: traits::$first<VERSION>, $second: traits::$second<VERSION>>(
            &self,
            key: &$key,
            item: &$value,
        ) -> Result<(), StorageError> {
            self.append::<VERSION>(Label::$label, key, item)
        }
    };
    (read $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$first: traits::$first<VERSION>, $second: traits::$second<VERSION>>(
            &self,
            key: &$key,
        ) -> Result<Option<$value>, StorageError> {
            self.read::<VERSION, _>(Label::$label, key)
        }
    };
    (list $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$first: traits::$first<VERSION>, $second: traits::$second<VERSION>>(
            &self,
            key: &$key,
        ) -> Result<Vec<$value>, StorageError> {
            self.list::<VERSION, _>(Label::$label, key)
        }
    };
    (delete $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$key: traits::$key<VERSION>>(&self, key: &$key) -> Result<(), StorageError> {
            self.delete::<VERSION>(Label::$label, key)
        }
    };
    // For a method of which the trait declares the value's type although it takes no value.
    (delete_typed $name:ident $label:ident $key:ident $value:ident <$first:ident, $second:ident>) => {
        fn $name<$first: traits::$first<VERSION>, $second: traits::$second<VERSION>>(
            &self,
            key: &$key,
        ) -> Result<(), StorageError> {
            self.delete::<VERSION>(Label::$label, key)
        }
    };
}

impl<const VERSION: u16> StorageProvider<VERSION> for TrellisStorage {
    type Error = StorageError;

    // The public side of a group

    entry! { Tree: GroupId => TreeSync {
        write write_tree, read tree, delete delete_tree,
    } }
    entry! { GroupContext: GroupId => GroupContext {
        write write_context, read group_context, delete delete_context,
    } }
    entry! { InterimTranscriptHash: GroupId => InterimTranscriptHash {
        write write_interim_transcript_hash,
        read interim_transcript_hash,
        delete delete_interim_transcript_hash,
    } }
    entry! { ConfirmationTag: GroupId => ConfirmationTag {
        write write_confirmation_tag, read confirmation_tag, delete delete_confirmation_tag,
    } }

    // A member's side of a group

    entry! { MlsGroupJoinConfig: GroupId => MlsGroupJoinConfig {
        write write_mls_join_config, read mls_group_join_config, delete delete_group_config,
    } }
    entry! { MlsGroupState: GroupId => GroupState {
        write write_group_state <GroupState, GroupId>,
        read group_state <GroupState, GroupId>,
        delete delete_group_state,
    } }
    entry! { OwnLeafNodes: GroupId => LeafNode {
        append append_own_leaf_node, list own_leaf_nodes, delete delete_own_leaf_nodes,
    } }
    entry! { OwnLeafIndex: GroupId => LeafNodeIndex {
        write write_own_leaf_index, read own_leaf_index, delete delete_own_leaf_index,
    } }
    entry! { GroupEpochSecrets: GroupId => GroupEpochSecrets {
        write write_group_epoch_secrets,
        read group_epoch_secrets,
        delete delete_group_epoch_secrets,
    } }
    entry! { MessageSecrets: GroupId => MessageSecrets {
        write write_message_secrets, read message_secrets, delete delete_message_secrets,
    } }
    entry! { ResumptionPskStore: GroupId => ResumptionPskStore {
        write write_resumption_psk_store,
        read resumption_psk_store,
        delete delete_all_resumption_psk_secrets,
    } }
    #[cfg(feature = "extensions-draft")]
    entry! { ApplicationExportTree: GroupId => ApplicationExportTree {
        write write_application_export_tree,
        read application_export_tree,
        delete_typed delete_application_export_tree,
    } }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<VERSION>,
        EpochKey: traits::EpochKey<VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), StorageError> {
        let key = epoch_key::<VERSION>(group_id, epoch, leaf_index)?;
        self.write_at(Label::EpochKeyPairs, key, key_pairs)
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<VERSION>,
        EpochKey: traits::EpochKey<VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, StorageError> {
        let key = epoch_key::<VERSION>(group_id, epoch, leaf_index)?;
        Ok(self.read_at(Label::EpochKeyPairs, &key)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<VERSION>,
        EpochKey: traits::EpochKey<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), StorageError> {
        self.delete_at(&epoch_key::<VERSION>(group_id, epoch, leaf_index)?);
        Ok(())
    }

    // The queue of proposals

    fn queue_proposal<
        GroupId: traits::GroupId<VERSION>,
        ProposalRef: traits::ProposalRef<VERSION>,
        QueuedProposal: traits::QueuedProposal<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<(), StorageError> {
        self.enqueue::<VERSION>(group_id, proposal_ref, proposal)
    }

    fn queued_proposals<
        GroupId: traits::GroupId<VERSION>,
        ProposalRef: traits::ProposalRef<VERSION>,
        QueuedProposal: traits::QueuedProposal<VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>, StorageError> {
        self.queue::<VERSION, _, _>(group_id)
    }

    fn remove_proposal<
        GroupId: traits::GroupId<VERSION>,
        ProposalRef: traits::ProposalRef<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
    ) -> Result<(), StorageError> {
        self.dequeue::<VERSION>(group_id, proposal_ref)
    }

    fn clear_proposal_queue<
        GroupId: traits::GroupId<VERSION>,
        ProposalRef: traits::ProposalRef<VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<(), StorageError> {
        self.clear_queue::<VERSION>(group_id)
    }

    entry! { ProposalQueue: GroupId => ProposalRef { list queued_proposal_refs } }

    // A client's keys

    entry! { SignatureKeyPair: SignaturePublicKey => SignatureKeyPair {
        write write_signature_key_pair,
        read signature_key_pair,
        delete delete_signature_key_pair,
    } }
    entry! { EncryptionKeyPair: EncryptionKey => HpkeKeyPair {
        write write_encryption_key_pair,
        read encryption_key_pair <HpkeKeyPair, EncryptionKey>,
        delete delete_encryption_key_pair,
    } }
    entry! { KeyPackage: HashReference => KeyPackage {
        write write_key_package, read key_package,
    } }
    entry! { Psk: PskId => PskBundle {
        write write_psk, read psk <PskBundle, PskId>, delete delete_psk,
    } }

    #[cfg(not(feature = "virtual-clients-draft"))]
    entry! { KeyPackage: HashReference => KeyPackage { delete delete_key_package } }

    /// Together with what a virtual client retained for the same reference.
    #[cfg(feature = "virtual-clients-draft")]
    fn delete_key_package<HashReference: traits::HashReference<VERSION>>(
        &self,
        hash_ref: &HashReference,
    ) -> Result<(), StorageError> {
        self.delete_all::<VERSION>(
            [Label::KeyPackage, Label::RetainedKeyPackageMaterial, Label::RetainedKeyPackageEpoch],
            hash_ref,
        )
    }

    // Virtual clients

    #[cfg(feature = "virtual-clients-draft")]
    entry! { VcEmulationEpochState: VcEpochId => VcEmulationEpochState {
        write write_vc_emulation_epoch_state, read vc_emulation_epoch_state,
    } }
    #[cfg(feature = "virtual-clients-draft")]
    entry! { VcOperationTree: VcEpochId => VcOperationTree {
        write write_vc_operation_tree, read vc_operation_tree,
    } }
    #[cfg(feature = "virtual-clients-draft")]
    entry! { VcEmulationBindings: GroupId => VcEmulationBindings {
        write write_vc_emulation_bindings,
        read vc_emulation_bindings,
        delete delete_vc_emulation_bindings,
    } }
    #[cfg(feature = "virtual-clients-draft")]
    entry! { RegisteredVcEmulationEpoch: GroupId => RegisteredVcEmulationEpoch {
        write write_registered_vc_emulation_epoch,
        read registered_vc_emulation_epoch,
        delete delete_registered_vc_emulation_epoch,
    } }
    #[cfg(feature = "virtual-clients-draft")]
    entry! { RetainedKeyPackageMaterial: HashReference => RetainedKeyPackageMaterial {
        read retained_key_package_material,
    } }

    #[cfg(feature = "virtual-clients-draft")]
    fn write_retained_key_package_material_batch<
        VcEpochId: traits::VcEpochId<VERSION>,
        VcOperationTree: traits::VcOperationTree<VERSION>,
        HashReference: traits::HashReference<VERSION>,
        RetainedKeyPackageMaterial: traits::RetainedKeyPackageMaterial<VERSION>,
    >(
        &self,
        epoch_id: &VcEpochId,
        operation_tree: &VcOperationTree,
        materials: &[(HashReference, RetainedKeyPackageMaterial)],
    ) -> Result<(), StorageError> {
        self.retain::<VERSION>(epoch_id, operation_tree, materials)
    }

    #[cfg(feature = "virtual-clients-draft")]
    fn has_retained_key_package_material_for_epoch<VcEpochId: traits::VcEpochId<VERSION>>(
        &self,
        epoch_id: &VcEpochId,
    ) -> Result<bool, StorageError> {
        self.retains::<VERSION>(epoch_id)
    }

    #[cfg(feature = "virtual-clients-draft")]
    fn delete_retained_key_package_material<HashReference: traits::HashReference<VERSION>>(
        &self,
        hash_ref: &HashReference,
    ) -> Result<(), StorageError> {
        self.delete_all::<VERSION>(
            [Label::RetainedKeyPackageMaterial, Label::RetainedKeyPackageEpoch],
            hash_ref,
        )
    }

    #[cfg(feature = "virtual-clients-draft")]
    fn delete_vc_emulation_state_if_unreferenced<VcEpochId: traits::VcEpochId<VERSION>>(
        &self,
        epoch_id: &VcEpochId,
    ) -> Result<bool, StorageError> {
        self.delete_epoch_unless_retained::<VERSION>(epoch_id)
    }
}
