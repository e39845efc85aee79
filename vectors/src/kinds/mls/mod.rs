//! The kinds of the MLS working group (`test-vectors.md` of mls-implementations).

pub mod crypto_basics;
pub mod deserialization;
pub mod key_schedule;
pub mod message_protection;
pub mod messages;
pub mod passive_client;
pub mod psk_secret;
pub mod secret_tree;
pub mod transcript_hashes;
pub mod tree_math;
pub mod tree_operations;
pub mod tree_validation;
pub mod treekem;
pub mod welcome;

/// The kinds of the published set for which a model suffices.
pub const MODEL: [&str; 9] = [
    "crypto-basics",
    "key-schedule",
    "secret-tree",
    "psk_secret",
    "transcript-hashes",
    "message-protection",
    "welcome",
    "treekem",
    "tree-validation",
];
