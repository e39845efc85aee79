//! Bytes that are no structure of RFC 9420.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use tls_codec::{DeserializeBytes, Serialize};
use trellis_vectors::mls::tree::RatchetTree;
use trellis_vectors::mls::wire::{
    AuthenticatedContent, Commit, Extension, FramedContent, GroupInfo, GroupSecrets, KeyPackage,
    LeafNode, MlsMessage, Node, PreSharedKeyId, Proposal, UpdatePath, Welcome, decode,
};

use crate::changes::leaves;
use crate::samples::{kinds_with_a_suite, without_a_suite};

/// Decodes and encodes again, if that is possible; then it must be the same.
fn again<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> bool {
    let Ok(value) = decode::<T>(bytes) else { return false };
    let encoded = value.tls_serialize_detached().unwrap();
    assert_eq!(hex::encode(encoded), hex::encode(bytes), "{}", std::any::type_name::<T>());
    true
}

fn tree_again(bytes: &[u8]) -> bool {
    let Ok(tree) = RatchetTree::decode(bytes) else { return false };
    assert_eq!(hex::encode(tree.encode().unwrap()), hex::encode(bytes));
    true
}

type Again = fn(&[u8]) -> bool;

const STRUCTURES: [(&str, Again); 15] = [
    ("MLSMessage", again::<MlsMessage>),
    ("RatchetTree", tree_again),
    ("ratchet_tree", again::<Vec<Option<Node>>>),
    ("Commit", again::<Commit>),
    ("KeyPackage", again::<KeyPackage>),
    ("AuthenticatedContent", again::<AuthenticatedContent>),
    ("FramedContent", again::<FramedContent>),
    ("GroupInfo", again::<GroupInfo>),
    ("GroupSecrets", again::<GroupSecrets>),
    ("LeafNode", again::<LeafNode>),
    ("PreSharedKeyID", again::<PreSharedKeyId>),
    ("Proposal", again::<Proposal>),
    ("UpdatePath", again::<UpdatePath>),
    ("Welcome", again::<Welcome>),
    ("extensions", again::<Vec<Extension>>),
];

/// Every string of the samples that is a structure, with the number of that structure.
static REAL: LazyLock<Vec<(usize, Vec<u8>)>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for sample in kinds_with_a_suite().into_iter().chain(without_a_suite()) {
        let mut paths = Vec::new();
        leaves(&sample.vector, "", &mut paths);
        let values = paths.iter().filter_map(|path| sample.vector.pointer(path));
        for bytes in values.filter_map(Value::as_str).filter_map(|text| hex::decode(text).ok()) {
            let is_one = STRUCTURES.iter().position(|(_, again)| again(&bytes));
            found.extend(is_one.map(|structure| (structure, bytes.clone())));
            // The bodies of messages stand alone, too.
            if is_one == Some(0) {
                let body = &bytes[4..];
                let inner = STRUCTURES[1..].iter().position(|(_, again)| again(body));
                found.extend(inner.map(|it| (it + 1, body.to_vec())));
            }
        }
    }
    found
});

/// One place where bytes are not what they were.
fn mutate(bytes: &mut Vec<u8>, how: u8, place: Index, with: &[u8]) {
    let at = place.index(bytes.len() + 1);
    match how {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(at..at, with.iter().copied())),
        2 => drop(bytes.drain(at..(at + with.len()).min(bytes.len()))),
        3 => {
            let end = (at + with.len()).min(bytes.len());
            bytes.splice(at..end, with.iter().copied());
        }
        // Most of what decides stands in the first bytes.
        _ => {
            let at = place.index(bytes.len().min(64) + 1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = with.first().copied().unwrap_or_default();
            }
        }
    }
}

#[test]
fn there_is_a_real_one_of_each_structure_that_vectors_have() {
    let mut names: Vec<_> = REAL.iter().map(|&(structure, _)| STRUCTURES[structure].0).collect();
    names.sort_unstable();
    names.dedup();
    for name in ["MLSMessage", "RatchetTree", "Commit", "KeyPackage", "AuthenticatedContent"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, again) in STRUCTURES {
            again(&bytes);
        }
    }

    /// Small numbers are likelier to be lengths and types that exist.
    #[test]
    fn random_small_bytes(bytes in prop::collection::vec(0_u8..6, 0..60)) {
        for (_, again) in STRUCTURES {
            again(&bytes);
        }
    }

    #[test]
    fn bytes_that_nearly_are_a_structure(
        which in any::<Index>(),
        places in prop::collection::vec(
            (0_u8..8, any::<Index>(), prop::collection::vec(any::<u8>(), 0..5)), 1..4,
        ),
    ) {
        let (structure, bytes) = &REAL[which.index(REAL.len())];
        let mut bytes = bytes.clone();
        for (how, place, with) in &places {
            mutate(&mut bytes, *how, *place, with);
        }
        let (_, again) = STRUCTURES[*structure];
        again(&bytes);
    }
}

/// A length that is encoded in more bytes than it takes (RFC 9420, section 2.1.2).
#[test]
fn a_length_has_one_encoding() {
    for bytes in ["02ab", "4002abcd", "80000002abcd", "c000000000000002abcd"] {
        assert!(!again::<tls_codec::VLBytes>(&hex::decode(bytes).unwrap()), "{bytes}");
    }
    assert!(again::<tls_codec::VLBytes>(&[2, 0xab, 0xcd]));
}

#[test]
fn a_length_that_is_not_there_is_not_allocated() {
    for bytes in ["bfffffff", "ffffffffffffffff", "bfffffff00", "0001000400014f00bfffffff"] {
        let bytes = hex::decode(bytes).unwrap();
        assert!(STRUCTURES.iter().all(|(_, again)| !again(&bytes)));
    }
}
