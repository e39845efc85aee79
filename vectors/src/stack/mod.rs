//! A whole MLS stack, as far as scenarios and passive clients need it.
//!
//! One trait, three implementations: ours on OpenMLS, mls-rs in this process, ts-mls in another.

pub mod mls_rs;

pub mod open_mls;
pub mod ts_mls;

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::CipherSuite;

/// What a stack says when something does not work, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// It was tried and did not work.
    #[error("{0}")]
    Failed(String),
    /// The stack cannot do this at all.
    #[error("not offered: {0}")]
    NotOffered(String),
}

impl StackError {
    /// The error of a stack.
    pub fn new(error: impl std::fmt::Debug) -> Self {
        Self::Failed(format!("{error:?}"))
    }
}

/// How proposals and commits of members go out. External commits are always public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// As PublicMessage (RFC 9420, section 6.2).
    Public,
    /// As PrivateMessage (RFC 9420, section 6.3).
    Private,
}

/// What a client is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cipher suite.
    pub suite: CipherSuite,
    /// Its number in this run.
    pub code_point: u16,
    /// How HPKE key pairs are derived.
    pub derivation: KeyDerivation,
    /// The identity of the basic credential.
    pub identity: Vec<u8>,
    /// How its handshake messages go out.
    pub wire: Wire,
}

/// Private keys for a key package that exists, as vectors have them.
#[derive(Clone, Debug)]
pub struct Imported {
    /// A KeyPackage, as an MLSMessage.
    pub key_package: Vec<u8>,
    /// The private key of its `init_key`, in the form of `trellis-ciphersuites` (seeds).
    pub init_priv: Vec<u8>,
    /// The private key of the leaf's `encryption_key`.
    pub encryption_priv: Vec<u8>,
    /// The private key of the leaf's `signature_key`.
    pub signature_priv: Vec<u8>,
}

/// What a commit contains.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// KeyPackages to add, as MLSMessages.
    pub add: Vec<Vec<u8>>,
    /// Leaf indices to remove.
    pub remove: Vec<u32>,
    /// Identifiers of external pre-shared keys.
    pub psk: Vec<Vec<u8>>,
    /// A path even where RFC 9420 (section 12.4) requires none.
    pub path: bool,
}

/// One proposal, sent on its own.
#[derive(Clone, Debug)]
pub enum Proposal {
    /// Add, with a KeyPackage as an MLSMessage.
    Add(Vec<u8>),
    /// Remove, with a leaf index.
    Remove(u32),
    /// PreSharedKey, with the identifier of an external one.
    Psk(Vec<u8>),
}

/// What a commit is sent as.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The commit, as an MLSMessage.
    pub commit: Vec<u8>,
    /// The Welcome, as an MLSMessage, if members were added. Its GroupInfo has the ratchet tree.
    pub welcome: Option<Vec<u8>>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A commit, which has been applied.
    Commit,
    /// A proposal, which is kept.
    Proposal,
    /// Application data.
    Application(Vec<u8>),
}

/// What all members must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The epoch.
    pub epoch: u64,
    /// Its epoch authenticator (RFC 9420, section 8.7).
    pub epoch_authenticator: Vec<u8>,
    /// The tree hash of the GroupContext.
    pub tree_hash: Vec<u8>,
    /// The confirmed transcript hash of the GroupContext.
    pub confirmed_transcript_hash: Vec<u8>,
    /// How many members there are.
    pub members: usize,
}

/// A client with at most one group. Messages are complete MLSMessages.
pub trait Client {
    /// A new key package.
    fn key_package(&mut self) -> Result<Vec<u8>, StackError>;
    /// Starts a group.
    fn create(&mut self, group_id: &[u8]) -> Result<(), StackError>;
    /// Joins by a Welcome for a key package of this client. The tree may come beside it, as the
    /// body of a `ratchet_tree` extension.
    fn join(&mut self, welcome: &[u8], ratchet_tree: Option<&[u8]>) -> Result<(), StackError>;
    /// Keeps an external pre-shared key for later.
    fn add_psk(&mut self, psk_id: &[u8], psk: &[u8]) -> Result<(), StackError>;
    /// Sends a proposal, which this client's own next commit also covers.
    fn propose(&mut self, proposal: Proposal) -> Result<Vec<u8>, StackError>;
    /// Commits to changes and to all pending proposals, and applies the commit.
    fn commit(&mut self, changes: Changes) -> Result<Committed, StackError>;
    /// Takes a message of another member.
    fn process(&mut self, message: &[u8]) -> Result<Received, StackError>;
    /// Encrypts application data.
    fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, StackError>;
    /// A signed GroupInfo with `external_pub` and the ratchet tree.
    fn group_info(&mut self) -> Result<Vec<u8>, StackError>;
    /// Joins by an external commit, which is returned.
    fn external_join(&mut self, group_info: &[u8]) -> Result<Vec<u8>, StackError>;
    /// Epoch and what authenticates it.
    fn state(&mut self) -> Result<State, StackError>;
    /// The own leaf index.
    fn own_leaf(&mut self) -> Result<u32, StackError>;
    /// `MLS-Exporter(label, context, length)`.
    fn export(&mut self, label: &str, context: &[u8], length: usize)
    -> Result<Vec<u8>, StackError>;
}

/// An implementation of MLS.
pub trait Stack {
    /// Its name and version.
    fn name(&self) -> String;
    /// A client with a new signature key.
    fn client(&self, settings: &Settings) -> Result<Box<dyn Client>, StackError>;
    /// A client that can join with exactly these keys. Lifetimes are not checked.
    fn import(&self, settings: &Settings, keys: &Imported) -> Result<Box<dyn Client>, StackError>;
}
