//! The devices of an account: linking, revoking, coming back from a backup.

use std::path::PathBuf;

use super::*;
use crate::engine::{EngineError, Failure, Linking};
use crate::identity::{AccountKeys, IdentityError, Revocation};
use crate::store::{Key, StoreOptions};
use crate::wire::{self, Inbox};
use crate::{Address, DeviceId};

fn config() -> Config {
    let lifetime = (1 << 30, 1 << 30);
    Config { suites: vec![SUITE, HYBRID], lifetime, ..Config::default() }
}

fn linking() -> Linking {
    Linking::open(Store::in_memory().unwrap(), TrellisCrypto::default(), config()).unwrap()
}

impl Town {
    fn move_in(&mut self, engine: Engine) -> usize {
        self.nodes.push(Node::new(engine));
        self.deliver();
        self.nodes.len() - 1
    }

    /// Another engine in the place of a node's, whose store is returned.
    fn replace(&mut self, node: usize, engine: Engine) -> Store {
        let node = &mut self.nodes[node];
        node.topics.clear();
        node.events.clear();
        std::mem::replace(&mut node.engine, engine).into_store()
    }

    fn vacant(&self) -> Engine {
        let store = Store::in_memory().unwrap();
        Engine::open(store, TrellisCrypto::default(), self.now, config()).unwrap()
    }

    pub(super) fn restart(&mut self, node: usize) {
        let store = self.replace(node, self.vacant());
        let engine = Engine::open(store, TrellisCrypto::default(), self.now, config()).unwrap();
        drop(self.replace(node, engine));
        self.deliver();
    }

    fn link(&mut self, first: usize) -> usize {
        let new = linking();
        let now = self.now;
        let grant = self.nodes[first].engine.approve_device(now, new.request()).unwrap();
        self.move_in(new.complete(now, &grant).unwrap())
    }

    fn device(&self, node: usize) -> DeviceId {
        self.nodes[node].engine.device()
    }

    fn address(&self, node: usize) -> Address {
        self.nodes[node].engine.address()
    }

    fn members(&mut self, node: usize, group: GroupId) -> BTreeSet<DeviceId> {
        let view = self.nodes[node].engine.view(self.now, group).unwrap();
        view.members.iter().map(|member| member.device).collect()
    }

    fn tell(&mut self, node: usize, inbox: &Inbox) {
        let topic = self.nodes[node].engine.inbox;
        self.nodes[node].engine.receive(self.now, topic, &wire::encode(inbox)).unwrap();
        self.deliver();
    }

    fn has(&self, node: usize, event: &Event) -> bool {
        self.nodes[node].events.contains(event)
    }

    fn backup(&mut self, node: usize, name: &str) -> Backup {
        let path = std::env::temp_dir().join(format!("trellis-{}-{name}", std::process::id()));
        self.nodes[node].engine.store_mut().backup(&path, &Backup::key()).unwrap();
        Backup(path)
    }
}

struct Backup(PathBuf);

impl Backup {
    fn key() -> Key {
        Key::raw([7; 32])
    }

    fn open(&self) -> Store {
        Store::open(&self.0, &Self::key(), StoreOptions::default()).unwrap()
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        for suffix in ["", "-lock", "-journal"] {
            let mut file = self.0.clone().into_os_string();
            file.push(suffix);
            let _ = std::fs::remove_file(file);
        }
    }
}

#[test]
fn a_second_device_is_linked_and_stays_so_whenever_one_of_them_stops() {
    let mut town = Town::new(2);
    let group = town.found();
    let crypto = TrellisCrypto::default();
    let new = linking();
    let (request, code) = (new.request().clone(), new.comparison_code());
    assert_eq!(code, request.comparison_code(&crypto));

    // It stops and asks the same again.
    let store = new.into_store();
    assert!(Linking::is_pending(&store).unwrap());
    let new = Linking::open(store, crypto.clone(), config()).unwrap();
    assert_eq!(new.request().encode(), request.encode());

    // The first device stops before the grant got through, and grants the same again.
    let now = town.now;
    let grant = town.nodes[0].engine.approve_device(now, &request).unwrap();
    town.restart(0);
    let again = town.nodes[0].engine.approve_device(now + Span(5), &request).unwrap();
    assert_eq!(grant, again);
    assert_eq!(new.account(&grant).unwrap(), town.address(0));

    let store = new.complete(now, &grant).unwrap().into_store();
    assert!(!Linking::is_pending(&store).unwrap());
    let engine = Engine::open(store, crypto, now, config()).unwrap();
    let second = town.move_in(engine);
    town.pass(Span::seconds(100));
    town.agree(group, &[0, 1, 2]);
    assert_eq!(town.address(second), town.address(0));
    for node in 0..3 {
        town.say(node, group, &format!("from {node}"));
        town.pass(Span::seconds(5));
    }
    for node in 0..3 {
        assert_eq!(town.texts(node, group), ["from 0", "from 1", "from 2"]);
    }
}

#[test]
fn a_store_that_waits_for_a_grant_is_not_an_account_yet() {
    let crypto = TrellisCrypto::default();
    let now = Time::from_system();
    let store = linking().into_store();
    let opened = Engine::open(store, crypto.clone(), now, config());
    assert!(matches!(opened, Err(EngineError::NotLinked)));
    let engine = Engine::open(Store::in_memory().unwrap(), crypto.clone(), now, config()).unwrap();
    let opened = Linking::open(engine.into_store(), crypto, config());
    assert!(matches!(opened, Err(EngineError::Linked)));
}

#[test]
fn groups_of_later_have_all_devices_whoever_founds_them_and_invites() {
    let mut town = Town::new(2);
    let second = town.link(0);
    let third = town.link(0);
    town.pass(Span::seconds(5));
    // The second was there before the third, and has met it.
    assert_eq!(town.nodes[second].engine.devices().unwrap().len(), 3);
    assert_eq!(town.nodes[third].engine.devices().unwrap().len(), 3);
    let now = town.now;
    for founder in [0, third] {
        let engine = &mut town.nodes[founder].engine;
        let group = engine.create_group(now, "garden", SUITE, policy()).unwrap();
        town.pass(Span::seconds(20));
        town.agree(group, &[0, second, third]);
    }
    let group = town.nodes[1].engine.create_group(now, "orchard", SUITE, policy()).unwrap();
    let address = town.address(0);
    town.intend(1, group, Intent::Invite(address));
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1, second, third]);
}

#[test]
fn a_device_that_was_away_when_its_account_was_invited_comes_in_by_the_others() {
    let mut town = Town::new(2);
    let second = town.link(0);
    town.nodes[second].side = 1;
    let now = town.now;
    let group = town.nodes[1].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let address = town.address(0);
    town.intend(1, group, Intent::Invite(address));
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1]);
    town.nodes[second].side = 0;
    town.pass(Span::seconds(200));
    town.agree(group, &[0, 1, second]);
    // All are in: there is nothing to wait for.
    let invite = town.intend(0, group, Intent::Invite(address));
    town.pass(Span::seconds(1));
    assert_ne!(town.outcome(0, group, invite), Outcome::Pending);
}

#[test]
fn an_invitation_of_the_own_account_waits_until_all_devices_are_in() {
    let mut town = Town::new(1);
    let (second, third) = (town.link(0), town.link(0));
    town.nodes[third].side = 1;
    let now = town.now;
    let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
    let address = town.address(0);
    let invite = town.intend(0, group, Intent::Invite(address));
    town.pass(Span::seconds(60));
    town.agree(group, &[0, second]);
    assert_eq!(town.outcome(0, group, invite), Outcome::Pending);
    town.nodes[third].side = 0;
    town.pass(Span::seconds(200));
    town.agree(group, &[0, second, third]);
    assert_eq!(town.outcome(0, group, invite), Outcome::Done);
}

#[test]
fn forged_requests_and_grants_are_refused() {
    let mut town = Town::new(1);
    let (now, new, other) = (town.now, linking(), linking());
    // A request with a signature of another.
    let mut forged = new.request().encode();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = crate::identity::LinkRequest::decode(&forged).unwrap();
    let refused = town.nodes[0].engine.approve_device(now, &forged);
    assert!(matches!(refused, Err(EngineError::Identity(IdentityError::Signature(_)))));
    assert_eq!(town.nodes[0].engine.devices().unwrap().len(), 1);

    let grant = town.nodes[0].engine.approve_device(now, new.request()).unwrap();
    let refused = other.account(&grant);
    assert!(matches!(refused, Err(EngineError::Identity(IdentityError::OtherRequest))));
    for place in (0..grant.len()).step_by(97).chain([grant.len() - 1]) {
        let mut forged = grant.clone();
        forged[place] ^= 1;
        assert!(new.account(&forged).is_err(), "byte {place}");
    }
    assert!(new.account(&grant[..grant.len() - 1]).is_err());
    // The failed attempts have changed nothing.
    let second = new.complete(now, &grant).unwrap();
    assert_eq!(second.address(), town.address(0));
}

#[test]
fn only_the_first_device_approves_and_revokes() {
    let mut town = Town::new(2);
    let second = town.link(0);
    let (now, first, foreign) = (town.now, town.device(0), town.device(1));
    let engine = &mut town.nodes[second].engine;
    assert!(!engine.has_account_keys().unwrap());
    let approved = engine.approve_device(now, linking().request());
    assert!(matches!(approved, Err(EngineError::NoAccountKeys)));
    assert!(matches!(engine.revoke_device(now, first), Err(EngineError::NoAccountKeys)));
    for device in [first, foreign] {
        let revoked = town.nodes[0].engine.revoke_device(now, device);
        assert!(matches!(revoked, Err(EngineError::NoDevice)));
    }
}

#[test]
fn a_revoked_device_is_out_and_stops() {
    let mut town = Town::new(2);
    let (second, third) = (town.link(0), town.link(0));
    let group = {
        let now = town.now;
        let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
        let address = town.address(1);
        town.intend(0, group, Intent::Invite(address));
        town.pass(Span::seconds(30));
        group
    };
    town.agree(group, &[0, 1, second, third]);
    let (now, gone) = (town.now, town.device(second));
    town.say(1, group, "before");
    town.pass(Span::seconds(3));
    let revocation = town.nodes[0].engine.revoke_device(now, gone).unwrap();
    assert!(Revocation::decode(&revocation).is_ok());
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1, third]);
    town.say(1, group, "after");
    town.pass(Span::seconds(10));
    assert_eq!(town.texts(third, group), ["before", "after"]);
    assert_eq!(town.texts(second, group), ["before"]);
    assert!(town.has(second, &Event::Revoked));
    for node in [0, third] {
        assert_eq!(town.nodes[node].engine.devices().unwrap().len(), 2);
    }
    // It stays so.
    town.restart(second);
    assert!(town.has(second, &Event::Revoked));
    let now = town.now;
    let engine = &mut town.nodes[second].engine;
    let founded = engine.create_group(now, "mine", SUITE, policy());
    assert!(matches!(founded, Err(EngineError::Revoked)));
    assert!(engine.send(now, group, Message::text("me")).is_err());
    assert!(engine.store_mut().states(group).unwrap().is_empty());
    // For good.
    let add = town.intend(0, group, Intent::AddDevice(gone));
    town.pass(Span::seconds(10));
    assert_eq!(town.outcome(0, group, add), Outcome::Failed(Failure::Revoked));
}

#[test]
fn a_revoked_device_that_does_not_hear_of_it_reads_nothing_and_is_not_invited() {
    let mut town = Town::new(2);
    let group = town.found();
    let second = town.link(0);
    town.pass(Span::seconds(100));
    town.agree(group, &[0, 1, second]);
    let gone = town.device(second);
    town.nodes[second].side = 1;
    let now = town.now;
    town.nodes[0].engine.revoke_device(now, gone).unwrap();
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1]);
    town.say(1, group, "after");
    town.nodes[second].side = 0;
    town.pass(Span::seconds(60));
    town.say(1, group, "later");
    town.pass(Span::seconds(30));
    assert!(!town.has(second, &Event::Revoked));
    assert!(town.texts(second, group).is_empty());
    // It answers whoever invites, and so does the first device.
    let now = town.now;
    let address = town.address(0);
    // The first time its answer comes before the revocation, the second time after it.
    for name in ["orchard", "meadow"] {
        let now = town.now;
        let other = town.nodes[1].engine.create_group(now, name, SUITE, policy()).unwrap();
        town.intend(1, other, Intent::Invite(address));
        town.pass(Span::seconds(30));
        town.agree(other, &[0, 1]);
        // Nor was it in for a moment, until the first device removed it.
        assert!(!town.nodes[1].events.iter().any(|event| match event {
            Event::Changed { group, change } if *group == other => {
                change.what.contains(&crate::engine::Changed::Added(address, gone))
            }
            _ => false,
        }));
    }
    // Told again, it stops.
    town.nodes[0].engine.revoke_device(now, gone).unwrap();
    town.pass(Span::seconds(5));
    assert!(town.has(second, &Event::Revoked));
}

#[test]
fn forged_revocations_are_refused() {
    let mut town = Town::new(2);
    let group = town.found();
    let second = town.link(0);
    town.pass(Span::seconds(100));
    let (now, device) = (town.now, town.device(second));
    // Somebody else says so.
    let stranger = AccountKeys::generate(&TrellisCrypto::default()).unwrap();
    let foreign = stranger.revoke(device, now).unwrap().encode();
    // And with a signature that is not the account's.
    let mut changed = {
        let store = town.nodes[0].engine.store_mut();
        let keys = store.get(crate::store::Space::Account, &[], b"keys").unwrap().unwrap();
        let account = AccountKeys::from_bytes(&TrellisCrypto::default(), &keys).unwrap();
        account.revoke(device, now).unwrap().encode()
    };
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for bytes in [foreign, changed] {
        for node in [0, 1, second] {
            town.tell(node, &Inbox::Revocation(bytes.clone().into()));
        }
    }
    town.pass(Span::seconds(30));
    town.agree(group, &[0, 1, second]);
    assert_eq!(town.nodes[0].engine.devices().unwrap().len(), 2);
    assert!(!town.has(second, &Event::Revoked));
}

#[test]
fn whatever_write_fails_the_same_approval_and_revocation_succeed_later() {
    for failing in 1.. {
        let mut town = Town::new(1);
        let now = town.now;
        let group = town.nodes[0].engine.create_group(now, "garden", SUITE, policy()).unwrap();
        let new = linking();
        town.nodes[0].engine.store_mut().fail_at(failing);
        let engine = &mut town.nodes[0].engine;
        let approved = engine.approve_device(now, new.request()).is_ok();
        let device = engine.devices().unwrap().into_iter().find(|d| *d != engine.device());
        let revoked = device.is_none_or(|device| engine.revoke_device(now, device).is_ok());
        town.nodes[0].engine.store_mut().fail_at(0);
        town.restart(0);
        if approved && revoked {
            assert!(failing > 4);
            return;
        }
        if device.is_none() {
            let grant = town.nodes[0].engine.approve_device(now, new.request()).unwrap();
            let node = town.move_in(new.complete(now, &grant).unwrap());
            town.pass(Span::seconds(100));
            town.agree(group, &[0, node]);
            let device = town.device(node);
            let now = town.now;
            town.nodes[0].engine.revoke_device(now, device).unwrap();
            town.pass(Span::seconds(20));
            assert!(town.has(node, &Event::Revoked));
        } else if let Some(device) = device {
            let engine = &mut town.nodes[0].engine;
            engine.revoke_device(now, device).unwrap();
            let again = engine.approve_device(now, new.request());
            assert!(matches!(again, Err(EngineError::Revoked)));
        }
    }
}

#[test]
fn a_restored_device_comes_back_as_a_new_one() {
    let mut town = Town::new(3);
    let group = town.found();
    let admin = town.address(1);
    town.intend(0, group, Intent::SetRole(admin, Role::Admin));
    town.say(0, group, "before");
    town.pass(Span::seconds(30));
    let (old, address) = (town.device(0), town.address(0));
    let backup = town.backup(0, "restored");
    town.say(1, group, "while away");
    town.pass(Span::seconds(30));
    town.say(0, group, "never in the backup");
    town.pass(Span::seconds(30));

    let store = backup.open();
    let states = store.states(group).unwrap();
    assert!(!states.is_empty());
    let now = town.now;
    let mut engine = Engine::restore(store, TrellisCrypto::default(), now, config()).unwrap();
    assert_eq!(engine.address(), address);
    assert_ne!(engine.device(), old);
    assert!(engine.store_mut().states(group).unwrap().is_empty());
    assert!(engine.send(now, group, Message::text("too early")).is_err());
    drop(town.replace(0, engine));
    assert_eq!(town.texts(0, group), ["before"]);
    town.deliver();
    let new = town.device(0);
    town.pass(Span::seconds(60));
    town.agree(group, &[0, 1, 2]);
    assert!(!town.members(1, group).contains(&old));
    let restored = Event::Restored { group, account: address, device: new };
    assert_eq!(town.nodes[2].events.iter().filter(|event| **event == restored).count(), 1);
    // It is who it was.
    let view = town.nodes[1].engine.view(town.now, group).unwrap();
    let member = view.members.iter().find(|member| member.device == new).unwrap();
    assert!(member.role == Role::Owner && member.verified);

    town.say(2, group, "welcome back");
    town.say(0, group, "here I am");
    town.pass(Span::seconds(20));
    for (node, count) in [(0, 3), (1, 5), (2, 5)] {
        let texts = town.texts(node, group);
        assert_eq!(texts.len(), count, "{texts:?}");
        assert!(texts.contains(&"welcome back".into()) && texts.contains(&"here I am".into()));
    }
    // The call has ended, and no state of the backup was gone on with.
    town.pass(Span::seconds(20));
    assert_eq!(town.nodes[0].engine.next_call(), None);
    let now_states = town.nodes[0].engine.store_mut().states(group).unwrap();
    assert!(now_states.iter().all(|state| !states.contains(state)));
}

#[test]
fn whom_the_owner_brings_back_keeps_its_role_though_the_old_device_goes_at_once() {
    let mut town = Town::new(3);
    let group = town.found();
    let address = town.address(2);
    town.intend(0, group, Intent::SetRole(address, Role::Admin));
    town.pass(Span::seconds(30));
    let (old, backup) = (town.device(2), town.backup(2, "role"));
    let now = town.now;
    let engine = Engine::restore(backup.open(), TrellisCrypto::default(), now, config()).unwrap();
    drop(town.replace(2, engine));
    town.pass(Span::seconds(60));
    town.agree(group, &[0, 1, 2]);
    let new = town.device(2);
    let at_once = town.nodes[1].events.iter().any(|event| match event {
        Event::Changed { change, .. } => {
            let what = &change.what;
            what.contains(&crate::engine::Changed::Added(address, new))
                && what.contains(&crate::engine::Changed::Removed(address, old))
        }
        _ => false,
    });
    assert!(at_once);
    let view = town.nodes[1].engine.view(town.now, group).unwrap();
    assert!(view.members.iter().any(|m| m.device == new && m.role == Role::Admin));
}

#[test]
fn a_restored_device_comes_back_by_another_device_of_its_account() {
    let mut town = Town::new(2);
    let group = town.found();
    let second = town.link(0);
    town.pass(Span::seconds(100));
    let (old, backup) = (town.device(0), town.backup(0, "by-another"));
    let now = town.now;
    let engine = Engine::restore(backup.open(), TrellisCrypto::default(), now, config()).unwrap();
    drop(town.replace(0, engine));
    town.pass(Span::seconds(100));
    town.agree(group, &[0, 1, second]);
    assert!(!town.members(1, group).contains(&old));
    assert_eq!(town.nodes[second].engine.devices().unwrap().len(), 2);
}

#[test]
fn where_nobody_may_invite_it_back_the_members_are_told_and_no_more() {
    let mut town = Town::new(3);
    let group = town.found();
    let (old, backup) = (town.device(0), town.backup(0, "nobody"));
    let now = town.now;
    let engine = Engine::restore(backup.open(), TrellisCrypto::default(), now, config()).unwrap();
    drop(town.replace(0, engine));
    town.pass(Span::seconds(300));
    assert!(!town.is_in(0, group));
    assert!(town.members(1, group).contains(&old));
    let told = |event: &&Event| matches!(event, Event::Restored { .. });
    for node in [1, 2] {
        assert_eq!(town.nodes[node].events.iter().filter(told).count(), 1);
    }
    let now = town.now;
    assert!(town.nodes[0].engine.next_call().is_some_and(|next| next > now));
}

#[test]
fn who_was_put_out_does_not_come_back_by_a_backup() {
    let mut town = Town::new(3);
    let group = town.found();
    let backup = town.backup(2, "put-out");
    let address = town.address(2);
    town.intend(0, group, Intent::Remove(address));
    town.pass(Span::seconds(30));
    let now = town.now;
    let engine = Engine::restore(backup.open(), TrellisCrypto::default(), now, config()).unwrap();
    drop(town.replace(2, engine));
    town.pass(Span::seconds(100));
    town.agree(group, &[0, 1]);
    assert!(!town.is_in(2, group));
}

#[test]
fn a_backup_without_the_accounts_keys_asks_the_first_device() {
    let mut town = Town::new(2);
    let group = town.found();
    let second = town.link(0);
    town.pass(Span::seconds(100));
    town.say(1, group, "before");
    town.pass(Span::seconds(10));
    let old = town.device(second);
    let backup = town.backup(second, "second");
    let (now, crypto) = (town.now, TrellisCrypto::default());
    let refused = Engine::restore(backup.open(), crypto.clone(), now, config());
    assert!(matches!(refused, Err(EngineError::NoAccountKeys)));
    let new = Linking::restore(backup.open(), crypto.clone(), now, config()).unwrap();
    // Only its own account can approve.
    let foreign = town.nodes[1].engine.approve_device(now, new.request()).unwrap();
    let refused = new.account(&foreign);
    assert!(matches!(refused, Err(EngineError::Identity(IdentityError::WrongAccount))));
    let grant = town.nodes[0].engine.approve_device(now, new.request()).unwrap();
    drop(town.replace(second, new.complete(now, &grant).unwrap()));
    town.nodes[0].engine.revoke_device(now, old).unwrap();
    town.pass(Span::seconds(100));
    town.agree(group, &[0, 1, second]);
    assert_eq!(town.texts(second, group), ["before"]);
    town.say(0, group, "after");
    town.pass(Span::seconds(10));
    assert_eq!(town.texts(second, group), ["before", "after"]);
}
