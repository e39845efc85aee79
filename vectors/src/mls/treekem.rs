//! Update paths (RFC 9420, sections 7.4 to 7.6).

use std::collections::BTreeMap;

use super::tree::RatchetTree;
use super::tree_math::{direct_path, is_below, node_of};
use super::wire::{
    GroupContext, LeafNodeContent, LeafNodeSource, Node, ParentNode, UpdatePath, UpdatePathNode,
};
use super::{Error, Suite};

/// What one member knows of the tree's secrets.
#[derive(Clone, Debug, Default)]
pub struct PrivateState {
    /// The own leaf.
    pub leaf: u32,
    /// The private key of the leaf.
    pub encryption_priv: Vec<u8>,
    /// The path secrets of parents, by node.
    pub path_secrets: BTreeMap<u32, Vec<u8>>,
}

/// The values that the GroupContext takes besides the tree hash.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The group.
    pub group_id: &'a [u8],
    /// The epoch.
    pub epoch: u64,
    /// The confirmed transcript hash.
    pub confirmed_transcript_hash: &'a [u8],
}

/// What a path leaves behind.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The tree with the path merged.
    pub tree: RatchetTree,
    /// What the member knows now.
    pub private: PrivateState,
    /// The path secret that was sent to this member; for a sender the first one.
    pub path_secret: Vec<u8>,
    /// The commit secret.
    pub commit_secret: Vec<u8>,
}

const LABEL: &str = "UpdatePathNode";

impl PrivateState {
    /// The private key of a node.
    pub fn private_key(&self, suite: &Suite<'_>, node: u32) -> Result<Option<Vec<u8>>, Error> {
        if node == node_of(self.leaf) {
            return Ok(Some(self.encryption_priv.clone()));
        }
        self.path_secrets.get(&node).map(|secret| Ok(node_keys(suite, secret)?.private)).transpose()
    }

    /// Whether each key belongs to the tree's node.
    pub fn verify(&self, suite: &Suite<'_>, tree: &RatchetTree) -> Result<(), Error> {
        let nodes = [node_of(self.leaf)].into_iter().chain(self.path_secrets.keys().copied());
        for index in nodes {
            let node = (index <= 2 * (tree.leaves() - 1)).then(|| tree.node(index)).flatten();
            let node = node.ok_or(Error::Rule("a private key belongs to a blank node"))?;
            let private = self.private_key(suite, index)?.unwrap_or_default();
            if suite.encryption_key(&private)? != node.encryption_key() {
                return Err(Error::Rule("a private key does not belong to its node"));
            }
        }
        Ok(())
    }

    /// The path secrets from one node up the sender's path; the last step is the commit secret.
    fn learn(
        &mut self,
        suite: &Suite<'_>,
        mut secret: Vec<u8>,
        path: impl Iterator<Item = u32>,
    ) -> Result<Vec<u8>, Error> {
        for index in path {
            let next = suite.derive_secret(&secret, "path")?;
            self.path_secrets.insert(index, secret);
            secret = next;
        }
        Ok(secret)
    }
}

/// The key pair of a path secret (section 7.4).
pub fn node_keys(suite: &Suite<'_>, path_secret: &[u8]) -> Result<crate::KeyPair, Error> {
    suite.derive_key_pair(&suite.derive_secret(path_secret, "node")?)
}

/// Puts the public keys of a path into the tree, with their parent hashes; the parent hash for the
/// sender's leaf comes back (section 7.5).
fn merge_parents(
    suite: &Suite<'_>,
    tree: &mut RatchetTree,
    sender: u32,
    keys: &[Vec<u8>],
) -> Result<Vec<u8>, Error> {
    let path = tree.filtered_direct_path(sender);
    if path.len() != keys.len() {
        return Err(Error::Rule("an update path has another length than the filtered direct path"));
    }
    for index in direct_path(node_of(sender), tree.leaves()) {
        tree.set(index, None);
    }
    let mut parent_hash = Vec::new();
    for (&(index, copath), key) in path.iter().zip(keys).rev() {
        let parent = ParentNode {
            encryption_key: key.clone().into(),
            parent_hash: parent_hash.into(),
            unmerged_leaves: Vec::new(),
        };
        tree.set(index, Some(Node::Parent(parent)));
        parent_hash = tree.parent_hash(suite, index, copath)?;
    }
    Ok(parent_hash)
}

fn group_context(
    suite: &Suite<'_>,
    context: Context<'_>,
    tree: &RatchetTree,
) -> Result<Vec<u8>, Error> {
    let Context { group_id, epoch, confirmed_transcript_hash } = context;
    GroupContext::encode(suite, group_id, epoch, &tree.root_hash(suite)?, confirmed_transcript_hash)
}

/// Makes a path for a member; leaves in `added` are not encrypted to (section 7.5).
pub fn create(
    suite: &Suite<'_>,
    tree: &RatchetTree,
    sender: u32,
    signature_priv: &[u8],
    context: Context<'_>,
    added: &[u32],
) -> Result<(UpdatePath, Applied), Error> {
    let old = tree.leaf(sender).ok_or(Error::Rule("the sender's leaf is blank"))?;
    let path = tree.filtered_direct_path(sender);
    let leaf_keys = suite.generate_key_pair()?;
    let path_secret = suite.random(suite.nh())?;
    let mut private = PrivateState {
        leaf: sender,
        encryption_priv: leaf_keys.private,
        ..PrivateState::default()
    };
    let indices = path.iter().map(|&(index, _)| index);
    let commit_secret = private.learn(suite, path_secret.clone(), indices)?;
    let keys: Vec<Vec<u8>> = path
        .iter()
        .map(|(index, _)| Ok(node_keys(suite, &private.path_secrets[index])?.public))
        .collect::<Result<_, Error>>()?;

    let mut merged = tree.clone();
    let parent_hash = merge_parents(suite, &mut merged, sender, &keys)?;
    let content = LeafNodeContent {
        encryption_key: leaf_keys.public.into(),
        source: LeafNodeSource::Commit(parent_hash.into()),
        ..old.content.clone()
    };
    let leaf_node = content.sign(suite, signature_priv, context.group_id, sender)?;
    merged.set(node_of(sender), Some(Node::Leaf(leaf_node.clone())));

    let context = group_context(suite, context, &merged)?;
    let mut nodes = Vec::with_capacity(path.len());
    for (&(index, copath), key) in path.iter().zip(keys) {
        let secret = &private.path_secrets[&index];
        let encrypted_path_secret = recipients(tree, copath, added)
            .iter()
            .map(|&to| {
                let key = tree.node(to).map(Node::encryption_key).unwrap_or_default();
                suite.encrypt_with_label(key, LABEL, &context, secret)
            })
            .collect::<Result<_, Error>>()?;
        nodes.push(UpdatePathNode { encryption_key: key.into(), encrypted_path_secret });
    }
    let applied = Applied { tree: merged, private, path_secret, commit_secret };
    Ok((UpdatePath { leaf_node, nodes }, applied))
}

/// The resolution without leaves that the same commit adds.
fn recipients(tree: &RatchetTree, copath: u32, added: &[u32]) -> Vec<u32> {
    let added: Vec<u32> = added.iter().copied().map(node_of).collect();
    tree.resolution(copath).into_iter().filter(|node| !added.contains(node)).collect()
}

/// The tree with a path merged, checked as a receiver checks it (section 12.4.2).
pub fn merge(
    suite: &Suite<'_>,
    tree: &RatchetTree,
    sender: u32,
    path: &UpdatePath,
    group_id: &[u8],
) -> Result<RatchetTree, Error> {
    tree.leaf(sender).ok_or(Error::Rule("the sender's leaf is blank"))?;
    path.leaf_node.verify(suite, group_id, sender)?;
    let keys: Vec<Vec<u8>> =
        path.nodes.iter().map(|node| node.encryption_key.as_slice().to_vec()).collect();
    let mut merged = tree.clone();
    let parent_hash = merge_parents(suite, &mut merged, sender, &keys)?;
    let leaf = Node::Leaf(path.leaf_node.clone());
    if leaf.parent_hash() != Some(&parent_hash[..]) {
        return Err(Error::Rule("the parent hash of the path's leaf does not hold"));
    }
    merged.set(node_of(sender), Some(leaf));
    Ok(merged)
}

/// Takes a path of another member (section 7.6).
pub fn process(
    suite: &Suite<'_>,
    tree: &RatchetTree,
    state: &PrivateState,
    sender: u32,
    path: &UpdatePath,
    context: Context<'_>,
    added: &[u32],
) -> Result<Applied, Error> {
    let merged = merge(suite, tree, sender, path, context.group_id)?;
    let filtered = tree.filtered_direct_path(sender);
    let own = node_of(state.leaf);
    let (step, &(_, copath)) = filtered
        .iter()
        .enumerate()
        .find(|(_, (_, copath))| is_below(own, *copath))
        .ok_or(Error::Rule("no node of the path lies above the receiver"))?;
    let ciphertexts = &path.nodes[step].encrypted_path_secret;
    let recipients = recipients(tree, copath, added);
    if recipients.len() != ciphertexts.len() {
        return Err(Error::Rule("a node has another number of ciphertexts than recipients"));
    }
    let context = group_context(suite, context, &merged)?;
    let mut path_secret = None;
    for (&node, ciphertext) in recipients.iter().zip(ciphertexts) {
        if let Some(key) = state.private_key(suite, node)? {
            path_secret = Some(suite.decrypt_with_label(&key, LABEL, &context, ciphertext)?);
            break;
        }
    }
    let path_secret = path_secret.ok_or(Error::Rule("no ciphertext is for the receiver"))?;

    let mut private = state.clone();
    private
        .path_secrets
        .retain(|&node, _| merged.node(node).is_some() && tree.node(node) == merged.node(node));
    let above = filtered[step..].iter().map(|&(index, _)| index);
    let commit_secret = private.learn(suite, path_secret.clone(), above)?;
    private.verify(suite, &merged)?;
    Ok(Applied { tree: merged, private, path_secret, commit_secret })
}
