//! Whole groups over a network that delivers at once, unless it is told otherwise.

mod come_in;
mod connected;
mod devices;
mod keeping;
mod moves;
mod vanish;

use std::collections::{BTreeMap, BTreeSet};

use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::TrellisCrypto;

use super::{Changed, Config, Engine, Event, Intent, Outcome, Output};
use crate::message::Message;
use crate::policy::{Floor, Policy, Role};
use crate::store::Store;
use crate::transport::{Boxes, Deposit, Keep, KeepFor, KeepKind, Pools};
use crate::{GroupId, IntentId, Span, Time, Topic};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
/// Protects no more and no less than that.
const OTHER: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
const HYBRID: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

struct Node {
    engine: Engine,
    topics: BTreeSet<Topic>,
    events: Vec<Event>,
    keeps: Vec<Keep>,
    for_others: Vec<KeepFor>,
    deposits: Vec<Deposit>,
    records: Vec<Vec<u8>>,
    side: u8,
}

impl Node {
    fn new(engine: Engine) -> Self {
        let (keeps, for_others, deposits) = (Vec::new(), Vec::new(), Vec::new());
        let (topics, events, records) = (BTreeSet::new(), Vec::new(), Vec::new());
        Self { engine, topics, events, keeps, for_others, deposits, records, side: 0 }
    }
}

struct Town {
    now: Time,
    nodes: Vec<Node>,
    messages: usize,
}

fn policy() -> Policy {
    Policy { floor: Floor::CLASSICAL, ..Policy::default() }
}

impl Town {
    fn new(nodes: usize) -> Self {
        let now = Time::from_system();
        let node = |_| {
            let store = Store::in_memory().unwrap();
            // OpenMLS compares lifetimes with the system's clock, and time here runs ahead of it.
            let lifetime = (1 << 30, 1 << 30);
            let suites = vec![SUITE, OTHER, HYBRID];
            let config = Config { suites, lifetime, pool: 4, ..Config::default() };
            let engine = Engine::open(store, TrellisCrypto::default(), now, config).unwrap();
            Node::new(engine)
        };
        let mut town = Self { now, nodes: (0..nodes).map(node).collect(), messages: 0 };
        town.deliver();
        town
    }

    /// Delivers until nobody says anything.
    fn deliver(&mut self) {
        for _ in 0..10_000 {
            let mut quiet = true;
            for from in 0..self.nodes.len() {
                for output in self.nodes[from].engine.outputs() {
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

    fn carry(&mut self, from: usize, output: Output) {
        let now = self.now;
        let side = self.nodes[from].side;
        match output {
            Output::Publish { topic, bytes, ticket } => {
                self.messages += 1;
                for (to, node) in self.nodes.iter_mut().enumerate() {
                    if to != from && node.side == side && node.topics.contains(&topic) {
                        node.engine.receive(now, topic, &bytes).unwrap();
                    }
                }
                if let Some(ticket) = ticket {
                    self.nodes[from].engine.published(ticket).unwrap();
                }
            }
            Output::Subscribe(topic) => drop(self.nodes[from].topics.insert(topic)),
            Output::Unsubscribe(topic) => drop(self.nodes[from].topics.remove(&topic)),
            Output::Ask { topic, question } => {
                for (to, node) in self.nodes.iter_mut().enumerate() {
                    if to != from && node.side == side && node.topics.contains(&topic) {
                        node.engine.asked(now, from as u64, topic, &question).unwrap();
                    }
                }
            }
            Output::Answer { asker, answer } => {
                let to = &mut self.nodes[asker as usize];
                if to.side == side {
                    to.engine.answered(now, &answer).unwrap();
                }
            }
            Output::Keep(keep) => self.nodes[from].keeps.push(keep),
            Output::KeepFor(others) => self.nodes[from].for_others.push(others),
            Output::Announce(record) => self.nodes[from].records.push(record),
            Output::Deposit(deposit) => self.nodes[from].deposits.push(deposit),
            Output::Event(event) => self.nodes[from].events.push(event),
        }
    }

    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        self.deliver();
        loop {
            let next = self.nodes.iter().filter_map(|node| node.engine.deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next) + Span(1);
            for node in &mut self.nodes {
                node.engine.tick(self.now).unwrap();
            }
            self.deliver();
        }
        self.now = end;
    }

    fn found(&mut self) -> GroupId {
        let now = self.now;
        let group = self.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
        let others: Vec<_> = self.nodes[1..].iter().map(|node| node.engine.address()).collect();
        for address in others {
            self.intend(0, group, Intent::Invite(address));
        }
        self.pass(Span::seconds(20));
        group
    }

    fn intend(&mut self, node: usize, group: GroupId, intent: Intent) -> IntentId {
        self.nodes[node].engine.intend(self.now, group, intent).unwrap()
    }

    fn is_in(&mut self, node: usize, group: GroupId) -> bool {
        self.nodes[node].engine.view(self.now, group).is_ok_and(|view| view.active)
    }

    /// Where a group has gone on, as a node tells it.
    fn successor(&self, node: usize, group: GroupId) -> Option<GroupId> {
        self.nodes[node].events.iter().find_map(|event| match event {
            Event::Migrated { from, to } if *from == group => Some(*to),
            _ => None,
        })
    }

    fn say(&mut self, node: usize, group: GroupId, text: &str) {
        self.nodes[node].engine.send(self.now, group, Message::text(text)).unwrap();
    }

    fn texts(&mut self, node: usize, group: GroupId) -> Vec<String> {
        let mut history = self.nodes[node].engine.history(group, None, 1000).unwrap();
        history.reverse();
        let text = |message| match message {
            Message::Text(text) => text,
            other => format!("{other:?}"),
        };
        history.into_iter().map(|(_, message)| text(message.message)).collect()
    }

    fn outcome(&mut self, node: usize, group: GroupId, intent: IntentId) -> Outcome {
        self.nodes[node].engine.outcome(self.now, group, intent).unwrap().unwrap()
    }

    /// All nodes are in one state, and these are its members.
    fn agree(&mut self, group: GroupId, nodes: &[usize]) {
        let now = self.now;
        let mut views = BTreeMap::new();
        for node in nodes {
            let mut view = self.nodes[*node].engine.view(now, group).unwrap();
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

#[test]
fn a_group_is_founded_and_talks() {
    let mut town = Town::new(3);
    let group = town.found();
    town.agree(group, &[0, 1, 2]);
    town.say(0, group, "frost tonight");
    town.say(2, group, "cover the figs");
    town.pass(Span::seconds(5));
    for node in 0..3 {
        let mut texts = town.texts(node, group);
        texts.sort();
        assert_eq!(texts, ["cover the figs", "frost tonight"]);
    }
}

#[test]
fn everyone_changes_something_at_once() {
    let mut town = Town::new(4);
    let group = town.found();
    let intents: Vec<_> =
        (0..4).map(|node| (node, town.intend(node, group, Intent::Rotate))).collect();
    let rename = town.intend(0, group, Intent::Rename("orchard".into()));
    town.pass(Span::seconds(60));
    town.agree(group, &[0, 1, 2, 3]);
    for (node, intent) in intents {
        assert_eq!(town.outcome(node, group, intent), Outcome::Done);
    }
    assert_eq!(town.outcome(0, group, rename), Outcome::Done);
    let now = town.now;
    assert_eq!(town.nodes[3].engine.view(now, group).unwrap().name, "orchard");
}

#[test]
fn who_is_removed_hears_no_more_and_who_leaves_is_out() {
    let mut town = Town::new(4);
    let group = town.found();
    let address = town.nodes[3].engine.address();
    town.intend(0, group, Intent::Remove(address));
    let leave = town.intend(2, group, Intent::Leave);
    town.pass(Span::seconds(60));
    town.say(0, group, "just us");
    town.pass(Span::seconds(10));
    town.agree(group, &[0, 1]);
    assert_eq!(town.texts(1, group), ["just us"]);
    assert!(town.texts(3, group).is_empty());
    assert!(town.texts(2, group).is_empty());
    assert_eq!(town.outcome(2, group, leave), Outcome::Done);
    let now = town.now;
    assert!(!town.nodes[3].engine.view(now, group).unwrap().active);
}

#[test]
fn a_short_split_is_rolled_back_and_a_long_one_heals() {
    for (commits, wait) in [(1, 20), (12, 4000)] {
        let mut town = Town::new(5);
        let group = town.found();
        for node in 3..5 {
            town.nodes[node].side = 1;
        }
        for number in 0..commits {
            for node in [0, 3] {
                town.intend(node, group, Intent::Rotate);
                town.say(node, group, &format!("{node} says {number}"));
            }
            town.pass(Span::seconds(wait / commits));
        }
        for node in &mut town.nodes {
            node.side = 0;
        }
        town.pass(Span::seconds(300));
        town.agree(group, &[0, 1, 2, 3, 4]);
        for node in 0..5 {
            let texts: BTreeSet<_> = town.texts(node, group).into_iter().collect();
            assert_eq!(texts.len() as u64, 2 * commits, "node {node}: {texts:?}");
            assert_eq!(town.texts(node, group).len() as u64, 2 * commits);
        }
    }
}

#[test]
fn roles_are_kept_to() {
    let mut town = Town::new(3);
    let group = town.found();
    let (one, two) = (town.nodes[1].engine.address(), town.nodes[2].engine.address());
    let refused = town.intend(1, group, Intent::Remove(two));
    town.intend(0, group, Intent::SetRole(one, Role::Admin));
    town.pass(Span::seconds(30));
    assert!(matches!(town.outcome(1, group, refused), Outcome::Failed(_)));
    let allowed = town.intend(1, group, Intent::Remove(two));
    town.pass(Span::seconds(30));
    assert_eq!(town.outcome(1, group, allowed), Outcome::Done);
    town.agree(group, &[0, 1]);
}

#[test]
fn of_two_roles_the_later_counts_also_while_both_wait() {
    let mut town = Town::new(2);
    let now = town.now;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let other = town.nodes[1].engine.address();
    town.intend(0, group, Intent::Invite(other));
    town.intend(0, group, Intent::SetRole(other, Role::Owner));
    town.intend(0, group, Intent::SetRole(other, Role::Admin));
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1]);
    let now = town.now;
    let view = town.nodes[1].engine.view(now, group).unwrap();
    let role = view.members.iter().find(|member| member.address == other).unwrap().role;
    assert_eq!(role, Role::Admin);
}

#[test]
fn the_name_of_a_message_is_its_devices_own() {
    let mut town = Town::new(2);
    let group = town.found();
    town.say(0, group, "frost tonight");
    town.pass(Span::seconds(5));
    let [first, second] = [0, 1].map(|node| {
        let history = town.nodes[node].engine.history(group, None, 9).unwrap();
        history[0].1.id
    });
    assert_eq!(first, second);
    let core = &town.nodes[0].engine.core;
    let [own, other] = [0, 1].map(|node| town.nodes[node].engine.device());
    let nonce = [7; 16];
    assert_eq!(core.message_id(&own, &nonce), core.message_id(&own, &nonce));
    assert_ne!(core.message_id(&own, &nonce), core.message_id(&own, &[8; 16]));
    assert_ne!(core.message_id(&own, &nonce), core.message_id(&other, &nonce));
}

#[test]
fn a_group_moves_to_a_hybrid_suite_and_not_back() {
    let mut town = Town::new(4);
    let group = town.found();
    town.say(1, group, "before");
    // Somebody is away.
    town.nodes[3].side = 1;
    let intent = town.intend(0, group, Intent::Migrate(HYBRID));
    town.pass(Span::seconds(120));
    assert_eq!(town.outcome(0, group, intent), Outcome::Done);
    let next = town.successor(0, group).unwrap();
    assert_eq!(town.successor(1, group), Some(next));
    town.agree(next, &[0, 1, 2]);
    town.nodes[3].side = 0;
    town.pass(Span::seconds(200));
    assert_eq!(town.successor(3, group), Some(next));
    town.agree(next, &[0, 1, 2, 3]);
    town.say(3, next, "after");
    town.pass(Span::seconds(5));
    assert_eq!(town.texts(0, next), ["after"]);
    let back = town.intend(0, next, Intent::Migrate(SUITE));
    town.pass(Span::seconds(30));
    assert!(matches!(town.outcome(0, next, back), Outcome::Failed(_)));
    let now = town.now;
    assert!(town.nodes[0].engine.send(now, group, Message::text("old")).is_err());
}

#[test]
fn a_group_does_not_move_to_a_suite_that_a_member_lacks() {
    let mut town = Town::new(2);
    let group = town.found();
    let suite = Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44;
    let intent = town.intend(0, group, Intent::Migrate(suite));
    town.pass(Span::seconds(60));
    assert_eq!(town.outcome(0, group, intent), Outcome::Failed(super::Failure::Suite));
    assert_eq!(town.successor(0, group), None);
}

#[test]
fn a_move_whose_founder_vanished_is_called_back() {
    let mut town = Town::new(3);
    let group = town.found();
    let admin = town.nodes[1].engine.address();
    town.intend(0, group, Intent::SetRole(admin, Role::Owner));
    town.pass(Span::seconds(30));
    town.intend(0, group, Intent::Migrate(HYBRID));
    // It vanishes as soon as the others have its commit, before it hears that they do.
    let moving = |event: &Event| match event {
        Event::Changed { change, .. } => matches!(change.what[..], [Changed::Moving(_)]),
        _ => false,
    };
    while !town.nodes[1].events.iter().any(moving) {
        town.pass(Span(1));
    }
    town.nodes[0].side = 1;
    town.pass(Span::seconds(30));
    let waits = town.intend(1, group, Intent::Rename("orchard".into()));
    town.pass(Span::seconds(30));
    assert_eq!(town.outcome(1, group, waits), Outcome::Pending);
    town.intend(1, group, Intent::Migrate(SUITE));
    town.pass(Span::seconds(60));
    assert_ne!(town.outcome(1, group, waits), Outcome::Pending);
    town.nodes[0].side = 0;
    town.pass(Span::seconds(200));
    town.say(1, group, "still here");
    town.pass(Span::seconds(10));
    assert_eq!(town.texts(2, group), ["still here"]);
}
