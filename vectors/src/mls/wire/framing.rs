//! Messages and what they frame (RFC 9420, section 6).

use std::io::Write;

use tls_codec::{
    DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes,
};

use super::{Commit, GroupInfo, KeyPackage, MLS10, Proposal, Welcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Sender {
    #[tls_codec(discriminant = 1)]
    Member(u32),
    #[tls_codec(discriminant = 2)]
    External(u32),
    #[tls_codec(discriminant = 3)]
    NewMemberProposal,
    #[tls_codec(discriminant = 4)]
    NewMemberCommit,
}

/// `content_type` and what depends on it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum Content {
    #[tls_codec(discriminant = 1)]
    Application(VLBytes),
    #[tls_codec(discriminant = 2)]
    Proposal(Proposal),
    #[tls_codec(discriminant = 3)]
    Commit(Commit),
}

impl Content {
    /// The number of the content type.
    #[must_use]
    pub fn content_type(&self) -> u8 {
        match self {
            Self::Application(_) => 1,
            Self::Proposal(_) => 2,
            Self::Commit(_) => 3,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct FramedContent {
    pub group_id: VLBytes,
    pub epoch: u64,
    pub sender: Sender,
    pub authenticated_data: VLBytes,
    pub content: Content,
}

/// FramedContentAuthData. A commit, and nothing else, has a confirmation tag.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize)]
#[allow(missing_docs)]
pub struct AuthData {
    pub signature: VLBytes,
    pub confirmation_tag: Tag,
}

/// A tag that is there or not, as the context says; without a presence octet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag(pub Option<VLBytes>);

impl Size for Tag {
    fn tls_serialized_len(&self) -> usize {
        self.0.as_ref().map_or(0, Size::tls_serialized_len)
    }
}

impl Serialize for Tag {
    fn tls_serialize<W: Write>(&self, writer: &mut W) -> Result<usize, Error> {
        self.0.as_ref().map_or(Ok(0), |tag| tag.tls_serialize(writer))
    }
}

impl Tag {
    fn read(bytes: &[u8], present: bool) -> Result<(Self, &[u8]), Error> {
        if !present {
            return Ok((Self(None), bytes));
        }
        let (tag, rest) = VLBytes::tls_deserialize_bytes(bytes)?;
        Ok((Self(Some(tag)), rest))
    }

    /// The bytes, if there are any.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.0.as_ref().map(VLBytes::as_slice)
    }
}

impl AuthData {
    pub(crate) fn read<'b>(bytes: &'b [u8], content: &Content) -> Result<(Self, &'b [u8]), Error> {
        let (signature, rest) = VLBytes::tls_deserialize_bytes(bytes)?;
        let (confirmation_tag, rest) = Tag::read(rest, matches!(content, Content::Commit(_)))?;
        Ok((Self { signature, confirmation_tag }, rest))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize)]
#[allow(missing_docs)]
pub struct AuthenticatedContent {
    pub wire_format: u16,
    pub content: FramedContent,
    pub auth: AuthData,
}

impl DeserializeBytes for AuthenticatedContent {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (wire_format, rest) = u16::tls_deserialize_bytes(bytes)?;
        let (content, rest) = FramedContent::tls_deserialize_bytes(rest)?;
        let (auth, rest) = AuthData::read(rest, &content.content)?;
        Ok((Self { wire_format, content, auth }, rest))
    }
}

/// A message in the clear. That of a member, and no other, has a membership tag.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize)]
#[allow(missing_docs)]
pub struct PublicMessage {
    pub content: FramedContent,
    pub auth: AuthData,
    pub membership_tag: Tag,
}

impl DeserializeBytes for PublicMessage {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (content, rest) = FramedContent::tls_deserialize_bytes(bytes)?;
        let (auth, rest) = AuthData::read(rest, &content.content)?;
        let (membership_tag, rest) = Tag::read(rest, matches!(content.sender, Sender::Member(_)))?;
        Ok((Self { content, auth, membership_tag }, rest))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct PrivateMessage {
    pub group_id: VLBytes,
    pub epoch: u64,
    pub content_type: u8,
    pub authenticated_data: VLBytes,
    pub encrypted_sender_data: VLBytes,
    pub ciphertext: VLBytes,
}

/// `wire_format` and what depends on it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u16)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum Body {
    #[tls_codec(discriminant = 1)]
    PublicMessage(PublicMessage),
    #[tls_codec(discriminant = 2)]
    PrivateMessage(PrivateMessage),
    #[tls_codec(discriminant = 3)]
    Welcome(Welcome),
    #[tls_codec(discriminant = 4)]
    GroupInfo(GroupInfo),
    #[tls_codec(discriminant = 5)]
    KeyPackage(KeyPackage),
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[allow(missing_docs)]
pub struct MlsMessage {
    pub version: u16,
    pub body: Body,
}

impl MlsMessage {
    /// Decodes a message of the one protocol version.
    ///
    /// # Errors
    ///
    /// It cannot be decoded, or has another version.
    pub fn open(bytes: &[u8]) -> Result<Body, crate::mls::Error> {
        let Self { version, body } = super::decode(bytes)?;
        if version == MLS10 { Ok(body) } else { Err(crate::mls::Error::Rule("another version")) }
    }
}

impl From<Body> for MlsMessage {
    fn from(body: Body) -> Self {
        Self { version: MLS10, body }
    }
}
