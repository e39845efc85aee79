//! Engines over a network that delivers at once, unless it is told otherwise.
//!
//! The simulator has the network that misbehaves; this one is for tests that want to know exactly
//! what goes on.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::{BTreeMap, BTreeSet};

use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::TrellisCrypto;
use trellis_sdk::engine::{Config, Engine, EngineError, Event, Intent, Outcome, Output};
use trellis_sdk::message::Message;
use trellis_sdk::store::{Store, StoreError};
use trellis_sdk::{Floor, GroupId, IntentId, MessageId, Policy, Span, Time, Topic};

pub const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
pub const HYBRID: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

pub struct Node {
    /// Nothing while the node is down.
    pub engine: Option<Engine>,
    pub topics: BTreeSet<Topic>,
    pub events: Vec<Event>,
    pub side: u8,
}

pub struct Town {
    pub now: Time,
    pub nodes: Vec<Node>,
    /// How often a node had to be opened again because its store failed.
    pub crashes: usize,
}

pub fn config() -> Config {
    let mut config = Config::default();
    config.suites = vec![CLASSICAL, HYBRID];
    // OpenMLS compares lifetimes with the system's clock, and time here runs ahead of it.
    config.lifetime = (1 << 30, 1 << 30);
    config
}

pub fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.floor = Floor::CLASSICAL;
    policy
}

impl Town {
    pub fn new(nodes: usize) -> Self {
        let stores = (0..nodes).map(|_| Store::in_memory().unwrap()).collect();
        Self::with(stores, Time::from_system())
    }

    pub fn with(stores: Vec<Store>, now: Time) -> Self {
        let node = |store| {
            let engine = Engine::open(store, TrellisCrypto::default(), now, config()).unwrap();
            let (topics, events) = (BTreeSet::new(), Vec::new());
            Node { engine: Some(engine), topics, events, side: 0 }
        };
        let mut town = Self { now, nodes: stores.into_iter().map(node).collect(), crashes: 0 };
        town.deliver();
        town
    }

    pub fn engine(&mut self, node: usize) -> &mut Engine {
        self.nodes[node].engine.as_mut().expect("the node is up")
    }

    /// One call of a node's engine. If its store fails, the node is started again from what is in it,
    /// and the call is gone.
    pub fn call<T>(
        &mut self,
        node: usize,
        call: impl FnOnce(&mut Engine) -> Result<T, EngineError>,
    ) -> Option<T> {
        match call(self.engine(node)) {
            Ok(done) => Some(done),
            Err(EngineError::Store(StoreError::FailPoint)) => {
                self.crashes += 1;
                self.restart(node);
                None
            }
            // A node that a crash kept out of the group.
            Err(EngineError::NoGroup | EngineError::NotInGroup) if self.crashes > 0 => None,
            Err(error) => panic!("node {node}: {error}"),
        }
    }

    pub fn restart(&mut self, node: usize) {
        let store = self.nodes[node].engine.take().expect("the node is up").into_store();
        let engine = Engine::open(store, TrellisCrypto::default(), self.now, config()).unwrap();
        self.nodes[node].engine = Some(engine);
    }

    /// Delivers until nobody says anything.
    pub fn deliver(&mut self) {
        for _ in 0..10_000 {
            let mut quiet = true;
            for from in 0..self.nodes.len() {
                for output in self.engine(from).outputs() {
                    quiet = false;
                    self.carry(from, output);
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the network does not come to rest");
    }

    fn listeners(&self, from: usize, topic: &Topic) -> Vec<usize> {
        let side = self.nodes[from].side;
        (0..self.nodes.len())
            .filter(|to| *to != from)
            .filter(|to| self.nodes[*to].side == side && self.nodes[*to].topics.contains(topic))
            .collect()
    }

    fn carry(&mut self, from: usize, output: Output) {
        let now = self.now;
        match output {
            Output::Publish { topic, bytes, ticket } => {
                for to in self.listeners(from, &topic) {
                    self.call(to, |engine| engine.receive(now, topic, &bytes));
                }
                if let Some(ticket) = ticket {
                    self.call(from, |engine| engine.published(ticket));
                }
            }
            Output::Subscribe(topic) => drop(self.nodes[from].topics.insert(topic)),
            Output::Unsubscribe(topic) => drop(self.nodes[from].topics.remove(&topic)),
            Output::Ask { topic, question } => {
                for to in self.listeners(from, &topic) {
                    self.call(to, |engine| engine.asked(now, from as u64, topic, &question));
                }
            }
            Output::Answer { asker, answer } => {
                let to = usize::try_from(asker).unwrap();
                if self.nodes[to].side == self.nodes[from].side {
                    self.call(to, |engine| engine.answered(now, &answer));
                }
            }
            Output::Event(event) => self.nodes[from].events.push(event),
            // Nobody keeps anything for anybody here.
            Output::Keep(_) | Output::KeepFor(_) | Output::Deposit(_) | Output::Announce(_) => {}
            other => panic!("an output that the town does not know: {other:?}"),
        }
    }

    pub fn pass(&mut self, span: Span) {
        let end = self.now + span;
        self.deliver();
        loop {
            let next = (0..self.nodes.len()).filter_map(|node| self.engine(node).deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next) + Span(1);
            let now = self.now;
            for node in 0..self.nodes.len() {
                self.call(node, |engine| engine.tick(now));
            }
            self.deliver();
        }
        self.now = end;
    }

    /// Founds a group on the first node and invites all others.
    pub fn found(&mut self) -> GroupId {
        let now = self.now;
        let group = self.engine(0).create_group(now, "garden", CLASSICAL, policy()).unwrap();
        for node in 1..self.nodes.len() {
            let address = self.engine(node).address();
            self.intend(0, group, Intent::Invite(address));
        }
        self.pass(Span::seconds(20));
        group
    }

    pub fn intend(&mut self, node: usize, group: GroupId, intent: Intent) -> IntentId {
        let now = self.now;
        self.engine(node).intend(now, group, intent).unwrap()
    }

    pub fn say(&mut self, node: usize, group: GroupId, text: &str) -> MessageId {
        let now = self.now;
        self.engine(node).send(now, group, Message::text(text)).unwrap()
    }

    /// What a node has in its history, the oldest first.
    pub fn texts(&mut self, node: usize, group: GroupId) -> Vec<String> {
        let mut history = self.engine(node).history(group, None, 10_000).unwrap();
        history.reverse();
        let text = |message| match message {
            Message::Text(text) => text,
            other => format!("{other:?}"),
        };
        history.into_iter().map(|(_, message)| text(message.message)).collect()
    }

    pub fn outcome(&mut self, node: usize, group: GroupId, intent: IntentId) -> Outcome {
        let now = self.now;
        self.engine(node).outcome(now, group, intent).unwrap().unwrap()
    }

    /// All these nodes are in one state, and they are its members.
    pub fn agree(&mut self, group: GroupId, nodes: &[usize]) {
        let now = self.now;
        let mut views = BTreeMap::new();
        for node in nodes {
            let mut view = self.engine(*node).view(now, group).unwrap();
            view.finished = view.state;
            for member in &mut view.members {
                member.heard = None;
            }
            views.insert(*node, view);
        }
        let first = views[&nodes[0]].clone();
        assert!(first.active);
        assert_eq!(first.members.len(), nodes.len());
        for (node, view) in views {
            assert_eq!(view, first, "node {node}");
        }
    }
}
