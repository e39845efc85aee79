//! The network goes away and is back.

use super::*;

#[test]
fn who_is_back_is_told_at_once_what_it_missed() {
    let mut town = Town::new(3);
    let group = town.found();
    town.pass(Span::seconds(60));
    town.nodes[2].side = 1;
    town.say(0, group, "frost tonight");
    town.pass(Span::seconds(60));
    assert!(town.texts(2, group).is_empty());
    town.nodes[2].side = 0;
    let now = town.now;
    town.nodes[2].engine.connected(now).unwrap();
    town.pass(Span::seconds(2));
    assert_eq!(town.texts(2, group), ["frost tonight"]);
}

#[test]
fn who_comes_and_goes_does_not_make_others_talk() {
    let mut town = Town::new(2);
    town.found();
    town.pass(Span::seconds(60));
    let before = town.messages;
    for _ in 0..200 {
        let now = town.now;
        town.nodes[0].engine.connected(now).unwrap();
        town.pass(Span::millis(50));
    }
    // Ten seconds, in which each says something once anyway, and the first one every two seconds.
    let said = town.messages - before;
    assert!((3..=12).contains(&said), "{said}");
}
