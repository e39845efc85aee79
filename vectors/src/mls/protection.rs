//! Message protection (RFC 9420, sections 6.1 to 6.3).

use tls_codec::{
    DeserializeBytes, Serialize as _, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes,
};

use super::secret_tree::{MessageKey, Ratchet, SecretTree, sender_data_key};
use super::wire::{
    AuthData, AuthenticatedContent, Commit, Content, FramedContent, MLS10, PrivateMessage,
    Proposal, PublicMessage, Sender, Tag, decode,
};
use super::{Error, Suite};

/// What protects messages of an epoch.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Keys<'a> {
    /// The GroupContext, encoded.
    pub group_context: &'a [u8],
    pub encryption_secret: &'a [u8],
    pub sender_data_secret: &'a [u8],
    pub membership_key: &'a [u8],
    /// The number of leaves.
    pub leaves: u32,
}

const PUBLIC: u16 = 1;
const PRIVATE: u16 = 2;
/// A limit for generations, so that a message cannot ask for unbounded work.
const MAX_GENERATION: u32 = 1 << 16;

#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct SenderData {
    leaf_index: u32,
    generation: u32,
    reuse_guard: [u8; 4],
}

#[derive(TlsSize, TlsSerialize)]
struct SenderDataAad<'a> {
    group_id: &'a VLBytes,
    epoch: u64,
    content_type: u8,
}

#[derive(TlsSize, TlsSerialize)]
struct ContentAad<'a> {
    group_id: &'a VLBytes,
    epoch: u64,
    content_type: u8,
    authenticated_data: &'a VLBytes,
}

/// FramedContentTBS: the context stands in it for members and new members that commit.
fn to_be_signed(
    wire_format: u16,
    content: &FramedContent,
    group_context: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    MLS10.tls_serialize(&mut bytes)?;
    wire_format.tls_serialize(&mut bytes)?;
    content.tls_serialize(&mut bytes)?;
    if matches!(content.sender, Sender::Member(_) | Sender::NewMemberCommit) {
        bytes.extend_from_slice(group_context);
    }
    Ok(bytes)
}

/// Signs content; a commit gets the tag that it is given.
pub fn authenticate(
    suite: &Suite<'_>,
    wire_format: u16,
    content: FramedContent,
    group_context: &[u8],
    signature_priv: &[u8],
    confirmation_tag: Option<&[u8]>,
) -> Result<AuthenticatedContent, Error> {
    let input = to_be_signed(wire_format, &content, group_context)?;
    let signature = suite.sign_with_label(signature_priv, "FramedContentTBS", &input)?.into();
    let confirmation_tag = Tag(confirmation_tag.map(VLBytes::from));
    Ok(AuthenticatedContent {
        wire_format,
        content,
        auth: AuthData { signature, confirmation_tag },
    })
}

fn verify(
    suite: &Suite<'_>,
    content: &AuthenticatedContent,
    group_context: &[u8],
    signature_pub: &[u8],
) -> Result<(), Error> {
    let input = to_be_signed(content.wire_format, &content.content, group_context)?;
    let signature = content.auth.signature.as_slice();
    suite.verify_with_label(signature_pub, "FramedContentTBS", &input, signature)
}

fn membership_tag(
    suite: &Suite<'_>,
    keys: Keys<'_>,
    content: &FramedContent,
    auth: &AuthData,
) -> Result<Vec<u8>, Error> {
    let mut input = to_be_signed(PUBLIC, content, keys.group_context)?;
    auth.tls_serialize(&mut input)?;
    suite.mac(keys.membership_key, &input)
}

/// A PublicMessage of a member (section 6.2). Application data must not be sent so.
pub fn protect_public(
    suite: &Suite<'_>,
    keys: Keys<'_>,
    content: FramedContent,
    signature_priv: &[u8],
    confirmation_tag: Option<&[u8]>,
) -> Result<PublicMessage, Error> {
    if matches!(content.content, Content::Application(_)) {
        return Err(Error::Rule("application data in a PublicMessage (section 6.2)"));
    }
    let AuthenticatedContent { content, auth, .. } =
        authenticate(suite, PUBLIC, content, keys.group_context, signature_priv, confirmation_tag)?;
    let tag = membership_tag(suite, keys, &content, &auth)?;
    Ok(PublicMessage { content, auth, membership_tag: Tag(Some(tag.into())) })
}

/// Checks a PublicMessage.
pub fn unprotect_public(
    suite: &Suite<'_>,
    keys: Keys<'_>,
    message: PublicMessage,
    signature_pub: &[u8],
) -> Result<AuthenticatedContent, Error> {
    let PublicMessage { content, auth, membership_tag: tag } = message;
    if matches!(content.content, Content::Application(_)) {
        return Err(Error::Rule("application data in a PublicMessage (section 6.2)"));
    }
    if tag.bytes().is_some_and(|_| matches!(content.sender, Sender::Member(_))) {
        let wanted = membership_tag(suite, keys, &content, &auth)?;
        if tag.bytes() != Some(&wanted[..]) {
            return Err(Error::Rule("the membership tag does not hold"));
        }
    }
    let content = AuthenticatedContent { wire_format: PUBLIC, content, auth };
    verify(suite, &content, keys.group_context, signature_pub)?;
    Ok(content)
}

fn ratchet(content_type: u8) -> Ratchet {
    if content_type == 1 { Ratchet::Application } else { Ratchet::Handshake }
}

fn guard(mut key: MessageKey, reuse_guard: [u8; 4]) -> MessageKey {
    for (byte, guard) in key.nonce.iter_mut().zip(reuse_guard) {
        *byte ^= guard;
    }
    key
}

/// A PrivateMessage of a member (section 6.3).
pub fn protect_private(
    suite: &Suite<'_>,
    keys: Keys<'_>,
    content: FramedContent,
    signature_priv: &[u8],
    confirmation_tag: Option<&[u8]>,
    (generation, padding): (u32, usize),
) -> Result<PrivateMessage, Error> {
    let Sender::Member(leaf_index) = content.sender else {
        return Err(Error::Rule("only members send a PrivateMessage (section 6.3)"));
    };
    let AuthenticatedContent { content, auth, .. } = authenticate(
        suite,
        PRIVATE,
        content,
        keys.group_context,
        signature_priv,
        confirmation_tag,
    )?;
    let FramedContent { group_id, epoch, authenticated_data, content, .. } = content;
    let content_type = content.content_type();
    let mut plaintext = content.tls_serialize_detached()?;
    // The content type stands outside, in the PrivateMessage.
    plaintext.remove(0);
    auth.tls_serialize(&mut plaintext)?;
    plaintext.resize(plaintext.len() + padding, 0);

    let reuse_guard = suite.random(4)?.try_into().map_err(|_| Error::Rule("four bytes"))?;
    let key = SecretTree::new(keys.encryption_secret, keys.leaves).message_key(
        suite,
        leaf_index,
        ratchet(content_type),
        generation,
    )?;
    let key = guard(key, reuse_guard);
    let aad = ContentAad {
        group_id: &group_id,
        epoch,
        content_type,
        authenticated_data: &authenticated_data,
    };
    let ciphertext =
        suite.seal(&key.key, &key.nonce, &aad.tls_serialize_detached()?, &plaintext)?;

    let data = SenderData { leaf_index, generation, reuse_guard }.tls_serialize_detached()?;
    let key = sender_data_key(suite, keys.sender_data_secret, &ciphertext)?;
    let aad = SenderDataAad { group_id: &group_id, epoch, content_type };
    let encrypted_sender_data =
        suite.seal(&key.key, &key.nonce, &aad.tls_serialize_detached()?, &data)?;
    Ok(PrivateMessage {
        group_id,
        epoch,
        content_type,
        authenticated_data,
        encrypted_sender_data: encrypted_sender_data.into(),
        ciphertext: ciphertext.into(),
    })
}

/// Decrypts and checks a PrivateMessage.
pub fn unprotect_private(
    suite: &Suite<'_>,
    keys: Keys<'_>,
    message: &PrivateMessage,
    signature_pub: &[u8],
) -> Result<AuthenticatedContent, Error> {
    let PrivateMessage { group_id, epoch, content_type, authenticated_data, .. } = message;
    let (epoch, content_type) = (*epoch, *content_type);
    let ciphertext = message.ciphertext.as_slice();
    let key = sender_data_key(suite, keys.sender_data_secret, ciphertext)?;
    let aad = SenderDataAad { group_id, epoch, content_type }.tls_serialize_detached()?;
    let data = suite.open(&key.key, &key.nonce, &aad, message.encrypted_sender_data.as_slice())?;
    let SenderData { leaf_index, generation, reuse_guard } = decode(&data)?;
    if leaf_index >= keys.leaves || generation > MAX_GENERATION {
        return Err(Error::Rule("sender data outside of the tree or its ratchets"));
    }

    let key = SecretTree::new(keys.encryption_secret, keys.leaves).message_key(
        suite,
        leaf_index,
        ratchet(content_type),
        generation,
    )?;
    let key = guard(key, reuse_guard);
    let aad = ContentAad { group_id, epoch, content_type, authenticated_data };
    let plaintext = suite.open(&key.key, &key.nonce, &aad.tls_serialize_detached()?, ciphertext)?;
    let (content, rest) = read_content(content_type, &plaintext)?;
    let (auth, padding) = AuthData::read(rest, &content)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(Error::Rule("padding that is not zero (section 6.3.1)"));
    }
    let content = FramedContent {
        group_id: group_id.clone(),
        epoch,
        sender: Sender::Member(leaf_index),
        authenticated_data: authenticated_data.clone(),
        content,
    };
    let content = AuthenticatedContent { wire_format: PRIVATE, content, auth };
    verify(suite, &content, keys.group_context, signature_pub)?;
    Ok(content)
}

fn read_content(content_type: u8, bytes: &[u8]) -> Result<(Content, &[u8]), Error> {
    Ok(match content_type {
        1 => {
            let (data, rest) = VLBytes::tls_deserialize_bytes(bytes)?;
            (Content::Application(data), rest)
        }
        2 => {
            let (proposal, rest) = Proposal::tls_deserialize_bytes(bytes)?;
            (Content::Proposal(proposal), rest)
        }
        3 => {
            let (commit, rest) = Commit::tls_deserialize_bytes(bytes)?;
            (Content::Commit(commit), rest)
        }
        _ => return Err(Error::Rule("an unknown content type")),
    })
}
