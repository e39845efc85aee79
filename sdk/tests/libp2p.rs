//! Nodes of libp2p on loopback: they find each other, and carry messages, questions and content.

#![cfg(feature = "libp2p")]

mod nodes;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nodes::{
    Wire, address, answer, builder, chat, connect, connected, message, node, notice, question,
    settled, soon,
};
use trellis_sdk::transport::libp2p::{
    CHUNK, KeyExchange, Libp2p, Limits, Mailbox, PeerId, Rate, Records,
};
use trellis_sdk::transport::{Incoming, MAX_MESSAGE, Transport, TransportError};
use trellis_sdk::{Client, Topic};

const TOPIC: Topic = Topic([1; 32]);

#[tokio::test]
async fn a_message_reaches_who_listens() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    one.publish(TOPIC, b"frost tonight".to_vec()).await.unwrap();
    assert_eq!(message(&other).await, (TOPIC, b"frost tonight".to_vec()));
    // The same again is a message again.
    for _ in 0..3 {
        one.publish(TOPIC, b"frost tonight".to_vec()).await.unwrap();
        assert_eq!(message(&other).await.1, b"frost tonight");
    }
    other.unsubscribe(TOPIC).await.unwrap();
    other.unsubscribe(TOPIC).await.unwrap();
}

#[tokio::test]
async fn a_node_alone_is_offline_and_says_when_it_is_not() {
    let (one, other) = (node().await, node().await);
    assert_eq!(one.publish(TOPIC, vec![1]).await, Err(TransportError::Offline));
    assert_eq!(one.ask(TOPIC, vec![1]).await, Err(TransportError::Offline));
    connect(&one, &other).await;
    notice(&one).await;
    notice(&other).await;
    one.publish(TOPIC, vec![1]).await.unwrap();
}

#[tokio::test]
async fn links_are_hybrid_and_say_so() {
    let (one, other) = connected().await;
    let status = one.status().await.unwrap();
    assert!(status.requires_hybrid);
    assert_eq!(status.links.len(), 1);
    assert_eq!(status.links[0].peer, other.peer());
    assert_eq!(status.links[0].key_exchange.name(), "X25519MLKEM768");
    assert!(status.links[0].key_exchange.is_hybrid() && !status.links[0].relayed);
}

#[tokio::test]
async fn quic_is_there_where_a_deployment_does_without() {
    let quic = || {
        let builder = Libp2p::builder().mdns(false).require_hybrid(false);
        builder.listen("/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()).open()
    };
    let (one, other) = (quic().await.unwrap(), quic().await.unwrap());
    connect(&one, &other).await;
    let link = one.status().await.unwrap().links[0].clone();
    assert_eq!(link.key_exchange, KeyExchange::Unknown);
    let error = node().await.dial(address(&one).await).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    let error = Libp2p::builder().mdns(false).listen(address(&one).await).open().await.unwrap_err();
    assert_eq!(error.code(), "listen");
}

#[tokio::test]
async fn another_peer_than_the_one_that_was_meant_is_refused() {
    let (one, other, third) = (node().await, node().await, node().await);
    let wrong = address(&other)
        .await
        .to_string()
        .replace(&other.peer().to_string(), &third.peer().to_string());
    let error = soon(one.dial(wrong.parse().unwrap())).await.unwrap_err();
    assert_eq!(error.code(), "wrong-peer");
    assert!(one.status().await.unwrap().links.is_empty());
    let nobody = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
    assert_eq!(one.dial(nobody).await.unwrap_err().code(), "address");
    let nobody = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", third.peer()).parse().unwrap();
    let error = soon(one.dial(nobody)).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn the_same_seed_is_the_same_node() {
    let open = || builder().identity([7; 32]).open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    assert_eq!(one.peer(), other.peer());
    assert_ne!(one.peer(), node().await.peer());
}

#[tokio::test]
async fn a_question_is_answered_more_than_once() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    one.ask(TOPIC, b"who?".to_vec()).await.unwrap();
    let (asker, topic, text) = question(&other).await;
    assert_eq!((topic, &text[..]), (TOPIC, &b"who?"[..]));
    other.answer(asker, b"me".to_vec()).await.unwrap();
    other.answer(asker, vec![7; MAX_MESSAGE]).await.unwrap();
    let mut answers = [answer(&one).await, answer(&one).await];
    answers.sort_by_key(Vec::len);
    assert_eq!(answers, [b"me".to_vec(), vec![7; MAX_MESSAGE]]);
    // An answer to no question goes nowhere.
    other.answer(asker + 1, b"me".to_vec()).await.unwrap();
}

#[tokio::test]
async fn what_nobody_listens_for_waits_for_somebody() {
    let (one, other) = connected().await;
    one.publish(TOPIC, b"early".to_vec()).await.unwrap();
    one.ask(TOPIC, b"who?".to_vec()).await.unwrap();
    assert!(one.status().await.unwrap().held > 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    other.subscribe(TOPIC).await.unwrap();
    let (mut heard, mut asked) = (false, false);
    while !heard || !asked {
        match soon(other.next()).await.unwrap() {
            Incoming::Message { bytes, .. } => heard = bytes == b"early",
            Incoming::Question { question, .. } => asked = question == b"who?",
            _ => {}
        }
    }
    assert_eq!(one.status().await.unwrap().held, 0);
}

#[tokio::test]
async fn two_clients_chat() {
    let (one, other) = connected().await;
    let alice = Client::builder_in_memory().transport(one).open().await.unwrap();
    let bob = Client::builder_in_memory().transport(other).open().await.unwrap();
    chat(&alice, &bob).await;
}

#[tokio::test]
async fn clients_meet_who_know_the_same_third_node() {
    let third = builder().serve(true).open().await.unwrap();
    let bootstrap = address(&third).await;
    let [one, other] = [(); 2].map(|()| builder().bootstrap(bootstrap.clone()).open());
    let (one, other) = (Arc::new(one.await.unwrap()), Arc::new(other.await.unwrap()));
    let alice = Client::builder_in_memory().transport(one.clone()).open().await.unwrap();
    let bob = Client::builder_in_memory().transport(other.clone()).open().await.unwrap();
    chat(&alice, &bob).await;
    let status = one.status().await.unwrap();
    assert!(status.links.iter().any(|link| link.peer == other.peer() && !link.relayed));
}

#[tokio::test]
async fn others_find_out_where_a_node_can_be_reached() {
    let third = builder().serve(true).open().await.unwrap();
    let plain = builder().announce_listening(false).bootstrap(address(&third).await);
    let plain = plain.open().await.unwrap();
    assert!(plain.status().await.unwrap().external.is_empty());
    let own = address(&plain).await;
    settled(&plain, |status| status.external.contains(&own) && status.serves_table).await;
}

#[tokio::test]
async fn a_relay_carries_links_that_it_cannot_read() {
    let relay = builder().serve(true).open().await.unwrap();
    let circuit = format!("{}/p2p-circuit", address(&relay).await);
    let hidden = Libp2p::builder().mdns(false).listen(circuit.parse().unwrap());
    let hidden = soon(hidden.open()).await.unwrap();
    let other = node().await;
    let through = format!("{circuit}/p2p/{}", hidden.peer()).parse().unwrap();
    soon(other.dial(through)).await.unwrap();
    let status = other.status().await.unwrap();
    let link = status.links.iter().find(|link| link.peer == hidden.peer()).unwrap();
    assert!(link.relayed && link.key_exchange.is_hybrid());
    hidden.subscribe(TOPIC).await.unwrap();
    other.publish(TOPIC, vec![7; 30_000]).await.unwrap();
    assert_eq!(message(&hidden).await.1, vec![7; 30_000]);
}

#[tokio::test]
async fn a_node_comes_back_to_one_that_starts_again() {
    let seed = [9; 32];
    let first = builder().identity(seed).open().await.unwrap();
    let place = address(&first).await;
    let one = builder().bootstrap(place.clone()).open().await.unwrap();
    one.subscribe(TOPIC).await.unwrap();
    notice(&one).await;
    drop(first);
    settled(&one, |status| status.links.is_empty()).await;
    assert_eq!(one.publish(TOPIC, vec![1]).await, Err(TransportError::Offline));
    let mut listen = place;
    listen.pop();
    let again = Libp2p::builder().mdns(false).identity(seed).listen(listen).open().await.unwrap();
    notice(&one).await;
    again.subscribe(TOPIC).await.unwrap();
    again.publish(TOPIC, b"back".to_vec()).await.unwrap();
    assert_eq!(message(&one).await.1, b"back");
}

#[tokio::test]
async fn a_node_that_is_dropped_is_gone() {
    let (one, other) = connected().await;
    drop(one);
    settled(&other, |status| status.links.is_empty()).await;
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_gone() {
    let mut limits = Limits::default();
    limits.silence = Duration::from_secs(4);
    let one = builder().limits(limits.clone()).open().await.unwrap();
    let other = node().await;
    let wire = Wire::to(&other).await;
    soon(one.dial(wire.through.clone())).await.unwrap();
    tokio::time::sleep(limits.silence + Duration::from_secs(1)).await;
    assert_eq!(one.status().await.unwrap().links.len(), 1, "it was not silent");
    wire.cut.store(true, Ordering::Relaxed);
    let silent = Instant::now();
    settled(&one, |status| status.links.is_empty()).await;
    // Negotiating a stream has a time of its own.
    assert!(silent.elapsed() <= limits.silence + Duration::from_secs(15));
    assert_eq!(wire.ends.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn long_messages_come_in_chunks() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    settled(&other, |status| status.topics.len() == 1).await;
    for length in [35_000, MAX_MESSAGE - 1, MAX_MESSAGE] {
        let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        one.publish(TOPIC, bytes.clone()).await.unwrap();
        assert!(message(&other).await.1 == bytes);
    }
    let content: Vec<u8> = (0..5_000_000_u32).map(|index| (index % 249) as u8).collect();
    one.publish_content(TOPIC, content.clone()).await.unwrap();
    assert!(message(&other).await.1 == content);
    let most = Limits::default().content;
    one.publish_content(TOPIC, vec![1; most]).await.unwrap();
    assert!(message(&other).await.1 == vec![1; most]);
    let error = one.publish_content(TOPIC, vec![1; most + 1]).await.unwrap_err();
    assert_eq!(error, TransportError::TooLarge { length: most + 1 });
    let error = one.publish(TOPIC, vec![1; MAX_MESSAGE + 1]).await.unwrap_err();
    assert_eq!(error, TransportError::TooLarge { length: MAX_MESSAGE + 1 });
}

/// The source gives some chunks and vanishes; the rest comes from another that has all of them.
#[tokio::test]
async fn content_is_completed_by_others_when_its_source_vanishes() {
    let mut slow = Limits::default();
    slow.chunks_per_peer = Rate::new(8, 0);
    let mut impatient = Limits::default();
    impatient.request_timeout = Duration::from_secs(2);
    let source = builder().limits(slow).open().await.unwrap();
    let one = builder().limits(impatient).open().await.unwrap();
    let keeper = node().await;
    let content: Vec<u8> = (0..20 * CHUNK).map(|index| (index / 77 % 253) as u8).collect();

    connect(&keeper, &source).await;
    notice(&keeper).await;
    keeper.publish_content(TOPIC, content.clone()).await.unwrap();
    keeper.subscribe(TOPIC).await.unwrap();

    connect(&one, &source).await;
    one.subscribe(TOPIC).await.unwrap();
    settled(&source, |status| status.links.len() == 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    source.publish_content(TOPIC, content.clone()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_secs(2), message(&one)).await;
    assert!(early.is_err(), "eight chunks are not all of it");
    drop(source);
    settled(&one, |status| status.links.is_empty()).await;
    connect(&one, &keeper).await;
    assert!(message(&one).await.1 == content);
}

struct Echo;

impl Mailbox for Echo {
    fn serve(
        &self,
        _: PeerId,
        mut request: Vec<u8>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert_ne!(request, b"panic", "a mailbox with a mistake");
            request.reverse();
            (!request.is_empty()).then_some(request)
        })
    }
}

#[tokio::test]
async fn a_mailbox_is_asked_and_answers() {
    let office = builder().mailbox(Arc::new(Echo)).open().await.unwrap();
    let one = node().await;
    connect(&one, &office).await;
    assert_eq!(one.mailbox_request(office.peer(), vec![1, 2, 3]).await.unwrap(), [3, 2, 1]);
    let most = Limits::default().mailbox_frame;
    let response = soon(one.mailbox_request(office.peer(), vec![7; most])).await.unwrap();
    assert_eq!(response.len(), most);
    let error = one.mailbox_request(office.peer(), vec![7; most + 1]).await.unwrap_err();
    assert_eq!(error.code(), "too-large");
    let error = soon(one.mailbox_request(office.peer(), Vec::new())).await.unwrap_err();
    assert_eq!(error.code(), "no-answer");
    let error = soon(one.mailbox_request(office.peer(), b"panic".to_vec())).await.unwrap_err();
    assert_eq!(error.code(), "no-answer");
    assert_eq!(one.mailbox_request(office.peer(), vec![1, 2]).await.unwrap(), [2, 1]);
    let error = soon(office.mailbox_request(one.peer(), vec![1])).await.unwrap_err();
    assert_eq!(error.code(), "not-offered");
    let error = soon(one.mailbox_request(PeerId::random(), vec![1])).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
}

/// Records begin with their key, and the greater one is the newer.
struct Newest;

impl Records for Newest {
    fn accept(&self, key: &[u8], value: &[u8], kept: Option<&[u8]>) -> bool {
        value.starts_with(key) && kept.is_none_or(|kept| value > kept)
    }
}

#[tokio::test]
async fn records_are_kept_if_they_are_records() {
    let table = builder().serve(true).records(Arc::new(Newest)).open().await.unwrap();
    let bootstrap = address(&table).await;
    let open = || builder().bootstrap(bootstrap.clone()).records(Arc::new(Newest)).open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    for node in [&one, &other] {
        settled(node, |status| status.table > 0).await;
    }
    assert_eq!(other.get_record(b"figs").await.unwrap(), [] as [Vec<u8>; 0]);
    soon(one.put_record(b"figs", b"figs 1")).await.unwrap();
    assert_eq!(soon(other.get_record(b"figs")).await.unwrap(), [b"figs 1"]);
    soon(one.put_record(b"figs", b"figs 2")).await.unwrap();
    let found = soon(other.get_record(b"figs")).await.unwrap();
    assert!(found.contains(&b"figs 2".to_vec()));
    // A forged one, and an old one, are not kept, whatever the one that sends them thinks.
    let _ = soon(one.put_record(b"dates", b"figs 3")).await;
    assert!(soon(other.get_record(b"dates")).await.unwrap().is_empty());
    let most = Limits::default().record;
    assert_eq!(one.put_record(b"a", &vec![0; most + 1]).await.unwrap_err().code(), "too-large");
    assert_eq!(one.get_record(&[0; 65]).await.unwrap_err().code(), "too-large");
}

#[tokio::test]
async fn a_node_keeps_nothing_but_records_of_the_directory() {
    let table = builder().serve(true).open().await.unwrap();
    let open = || async { builder().bootstrap(address(&table).await).open().await.unwrap() };
    let (one, other) = (open().await, open().await);
    for node in [&one, &other] {
        settled(node, |status| status.table > 0).await;
    }
    let _ = soon(one.put_record(b"figs", b"figs 1")).await;
    drop(one);
    assert!(soon(other.get_record(b"figs")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_peer_that_is_blocked_is_out_until_it_is_not() {
    let other = node().await;
    let one = builder().bootstrap(address(&other).await).open().await.unwrap();
    settled(&one, |status| !status.links.is_empty()).await;
    one.block(other.peer(), true).await.unwrap();
    settled(&one, |status| status.links.is_empty()).await;
    settled(&other, |status| status.links.is_empty()).await;
    for (from, to) in [(&one, &other), (&other, &one)] {
        // Who dials a peer that refuses it may be connected for a moment.
        let _ = soon(from.dial(address(to).await)).await;
        settled(from, |status| status.links.is_empty()).await;
        settled(to, |status| status.links.is_empty()).await;
    }
    one.block(other.peer(), false).await.unwrap();
    // It comes back by itself, since it was named.
    settled(&one, |status| !status.links.is_empty()).await;
    settled(&other, |status| !status.links.is_empty()).await;
}

#[tokio::test]
async fn what_goes_through_the_sockets_is_counted() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    let before = one.status().await.unwrap();
    // A handshake with ML-KEM-768 alone is more than a kibibyte in each direction.
    assert!(before.sent > 1024 && before.received > 1024);
    const LENGTH: u64 = 30_000;
    one.publish(TOPIC, vec![7; LENGTH as usize]).await.unwrap();
    message(&other).await;
    let after = one.status().await.unwrap();
    let sent = after.sent - before.sent;
    assert!((LENGTH..2 * LENGTH).contains(&sent), "{sent}");
    assert!(other.status().await.unwrap().received >= LENGTH);
}
