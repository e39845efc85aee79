//! The keys that nodes held, to be looked for where they should be no longer.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::inspect::Mark;
use crate::{GroupId, StateId};

/// The keys of the states that each node ever held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// By the node, the group and the state.
    known: BTreeMap<(usize, GroupId, StateId), Vec<Mark>>,
}

impl Marks {
    pub(crate) fn knows(&self, who: usize, group: GroupId, state: StateId) -> bool {
        self.known.contains_key(&(who, group, state))
    }

    pub(crate) fn learn(&mut self, who: usize, group: GroupId, state: StateId, marks: Vec<Mark>) {
        self.known.insert((who, group, state), marks);
    }

    /// The states of which there is a key in the bytes of a node's store, but for those that it
    /// still holds.
    pub(crate) fn remains(
        &self,
        who: usize,
        held: &BTreeSet<StateId>,
        image: &[u8],
    ) -> BTreeSet<StateId> {
        let gone = self
            .known
            .range((who, GroupId([0; 32]), StateId([0; 16]))..)
            .take_while(|((node, ..), _)| *node == who)
            .filter(|((_, _, state), _)| !held.contains(state));
        let gone: BTreeMap<Mark, StateId> = gone
            .flat_map(|((_, _, state), marks)| marks.iter().map(|mark| (*mark, *state)))
            .collect();
        // Most places are out of the question by their first two bytes.
        let mut begins = vec![false; 1 << 16];
        for mark in gone.keys() {
            begins[usize::from(u16::from_be_bytes([mark[0], mark[1]]))] = true;
        }
        let places = image
            .windows(size_of::<Mark>())
            .filter(|window| begins[usize::from(u16::from_be_bytes([window[0], window[1]]))]);
        places.filter_map(|window| gone.get(window).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_states_and_other_nodes_are_not_looked_for() {
        let (group, states) = (GroupId([1; 32]), [StateId([1; 16]), StateId([2; 16])]);
        let mut marks = Marks::default();
        marks.learn(0, group, states[0], vec![[7; 16], [8; 16]]);
        marks.learn(0, group, states[1], vec![[9; 16]]);
        marks.learn(1, group, states[1], vec![[6; 16]]);
        assert!(marks.knows(0, group, states[0]) && !marks.knows(1, group, states[0]));
        let image = [&[0; 5][..], &[8; 16], &[9; 16], &[6; 16]].concat();
        let held = BTreeSet::from([states[1]]);
        assert_eq!(marks.remains(0, &held, &image), BTreeSet::from([states[0]]));
        assert_eq!(marks.remains(0, &BTreeSet::new(), &image), BTreeSet::from(states));
        assert_eq!(marks.remains(0, &BTreeSet::new(), &image[..20]), BTreeSet::new());
    }
}
