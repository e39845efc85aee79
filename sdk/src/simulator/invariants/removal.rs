//! From the state after a removal on, the removed member reads nothing.

use super::Case;
use crate::simulator::step::Moment;

/// Each message that a node heard was said by somebody who counted the node among the members, then
/// or between then and its arrival: an author says a message again when the state that it was said in
/// has lost, and the node may have come in meanwhile.
pub(super) fn removal(case: Case<'_>) -> Vec<String> {
    let ledger = case.ledger;
    let mut broken = Vec::new();
    for heard in &ledger.heard {
        let reader = ledger.devices[heard.who];
        let said = ledger.said.iter().find(|said| said.id == Some(heard.received.id));
        let Some(said) = said.filter(|said| case.plan.honest(said.who)) else { continue };
        let author = &ledger.accounts[said.who];
        let then = author.roster_at(said.order).into_iter();
        let since = author
            .rosters
            .iter()
            .filter(|roster| said.order < roster.order && roster.order <= heard.order);
        if !then.chain(since).any(|roster| roster.devices.contains(&reader)) {
            broken.push(format!(
                "n{} read {:?} of n{} at {}, who had put it out",
                heard.who,
                said.text,
                said.who,
                Moment(heard.at)
            ));
        }
    }
    broken
}
