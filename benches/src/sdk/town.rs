//! Clients on a network in memory, in virtual time: nothing here looks at a clock, and an hour takes
//! as long as what happens in it.

use trellis_sdk::engine::{Engine, Output};
use trellis_sdk::transport::{Action, Chance, Conditions, Incoming, Network, NodeId};
use trellis_sdk::{Span, Time};

/// What clients gave to the network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    /// Envelopes published. Each reaches all who listen.
    pub(super) published: u64,
    /// Questions asked and answered.
    pub(super) asked: u64,
    /// The bytes of all of them, counted once each, however many they reach.
    pub(super) bytes: u64,
    /// What arrived at somebody.
    pub(super) arrivals: u64,
}

impl Traffic {
    /// What came after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            published: self.published - before.published,
            asked: self.asked - before.asked,
            bytes: self.bytes - before.bytes,
            arrivals: self.arrivals - before.arrivals,
        }
    }

    /// How many envelopes, questions and answers there were.
    pub(super) fn messages(self) -> u64 {
        self.published + self.asked
    }
}

/// A client with its place on the network.
struct Seat {
    engine: Option<Engine>,
    deadline: Option<Time>,
}

/// Clients and the network between them.
pub(super) struct Town {
    pub(super) now: Time,
    pub(super) traffic: Traffic,
    network: Network,
    seats: Vec<Seat>,
}

impl Town {
    /// Nobody, and a network that takes 20 to 60 ms and loses nothing.
    pub(super) fn new(now: Time) -> Self {
        let network = Network::new(1, Conditions::good());
        Self { now, traffic: Traffic::default(), network, seats: Vec::new() }
    }

    /// A client comes.
    pub(super) fn join(&mut self, engine: Engine) -> usize {
        let NodeId(who) = self.network.join(self.now);
        self.seats.push(Seat { engine: Some(engine), deadline: None });
        self.drain(who);
        who
    }

    /// A client goes, and is not heard any more.
    pub(super) fn leave(&mut self, who: usize) -> Engine {
        self.network.set_online(self.now, NodeId(who), false);
        self.network.forget(NodeId(who));
        self.seats[who].deadline = None;
        self.seats[who].engine.take().expect("a client that has not left")
    }

    /// A client. Who does something with it calls [`drain`](Self::drain) afterwards, or takes its
    /// outputs.
    pub(super) fn engine(&mut self, who: usize) -> &mut Engine {
        self.seats[who].engine.as_mut().expect("a client that has not left")
    }

    /// All reach one client and it reaches all, and the others do not reach each other.
    pub(super) fn only_through(&mut self, hub: usize) {
        let mut nothing = Conditions::perfect();
        nothing.loss = Chance::per_mille(1000);
        let others = || (0..self.seats.len()).filter(|who| *who != hub).map(NodeId);
        for from in others() {
            for to in others() {
                self.network.set_link(from, to, Some(nothing.clone()));
            }
        }
    }

    /// The network falls into these parts.
    pub(super) fn partition(&mut self, parts: &[Vec<usize>]) {
        let parts: Vec<Vec<_>> =
            parts.iter().map(|part| part.iter().copied().map(NodeId).collect()).collect();
        self.network.partition(self.now, &parts);
    }

    /// It is one again.
    pub(super) fn heal(&mut self) {
        self.network.heal(self.now);
    }

    /// Does what a client asks for.
    pub(super) fn drain(&mut self, who: usize) {
        while let Some(engine) = &mut self.seats[who].engine {
            let outputs = engine.outputs();
            if outputs.is_empty() {
                self.seats[who].deadline = engine.deadline();
                return;
            }
            self.carry(who, outputs);
        }
    }

    /// Does what a client has asked for.
    pub(super) fn carry(&mut self, who: usize, outputs: Vec<Output>) {
        for output in outputs {
            let (action, ticket) = match output {
                Output::Publish { topic, bytes, ticket } => {
                    self.traffic.published += 1;
                    self.traffic.bytes += bytes.len() as u64;
                    (Action::Publish { topic, bytes }, ticket)
                }
                Output::Subscribe(topic) => (Action::Subscribe(topic), None),
                Output::Unsubscribe(topic) => (Action::Unsubscribe(topic), None),
                Output::Ask { topic, question } => {
                    self.traffic.asked += 1;
                    self.traffic.bytes += question.len() as u64;
                    (Action::Ask { topic, question }, None)
                }
                Output::Answer { asker, answer } => {
                    self.traffic.asked += 1;
                    self.traffic.bytes += answer.len() as u64;
                    (Action::Answer { asker, answer }, None)
                }
                // What happened, which nobody here waits for.
                _ => continue,
            };
            self.network.send(self.now, NodeId(who), action).expect("a client that is online");
            if let Some(ticket) = ticket {
                self.engine(who).published(ticket).expect("a step");
            }
        }
    }

    /// Lets everything happen that is due within a time.
    pub(super) fn pass(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let deadline = self.seats.iter().filter_map(|seat| seat.deadline).min();
            let arrival = self.network.next_event_time();
            let due = deadline.into_iter().chain(arrival).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            if let Some((NodeId(who), incoming)) = self.network.pop(self.now) {
                self.arrive(who, incoming);
                continue;
            }
            let now = self.now;
            for who in 0..self.seats.len() {
                if self.seats[who].deadline.is_some_and(|deadline| deadline <= now) {
                    self.engine(who).tick(now).expect("a step");
                    self.drain(who);
                }
            }
        }
        self.now = end;
    }

    /// Lets time pass in steps until something is so, or for `patience` at most. Tells how long it
    /// took.
    pub(super) fn pass_until(
        &mut self,
        step: Span,
        patience: Span,
        mut so: impl FnMut(&mut Self) -> bool,
    ) -> Option<Span> {
        let start = self.now;
        loop {
            if so(self) {
                return Some(self.now.since(start));
            }
            if self.now.since(start) >= patience {
                return None;
            }
            self.pass(step);
        }
    }

    fn arrive(&mut self, who: usize, incoming: Incoming) {
        let now = self.now;
        let Some(engine) = &mut self.seats[who].engine else { return };
        self.traffic.arrivals += 1;
        let step = match incoming {
            Incoming::Message { topic, bytes } => engine.receive(now, topic, &bytes),
            Incoming::Question { asker, topic, question } => {
                engine.asked(now, asker, topic, &question)
            }
            Incoming::Answer { answer } => engine.answered(now, &answer),
            _ => engine.tick(now),
        };
        step.expect("a step");
        self.drain(who);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CLASSICAL, in_memory, policy};
    use super::*;
    use trellis_sdk::engine::Intent;

    #[test]
    fn who_is_invited_comes_in() {
        let now = Time::from_system();
        let mut town = Town::new(now);
        let (one, other) =
            (town.join(in_memory(CLASSICAL, now)), town.join(in_memory(CLASSICAL, now)));
        let address = town.engine(other).address();
        let group =
            town.engine(one).create_group(now, "garden", CLASSICAL, policy(CLASSICAL)).unwrap();
        town.engine(one).intend(now, group, Intent::Invite(address)).unwrap();
        town.drain(one);
        let came = town.pass_until(Span::millis(100), Span::seconds(30), |town| {
            !town.engine(other).groups().is_empty()
        });
        assert!(came.is_some_and(|span| span > Span(0)));
        assert!(town.traffic.messages() > 0 && town.traffic.arrivals > 0);
        assert_eq!(town.traffic.since(town.traffic).bytes, 0);
    }
}
