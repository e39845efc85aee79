//! The end of a run: all is made well, and when nothing changes any more it is looked what has become of it.

use super::super::invariants::{self, Case, End, Violation};
use super::super::node::Node;
use super::super::plan::CALM;
use super::{Place, World};
use crate::Span;
use crate::engine::Intent;

/// How often it is looked whether all is quiet.
const LOOK: Span = Span::seconds(5);

/// For how many looks in a row nothing may change.
const QUIET_LOOKS: usize = 3;

/// How long it may take until all is quiet, after the states before are older than the horizon: who goes over
/// in the end listens for minutes first, and a move that nobody carries out is called back after two.
const PATIENCE: Span = Span::seconds(900);

/// The number of the first step after all others.
const AFTERWARDS: usize = 1_000_000;

impl<N: Node> World<'_, N> {
    /// Lets everything be well again.
    pub(super) fn calm(&mut self) {
        self.trace.line(self.now, format_args!("all is well from here on"));
        self.network.set_conditions(CALM);
        self.stop_malice();
        self.heal();
        for who in 0..self.seats.len() {
            if let Place::Up(node) = &mut self.seats[who].place {
                node.fail_at(0);
            }
            self.restart(who);
        }
    }

    /// Waits until every invariant holds and nothing changes, or it has taken too long.
    pub(super) fn end(&mut self) -> Vec<Violation> {
        let broken = self.settle();
        if self.over || !broken.is_empty() || self.plan.malicious.is_none() {
            return broken;
        }
        // Whatever has been done to them, they can go on.
        self.trace.line(self.now, format_args!("all goes on"));
        let members = (0..self.seats.len()).filter(|who| self.plan.honest(*who));
        let active =
            |world: &mut Self, who: &usize| world.look(*who).is_some_and(|view| view.active);
        let members: Vec<_> = members.filter(|who| active(self, who)).collect();
        let ends = [members.first(), members.last()].into_iter().flatten();
        for (number, who) in (AFTERWARDS..).zip(ends) {
            self.want(*who, number, &Intent::Rotate);
            self.say(*who, number);
        }
        self.settle()
    }

    fn settle(&mut self) -> Vec<Violation> {
        let limit = self.now + self.plan.horizon() + PATIENCE;
        let mut states = Vec::new();
        let mut quiet = 0;
        while !self.over && self.now < limit {
            self.run_until(self.now + LOOK);
            let now: Vec<_> = (0..self.seats.len()).map(|who| self.look(who)).collect();
            quiet = if now == states { quiet + 1 } else { 0 };
            states = now;
            if quiet >= QUIET_LOOKS && self.is_erased() {
                let broken = self.check();
                if broken.is_empty() {
                    return broken;
                }
            }
        }
        self.check()
    }

    /// Whether no honest node has something to write over.
    fn is_erased(&self) -> bool {
        let honest = self.seats.iter().enumerate().filter(|(who, _)| self.plan.honest(*who));
        honest.into_iter().all(|(_, seat)| match &seat.place {
            Place::Up(node) => node.is_erased(),
            _ => true,
        })
    }

    fn check(&mut self) -> Vec<Violation> {
        if self.over {
            // The rest of the plan has not been played, so nothing else can be said.
            return self.ledger.violations.clone();
        }
        let ends: Vec<_> = (0..self.seats.len()).map(|who| self.look_closely(who)).collect();
        let mut broken = self.unsaid_evidence();
        broken.extend(invariants::check(Case {
            plan: self.plan,
            ledger: &self.ledger,
            ends: &ends,
        }));
        broken
    }

    fn look_closely(&mut self, who: usize) -> End {
        let view = self.look(who);
        let clock = self.clock();
        let history = self.history(who);
        let remains = self.remains(who);
        let Place::Up(node) = &mut self.seats[who].place else { return End::default() };
        let groups = || self.lineage.iter().copied();
        let states = groups().map(|group| node.states(group).unwrap_or_default()).sum();
        let windows = groups().map(|group| node.window(group).unwrap_or_default().len());
        let window = windows.sum();
        let mine = self.ledger.asked.iter().filter(|asked| asked.who == who);
        let outcomes = mine.filter_map(|asked| {
            let id = asked.id?;
            let outcome = node.outcome(clock, asked.group, id).ok().flatten()?;
            Some((id, outcome))
        });
        End { view, history, states, window, remains, outcomes: outcomes.collect() }
    }
}
