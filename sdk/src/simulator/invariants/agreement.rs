//! After the network has healed and fallen quiet, all connected honest members hold the same state.

use super::Case;
use crate::simulator::node::View;
use crate::simulator::trace::Name;

pub(super) fn agreement(case: Case<'_>) -> Vec<String> {
    let Some((first, reference)) = case.members().next() else { return Vec::new() };
    let mut broken = Vec::new();
    for (node, view) in case.members() {
        if view != reference {
            broken.push(format!(
                "n{first} has {}, n{node} has {}",
                describe(case, reference),
                describe(case, view)
            ));
        }
    }
    // The roster is the same for all from here on, or something has been reported already.
    for (node, end) in case.honest() {
        let listed = reference.has(case.ledger.devices[node]);
        let active = end.view.as_ref().is_some_and(|view| view.active);
        if listed != active && !(active && case.stranded(node)) {
            let (is, believes) = if listed { ("is", "not") } else { ("is not", "nevertheless") };
            broken.push(format!("n{node} {is} in the roster of n{first} and {believes} a member"));
        }
    }
    broken
}

fn describe(case: Case<'_>, view: &View) -> String {
    let members: Vec<_> = view
        .members
        .iter()
        .map(|(address, role)| format!("{} {role:?}", case.ledger.called(*address)))
        .collect();
    format!(
        "state {} of group {} (epoch {}, {:?}: {})",
        Name(&view.state.0),
        Name(&view.group.0),
        view.epoch,
        view.name,
        members.join(", ")
    )
}
