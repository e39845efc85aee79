//! The members of a group as far as its tree goes, for trees in vectors.

use std::collections::BTreeMap;

use super::tree::RatchetTree;
use super::tree_math::{is_below, node_of};
use super::treekem::{self, Applied, Context, PrivateState};
use super::wire::{
    Capabilities, Credential, Extension, KeyPackage, KeyPackageContent, LeafNode, LeafNodeContent,
    LeafNodeSource, Lifetime, MLS10, UpdatePath,
};
use super::{Error, Suite};

/// Every key package of the vectors: valid from 2025-01-01 to 2125-01-01, so that they do not
/// become invalid.
pub const LIFETIME: Lifetime = Lifetime { not_before: 1_735_689_600, not_after: 4_891_363_200 };

/// A key package with its private keys.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct OwnKeyPackage {
    pub key_package: KeyPackage,
    pub init_priv: Vec<u8>,
    pub encryption_priv: Vec<u8>,
    pub signature_priv: Vec<u8>,
}

impl OwnKeyPackage {
    /// A new one, whose leaf supports its own suite.
    pub fn generate(suite: &Suite<'_>, identity: &[u8]) -> Result<Self, Error> {
        let (init, leaf) = (suite.generate_key_pair()?, suite.generate_key_pair()?);
        let signature_priv = suite.generate_signature_key()?;
        let content = LeafNodeContent {
            encryption_key: leaf.public.into(),
            signature_key: suite.signature_key(&signature_priv)?.into(),
            credential: Credential::Basic(identity.into()),
            capabilities: Capabilities {
                versions: vec![MLS10],
                cipher_suites: vec![suite.code_point],
                extensions: Vec::new(),
                proposals: Vec::new(),
                credentials: vec![1],
            },
            source: LeafNodeSource::KeyPackage(LIFETIME),
            extensions: Vec::<Extension>::new(),
        };
        let leaf_node = content.sign(suite, &signature_priv, b"", 0)?;
        let content = KeyPackageContent {
            version: MLS10,
            cipher_suite: suite.code_point,
            init_key: init.public.into(),
            leaf_node,
            extensions: Vec::new(),
        };
        Ok(Self {
            key_package: content.sign(suite, &signature_priv)?,
            init_priv: init.private,
            encryption_priv: leaf.private,
            signature_priv,
        })
    }

    /// The leaf of the key package.
    #[must_use]
    pub fn leaf_node(&self) -> LeafNode {
        self.key_package.content.leaf_node.clone()
    }
}

/// A member's secrets.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Member {
    pub signature_priv: Vec<u8>,
    pub private: PrivateState,
}

/// A tree beside the secrets of all its members.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Members {
    pub group_id: Vec<u8>,
    pub tree: RatchetTree,
    pub members: BTreeMap<u32, Member>,
    named: usize,
}

impl Members {
    /// A group of one.
    pub fn new(suite: &Suite<'_>, group_id: &[u8]) -> Result<Self, Error> {
        let first = OwnKeyPackage::generate(suite, b"member 0")?;
        let private = PrivateState {
            leaf: 0,
            encryption_priv: first.encryption_priv.clone(),
            ..PrivateState::default()
        };
        let member = Member { signature_priv: first.signature_priv.clone(), private };
        Ok(Self {
            group_id: group_id.to_vec(),
            tree: RatchetTree::new(first.leaf_node()),
            members: BTreeMap::from([(0, member)]),
            named: 1,
        })
    }

    /// `get_tree(members)` of the published vectors: each member adds the next one.
    pub fn chain(suite: &Suite<'_>, group_id: &[u8], members: u32) -> Result<Self, Error> {
        let mut group = Self::new(suite, group_id)?;
        for sender in 0..members.saturating_sub(1) {
            group.commit(suite, sender, &[], 1)?;
        }
        Ok(group)
    }

    fn add(&mut self, suite: &Suite<'_>) -> Result<u32, Error> {
        let own = OwnKeyPackage::generate(suite, format!("member {}", self.named).as_bytes())?;
        self.named += 1;
        let leaf = self.tree.add(own.leaf_node());
        let private =
            PrivateState { leaf, encryption_priv: own.encryption_priv, ..PrivateState::default() };
        self.members.insert(leaf, Member { signature_priv: own.signature_priv, private });
        Ok(leaf)
    }

    /// Adds a member without a path.
    pub fn add_without_path(&mut self, suite: &Suite<'_>) -> Result<u32, Error> {
        self.add(suite)
    }

    /// A commit with a path that removes leaves and adds a number of members.
    pub fn commit(
        &mut self,
        suite: &Suite<'_>,
        sender: u32,
        remove: &[u32],
        add: usize,
    ) -> Result<(), Error> {
        for &leaf in remove {
            self.tree.remove(leaf)?;
            self.members.remove(&leaf);
        }
        for member in self.members.values_mut() {
            let tree = &self.tree;
            member
                .private
                .path_secrets
                .retain(|&node, _| node <= 2 * (tree.leaves() - 1) && tree.node(node).is_some());
        }
        let added = (0..add).map(|_| self.add(suite)).collect::<Result<Vec<_>, _>>()?;
        let context =
            Context { group_id: &self.group_id, epoch: 0, confirmed_transcript_hash: b"" };
        let key = self.member(sender)?.signature_priv.clone();
        let (path, sent) = treekem::create(suite, &self.tree, sender, &key, context, &added)?;
        self.take(suite, sender, &path, &sent, &added)
    }

    fn member(&self, leaf: u32) -> Result<&Member, Error> {
        self.members.get(&leaf).ok_or(Error::Rule("no member at this leaf"))
    }

    fn take(
        &mut self,
        suite: &Suite<'_>,
        sender: u32,
        path: &UpdatePath,
        sent: &Applied,
        added: &[u32],
    ) -> Result<(), Error> {
        let context =
            Context { group_id: &self.group_id, epoch: 0, confirmed_transcript_hash: b"" };
        for (&leaf, member) in &mut self.members {
            if leaf == sender {
                member.private = sent.private.clone();
            } else if added.contains(&leaf) {
                // The Welcome gives the path secret of the lowest common ancestor.
                let above = sent.private.path_secrets.iter();
                let above = above.filter(|(node, _)| is_below(node_of(leaf), **node));
                member.private.path_secrets =
                    above.map(|(node, secret)| (*node, secret.clone())).collect();
            } else {
                let state = &member.private;
                let applied =
                    treekem::process(suite, &self.tree, state, sender, path, context, added)?;
                if applied.tree != sent.tree || applied.commit_secret != sent.commit_secret {
                    return Err(Error::Rule("sender and receiver disagree"));
                }
                member.private = applied.private;
            }
        }
        self.tree = sent.tree.clone();
        Ok(())
    }
}
