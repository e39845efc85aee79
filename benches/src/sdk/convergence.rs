//! How a group finds together that was in three parts: in virtual time, on the cheapest suite, as the
//! decisions are the same on every suite.

use trellis_sdk::engine::{GroupView, Intent};
use trellis_sdk::{GroupId, Span, StateId, Time};

use super::data::Convergence;
use super::grown::epoch;
use super::town::Town;
use super::{CLASSICAL, in_memory, policy};

/// How many clients in how many parts.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// Clients.
    pub nodes: usize,
    /// Parts, of the same size.
    pub parts: usize,
}

/// How often it is looked whether all agree.
const LOOK: Span = Span::millis(250);
/// For how long they have to.
const CALM: Span = Span::seconds(120);
/// After what time they are said never to, in virtual time.
const PATIENCE: Span = Span::seconds(6 * 3600);

/// Lets each part make so many commits, one after the other, and the parts find together.
pub(super) fn measure(shape: Parts, commits: u64) -> Convergence {
    let (mut town, group) = found(shape.nodes);
    let size = shape.nodes / shape.parts;
    let parts: Vec<Vec<usize>> =
        (0..shape.parts).map(|part| (part * size..(part + 1) * size).collect()).collect();
    let start = epoch(&mut town, 0, group).expect("a member");
    let split = town.now;
    town.partition(&parts);
    for turn in 0..commits {
        for part in &parts {
            // Its members in turn, from the last on, so that it is not always the founder.
            let who = part[size - 1 - turn as usize % size];
            let now = town.now;
            town.engine(who).intend(now, group, Intent::Rotate).expect("a member");
            town.drain(who);
        }
        let all = |town: &mut Town| {
            (0..shape.parts * size).all(|who| epoch(town, who, group) > Some(start + turn))
        };
        town.pass_until(LOOK, PATIENCE, all).expect("commits that all of a part follow");
    }
    let heights: Vec<u64> = parts
        .iter()
        .map(|part| epoch(&mut town, part[0], group).expect("a member") - start)
        .collect();
    let apart = town.now.since(split);

    town.heal();
    let (healed, before) = (town.now, town.traffic);
    let mut met = None;
    let mut met_state = None;
    let mut met_traffic = before;
    let calm = town.pass_until(LOOK, PATIENCE, |town| {
        let agreed = agreed(town, shape.nodes, group);
        if agreed.is_none() || agreed != met_state {
            met_state = agreed;
            met = agreed.map(|_| town.now);
            met_traffic = town.traffic;
        }
        met.is_some_and(|met: Time| town.now.since(met) >= CALM)
    });
    let met = calm.and(met);
    let traffic = met_traffic.since(before);
    let after = town.traffic.since(met_traffic);
    Convergence {
        nodes: shape.nodes,
        parts: shape.parts,
        commits,
        heights,
        apart: apart.0 as f64 / 1000.0,
        seconds: met.map(|met| met.since(healed).0 as f64 / 1000.0),
        messages: traffic.messages(),
        bytes: traffic.bytes,
        arrivals: traffic.arrivals,
        idle: met.map(|_| after.messages() as f64 * 1000.0 / CALM.0 as f64),
    }
}

/// A group of so many clients that all agree.
fn found(nodes: usize) -> (Town, GroupId) {
    let now = Time::from_system();
    let mut town = Town::new(now);
    for _ in 0..nodes {
        town.join(in_memory(CLASSICAL, now));
    }
    let group = town
        .engine(0)
        .create_group(now, "garden", CLASSICAL, policy(CLASSICAL))
        .expect("a new group");
    for other in 1..nodes {
        let address = town.engine(other).address();
        town.engine(0).intend(now, group, Intent::Invite(address)).expect("a member");
    }
    town.drain(0);
    town.pass_until(LOOK, PATIENCE, |town| agreed(town, nodes, group).is_some())
        .expect("a group that all are in");
    town.pass(Span::seconds(60));
    (town, group)
}

/// The state that all clients are in, if it is the same and has them all.
fn agreed(town: &mut Town, nodes: usize, group: GroupId) -> Option<StateId> {
    let now = town.now;
    let mut state = None;
    for who in 0..nodes {
        let view = town.engine(who).view(now, group);
        town.drain(who);
        let GroupView { state: held, members, active, .. } = view.ok()?;
        if !active || members.len() != nodes || state.is_some_and(|state| state != held) {
            return None;
        }
        state = Some(held);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_group_finds_together() {
        let convergence = measure(Parts { nodes: 6, parts: 3 }, 3);
        assert!(convergence.seconds.is_some(), "{convergence:?}");
        assert!(convergence.messages > 0);
        assert_eq!(convergence.heights.len(), 3);
    }
}
