//! The shortest history that still breaks an invariant: delta debugging (Zeller and Hildebrandt,
//! IEEE TSE 2002), by leaving out steps and faults of the network.

use super::invariants::Violation;
use super::plan::{Calm, Plan};
use super::step::Step;

/// Makes a plan smaller for as long as it breaks the same invariant, with at most so many attempts.
/// `play` says what a plan breaks.
pub(crate) fn shrink(
    plan: &Plan,
    violation: &Violation,
    attempts: usize,
    mut play: impl FnMut(&Plan) -> Vec<Violation>,
) -> (Plan, Violation) {
    let mut best = Best { plan: plan.clone(), violation: violation.clone(), left: attempts };
    for (_, calm) in Calm::ALL {
        let calmer = best.plan.clone().without(calm);
        if calmer.conditions != best.plan.conditions {
            best.try_plan(calmer, &mut play);
        }
    }
    let mut size = best.plan.steps.len().div_ceil(2);
    while size > 0 && best.left > 0 {
        let smaller = best.without_chunks(size, &mut play);
        if !smaller || size > 1 {
            size /= 2;
        }
    }
    (best.plan, best.violation)
}

struct Best {
    plan: Plan,
    violation: Violation,
    left: usize,
}

impl Best {
    /// Takes a plan if it breaks the same invariant.
    fn try_plan(&mut self, plan: Plan, play: &mut impl FnMut(&Plan) -> Vec<Violation>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let same = |violation: &Violation| violation.invariant == self.violation.invariant;
        match play(&plan).into_iter().find(same) {
            Some(violation) => {
                self.plan = plan;
                self.violation = violation;
                true
            }
            None => false,
        }
    }

    /// Leaves out each run of `size` steps that is not needed; later ones first, since they are the
    /// least likely to be. Whether any could be left out.
    fn without_chunks(
        &mut self,
        size: usize,
        play: &mut impl FnMut(&Plan) -> Vec<Violation>,
    ) -> bool {
        let mut any = false;
        let mut end = self.plan.steps.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let steps: Vec<Step> = [&self.plan.steps[..start], &self.plan.steps[end..]].concat();
            any |= self.try_plan(Plan { steps, ..self.plan.clone() }, play);
            end = start;
        }
        any
    }
}
