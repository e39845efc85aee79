//! What nodes were told to do, and what they told their users: all that the invariants are about.

use std::collections::BTreeSet;

use super::invariants::Violation;
use super::node::View;
use super::plan::Plan;
use super::step::What;
use crate::engine::{Changed, Event, Intent, Outcome};
use crate::message::{Message, Received};
use crate::{Address, DeviceId, GroupId, IntentId, MessageId, StateId, Time};

/// Counts what is written into the ledger: an order also among things of the same millisecond.
pub(crate) type Order = u64;

/// An intent that a node took, or may have taken before it crashed.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) order: Order,
    pub(crate) who: usize,
    pub(crate) step: usize,
    pub(crate) group: GroupId,
    /// Nothing, if the node crashed before it said that it took it.
    pub(crate) id: Option<IntentId>,
    pub(crate) intent: Intent,
    /// What the node told about it.
    pub(crate) outcomes: Vec<(Order, Outcome)>,
}

/// A message that a node took, or may have taken before it crashed.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) order: Order,
    pub(crate) at: Time,
    pub(crate) who: usize,
    pub(crate) id: Option<MessageId>,
    pub(crate) text: String,
}

/// A message that a node told its user.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) order: Order,
    pub(crate) at: Time,
    pub(crate) who: usize,
    pub(crate) received: Received,
}

/// The roster as a node saw it, from then on.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    pub(crate) order: Order,
    /// Whether the node believed that it was in the group.
    pub(crate) active: bool,
    pub(crate) devices: BTreeSet<DeviceId>,
}

/// What a node did or went through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) rosters: Vec<Roster>,
    /// When it was cut off from somebody, or down: from, until.
    pub(crate) away: Vec<(Order, Option<Order>)>,
    pub(crate) crashes: Vec<Order>,
    /// Which devices it was told have been put out, or have left.
    pub(crate) put_out: Vec<(Order, DeviceId)>,
    /// The states in which it has ever been.
    pub(crate) been: BTreeSet<StateId>,
    /// Those of them in which it has been since it came in last.
    pub(crate) stayed: BTreeSet<StateId>,
    /// Who brought it in last, when it was not in a group; nobody, if it founded one or never was in.
    pub(crate) inviter: Option<Address>,
    /// How often it has told of an equivocation.
    pub(crate) warnings: u64,
    /// When it said that it is on the smaller side of a split, and when it said that it came over.
    pub(crate) splits: Vec<(Order, Option<Order>)>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What arrived at nodes.
    pub arrivals: u64,
    /// Messages that nodes took from their users.
    pub messages: u64,
    /// Intents that nodes took from their users.
    pub intents: u64,
    /// Changes that were told.
    pub changes: u64,
    /// Changes that were taken back.
    pub rollbacks: u64,
    /// Groups that were split beyond the window, told by each node that came over.
    pub splits: u64,
    /// Crashes.
    pub crashes: u64,
    /// Equivocations that were told.
    pub equivocations: u64,
    /// Devices that accounts got on the way.
    pub links: u64,
    /// Groups that have moved, told by each node that moved with them.
    pub moves: u64,
    /// Commits against the rules of a group.
    pub crimes: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.arrivals += other.arrivals;
        self.messages += other.messages;
        self.intents += other.intents;
        self.changes += other.changes;
        self.rollbacks += other.rollbacks;
        self.splits += other.splits;
        self.crashes += other.crashes;
        self.equivocations += other.equivocations;
        self.links += other.links;
        self.moves += other.moves;
        self.crimes += other.crimes;
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    order: Order,
    /// The address of each node.
    pub(crate) addresses: Vec<Address>,
    pub(crate) devices: Vec<DeviceId>,
    /// Which nodes were taken from their accounts, and when.
    pub(crate) revoked: Vec<(usize, Order)>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) said: Vec<Said>,
    /// Each message once.
    pub(crate) heard: Vec<Heard>,
    told: BTreeSet<(usize, MessageId)>,
    /// What no healing can mend, found while it happened.
    pub(crate) violations: Vec<Violation>,
    pub(crate) tally: Tally,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            order: 0,
            accounts: Vec::new(),
            addresses: Vec::new(),
            devices: Vec::new(),
            revoked: Vec::new(),
            asked: Vec::new(),
            said: Vec::new(),
            heard: Vec::new(),
            told: BTreeSet::new(),
            violations: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn next(&mut self) -> Order {
        self.order += 1;
        self.order
    }

    /// One more node.
    pub(crate) fn join(&mut self, address: Address, device: DeviceId) {
        self.addresses.push(address);
        self.devices.push(device);
        self.accounts.push(Account::default());
    }

    pub(crate) fn revoke(&mut self, node: usize) {
        let order = self.next();
        self.revoked.push((node, order));
    }

    /// The first node of an account.
    pub(crate) fn node(&self, address: Address) -> Option<usize> {
        self.addresses.iter().position(|other| *other == address)
    }

    /// The node that is a device.
    pub(crate) fn node_of(&self, device: DeviceId) -> Option<usize> {
        self.devices.iter().position(|other| *other == device)
    }

    /// Whether a roster has a device of an account.
    pub(crate) fn has_device_in(&self, roster: &Roster, account: Address) -> bool {
        let mut devices = self.devices.iter().zip(&self.addresses);
        devices.any(|(device, address)| *address == account && roster.devices.contains(device))
    }

    /// An address as it is called in reports.
    pub(crate) fn called(&self, address: Address) -> String {
        self.node(address).map_or_else(|| "somebody".into(), |node| format!("n{node}"))
    }

    pub(crate) fn violate(&mut self, invariant: &'static str, detail: String) {
        self.violations.push(Violation { invariant, detail });
    }

    pub(crate) fn ask(
        &mut self,
        who: usize,
        step: usize,
        group: GroupId,
        id: Option<IntentId>,
        intent: Intent,
    ) {
        let order = self.next();
        self.tally.intents += 1;
        self.asked.push(Asked { order, who, step, group, id, intent, outcomes: Vec::new() });
    }

    pub(crate) fn say(&mut self, at: Time, who: usize, id: Option<MessageId>, text: String) {
        let order = self.next();
        self.tally.messages += 1;
        self.said.push(Said { order, at, who, id, text });
    }

    /// What a node believes now of who is in the group.
    pub(crate) fn roster(&mut self, who: usize, view: &View) {
        let order = self.next();
        let account = &mut self.accounts[who];
        let (active, devices) = (view.active, view.devices.iter().copied().collect());
        if active {
            account.enter(view.state);
        }
        let rosters = &mut account.rosters;
        if rosters.last().is_none_or(|last| (last.active, &last.devices) != (active, &devices)) {
            rosters.push(Roster { order, active, devices });
        }
    }

    pub(crate) fn crash(&mut self, who: usize) {
        let order = self.next();
        self.tally.crashes += 1;
        self.accounts[who].crashes.push(order);
    }

    /// A node is cut off from others, or is no longer.
    pub(crate) fn away(&mut self, who: usize, away: bool) {
        let order = self.next();
        let spans = &mut self.accounts[who].away;
        match spans.last_mut() {
            Some((_, until @ None)) if !away => *until = Some(order),
            Some((_, None)) => {}
            _ if away => spans.push((order, None)),
            _ => {}
        }
    }

    /// Whether a node has told its user a message.
    pub(crate) fn has_told(&self, who: usize, message: MessageId) -> bool {
        self.told.contains(&(who, message))
    }

    /// What a node tells its user; `false` if it tells a message again. An answer about an intent that
    /// the engine gave while it took it comes after [`ask`](Self::ask), since outputs are drained later.
    pub(crate) fn tell(&mut self, at: Time, who: usize, event: &Event) -> bool {
        let order = self.next();
        match event {
            Event::Message(received) => {
                if !self.told.insert((who, received.id)) {
                    return false;
                }
                self.heard.push(Heard { order, at, who, received: received.clone() });
            }
            Event::Intent { intent, outcome, .. } => {
                let asked = self.asked.iter_mut().filter(|asked| asked.who == who);
                for asked in asked.filter(|asked| asked.id == Some(*intent)) {
                    asked.outcomes.push((order, outcome.clone()));
                }
            }
            Event::Changed { change, .. } => {
                self.tally.changes += 1;
                let account = &mut self.accounts[who];
                for what in &change.what {
                    if let Changed::Removed(_, device) = what {
                        account.put_out.push((order, *device));
                    }
                }
                account.enter(change.state);
            }
            Event::Joined { by, .. } => {
                let account = &mut self.accounts[who];
                if account.rosters.last().is_none_or(|last| !last.active) {
                    account.inviter = *by;
                    account.stayed.clear();
                }
            }
            Event::RolledBack { .. } => self.tally.rollbacks += 1,
            Event::Equivocation { .. } => {
                self.tally.equivocations += 1;
                self.accounts[who].warnings += 1;
            }
            Event::Migrated { .. } => self.tally.moves += 1,
            Event::Split { .. } => {
                self.tally.splits += 1;
                self.accounts[who].splits.push((order, None));
            }
            Event::Healed { .. } => {
                // Who was brought over before it noticed the split notices it now.
                match self.accounts[who].splits.last_mut() {
                    Some((_, until @ None)) => *until = Some(order),
                    _ => self.accounts[who].splits.push((order, Some(order))),
                }
            }
            _ => {}
        }
        true
    }

    /// What an intent is called in reports; its `Debug` differs from run to run.
    pub(crate) fn wish(&self, intent: &Intent) -> String {
        match intent {
            Intent::Invite(account) => format!("inviting {}", self.called(*account)),
            Intent::Remove(account) => format!("removing {}", self.called(*account)),
            Intent::SetRole(account, role) => {
                format!("making {} {role:?}", self.called(*account))
            }
            Intent::SetPolicy(_) => "changing the rules".into(),
            other => format!("{other:?}"),
        }
    }

    /// The step in which the node says something, as text that no other step has.
    pub(crate) fn text(number: usize) -> String {
        format!("what step {number} says")
    }

    /// The name that a step gives the group.
    pub(crate) fn name(number: usize) -> String {
        format!("group of step {number}")
    }

    /// What a step makes a node intend.
    pub(crate) fn intent(
        &self,
        plan: &Plan,
        number: usize,
        what: &What,
    ) -> Option<(usize, Intent)> {
        let address = |node: usize| self.addresses[node];
        Some(match what {
            What::Invite { who, whom } => (*who, Intent::Invite(address(*whom))),
            What::Remove { who, whom } => (*who, Intent::Remove(address(*whom))),
            What::Leave { who } => (*who, Intent::Leave),
            What::Rename { who } => (*who, Intent::Rename(Self::name(number))),
            What::SetRole { who, whom, role } => (*who, Intent::SetRole(address(*whom), *role)),
            What::Rotate { who } => (*who, Intent::Rotate),
            What::SetPolicy { who, limits } => (*who, Intent::SetPolicy(plan.limited(limits))),
            What::Migrate { who, away } => (*who, Intent::Migrate(plan.destination(*away))),
            _ => return None,
        })
    }
}

/// What a message says, in reports.
pub(crate) fn quote(message: &Message) -> String {
    match message {
        Message::Text(text) => format!("{text:?}"),
        _ => "something else than a text".into(),
    }
}

impl Account {
    fn enter(&mut self, state: StateId) {
        self.been.insert(state);
        self.stayed.insert(state);
    }

    /// Whether the node had been cut off from others until then, for however long.
    pub(crate) fn was_away(&self, order: Order) -> bool {
        self.away.iter().any(|(from, _)| *from <= order)
    }

    /// The roster that the node saw at a moment.
    pub(crate) fn roster_at(&self, order: Order) -> Option<&Roster> {
        self.rosters.iter().rev().find(|roster| roster.order <= order)
    }

    /// Whether it was in the group from a moment until the end.
    pub(crate) fn stayed_since(&self, order: Order) -> bool {
        self.roster_at(order).is_some_and(|roster| roster.active)
            && self.rosters.iter().filter(|roster| roster.order > order).all(|roster| roster.active)
    }

    /// Whether a moment lies in a time in which the node was on a side that lost: between its
    /// being cut off and its coming over. What was said and done there stays there. A node can come to
    /// know of a split long after it has begun, so every time that it was cut off since it came over
    /// last counts.
    pub(crate) fn lost_side_at(&self, order: Order) -> bool {
        let mut last = 0;
        for (noticed, healed) in &self.splits {
            let cut = self.away.iter().find(|(_, until)| until.is_none_or(|until| until > last));
            let from = cut.map_or(last, |(from, _)| (*from).max(last).min(*noticed));
            if from <= order && healed.is_none_or(|healed| order <= healed) {
                return true;
            }
            last = healed.unwrap_or(Order::MAX);
        }
        false
    }
}
