//! What a node has told its user stays true.

use super::Case;
use crate::engine::Outcome;
use crate::simulator::ledger::quote;

pub(super) fn word(case: Case<'_>) -> Vec<String> {
    let ledger = case.ledger;
    let mut broken = Vec::new();
    for asked in ledger.asked.iter().filter(|asked| case.plan.honest(asked.who)) {
        let end = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Failed(_));
        let mut ended = asked.outcomes.iter().skip_while(|(_, outcome)| !end(outcome));
        let Some((at, first)) = ended.next() else { continue };
        if ledger.accounts[asked.who].lost_side_at(*at) {
            continue;
        }
        if let Some((_, other)) = ended.find(|(_, outcome)| outcome != first) {
            broken.push(format!(
                "n{} told that {} of step {} is {first:?}, then {other:?}",
                asked.who,
                ledger.wish(&asked.intent),
                asked.step
            ));
        }
    }
    for heard in ledger.heard.iter().filter(|heard| case.plan.honest(heard.who)) {
        let history = &case.ends[heard.who].history;
        let kept = history.iter().find(|received| received.id == heard.received.id);
        if kept.is_none_or(|kept| kept.message != heard.received.message) {
            let what = quote(&heard.received.message);
            broken.push(format!("n{} told {what} and has it no longer", heard.who));
        }
    }
    broken
}
