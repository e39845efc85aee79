//! The directory on nodes of libp2p on loopback: who is away is found by his records, at mailboxes.

#![cfg(feature = "libp2p")]

mod clients;
mod nodes;
mod offices;

use std::sync::Arc;
use std::time::Duration;

use clients::{Directory as Files, PASSPHRASE, cheap};
use nodes::{address, answer, builder, heard, question, settled, soon};
use offices::{Anything, Device, Keys, SUITE, ask, carry, key_package, office};
use openmls_trellis_crypto::TrellisCrypto;
use trellis_sdk::directory::{self, BoxAt, Found, Record, SLOTS};
use trellis_sdk::mailbox::client::{take, taken};
use trellis_sdk::mailbox::store::{MailStore, Memory};
use trellis_sdk::mailbox::wire::{Kind, LastResort};
use trellis_sdk::mailbox::{
    BoxId, Limits, MailboxAt, MailboxKeys, MailboxNode, Service, WithMailboxes,
};
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::{Libp2p, PeerId};
use trellis_sdk::{Client, Message, Span, Time};

/// Whether nothing is answered for longer than boxes are waited for.
async fn silence(node: &Libp2p) -> bool {
    tokio::time::timeout(Duration::from_secs(6), answer(node)).await.is_err()
}

#[tokio::test]
async fn one_time_key_packages_are_given_once_and_then_the_last_resort() {
    let office = office().await;
    let bob = Device::of(&office, None).await;
    let packages = vec![bob.package(b"one"), bob.package(b"two")];
    let last = bob.package(b"last");
    let mut session = bob.deposit(&office, [2; 32], packages.clone(), Some(last.clone())).await;
    bob.publish(vec![office.at(&session).await]).await;
    let topic = bob.topic();

    // As long as somebody answers who listens, no box is asked.
    let alice = office.guest().await;
    bob.node.subscribe(topic).await.unwrap();
    alice.ask(topic, key_package()).await.unwrap();
    let (asker, ..) = question(&bob.node).await;
    bob.node.answer(asker, b"here".to_vec()).await.unwrap();
    assert_eq!(answer(&alice).await, b"here");
    assert!(silence(&alice).await);
    let left = session.pools().run(|frame| carry(&bob.node, &office, frame)).await.unwrap();
    assert_eq!((left[0].one_time, left[0].last_resort), (2, LastResort::Unused));

    // The device is away.
    drop(bob);
    let mut given = vec![ask(&alice, topic).await, ask(&alice, topic).await];
    given.sort();
    let mut expected = packages;
    expected.sort();
    assert_eq!(given, expected);
    for _ in 0..2 {
        assert_eq!(ask(&alice, topic).await, last);
    }
    // The mailbox says which it is, to who takes it and to who left it there.
    let carry = |frame| carry(&alice, &office, frame);
    let taken = taken(&carry(take(session.box_id(), SUITE)).await.unwrap()).unwrap();
    assert_eq!(taken.kind, Kind::LastResort);
    let left = session.pools().run(carry).await.unwrap();
    assert_eq!((left[0].one_time, left[0].last_resort), (0, LastResort::Used));
}

#[tokio::test]
async fn all_devices_are_found_and_a_dead_box_is_passed_over() {
    let office = office().await;
    let bob = Device::of(&office, None).await;
    let phone = Device::of(&office, Some(bob.account.clone())).await;
    let topic = bob.topic();
    let nobody = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", PeerId::random());
    let nobody: trellis_sdk::transport::libp2p::Multiaddr = nobody.parse().unwrap();
    let dead = BoxAt { address: nobody.to_vec(), mailbox: [9; 32], id: [9; 32] };
    // A box of which the device says that it is its own, and that gives another's key package.
    let mallory = Device::of(&office, None).await;
    let wrong = mallory.deposit(&office, [7; 32], vec![mallory.package(b"wrong")], None).await;
    let wrong = office.at(&wrong).await;
    for (device, secret, text) in [(&bob, [3; 32], &b"bob"[..]), (&phone, [4; 32], b"phone")] {
        let session = device.deposit(&office, secret, vec![device.package(text)], None).await;
        let good = office.at(&session).await;
        device.publish(vec![dead.clone(), wrong.clone(), good]).await;
    }
    let alice = office.guest().await;
    alice.ask(topic, key_package()).await.unwrap();
    let mut given = vec![answer(&alice).await, answer(&alice).await];
    given.sort();
    let mut expected = vec![bob.package(b"bob"), phone.package(b"phone")];
    expected.sort();
    assert_eq!(given, expected);
    // Nothing is left; nor does who asks for something else get anything.
    alice.ask(topic, key_package()).await.unwrap();
    alice.ask(topic, vec![2]).await.unwrap();
    assert!(silence(&alice).await);
}

#[tokio::test]
async fn no_boxes_are_published_and_withdrawn() {
    let office = office().await;
    let bob = Device::of(&office, None).await;
    let session = bob.deposit(&office, [5; 32], vec![bob.package(b"one")], None).await;
    bob.publish(vec![office.at(&session).await]).await;
    // He has moved out: what was said before does not hold any more.
    tokio::time::sleep(Duration::from_millis(5)).await;
    bob.publish(Vec::new()).await;
    let alice = office.guest().await;
    alice.ask(bob.topic(), key_package()).await.unwrap();
    assert!(silence(&alice).await);

    let at = office.at(&session).await;
    let many = vec![at.clone(); directory::MAX_BOXES + 1];
    let long = BoxAt { address: vec![0; directory::MAX_ADDRESS + 1], ..at.clone() };
    let unnamed = BoxAt { address: vec![4, 127, 0, 0, 1, 6, 0, 1], ..at };
    let errors = [(many, "too-large"), (vec![long], "too-large"), (vec![unnamed], "address")];
    for (boxes, code) in errors {
        let error = bob.node.publish_boxes(bob.topic(), boxes).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    let long = vec![0; directory::MAX_RECORD + 1];
    assert_eq!(bob.node.announce(long).await.unwrap_err().code(), "too-large");
}

#[tokio::test]
async fn nodes_of_the_table_keep_no_forged_stale_or_misplaced_record() {
    let office = office().await;
    let (bob, mallory) = (Keys::of(None), Device::of(&office, None).await);
    let at = |number: u8| {
        let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", PeerId::random());
        let address: trellis_sdk::transport::libp2p::Multiaddr = address.parse().unwrap();
        vec![BoxAt { address: address.to_vec(), mailbox: [number; 32], id: [number; 32] }]
    };
    let choices = directory::choices(&bob.id());
    let slot = choices[0];
    let key = directory::key(&bob.crypto, &bob.topic(), slot);
    let wrong = (0..SLOTS).find(|slot| !choices.contains(slot)).unwrap();
    let wrong = directory::key(&bob.crypto, &bob.topic(), wrong);

    let now = Time::from_system();
    let before = |seconds: u64| Time(now.0 - seconds * 1000);
    let good = bob.record(at(1), before(60));
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    // Under Bob's keys, signed by others.
    let mut claimed = mallory.binding.clone();
    claimed[1..1985].copy_from_slice(&bob.binding[1..1985]);
    let claimed = Record::sign(&mallory.keys.keys, &claimed, at(2), now).unwrap().encode();
    let over = bob.record(at(1), before(25 * 3600));
    let ahead = bob.record(at(1), now + Span::seconds(3600));

    let put = async |key: &[u8], value: &[u8]| {
        // The node that is given it says nothing of what it does with it.
        let _ = soon(mallory.node.put_record(key, value)).await;
        // Who looks is there for the moment: nothing is stored with him.
        let reader = builder().bootstrap(address(&office.node).await).records(Arc::new(Anything));
        let reader = reader.open().await.unwrap();
        settled(&reader, |status| status.table > 0).await;
        soon(reader.get_record(key)).await.unwrap()
    };
    let nothing: [Vec<u8>; 0] = [];
    for forged in
        [&flipped, &claimed, &over, &ahead, &mallory.record(at(2), now), &good[..99].to_vec()]
    {
        assert_eq!(put(&key, forged).await, nothing);
    }
    assert_eq!(put(&wrong, &good).await, nothing);
    assert_eq!(put(&[], &good).await, nothing);
    // Whoever brings it: it is Bob's.
    assert_eq!(put(&key, &good).await, std::slice::from_ref(&good));
    let older = bob.record(at(3), before(120));
    assert_eq!(put(&key, &older).await, std::slice::from_ref(&good));
    assert_eq!(put(&key, &flipped).await, std::slice::from_ref(&good));
    let newer = bob.record(at(4), before(30));
    assert_eq!(put(&key, &newer).await, std::slice::from_ref(&newer));
    assert_eq!(put(&key, &good).await, std::slice::from_ref(&newer));
    // Who asks as a client does sees records alone.
    assert_eq!(soon(mallory.node.get_record(&key)).await.unwrap(), [newer]);
}

#[tokio::test]
async fn somebody_who_is_away_is_invited_by_his_record_and_joins_when_he_is_back() {
    let keys = || MailboxKeys::from_secret(&[1; 32]);
    let now = Time::from_system();
    let service = Service::open(keys(), Limits::default(), Memory::new(), now).await.unwrap();
    // It listens to the topics of its boxes, and answers no questions there.
    let office = MailboxNode::open(builder().serve(true), keys(), service, Vec::new());
    let office = Arc::new(office.await.unwrap());
    let running = office.clone();
    let running = tokio::spawn(async move { running.run().await });
    let place = address(office.network()).await;
    let at = MailboxAt::at(&place).unwrap();
    let guest = async || {
        let guest = builder().bootstrap(place.clone()).open().await.unwrap();
        settled(&guest, |status| status.table > 0).await;
        Arc::new(guest)
    };
    let files = Files::new();
    let bobs = async |node: &Arc<Libp2p>| {
        let builder = Client::builder(files.file("bob.db"), PASSPHRASE).store_options(cheap());
        let transport = WithMailboxes::new(node.clone(), vec![at.clone()]);
        builder.transport(transport).open().await.unwrap()
    };

    // He has his inbox kept, leaves key packages, and a record says where.
    let node = guest().await;
    let bob = bobs(&node).await;
    let to = bob.address();
    settled(&node, |status| status.announced).await;
    let crypto = TrellisCrypto::default();
    let inbox = directory::inbox(&crypto, &to);
    let mut found = Found::default();
    for slot in 0..SLOTS {
        let key = directory::key(&crypto, &inbox, slot);
        for value in soon(office.network().get_record(&key)).await.unwrap() {
            found.take(&crypto, Time::from_system(), (&inbox, slot), &value).unwrap();
        }
    }
    let records: Vec<_> = found.into_latest().collect();
    let [record] = &records[..] else { panic!("one device") };
    assert_eq!(record.address(), to);
    let [place_of_bob] = record.boxes() else { panic!("one box") };
    let id = BoxId(place_of_bob.id);
    // For each suite that he takes part with, by default both hybrid ones.
    soon(async {
        while office.service().store().pools(id).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;

    // He goes; nobody who could answer is left.
    bob.close().await;
    drop((bob, node));
    let alice = Client::builder_in_memory().transport(guest().await).open().await.unwrap();
    let mut alices = alice.events();
    let garden = alice.create_group("garden").await.unwrap();
    let invitation = garden.invite(&to).await.unwrap();
    // It is done for good when he is there, too.
    soon(invitation.applied()).await.unwrap();
    garden.send(Message::text("frost tonight")).await.unwrap();
    soon(async {
        while office.service().known(id).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;

    // He is back, and gets what came to his inbox.
    let node = guest().await;
    let bob = bobs(&node).await;
    let mut bobs = bob.events();
    let heard_by_bob = soon(heard(&mut bobs)).await;
    assert_eq!(heard_by_bob.as_deref(), Some("frost tonight"));
    bob.group(garden.id()).send(Message::text("cover the figs")).await.unwrap();
    assert_eq!(soon(heard(&mut alices)).await.as_deref(), Some("cover the figs"));
    running.abort();
}
