//! What must hold when the network has healed and is quiet. One file for each.

mod agreement;
mod delivery;
mod erasure;
mod intents;
mod removal;
mod word;

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::node::View;
use super::plan::Plan;
use crate::engine::Outcome;
use crate::message::Received;
use crate::{Address, IntentId};

/// All connected honest members hold the same state, and are who that state says they are.
pub(crate) const AGREEMENT: &str = "agreement";
/// Each intent happened or was reported as failed, and what happened can be seen.
pub(crate) const INTENTS: &str = "intents";
/// Each message reaches everybody who was in the group throughout, once.
pub(crate) const DELIVERY: &str = "delivery";
/// Nobody hears what nobody said.
pub(crate) const AUTHENTICITY: &str = "authenticity";
/// Whoever was removed hears nothing that was said by who knew.
pub(crate) const REMOVAL: &str = "removal";
/// What a node told its user stays true, across crashes too.
pub(crate) const WORD: &str = "kept-word";
/// No key of a state that a node no longer has is anywhere in its store.
pub(crate) const ERASURE: &str = "erasure";
/// No commit against the rules of the group is ever carried out.
pub(crate) const LAW: &str = "law";
/// Who sees two commits of one member on one state says so.
pub(crate) const EVIDENCE: &str = "evidence";
/// An engine fails for no reason of its own, whatever comes in.
pub(crate) const SOUNDNESS: &str = "soundness";
/// Nodes fall quiet, instead of keeping each other or themselves busy.
pub(crate) const PROGRESS: &str = "progress";

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) detail: String,
}

/// A node in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// Nothing, if it never was in the group.
    pub(crate) view: Option<View>,
    pub(crate) history: Vec<Received>,
    pub(crate) states: usize,
    /// How many of them it may hold.
    pub(crate) window: usize,
    /// What is in its store of states that are gone.
    pub(crate) remains: Vec<String>,
    /// What it says about its intents that are not long done.
    pub(crate) outcomes: BTreeMap<IntentId, Outcome>,
}

/// All that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) ledger: &'a Ledger,
    pub(crate) ends: &'a [End],
}

impl<'a> Case<'a> {
    /// The honest nodes.
    fn honest(self) -> impl Iterator<Item = (usize, &'a End)> {
        self.ends.iter().enumerate().filter(move |(node, _)| self.plan.honest(*node))
    }

    /// The honest nodes that believe that they are in the group.
    fn members(self) -> impl Iterator<Item = (usize, &'a View)> {
        let view = |end: &'a End| end.view.as_ref().filter(|view| view.active);
        let nodes = self.honest().filter(move |(node, _)| !self.stranded(*node));
        nodes.filter_map(move |(node, end)| Some((node, view(end)?)))
    }

    /// Whether an account is that of the malicious node, which is gone for good.
    fn vanished(self, account: Address) -> bool {
        let malicious = self.ledger.node(account).is_some_and(|node| !self.plan.honest(node));
        self.plan.goes && malicious
    }

    /// Whether a node has no other in its group but the malicious one, which is gone for good: nobody is
    /// left who could ever say that he has a state.
    fn alone(self, who: usize) -> bool {
        self.ends[who].view.as_ref().is_some_and(|view| {
            let others = view.devices.iter().filter(|device| **device != self.ledger.devices[who]);
            let mut nodes = others.map(|device| self.ledger.node_of(*device));
            view.active
                && view.devices.len() > 1
                && nodes
                    .all(|node| node.is_some_and(|node| self.vanished(self.ledger.addresses[node])))
        })
    }

    /// Whether a node was brought in by somebody who is not a member any more, on a side of a split on
    /// which nobody who is still a member ever was: nobody is left who knows it, and whom it could believe.
    fn stranded(self, node: usize) -> bool {
        let ledger = self.ledger;
        let there = |end: &End| end.view.as_ref().is_some_and(|view| view.active);
        let others: Vec<_> =
            self.honest().filter(|(other, end)| *other != node && there(end)).collect();
        let account = &ledger.accounts[node];
        let left = |address: Address| {
            let honest = ledger.node(address).is_some_and(|node| self.plan.honest(node));
            let stays = others.iter().any(|(other, _)| ledger.addresses[*other] == address);
            if honest { !stays } else { self.vanished(address) }
        };
        let knows = |other: usize| !ledger.accounts[other].been.is_disjoint(&account.stayed);
        account.inviter.is_some_and(left) && !others.iter().any(|(other, _)| knows(*other))
    }
}

/// An invariant: its name, and what breaks it, one sentence each.
type Check = (&'static str, fn(Case<'_>) -> Vec<String>);

/// In the order in which they are reported: what explains most comes first.
const CHECKS: [Check; 7] = [
    (AUTHENTICITY, delivery::authenticity),
    (REMOVAL, removal::removal),
    (WORD, word::word),
    (AGREEMENT, agreement::agreement),
    (INTENTS, intents::intents),
    (DELIVERY, delivery::delivery),
    (ERASURE, erasure::erasure),
];

/// Every invariant that does not hold, with those that were seen to break on the way.
pub(crate) fn check(case: Case<'_>) -> Vec<Violation> {
    let mut all = case.ledger.violations.clone();
    for (invariant, check) in CHECKS {
        let details = check(case).into_iter();
        all.extend(details.map(|detail| Violation { invariant, detail }));
    }
    all
}
