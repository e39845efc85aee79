//! `messages`: the syntax of each structure.

use serde::{Deserialize, Serialize};
use tls_codec::{DeserializeBytes, Serialize as TlsSerialize};

use crate::kinds::Vector;
use crate::mls::wire::{
    Body, Commit, Extension, GroupSecrets, KeyPackage, LeafNode, MlsMessage, PreSharedKeyId,
    ReInit, decode, decode_nodes,
};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Messages {
    pub mls_welcome: Hex,
    pub mls_group_info: Hex,
    pub mls_key_package: Hex,
    pub ratchet_tree: Hex,
    pub group_secrets: Hex,
    pub add_proposal: Hex,
    pub update_proposal: Hex,
    pub remove_proposal: Hex,
    pub pre_shared_key_proposal: Hex,
    pub re_init_proposal: Hex,
    pub external_init_proposal: Hex,
    pub group_context_extensions_proposal: Hex,
    pub commit: Hex,
    pub public_message_application: Hex,
    pub public_message_proposal: Hex,
    pub public_message_commit: Hex,
    pub private_message: Hex,
}

/// Decodes and encodes again.
fn again<T: DeserializeBytes + TlsSerialize>(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let value: T = decode(bytes).map_err(Failure::of(name))?;
    let encoded = value.tls_serialize_detached().map_err(Failure::of(name))?;
    Failure::unless_equal(name, bytes, encoded)
}

/// The same for a message, whose body has to be of the field's kind.
fn message(name: &str, bytes: &[u8], fits: fn(&Body) -> bool) -> Result<(), Failure> {
    if !fits(&MlsMessage::open(bytes).map_err(Failure::of(name))?) {
        return Err(Failure::refused(name, "is a message of another kind"));
    }
    again::<MlsMessage>(name, bytes)
}

/// The same for a tree.
fn tree(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let nodes = decode_nodes(bytes).map_err(Failure::of(name))?;
    let encoded = nodes.tls_serialize_detached().map_err(Failure::of(name))?;
    Failure::unless_equal(name, bytes, encoded)
}

type Again = fn(&str, &[u8]) -> Result<(), Failure>;

impl Vector for Messages {
    fn check(&self, _: &dyn Primitives) -> Result<(), Failure> {
        let fields: [(&str, &Hex, Again); 17] = [
            ("mls_welcome", &self.mls_welcome, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::Welcome(_)))
            }),
            ("mls_group_info", &self.mls_group_info, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::GroupInfo(_)))
            }),
            ("mls_key_package", &self.mls_key_package, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::KeyPackage(_)))
            }),
            ("ratchet_tree", &self.ratchet_tree, tree),
            ("group_secrets", &self.group_secrets, again::<GroupSecrets>),
            ("add_proposal", &self.add_proposal, again::<KeyPackage>),
            ("update_proposal", &self.update_proposal, again::<LeafNode>),
            ("remove_proposal", &self.remove_proposal, again::<u32>),
            ("pre_shared_key_proposal", &self.pre_shared_key_proposal, again::<PreSharedKeyId>),
            ("re_init_proposal", &self.re_init_proposal, again::<ReInit>),
            ("external_init_proposal", &self.external_init_proposal, again::<tls_codec::VLBytes>),
            (
                "group_context_extensions_proposal",
                &self.group_context_extensions_proposal,
                again::<Vec<Extension>>,
            ),
            ("commit", &self.commit, again::<Commit>),
            ("public_message_application", &self.public_message_application, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::PublicMessage(_)))
            }),
            ("public_message_proposal", &self.public_message_proposal, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::PublicMessage(_)))
            }),
            ("public_message_commit", &self.public_message_commit, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::PublicMessage(_)))
            }),
            ("private_message", &self.private_message, |name, bytes| {
                message(name, bytes, |it| matches!(it, Body::PrivateMessage(_)))
            }),
        ];
        fields.into_iter().try_for_each(|(name, bytes, again)| again(name, bytes))
    }
}
