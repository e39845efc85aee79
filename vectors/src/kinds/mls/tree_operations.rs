//! `tree-operations`: what a proposal does to a tree.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::Suite;
use crate::mls::tree::RatchetTree;
use crate::mls::wire::{Proposal, decode};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TreeOperations {
    pub cipher_suite: u16,
    pub tree_before: Hex,
    pub proposal: Hex,
    pub proposal_sender: u32,
    pub tree_hash_before: Hex,
    pub tree_after: Hex,
    pub tree_hash_after: Hex,
}

impl Vector for TreeOperations {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let mut tree =
            RatchetTree::decode(&self.tree_before).map_err(Failure::of("tree_before"))?;
        let hash = tree.root_hash(suite).map_err(Failure::of("tree_before"))?;
        Failure::unless_equal("tree_hash_before", &self.tree_hash_before, hash)?;
        match decode(&self.proposal).map_err(Failure::of("proposal"))? {
            Proposal::Add(it) => drop(tree.add(it.content.leaf_node)),
            Proposal::Update(leaf) => {
                tree.update(self.proposal_sender, leaf).map_err(Failure::of("proposal_sender"))?;
            }
            Proposal::Remove(leaf) => tree.remove(leaf).map_err(Failure::of("proposal"))?,
            _ => return Err(Failure::refused("proposal", "does not change a tree")),
        }
        let encoded = tree.encode().map_err(Failure::of("tree_after"))?;
        Failure::unless_equal("tree_after", &self.tree_after, encoded)?;
        let hash = tree.root_hash(suite).map_err(Failure::of("tree_after"))?;
        Failure::unless_equal("tree_hash_after", &self.tree_hash_after, hash)
    }
}
