//! Ratchet trees that no group has.

use serde_json::json;
use tls_codec::Serialize as _;
use trellis_vectors::mls::Suite;
use trellis_vectors::mls::tree::RatchetTree;
use trellis_vectors::mls::wire::{Node, ParentNode, decode};
use trellis_vectors::{Failure, Trellis};

use crate::{ROW_1, by_default, check, published};

type Nodes = Vec<Option<Node>>;

/// A real tree of two leaves.
fn two() -> Nodes {
    let tree = &published(ROW_1, "tree-validation")[0]["tree"];
    decode(&hex::decode(tree.as_str().unwrap()).unwrap()).unwrap()
}

fn parent(unmerged_leaves: Vec<u32>) -> Option<Node> {
    Some(Node::Parent(ParentNode {
        encryption_key: b"key".as_slice().into(),
        parent_hash: b"".as_slice().into(),
        unmerged_leaves,
    }))
}

fn encoded(nodes: &Nodes) -> Vec<u8> {
    nodes.tls_serialize_detached().unwrap()
}

fn refusal(nodes: &Nodes) -> String {
    RatchetTree::decode(&encoded(nodes)).unwrap_err().to_string()
}

#[test]
fn a_tree_that_ends_in_a_blank_or_is_empty() {
    let leaf = two().swap_remove(0);
    for nodes in [vec![], vec![None], vec![leaf, None, None]] {
        assert_eq!(refusal(&nodes), "a tree does not end in a node (section 12.4.3.3)");
    }
}

#[test]
fn nodes_of_the_wrong_type() {
    let leaf = two().swap_remove(0);
    for nodes in [
        vec![parent(vec![])],
        vec![leaf.clone(), leaf.clone()],
        vec![leaf.clone(), leaf.clone(), leaf.clone()],
        vec![leaf.clone(), parent(vec![]), parent(vec![])],
    ] {
        assert_eq!(refusal(&nodes), "a node of the wrong type (section 12.4.3.3)");
    }
}

#[test]
fn unmerged_leaves_that_are_elsewhere() {
    let leaf = two().swap_remove(0);
    for outside in [2, 3, 1 << 30, 1 << 31, u32::MAX] {
        // The root of the left half of four leaves.
        let nodes = vec![leaf.clone(), parent(vec![0, outside]), leaf.clone(), None, leaf.clone()];
        let reason = "an unmerged leaf that is not below (section 7.9.2)";
        assert_eq!(refusal(&nodes), reason, "{outside}");
    }
}

/// They are sorted, so each is there once (RFC 9420, section 7.1), and there are no more than leaves.
#[test]
fn unmerged_leaves_that_are_there_twice() {
    let leaf = two().swap_remove(0);
    for unmerged in [vec![0, 0], vec![1, 0], [vec![0; 100_000], vec![1; 100_000]].concat()] {
        let nodes = vec![leaf.clone(), parent(unmerged), leaf.clone()];
        assert!(RatchetTree::decode(&encoded(&nodes)).is_err());
    }
}

/// The shortest leaf: it has neither keys nor anything else.
fn short_leaf() -> Option<Node> {
    // Present, a leaf; two empty keys, an empty basic credential, no capabilities, from an Update,
    // no extensions, no signature.
    let bytes = [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0];
    decode::<Option<Node>>(&bytes).unwrap()
}

/// All parents but the root are blank, so that its children have half of the leaves in their
/// resolutions. What else is in the vector is right, so that the check goes all the way.
#[test]
fn a_large_tree_is_refused_for_its_hashes() {
    const LEAVES: u32 = 1 << 16;
    const NODES: u32 = 2 * LEAVES - 1;
    let primitives = Trellis::default();
    let suite = Suite::of(0x004f, &primitives).unwrap();
    for unmerged in [vec![], (0..LEAVES).collect()] {
        let root = parent(unmerged);
        let nodes: Nodes = (0..NODES)
            .map(|index| match index {
                _ if index % 2 == 0 => short_leaf(),
                _ if index == NODES / 2 => root.clone(),
                _ => None,
            })
            .collect();
        let bytes = encoded(&nodes);
        let tree = RatchetTree::decode(&bytes).unwrap();
        let hash = |index| hex::encode(tree.tree_hash(&suite, index).unwrap());
        let vector = json!({
            "cipher_suite": suite.code_point,
            "tree": hex::encode(&bytes),
            "group_id": "00",
            "resolutions": (0..NODES).map(|index| tree.resolution(index)).collect::<Vec<_>>(),
            "tree_hashes": (0..NODES).map(hash).collect::<Vec<_>>(),
        });
        let result = check(&by_default(), &vector);
        let Some(Ok(Err(Failure::Refused { field, .. }))) = result else { panic!("{result:?}") };
        assert_eq!(field, "tree: parent hashes");
    }
}
