//! Keys of states that are gone: whether a store still shows them.

use super::super::invariants::ERASURE;
use super::super::node::Node;
use super::super::trace::Name;
use super::{Place, World};
use crate::StateId;

impl<N: Node> World<'_, N> {
    /// Keeps by what the keys of new states are known.
    pub(super) fn learn_marks(&mut self, who: usize) {
        if !self.plan.honest(who) {
            return;
        }
        for group in self.lineage.clone() {
            let Place::Up(node) = &mut self.seats[who].place else { return };
            for state in node.window(group).unwrap_or_default() {
                if self.marks.knows(who, group, state) {
                    continue;
                }
                let marks = node.marks(group, state).unwrap_or_default();
                self.marks.learn(who, group, state, marks);
            }
        }
    }

    /// What is in a node's store of the keys of states that are gone; nothing can be said while
    /// there is something to be written over.
    pub(super) fn remains(&mut self, who: usize) -> Vec<String> {
        let Place::Up(node) = &mut self.seats[who].place else { return Vec::new() };
        if !node.is_erased() {
            return Vec::new();
        }
        let groups = self.lineage.iter();
        let held = groups.flat_map(|group| node.window(*group).unwrap_or_default()).collect();
        let image = match node.image() {
            Ok(image) => image,
            Err(trouble) => return vec![format!("can't show its store: {trouble}")],
        };
        let states = self.marks.remains(who, &held, &image);
        let what = |state: &StateId| format!("still has keys of state {}", Name(&state.0));
        states.iter().map(what).collect()
    }

    pub(super) fn probe_erasure(&mut self) {
        for who in (0..self.seats.len()).filter(|who| self.plan.honest(*who)) {
            for what in self.remains(who) {
                self.broken(ERASURE, format!("n{who} {what}"));
            }
        }
    }
}
