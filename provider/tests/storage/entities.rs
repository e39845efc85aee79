//! A key and a value that are good for every method of the trait, and a table of its simple
//! entries: those that are written, read and deleted under one key.

use openmls_traits::storage::{CURRENT_VERSION, Entity, Key, StorageProvider, traits};
use proptest::{collection::vec, option, prelude::*};
use serde::{Deserialize, Serialize};

/// The storage trait in the version that OpenMLS uses.
pub(crate) trait Storage: StorageProvider<CURRENT_VERSION> {}

impl<S: StorageProvider<CURRENT_VERSION>> Storage for S {}

/// Stands for every type of key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Id(pub(crate) Vec<u8>);

/// Stands for every type of value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Data {
    pub(crate) bytes: Vec<u8>,
    pub(crate) number: u64,
    pub(crate) choice: Option<Choice>,
    pub(crate) pairs: Vec<(i32, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Choice {
    Nothing,
    One(Vec<u8>),
    Two(u8, i64),
    Named { flag: bool, octets: [u8; 4] },
}

impl Key<CURRENT_VERSION> for Id {}
impl Entity<CURRENT_VERSION> for Id {}
impl Entity<CURRENT_VERSION> for Data {}

macro_rules! mark {
    ($type:ident: $( $(#[$attribute:meta])* $name:ident ),+ $(,)?) => {
        $( $(#[$attribute])* impl traits::$name<CURRENT_VERSION> for $type {} )+
    };
}

mark! { Id:
    GroupId, SignaturePublicKey, HashReference, PskId, EncryptionKey, EpochKey, ProposalRef,
    #[cfg(feature = "virtual-clients-draft")] VcEpochId,
}

mark! { Data:
    QueuedProposal, TreeSync, GroupContext, InterimTranscriptHash, ConfirmationTag,
    SignatureKeyPair, PskBundle, HpkeKeyPair, GroupState, GroupEpochSecrets, LeafNodeIndex,
    MessageSecrets, ResumptionPskStore, KeyPackage, MlsGroupJoinConfig, LeafNode,
    ApplicationExportTree,
    #[cfg(feature = "virtual-clients-draft")] VcEmulationEpochState,
    #[cfg(feature = "virtual-clients-draft")] VcEmulationBindings,
    #[cfg(feature = "virtual-clients-draft")] RegisteredVcEmulationEpoch,
    #[cfg(feature = "virtual-clients-draft")] VcOperationTree,
    #[cfg(feature = "virtual-clients-draft")] RetainedKeyPackageMaterial,
}

pub(crate) fn id() -> impl Strategy<Value = Id> {
    // Few and short ones, so that operations meet.
    vec(0..3u8, 0..3).prop_map(Id)
}

pub(crate) fn data() -> impl Strategy<Value = Data> {
    let choice = prop_oneof![
        Just(Choice::Nothing),
        vec(any::<u8>(), 0..40).prop_map(Choice::One),
        any::<(u8, i64)>().prop_map(|(a, b)| Choice::Two(a, b)),
        any::<(bool, [u8; 4])>().prop_map(|(flag, octets)| Choice::Named { flag, octets }),
    ];
    let bytes = prop_oneof![29 => vec(any::<u8>(), 0..100), 1 => vec(any::<u8>(), 17_000..18_000)];
    (bytes, any::<u64>(), option::of(choice), vec(any::<(i32, String)>(), 0..3))
        .prop_map(|(bytes, number, choice, pairs)| Data { bytes, number, choice, pairs })
}

/// Writes the table: what an entry is called and how it is written, read and deleted.
macro_rules! kinds {
    ($( $(#[$attribute:meta])*
        $kind:ident: $write:ident, $read:ident, $delete:ident $(::<$a:ty, $b:ty>)?;
    )+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $( $(#[$attribute])* $kind ),+ }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[ $( $(#[$attribute])* Self::$kind ),+ ];

            pub(crate) fn write<S: Storage>(
                self, storage: &S, id: &Id, data: &Data,
            ) -> Result<(), S::Error> {
                match self { $( $(#[$attribute])* Self::$kind => storage.$write(id, data), )+ }
            }

            pub(crate) fn read<S: Storage>(
                self, storage: &S, id: &Id,
            ) -> Result<Option<Data>, S::Error> {
                match self { $( $(#[$attribute])* Self::$kind => storage.$read(id), )+ }
            }

            pub(crate) fn delete<S: Storage>(self, storage: &S, id: &Id) -> Result<(), S::Error> {
                match self {
                    $( $(#[$attribute])* Self::$kind => storage.$delete $(::<$a, $b>)? (id), )+
                }
            }
        }
    };
}

kinds! {
    Tree: write_tree, tree, delete_tree;
    Context: write_context, group_context, delete_context;
    TranscriptHash: write_interim_transcript_hash, interim_transcript_hash,
        delete_interim_transcript_hash;
    ConfirmationTag: write_confirmation_tag, confirmation_tag, delete_confirmation_tag;
    JoinConfig: write_mls_join_config, mls_group_join_config, delete_group_config;
    GroupState: write_group_state, group_state, delete_group_state;
    OwnLeafIndex: write_own_leaf_index, own_leaf_index, delete_own_leaf_index;
    EpochSecrets: write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets;
    MessageSecrets: write_message_secrets, message_secrets, delete_message_secrets;
    ResumptionPsks: write_resumption_psk_store, resumption_psk_store,
        delete_all_resumption_psk_secrets;
    SignatureKeyPair: write_signature_key_pair, signature_key_pair, delete_signature_key_pair;
    EncryptionKeyPair: write_encryption_key_pair, encryption_key_pair, delete_encryption_key_pair;
    KeyPackage: write_key_package, key_package, delete_key_package;
    Psk: write_psk, psk, delete_psk;
    #[cfg(feature = "extensions-draft")]
    ApplicationExportTree: write_application_export_tree, application_export_tree,
        delete_application_export_tree::<Id, Data>;
    #[cfg(feature = "virtual-clients-draft")]
    VcBindings: write_vc_emulation_bindings, vc_emulation_bindings, delete_vc_emulation_bindings;
    #[cfg(feature = "virtual-clients-draft")]
    RegisteredVcEpoch: write_registered_vc_emulation_epoch, registered_vc_emulation_epoch,
        delete_registered_vc_emulation_epoch;
    #[cfg(feature = "virtual-clients-draft")]
    VcEpochState: write_vc_emulation_epoch_state, vc_emulation_epoch_state, drop_vc_epoch;
    #[cfg(feature = "virtual-clients-draft")]
    VcOperationTree: write_vc_operation_tree, vc_operation_tree, drop_vc_epoch;
}

/// An epoch's state and tree are only deleted together.
#[cfg(feature = "virtual-clients-draft")]
trait DropVcEpoch: Storage {
    fn drop_vc_epoch(&self, id: &Id) -> Result<(), Self::Error> {
        self.delete_vc_emulation_state_if_unreferenced(id).map(|_| ())
    }
}

#[cfg(feature = "virtual-clients-draft")]
impl<S: Storage> DropVcEpoch for S {}
