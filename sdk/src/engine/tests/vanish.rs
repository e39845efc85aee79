//! Those whom somebody was to tell, who then vanished.

use super::*;

/// Whether a node has a member.
fn has(town: &mut Town, node: usize, group: GroupId, other: usize) -> bool {
    let (now, address) = (town.now, town.nodes[other].engine.address());
    let view = town.nodes[node].engine.view(now, group).unwrap();
    assert!(view.active);
    view.members.iter().any(|member| member.address == address)
}

#[test]
fn who_has_left_says_so_to_those_who_have_not_heard() {
    let mut town = Town::new(4);
    let group = town.found();
    town.nodes[2].side = 1;
    town.nodes[3].side = 1;
    let leave = town.intend(2, group, Intent::Leave);
    town.pass(Span::seconds(120));
    assert_eq!(town.outcome(2, group, leave), Outcome::Done);
    // The only one who knows is never heard again.
    town.nodes[3].side = 2;
    assert!(has(&mut town, 0, group, 2));
    town.nodes[2].side = 0;
    town.pass(Span::seconds(300));
    assert!(!has(&mut town, 0, group, 2) && !has(&mut town, 1, group, 2));
    assert!(!town.is_in(2, group));
}

#[test]
fn who_never_got_his_welcome_is_added_anew() {
    let mut town = Town::new(4);
    let now = town.now;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let [one, two, three] = [1, 2, 3].map(|node| town.nodes[node].engine.address());
    town.intend(0, group, Intent::Invite(one));
    town.intend(0, group, Intent::Invite(two));
    town.pass(Span::seconds(30));
    town.nodes[1].events.clear();
    town.intend(0, group, Intent::Invite(three));
    let added = |event: &Event| match event {
        Event::Changed { change, .. } => matches!(change.what[..], [Changed::Added(..)]),
        _ => false,
    };
    while !town.nodes[1].events.iter().any(added) {
        town.pass(Span(1));
    }
    // Before the Welcome has gone out.
    town.nodes[0].side = 1;
    town.pass(Span::seconds(30));
    assert!(has(&mut town, 1, group, 3) && !town.is_in(3, group));
    town.pass(Span::seconds(300));
    assert!(has(&mut town, 3, group, 1));
    town.say(3, group, "here at last");
    town.pass(Span::seconds(10));
    assert_eq!(town.texts(1, group), ["here at last"]);
}

#[test]
fn who_was_put_out_on_a_side_that_is_given_up_is_asked_back() {
    let mut town = Town::new(6);
    let group = town.found();
    let five = town.nodes[5].engine.address();
    for (node, side) in [(2, 1), (3, 1), (4, 1), (5, 2)] {
        town.nodes[node].side = side;
    }
    town.intend(0, group, Intent::Remove(five));
    for _ in 0..12 {
        town.intend(1, group, Intent::Rotate);
        town.intend(3, group, Intent::Rotate);
        town.pass(Span::seconds(330));
    }
    town.nodes[5].side = 0;
    town.pass(Span::seconds(120));
    assert!(!town.is_in(5, group));
    // Who removed him is never heard again, and cannot do it once more.
    town.nodes[0].side = 3;
    for node in 1..6 {
        town.nodes[node].side = 0;
    }
    town.pass(Span::seconds(600));
    for node in 1..5 {
        assert!(has(&mut town, node, group, 5), "node {node}");
    }
    assert!(has(&mut town, 5, group, 1));
}
