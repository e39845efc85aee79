//! What the malicious node does as a member, with an engine and with its keys.

use std::collections::{BTreeMap, BTreeSet};

use super::invariants::{EVIDENCE, Violation};
use super::malice::Malice;
use super::node::{Node, Trouble};
use super::step::{Deed, Moment};
use super::trace::{Bytes, Name};
use super::world::{Place, Timer, World};
use crate::engine::Output;
use crate::message::Message;
use crate::transport::{Action, MAX_MESSAGE, NodeId};
use crate::{GroupId, Span, StateId, Time};

/// The first life of a second engine: no other engine draws the same randomness.
const TWINS: u64 = 1 << 32;

/// How often a second engine may want to be woken at one moment.
const MAX_STREAK: usize = 100;

/// Two commits of the malicious node on one state, each in one envelope.
pub(super) struct Evidence {
    group: GroupId,
    parent: StateId,
    children: [StateId; 2],
    envelopes: [Vec<u8>; 2],
    /// Who had both and had not said so yet: when, and how often it had warned before.
    owed: BTreeMap<usize, (Time, u64)>,
    /// Who has said so.
    told: BTreeSet<usize>,
}

/// A second engine with the keys of the first.
pub(super) struct Twin<N: Node> {
    node: N,
    hears: bool,
    heard_by: BTreeSet<NodeId>,
    /// When it was ticked last, and how often then.
    streak: (Time, usize),
}

impl<N: Node> Twin<N> {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.node.deadline()
    }
}

impl<N: Node> World<'_, N> {
    pub(super) fn deed(&mut self, deed: &Deed) {
        let Some(who) = self.malice.node else { return };
        match deed {
            Deed::Withhold { span, commits } => {
                self.malice.withholds = self.now + *span;
                self.malice.commits_only = *commits;
            }
            Deed::FalseAnswers { span } => self.malice.lies = self.now + *span,
            // No transport carries this. An engine that trusts in that is wrong all the same.
            Deed::Oversized => {
                if let Some(topic) = self.malice.topic() {
                    let bytes = self.malice.nonsense(4 * MAX_MESSAGE);
                    for other in 0..self.seats.len() {
                        if self.network.connects(NodeId(who), NodeId(other)) {
                            let what = "receives too much";
                            self.hand(other, what, |node, now| node.receive(now, topic, &bytes));
                        }
                    }
                }
            }
            Deed::Flood { count, pause } => self.flood(*count, *pause),
            Deed::Equivocate { told } => self.equivocate(who, told),
            Deed::Commit { crime } => {
                let Some(group) = self.group_of(who) else { return };
                let crime = *crime;
                let what = "commits what is not allowed";
                let done =
                    self.attempt(who, what, |node, now| node.commit_crime(now, group, crime));
                if let super::world::Done::Yes(Some(state)) = done {
                    self.ledger.tally.crimes += 1;
                    self.forbidden.insert(state);
                }
                self.drain(who);
            }
            Deed::Lie { kind, lie, length, count } => {
                let Some(group) = self.group_of(who) else { return };
                for more in 0..*count {
                    let noise = self.malice.nonsense(*length + more);
                    self.hand(who, "lies", |node, now| node.lie(now, group, *kind, *lie, &noise));
                }
            }
            Deed::Twin { hears, heard_by } => self.split_off(who, *hears, heard_by),
            Deed::Haunt { count } => self.haunt(*count),
            _ => {
                for action in self.malice.actions(deed) {
                    self.send(who, action);
                }
            }
        }
    }

    /// The malicious node commits, now and so many times again.
    pub(super) fn flood(&mut self, count: usize, pause: Span) {
        let Some(who) = self.malice.node else { return };
        if count == 0 || self.malice.stopped {
            return;
        }
        if let Some(group) = self.group_of(who) {
            self.hand(who, "commits at once", |node, now| node.rush(now, group));
        }
        self.set_timer(pause, Timer::Flood { count: count - 1, pause });
    }

    fn equivocate(&mut self, who: usize, told: &[u8]) {
        let Some(group) = self.group_of(who) else { return };
        let fork = self.attempt(who, "equivocates", |node, now| node.equivocate(now, group));
        let super::world::Done::Yes(fork) = fork else { return };
        for (number, envelope) in fork.envelopes.iter().enumerate() {
            self.note(who, format_args!("hands out {}", Bytes(envelope)));
            // Devices that came later hear of both.
            let hears = |other: &usize| {
                told.get(*other).is_none_or(|told| *told == 2 || usize::from(*told) == number)
            };
            let to = (0..self.seats.len()).filter(hears).map(NodeId).collect();
            let envelope = envelope.clone();
            let _ = self.network.publish_to(self.now, NodeId(who), &to, fork.topic, envelope);
        }
        let [first, second] = fork.children.map(|state| Name(&state.0).to_string());
        self.note(who, format_args!("leads to {first} and to {second}"));
        self.evidence.push(Evidence {
            group,
            parent: fork.parent,
            children: fork.children,
            envelopes: fork.envelopes,
            owed: BTreeMap::new(),
            told: BTreeSet::new(),
        });
        self.drain(who);
    }

    /// The place among the evidence of which these bytes are one of two commits on one state, if a
    /// node is in the state that the other led to.
    pub(super) fn sees_evidence(&mut self, who: usize, bytes: &[u8]) -> Option<usize> {
        if !self.plan.honest(who) {
            return None;
        }
        let Place::Up(node) = &mut self.seats[who].place else { return None };
        self.evidence.iter().position(|evidence| {
            let Some(place) = evidence.envelopes.iter().position(|envelope| envelope == bytes)
            else {
                return false;
            };
            let other = evidence.children[1 - place];
            let window = node.window(evidence.group).unwrap_or_default();
            window.windows(2).any(|pair| pair == [evidence.parent, other])
        })
    }

    /// A node that has seen evidence has said so, or is to: what waits for its turn is judged later.
    pub(super) fn note_evidence(&mut self, who: usize, place: usize, told: bool) {
        let warned = self.ledger.accounts[who].warnings;
        let now = self.now;
        let evidence = &mut self.evidence[place];
        if told {
            evidence.told.insert(who);
        } else if !evidence.told.contains(&who) {
            evidence.owed.entry(who).or_insert((now, warned));
        }
    }

    /// Each member says so who had two commits of one member on one state, until it crashed or went.
    pub(super) fn unsaid_evidence(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        for evidence in &self.evidence {
            for (who, (at, warned)) in &evidence.owed {
                let account = &self.ledger.accounts[*who];
                let stayed = account.crashes.is_empty()
                    && account.rosters.last().is_some_and(|roster| roster.active);
                if stayed && account.warnings <= *warned && !evidence.told.contains(who) {
                    let at = Moment(*at);
                    let what = "has two commits of one member on one state and says nothing";
                    let detail = format!("n{who} {what}, at {at}");
                    broken.push(Violation { invariant: EVIDENCE, detail });
                }
            }
        }
        broken
    }

    // The second engine

    fn split_off(&mut self, who: usize, hears: bool, heard_by: &[bool]) {
        let clock = self.clock();
        let Place::Up(node) = &self.seats[who].place else { return };
        let life = TWINS + self.malice.twins;
        let opened = node.copy().and_then(|disk| N::open(disk, self.plan, who, life, clock));
        self.malice.twins += 1;
        let Ok(node) = opened else { return };
        let heard_by = (0..self.seats.len()).zip(heard_by.iter().cycle());
        let heard_by = heard_by.filter(|(_, hears)| **hears).map(|(who, _)| NodeId(who)).collect();
        self.note(who, format_args!("has a twin"));
        self.twin = Some(Twin { node, hears, heard_by, streak: (Time(0), 0) });
        self.drain_twin();
    }

    fn haunt(&mut self, count: usize) {
        for number in 0..count {
            let Some(twin) = &self.twin else { return };
            let groups = twin.node.groups();
            let Some(group) = groups.last().copied() else { return };
            let text = format!("a twin says {number}");
            self.twin_does(|node, now| node.rush(now, group));
            self.twin_does(|node, now| node.say(now, group, Message::Text(text)).map(drop));
        }
    }

    pub(super) fn tick_twin(&mut self) {
        let now = self.now;
        let Some(twin) = &mut self.twin else { return };
        let again = if twin.streak.0 == now { twin.streak.1 + 1 } else { 0 };
        twin.streak = (now, again);
        if again > MAX_STREAK {
            self.twin = None;
            return;
        }
        self.twin_does(|node, now| node.tick(now));
    }

    /// What comes to the malicious node comes to its second engine too, if that hears anything.
    pub(super) fn twin_hears(&mut self, action: impl FnOnce(&mut N, Time) -> Result<(), Trouble>) {
        if self.twin.as_ref().is_some_and(|twin| twin.hears) {
            self.twin_does(action);
        }
    }

    /// Whatever befalls a second engine ends it and nothing else.
    fn twin_does(&mut self, action: impl FnOnce(&mut N, Time) -> Result<(), Trouble>) {
        let clock = self.clock();
        let Some(twin) = &mut self.twin else { return };
        match action(&mut twin.node, clock) {
            Ok(()) | Err(Trouble::Refused(_)) => self.drain_twin(),
            Err(_) => self.twin = None,
        }
    }

    fn drain_twin(&mut self) {
        let Some(who) = self.malice.node else { return };
        let clock = self.clock();
        loop {
            let Some(twin) = &mut self.twin else { return };
            let outputs = twin.node.outputs();
            if outputs.is_empty() {
                return;
            }
            let to = twin.heard_by.clone();
            for output in outputs {
                match output {
                    Output::Publish { topic, bytes, ticket } => {
                        self.note(who, format_args!("by its twin publishes {}", Bytes(&bytes)));
                        self.malice.see(topic, &bytes);
                        let from = NodeId(who);
                        let _ = self.network.publish_to(self.now, from, &to, topic, bytes);
                        if let (Some(ticket), Some(twin)) = (ticket, &mut self.twin)
                            && twin.node.published(clock, ticket).is_err()
                        {
                            self.twin = None;
                        }
                    }
                    Output::Subscribe(topic) => self.send(who, Action::Subscribe(topic)),
                    Output::Ask { topic, question } => {
                        self.send(who, Action::Ask { topic, question });
                    }
                    Output::Answer { asker, answer } => {
                        self.send(who, Action::Answer { asker, answer });
                    }
                    Output::Unsubscribe(_)
                    | Output::Keep(_)
                    | Output::KeepFor(_)
                    | Output::Deposit(_)
                    | Output::Announce(_)
                    | Output::Event(_) => {}
                }
            }
        }
    }

    /// The malicious node does nothing any more that an honest one would not do, or nothing at all.
    pub(super) fn stop_malice(&mut self) {
        self.malice.stop();
        self.twin = None;
        if let Some(who) = self.malice.node.filter(|_| self.plan.goes) {
            self.note(who, format_args!("is gone"));
            self.seats[who].place = Place::Lost;
            self.network.forget(NodeId(who));
            self.network.set_online(self.now, NodeId(who), false);
        }
    }
}

impl Malice {
    fn stop(&mut self) {
        (self.lies, self.withholds, self.stopped) = (Time(0), Time(0), true);
    }
}
