//! `secret-tree`: keys and nonces of messages.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::secret_tree::{MessageKey, Ratchet, SecretTree as Tree, sender_data_key};
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

/// A generation takes a step for each one before it; the published vectors end at 15.
const MAX_GENERATION: u32 = 1 << 12;
/// The published vectors have 32.
const MAX_LEAVES: usize = 1 << 16;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SecretTree {
    pub cipher_suite: u16,
    pub sender_data: SenderData,
    pub encryption_secret: Hex,
    pub leaves: Vec<Vec<Generation>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SenderData {
    pub sender_data_secret: Hex,
    pub ciphertext: Hex,
    pub key: Hex,
    pub nonce: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Generation {
    pub generation: u32,
    pub handshake_key: Hex,
    pub handshake_nonce: Hex,
    pub application_key: Hex,
    pub application_nonce: Hex,
}

impl Generation {
    fn compute(
        suite: &Suite<'_>,
        tree: Tree<'_>,
        leaf: u32,
        generation: u32,
    ) -> Result<Self, Error> {
        let of = |ratchet| tree.message_key(suite, leaf, ratchet, generation);
        let (handshake, application) = (of(Ratchet::Handshake)?, of(Ratchet::Application)?);
        Ok(Self {
            generation,
            handshake_key: handshake.key.into(),
            handshake_nonce: handshake.nonce.into(),
            application_key: application.key.into(),
            application_nonce: application.nonce.into(),
        })
    }

    fn unless_equal(&self, found: &Self) -> Result<(), Failure> {
        [
            ("handshake_key", &self.handshake_key, &found.handshake_key),
            ("handshake_nonce", &self.handshake_nonce, &found.handshake_nonce),
            ("application_key", &self.application_key, &found.application_key),
            ("application_nonce", &self.application_nonce, &found.application_nonce),
        ]
        .into_iter()
        .try_for_each(|(name, expected, found)| Failure::unless_equal(name, expected, found))
    }
}

impl Vector for SecretTree {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let it = &self.sender_data;
        let MessageKey { key, nonce } =
            sender_data_key(suite, &it.sender_data_secret, &it.ciphertext)
                .map_err(Failure::of("sender_data"))?;
        Failure::unless_equal("sender_data.key", &it.key, key)?;
        Failure::unless_equal("sender_data.nonce", &it.nonce, nonce)?;

        let leaves = u32::try_from(self.leaves.len().min(MAX_LEAVES)).unwrap_or(u32::MAX);
        if self.leaves.len() > MAX_LEAVES {
            return Err(Failure::refused("leaves", format!("over {MAX_LEAVES} leaves")));
        }
        let tree = Tree::new(&self.encryption_secret, leaves);
        for (leaf, generations) in (0..leaves).zip(&self.leaves) {
            for (number, wanted) in generations.iter().enumerate() {
                let parent = format!("leaves[{leaf}][{number}]");
                if wanted.generation > MAX_GENERATION {
                    let reason = format!("over {MAX_GENERATION}");
                    return Err(Failure::refused(format!("{parent}.generation"), reason));
                }
                let found = Generation::compute(suite, tree, leaf, wanted.generation)
                    .map_err(Failure::of(parent.as_str()))?;
                wanted.unless_equal(&found).map_err(|failure| failure.within(&parent))?;
            }
        }
        Ok(())
    }
}

/// Trees of 1, 8 and 32 leaves; the largest shows fewer generations.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<SecretTree>, Error> {
    const SHAPES: [(u32, &[u32]); 3] = [(1, &[0, 1, 15]), (8, &[0, 1, 15]), (32, &[0, 7])];
    SHAPES
        .into_iter()
        .map(|(leaves, generations)| {
            let (sender_data_secret, ciphertext) = (suite.random(suite.nh())?, suite.random(77)?);
            let sample = sender_data_key(suite, &sender_data_secret, &ciphertext)?;
            let encryption_secret = suite.random(suite.nh())?;
            let tree = Tree::new(&encryption_secret, leaves);
            let of_leaf = |leaf| {
                let of = |&generation| Generation::compute(suite, tree, leaf, generation);
                generations.iter().map(of).collect::<Result<Vec<_>, _>>()
            };
            let leaves = (0..leaves).map(of_leaf).collect::<Result<_, _>>()?;
            Ok(SecretTree {
                cipher_suite: suite.code_point,
                sender_data: SenderData {
                    sender_data_secret: sender_data_secret.into(),
                    ciphertext: ciphertext.into(),
                    key: sample.key.into(),
                    nonce: sample.nonce.into(),
                },
                leaves,
                encryption_secret: encryption_secret.into(),
            })
        })
        .collect()
}
