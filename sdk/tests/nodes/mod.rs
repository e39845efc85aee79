//! What tests of nodes share: nodes on loopback, and waiting.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::time::Duration;

use trellis_sdk::transport::libp2p::{Builder, Libp2p, Multiaddr, Status};
use trellis_sdk::transport::{Boxes, Incoming, Transport};
use trellis_sdk::{Client, Event, Message, Topic};

/// What should have happened within a minute and a half.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(90), future).await.expect("it takes too long")
}

/// A node on loopback, at a port of the host's choice, that others find there.
pub fn builder() -> Builder {
    Libp2p::builder()
        .mdns(false)
        .announce_listening(true)
        .listen("/ip4/127.0.0.1/tcp/0".parse().unwrap())
}

pub async fn node() -> Libp2p {
    builder().open().await.unwrap()
}

/// Where a node listens.
pub async fn address(node: &Libp2p) -> Multiaddr {
    node.status().await.unwrap().listening[0].clone()
}

pub async fn connect(one: &Libp2p, other: &Libp2p) {
    soon(one.dial(address(other).await)).await.unwrap();
}

/// Two nodes that are connected.
pub async fn connected() -> (Libp2p, Libp2p) {
    let (one, other) = (node().await, node().await);
    connect(&one, &other).await;
    settled(&other, |status| !status.links.is_empty()).await;
    (one, other)
}

/// Waits until a node is as a test needs it.
pub async fn settled(node: &Libp2p, is: impl Fn(&Status) -> bool) {
    soon(async {
        while !is(&node.status().await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// How many listen to a topic, of those that a node is connected with.
pub fn listeners(status: &Status, topic: Topic) -> usize {
    status.topics.iter().find(|(known, _)| *known == topic).map_or(0, |(_, number)| *number)
}

async fn incoming<T>(node: &Libp2p, kind: impl Fn(Incoming) -> Option<T>) -> T {
    soon(async {
        loop {
            let next = node.next().await.expect("the node is open");
            if let Some(found) = kind(next) {
                return found;
            }
        }
    })
    .await
}

pub async fn message(node: &Libp2p) -> (Topic, Vec<u8>) {
    incoming(node, |incoming| match incoming {
        Incoming::Message { topic, bytes } => Some((topic, bytes)),
        _ => None,
    })
    .await
}

pub async fn question(node: &Libp2p) -> (u64, Topic, Vec<u8>) {
    incoming(node, |incoming| match incoming {
        Incoming::Question { asker, topic, question } => Some((asker, topic, question)),
        _ => None,
    })
    .await
}

pub async fn answer(node: &Libp2p) -> Vec<u8> {
    incoming(node, |incoming| match incoming {
        Incoming::Answer { answer } => Some(answer),
        _ => None,
    })
    .await
}

pub async fn boxes(node: &Libp2p) -> Boxes {
    incoming(node, |incoming| match incoming {
        Incoming::Boxes(boxes) => Some(boxes),
        _ => None,
    })
    .await
}

pub async fn notice(node: &Libp2p) {
    incoming(node, |incoming| (incoming == Incoming::Connected).then_some(())).await;
}

/// One founds a group, invites the other by its address, and both say something.
pub async fn chat(alice: &Client, bob: &Client) {
    let garden = alice.create_group("garden").await.unwrap();
    let (mut alices, mut bobs) = (alice.events(), bob.events());
    let invitation = garden.invite(&bob.address()).await.unwrap();
    soon(invitation.done()).await.unwrap();
    garden.send(Message::text("frost tonight")).await.unwrap();
    let heard = soon(heard(&mut bobs)).await;
    assert_eq!(heard.as_deref(), Some("frost tonight"));
    bob.group(garden.id()).send(Message::text("cover the figs")).await.unwrap();
    let heard = soon(self::heard(&mut alices)).await;
    assert_eq!(heard.as_deref(), Some("cover the figs"));
}

/// The next text that comes in.
pub async fn heard(events: &mut trellis_sdk::Events) -> Option<String> {
    loop {
        if let Event::Message(received) = events.next().await.expect("the client is open") {
            return received.message.search_text().map(Into::into);
        }
    }
}
