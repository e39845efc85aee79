//! Group state and invitations (RFC 9420, sections 8.1 and 12.4.3).

use tls_codec::{Serialize as _, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::{Extension, HpkeCiphertext, MLS10, PreSharedKeyId};
use crate::mls::{Error, Suite};

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct GroupContext {
    pub version: u16,
    pub cipher_suite: u16,
    pub group_id: VLBytes,
    pub epoch: u64,
    pub tree_hash: VLBytes,
    pub confirmed_transcript_hash: VLBytes,
    pub extensions: Vec<Extension>,
}

impl GroupContext {
    /// One without extensions, encoded.
    pub fn encode(
        suite: &Suite<'_>,
        group_id: &[u8],
        epoch: u64,
        tree_hash: &[u8],
        confirmed_transcript_hash: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let context = Self {
            version: MLS10,
            cipher_suite: suite.code_point,
            group_id: group_id.into(),
            epoch,
            tree_hash: tree_hash.into(),
            confirmed_transcript_hash: confirmed_transcript_hash.into(),
            extensions: Vec::new(),
        };
        Ok(context.tls_serialize_detached()?)
    }
}

/// A GroupInfo without its signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct GroupInfoContent {
    pub group_context: GroupContext,
    pub extensions: Vec<Extension>,
    pub confirmation_tag: VLBytes,
    pub signer: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct GroupInfo {
    pub content: GroupInfoContent,
    pub signature: VLBytes,
}

const GROUP_INFO_LABEL: &str = "GroupInfoTBS";

impl GroupInfoContent {
    /// The GroupInfo, signed.
    pub fn sign(self, suite: &Suite<'_>, key: &[u8]) -> Result<GroupInfo, Error> {
        let content = self.tls_serialize_detached()?;
        let signature = suite.sign_with_label(key, GROUP_INFO_LABEL, &content)?.into();
        Ok(GroupInfo { content: self, signature })
    }
}

impl GroupInfo {
    /// Whether the signature holds.
    pub fn verify(&self, suite: &Suite<'_>, key: &[u8]) -> Result<(), Error> {
        let content = self.content.tls_serialize_detached()?;
        suite.verify_with_label(key, GROUP_INFO_LABEL, &content, self.signature.as_slice())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct GroupSecrets {
    pub joiner_secret: VLBytes,
    pub path_secret: Option<VLBytes>,
    pub psks: Vec<PreSharedKeyId>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct EncryptedGroupSecrets {
    pub new_member: VLBytes,
    pub encrypted_group_secrets: HpkeCiphertext,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct Welcome {
    pub cipher_suite: u16,
    pub secrets: Vec<EncryptedGroupSecrets>,
    pub encrypted_group_info: VLBytes,
}
