//! What a report holds. `report.json` is this, and everything else is made from it.

use serde::{Deserialize, Serialize};

use crate::group::{Contender, Operation};
use crate::summary::Summary;

/// One run of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether `--quick` left out most of it.
    pub quick: bool,
    /// The day of the run, as `YYYY-MM-DD`, in UTC.
    pub date: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The versions of everything that was compared.
    pub versions: Vec<Version>,
    /// Group operations.
    pub groups: Vec<GroupTime>,
    /// Bytes on the wire.
    pub sizes: Vec<Size>,
    /// Group operations over other storages.
    pub storages: Vec<StorageTime>,
    /// Where the time of an operation goes, on one thread, with our native provider.
    pub shares: Vec<Share>,
    /// Adding with the ratchet tree outside the GroupInfo, ours native.
    pub tree_outside: Vec<TreeOutside>,
    /// Peak resident sizes.
    pub memory: Vec<Memory>,
    /// HPKE, candidates by library or backend.
    pub hpke: Vec<Table>,
    /// Primitives, candidates by library or backend.
    pub primitives: Vec<Table>,
    /// The targets.
    pub targets: Vec<Target>,
}

/// Where a report was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many of them this process may use.
    pub cores: usize,
    /// Those of its extensions that the libraries choose their code by.
    pub features: Vec<String>,
    /// The operating system.
    pub system: String,
    /// The compiler.
    pub rustc: String,
}

/// The version of a package in the build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
}

/// How long an operation took one contender in a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupTime {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// Who was measured.
    pub contender: Contender,
    /// What was measured.
    pub operation: Operation,
    /// How long it took.
    pub time: Summary,
}

/// How many bytes an operation sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// What sends them. An addition sends commit and Welcome.
    pub operation: Operation,
    /// The bytes, as framed `MLSMessage`s.
    pub bytes: usize,
}

/// How long an operation took over a storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageTime {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// The cryptography: a name of a contender.
    pub crypto: String,
    /// The storage.
    pub storage: String,
    /// What was measured.
    pub operation: Operation,
    /// How long it took.
    pub time: Summary,
}

/// Where the time of an operation goes, in the turn that took the median time, on one thread. All
/// in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// What was measured.
    pub operation: Operation,
    /// The whole operation.
    pub total: f64,
    /// The part inside the provider's cryptography, randomness and signer.
    pub provider: f64,
    /// The part inside its storage.
    pub storage: f64,
    /// The limit: the primitives that the provider's calls need, times their measured cost.
    pub limit: f64,
    /// The provider's and the storage's part by call, the longest first.
    pub calls: Vec<Call>,
}

impl Share {
    /// The rest: OpenMLS itself.
    #[must_use]
    pub fn open_mls(&self) -> f64 {
        (self.total - self.provider - self.storage).max(0.0)
    }
}

/// The calls of one kind in an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The method of the trait, such as `hpke_seal`; a method of the storage begins with
    /// `storage: `.
    pub name: String,
    /// How often it was called.
    pub count: u64,
    /// How long all those calls took, in microseconds.
    pub time: f64,
    /// The primitives that all those calls need, in microseconds. Zero for the storage.
    pub limit: f64,
}

/// How long it takes to add all others with the ratchet tree outside the GroupInfo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeOutside {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// How long it took.
    pub time: Summary,
}

/// The peak resident size of a process that lives through a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// [The short name](crate::suites::Suite::short).
    pub suite: String,
    /// How many members the group has.
    pub members: usize,
    /// Who was measured.
    pub contender: Contender,
    /// What is resident before the group begins: the program and the key packages of all but two.
    pub before: u64,
    /// The most that is resident from then on, in bytes.
    pub peak: u64,
}

/// A table of candidates that do the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What the rows have in common.
    pub title: String,
    /// What to know about the candidates.
    pub note: String,
    /// The rows.
    pub rows: Vec<Row>,
}

/// An operation and how long each candidate takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The operation.
    pub operation: String,
    /// Name and time of each candidate.
    pub times: Vec<(String, Summary)>,
}

/// A target and whether it was met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// A group of targets, such as `row 2`.
    pub group: String,
    /// What is measured.
    pub what: String,
    /// The bound.
    pub bound: Bound,
    /// What was measured. `None` if this run left it out.
    pub measured: Option<f64>,
}

/// What a measured figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Target {
    /// Whether it was met. `None` if it was not measured.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        })
    }
}
