//! Leaves, parents and key packages (RFC 9420, sections 7 and 10).

use tls_codec::{Serialize as _, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use crate::mls::{Error, Suite};

/// `mls10`, the one protocol version.
pub const MLS10: u16 = 1;

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct Extension {
    pub extension_type: u16,
    pub extension_data: VLBytes,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u16)]
#[allow(missing_docs)]
pub enum Credential {
    #[tls_codec(discriminant = 1)]
    Basic(VLBytes),
    #[tls_codec(discriminant = 2)]
    X509(Vec<VLBytes>),
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct Capabilities {
    pub versions: Vec<u16>,
    pub cipher_suites: Vec<u16>,
    pub extensions: Vec<u16>,
    pub proposals: Vec<u16>,
    pub credentials: Vec<u16>,
}

/// `leaf_node_source` and what depends on it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum LeafNodeSource {
    #[tls_codec(discriminant = 1)]
    KeyPackage(Lifetime),
    #[tls_codec(discriminant = 2)]
    Update,
    /// With the parent hash.
    #[tls_codec(discriminant = 3)]
    Commit(VLBytes),
}

/// In seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct Lifetime {
    pub not_before: u64,
    pub not_after: u64,
}

/// A LeafNode without its signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct LeafNodeContent {
    pub encryption_key: VLBytes,
    pub signature_key: VLBytes,
    pub credential: Credential,
    pub capabilities: Capabilities,
    pub source: LeafNodeSource,
    pub extensions: Vec<Extension>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct LeafNode {
    pub content: LeafNodeContent,
    pub signature: VLBytes,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct ParentNode {
    pub encryption_key: VLBytes,
    pub parent_hash: VLBytes,
    pub unmerged_leaves: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum Node {
    #[tls_codec(discriminant = 1)]
    Leaf(LeafNode),
    #[tls_codec(discriminant = 2)]
    Parent(ParentNode),
}

/// A KeyPackage without its signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct KeyPackageContent {
    pub version: u16,
    pub cipher_suite: u16,
    pub init_key: VLBytes,
    pub leaf_node: LeafNode,
    pub extensions: Vec<Extension>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct KeyPackage {
    pub content: KeyPackageContent,
    pub signature: VLBytes,
}

impl Node {
    /// The key of the node.
    #[must_use]
    pub fn encryption_key(&self) -> &[u8] {
        match self {
            Self::Leaf(leaf) => leaf.content.encryption_key.as_slice(),
            Self::Parent(parent) => parent.encryption_key.as_slice(),
        }
    }

    /// The parent hash; a leaf has one if it came with a commit.
    #[must_use]
    pub fn parent_hash(&self) -> Option<&[u8]> {
        match self {
            Self::Parent(parent) => Some(parent.parent_hash.as_slice()),
            Self::Leaf(LeafNode {
                content: LeafNodeContent { source: LeafNodeSource::Commit(hash), .. },
                ..
            }) => Some(hash.as_slice()),
            Self::Leaf(_) => None,
        }
    }
}

const LEAF_LABEL: &str = "LeafNodeTBS";
const KEY_PACKAGE_LABEL: &str = "KeyPackageTBS";

impl LeafNodeContent {
    /// LeafNodeTBS (section 7.2): a leaf that is in a group is bound to its place.
    fn to_be_signed(&self, group_id: &[u8], leaf_index: u32) -> Result<Vec<u8>, Error> {
        let mut bytes = self.tls_serialize_detached()?;
        if !matches!(self.source, LeafNodeSource::KeyPackage(_)) {
            VLBytes::from(group_id).tls_serialize(&mut bytes)?;
            leaf_index.tls_serialize(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// The leaf, signed.
    pub fn sign(
        self,
        suite: &Suite<'_>,
        key: &[u8],
        group_id: &[u8],
        leaf_index: u32,
    ) -> Result<LeafNode, Error> {
        let content = self.to_be_signed(group_id, leaf_index)?;
        let signature = suite.sign_with_label(key, LEAF_LABEL, &content)?.into();
        Ok(LeafNode { content: self, signature })
    }
}

impl LeafNode {
    /// Whether the signature holds at this place.
    pub fn verify(&self, suite: &Suite<'_>, group_id: &[u8], leaf_index: u32) -> Result<(), Error> {
        let content = self.content.to_be_signed(group_id, leaf_index)?;
        let key = self.content.signature_key.as_slice();
        suite.verify_with_label(key, LEAF_LABEL, &content, self.signature.as_slice())
    }
}

impl KeyPackageContent {
    /// The key package, signed.
    pub fn sign(self, suite: &Suite<'_>, key: &[u8]) -> Result<KeyPackage, Error> {
        let content = self.tls_serialize_detached()?;
        let signature = suite.sign_with_label(key, KEY_PACKAGE_LABEL, &content)?.into();
        Ok(KeyPackage { content: self, signature })
    }
}

impl KeyPackage {
    /// Whether both signatures hold.
    pub fn verify(&self, suite: &Suite<'_>) -> Result<(), Error> {
        let leaf = &self.content.leaf_node;
        leaf.verify(suite, b"", 0)?;
        let (key, content) =
            (leaf.content.signature_key.as_slice(), self.content.tls_serialize_detached()?);
        suite.verify_with_label(key, KEY_PACKAGE_LABEL, &content, self.signature.as_slice())
    }

    /// KeyPackageRef (section 5.2).
    pub fn reference(&self, suite: &Suite<'_>) -> Result<Vec<u8>, Error> {
        suite.ref_hash("MLS 1.0 KeyPackage Reference", &self.tls_serialize_detached()?)
    }
}
