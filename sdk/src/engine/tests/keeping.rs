//! What others keep for a device while it is away.

use super::*;
use crate::directory::{self, BoxAt};
use crate::wire;

fn pools(keeper: u64, left: &[(Ciphersuite, u32)]) -> Pools {
    Pools { keeper, left: left.iter().map(|(suite, left)| ((*suite).into(), *left)).collect() }
}

/// What a node deposits when somebody says how many it has.
fn deposits(town: &mut Town, node: usize, pools: &Pools) -> Vec<Deposit> {
    town.nodes[node].deposits.clear();
    town.nodes[node].engine.pools(town.now, pools).unwrap();
    town.deliver();
    std::mem::take(&mut town.nodes[node].deposits)
}

/// The last secret that a node has had a group kept with.
fn secret(town: &Town, node: usize, topic: Topic) -> Vec<u8> {
    let keeps = town.nodes[node].keeps.iter().rev();
    let keep = keeps.filter(|keep| keep.kind != KeepKind::Account).find(|keep| keep.topic == topic);
    keep.expect("the group is kept").secret.to_vec()
}

#[test]
fn what_a_joiner_needs_is_left_where_he_looks_for_it() {
    let mut town = Town::new(2);
    let given = deposits(&mut town, 1, &pools(1, &[])).remove(0);
    // Nobody keeps anything for who invites, and so for nobody else.
    invite_by(&mut town, &given.one_time[0]);
    town.pass(Span::seconds(10));
    assert_eq!(town.nodes[0].for_others, []);

    deposits(&mut town, 0, &pools(1, &[]));
    town.nodes[1].keeps.clear();
    invite_by(&mut town, &given.one_time[1]);
    town.pass(Span::seconds(10));
    let [others] = &town.nodes[0].for_others[..] else { panic!("it is left once") };
    assert!(!others.envelopes.is_empty());
    // Before he is in, and once he is.
    let keeps = town.nodes[1].keeps.iter().filter(|keep| keep.topic == others.topic);
    let secrets: Vec<_> = keeps.map(|keep| keep.secret.to_vec()).collect();
    assert_eq!(secrets, vec![others.secret.to_vec(); 2]);
}

/// The only Welcome that node 0 has under way, as it is sent.
fn welcome(town: &mut Town, group: GroupId) -> Vec<u8> {
    let welcome = town.nodes[0].engine.with_group(town.now, group, |group, _| {
        let [welcome] = group.welcomes.values().collect::<Vec<_>>()[..] else { panic!("one") };
        Ok(wire::encode(&wire::Inbox::Welcome(welcome.bytes.clone())))
    });
    welcome.unwrap().unwrap()
}

#[test]
fn who_comes_in_by_what_was_left_needs_nobody_and_knows_who_is_there() {
    let mut town = Town::new(3);
    let given = deposits(&mut town, 2, &pools(1, &[])).remove(0);
    deposits(&mut town, 0, &pools(1, &[]));
    // For good.
    town.nodes[2].side = 1;
    let group = town.found();
    town.agree(group, &[0, 1]);
    let now = town.now;
    town.nodes[0].engine.answered(now, &given.one_time[0]).unwrap();
    let left = town.nodes[0].for_others.len();
    town.pass(Span::seconds(10));
    let welcome = welcome(&mut town, group);
    let [others] = town.nodes[0].for_others.split_off(left).try_into().unwrap();

    let comer = &mut town.nodes[2].engine;
    comer.receive(now, comer.inbox, &welcome).unwrap();
    // Those of the bindings that come before the tree come again once he is in.
    for envelope in others.envelopes.iter().chain(&others.envelopes) {
        comer.receive(now, others.topic, envelope).unwrap();
    }
    town.deliver();
    assert!(town.is_in(2, group));
    let view = town.nodes[2].engine.view(now, group).unwrap();
    assert_eq!(view.members.len(), 3);
    assert!(view.members.iter().all(|member| member.verified), "{:?}", view.members);
}

#[test]
fn who_was_put_out_and_is_invited_again_comes_in_by_what_was_left() {
    let mut town = Town::new(2);
    deposits(&mut town, 0, &pools(1, &[]));
    let group = town.found();
    let given = deposits(&mut town, 1, &pools(1, &[])).remove(0);
    let address = town.nodes[1].engine.address();
    town.intend(0, group, Intent::Remove(address));
    town.pass(Span::seconds(60));
    assert!(!town.is_in(1, group));
    town.nodes[1].side = 1;
    town.intend(0, group, Intent::Invite(address));
    town.pass(Span::seconds(3));
    town.nodes[0].engine.answered(town.now, &given.one_time[0]).unwrap();
    town.pass(Span::seconds(20));
    let welcome = welcome(&mut town, group);
    let others = town.nodes[0].for_others.pop().unwrap();

    town.nodes[1].keeps.clear();
    let (now, comer) = (town.now, &mut town.nodes[1].engine);
    comer.receive(now, comer.inbox, &welcome).unwrap();
    town.deliver();
    let keep = &town.nodes[1].keeps[0];
    let expected = (others.topic, &others.secret, KeepKind::Invitation);
    assert_eq!((keep.topic, &keep.secret, keep.kind), expected);
    for envelope in &others.envelopes {
        town.nodes[1].engine.receive(now, others.topic, envelope).unwrap();
    }
    assert!(town.is_in(1, group));
    town.deliver();
    let keep = town.nodes[1].keeps.last().unwrap();
    assert_eq!(
        (keep.topic, &keep.secret, keep.kind),
        (others.topic, &others.secret, KeepKind::Group)
    );
}

#[test]
fn of_two_invitations_to_a_group_the_later_is_looked_up() {
    let mut town = Town::new(2);
    let given = deposits(&mut town, 1, &pools(1, &[])).remove(0);
    deposits(&mut town, 0, &pools(1, &[]));
    let mut welcomes = Vec::new();
    let (now, address) = (town.now, town.nodes[1].engine.address());
    town.nodes[1].side = 1;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    for answer in &given.one_time[..2] {
        town.intend(0, group, Intent::Invite(address));
        town.pass(Span::seconds(3));
        town.nodes[0].engine.answered(town.now, answer).unwrap();
        town.pass(Span::seconds(20));
        welcomes.push(welcome(&mut town, group));
        town.intend(0, group, Intent::Remove(address));
        town.pass(Span::seconds(60));
    }
    let left: Vec<_> =
        town.nodes[0].for_others.iter().map(|others| others.secret.to_vec()).collect();
    assert_eq!(left.len(), 2);
    town.nodes[1].keeps.clear();
    let looked = |town: &Town| -> Vec<_> {
        let of_groups = town.nodes[1].keeps.iter().filter(|keep| keep.kind != KeepKind::Account);
        of_groups.map(|keep| (keep.kind, keep.secret.to_vec())).collect()
    };
    for welcome in &welcomes {
        let (now, engine) = (town.now, &mut town.nodes[1].engine);
        engine.receive(now, engine.inbox, welcome).unwrap();
        town.pass(Span::seconds(1));
    }
    let both: Vec<_> = left.iter().map(|secret| (KeepKind::Invitation, secret.clone())).collect();
    assert_eq!(looked(&town), both);
    // Whichever is found first at the next start.
    town.nodes[1].keeps.clear();
    town.restart(1);
    assert_eq!(looked(&town).last(), both.last());
}

#[test]
fn who_lacks_key_packages_gets_them_once_and_in_time_again() {
    let mut town = Town::new(1);
    let first = deposits(&mut town, 0, &pools(1, &[]));
    let suites: Vec<_> = first.iter().map(|deposit| deposit.suite).collect();
    assert_eq!(suites, [SUITE, OTHER, HYBRID].map(u16::from));
    for deposit in &first {
        assert_eq!(deposit.one_time.len(), 4);
        assert!(deposit.last_resort.is_some() && deposit.expires > town.now);
    }
    // It may say so as often as it likes.
    assert_eq!(deposits(&mut town, 0, &pools(1, &[])), []);
    // Another gets others, but for the last resort.
    let other = deposits(&mut town, 0, &pools(2, &[]));
    assert_eq!(other[0].last_resort, first[0].last_resort);
    assert!(other[0].one_time.iter().all(|answer| !first[0].one_time.contains(answer)));
    assert!(other[0].serial > first[0].serial);
    town.pass(Span::seconds(3601));
    let full = [(SUITE, 3), (OTHER, 4), (HYBRID, 1)];
    let later = deposits(&mut town, 0, &pools(1, &full));
    assert_eq!(later.len(), 1);
    assert_eq!((later[0].suite, later[0].one_time.len()), (HYBRID.into(), 3));
}

/// Has node 0 invite node 1 by an answer that was left for it.
fn invite_by(town: &mut Town, answer: &[u8]) -> GroupId {
    let now = town.now;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let address = town.nodes[1].engine.address();
    // It is away when it is asked.
    town.nodes[1].side = 1;
    town.intend(0, group, Intent::Invite(address));
    town.pass(Span::seconds(3));
    town.nodes[0].engine.answered(town.now, answer).unwrap();
    town.pass(Span::seconds(1));
    town.nodes[1].side = 0;
    town.pass(Span::seconds(60));
    group
}

#[test]
fn a_key_package_that_was_left_brings_in_and_the_last_one_more_than_once() {
    let mut town = Town::new(2);
    let left = deposits(&mut town, 1, &pools(1, &[])).swap_remove(0);
    let group = invite_by(&mut town, &left.one_time[0]);
    town.agree(group, &[0, 1]);
    let last = left.last_resort.unwrap();
    for _ in 0..2 {
        let group = invite_by(&mut town, &last);
        town.agree(group, &[0, 1]);
        town.say(0, group, "here");
        town.pass(Span::seconds(5));
        assert_eq!(town.texts(1, group), ["here"]);
    }
    // It was used, so there is another one; Welcomes for it may still be under way.
    town.pass(Span::seconds(3601));
    let next = deposits(&mut town, 1, &pools(1, &[(SUITE, 4), (OTHER, 4), (HYBRID, 4)]));
    assert_eq!(next.len(), 1);
    assert!(next[0].one_time.is_empty() && next[0].last_resort.as_ref() != Some(&last));
    let group = invite_by(&mut town, &last);
    town.agree(group, &[0, 1]);
    // In the end they are not.
    let full = pools(1, &[(SUITE, 4), (OTHER, 4), (HYBRID, 4)]);
    for _ in 0..2 {
        town.now = town.now + Span::seconds(31 * 24 * 3600);
        deposits(&mut town, 1, &full);
    }
    let group = invite_by(&mut town, &last);
    assert!(!town.is_in(1, group));
}

#[test]
fn members_have_a_group_kept_with_one_secret_and_who_was_put_out_with_another() {
    let mut town = Town::new(3);
    let group = town.found();
    let now = town.now;
    let topic = town.nodes[0].engine.with_group(now, group, |group, _| Ok(group.record.topic));
    let topic = topic.unwrap().unwrap();
    let before: Vec<_> = (0..3).map(|node| secret(&town, node, topic)).collect();
    let address = town.nodes[2].engine.address();
    town.intend(0, group, Intent::Remove(address));
    town.pass(Span::seconds(120));
    let after: Vec<_> = (0..2).map(|node| secret(&town, node, topic)).collect();
    assert_eq!(after[0], after[1]);
    assert!(!before.contains(&after[0]));
    assert_eq!(secret(&town, 2, topic), before[2]);
    // Each device has a secret of its own for the topic of its account.
    let inboxes = town
        .nodes
        .iter()
        .map(|node| node.keeps.iter().find(|keep| keep.kind == KeepKind::Account).unwrap());
    let secrets: BTreeSet<_> = inboxes.map(|keep| keep.secret.to_vec()).collect();
    assert_eq!(secrets.len(), 3);
}

#[test]
fn what_was_kept_is_found_after_changes_and_a_restart() {
    let mut town = Town::new(3);
    let group = town.found();
    let now = town.now;
    let topic = town.nodes[0].engine.with_group(now, group, |group, _| Ok(group.record.topic));
    let topic = topic.unwrap().unwrap();
    let before = secret(&town, 1, topic);
    for name in ["orchard", "meadow"] {
        town.intend(0, group, Intent::Rename(name.into()));
        town.pass(Span::seconds(120));
    }
    town.nodes[1].keeps.clear();
    town.restart(1);
    assert_eq!(secret(&town, 1, topic), before);
}

#[test]
fn the_directory_gets_a_record_of_where_key_packages_are() {
    let mut town = Town::new(2);
    let crypto = TrellisCrypto::default();
    let at = BoxAt { address: vec![4; 20], mailbox: [1; 32], id: [2; 32] };
    let address = town.nodes[0].engine.address();
    let topic = directory::inbox(&crypto, &address);
    let boxes = Boxes { topic, boxes: vec![at.clone()] };
    let now = town.now;
    town.nodes[0].engine.boxes(now, &boxes).unwrap();
    // Of another's boxes it says nothing, nor of more than a record may name.
    town.nodes[1].engine.boxes(now, &boxes).unwrap();
    let many = Boxes { topic, boxes: vec![at.clone(); directory::MAX_BOXES + 1] };
    town.nodes[0].engine.boxes(now, &many).unwrap();
    town.deliver();
    assert!(town.nodes[1].records.is_empty());
    let [record] = &town.nodes[0].records[..] else { panic!("one record") };
    let record = directory::Record::decode(record).unwrap().verify(&crypto).unwrap();
    assert_eq!((record.address(), record.boxes()), (address, &[at][..]));
    assert_eq!(record.device(), town.nodes[0].engine.device());
}

#[test]
fn topics_of_ones_own_are_not_for_welcomes_to_have_kept_otherwise() {
    let mut town = Town::new(1);
    let now = town.now;
    let engine = &mut town.nodes[0].engine;
    engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let group = *engine.topics.keys().next().unwrap();
    assert!(engine.has_kept(&engine.inbox).unwrap() && engine.has_kept(&group).unwrap());
    assert!(!engine.has_kept(&Topic([9; 32])).unwrap());
}
