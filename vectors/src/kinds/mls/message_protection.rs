//! `message-protection`: a proposal, a commit and a message, in the clear and encrypted.

use serde::{Deserialize, Serialize};
use tls_codec::Serialize as _;

use crate::kinds::Vector;
use crate::mls::protection::{
    Keys, protect_private, protect_public, unprotect_private, unprotect_public,
};
use crate::mls::wire::{
    AuthenticatedContent, Body, Commit, Content, FramedContent, GroupContext, MlsMessage, Proposal,
    ProposalOrRef, Sender, decode,
};
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

/// The kind has a tree of two leaves, of which the second sends.
const LEAVES: u32 = 2;
const SENDER: Sender = Sender::Member(1);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct MessageProtection {
    pub cipher_suite: u16,
    pub group_id: Hex,
    pub epoch: u64,
    pub tree_hash: Hex,
    pub confirmed_transcript_hash: Hex,
    pub signature_priv: Hex,
    pub signature_pub: Hex,
    pub encryption_secret: Hex,
    pub sender_data_secret: Hex,
    pub membership_key: Hex,
    pub proposal: Hex,
    pub proposal_priv: Hex,
    pub proposal_pub: Hex,
    pub commit: Hex,
    pub commit_priv: Hex,
    pub commit_pub: Hex,
    pub application: Hex,
    pub application_priv: Hex,
}

/// One of the three contents: as it is, encrypted, in the clear.
type Row<'a> = (&'static str, Content, &'a Hex, Option<&'a Hex>);

impl MessageProtection {
    fn keys<'a>(&'a self, group_context: &'a [u8]) -> Keys<'a> {
        Keys {
            group_context,
            encryption_secret: &self.encryption_secret,
            sender_data_secret: &self.sender_data_secret,
            membership_key: &self.membership_key,
            leaves: LEAVES,
        }
    }

    fn group_context(&self, suite: &Suite<'_>) -> Result<Vec<u8>, Error> {
        let Self { group_id, epoch, tree_hash, confirmed_transcript_hash, .. } = self;
        GroupContext::encode(suite, group_id, *epoch, tree_hash, confirmed_transcript_hash)
    }

    fn frame(&self, content: Content) -> FramedContent {
        FramedContent {
            group_id: self.group_id.0.clone().into(),
            epoch: self.epoch,
            sender: SENDER,
            authenticated_data: Vec::new().into(),
            content,
        }
    }

    fn rows(&self) -> Result<[Row<'_>; 3], Failure> {
        let proposal = decode(&self.proposal).map_err(Failure::of("proposal"))?;
        let commit = decode(&self.commit).map_err(Failure::of("commit"))?;
        let application = Content::Application(self.application.0.clone().into());
        Ok([
            (
                "proposal",
                Content::Proposal(proposal),
                &self.proposal_priv,
                Some(&self.proposal_pub),
            ),
            ("commit", Content::Commit(commit), &self.commit_priv, Some(&self.commit_pub)),
            ("application", application, &self.application_priv, None),
        ])
    }

    /// A commit carries a confirmation tag; in this kind any will do.
    fn new_tag(content: &Content, suite: &Suite<'_>) -> Option<Vec<u8>> {
        matches!(content, Content::Commit(_)).then(|| vec![0x5a; suite.nh()])
    }

    fn check_public(
        &self,
        suite: &Suite<'_>,
        keys: Keys<'_>,
        content: &Content,
        given: &[u8],
    ) -> Result<(), Failure> {
        let Body::PublicMessage(message) = MlsMessage::open(given).map_err(Failure::of(""))? else {
            return Err(Failure::refused("", "is no PublicMessage"));
        };
        let opened =
            unprotect_public(suite, keys, message, &self.signature_pub).map_err(Failure::of(""))?;
        same(&opened, content, self)?;
        let tag = Self::new_tag(content, suite);
        let frame = self.frame(content.clone());
        let opened = protect_public(suite, keys, frame, &self.signature_priv, tag.as_deref())
            .and_then(|sent| unprotect_public(suite, keys, sent, &self.signature_pub))
            .map_err(Failure::of("protected again"))?;
        same(&opened, content, self)
    }

    fn check_private(
        &self,
        suite: &Suite<'_>,
        keys: Keys<'_>,
        content: &Content,
        given: &[u8],
    ) -> Result<(), Failure> {
        let Body::PrivateMessage(message) = MlsMessage::open(given).map_err(Failure::of(""))?
        else {
            return Err(Failure::refused("", "is no PrivateMessage"));
        };
        let opened = unprotect_private(suite, keys, &message, &self.signature_pub)
            .map_err(Failure::of(""))?;
        same(&opened, content, self)?;
        let tag = Self::new_tag(content, suite);
        let (frame, key) = (self.frame(content.clone()), &self.signature_priv);
        let opened = protect_private(suite, keys, frame, key, tag.as_deref(), (3, 9))
            .and_then(|sent| unprotect_private(suite, keys, &sent, &self.signature_pub))
            .map_err(Failure::of("protected again"))?;
        same(&opened, content, self)
    }
}

/// What was opened must be what the vector says, from its sender in its group.
fn same(
    opened: &AuthenticatedContent,
    content: &Content,
    vector: &MessageProtection,
) -> Result<(), Failure> {
    let found = &opened.content;
    if found.content != *content {
        return Err(Failure::refused("content", "differs"));
    }
    if found.sender != SENDER || found.epoch != vector.epoch {
        return Err(Failure::refused("sender or epoch", "differs"));
    }
    Failure::unless_equal("group_id", &vector.group_id, found.group_id.as_slice())
}

impl Vector for MessageProtection {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let context = self.group_context(suite).map_err(Failure::of("group_id"))?;
        let keys = self.keys(&context);
        let public =
            suite.signature_key(&self.signature_priv).map_err(Failure::of("signature_priv"))?;
        Failure::unless_equal("signature_pub", &self.signature_pub, public)?;
        for (name, content, private, public) in &self.rows()? {
            let parent = format!("{name}_priv");
            self.check_private(suite, keys, content, private)
                .map_err(|failure| failure.within(&parent))?;
            let parent = format!("{name}_pub");
            match public {
                Some(public) => self
                    .check_public(suite, keys, content, public)
                    .map_err(|failure| failure.within(&parent))?,
                None => {
                    let frame = self.frame(content.clone());
                    let key = &self.signature_priv;
                    if protect_public(suite, keys, frame, key, None).is_ok() {
                        return Err(Failure::refused(parent, "application data in the clear"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// One vector.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<MessageProtection>, Error> {
    let nh = suite.nh();
    let signature_priv = suite.generate_signature_key()?;
    let proposal = Proposal::Remove(0);
    let commit = Commit { proposals: vec![ProposalOrRef::Proposal(proposal.clone())], path: None };
    let mut vector = MessageProtection {
        cipher_suite: suite.code_point,
        group_id: suite.random(32)?.into(),
        epoch: 7,
        tree_hash: suite.random(nh)?.into(),
        confirmed_transcript_hash: suite.random(nh)?.into(),
        signature_pub: suite.signature_key(&signature_priv)?.into(),
        signature_priv: signature_priv.into(),
        encryption_secret: suite.random(nh)?.into(),
        sender_data_secret: suite.random(nh)?.into(),
        membership_key: suite.random(nh)?.into(),
        proposal: proposal.tls_serialize_detached()?.into(),
        proposal_priv: Hex::default(),
        proposal_pub: Hex::default(),
        commit: commit.tls_serialize_detached()?.into(),
        commit_priv: Hex::default(),
        commit_pub: Hex::default(),
        application: suite.random(64)?.into(),
        application_priv: Hex::default(),
    };
    let context = vector.group_context(suite)?;
    let tag = suite.random(nh)?;
    let encode = |body: Body| -> Result<Hex, Error> {
        Ok(MlsMessage::from(body).tls_serialize_detached()?.into())
    };
    let private = |content: Content, tag: Option<&[u8]>, place| -> Result<Hex, Error> {
        let (keys, frame) = (vector.keys(&context), vector.frame(content));
        let key = &vector.signature_priv;
        encode(Body::PrivateMessage(protect_private(suite, keys, frame, key, tag, place)?))
    };
    let public = |content: Content, tag: Option<&[u8]>| -> Result<Hex, Error> {
        let (keys, frame) = (vector.keys(&context), vector.frame(content));
        let key = &vector.signature_priv;
        encode(Body::PublicMessage(protect_public(suite, keys, frame, key, tag)?))
    };
    // The two handshake messages have to take different generations of one ratchet.
    let application = Content::Application(vector.application.0.clone().into());
    let made = [
        private(Content::Proposal(proposal.clone()), None, (0, 0))?,
        public(Content::Proposal(proposal), None)?,
        private(Content::Commit(commit.clone()), Some(&tag), (1, 0))?,
        public(Content::Commit(commit), Some(&tag))?,
        private(application, None, (0, 31))?,
    ];
    let [proposal_priv, proposal_pub, commit_priv, commit_pub, application_priv] = made;
    vector.proposal_priv = proposal_priv;
    vector.proposal_pub = proposal_pub;
    vector.commit_priv = commit_priv;
    vector.commit_pub = commit_pub;
    vector.application_priv = application_priv;
    Ok(vec![vector])
}
