//! The array representation of a tree (RFC 9420, appendix C).
//!
//! Nodes of a tree with 2^d leaves have the indices 0 to 2^(d+1) - 2; leaves are the even ones.
//! Every function that takes a tree takes its number of leaves, a power of two.

/// The number of leaves of the smallest tree that has at least that many.
#[must_use]
pub fn width_for(leaves: u32) -> u32 {
    leaves.max(1).next_power_of_two()
}

/// The number of nodes.
#[must_use]
pub fn nodes(leaves: u32) -> u32 {
    2 * leaves - 1
}

/// The node of a leaf.
#[must_use]
pub fn node_of(leaf: u32) -> u32 {
    2 * leaf
}

/// The leaf of a node, if it is one.
#[must_use]
pub fn leaf_of(node: u32) -> Option<u32> {
    node.is_multiple_of(2).then_some(node / 2)
}

/// The distance from the leaves.
#[must_use]
pub fn level(node: u32) -> u32 {
    node.trailing_ones()
}

/// The root.
#[must_use]
pub fn root(leaves: u32) -> u32 {
    leaves - 1
}

/// The left child; none for a leaf.
#[must_use]
pub fn left(node: u32) -> Option<u32> {
    level(node).checked_sub(1).map(|below| node ^ (1 << below))
}

/// The right child; none for a leaf.
#[must_use]
pub fn right(node: u32) -> Option<u32> {
    level(node).checked_sub(1).map(|below| node ^ (0b11 << below))
}

/// The parent; none for the root.
#[must_use]
pub fn parent(node: u32, leaves: u32) -> Option<u32> {
    if node == root(leaves) {
        return None;
    }
    let level = level(node);
    let bit = (node >> (level + 1)) & 1;
    Some((node | (1 << level)) ^ (bit << (level + 1)))
}

/// The other child of the parent; none for the root.
#[must_use]
pub fn sibling(node: u32, leaves: u32) -> Option<u32> {
    let parent = parent(node, leaves)?;
    if node < parent { right(parent) } else { left(parent) }
}

/// The ancestors, from the parent to the root.
#[must_use]
pub fn direct_path(node: u32, leaves: u32) -> Vec<u32> {
    std::iter::successors(parent(node, leaves), |&above| parent(above, leaves)).collect()
}

/// Whether `node` is `ancestor` or below it.
#[must_use]
pub fn is_below(node: u32, ancestor: u32) -> bool {
    let reach = (1_u32 << level(ancestor)) - 1;
    node.abs_diff(ancestor) <= reach
}
