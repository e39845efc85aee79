//! Each accepted intent took effect once or was reported as failed.

use super::Case;
use crate::engine::{Intent, Outcome};
use crate::simulator::ledger::{Asked, Ledger};
use crate::simulator::node::View;
use crate::simulator::plan::FIRST_NAME;

pub(super) fn intents(case: Case<'_>) -> Vec<String> {
    let reference = case.members().next().map(|(_, view)| view);
    let mut broken = Vec::new();
    for asked in case.ledger.asked.iter().filter(|asked| case.plan.honest(asked.who)) {
        let Some(id) = asked.id else { continue };
        let Asked { who, step, .. } = asked;
        let wish = case.ledger.wish(&asked.intent);
        let last = asked.outcomes.last().map(|(_, outcome)| outcome);
        let seen = reference.is_none_or(|view| visible(case, asked, view));
        match last {
            Some(Outcome::Failed(_)) => {}
            Some(Outcome::Done) if !seen => {
                broken.push(format!("n{who} told that {wish} of step {step} is done: it is not"));
            }
            Some(Outcome::Done) => {}
            // Nobody is left who could ever say that he has it.
            Some(Outcome::Applied) if case.alone(*who) || case.stranded(*who) => {}
            // The word about it may have been lost in a crash. Then the engine has to know, or not to
            // wait for it any more.
            _ if crashed_since(case, asked) => match case.ends[*who].outcomes.get(&id) {
                Some(Outcome::Done | Outcome::Failed(_)) => {}
                None if seen => {}
                now => broken
                    .push(format!("n{who} ended {wish} of step {step} as {now:?}, after a crash")),
            },
            _ => broken.push(format!("n{who} ended {wish} of step {step} as {last:?}")),
        }
    }
    if let Some(view) = reference {
        broken.extend(out_of_nowhere(case.ledger, view));
    }
    broken
}

fn crashed_since(case: Case<'_>, asked: &Asked) -> bool {
    case.ledger.accounts[asked.who].crashes.iter().any(|crash| *crash > asked.order)
}

/// Whether the group is as the intent wants it, or another intent is the reason why it is not.
fn visible(case: Case<'_>, asked: &Asked, view: &View) -> bool {
    let ledger = case.ledger;
    // Who is invited while he is in, in the eyes of who invites, is in already, and likewise with
    // roles; when he went elsewhere is nothing that the engine could know. Nor is what others had made of
    // the group elsewhere, when it was already as somebody wants it.
    let already = match &asked.intent {
        Intent::Invite(account) | Intent::SetRole(account, _) => ledger.accounts[asked.who]
            .roster_at(asked.order)
            .is_some_and(|roster| ledger.has_device_in(roster, *account)),
        _ => was_so(asked),
    };
    let there = match &asked.intent {
        Intent::Invite(account) => view.role(*account).is_some(),
        Intent::Remove(account) => view.role(*account).is_none(),
        Intent::Leave => !view.has(ledger.devices[asked.who]),
        Intent::Rename(name) => view.name == *name,
        Intent::SetRole(account, role) => view.role(*account) == Some(*role),
        Intent::SetPolicy(policy) => view.policy == *policy,
        Intent::Migrate(suite) => view.suite == *suite,
        _ => true,
    };
    let honest = |other: &Asked| case.plan.honest(other.who);
    // What was done on one side of a split is undone when the other is kept, and who has gone by then
    // can't do it again.
    let end = asked.outcomes.last().map_or(asked.order, |(order, _)| *order);
    let gone = case.ends[asked.who].view.as_ref().is_none_or(|view| !view.active);
    // Who was behind then may have begun a side of his own later, from a state of before.
    let split = |node: usize| !ledger.accounts[node].splits.is_empty();
    let lost = case.members().any(|(node, _)| split(node));
    // Nor does who has gone and come again: his wishes went with him.
    let account = &ledger.accounts[asked.who];
    let went = !account.stayed_since(end) && account.lost_side_at(end);
    there
        || gone && (account.was_away(end) || lost)
        || went
        || lost_a_device(ledger, asked)
        || stayed_behind(case, asked)
        || ledger.asked.iter().any(|other| {
            contradicts(ledger, asked, other)
                && (already || !honest(other) || !over_before(ledger, other, asked))
        })
}

/// Whether an intent came to its end before another was taken, and so can't have undone it. What
/// ended on the losing side of a split begins anew on the other, and its user is told so.
fn over_before(ledger: &Ledger, one: &Asked, other: &Asked) -> bool {
    let anew = one.outcomes.last().is_some_and(|(order, _)| *order > other.order);
    !anew
        && one.outcomes.iter().any(|(order, outcome)| {
            *order < other.order
                && matches!(outcome, Outcome::Done | Outcome::Failed(_))
                && !ledger.accounts[one.who].lost_side_at(*order)
        })
}

/// Whether what is wanted was so when it was wanted: that was told at once, before any change, so without
/// a commit.
fn was_so(asked: &Asked) -> bool {
    let mut told = (asked.order + 1..).zip(&asked.outcomes);
    told.any(|(next, (order, outcome))| {
        next == *order && matches!(outcome, Outcome::Applied | Outcome::Done)
    })
}

fn contradicts(ledger: &Ledger, one: &Asked, other: &Asked) -> bool {
    let leaves = |account| other.intent == Intent::Leave && ledger.addresses[other.who] == account;
    let removes = |account| other.intent == Intent::Remove(account) || leaves(account);
    let invites = |account| other.intent == Intent::Invite(account);
    match (&one.intent, &other.intent) {
        (Intent::Rename(name), Intent::Rename(another)) => name != another,
        (Intent::SetRole(account, role), Intent::SetRole(same, another)) => {
            account == same && role != another
        }
        (Intent::SetRole(account, _), _) => removes(*account) || invites(*account),
        (Intent::Invite(account), _) => removes(*account),
        (Intent::Remove(account), _) => invites(*account),
        (Intent::Leave, _) => invites(ledger.addresses[one.who]),
        (Intent::SetPolicy(policy), Intent::SetPolicy(another)) => policy != another,
        (Intent::Migrate(suite), Intent::Migrate(another)) => suite != another,
        _ => false,
    }
}

/// Whether an intent is about the malicious node, which is gone for good and did not come along when
/// the group moved.
fn stayed_behind(case: Case<'_>, asked: &Asked) -> bool {
    let (Intent::Invite(account) | Intent::SetRole(account, _)) = &asked.intent else {
        return false;
    };
    let gone = |node| case.plan.goes && !case.plan.honest(node);
    case.ledger.tally.moves > 0 && case.ledger.node(*account).is_some_and(gone)
}

/// Whether a device was taken from the account that an intent wants in the group: if it was the last
/// of them there, the account is in the group no longer.
fn lost_a_device(ledger: &Ledger, asked: &Asked) -> bool {
    let (Intent::Invite(account) | Intent::SetRole(account, _)) = &asked.intent else {
        return false;
    };
    ledger.revoked.iter().any(|(node, _)| ledger.addresses[*node] == *account)
}

/// What the group is and nobody wanted.
fn out_of_nowhere(ledger: &Ledger, view: &View) -> Vec<String> {
    let wanted = |intent: &Intent| ledger.asked.iter().any(|asked| asked.intent == *intent);
    let mut broken = Vec::new();
    if view.name != FIRST_NAME && !wanted(&Intent::Rename(view.name.clone())) {
        broken.push(format!("nobody wanted to call the group {:?}", view.name));
    }
    for (address, _) in &view.members {
        let founder = ledger.addresses.first() == Some(address);
        if !founder && !wanted(&Intent::Invite(*address)) {
            broken.push(format!("nobody wanted {} in the group", ledger.called(*address)));
        }
    }
    broken
}
