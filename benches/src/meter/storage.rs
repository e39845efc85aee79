//! The storage, timed.

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};

use super::ledger::{Call, Ledger};

/// A storage that enters each call into a ledger.
#[derive(Debug)]
pub struct MeteredStorage<S> {
    inner: S,
    ledger: Ledger,
}

impl<S> MeteredStorage<S> {
    pub(super) fn new(inner: S, ledger: Ledger) -> Self {
        Self { inner, ledger }
    }
}

/// Methods that pass on to the inner storage. The type parameters are named as the traits of the
/// entities that they stand for.
macro_rules! timed {
    ($(
        $(#[$attribute:meta])*
        fn $name:ident<$($entity:ident),+>($($argument:ident: $type:ty),+) -> $output:ty;
    )+) => {
        $(
            $(#[$attribute])*
            fn $name<$($entity: traits::$entity<CURRENT_VERSION>),+>(
                &self,
                $($argument: $type),+
            ) -> Result<$output, Self::Error> {
                let call = Call::Storage(stringify!($name));
                self.ledger.time(call, || self.inner.$name::<$($entity),+>($($argument),+))
            }
        )+
    };
}

#[rustfmt::skip]
impl<S: StorageProvider<CURRENT_VERSION>> StorageProvider<CURRENT_VERSION> for MeteredStorage<S> {
    type Error = S::Error;

    timed! {
        fn write_mls_join_config<GroupId, MlsGroupJoinConfig>(group_id: &GroupId, config: &MlsGroupJoinConfig) -> ();
        fn append_own_leaf_node<GroupId, LeafNode>(group_id: &GroupId, leaf_node: &LeafNode) -> ();
        fn queue_proposal<GroupId, ProposalRef, QueuedProposal>(group_id: &GroupId, proposal_ref: &ProposalRef, proposal: &QueuedProposal) -> ();
        fn write_tree<GroupId, TreeSync>(group_id: &GroupId, tree: &TreeSync) -> ();
        fn write_interim_transcript_hash<GroupId, InterimTranscriptHash>(group_id: &GroupId, interim_transcript_hash: &InterimTranscriptHash) -> ();
        fn write_context<GroupId, GroupContext>(group_id: &GroupId, group_context: &GroupContext) -> ();
        fn write_confirmation_tag<GroupId, ConfirmationTag>(group_id: &GroupId, confirmation_tag: &ConfirmationTag) -> ();
        fn write_group_state<GroupState, GroupId>(group_id: &GroupId, group_state: &GroupState) -> ();
        fn write_message_secrets<GroupId, MessageSecrets>(group_id: &GroupId, message_secrets: &MessageSecrets) -> ();
        fn write_resumption_psk_store<GroupId, ResumptionPskStore>(group_id: &GroupId, resumption_psk_store: &ResumptionPskStore) -> ();
        fn write_own_leaf_index<GroupId, LeafNodeIndex>(group_id: &GroupId, own_leaf_index: &LeafNodeIndex) -> ();
        fn write_group_epoch_secrets<GroupId, GroupEpochSecrets>(group_id: &GroupId, group_epoch_secrets: &GroupEpochSecrets) -> ();
        #[cfg(feature = "extensions-draft")]
        fn write_application_export_tree<GroupId, ApplicationExportTree>(group_id: &GroupId, application_export_tree: &ApplicationExportTree) -> ();
        fn write_signature_key_pair<SignaturePublicKey, SignatureKeyPair>(public_key: &SignaturePublicKey, signature_key_pair: &SignatureKeyPair) -> ();
        fn write_encryption_key_pair<EncryptionKey, HpkeKeyPair>(public_key: &EncryptionKey, key_pair: &HpkeKeyPair) -> ();
        fn write_encryption_epoch_key_pairs<GroupId, EpochKey, HpkeKeyPair>(group_id: &GroupId, epoch: &EpochKey, leaf_index: u32, key_pairs: &[HpkeKeyPair]) -> ();
        fn write_key_package<HashReference, KeyPackage>(hash_ref: &HashReference, key_package: &KeyPackage) -> ();
        fn write_psk<PskId, PskBundle>(psk_id: &PskId, psk: &PskBundle) -> ();
        fn mls_group_join_config<GroupId, MlsGroupJoinConfig>(group_id: &GroupId) -> Option<MlsGroupJoinConfig>;
        fn own_leaf_nodes<GroupId, LeafNode>(group_id: &GroupId) -> Vec<LeafNode>;
        fn queued_proposal_refs<GroupId, ProposalRef>(group_id: &GroupId) -> Vec<ProposalRef>;
        fn queued_proposals<GroupId, ProposalRef, QueuedProposal>(group_id: &GroupId) -> Vec<(ProposalRef, QueuedProposal)>;
        fn tree<GroupId, TreeSync>(group_id: &GroupId) -> Option<TreeSync>;
        fn group_context<GroupId, GroupContext>(group_id: &GroupId) -> Option<GroupContext>;
        fn interim_transcript_hash<GroupId, InterimTranscriptHash>(group_id: &GroupId) -> Option<InterimTranscriptHash>;
        fn confirmation_tag<GroupId, ConfirmationTag>(group_id: &GroupId) -> Option<ConfirmationTag>;
        fn group_state<GroupState, GroupId>(group_id: &GroupId) -> Option<GroupState>;
        fn message_secrets<GroupId, MessageSecrets>(group_id: &GroupId) -> Option<MessageSecrets>;
        fn resumption_psk_store<GroupId, ResumptionPskStore>(group_id: &GroupId) -> Option<ResumptionPskStore>;
        fn own_leaf_index<GroupId, LeafNodeIndex>(group_id: &GroupId) -> Option<LeafNodeIndex>;
        fn group_epoch_secrets<GroupId, GroupEpochSecrets>(group_id: &GroupId) -> Option<GroupEpochSecrets>;
        fn signature_key_pair<SignaturePublicKey, SignatureKeyPair>(public_key: &SignaturePublicKey) -> Option<SignatureKeyPair>;
        fn encryption_key_pair<HpkeKeyPair, EncryptionKey>(public_key: &EncryptionKey) -> Option<HpkeKeyPair>;
        fn encryption_epoch_key_pairs<GroupId, EpochKey, HpkeKeyPair>(group_id: &GroupId, epoch: &EpochKey, leaf_index: u32) -> Vec<HpkeKeyPair>;
        fn key_package<HashReference, KeyPackage>(hash_ref: &HashReference) -> Option<KeyPackage>;
        fn psk<PskBundle, PskId>(psk_id: &PskId) -> Option<PskBundle>;
        #[cfg(feature = "extensions-draft")]
        fn application_export_tree<GroupId, ApplicationExportTree>(group_id: &GroupId) -> Option<ApplicationExportTree>;
        fn remove_proposal<GroupId, ProposalRef>(group_id: &GroupId, proposal_ref: &ProposalRef) -> ();
        fn delete_own_leaf_nodes<GroupId>(group_id: &GroupId) -> ();
        fn delete_group_config<GroupId>(group_id: &GroupId) -> ();
        fn delete_tree<GroupId>(group_id: &GroupId) -> ();
        fn delete_confirmation_tag<GroupId>(group_id: &GroupId) -> ();
        fn delete_group_state<GroupId>(group_id: &GroupId) -> ();
        fn delete_context<GroupId>(group_id: &GroupId) -> ();
        fn delete_interim_transcript_hash<GroupId>(group_id: &GroupId) -> ();
        fn delete_message_secrets<GroupId>(group_id: &GroupId) -> ();
        fn delete_all_resumption_psk_secrets<GroupId>(group_id: &GroupId) -> ();
        fn delete_own_leaf_index<GroupId>(group_id: &GroupId) -> ();
        fn delete_group_epoch_secrets<GroupId>(group_id: &GroupId) -> ();
        fn clear_proposal_queue<GroupId, ProposalRef>(group_id: &GroupId) -> ();
        fn delete_signature_key_pair<SignaturePublicKey>(public_key: &SignaturePublicKey) -> ();
        fn delete_encryption_key_pair<EncryptionKey>(public_key: &EncryptionKey) -> ();
        fn delete_encryption_epoch_key_pairs<GroupId, EpochKey>(group_id: &GroupId, epoch: &EpochKey, leaf_index: u32) -> ();
        fn delete_key_package<HashReference>(hash_ref: &HashReference) -> ();
        fn delete_psk<PskId>(psk_id: &PskId) -> ();
        #[cfg(feature = "extensions-draft")]
        fn delete_application_export_tree<GroupId, ApplicationExportTree>(group_id: &GroupId) -> ();
    }
}
