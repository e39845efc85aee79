//! Proposals and commits (RFC 9420, section 12).

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::{Extension, KeyPackage, LeafNode};

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct ReInit {
    pub group_id: VLBytes,
    pub version: u16,
    pub cipher_suite: u16,
    pub extensions: Vec<Extension>,
}

/// `psktype` and what depends on it (section 8.4).
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum PskType {
    #[tls_codec(discriminant = 1)]
    External(VLBytes),
    #[tls_codec(discriminant = 2)]
    Resumption(ResumptionPsk),
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct ResumptionPsk {
    pub usage: u8,
    pub psk_group_id: VLBytes,
    pub psk_epoch: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct PreSharedKeyId {
    pub psk: PskType,
    pub psk_nonce: VLBytes,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u16)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum Proposal {
    #[tls_codec(discriminant = 1)]
    Add(KeyPackage),
    #[tls_codec(discriminant = 2)]
    Update(LeafNode),
    #[tls_codec(discriminant = 3)]
    Remove(u32),
    #[tls_codec(discriminant = 4)]
    PreSharedKey(PreSharedKeyId),
    #[tls_codec(discriminant = 5)]
    ReInit(ReInit),
    #[tls_codec(discriminant = 6)]
    ExternalInit(VLBytes),
    #[tls_codec(discriminant = 7)]
    GroupContextExtensions(Vec<Extension>),
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum ProposalOrRef {
    #[tls_codec(discriminant = 1)]
    Proposal(Proposal),
    #[tls_codec(discriminant = 2)]
    Reference(VLBytes),
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct HpkeCiphertext {
    pub kem_output: VLBytes,
    pub ciphertext: VLBytes,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct UpdatePathNode {
    pub encryption_key: VLBytes,
    pub encrypted_path_secret: Vec<HpkeCiphertext>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct UpdatePath {
    pub leaf_node: LeafNode,
    pub nodes: Vec<UpdatePathNode>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct Commit {
    pub proposals: Vec<ProposalOrRef>,
    pub path: Option<UpdatePath>,
}
