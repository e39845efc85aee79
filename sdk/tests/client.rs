//! The client, as applications use it.

mod clients;

use std::path::Path;
use std::process::Command;

use clients::*;
use trellis_sdk::client::{Exposure, WeakestLink};
use trellis_sdk::store::Key;
use trellis_sdk::{
    ChangeFailed, ChangeStatus, Changed, Client, Delivery, Error, Event, Group, Message, Policy,
    Protection, Right, Role, Suite,
};

#[tokio::test]
async fn three_talk() {
    let network = network();
    let (alice, bob, carol) = (open(&network).await, open(&network).await, open(&network).await);
    let mut events = bob.events();
    let groups = found(&[&alice, &bob, &carol]).await;
    let by = event(&mut events, |event| match event {
        Event::Joined { by, .. } => Some(by),
        _ => None,
    });
    assert_eq!(by.await, Some(alice.address()));

    let sent = groups[0].send(Message::text("frost tonight")).await.unwrap();
    soon(sent.sent()).await.unwrap();
    soon(sent.delivered()).await.unwrap();
    assert_eq!(sent.delivery(), Delivery::Reached { devices: 2, of: 2 });
    let received = event(&mut events, |event| match event {
        Event::Message(received) => Some(received),
        _ => None,
    });
    let received = received.await;
    assert_eq!(received.id, sent.id);
    assert_eq!(received.author, alice.address());
    assert_eq!(received.message, Message::text("frost tonight"));

    let reply = Message::reply(received.id, "cover the figs");
    soon(groups[1].send(reply).await.unwrap().delivered()).await.unwrap();
    soon(groups[2].send(Message::text("done")).await.unwrap().delivered()).await.unwrap();
    for group in &groups {
        assert_eq!(texts(group).await, ["frost tonight", "cover the figs", "done"]);
        assert_eq!(group.name().await.unwrap(), "garden");
        assert_eq!(group.members().await.unwrap().len(), 3);
    }

    // An edit replaces a text, a deletion takes it, and only the author can do either.
    groups[0].send(Message::edit(sent.id, "no frost")).await.unwrap();
    soon(groups[1].send(Message::delete(sent.id)).await.unwrap().delivered()).await.unwrap();
    until(|| async { texts(&groups[2]).await == ["no frost", "cover the figs", "done"] }).await;
    assert_eq!(groups[2].search("frost", 10).await.unwrap().len(), 1);
    assert_eq!(carol.groups().await.unwrap(), [groups[2].clone()]);
}

#[tokio::test]
async fn history_is_read_in_pages_and_searched() {
    let client = Client::builder_in_memory().offline().open().await.unwrap();
    let garden = client.create_group("garden").await.unwrap();
    let street = client.create_group("street").await.unwrap();
    for number in 0..25 {
        garden.send(Message::text(format!("bed number {number}"))).await.unwrap();
    }
    street.send(Message::text("Bedding for sale")).await.unwrap();

    let mut read = Vec::new();
    let mut page = garden.history(None, 10).await.unwrap();
    let mut sizes = vec![page.entries.len()];
    loop {
        read.extend(page.entries.into_iter().map(|entry| entry.message.message));
        let Some(older) = page.older else { break };
        page = garden.history(Some(older), 10).await.unwrap();
        sizes.push(page.entries.len());
    }
    assert_eq!(sizes, [10, 10, 5]);
    let all = (0..25).rev().map(|number| Message::text(format!("bed number {number}")));
    assert_eq!(read, all.collect::<Vec<_>>());

    assert_eq!(garden.search("bed 7", 10).await.unwrap().len(), 1);
    assert_eq!(garden.search("bed", 10).await.unwrap().len(), 10);
    assert_eq!(garden.search("potting", 10).await.unwrap().len(), 0);
    let found = client.search("BED", 100).await.unwrap();
    assert_eq!(found.len(), 26);
    assert_eq!(found[0].message.group, street.id());
    assert_eq!(found[0].delivery, Some(Delivery::Queued));
}

#[tokio::test]
async fn roles_decide_who_may_do_what() {
    let network = network();
    let (alice, bob, carol) = (open(&network).await, open(&network).await, open(&network).await);
    let groups = found(&[&alice, &bob, &carol]).await;
    let member = |group: Group, client: &Client| {
        let address = client.address();
        async move {
            let members = group.members().await.unwrap();
            members.into_iter().find(|member| member.address == address)
        }
    };
    let owner = member(groups[0].clone(), &alice).await.unwrap();
    assert_eq!((owner.role, owner.rights.len()), (Role::Owner, Right::ALL.len()));
    let plain = member(groups[0].clone(), &bob).await.unwrap();
    assert_eq!((plain.role, plain.rights.len()), (Role::Member, 0));

    let refused = groups[1].rename("mine").await.unwrap();
    assert_eq!(soon(refused.done()).await, Err(ChangeFailed::NotAllowed));
    let again = groups[1].change(refused.id()).await.unwrap();
    assert_eq!(again.status(), ChangeStatus::Failed(ChangeFailed::NotAllowed));
    assert_eq!(again.applied().await.unwrap_err().code(), "change-not-allowed");
    let alone = groups[0].set_role(&alice.address(), Role::Member).await.unwrap();
    assert_eq!(soon(alone.done()).await, Err(ChangeFailed::LastOwner));

    let promoted = groups[0].set_role(&bob.address(), Role::Admin).await.unwrap();
    soon(promoted.done()).await.unwrap();
    assert!(member(groups[1].clone(), &bob).await.unwrap().may(Right::Remove));
    let mut events = carol.events();
    soon(groups[1].remove(&carol.address()).await.unwrap().done()).await.unwrap();
    let by = event(&mut events, |event| match event {
        Event::Left { by, .. } => Some(by),
        _ => None,
    });
    assert_eq!(by.await, Some(bob.address()));
    let error = groups[2].send(Message::text("hello?")).await.unwrap_err();
    assert_eq!(error.code(), "not-in-group");

    let mut policy = groups[0].policy().await.unwrap();
    policy.rename = Role::Member;
    soon(groups[0].set_policy(policy.clone()).await.unwrap().done()).await.unwrap();
    assert_eq!(groups[1].policy().await.unwrap(), policy);
    soon(groups[1].leave().await.unwrap().done()).await.unwrap();
    until(|| async { groups[0].members().await.unwrap().len() == 1 }).await;
    assert!(!groups[1].is_active().await.unwrap());
    soon(groups[0].rotate_keys().await.unwrap().done()).await.unwrap();
}

#[tokio::test]
async fn a_network_that_was_split_heals() {
    let network = network();
    let (alice, left) = open_held(&network).await;
    let (bob, right) = open_held(&network).await;
    let (carol, third) = open_held(&network).await;
    let groups = found(&[&alice, &bob, &carol]).await;
    let promoted = groups[0].set_role(&bob.address(), Role::Admin).await.unwrap();
    soon(promoted.done()).await.unwrap();
    let mut events = [alice.events(), bob.events(), carol.events()];

    network.partition(&[&[&*left], &[&*right, &*third]]);
    let one = groups[0].rename("orchard").await.unwrap();
    let other = groups[1].rename("meadow").await.unwrap();
    groups[0].send(Message::text("from the left")).await.unwrap();
    groups[2].send(Message::text("from the right")).await.unwrap();
    soon(one.applied()).await.unwrap();
    soon(other.applied()).await.unwrap();
    assert_eq!(groups[0].name().await.unwrap(), "orchard");
    until(|| async { groups[2].name().await.unwrap() == "meadow" }).await;

    network.heal();
    // Both wishes come true, one after the other, and all agree in which order.
    soon(one.done()).await.unwrap();
    soon(other.done()).await.unwrap();
    until(|| async {
        let mut names = Vec::new();
        for group in &groups {
            names.push(group.name().await.unwrap());
        }
        names.iter().all(|name| *name == names[0])
    })
    .await;
    for group in &groups {
        until(|| async { texts(group).await.len() == 2 }).await;
    }
    // Some had been told of a change that was taken back, and were told that too.
    let mut taken_back = 0;
    for (events, client) in events.iter_mut().zip([&alice, &bob, &carol]) {
        client.close().await;
        while let Some(event) = events.next().await {
            if let Event::RolledBack { what, .. } = event {
                assert!(matches!(what[..], [Changed::Renamed(_)]));
                taken_back += 1;
            }
        }
    }
    assert!((1..=2).contains(&taken_back), "{taken_back}");
}

#[tokio::test]
async fn a_client_goes_on_from_its_file() {
    let (network, directory) = (network(), Directory::new());
    let path = directory.file("alice.db");
    let alice = open_file(&path, &network).await.unwrap();
    let bob = open(&network).await;
    let (address, device) = (alice.address(), alice.device());
    let groups = found(&[&alice, &bob]).await;
    let sent = groups[0].send(Message::text("before")).await.unwrap();
    soon(sent.delivered()).await.unwrap();
    let renamed = groups[0].rename("orchard").await.unwrap();
    soon(renamed.done()).await.unwrap();
    alice.close().await;
    assert_eq!(groups[0].name().await.unwrap_err().code(), "closed");
    assert_eq!(sent.delivered().await.map_err(|error| error.code()), Ok(()));

    // What is wished for without a network waits for one.
    let builder = Client::builder(&path, PASSPHRASE).store_options(cheap());
    let alice = builder.offline().open().await.unwrap();
    let group = alice.groups().await.unwrap().remove(0);
    let waiting = group.send(Message::text("meanwhile")).await.unwrap();
    assert!(group.changes().await.unwrap().is_empty());
    let rotated = group.rotate_keys().await.unwrap();
    let open: Vec<_> = group.changes().await.unwrap().iter().map(|change| change.id()).collect();
    assert_eq!(open, [rotated.id()]);
    alice.close().await;
    assert_eq!(waiting.delivery(), Delivery::Queued);
    assert_eq!(waiting.sent().await.unwrap_err().code(), "closed");

    let alice = open_file(&path, &network).await.unwrap();
    assert_eq!((alice.address(), alice.device()), (address, device));
    let group = alice.groups().await.unwrap().remove(0);
    assert_eq!(group.name().await.unwrap(), "orchard");
    soon(group.send(Message::text("after")).await.unwrap().delivered()).await.unwrap();
    soon(group.sent(waiting.id).await.unwrap().delivered()).await.unwrap();
    let mut heard = texts(&groups[1]).await;
    heard.sort();
    assert_eq!(heard, ["after", "before", "meanwhile"]);
    let known = group.sent(sent.id).await.unwrap().delivery();
    assert!(matches!(known, Delivery::Reached { .. }));
    assert_eq!(group.change(renamed.id()).await.unwrap().status(), ChangeStatus::Done);
    soon(group.change(rotated.id()).await.unwrap().done()).await.unwrap();
    assert!(group.changes().await.unwrap().is_empty());
    let unknown = trellis_sdk::MessageId([0; 16]);
    assert_eq!(group.sent(unknown).await.unwrap_err().code(), "no-message");

    // A dropped client gives up its file as well, only nobody waits for it.
    drop((alice, group));
    until(|| async { open_file(&path, &network).await.is_ok() }).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told() {
    let (network, directory) = (network(), Directory::new());
    let path = directory.file("alice.db");
    let alice = open_file(&path, &network).await.unwrap();
    let in_use = open_file(&path, &network).await.unwrap_err();
    assert_eq!((in_use.code(), in_use.is_retryable()), ("in-use", true));
    let helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_opens_the_file", "--nocapture"])
        .env("TRELLIS_TEST_FILE", &path)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&helper.stdout).contains("refused: in-use"));
    alice.backup(directory.file("backup.db"), Key::raw([7; 32])).await.unwrap();
    alice.close().await;

    let wrong = Client::builder(&path, "wrong").store_options(cheap()).offline().open().await;
    let wrong = wrong.unwrap_err();
    assert_eq!((wrong.code(), wrong.is_retryable()), ("wrong-key-or-damaged", false));
    assert!(std::error::Error::source(&wrong).is_some());
    std::fs::write(directory.file("text"), "not a store").unwrap();
    let text = Client::builder(directory.file("text"), PASSPHRASE).offline().open().await;
    assert_eq!(text.unwrap_err().code(), "not-a-database");
    let missing = Client::builder(directory.file("none/alice.db"), PASSPHRASE).offline();
    assert_eq!(missing.open().await.unwrap_err().code(), "io");
    let forgotten = Client::builder_in_memory().open().await.unwrap_err();
    assert_eq!(forgotten.code(), "no-transport");
    open_file(&path, &network).await.unwrap();
}

/// Not a test: what the other process of the one above does.
#[tokio::test]
async fn another_process_opens_the_file() {
    let Some(path) = std::env::var_os("TRELLIS_TEST_FILE") else { return };
    let opened = open_file(Path::new(&path), &network()).await;
    println!("refused: {}", opened.unwrap_err().code());
}

#[tokio::test]
async fn who_does_not_listen_is_told_what_was_missed() {
    let client = open(&network()).await;
    let (mut late, mut later) = (client.events(), client.events());
    let group = client.create_group("diary").await.unwrap();
    for number in 0..1100 {
        group.send(Message::text(format!("day {number}"))).await.unwrap();
    }
    client.close().await;
    let mut counts = [0, 0];
    let Some(Event::Missed(missed)) = late.next().await else { panic!("nothing was missed") };
    while let Some(event) = late.next().await {
        assert!(!matches!(event, Event::Missed(_)));
        counts[0] += 1;
    }
    while let Some(event) = later.next().await {
        counts[1] += if let Event::Missed(number) = event { number } else { 1 };
    }
    assert_eq!(counts[0], 1024);
    assert_eq!(missed + counts[0], counts[1]);
}

#[tokio::test]
async fn too_much_to_send_is_refused_and_what_was_taken_is_sent() {
    let network = network();
    let (client, transport) = open_held(&network).await;
    let group = client.create_group("diary").await.unwrap();
    transport.set_online(false);
    let mut last = None;
    let error = soon(async {
        loop {
            match group.send(Message::text("dear diary")).await {
                Ok(sent) => last = Some(sent),
                Err(error) => break error,
            }
        }
    })
    .await;
    assert_eq!((error.code(), error.is_retryable()), ("busy", true));
    // What there is can be read all the same.
    assert_eq!(group.search("diary", 500).await.unwrap().len(), 500);
    transport.set_online(true);
    soon(last.unwrap().sent()).await.unwrap();
    group.send(Message::text("at last")).await.unwrap();
}

#[tokio::test]
async fn limits_and_strangers_are_refused() {
    let client = Client::builder_in_memory().offline().open().await.unwrap();
    let group = client.create_group("garden").await.unwrap();
    let long = Message::text("x".repeat(70_000));
    let error = group.send(long).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("message-too-large", false));
    let error = client.create_group("x".repeat(10_000)).await.unwrap_err();
    assert_eq!(error.code(), "too-large");
    let stranger = client.group(trellis_sdk::GroupId([9; 32]));
    assert_eq!(stranger.name().await.unwrap_err().code(), "no-group");
    assert_eq!(stranger.send(Message::text("hi")).await.unwrap_err().code(), "no-group");
    assert!(stranger.history(None, 10).await.unwrap().entries.is_empty());
    let no_address: Result<trellis_sdk::Address, _> = "trellis1nobody".parse();
    assert_eq!(Error::from(no_address.unwrap_err()).code(), "address-length");
}

#[tokio::test]
async fn the_weakest_link_is_visible() {
    let network = network();
    let alice = Client::builder_in_memory().transport(network.join());
    let alice = alice.allow_classical_without_post_quantum_protection().open().await.unwrap();
    let bob = Client::builder_in_memory().transport(network.join());
    let bob = bob.suite(Suite::HybridPostQuantumSignatures).open().await.unwrap();

    let hybrid = alice.create_group("hybrid").await.unwrap().security().await.unwrap();
    assert_eq!(hybrid.suite, "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519");
    assert_eq!(hybrid.confidentiality, Protection::Hybrid);
    assert_eq!(hybrid.authenticity, Protection::Classical);
    assert!(hybrid.withstands_recording() && !hybrid.withstands_quantum_forgery());
    assert_eq!(hybrid.weakest_link, WeakestLink::ClassicalSignatures);
    assert_eq!(hybrid.exposed_to_transport().len(), Exposure::ALL.len());

    let group = bob.create_group("signed").await.unwrap();
    soon(group.invite(&alice.address()).await.unwrap().done()).await.unwrap();
    let signed = group.security().await.unwrap();
    assert_eq!(signed.suite, "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44");
    assert!(signed.withstands_recording() && signed.withstands_quantum_forgery());
    assert_eq!(signed.weakest_link, WeakestLink::Transport);
    let joined = alice.group(group.id());
    until(|| async { joined.security().await.unwrap().unverified.is_empty() }).await;
    assert!(signed.to_string().contains("post-quantum (ML-DSA-44)"), "{signed}");

    let classical = alice.create_group("old").classical_without_post_quantum_protection();
    let classical = classical.await.unwrap();
    let security = classical.security().await.unwrap();
    assert_eq!(security.confidentiality, Protection::Classical);
    assert!(!security.withstands_recording());
    assert_eq!(security.weakest_link, WeakestLink::ClassicalEncryption);
    let refused = bob.create_group("old").classical_without_post_quantum_protection().await;
    assert_eq!(refused.unwrap_err().code(), "suite");
    let mut strict = Policy::default();
    strict.floor = trellis_sdk::Floor::POST_QUANTUM;
    let refused = alice.create_group("strict").policy(strict).await;
    assert_eq!(refused.unwrap_err().code(), "not-allowed");
}
