//! One seed, from the plan to the report.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::invariants::{SOUNDNESS, Violation};
use super::ledger::Tally;
use super::node::Node;
use super::plan::Plan;
use super::shrink;
use super::world::{Run, World};

/// How a seed went.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) digest: u64,
    pub(crate) lines: Vec<String>,
    pub(crate) tally: Tally,
    pub(crate) violations: Vec<Violation>,
    /// The shortest history found that breaks the first of them, and how it does.
    pub(crate) shortest: Option<(Plan, Violation)>,
}

/// Plays a plan. An engine that panics is unsound, and says where.
pub(crate) fn play<N: Node>(plan: &Plan, lines: bool) -> Run {
    match catch_unwind(AssertUnwindSafe(|| World::<N>::run(plan, lines))) {
        Ok(run) => run,
        Err(panic) => {
            let detail = format!("a panic: {}", message(&*panic));
            let violations = vec![Violation { invariant: SOUNDNESS, detail }];
            Run { violations, digest: 0, lines: Vec::new(), tally: Tally::default() }
        }
    }
}

/// Plays a plan, and looks for the shortest history if it breaks something.
pub(crate) fn report<N: Node>(plan: &Plan, lines: bool, attempts: usize) -> Report {
    let Run { violations, digest, lines, tally } = play::<N>(plan, lines);
    let shortest = violations.first().map(|first| {
        shrink::shrink(plan, first, attempts, |plan| play::<N>(plan, false).violations)
    });
    Report { seed: plan.seed, digest, lines, tally, violations, shortest }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "without a message",
    }
}
