//! After finality no key of an earlier state is kept.

use super::Case;

/// When all is quiet, nodes hold the window and no more. Losing branches within it may be kept too,
/// each as long as the window at most.
pub(super) fn erasure(case: Case<'_>) -> Vec<String> {
    let window = usize::from(case.plan.policy.depth) + 1;
    let mut broken = Vec::new();
    for (node, end) in case.honest() {
        let Some(view) = &end.view else { continue };
        let most = if view.active { 2 * window } else { 0 };
        if end.states > most {
            let states = end.states;
            broken.push(format!("n{node} holds keys of {states} states, which is over {most}"));
        }
    }
    broken
}
