//! Making a set of vectors.

use std::fmt::Debug;

use serde::Serialize;
use trellis_ciphersuites::{Backend, CipherSuite, Protection};

use crate::kinds::mls::{
    MODEL, crypto_basics, key_schedule, message_protection, passive_client, psk_secret,
    secret_tree, transcript_hashes, tree_validation, treekem, welcome,
};
use crate::kinds::{hpke, kem, signature};
use crate::mls::Suite;
use crate::mls::suite::code_point;
use crate::{Randomness, Trellis};

/// The seed of the published set.
pub const SEED: &[u8] = b"trellis-vectors 1";

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// What is published.
    Published,
    /// Every tree for every suite, and long walks.
    Large,
}

impl Scale {
    /// The epochs of `passive-client-random`.
    #[must_use]
    pub fn epochs(self) -> usize {
        match self {
            Self::Published => 100,
            Self::Large => 1000,
        }
    }

    /// Whether a suite gets less than others, because each of its leaves takes kilobytes. What is
    /// left out does not depend on the suite.
    #[must_use]
    pub fn is_short(self, suite: &Suite<'_>) -> bool {
        self == Self::Published && suite.suite.sizes().signature > 256
    }
}

/// A part of the set, which makes a file or a few.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// `kem/`
    Kem,
    /// `hpke/`
    Hpke,
    /// `signature/`
    Signature,
    /// `mls/`, one kind of one suite.
    Mls(CipherSuite, &'static str),
}

/// A file: its path with slashes, and its contents.
pub type File = (String, Vec<u8>);

/// Something that could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{part}: {reason}")]
pub struct GenerateError {
    part: String,
    reason: String,
}

/// The kinds that take a stack.
const STACK: [&str; 3] =
    ["passive-client-welcome", "passive-client-handling-commit", "passive-client-random"];

/// The suites of the set: all that are not classical.
pub fn suites() -> impl Iterator<Item = CipherSuite> {
    CipherSuite::all().filter(|suite| suite.confidentiality() != Protection::Classical)
}

/// Every part, in the order in which they are made.
#[must_use]
pub fn parts() -> Vec<Part> {
    let mls = suites().flat_map(|suite| {
        let number = code_point(suite).unwrap_or_default();
        let stack = openmls_traits::types::Ciphersuite::try_from(number).is_ok();
        let kinds = MODEL.into_iter().chain(STACK.into_iter().filter(move |_| stack));
        kinds.map(move |kind| Part::Mls(suite, kind))
    });
    [Part::Kem, Part::Hpke, Part::Signature].into_iter().chain(mls).collect()
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kem => f.write_str("kem"),
            Self::Hpke => f.write_str("hpke"),
            Self::Signature => f.write_str("signature"),
            Self::Mls(suite, kind) => write!(f, "mls/{suite}/{kind}"),
        }
    }
}

impl Part {
    /// Makes the files of the part. The same seed gives the same bytes.
    ///
    /// # Errors
    ///
    /// None, unless a primitive is broken.
    pub fn generate(self, seed: &[u8], scale: Scale) -> Result<Vec<File>, GenerateError> {
        // The native backend hedges ECDSA, which would give other bytes each time.
        let primitives = Trellis { backend: Backend::portable(), ..Trellis::default() };
        let random = Randomness::new(seed).part(&self.to_string());
        match self {
            Self::Kem => self.named(kem::generate(&primitives, &random)),
            Self::Hpke => self.named(hpke::generate(&primitives, &random)),
            Self::Signature => self.named(signature::generate(&primitives, &random)),
            Self::Mls(suite, kind) => {
                let number = code_point(suite).unwrap_or_default();
                let suite = Suite::of(number, &primitives).map_err(|it| self.error(it))?;
                self.mls(&suite.seeded(&random), &random, kind, scale)
            }
        }
    }

    fn mls(
        self,
        suite: &Suite<'_>,
        random: &Randomness,
        kind: &str,
        scale: Scale,
    ) -> Result<Vec<File>, GenerateError> {
        match kind {
            "crypto-basics" => self.one(crypto_basics::generate(suite)),
            "key-schedule" => self.one(key_schedule::generate(suite)),
            "secret-tree" => self.one(secret_tree::generate(suite)),
            "psk_secret" => self.one(psk_secret::generate(suite)),
            "transcript-hashes" => self.one(transcript_hashes::generate(suite)),
            "message-protection" => self.one(message_protection::generate(suite)),
            "welcome" => self.one(welcome::generate(suite)),
            "treekem" => self.one(treekem::generate(suite, scale)),
            "tree-validation" => self.one(tree_validation::generate(suite, scale)),
            "passive-client-welcome" => {
                self.one(passive_client::generate::welcome(suite, random, scale))
            }
            "passive-client-handling-commit" => {
                self.one(passive_client::generate::handling_commit(suite, random, scale))
            }
            "passive-client-random" => {
                self.one(passive_client::generate::random(suite, random, scale))
            }
            _ => Err(self.error("no such kind")),
        }
    }

    fn error(self, reason: impl ToString) -> GenerateError {
        GenerateError { part: self.to_string(), reason: reason.to_string() }
    }

    fn one<V: Serialize, E: ToString>(
        self,
        vectors: Result<V, E>,
    ) -> Result<Vec<File>, GenerateError> {
        let vectors = vectors.map_err(|it| self.error(it))?;
        Ok(vec![(format!("{self}.json"), self.json(&vectors)?)])
    }

    fn named<V: Serialize, E: ToString>(
        self,
        groups: Result<Vec<(String, V)>, E>,
    ) -> Result<Vec<File>, GenerateError> {
        groups
            .map_err(|it| self.error(it))?
            .iter()
            .map(|(stem, vectors)| Ok((format!("{self}/{stem}.json"), self.json(vectors)?)))
            .collect()
    }

    fn json<V: Serialize>(self, vectors: &V) -> Result<Vec<u8>, GenerateError> {
        let mut bytes = serde_json::to_vec_pretty(vectors).map_err(|it| self.error(it))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The lines of `SHA256SUMS`, as `sha256sum --check` reads them.
#[must_use]
pub fn sums(files: &[(String, [u8; 32])]) -> String {
    let mut lines: Vec<String> =
        files.iter().map(|(path, sum)| format!("{}  {path}\n", hex::encode(sum))).collect();
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    lines.concat()
}
