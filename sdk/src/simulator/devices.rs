//! Devices that accounts get and lose in the course of a history.

use super::node::Node;
use super::world::{Done, World};

/// How many nodes there are at most beyond those that a plan begins with.
const MAX_LINKED: usize = 3;

impl<N: Node> World<'_, N> {
    /// An account gets one more device; the two devices of it talk on a way of their own.
    pub(super) fn link(&mut self, who: usize) {
        let (plan, number) = (self.plan, self.seats.len());
        if number >= plan.nodes + MAX_LINKED || !plan.honest(who) {
            return;
        }
        let Ok(disk) = N::disk(plan, number) else { return };
        let what = format!("links n{number}");
        let linked = self.attempt(who, &what, |node, now| node.link(now, disk, plan, number));
        self.drain(who);
        let Done::Yes(node) = linked else { return };
        self.sit_down(node);
        self.ledger.tally.links += 1;
        self.write_who_is_away();
        self.drain(number);
    }

    /// An account loses the device that it got last, whoever asks for it of the account's devices.
    pub(super) fn revoke(&mut self, who: usize) {
        let account = self.ledger.addresses[who];
        let late = (self.plan.nodes..self.seats.len()).rev();
        let mut late = late.filter(|node| self.ledger.addresses[*node] == account);
        let Some(other) =
            late.find(|node| !self.ledger.revoked.iter().any(|(gone, _)| gone == node))
        else {
            return;
        };
        let device = self.ledger.devices[other];
        let what = format!("revokes n{other}");
        let revoked = self.attempt(who, &what, |node, now| node.revoke(now, device));
        if !matches!(revoked, Done::No) {
            self.ledger.revoke(other);
        }
        self.drain(who);
    }
}
