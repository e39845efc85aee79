//! Crashes, and what a node still has that comes back.

use super::super::invariants::{SOUNDNESS, WORD};
use super::super::node::Node;
use super::super::step::Moment;
use super::{Place, Timer, World};
use crate::Time;
use crate::message::Received;
use crate::transport::NodeId;

impl<N: Node> World<'_, N> {
    pub(in super::super) fn crash(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        seat.place = match std::mem::replace(&mut seat.place, Place::Lost) {
            Place::Up(node) => Place::Down(node.crash()),
            other => {
                seat.place = other;
                return;
            }
        };
        let rest = seat.rest;
        self.note(who, format_args!("crashes, for {}", Moment(Time(rest.0))));
        self.ledger.crash(who);
        self.network.set_online(self.now, NodeId(who), false);
        self.network.forget(NodeId(who));
        self.set_timer(rest, Timer::Restart { who });
        self.write_who_is_away();
    }

    pub(super) fn restart(&mut self, who: usize) {
        let clock = self.clock();
        let seat = &mut self.seats[who];
        let disk = match std::mem::replace(&mut seat.place, Place::Lost) {
            Place::Down(disk) => disk,
            other => {
                seat.place = other;
                return;
            }
        };
        seat.life += 1;
        match N::open(disk, self.plan, who, seat.life, clock) {
            Ok(node) => seat.place = Place::Up(node),
            Err(trouble) => {
                return self.broken(SOUNDNESS, format!("n{who} does not come back: {trouble}"));
            }
        }
        self.note(who, format_args!("is back"));
        self.network.set_online(self.now, NodeId(who), true);
        self.write_who_is_away();
        self.still_knows(who);
        self.drain(who);
        self.look(who);
    }

    /// Checks that a node that is back still has what it told its user.
    fn still_knows(&mut self, who: usize) {
        let history = self.history(who);
        let has = |id| history.iter().any(|received| received.id == id);
        let heard = self.ledger.heard.iter().filter(|heard| heard.who == who);
        let said = self.ledger.said.iter().filter(|said| said.who == who);
        let told = heard
            .map(|heard| heard.received.id)
            .chain(said.filter_map(|said| said.id))
            .filter(|id| !has(*id))
            .count();
        if told > 0 && self.plan.honest(who) {
            self.broken(WORD, format!("n{who} came back without {told} messages that it had"));
        }
    }

    /// All that a node has of what was said, in the group and those before it.
    pub(super) fn history(&mut self, who: usize) -> Vec<Received> {
        let Place::Up(node) = &mut self.seats[who].place else { return Vec::new() };
        let groups = self.lineage.iter();
        groups.flat_map(|group| node.history(*group).unwrap_or_default()).collect()
    }

    /// A malicious node's engine has had too much of it.
    pub(super) fn lose(&mut self, who: usize) {
        self.note(who, format_args!("can't go on"));
        self.seats[who].place = Place::Lost;
        self.network.forget(NodeId(who));
        self.network.set_online(self.now, NodeId(who), false);
    }
}
