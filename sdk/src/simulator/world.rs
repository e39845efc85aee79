//! Plays a plan: nodes, their stores, the network between them, and what time it is.

mod crashes;
mod ending;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use super::deeds::{Evidence, Twin};
use super::invariants::{DELIVERY, LAW, PROGRESS, SOUNDNESS, Violation};
use super::ledger::{Ledger, Tally, quote};
use super::malice::Malice;
use super::marks::Marks;
use super::node::{Node, Trouble, View};
use super::plan::{FIRST_NAME, Plan};
use super::step::{Moment, Step, What};
use super::trace::{Bytes, Name, Trace};
use crate::engine::{Event, Intent, Output};
use crate::message::Message;
use crate::transport::{Action, Incoming, Network, NodeId, TransportError};
use crate::{GroupId, Span, StateId, Time};

/// What the clocks of nodes say when a run begins.
const EPOCH: Span = Span::seconds(1_700_000_000);

/// How long the network needs to take a message.
const ACCEPTANCE: Span = Span::millis(5);

/// How often a node may ask for the same millisecond again.
const MAX_STREAK: usize = 1000;

/// What arrives for each node, and for each step and each node, before nodes are said to keep each
/// other busy.
const MAX_ARRIVALS: (u64, u64) = (10_000, 1_000);

/// Every how manieth step it is looked whether keys were left behind.
const PROBE: usize = 16;

/// How a run went.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) violations: Vec<Violation>,
    pub(crate) digest: u64,
    pub(crate) lines: Vec<String>,
    pub(crate) tally: Tally,
}

pub(super) enum Place<N: Node> {
    Up(N),
    Down(N::Disk),
    /// It failed for a reason of its own.
    Lost,
}

pub(super) struct Seat<N: Node> {
    pub(super) place: Place<N>,
    pub(super) life: u64,
    /// How long it stays away after its next crash.
    rest: Span,
    /// When it was ticked last, and how often then.
    streak: (Time, usize),
}

/// What the world does by itself.
pub(super) enum Timer {
    /// The network has taken a message.
    Published { who: usize, life: u64, ticket: u64 },
    /// A node comes back.
    Restart { who: usize },
    /// The malicious node lets go of what it withheld.
    Release(Action),
    /// It commits, and so many times again, with a pause in between.
    Flood { count: usize, pause: Span },
}

/// What a node was asked to do has…
pub(super) enum Done<T> {
    Yes(T),
    Crashed,
    No,
}

pub(crate) struct World<'a, N: Node> {
    pub(super) plan: &'a Plan,
    pub(super) now: Time,
    pub(super) network: Network,
    pub(super) seats: Vec<Seat<N>>,
    /// The malicious node's second engine.
    pub(super) twin: Option<Twin<N>>,
    timers: BTreeMap<(Time, u64), Timer>,
    timers_set: u64,
    split: bool,
    /// The group, and those that it has moved to, one after the other.
    lineage: Vec<GroupId>,
    /// States that no honest node may ever be in.
    pub(super) forbidden: BTreeSet<StateId>,
    pub(super) evidence: Vec<Evidence>,
    marks: Marks,
    pub(super) malice: Malice,
    pub(super) ledger: Ledger,
    trace: Trace,
    /// A run that can't be right any more ends.
    over: bool,
}

impl<'a, N: Node> World<'a, N> {
    /// Plays a plan to its end.
    pub(crate) fn run(plan: &'a Plan, lines: bool) -> Run {
        let mut world = Self {
            plan,
            now: Time(0),
            network: Network::new(plan.seed, plan.conditions.clone()),
            seats: Vec::new(),
            twin: None,
            timers: BTreeMap::new(),
            timers_set: 0,
            split: false,
            lineage: Vec::new(),
            forbidden: BTreeSet::new(),
            evidence: Vec::new(),
            marks: Marks::default(),
            malice: Malice::new(plan),
            ledger: Ledger::new(),
            trace: Trace::new(lines),
            over: false,
        };
        world.begin();
        for step in &plan.steps {
            world.run_until(step.at);
            world.perform(step);
        }
        world.calm();
        let mut violations = world.end();
        violations.dedup();
        let (digest, lines) = world.trace.finish();
        Run { violations, digest, lines, tally: world.ledger.tally }
    }

    /// Time as nodes see it.
    pub(super) fn clock(&self) -> Time {
        self.now + EPOCH
    }

    pub(super) fn note(&mut self, who: usize, text: std::fmt::Arguments<'_>) {
        self.trace.logged(self.now, who);
        self.trace.line(self.now, format_args!("n{who} {text}"));
    }

    pub(super) fn broken(&mut self, invariant: &'static str, detail: String) {
        self.trace.line(self.now, format_args!("{invariant} is broken: {detail}"));
        self.ledger.violate(invariant, format!("at {}: {detail}", Moment(self.now)));
        self.over = true;
    }

    fn begin(&mut self) {
        for who in 0..self.plan.nodes {
            let opened = N::disk(self.plan, who)
                .and_then(|disk| N::open(disk, self.plan, who, 0, self.clock()));
            let node = match opened {
                Ok(node) => node,
                Err(trouble) => {
                    return self.broken(SOUNDNESS, format!("n{who} does not start: {trouble}"));
                }
            };
            self.sit_down(node);
        }
        let plan = self.plan;
        let founded =
            self.attempt(0, "founds the group", |node, now| node.found(now, FIRST_NAME, plan));
        if let Done::Yes(group) = founded {
            self.lineage.push(group);
        }
        for who in 0..self.plan.nodes {
            self.drain(who);
        }
        self.look(0);
    }

    /// One more node, connected like all others.
    pub(super) fn sit_down(&mut self, node: N) {
        self.network.join(self.now);
        let (who, account, device) = (self.seats.len(), node.address(), node.device());
        tracing::debug!(who, ?account, ?device, "joins the network");
        self.ledger.join(node.address(), node.device());
        let streak = (Time(0), 0);
        self.seats.push(Seat { place: Place::Up(node), life: 0, rest: Span(0), streak });
    }

    /// The group that a node is in, or was in last; nothing if it never was in one.
    pub(super) fn group_of(&mut self, who: usize) -> Option<GroupId> {
        let clock = self.clock();
        let Place::Up(node) = &mut self.seats.get_mut(who)?.place else { return None };
        let groups = node.groups();
        if self.plan.honest(who) {
            let new = groups.iter().filter(|group| !self.lineage.contains(group));
            let new: Vec<_> = new.copied().collect();
            self.lineage.extend(new);
        }
        // Of two successors that were founded at once, the one that came to light later may be given up.
        let known: Vec<_> =
            self.lineage.iter().rev().filter(|group| groups.contains(group)).collect();
        let mut active = known.iter().filter(|group| {
            groups.len() == 1 || node.view(clock, ***group).is_ok_and(|view| view.active)
        });
        active.next().or(known.first()).map(|group| **group)
    }

    // Time

    /// Lets everything happen that is due up to a moment.
    fn run_until(&mut self, end: Time) {
        while !self.over {
            let timer = self.timers.keys().next().map(|(at, _)| *at);
            let arrival = self.network.next_event_time();
            let deadline = self.deadlines().min();
            let twin = self.twin.as_ref().and_then(Twin::deadline).map(|at| at - EPOCH);
            let due = [timer, arrival, deadline.map(|(at, _)| at), twin];
            let due = due.into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            if timer == Some(due) {
                if let Some((_, timer)) = self.timers.pop_first() {
                    self.timer(timer);
                }
            } else if let Some((node, incoming)) = self.network.pop(self.now) {
                self.arrive(node.0, incoming);
            } else if let Some((at, who)) = deadline.filter(|(at, _)| *at <= self.now) {
                self.tick(at, who);
            } else {
                self.tick_twin();
            }
        }
        self.now = self.now.max(end);
    }

    fn deadlines(&self) -> impl Iterator<Item = (Time, usize)> {
        self.seats.iter().enumerate().filter_map(|(who, seat)| match &seat.place {
            Place::Up(node) => Some((node.deadline()? - EPOCH, who)),
            _ => None,
        })
    }

    pub(super) fn set_timer(&mut self, after: Span, timer: Timer) {
        self.timers_set += 1;
        self.timers.insert((self.now + after, self.timers_set), timer);
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Published { who, life, ticket } => {
                if self.seats[who].life == life {
                    self.hand(who, "is told that it is published", |node, now| {
                        node.published(now, ticket)
                    });
                }
            }
            Timer::Restart { who } => self.restart(who),
            Timer::Release(action) => {
                if let Some(who) = self.malice.node {
                    self.send(who, action);
                }
            }
            Timer::Flood { count, pause } => self.flood(count, pause),
        }
    }

    fn tick(&mut self, deadline: Time, who: usize) {
        let streak = &mut self.seats[who].streak;
        let again = if streak.0 == self.now { streak.1 + 1 } else { 0 };
        *streak = (self.now, again);
        if again > MAX_STREAK && !self.plan.honest(who) {
            self.lose(who);
            return;
        }
        if again > MAX_STREAK {
            let deadline = Moment(deadline);
            self.broken(PROGRESS, format!("n{who} wants to be woken at {deadline}, for ever"));
            return;
        }
        self.hand(who, "wakes", |node, now| node.tick(now));
    }

    // What reaches nodes

    /// Lets a node do something. If it crashes by that, it is down afterwards.
    pub(super) fn attempt<T>(
        &mut self,
        who: usize,
        what: &str,
        action: impl FnOnce(&mut N, Time) -> Result<T, Trouble>,
    ) -> Done<T> {
        let clock = self.clock();
        let Place::Up(node) = &mut self.seats[who].place else { return Done::No };
        let done = action(node, clock);
        match &done {
            Ok(_) => self.note(who, format_args!("{what}")),
            Err(trouble) => self.note(who, format_args!("{what}: {trouble}")),
        }
        match done {
            Ok(done) => Done::Yes(done),
            Err(Trouble::Refused(_)) => Done::No,
            Err(Trouble::Crashed) => {
                self.crash(who);
                Done::Crashed
            }
            Err(Trouble::Broken(_)) if !self.plan.honest(who) => {
                self.lose(who);
                Done::No
            }
            Err(Trouble::Broken(why)) => {
                self.broken(SOUNDNESS, format!("n{who} {what}: {why}"));
                self.seats[who].place = Place::Lost;
                Done::No
            }
        }
    }

    /// The same, for what no user waits for.
    pub(super) fn hand(
        &mut self,
        who: usize,
        what: &str,
        action: impl FnOnce(&mut N, Time) -> Result<(), Trouble>,
    ) {
        self.attempt(who, what, action);
        self.drain(who);
    }

    fn arrive(&mut self, who: usize, incoming: Incoming) {
        self.ledger.tally.arrivals += 1;
        let (each, step) = MAX_ARRIVALS;
        let nodes = self.seats.len() as u64;
        if self.ledger.tally.arrivals > nodes * (each + step * self.plan.steps.len() as u64) {
            let arrivals = self.ledger.tally.arrivals;
            return self.broken(PROGRESS, format!("{arrivals} arrivals, and no end in sight"));
        }
        let malicious = self.malice.node == Some(who);
        match incoming {
            Incoming::Message { topic, bytes } => {
                if malicious {
                    self.malice.see(topic, &bytes);
                }
                let what = format!("receives {}", Bytes(&bytes));
                let seen = self.sees_evidence(who, &bytes);
                let tally = self.ledger.tally.equivocations;
                let done = self.attempt(who, &what, |node, now| node.receive(now, topic, &bytes));
                self.drain(who);
                let told = self.ledger.tally.equivocations > tally;
                if let Some(place) = seen.filter(|_| matches!(done, Done::Yes(()))) {
                    self.note_evidence(who, place, told);
                }
                if malicious {
                    self.twin_hears(|node, now| node.receive(now, topic, &bytes));
                }
            }
            Incoming::Question { asker, topic, question } => {
                if malicious {
                    self.malice.see_question(topic, &question);
                    if self.now < self.malice.lies {
                        let answer = self.malice.nonsense(question.len() * 20);
                        return self.send(who, Action::Answer { asker, answer });
                    }
                }
                let what = format!("is asked {}", Bytes(&question));
                self.hand(who, &what, |node, now| node.asked(now, asker, topic, &question));
                if malicious {
                    self.twin_hears(|node, now| node.asked(now, asker, topic, &question));
                }
            }
            Incoming::Answer { answer } => {
                let what = format!("is answered {}", Bytes(&answer));
                self.hand(who, &what, |node, now| node.answered(now, &answer));
                if malicious {
                    self.twin_hears(|node, now| node.answered(now, &answer));
                }
            }
            Incoming::Connected => {
                self.hand(who, "is connected", |node, now| node.connected(now));
            }
            Incoming::Pools(_) | Incoming::Boxes(_) | Incoming::Kept { .. } => {}
        }
    }

    /// Does what the node asks for, and writes down what it tells.
    pub(super) fn drain(&mut self, who: usize) {
        let mut changed = false;
        loop {
            let Place::Up(node) = &mut self.seats[who].place else { return };
            let outputs = node.outputs();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                changed |= self.output(who, output);
            }
        }
        if changed {
            self.look(who);
            self.learn_marks(who);
        }
    }

    /// Whether the node may see the group in another way now.
    fn output(&mut self, who: usize, output: Output) -> bool {
        match output {
            Output::Publish { topic, bytes, ticket } => {
                self.note(who, format_args!("publishes {}", Bytes(&bytes)));
                if let Some(ticket) = ticket {
                    let life = self.seats[who].life;
                    self.set_timer(ACCEPTANCE, Timer::Published { who, life, ticket });
                }
                let action = Action::Publish { topic, bytes };
                let kept = ticket.is_some() || !self.malice.commits_only;
                if self.malice.node == Some(who) && self.now < self.malice.withholds && kept {
                    let left = self.malice.withholds.since(self.now);
                    self.set_timer(left, Timer::Release(action));
                } else {
                    self.send(who, action);
                }
            }
            Output::Subscribe(topic) => self.send(who, Action::Subscribe(topic)),
            Output::Unsubscribe(topic) => self.send(who, Action::Unsubscribe(topic)),
            Output::Ask { topic, question } => {
                self.note(who, format_args!("asks {}", Bytes(&question)));
                if self.malice.node == Some(who) {
                    self.malice.see_question(topic, &question);
                }
                self.send(who, Action::Ask { topic, question });
            }
            Output::Answer { asker, answer } => {
                self.note(who, format_args!("answers {}", Bytes(&answer)));
                self.send(who, Action::Answer { asker, answer });
            }
            // Nobody keeps anything for anybody here.
            Output::Keep(_) | Output::KeepFor(_) | Output::Deposit(_) | Output::Announce(_) => {}
            Output::Event(event) => {
                self.note(who, format_args!("tells: {}", describe(&self.ledger, &event)));
                if !self.ledger.tell(self.now, who, &event) && self.plan.honest(who) {
                    let what = describe(&self.ledger, &event);
                    self.broken(DELIVERY, format!("n{who} tells again: {what}"));
                }
                if let Event::Changed { change, .. } = &event
                    && self.forbidden.contains(&change.state)
                    && self.plan.honest(who)
                {
                    let state = Name(&change.state.0);
                    let what = "against the rules of the group";
                    self.broken(LAW, format!("n{who} is in state {state} by a commit {what}"));
                }
                return !matches!(
                    event,
                    Event::Message(_) | Event::Delivery { .. } | Event::Intent { .. }
                );
            }
        }
        false
    }

    pub(super) fn send(&mut self, who: usize, action: Action) {
        if self.malice.node == Some(who)
            && let Action::Publish { topic, bytes } = &action
        {
            self.malice.see(*topic, bytes);
        }
        match self.network.send(self.now, NodeId(who), action) {
            Ok(()) | Err(TransportError::Offline) => {}
            Err(error) if self.plan.honest(who) => {
                self.broken(SOUNDNESS, format!("the network refuses what n{who} sends: {error}"));
            }
            Err(_) => {}
        }
    }

    /// Looks at a node's view of the group, and writes the roster down.
    pub(super) fn look(&mut self, who: usize) -> Option<View> {
        let group = self.group_of(who)?;
        let clock = self.clock();
        let Place::Up(node) = &mut self.seats[who].place else { return None };
        match node.view(clock, group) {
            Ok(view) => {
                self.ledger.roster(who, &view);
                Some(view)
            }
            Err(Trouble::Refused(_)) => None,
            Err(Trouble::Crashed) => {
                self.crash(who);
                None
            }
            Err(_) if !self.plan.honest(who) => {
                self.lose(who);
                None
            }
            Err(trouble) => {
                self.broken(SOUNDNESS, format!("n{who} can't show the group: {trouble}"));
                None
            }
        }
    }

    // Steps

    fn perform(&mut self, step: &Step) {
        let somebody = step.what.actor().is_none_or(|who| who < self.seats.len());
        if self.over || !somebody {
            return;
        }
        self.trace.line(self.now, format_args!("{step}"));
        if step.number.is_multiple_of(PROBE) {
            self.probe_erasure();
        }
        match &step.what {
            What::Say { who } => self.say(*who, step.number),
            What::Partition { sides } => {
                let mut groups = vec![Vec::new(); sides.len()];
                // Devices that came later are anywhere.
                for (node, side) in (0..self.seats.len()).zip(sides.iter().cycle()) {
                    groups[*side].push(NodeId(node));
                }
                self.network.partition(self.now, &groups);
                self.split = sides.iter().any(|side| *side != sides[0]);
                self.write_who_is_away();
            }
            What::Heal => self.heal(),
            What::Crash { who, write, rest } => {
                self.seats[*who].rest = *rest;
                if *write == 0 {
                    self.crash(*who);
                } else if let Place::Up(node) = &mut self.seats[*who].place {
                    node.fail_at(*write);
                }
            }
            What::Deed(deed) => self.deed(deed),
            What::Link { who } => self.link(*who),
            What::Revoke { who } => self.revoke(*who),
            what => {
                let intent = self.ledger.intent(self.plan, step.number, what);
                if let Some((who, intent)) = intent {
                    self.want(who, step.number, &intent);
                }
            }
        }
    }

    fn want(&mut self, who: usize, step: usize, intent: &Intent) {
        let Some(group) = self.group_of(who) else { return };
        let wanted = intent.clone();
        let taken = self.attempt(who, "wants it", |node, now| node.intend(now, group, wanted));
        match taken {
            Done::Yes(id) => self.ledger.ask(who, step, group, Some(id), intent.clone()),
            Done::Crashed => self.ledger.ask(who, step, group, None, intent.clone()),
            Done::No => {}
        }
        self.drain(who);
    }

    fn say(&mut self, who: usize, number: usize) {
        let Some(group) = self.group_of(who) else { return };
        if self.look(who).is_none() {
            return;
        }
        let text = Ledger::text(number);
        let message = Message::Text(text.clone());
        let said = self.attempt(who, "says it", |node, now| node.say(now, group, message));
        match said {
            Done::Yes(id) => self.ledger.say(self.now, who, Some(id), text),
            Done::Crashed => self.ledger.say(self.now, who, None, text),
            Done::No => {}
        }
        self.drain(who);
    }

    fn heal(&mut self) {
        self.split = false;
        self.network.heal(self.now);
        self.write_who_is_away();
    }

    pub(super) fn write_who_is_away(&mut self) {
        for (who, seat) in self.seats.iter().enumerate() {
            let away = self.split || !matches!(seat.place, Place::Up(_));
            self.ledger.away(who, away);
        }
    }
}

fn describe(ledger: &Ledger, event: &Event) -> String {
    match event {
        Event::Message(received) => {
            format!("{} of {}", quote(&received.message), ledger.called(received.author))
        }
        Event::Delivery { message, delivery, .. } => {
            format!("message {} is {delivery:?}", Name(&message.0))
        }
        Event::Intent { intent, outcome, .. } => {
            format!("intent {} is {outcome:?}", Name(&intent.0))
        }
        Event::Joined { .. } => "it is in the group".into(),
        Event::Out { .. } => "it is out of the group".into(),
        Event::Changed { change, .. } => format!("the group is in state {}", Name(&change.state.0)),
        Event::RolledBack { change, .. } => {
            format!("state {} is taken back", Name(&change.state.0))
        }
        Event::Verified { account, .. } => format!("{} is verified", ledger.called(*account)),
        Event::Equivocation { account, .. } => {
            format!("{} equivocates", ledger.called(*account))
        }
        Event::Split { .. } => "the group has split, and it is on the smaller side".into(),
        Event::Healed { .. } => "it has come over".into(),
        Event::Migrated { .. } => "the group has moved".into(),
        _ => "something that no invariant is about".into(),
    }
}
