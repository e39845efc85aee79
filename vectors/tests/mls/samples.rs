//! One small vector of each kind.

use serde_json::{Value, json};
use tls_codec::Serialize as _;
use trellis_vectors::Trellis;
use trellis_vectors::kinds::recognise;
use trellis_vectors::mls::Suite;
use trellis_vectors::mls::tree::RatchetTree;
use trellis_vectors::mls::wire::{
    Body, Content, KeyPackage, MlsMessage, Proposal, Welcome, decode,
};

use crate::{ROW_1, published};

/// A vector with the name of its kind.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) vector: Value,
}

impl From<Value> for Sample {
    fn from(vector: Value) -> Self {
        let kind = recognise(&vector).expect("a vector of a known kind");
        Self { name: kind.name, vector }
    }
}

/// The smallest vector of a file.
fn smallest(stem: &str) -> Sample {
    let vectors = published(ROW_1, stem).into_iter();
    vectors.min_by_key(|vector| vector.to_string().len()).unwrap().into()
}

/// The smallest vector of each kind of MLS that has a cipher suite, passive clients excepted.
pub(crate) fn of_the_model() -> Vec<Sample> {
    let stems = [
        "crypto-basics",
        "key-schedule",
        "secret-tree",
        "transcript-hashes",
        "message-protection",
        "welcome",
        "treekem",
        "tree-validation",
    ];
    let mut samples: Vec<Sample> = stems.into_iter().map(smallest).collect();
    // The smallest one has no keys.
    samples.push(published(ROW_1, "psk_secret")[2].clone().into());
    samples.push(tree_operation().into());
    samples
}

/// Passive clients: invited with a key and the tree beside the Welcome, and in groups in which a
/// commit has a path, somebody joins from outside, and proposals go ahead of the commit.
pub(crate) fn passive_clients() -> Vec<Sample> {
    let commits = published(ROW_1, "passive-client-handling-commit");
    [&published(ROW_1, "passive-client-welcome")[1]]
        .into_iter()
        .chain([0, 4, 6, 7].map(|number| &commits[number]))
        .map(|vector| vector.clone().into())
        .collect()
}

/// Every kind that says its cipher suite.
pub(crate) fn kinds_with_a_suite() -> Vec<Sample> {
    of_the_model().into_iter().chain(passive_clients()).collect()
}

/// Kinds that are not published here, because they are the same for all suites.
pub(crate) fn without_a_suite() -> Vec<Sample> {
    vec![tree_math().into(), deserialization().into(), messages().into()]
}

/// The tree of four leaves in RFC 9420, appendix C.
fn tree_math() -> Value {
    json!({
        "n_leaves": 4,
        "n_nodes": 7,
        "root": 3,
        "left": [null, 0, null, 1, null, 4, null],
        "right": [null, 2, null, 5, null, 6, null],
        "parent": [1, 3, 1, null, 5, 3, 5],
        "sibling": [2, 5, 0, null, 6, 1, 4],
    })
}

/// An example of RFC 9000, appendix A.1, to which RFC 9420 points.
fn deserialization() -> Value {
    json!({ "vlbytes_header": "9d7f3e7d", "length": 494_878_333_u32 })
}

/// Somebody leaves the smallest tree with a blank in it.
fn tree_operation() -> Value {
    let vector = &published(ROW_1, "tree-validation")[1];
    let primitives = Trellis::default();
    let suite = Suite::of(0x004f, &primitives).unwrap();
    let before = hex::decode(vector["tree"].as_str().unwrap()).unwrap();
    let mut tree = RatchetTree::decode(&before).unwrap();
    let hash = |tree: &RatchetTree| hex::encode(tree.root_hash(&suite).unwrap());
    let hash_before = hash(&tree);
    tree.remove(1).unwrap();
    json!({
        "cipher_suite": 0x004f,
        "tree_before": vector["tree"],
        "proposal": hex::encode(Proposal::Remove(1).tls_serialize_detached().unwrap()),
        "proposal_sender": 0,
        "tree_hash_before": hash_before,
        "tree_after": hex::encode(tree.encode().unwrap()),
        "tree_hash_after": hash(&tree),
    })
}

/// What other vectors hold, and a few structures by hand.
fn messages() -> Value {
    let field = |stem: &str, name: &str| published(ROW_1, stem)[0][name].clone();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let key_package = field("welcome", "key_package");
    let message: MlsMessage = decode(&bytes(&key_package)).unwrap();
    let Body::KeyPackage(package) = message.body else { panic!("a KeyPackage") };
    let encoded = |it: &KeyPackage| hex::encode(it.tls_serialize_detached().unwrap());
    let leaf = hex::encode(package.content.leaf_node.tls_serialize_detached().unwrap());
    let welcome = MlsMessage::from(Body::Welcome(Welcome {
        cipher_suite: 0x004f,
        secrets: Vec::new(),
        encrypted_group_info: b"sealed".as_slice().into(),
    }));
    let private_message = field("message-protection", "application_priv");
    let public_message = field("message-protection", "proposal_pub");
    // Nobody may send this (section 6.2), but it has a syntax.
    let mut application: MlsMessage = decode(&bytes(&public_message)).unwrap();
    let Body::PublicMessage(message) = &mut application.body else { panic!("a PublicMessage") };
    message.content.content = Content::Application(b"data".as_slice().into());
    json!({
        "mls_welcome": hex::encode(welcome.tls_serialize_detached().unwrap()),
        // Group `ab` in epoch 2, with neither hashes nor extensions; signed by leaf 1.
        "mls_group_info": "000100040001004f01ab000000000000000200000000020c0d0000000103010203",
        "mls_key_package": key_package,
        "ratchet_tree": field("tree-validation", "tree"),
        "group_secrets": "0201020102030400",
        "add_proposal": encoded(&package),
        "update_proposal": leaf,
        "remove_proposal": "00000001",
        "pre_shared_key_proposal": "0102aabb020c0d",
        "re_init_proposal": "01ab0001004f00",
        "external_init_proposal": "03010203",
        "group_context_extensions_proposal": "04000a0101",
        "commit": field("message-protection", "commit"),
        "public_message_application": hex::encode(application.tls_serialize_detached().unwrap()),
        "public_message_proposal": public_message,
        "public_message_commit": field("message-protection", "commit_pub"),
        "private_message": private_message,
    })
}

#[test]
fn every_sample_holds() {
    let samples = kinds_with_a_suite().into_iter().chain(without_a_suite());
    let mut names = Vec::new();
    for Sample { name, vector } in samples {
        assert_eq!(crate::check(&crate::by_default(), &vector), Some(Ok(Ok(()))), "{name}");
        names.push(name);
    }
    names.dedup();
    assert_eq!(names.len(), 14, "every kind of MLS: {names:?}");
}
