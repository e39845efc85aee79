//! `treekem`: update paths of every member, received by every other.

use serde::{Deserialize, Serialize};
use tls_codec::Serialize as _;

use crate::generate::Scale;
use crate::kinds::Vector;
use crate::mls::members::Members;
use crate::mls::tree::RatchetTree;
use crate::mls::tree_math::leaf_of;
use crate::mls::treekem::{Applied, Context, PrivateState, create, merge, process};
use crate::mls::wire::{UpdatePath as Path, decode};
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TreeKem {
    pub cipher_suite: u16,
    pub group_id: Hex,
    pub epoch: u64,
    pub confirmed_transcript_hash: Hex,
    pub ratchet_tree: Hex,
    pub leaves_private: Vec<LeafPrivate>,
    pub update_paths: Vec<UpdatePath>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LeafPrivate {
    pub index: u32,
    pub encryption_priv: Hex,
    pub signature_priv: Hex,
    pub path_secrets: Vec<PathSecret>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PathSecret {
    pub node: u32,
    pub path_secret: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UpdatePath {
    pub sender: u32,
    pub update_path: Hex,
    pub path_secrets: Vec<Option<Hex>>,
    pub commit_secret: Hex,
    pub tree_hash_after: Hex,
}

impl LeafPrivate {
    fn state(&self) -> PrivateState {
        let secrets = self.path_secrets.iter();
        PrivateState {
            leaf: self.index,
            encryption_priv: self.encryption_priv.0.clone(),
            path_secrets: secrets.map(|it| (it.node, it.path_secret.0.clone())).collect(),
        }
    }

    fn check(&self, suite: &Suite<'_>, tree: &RatchetTree) -> Result<(), Failure> {
        let leaf = tree
            .leaf(self.index)
            .ok_or_else(|| Failure::refused("index", "the leaf is blank or outside of the tree"))?;
        if let Some(at) = self.path_secrets.iter().position(|it| leaf_of(it.node).is_some()) {
            return Err(Failure::refused(format!("path_secrets[{at}].node"), "is a leaf"));
        }
        self.state().verify(suite, tree).map_err(Failure::of("path_secrets"))?;
        let key =
            suite.signature_key(&self.signature_priv).map_err(Failure::of("signature_priv"))?;
        Failure::unless_equal("signature_priv", leaf.content.signature_key.as_slice(), key)
    }
}

impl TreeKem {
    fn context(&self) -> Context<'_> {
        Context {
            group_id: &self.group_id,
            epoch: self.epoch,
            confirmed_transcript_hash: &self.confirmed_transcript_hash,
        }
    }

    fn check_path(
        &self,
        suite: &Suite<'_>,
        tree: &RatchetTree,
        it: &UpdatePath,
    ) -> Result<(), Failure> {
        let path: Path = decode(&it.update_path).map_err(Failure::of("update_path"))?;
        let merged = merge(suite, tree, it.sender, &path, &self.group_id)
            .map_err(Failure::of("update_path"))?;
        let hash = merged.root_hash(suite).map_err(Failure::of("update_path"))?;
        Failure::unless_equal("tree_hash_after", &it.tree_hash_after, hash)?;

        let sender = self.leaves_private.iter().find(|leaf| leaf.index == it.sender);
        let sender = sender.ok_or_else(|| {
            Failure::refused("sender", "expected a leaf whose private keys are given")
        })?;
        if it.path_secrets.len() != tree.leaves() as usize {
            let reason = format!("expected {} entries", tree.leaves());
            return Err(Failure::refused("path_secrets", reason));
        }
        for (leaf, secret) in (0..).zip(&it.path_secrets) {
            let receives = leaf != it.sender && tree.leaf(leaf).is_some();
            if secret.is_some() != receives {
                let field = format!("path_secrets[{leaf}]");
                return Err(Failure::refused(field, "expected one for each receiver alone"));
            }
        }
        let context = self.context();
        let key = &sender.signature_priv;
        let (new_path, sent) =
            create(suite, tree, it.sender, key, context, &[]).map_err(Failure::of("a new path"))?;
        for leaf in self.leaves_private.iter().filter(|leaf| leaf.index != it.sender) {
            let state = leaf.state();
            let process = |path| process(suite, tree, &state, it.sender, path, context, &[]);
            let field = format!("path_secrets[{}]", leaf.index);
            let Applied { path_secret, commit_secret, .. } =
                process(&path).map_err(Failure::of(field.as_str()))?;
            let wanted = it.path_secrets.get(leaf.index as usize).and_then(Option::as_ref);
            let wanted = wanted.ok_or_else(|| Failure::refused(field.as_str(), "is missing"))?;
            Failure::unless_equal(field.as_str(), wanted, path_secret)?;
            Failure::unless_equal("commit_secret", &it.commit_secret, commit_secret)?;
            let again = process(&new_path).map_err(Failure::of("a new path"))?;
            Failure::unless_equal("a new path", &sent.commit_secret, again.commit_secret)?;
        }
        Ok(())
    }
}

impl Vector for TreeKem {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let tree = RatchetTree::decode(&self.ratchet_tree).map_err(Failure::of("ratchet_tree"))?;
        tree.verify_parent_hashes(suite)
            .and_then(|()| tree.verify_leaves(suite, &self.group_id))
            .map_err(Failure::of("ratchet_tree"))?;
        for (number, leaf) in self.leaves_private.iter().enumerate() {
            let parent = format!("leaves_private[{number}]");
            leaf.check(suite, &tree).map_err(|failure| failure.within(&parent))?;
        }
        for (number, path) in self.update_paths.iter().enumerate() {
            let parent = format!("update_paths[{number}]");
            self.check_path(suite, &tree, path).map_err(|failure| failure.within(&parent))?;
        }
        Ok(())
    }
}

fn vector(suite: &Suite<'_>, group: &Members, senders: &[u32]) -> Result<TreeKem, Error> {
    let mut vector = TreeKem {
        cipher_suite: suite.code_point,
        group_id: group.group_id.clone().into(),
        epoch: 11,
        confirmed_transcript_hash: suite.random(suite.nh())?.into(),
        ratchet_tree: group.tree.encode()?.into(),
        leaves_private: Vec::new(),
        update_paths: Vec::new(),
    };
    for (&index, member) in &group.members {
        let secrets = member.private.path_secrets.iter();
        vector.leaves_private.push(LeafPrivate {
            index,
            encryption_priv: member.private.encryption_priv.clone().into(),
            signature_priv: member.signature_priv.clone().into(),
            path_secrets: secrets
                .map(|(&node, secret)| PathSecret { node, path_secret: secret.clone().into() })
                .collect(),
        });
    }
    for &sender in senders {
        let path = update_path(suite, group, vector.context(), sender)?;
        vector.update_paths.push(path);
    }
    Ok(vector)
}

fn update_path(
    suite: &Suite<'_>,
    group: &Members,
    context: Context<'_>,
    sender: u32,
) -> Result<UpdatePath, Error> {
    let member = group.members.get(&sender).ok_or(Error::Rule("no member at this leaf"))?;
    let (path, sent) = create(suite, &group.tree, sender, &member.signature_priv, context, &[])?;
    let mut path_secrets = vec![None; group.tree.leaves() as usize];
    for (&leaf, member) in group.members.iter().filter(|(leaf, _)| **leaf != sender) {
        let state = &member.private;
        let received = process(suite, &group.tree, state, sender, &path, context, &[])?;
        if received.commit_secret != sent.commit_secret {
            return Err(Error::Rule("sender and receiver disagree"));
        }
        path_secrets[leaf as usize] = Some(received.path_secret.into());
    }
    Ok(UpdatePath {
        sender,
        update_path: path.tls_serialize_detached()?.into(),
        path_secrets,
        commit_secret: sent.commit_secret.into(),
        tree_hash_after: sent.tree.root_hash(suite)?.into(),
    })
}

/// Trees of two, three and five or eight leaves: full, with a trailing blank, and with blanks and
/// an unmerged leaf.
pub fn generate(suite: &Suite<'_>, scale: Scale) -> Result<Vec<TreeKem>, Error> {
    let group_id = suite.random(32)?;
    let two = Members::chain(suite, &group_id, 2)?;
    let three = Members::chain(suite, &group_id, 3)?;
    let (members, senders): (u32, &[u32]) = match scale {
        Scale::Large => (8, &[0, 1, 2, 4, 5, 6, 7]),
        Scale::Published if scale.is_short(suite) => (5, &[2, 4]),
        Scale::Published => (8, &[0, 2, 5, 7]),
    };
    let mut blank = Members::chain(suite, &group_id, members)?;
    blank.commit(suite, 0, &[2, 3], 0)?;
    blank.add_without_path(suite)?;
    Ok(vec![
        vector(suite, &two, &[1])?,
        vector(suite, &three, &[0, 2])?,
        vector(suite, &blank, senders)?,
    ])
}
