//! Arbitrary bytes as each structure of RFC 9420: what decodes encodes to the same bytes.
//!
//! The first byte chooses the structure.
//!
//! `cargo +nightly fuzz run messages`

#![no_main]

use libfuzzer_sys::fuzz_target;
use tls_codec::{DeserializeBytes, Serialize};
use trellis_vectors::mls::tree::RatchetTree;
use trellis_vectors::mls::wire::{
    AuthenticatedContent, Commit, Extension, GroupInfo, GroupSecrets, KeyPackage, LeafNode,
    MlsMessage, Node, PreSharedKeyId, Proposal, ReInit, UpdatePath, Welcome, decode,
};

fn again<T: DeserializeBytes + Serialize>(bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes) {
        assert_eq!(value.tls_serialize_detached().unwrap(), bytes);
    }
}

fn tree_again(bytes: &[u8]) {
    if let Ok(tree) = RatchetTree::decode(bytes) {
        assert_eq!(tree.encode().unwrap(), bytes);
        for leaf in tree.members() {
            let _ = tree.filtered_direct_path(leaf);
        }
    }
}

const STRUCTURES: [fn(&[u8]); 15] = [
    again::<MlsMessage>,
    again::<AuthenticatedContent>,
    again::<Commit>,
    again::<Proposal>,
    again::<UpdatePath>,
    again::<KeyPackage>,
    again::<LeafNode>,
    again::<GroupInfo>,
    again::<GroupSecrets>,
    again::<Welcome>,
    again::<PreSharedKeyId>,
    again::<ReInit>,
    again::<Vec<Extension>>,
    again::<Vec<Option<Node>>>,
    tree_again,
];

fuzz_target!(|data: &[u8]| {
    let [first, bytes @ ..] = data else { return };
    STRUCTURES[usize::from(*first) % STRUCTURES.len()](bytes);
});
