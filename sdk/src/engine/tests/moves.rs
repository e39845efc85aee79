//! Groups that move, and those who did not see it.

use super::*;

/// A group of six moves to a suite while two are cut off, by a right that the second got meanwhile from the
/// owner. Then some of the four are heard no more. Tells which of the two and the second are in the
/// successor in the end, and which in the old group.
fn move_without(silent: &[usize], suite: Ciphersuite) -> [[bool; 3]; 2] {
    let mut town = Town::new(6);
    let group = town.found();
    (town.nodes[4].side, town.nodes[5].side) = (1, 1);
    let second = town.nodes[1].engine.address();
    town.intend(0, group, Intent::SetRole(second, Role::Owner));
    town.pass(Span::seconds(20));
    town.intend(1, group, Intent::Migrate(suite));
    town.pass(Span::seconds(300));
    let next = town.successor(1, group).unwrap();
    silent.iter().for_each(|node| town.nodes[*node].side = 2);
    (town.nodes[4].side, town.nodes[5].side) = (0, 0);
    town.pass(Span::seconds(900));
    [next, group].map(|group| [4, 5, 1].map(|node| town.is_in(node, group)))
}

#[test]
fn a_move_is_believed_that_half_of_the_people_point_to() {
    assert_eq!(move_without(&[0], OTHER), [[true; 3], [false; 3]]);
    assert_eq!(move_without(&[0, 2], OTHER), [[false, false, true], [true, true, false]]);
}

#[test]
fn who_is_alone_in_a_successor_goes_back_unless_it_protects_more() {
    assert_eq!(move_without(&[0, 2, 3], OTHER), [[false; 3], [true; 3]]);
    assert_eq!(move_without(&[0, 2, 3], HYBRID), [[false, false, true], [true, true, false]]);
}

#[test]
fn what_a_successor_has_to_protect_against_outlives_a_restart() {
    let mut town = Town::new(2);
    let group = town.found();
    town.intend(0, group, Intent::Migrate(OTHER));
    town.pass(Span::seconds(200));
    assert!(town.successor(1, group).is_some());
    let now = town.now;
    let engine = &mut town.nodes[1].engine;
    // Read from the store anew.
    engine.groups.insert(group, None);
    let takes = |suite| {
        engine.with_group(now, group, |group, core| group.takes(core, suite)).unwrap().unwrap()
    };
    assert_eq!([SUITE, OTHER, HYBRID].map(takes), [true, true, true]);
}

#[test]
fn the_topic_of_a_successor_follows_from_its_name() {
    let mut town = Town::new(2);
    let group = town.found();
    town.intend(0, group, Intent::Migrate(OTHER));
    town.pass(Span::seconds(200));
    let next = town.successor(0, group).unwrap();
    let now = town.now;
    for node in &mut town.nodes {
        let engine = &mut node.engine;
        let mut topic =
            |id| engine.with_group(now, id, |group, _| Ok(group.record.topic)).unwrap().unwrap();
        let (old, new) = (topic(group), topic(next));
        let text = [&b"trellis successor topic v1"[..], &old.0, &next.0].concat();
        assert_eq!(new.0, engine.core.hash(&text));
        assert!(node.topics.contains(&new));
    }
}
