//! Plays a plan: nodes, their stores, the network between them, and what time it is.

use std::collections::{BTreeMap, BTreeSet};

use super::invariants::{self, Case, DELIVERY, End, PROGRESS, SOUNDNESS, Violation, WORD};
use super::ledger::{Ledger, Tally, quote};
use super::malice::Malice;
use super::node::{Node, Trouble, View};
use super::plan::{CALM, FIRST_NAME, Plan};
use super::step::{Deed, Moment, Step, What};
use super::trace::{Bytes, Name, Trace};
use crate::engine::{Event, Output};
use crate::message::Message;
use crate::transport::{Action, Incoming, MAX_MESSAGE, Network, NodeId, TransportError};
use crate::{GroupId, Span, Time};

/// What the clocks of nodes say when a run begins.
const EPOCH: Span = Span::seconds(1_700_000_000);

/// How long the network needs to take a message.
const ACCEPTANCE: Span = Span::millis(5);

/// How often it is looked whether all is quiet.
const LOOK: Span = Span::seconds(5);

/// For how many looks in a row nothing may change.
const QUIET_LOOKS: usize = 3;

/// How long it may take until all is quiet, after the states before are older than the horizon.
const PATIENCE: Span = Span::seconds(300);

/// How often a node may ask for the same millisecond again.
const MAX_STREAK: usize = 1000;

/// What arrives for each node, and for each step and each node, before nodes are said to keep each
/// other busy.
const MAX_ARRIVALS: (u64, u64) = (10_000, 1_000);

/// How a run went.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) violations: Vec<Violation>,
    pub(crate) digest: u64,
    pub(crate) lines: Vec<String>,
    pub(crate) tally: Tally,
}

enum Place<N: Node> {
    Up(N),
    Down(N::Disk),
    /// It failed for a reason of its own.
    Lost,
}

struct Seat<N: Node> {
    place: Place<N>,
    life: u64,
    /// How long it stays away after its next crash.
    rest: Span,
    /// When it was ticked last, and how often then.
    streak: (Time, usize),
}

/// What the world does by itself.
enum Timer {
    /// The network has taken a message.
    Published { who: usize, life: u64, ticket: u64 },
    /// A node comes back.
    Restart { who: usize },
    /// The malicious node lets go of what it withheld.
    Release(Action),
}

/// What a node was asked to do has…
enum Done<T> {
    Yes(T),
    Crashed,
    No,
}

pub(crate) struct World<'a, N: Node> {
    plan: &'a Plan,
    now: Time,
    network: Network,
    seats: Vec<Seat<N>>,
    timers: BTreeMap<(Time, u64), Timer>,
    timers_set: u64,
    split: bool,
    group: Option<GroupId>,
    malice: Malice,
    ledger: Ledger,
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
            timers: BTreeMap::new(),
            timers_set: 0,
            split: false,
            group: None,
            malice: Malice::new(plan),
            ledger: Ledger::new(Vec::new()),
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
    fn clock(&self) -> Time {
        self.now + EPOCH
    }

    fn note(&mut self, who: usize, text: std::fmt::Arguments<'_>) {
        self.trace.line(self.now, format_args!("n{who} {text}"));
    }

    fn broken(&mut self, invariant: &'static str, detail: String) {
        self.trace.line(self.now, format_args!("{invariant} is broken: {detail}"));
        self.ledger.violate(invariant, format!("at {}: {detail}", Moment(self.now)));
        self.over = true;
    }

    fn begin(&mut self) {
        let mut addresses = Vec::new();
        for who in 0..self.plan.nodes {
            self.network.join(self.now);
            let opened = N::disk(self.plan, who)
                .and_then(|disk| N::open(disk, self.plan, who, 0, self.clock()));
            let node = match opened {
                Ok(node) => node,
                Err(trouble) => {
                    return self.broken(SOUNDNESS, format!("n{who} does not start: {trouble}"));
                }
            };
            addresses.push(node.address());
            let place = Place::Up(node);
            let streak = (Time(0), 0);
            self.seats.push(Seat { place, life: 0, rest: Span(0), streak });
        }
        self.ledger = Ledger::new(addresses);
        let plan = self.plan;
        let founded =
            self.attempt(0, "founds the group", |node, now| node.found(now, FIRST_NAME, plan));
        if let Done::Yes(group) = founded {
            self.group = Some(group);
        }
        for who in 0..self.plan.nodes {
            self.drain(who);
        }
        self.look(0);
    }

    // Time

    /// Lets everything happen that is due up to a moment.
    fn run_until(&mut self, end: Time) {
        while !self.over {
            let timer = self.timers.keys().next().map(|(at, _)| *at);
            let arrival = self.network.next_event_time();
            let deadline = self.deadlines().min();
            let due = [timer, arrival, deadline.map(|(at, _)| at)].into_iter().flatten().min();
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

    fn set_timer(&mut self, after: Span, timer: Timer) {
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
        }
    }

    fn tick(&mut self, deadline: Time, who: usize) {
        let streak = &mut self.seats[who].streak;
        let again = if streak.0 == self.now { streak.1 + 1 } else { 0 };
        *streak = (self.now, again);
        if again > MAX_STREAK {
            let deadline = Moment(deadline);
            self.broken(PROGRESS, format!("n{who} wants to be woken at {deadline}, for ever"));
            return;
        }
        self.hand(who, "wakes", |node, now| node.tick(now));
    }

    // What reaches nodes

    /// Lets a node do something. If it crashes by that, it is down afterwards.
    fn attempt<T>(
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
            Err(Trouble::Broken(why)) => {
                self.broken(SOUNDNESS, format!("n{who} {what}: {why}"));
                self.seats[who].place = Place::Lost;
                Done::No
            }
        }
    }

    /// The same, for what no user waits for.
    fn hand(
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
        let nodes = self.plan.nodes as u64;
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
                self.hand(who, &what, |node, now| node.receive(now, topic, &bytes));
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
            }
            Incoming::Answer { answer } => {
                let what = format!("is answered {}", Bytes(&answer));
                self.hand(who, &what, |node, now| node.answered(now, &answer));
            }
            Incoming::Connected => {
                self.hand(who, "is connected", |node, now| node.connected(now));
            }
        }
    }

    /// Does what the node asks for, and writes down what it tells.
    fn drain(&mut self, who: usize) {
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
                if self.malice.node == Some(who) && self.now < self.malice.withholds {
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
            Output::Event(event) => {
                self.note(who, format_args!("tells: {}", describe(&self.ledger, &event)));
                if !self.ledger.tell(self.now, who, &event) && self.plan.honest(who) {
                    let what = describe(&self.ledger, &event);
                    self.broken(DELIVERY, format!("n{who} tells again: {what}"));
                }
                return !matches!(
                    event,
                    Event::Message(_) | Event::Delivery { .. } | Event::Intent { .. }
                );
            }
        }
        false
    }

    fn send(&mut self, who: usize, action: Action) {
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
    fn look(&mut self, who: usize) -> Option<View> {
        let group = self.group?;
        let clock = self.clock();
        let Place::Up(node) = &mut self.seats[who].place else { return None };
        match node.view(clock, group) {
            Ok(view) => {
                let members: BTreeSet<_> =
                    view.members.iter().map(|(address, _)| *address).collect();
                self.ledger.roster(who, view.active, members);
                Some(view)
            }
            Err(Trouble::Refused(_)) => None,
            Err(Trouble::Crashed) => {
                self.crash(who);
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
        if self.over {
            return;
        }
        self.trace.line(self.now, format_args!("{step}"));
        match &step.what {
            What::Say { who } => self.say(*who, step.number),
            What::Partition { sides } => {
                let mut groups = vec![Vec::new(); sides.len()];
                for (node, side) in sides.iter().enumerate() {
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
            what => {
                let (Some(group), Some((who, intent))) =
                    (self.group, self.ledger.intent(step.number, what))
                else {
                    return;
                };
                let wanted = intent.clone();
                let taken =
                    self.attempt(who, "wants it", |node, now| node.intend(now, group, wanted));
                match taken {
                    Done::Yes(id) => {
                        self.ledger.ask(who, step.number, Some(id), intent);
                    }
                    Done::Crashed => self.ledger.ask(who, step.number, None, intent),
                    Done::No => {}
                }
                self.drain(who);
            }
        }
    }

    fn say(&mut self, who: usize, number: usize) {
        let Some(group) = self.group else { return };
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

    fn deed(&mut self, deed: &Deed) {
        let Some(who) = self.malice.node else { return };
        match deed {
            Deed::Withhold { span } => self.malice.withholds = self.now + *span,
            Deed::FalseAnswers { span } => self.malice.lies = self.now + *span,
            // No transport carries this. An engine that trusts in that is wrong all the same.
            Deed::Oversized => {
                if let Some(topic) = self.malice.topic() {
                    let bytes = self.malice.nonsense(4 * MAX_MESSAGE);
                    for other in 0..self.plan.nodes {
                        if self.network.connects(NodeId(who), NodeId(other)) {
                            let what = "receives too much";
                            self.hand(other, what, |node, now| node.receive(now, topic, &bytes));
                        }
                    }
                }
            }
            _ => {
                for action in self.malice.actions(deed) {
                    self.send(who, action);
                }
            }
        }
    }

    fn heal(&mut self) {
        self.split = false;
        self.network.heal(self.now);
        self.write_who_is_away();
    }

    fn write_who_is_away(&mut self) {
        for (who, seat) in self.seats.iter().enumerate() {
            let away = self.split || !matches!(seat.place, Place::Up(_));
            self.ledger.away(who, away);
        }
    }

    // Crashes

    fn crash(&mut self, who: usize) {
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

    fn restart(&mut self, who: usize) {
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
        let (Some(group), Place::Up(node)) = (self.group, &mut self.seats[who].place) else {
            return;
        };
        let history = node.history(group).unwrap_or_default();
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

    // The end

    /// Lets everything be well again.
    fn calm(&mut self) {
        self.trace.line(self.now, format_args!("all is well from here on"));
        self.network.set_conditions(CALM);
        self.malice.lies = Time(0);
        self.malice.withholds = Time(0);
        self.heal();
        for who in 0..self.seats.len() {
            if let Place::Up(node) = &mut self.seats[who].place {
                node.fail_at(0);
            }
            self.restart(who);
        }
    }

    /// Waits until every invariant holds and nothing changes, or it has taken too long.
    fn end(&mut self) -> Vec<Violation> {
        let limit = self.now + self.plan.policy.horizon + PATIENCE;
        let mut states = Vec::new();
        let mut quiet = 0;
        let mut broken = Vec::new();
        while !self.over && self.now < limit {
            self.run_until(self.now + LOOK);
            let now: Vec<_> = (0..self.seats.len()).map(|who| self.look(who)).collect();
            quiet = if now == states { quiet + 1 } else { 0 };
            states = now;
            if quiet >= QUIET_LOOKS {
                broken = self.check();
                if broken.is_empty() {
                    return broken;
                }
            }
        }
        if self.over || broken.is_empty() { self.check() } else { broken }
    }

    fn check(&mut self) -> Vec<Violation> {
        if self.over {
            // The rest of the plan has not been played, so nothing else can be said.
            return self.ledger.violations.clone();
        }
        let ends: Vec<_> = (0..self.seats.len()).map(|who| self.look_closely(who)).collect();
        invariants::check(Case { plan: self.plan, ledger: &self.ledger, ends: &ends })
    }

    fn look_closely(&mut self, who: usize) -> End {
        let view = self.look(who);
        let clock = self.clock();
        let (Some(group), Place::Up(node)) = (self.group, &mut self.seats[who].place) else {
            return End::default();
        };
        let history = node.history(group).unwrap_or_default();
        let states = node.states(group).unwrap_or_default();
        let mine = self.ledger.asked.iter().filter(|asked| asked.who == who);
        let outcomes = mine.filter_map(|asked| {
            let id = asked.id?;
            let outcome = node.outcome(clock, group, id).ok().flatten()?;
            Some((id, outcome))
        });
        End { view, history, states, outcomes: outcomes.collect() }
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
