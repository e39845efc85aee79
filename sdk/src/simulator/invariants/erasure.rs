//! After finality no key of an earlier state is in the store.

use super::Case;

/// When all is quiet a node holds the states of its window and no others, the window is as short as
/// the group's rules want it, unless nobody is left who could say that he needs none of it; and no byte of the store shows a key of a state that it ever held before.
pub(super) fn erasure(case: Case<'_>) -> Vec<String> {
    let most = usize::from(case.plan.depth()) + 1;
    let mut broken = Vec::new();
    for (node, end) in case.honest() {
        broken.extend(end.remains.iter().map(|what| format!("n{node} {what}")));
        let Some(view) = &end.view else { continue };
        let (states, window) = (end.states, end.window);
        if states != window {
            broken.push(format!("n{node} holds {states} states, and {window} are in its window"));
        }
        if view.active && window > most && !case.alone(node) {
            broken.push(format!("n{node} holds {window} states, which is over {most}"));
        }
    }
    broken
}
