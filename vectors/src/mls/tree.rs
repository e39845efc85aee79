//! The ratchet tree and its hashes (RFC 9420, sections 4.1, 7.7 to 7.9).

use tls_codec::{Serialize as _, TlsSerialize, TlsSize, VLByteSlice};

use super::tree_math::{
    direct_path, is_below, leaf_of, left, node_of, nodes, right, root, sibling, width_for,
};
use super::wire::{LeafNode, Node, ParentNode, decode_nodes};
use super::{Error, Suite};

/// A tree with a power of two of leaves; what a `ratchet_tree` extension leaves out is blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatchetTree {
    nodes: Vec<Option<Node>>,
}

#[derive(TlsSize, TlsSerialize)]
#[repr(u8)]
enum TreeHashInput<'a> {
    #[tls_codec(discriminant = 1)]
    Leaf { leaf_index: u32, leaf_node: Option<&'a LeafNode> },
    #[tls_codec(discriminant = 2)]
    Parent {
        parent_node: Option<&'a ParentNode>,
        left_hash: VLByteSlice<'a>,
        right_hash: VLByteSlice<'a>,
    },
}

#[derive(TlsSize, TlsSerialize)]
struct ParentHashInput<'a> {
    encryption_key: VLByteSlice<'a>,
    parent_hash: VLByteSlice<'a>,
    original_sibling_tree_hash: VLByteSlice<'a>,
}

impl RatchetTree {
    /// A tree of one leaf.
    #[must_use]
    pub fn new(leaf: LeafNode) -> Self {
        Self { nodes: vec![Some(Node::Leaf(leaf))] }
    }

    /// Reads the body of a `ratchet_tree` extension (section 12.4.3.3).
    ///
    /// # Errors
    ///
    /// A list that is empty or ends in a blank, or a leaf where a parent has to be.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut list = decode_nodes(bytes)?;
        if !matches!(list.last(), Some(Some(_))) {
            return Err(Error::Rule("a tree does not end in a node (section 12.4.3.3)"));
        }
        for (index, node) in list.iter().enumerate() {
            let fits = match node {
                None => true,
                Some(Node::Leaf(_)) => index % 2 == 0,
                Some(Node::Parent(_)) => index % 2 == 1,
            };
            if !fits {
                return Err(Error::Rule("a node of the wrong type (section 12.4.3.3)"));
            }
        }
        let length =
            u32::try_from(list.len()).map_err(|_| Error::Rule("a tree is over 2^32 nodes"))?;
        let leaves = width_for(length / 2 + 1);
        for (index, node) in (0..).zip(&list) {
            let Some(Node::Parent(parent)) = node else { continue };
            let unmerged = &parent.unmerged_leaves;
            if !unmerged.is_sorted_by(|a, b| a < b) {
                return Err(Error::Rule("unmerged leaves that are not sorted (section 7.1)"));
            }
            if !unmerged.iter().all(|&leaf| leaf < leaves && is_below(node_of(leaf), index)) {
                return Err(Error::Rule("an unmerged leaf that is not below (section 7.9.2)"));
            }
        }
        list.resize(nodes(leaves) as usize, None);
        Ok(Self { nodes: list })
    }

    /// The body of a `ratchet_tree` extension.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let end = self.nodes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let list = &self.nodes[..end];
        Ok((&list).tls_serialize_detached()?)
    }

    /// The number of leaves, blank ones too.
    #[must_use]
    pub fn leaves(&self) -> u32 {
        self.nodes.len() as u32 / 2 + 1
    }

    /// The node at an index that the tree has.
    ///
    /// # Panics
    ///
    /// Beyond the last node.
    #[must_use]
    pub fn node(&self, index: u32) -> Option<&Node> {
        self.nodes[index as usize].as_ref()
    }

    /// The leaf, if the tree has it and it is not blank.
    #[must_use]
    pub fn leaf(&self, leaf: u32) -> Option<&LeafNode> {
        match self.nodes.get(usize::try_from(leaf).ok()?.checked_mul(2)?)? {
            Some(Node::Leaf(leaf)) => Some(leaf),
            _ => None,
        }
    }

    /// The indices of leaves that are not blank.
    pub fn members(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.leaves()).filter(|&leaf| self.leaf(leaf).is_some())
    }

    pub(super) fn set(&mut self, index: u32, node: Option<Node>) {
        self.nodes[index as usize] = node;
    }

    fn blank_path(&mut self, leaf: u32) {
        for index in direct_path(node_of(leaf), self.leaves()) {
            self.set(index, None);
        }
    }

    /// Adds a leaf at the leftmost blank one, which is returned (section 7.7 and 12.1.1).
    pub fn add(&mut self, leaf_node: LeafNode) -> u32 {
        let free = (0..self.leaves()).find(|&leaf| self.leaf(leaf).is_none());
        let leaf = free.unwrap_or_else(|| {
            let leaves = self.leaves();
            self.nodes.resize(nodes(2 * leaves) as usize, None);
            leaves
        });
        for index in direct_path(node_of(leaf), self.leaves()) {
            if let Some(Node::Parent(parent)) = &mut self.nodes[index as usize] {
                parent.unmerged_leaves.push(leaf);
                parent.unmerged_leaves.sort_unstable();
            }
        }
        self.set(node_of(leaf), Some(Node::Leaf(leaf_node)));
        leaf
    }

    /// Replaces a leaf by an Update proposal (section 12.1.2).
    ///
    /// # Errors
    ///
    /// There is no such member.
    pub fn update(&mut self, leaf: u32, leaf_node: LeafNode) -> Result<(), Error> {
        self.leaf(leaf).ok_or(Error::Rule("the updated leaf is blank"))?;
        self.blank_path(leaf);
        self.set(node_of(leaf), Some(Node::Leaf(leaf_node)));
        Ok(())
    }

    /// Removes a leaf and what right half is blank thereafter (sections 7.8 and 12.1.3).
    ///
    /// # Errors
    ///
    /// There is no such member, or it is the last one.
    pub fn remove(&mut self, leaf: u32) -> Result<(), Error> {
        self.leaf(leaf).ok_or(Error::Rule("the removed leaf is blank"))?;
        if self.members().count() == 1 {
            return Err(Error::Rule("the last member is removed"));
        }
        self.blank_path(leaf);
        self.set(node_of(leaf), None);
        while self.leaves() > 1 && !self.members().any(|leaf| leaf >= self.leaves() / 2) {
            let half = self.leaves() / 2;
            self.nodes.truncate(nodes(half) as usize);
        }
        Ok(())
    }

    /// The nodes that stand for all below `index` (section 4.1.1).
    #[must_use]
    pub fn resolution(&self, index: u32) -> Vec<u32> {
        match (self.node(index), left(index), right(index)) {
            (Some(Node::Parent(parent)), ..) => {
                let unmerged = parent.unmerged_leaves.iter().map(|&leaf| node_of(leaf));
                [index].into_iter().chain(unmerged).collect()
            }
            (Some(Node::Leaf(_)), ..) => vec![index],
            (None, Some(left), Some(right)) => {
                [self.resolution(left), self.resolution(right)].concat()
            }
            (None, ..) => Vec::new(),
        }
    }

    /// The tree hash of a node (section 7.8).
    pub fn tree_hash(&self, suite: &Suite<'_>, index: u32) -> Result<Vec<u8>, Error> {
        self.hash_without(suite, index, &[])
    }

    /// The tree hash of the root.
    pub fn root_hash(&self, suite: &Suite<'_>) -> Result<Vec<u8>, Error> {
        self.tree_hash(suite, root(self.leaves()))
    }

    /// The tree hash as if some leaves, which are sorted, had never been added (section 7.9).
    fn hash_without(
        &self,
        suite: &Suite<'_>,
        index: u32,
        without: &[u32],
    ) -> Result<Vec<u8>, Error> {
        if let Some(leaf_index) = leaf_of(index) {
            let leaf_node =
                self.leaf(leaf_index).filter(|_| without.binary_search(&leaf_index).is_err());
            let input = TreeHashInput::Leaf { leaf_index, leaf_node };
            return suite.hash(&input.tls_serialize_detached()?);
        }
        let (Some(left), Some(right)) = (left(index), right(index)) else {
            return Err(Error::Rule("a parent has two children"));
        };
        let left = self.hash_without(suite, left, without)?;
        let right = self.hash_without(suite, right, without)?;
        let reduced = self.parent(index).map(|parent| {
            let mut parent = parent.clone();
            parent.unmerged_leaves.retain(|leaf| without.binary_search(leaf).is_err());
            parent
        });
        let input = TreeHashInput::Parent {
            parent_node: reduced.as_ref(),
            left_hash: VLByteSlice(&left),
            right_hash: VLByteSlice(&right),
        };
        suite.hash(&input.tls_serialize_detached()?)
    }

    fn parent(&self, index: u32) -> Option<&ParentNode> {
        match self.node(index) {
            Some(Node::Parent(parent)) => Some(parent),
            _ => None,
        }
    }

    /// The parent hash that a parent gives to its child on one side, `copath` being the child on the
    /// other (section 7.9).
    pub fn parent_hash(
        &self,
        suite: &Suite<'_>,
        index: u32,
        copath: u32,
    ) -> Result<Vec<u8>, Error> {
        let parent = self.parent(index).ok_or(Error::Rule("a blank node has no parent hash"))?;
        let sibling_hash = self.hash_without(suite, copath, &parent.unmerged_leaves)?;
        let input = ParentHashInput {
            encryption_key: VLByteSlice(parent.encryption_key.as_slice()),
            parent_hash: VLByteSlice(parent.parent_hash.as_slice()),
            original_sibling_tree_hash: VLByteSlice(&sibling_hash),
        };
        suite.hash(&input.tls_serialize_detached()?)
    }

    /// Whether each parent has a descendant with its parent hash (section 7.9.2).
    pub fn verify_parent_hashes(&self, suite: &Suite<'_>) -> Result<(), Error> {
        for index in 0..nodes(self.leaves()) {
            let Some(parent) = self.parent(index) else { continue };
            let unmerged: Vec<u32> =
                parent.unmerged_leaves.iter().map(|&leaf| node_of(leaf)).collect();
            if !self.is_parent_hash_valid(suite, index, &unmerged)? {
                return Err(Error::Rule("a parent hash does not hold (section 7.9.2)"));
            }
        }
        Ok(())
    }

    /// Below one child all of its resolution but one node is unmerged, and that node has the hash.
    fn is_parent_hash_valid(
        &self,
        suite: &Suite<'_>,
        index: u32,
        unmerged: &[u32],
    ) -> Result<bool, Error> {
        for child in [left(index), right(index)].into_iter().flatten() {
            let Some(copath) = sibling(child, self.leaves()) else { continue };
            let resolution = self.resolution(child);
            let below = unmerged.iter().filter(|&&leaf| is_below(leaf, child)).count();
            let mut merged = resolution.iter().filter(|node| unmerged.binary_search(node).is_err());
            let (Some(&descendant), None) = (merged.next(), merged.next()) else { continue };
            let node = self.nodes.get(descendant as usize).and_then(Option::as_ref);
            if resolution.len() == below + 1
                && node.and_then(Node::parent_hash)
                    == Some(&self.parent_hash(suite, index, copath)?[..])
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether every leaf is signed for its place in the group.
    pub fn verify_leaves(&self, suite: &Suite<'_>, group_id: &[u8]) -> Result<(), Error> {
        self.members().try_for_each(|index| {
            self.leaf(index).map_or(Ok(()), |leaf| leaf.verify(suite, group_id, index))
        })
    }

    /// The direct path of a leaf without nodes whose child on the copath has an empty resolution,
    /// each with that child (section 4.1.2).
    #[must_use]
    pub fn filtered_direct_path(&self, leaf: u32) -> Vec<(u32, u32)> {
        let start = node_of(leaf);
        let path = direct_path(start, self.leaves());
        let below = [start].into_iter().chain(path.iter().copied());
        path.iter()
            .zip(below)
            .filter_map(|(&index, child)| Some((index, sibling(child, self.leaves())?)))
            .filter(|&(_, copath)| !self.resolution(copath).is_empty())
            .collect()
    }
}
