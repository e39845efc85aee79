//! The secret tree and sender data (RFC 9420, sections 6.3.2 and 9).

use super::tree_math::{left, node_of, right, root, width_for};
use super::{Error, Suite};

/// Key and nonce of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct MessageKey {
    pub key: Vec<u8>,
    pub nonce: Vec<u8>,
}

/// Which ratchet of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Ratchet {
    Handshake,
    Application,
}

impl Ratchet {
    fn label(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Application => "application",
        }
    }
}

/// A secret tree, derived from the root each time.
#[derive(Clone, Copy, Debug)]
pub struct SecretTree<'a> {
    encryption_secret: &'a [u8],
    leaves: u32,
}

impl<'a> SecretTree<'a> {
    /// The tree over that many leaves.
    #[must_use]
    pub fn new(encryption_secret: &'a [u8], leaves: u32) -> Self {
        Self { encryption_secret, leaves: width_for(leaves) }
    }

    fn leaf_secret(&self, suite: &Suite<'_>, leaf: u32) -> Result<Vec<u8>, Error> {
        let wanted = node_of(leaf);
        let (mut node, mut secret) = (root(self.leaves), self.encryption_secret.to_vec());
        while node != wanted {
            let (child, side) =
                if wanted < node { (left(node), "left") } else { (right(node), "right") };
            node = child.ok_or(Error::Rule("the tree has no such leaf"))?;
            secret = suite.expand_with_label(&secret, "tree", side.as_bytes(), suite.nh())?;
        }
        Ok(secret)
    }

    /// Key and nonce of a generation. Each generation before it takes a step, so the caller bounds
    /// the number.
    pub fn message_key(
        &self,
        suite: &Suite<'_>,
        leaf: u32,
        ratchet: Ratchet,
        generation: u32,
    ) -> Result<MessageKey, Error> {
        let sizes = suite.suite.sizes();
        let leaf_secret = self.leaf_secret(suite, leaf)?;
        let mut secret = suite.expand_with_label(&leaf_secret, ratchet.label(), b"", suite.nh())?;
        for step in 0..generation {
            secret = suite.derive_tree_secret(&secret, "secret", step, suite.nh())?;
        }
        Ok(MessageKey {
            key: suite.derive_tree_secret(&secret, "key", generation, sizes.aead_key)?,
            nonce: suite.derive_tree_secret(&secret, "nonce", generation, sizes.aead_nonce)?,
        })
    }
}

/// Key and nonce for sender data, from a sample of the ciphertext.
pub fn sender_data_key(
    suite: &Suite<'_>,
    sender_data_secret: &[u8],
    ciphertext: &[u8],
) -> Result<MessageKey, Error> {
    let sizes = suite.suite.sizes();
    let sample = &ciphertext[..suite.nh().min(ciphertext.len())];
    let expand = |label, length| suite.expand_with_label(sender_data_secret, label, sample, length);
    Ok(MessageKey {
        key: expand("key", sizes.aead_key)?,
        nonce: expand("nonce", sizes.aead_nonce)?,
    })
}
