//! Which of the commits on one state wins.
//!
//! A pure function of what is known: clients that know the same commits agree, in whatever order
//! they got to know them, and can say why.

use crate::CommitHash;
#[cfg(test)]
use crate::StateId;

/// The first thing that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Class {
    /// Removes somebody else, by a member who may: whom it removes cannot outrun it.
    Removal = 0,
    /// Any other.
    Ordinary = 1,
}

impl Class {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Removal, Self::Ordinary].into_iter().find(|class| *class as u8 == number)
    }
}

/// What decides about a commit, in the order in which it decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    pub(crate) class: Class,
    /// `HMAC(MLS-Exporter(parent, "trellis rank", "", 32), leaf index of the committer)`: every
    /// member can compute it, no committer can influence it, no outsider can predict it.
    pub(crate) rank: [u8; 32],
    pub(crate) commit: CommitHash,
}

/// Why one commit comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It removes somebody and the other does not.
    Class,
    /// Its committer has the lower rank on this state.
    Rank,
    /// Both are of one committer, and its hash is lower.
    Equivocation,
}

/// The commits on one state, the winner first, each of the others with the reason why it lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict<'a> {
    pub(crate) winner: &'a Claim,
    pub(crate) losers: Vec<(&'a Claim, Reason)>,
}

/// Why `first` comes before `second`; nothing if it does not.
fn precedes(first: &Claim, second: &Claim) -> Option<Reason> {
    if first >= second {
        return None;
    }
    Some(if first.class != second.class {
        Reason::Class
    } else if first.rank != second.rank {
        Reason::Rank
    } else {
        Reason::Equivocation
    })
}

/// The winner among commits on one state.
pub(crate) fn winner(claims: &[Claim]) -> Option<Verdict<'_>> {
    let winner = claims.iter().min()?;
    let losers = claims
        .iter()
        .filter_map(|claim| precedes(winner, claim).map(|reason| (claim, reason)))
        .collect();
    Some(Verdict { winner, losers })
}

/// A commit that leads from one state to another.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) parent: StateId,
    pub(crate) child: StateId,
    pub(crate) claim: Claim,
}

/// The canonical chain: from `root` on, whatever wins on each state.
#[cfg(test)]
pub(crate) fn chain(root: StateId, edges: &[Edge]) -> Vec<StateId> {
    let mut chain = vec![root];
    let mut state = root;
    while let Some(next) =
        edges.iter().filter(|edge| edge.parent == state).min_by(|a, b| a.claim.cmp(&b.claim))
    {
        state = next.child;
        if chain.contains(&state) {
            break;
        }
        chain.push(state);
    }
    chain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims() -> impl Strategy<Value = Vec<Claim>> {
        let claim = (any::<bool>(), 0_u8..4, any::<[u8; 4]>()).prop_map(|(removal, rank, hash)| {
            let mut commit = [0; 32];
            commit[..4].copy_from_slice(&hash);
            Claim {
                class: if removal { Class::Removal } else { Class::Ordinary },
                rank: [rank; 32],
                commit: CommitHash(commit),
            }
        });
        prop::collection::vec(claim, 1..12)
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(claims in claims(), seed in any::<u64>()) {
            let mut shuffled = claims.clone();
            let length = shuffled.len();
            for place in 0..length {
                let other = (seed.rotate_left(place as u32 * 7) as usize) % length;
                shuffled.swap(place, other);
            }
            prop_assert_eq!(winner(&claims).unwrap().winner, winner(&shuffled).unwrap().winner);
        }

        #[test]
        fn what_lost_can_be_forgotten(claims in claims(), late in claims()) {
            let before = winner(&claims).unwrap().winner.clone();
            let all: Vec<_> = claims.iter().chain(&late).cloned().collect();
            let kept: Vec<_> = std::iter::once(before).chain(late).collect();
            prop_assert_eq!(winner(&all).unwrap().winner, winner(&kept).unwrap().winner);
        }

        #[test]
        fn a_removal_comes_before_whatever_it_races(claims in claims()) {
            let verdict = winner(&claims).unwrap();
            if claims.iter().any(|claim| claim.class == Class::Removal) {
                prop_assert_eq!(verdict.winner.class, Class::Removal);
            }
            for (loser, reason) in verdict.losers {
                prop_assert_eq!(reason == Reason::Class, loser.class != verdict.winner.class);
            }
        }
    }

    #[test]
    fn the_chain_follows_the_winner_from_the_root_whatever_is_longer() {
        let state = |number: u8| StateId([number; 16]);
        let edge = |parent, child, rank| Edge {
            parent: state(parent),
            child: state(child),
            claim: Claim {
                class: Class::Ordinary,
                rank: [rank; 32],
                commit: CommitHash([child; 32]),
            },
        };
        let edges = [edge(0, 1, 5), edge(0, 2, 4), edge(1, 3, 1), edge(3, 4, 1)];
        assert_eq!(chain(state(0), &edges), [state(0), state(2)]);
    }
}
