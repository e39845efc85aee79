//! Each application message is delivered once to each member who was in the group throughout, and
//! is what its author said.

use super::Case;
use crate::DeviceId;
use crate::message::{Message, Received};
use crate::simulator::ledger::{Order, Said, quote};
use crate::simulator::step::Moment;

pub(super) fn delivery(case: Case<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for said in case.ledger.said.iter().filter(|said| case.plan.honest(said.who)) {
        let Some(id) = said.id else { continue };
        for (node, _) in case.honest().filter(|(node, _)| owed(case, said, *node)) {
            let device = case.ledger.devices[said.who];
            let has = |received: &&Received| received.id == id && received.device == device;
            if case.ends[node].history.iter().filter(has).count() == 0 {
                let at = Moment(said.at);
                broken
                    .push(format!("n{node} lacks {:?} of n{}, said at {at}", said.text, said.who));
            }
        }
    }
    for (node, end) in case.honest() {
        let crashed = !case.ledger.accounts[node].crashes.is_empty();
        let own = case.ledger.devices[node];
        for received in &end.history {
            let copies = end.history.iter().filter(|other| other.id == received.id).count();
            if copies > 1 {
                let what = quote(&received.message);
                broken.push(format!("n{node} keeps {what} {copies} times"));
            }
            // After a crash a user looks into the history for what was received before.
            let told = case.ledger.has_told(node, received.id);
            if !told && !crashed && received.device != own {
                let what = quote(&received.message);
                broken.push(format!("n{node} has {what} and never told"));
            }
        }
    }
    broken.sort();
    broken.dedup();
    broken
}

/// Whether a message must reach a node: its author and the node were in the group from before it was
/// said until the end, and the author knew of the node.
fn owed(case: Case<'_>, said: &Said, node: usize) -> bool {
    let (author, reader) = (&case.ledger.accounts[said.who], &case.ledger.accounts[node]);
    if node == said.who {
        return true;
    }
    if case.stranded(said.who) || case.stranded(node) {
        return false;
    }
    let device = case.ledger.devices[node];
    let known = author.roster_at(said.order).is_some_and(|roster| roster.devices.contains(&device));
    let stayed = author.stayed_since(said.order) && reader.stayed_since(said.order);
    let own = case.ledger.devices[said.who];
    // The author may learn at once that the reader was put out before and is in again.
    let told =
        |(order, out): &(Order, DeviceId)| *order > said.order && [own, device].contains(out);
    let parted = [author, reader].iter().any(|account| account.put_out.iter().any(told));
    let put_out = absent_since(case, device, said.order) || absent_since(case, own, said.order);
    known && stayed && !put_out && !parted
}

/// Whether some honest member has at any time since then seen the group without a device that
/// it had seen in it before. The device itself may learn of its removal together with its return.
fn absent_since(case: Case<'_>, device: DeviceId, order: Order) -> bool {
    case.honest().any(|(node, _)| {
        let mut seen = false;
        let mut gone = false;
        for roster in &case.ledger.accounts[node].rosters {
            if roster.order > order && gone {
                return true;
            }
            let listed = roster.devices.contains(&device);
            gone = roster.active && seen && !listed;
            seen |= roster.active && listed;
            if roster.order > order && gone {
                return true;
            }
        }
        gone
    })
}

pub(super) fn authenticity(case: Case<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for heard in case.ledger.heard.iter().filter(|heard| case.plan.honest(heard.who)) {
        let author = case.ledger.node_of(heard.received.device);
        if author.is_some_and(|author| !case.plan.honest(author)) {
            continue;
        }
        let said = case.ledger.said.iter().any(|said| {
            Some(said.who) == author
                && said.id.is_none_or(|id| id == heard.received.id)
                && case.ledger.addresses[said.who] == heard.received.author
                && heard.received.message == Message::Text(said.text.clone())
        });
        if !said {
            let (who, what) = (heard.who, quote(&heard.received.message));
            let author = case.ledger.called(heard.received.author);
            broken.push(format!("n{who} told {what} of {author}, who did not say it"));
        }
    }
    broken
}
