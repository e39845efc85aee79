//! Live runs with another stack: the same scenarios with either side in either role.

mod render;
mod results;
mod scenario;
mod stage;

pub use results::{Cell, Outcome, Results, Run};
pub use scenario::{SCENARIOS, Scenario};

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::CipherSuite;

use self::stage::{Stage, Trouble};
use crate::mls::suite::code_point;
use crate::stack::{Stack, Wire};

/// Who founds the group.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Leader {
    /// We do.
    Ours,
    /// The peer does.
    Theirs,
}

/// Runs a scenario with handshake messages encrypted and in the clear.
#[must_use]
pub fn run(
    scenario: &Scenario,
    ours: &dyn Stack,
    peer: &dyn Stack,
    suite: CipherSuite,
    peer_derivation: KeyDerivation,
    leader: Leader,
) -> Outcome {
    let Some(code_point) = code_point(suite) else {
        return Outcome::NotOffered("the suite has no code point".into());
    };
    for wire in [Wire::Private, Wire::Public] {
        let mut stage =
            Stage { ours, peer, suite, code_point, peer_derivation, leader, wire, step: "" };
        if let Err(trouble) = (scenario.play)(&mut stage) {
            let place = match wire {
                Wire::Private => stage.step.to_owned(),
                Wire::Public => format!("{} (handshake in the clear)", stage.step),
            };
            return match trouble {
                Trouble::NotOffered(what) => Outcome::NotOffered(what),
                Trouble::Failed(reason) => Outcome::Failed(format!("{place}: {reason}")),
            };
        }
    }
    Outcome::Passed
}
