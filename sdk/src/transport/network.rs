//! A network as a calculation: no socket, no clock, no thread.
//!
//! The caller says what time it is, hands in what nodes do, and takes out what reaches whom and when.
//! The same seed and the same calls give the same schedule, to the millisecond. The deterministic
//! simulator runs on it directly; [`MemoryNetwork`](super::MemoryNetwork) puts it behind
//! [`Transport`](super::Transport).

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;
use super::{Conditions, Incoming, MAX_SUBSCRIPTIONS, TransportError, check_length};
use crate::{Span, Time, Topic};

/// After what time a question is forgotten.
const QUESTION_LIFETIME: Span = Span::seconds(60);

/// How many messages may be on their way at a time; more are lost. It bounds the memory that nodes
/// that shout can take.
const MAX_IN_FLIGHT: usize = 1 << 20;

/// A node of a network, by the order of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// What a node does on the network. Each is a method of [`Transport`](super::Transport).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give bytes to whoever listens to a topic.
    Publish {
        /// Where to.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
    /// Listen to a topic.
    Subscribe(Topic),
    /// Listen no longer.
    Unsubscribe(Topic),
    /// Ask whoever listens to a topic.
    Ask {
        /// Whom.
        topic: Topic,
        /// What.
        question: Vec<u8>,
    },
    /// Answer a question.
    Answer {
        /// The number that came with the question.
        asker: u64,
        /// The answer.
        answer: Vec<u8>,
    },
}

/// What a network knows of a node.
#[derive(Clone, Debug)]
struct Link {
    topics: BTreeSet<Topic>,
    online: bool,
    /// Nodes reach each other if they are on the same side.
    side: usize,
    /// Grows when the node forgets what is on its way to it.
    life: u64,
}

/// Something on its way.
#[derive(Clone, Debug)]
struct Flight {
    from: Option<NodeId>,
    to: NodeId,
    life: u64,
    incoming: Incoming,
}

/// A network as a calculation.
#[derive(Clone, Debug)]
pub struct Network {
    conditions: Conditions,
    special: BTreeMap<(NodeId, NodeId), Conditions>,
    random: Random,
    nodes: Vec<Link>,
    listeners: BTreeMap<Topic, BTreeSet<NodeId>>,
    /// By the time of arrival, then by the order of sending.
    flights: BTreeMap<(Time, u64), Flight>,
    sent: u64,
    questions: BTreeMap<u64, (NodeId, Time)>,
    asked: u64,
}

impl Network {
    /// A network without nodes.
    #[must_use]
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            conditions,
            special: BTreeMap::new(),
            random: Random::new(seed),
            nodes: Vec::new(),
            listeners: BTreeMap::new(),
            flights: BTreeMap::new(),
            sent: 0,
            questions: BTreeMap::new(),
            asked: 0,
        }
    }

    /// A new node, on the side of all that are not on another.
    pub fn join(&mut self, now: Time) -> NodeId {
        let node = NodeId(self.nodes.len());
        self.nodes.push(Link { topics: BTreeSet::new(), online: true, side: 0, life: 0 });
        self.fly(now, None, node, Incoming::Connected);
        node
    }

    /// What happens between all nodes that [`set_link`](Self::set_link) says nothing about. What is
    /// on its way stays as it is.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// What happens from one node to another, but not back; with nothing, what happens between all.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, conditions: Option<Conditions>) {
        match conditions {
            Some(conditions) => self.special.insert((from, to), conditions),
            None => self.special.remove(&(from, to)),
        };
    }

    /// Splits the network: nodes of different groups do not reach each other, and what is on its way
    /// between them is lost. The nodes in no group make one more.
    pub fn partition(&mut self, now: Time, groups: &[Vec<NodeId>]) {
        let mut sides = vec![0; self.nodes.len()];
        for (number, group) in groups.iter().enumerate() {
            for node in group {
                if let Some(side) = sides.get_mut(node.0) {
                    *side = number + 1;
                }
            }
        }
        self.set_sides(now, &sides);
    }

    /// Ends the partition.
    pub fn heal(&mut self, now: Time) {
        self.set_sides(now, &vec![0; self.nodes.len()]);
    }

    fn set_sides(&mut self, now: Time, sides: &[usize]) {
        let before: Vec<_> = self.nodes.iter().map(|node| node.side).collect();
        for (node, side) in self.nodes.iter_mut().zip(sides) {
            node.side = *side;
        }
        for node in 0..sides.len() {
            let more = (0..sides.len())
                .any(|other| sides[node] == sides[other] && before[node] != before[other]);
            let told = self.conditions.notice.happens(&mut self.random);
            if more && told && self.nodes[node].online {
                self.fly(now, None, NodeId(node), Incoming::Connected);
            }
        }
    }

    /// Takes a node off the network, or lets it back with its subscriptions. What arrives in between
    /// is lost.
    pub fn set_online(&mut self, now: Time, node: NodeId, online: bool) {
        let Some(link) = self.nodes.get_mut(node.0) else { return };
        let comes_back = online && !link.online;
        link.online = online;
        if comes_back {
            self.fly(now, None, node, Incoming::Connected);
        }
    }

    /// Forgets a node's subscriptions and what is on its way to it, as when its program ends.
    pub fn forget(&mut self, node: NodeId) {
        let Some(link) = self.nodes.get_mut(node.0) else { return };
        link.life += 1;
        for topic in std::mem::take(&mut link.topics) {
            self.remove_listener(topic, node);
        }
    }

    /// Whether a message of one would reach the other now, if it did not get lost.
    #[must_use]
    pub fn connects(&self, one: NodeId, other: NodeId) -> bool {
        match (self.nodes.get(one.0), self.nodes.get(other.0)) {
            (Some(one), Some(other)) => one.online && other.online && one.side == other.side,
            _ => false,
        }
    }

    /// What a node does.
    pub fn send(&mut self, now: Time, from: NodeId, action: Action) -> Result<(), TransportError> {
        match &action {
            Action::Publish { bytes, .. } => check_length(bytes)?,
            Action::Ask { question, .. } => check_length(question)?,
            Action::Answer { answer, .. } => check_length(answer)?,
            Action::Subscribe(_) | Action::Unsubscribe(_) => {}
        }
        let Some(link) = self.nodes.get_mut(from.0) else { return Err(TransportError::Closed) };
        match action {
            Action::Subscribe(topic) => {
                if link.topics.len() >= MAX_SUBSCRIPTIONS && !link.topics.contains(&topic) {
                    return Err(TransportError::TooManySubscriptions);
                }
                link.topics.insert(topic);
                self.listeners.entry(topic).or_default().insert(from);
            }
            Action::Unsubscribe(topic) => {
                link.topics.remove(&topic);
                self.remove_listener(topic, from);
            }
            _ if !link.online => return Err(TransportError::Offline),
            Action::Publish { topic, bytes } => {
                self.spread(now, from, topic, &Incoming::Message { topic, bytes });
            }
            Action::Ask { topic, question } => {
                self.questions.retain(|_, (_, asked)| now.since(*asked) <= QUESTION_LIFETIME);
                self.asked += 1;
                let asker = self.asked;
                self.questions.insert(asker, (from, now));
                self.spread(now, from, topic, &Incoming::Question { asker, topic, question });
            }
            Action::Answer { asker, answer } => {
                if let Some(&(to, _)) = self.questions.get(&asker) {
                    self.carry(now, from, to, &Incoming::Answer { answer });
                }
            }
        }
        Ok(())
    }

    /// Gives bytes to some of those who listen to a topic: what a node does that does not want
    /// everybody to know the same. Otherwise as [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn publish_to(
        &mut self,
        now: Time,
        from: NodeId,
        to: &BTreeSet<NodeId>,
        topic: Topic,
        bytes: Vec<u8>,
    ) -> Result<(), TransportError> {
        check_length(&bytes)?;
        match self.nodes.get(from.0) {
            None => return Err(TransportError::Closed),
            Some(link) if !link.online => return Err(TransportError::Offline),
            Some(_) => {}
        }
        let listeners = self.listeners.get(&topic).into_iter().flatten();
        let some: Vec<_> = listeners.filter(|node| to.contains(node)).copied().collect();
        let incoming = Incoming::Message { topic, bytes };
        for node in some.into_iter().filter(|node| *node != from) {
            self.carry(now, from, node, &incoming);
        }
        Ok(())
    }

    /// When the next arrival is due.
    #[must_use]
    pub fn next_event_time(&self) -> Option<Time> {
        self.flights.keys().next().map(|(time, _)| *time)
    }

    /// The next arrival that is due by now.
    pub fn pop(&mut self, now: Time) -> Option<(NodeId, Incoming)> {
        while let Some(entry) = self.flights.first_entry() {
            if entry.key().0 > now {
                return None;
            }
            let Flight { from, to, life, incoming } = entry.remove();
            let link = &self.nodes[to.0];
            let reached = match from {
                Some(from) => self.connects(from, to) || (from == to && link.online),
                None => link.online,
            };
            if reached && link.life == life {
                return Some((to, incoming));
            }
        }
        None
    }

    fn remove_listener(&mut self, topic: Topic, node: NodeId) {
        if let Some(listeners) = self.listeners.get_mut(&topic) {
            listeners.remove(&node);
            if listeners.is_empty() {
                self.listeners.remove(&topic);
            }
        }
    }

    /// Sends to all who listen to a topic now, except the sender.
    fn spread(&mut self, now: Time, from: NodeId, topic: Topic, incoming: &Incoming) {
        let listeners = self.listeners.get(&topic);
        let listeners: Vec<_> = listeners.into_iter().flatten().copied().collect();
        for to in listeners.into_iter().filter(|to| *to != from) {
            self.carry(now, from, to, incoming);
        }
    }

    /// Sends to one node, as the conditions want.
    fn carry(&mut self, now: Time, from: NodeId, to: NodeId, incoming: &Incoming) {
        let conditions = self.special.get(&(from, to)).unwrap_or(&self.conditions).clone();
        let twice = conditions.duplication.happens(&mut self.random);
        for copy in 0..2_u64 {
            let lost = conditions.loss.happens(&mut self.random);
            let delay = conditions.delay(&mut self.random);
            // The second copy has gone a longer way.
            let delay = Span(delay.0.saturating_mul(copy + 1));
            if !lost && (copy == 0 || twice) {
                self.fly(now + delay, Some(from), to, incoming.clone());
            }
        }
    }

    fn fly(&mut self, at: Time, from: Option<NodeId>, to: NodeId, incoming: Incoming) {
        if self.flights.len() < MAX_IN_FLIGHT {
            self.sent += 1;
            let life = self.nodes[to.0].life;
            self.flights.insert((at, self.sent), Flight { from, to, life, incoming });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Topic = Topic([1; 32]);

    fn pair() -> (Network, NodeId, NodeId) {
        let mut network = Network::new(1, Conditions::good());
        let (one, other) = (network.join(Time(0)), network.join(Time(0)));
        network.send(Time(0), other, Action::Subscribe(TOPIC)).unwrap();
        while network.pop(Time(1000)).is_some() {}
        (network, one, other)
    }

    #[test]
    fn what_is_on_its_way_is_bounded() {
        let (mut network, one, _) = pair();
        for _ in 0..MAX_IN_FLIGHT + 100 {
            let action = Action::Publish { topic: TOPIC, bytes: Vec::new() };
            network.send(Time(1000), one, action).unwrap();
        }
        assert_eq!(network.flights.len(), MAX_IN_FLIGHT);
    }

    #[test]
    fn questions_are_forgotten() {
        let (mut network, one, _) = pair();
        let mut ask = |now| {
            let action = Action::Ask { topic: TOPIC, question: Vec::new() };
            network.send(now, one, action).unwrap();
            network.questions.len()
        };
        let now = Time(1000);
        assert_eq!((ask(now), ask(now + QUESTION_LIFETIME)), (1, 2));
        assert_eq!(ask(now + QUESTION_LIFETIME + Span(1)), 2);
    }
}
