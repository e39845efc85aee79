//! What a node has told its user stays true.

use super::Case;
use crate::engine::Outcome;
use crate::simulator::ledger::{Order, quote};

pub(super) fn word(case: Case<'_>) -> Vec<String> {
    let ledger = case.ledger;
    let mut broken = Vec::new();
    for asked in ledger.asked.iter().filter(|asked| case.plan.honest(asked.who)) {
        let end = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Failed(_));
        let mut ended = asked.outcomes.iter().skip_while(|(_, outcome)| !end(outcome));
        let Some((at, first)) = ended.next() else { continue };
        // What was done on one side of a split is taken back when the node comes over, and only then.
        let splits = &ledger.accounts[asked.who].splits;
        let healed = |then: Order| {
            splits.iter().any(|(_, healed)| healed.is_some_and(|h| *at < h && h <= then))
        };
        if let Some((_, other)) = ended.find(|(then, outcome)| outcome != first && !healed(*then)) {
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
