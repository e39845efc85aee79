//! What a run found, and the file that keeps it.

use serde::{Deserialize, Serialize};

use super::Leader;

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// Everyone agreed after every step.
    Passed,
    /// Where it ended, and the first value that differs or what a stack said.
    Failed(String),
    /// A stack does not have what it takes.
    NotOffered(String),
}

/// A scenario in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The name of the scenario.
    pub scenario: String,
    /// Who founds the group.
    pub leader: Leader,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// All scenarios of a suite with a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The peer as the command names it.
    pub peer: String,
    /// The peer's name and version.
    pub stack: String,
    /// Our stack.
    pub ours: String,
    /// The cipher suite.
    pub suite: String,
    /// Its row in the draft.
    pub row: Option<u8>,
    /// Its number in the run.
    pub code_point: u16,
    /// Whether the peer derived key pairs without a label: then what depends on it must fail.
    pub unlabelled: bool,
    /// The scenarios.
    pub cells: Vec<Cell>,
}

impl Run {
    /// Whether each scenario ended as it must.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.cells.iter().all(|cell| match &cell.outcome {
            Outcome::NotOffered(_) => true,
            outcome => (*outcome == Outcome::Passed) == self.must_pass(cell),
        })
    }

    /// With different derivations what derives a key pair must fail.
    pub(super) fn must_pass(&self, cell: &Cell) -> bool {
        let derives = super::SCENARIOS.iter().any(|it| it.name == cell.scenario && it.derives);
        !(self.unlabelled && derives)
    }
}

/// Everything that has been run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// By peer, suite and derivation.
    pub runs: Vec<Run>,
}

impl Results {
    /// Puts a run in the place of an earlier one of the same peer and suite.
    pub fn record(&mut self, run: Run) {
        let key = |run: &Run| {
            (run.peer.clone(), run.unlabelled, run.row.unwrap_or(u8::MAX), run.code_point)
        };
        self.runs.retain(|it| key(it) != key(&run));
        self.runs.push(run);
        self.runs.sort_by_key(key);
    }
}
