//! `transcript-hashes`: what a commit adds to the transcript.

use serde::{Deserialize, Serialize};
use tls_codec::Serialize as _;

use crate::kinds::Vector;
use crate::mls::members::Members;
use crate::mls::wire::{
    AuthenticatedContent, Commit, Content, FramedContent, GroupContext, Sender, decode,
};
use crate::mls::{Error, Suite, protection, transcript, treekem};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TranscriptHashes {
    pub cipher_suite: u16,
    pub confirmation_key: Hex,
    pub authenticated_content: Hex,
    pub interim_transcript_hash_before: Hex,
    pub confirmed_transcript_hash_after: Hex,
    pub interim_transcript_hash_after: Hex,
}

impl Vector for TranscriptHashes {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let content: AuthenticatedContent =
            decode(&self.authenticated_content).map_err(Failure::of("authenticated_content"))?;
        let Some(tag) = content.auth.confirmation_tag.bytes() else {
            return Err(Failure::refused("authenticated_content", "is not a commit"));
        };
        let confirmed =
            transcript::confirmed(suite, &self.interim_transcript_hash_before, &content)
                .map_err(Failure::of("confirmed_transcript_hash_after"))?;
        let wanted = &self.confirmed_transcript_hash_after;
        Failure::unless_equal("confirmed_transcript_hash_after", wanted, &confirmed)?;
        let expected = suite
            .mac(&self.confirmation_key, &confirmed)
            .map_err(Failure::of("confirmation_key"))?;
        Failure::unless_equal("authenticated_content: confirmation_tag", tag, expected)?;
        let interim = transcript::interim(suite, &confirmed, tag)
            .map_err(Failure::of("interim_transcript_hash_after"))?;
        let wanted = &self.interim_transcript_hash_after;
        Failure::unless_equal("interim_transcript_hash_after", wanted, interim)
    }
}

/// A commit with a path in a group of two.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<TranscriptHashes>, Error> {
    let (group_id, epoch, nh) = (suite.random(32)?, 6, suite.nh());
    let group = Members::chain(suite, &group_id, 2)?;
    let sender = group.members.get(&1).ok_or(Error::Rule("a group of two"))?;
    let transcript_hash = suite.random(nh)?;
    let context = treekem::Context {
        group_id: &group_id,
        epoch,
        confirmed_transcript_hash: &transcript_hash,
    };
    let key = &sender.signature_priv;
    let (path, _) = treekem::create(suite, &group.tree, 1, key, context, &[])?;
    let content = FramedContent {
        group_id: group_id.clone().into(),
        epoch,
        sender: Sender::Member(1),
        authenticated_data: b"authenticated".as_slice().into(),
        content: Content::Commit(Commit { proposals: Vec::new(), path: Some(path) }),
    };
    let tree_hash = group.tree.root_hash(suite)?;
    let context = GroupContext::encode(suite, &group_id, epoch, &tree_hash, &transcript_hash)?;
    let mut content = protection::authenticate(suite, 1, content, &context, key, None)?;

    let (before, confirmation_key) = (suite.random(nh)?, suite.random(nh)?);
    let confirmed = transcript::confirmed(suite, &before, &content)?;
    let tag = suite.mac(&confirmation_key, &confirmed)?;
    let interim = transcript::interim(suite, &confirmed, &tag)?;
    content.auth.confirmation_tag.0 = Some(tag.into());
    Ok(vec![TranscriptHashes {
        cipher_suite: suite.code_point,
        confirmation_key: confirmation_key.into(),
        authenticated_content: content.tls_serialize_detached()?.into(),
        interim_transcript_hash_before: before.into(),
        confirmed_transcript_hash_after: confirmed.into(),
        interim_transcript_hash_after: interim.into(),
    }])
}
