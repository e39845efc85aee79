//! Coming in: when a Welcome leaves, and which Welcomes and trees are taken.

use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner, TrellisStorage};

use super::*;
use crate::engine::mls::{self, Changes, Leaf, Snapshot};
use crate::engine::rules::{GroupRules, Use};
use crate::identity::LeafIdentity;
use crate::{Address, DeviceId, Topic};

#[test]
fn a_welcome_waits_until_its_commit_has_settled() {
    let mut town = Town::new(2);
    let now = town.now;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let address = town.nodes[1].engine.address();
    town.intend(0, group, Intent::Invite(address));
    let mut first = |node: usize, wanted: fn(&Event) -> bool| {
        while !town.nodes[node].events.iter().any(wanted) {
            town.pass(Span::millis(50));
            assert!(town.now.since(now) < Span::seconds(60));
        }
        town.now
    };
    let committed = first(0, |event| match event {
        Event::Changed { change, .. } => matches!(change.what[..], [Changed::Added(..)]),
        _ => false,
    });
    let joined = first(1, |event| matches!(event, Event::Joined { .. }));
    // It was looked at twenty times a second.
    assert!(joined >= committed + Span(policy().settle.0 - 50));
}

/// A leaf that no account vouches for: nobody judges it here.
fn leaf(number: u8) -> Leaf {
    Leaf {
        identity: LeafIdentity { address: Address([number; 32]), device: DeviceId([number; 32]) },
        signer: TrellisSigner::generate(HYBRID).unwrap(),
        suites: vec![HYBRID],
        lifetime: openmls::prelude::Lifetime::default(),
    }
}

/// A group with a floor in which one has invited another: the private keys of the other, the Welcome, and
/// the trees before and after.
fn invited(floor: Floor) -> (TrellisStorage, Vec<u8>, [Vec<u8>; 2]) {
    let crypto = TrellisCrypto::default();
    let policy = Policy { floor, ..Policy::default() };
    let rules = GroupRules::new(Topic([1; 32]), "garden", policy, Address([1; 32]));
    let (alice, bob) = (leaf(1), leaf(2));
    let group = GroupId([3; 32]);
    let founded = Snapshot::found(&crypto, (&alice, 1), group, HYBRID, &rules).unwrap();
    let (_, key_package, keys) = mls::key_package(&crypto, &bob, HYBRID, 1, Use::Once).unwrap();
    let (key_package, _) = mls::check_key_package(&crypto, HYBRID, &key_package).unwrap();
    let changes = Changes { add: vec![key_package], ..Changes::default() };
    let made = founded.commit(&alice, changes).unwrap();
    let trees = [founded.tree().unwrap(), made.child.tree().unwrap()];
    (keys, made.welcome.unwrap(), trees)
}

#[test]
fn a_joiner_takes_no_tree_but_that_of_its_welcome() {
    let (keys, welcome, [before, after]) = invited(Floor::HYBRID_CONFIDENTIALITY);
    let open =
        || mls::open_welcome(&TrellisCrypto::default(), keys.clone(), &welcome, &[]).unwrap();
    for tree in [before, after[..after.len() - 1].to_vec(), Vec::new()] {
        assert!(open().join(&tree).is_err());
    }
    assert_eq!(open().join(&after).unwrap().1, 0);
}

#[test]
fn a_group_below_its_own_floor_is_not_joined() {
    let (keys, welcome, _) = invited(Floor::POST_QUANTUM);
    let refused = mls::open_welcome(&TrellisCrypto::default(), keys, &welcome, &[]);
    assert!(refused.is_err_and(|refused| refused.to_string().contains("below the floor")));
}
