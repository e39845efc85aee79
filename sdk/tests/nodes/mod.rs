//! What tests of nodes share: nodes on loopback, and waiting.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use libp2p::multiaddr::Protocol;
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

/// The port of TCP in an address.
pub fn port(address: &Multiaddr) -> u16 {
    let port = |part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    };
    address.iter().find_map(port).expect("a port of TCP")
}

/// Carries bytes between two nodes until it is cut, without a word to either of them.
pub struct Wire {
    /// Where the other one is found through it.
    pub through: Multiaddr,
    pub cut: Arc<AtomicBool>,
    pub ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub async fn to(node: &Libp2p) -> Self {
        let port = port(&address(node).await);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().port();
        let through = format!("/ip4/127.0.0.1/tcp/{here}/p2p/{}", node.peer());
        let wire =
            Self { through: through.parse().unwrap(), cut: Arc::default(), ends: Arc::default() };
        let (cut, ends) = (wire.cut.clone(), wire.ends.clone());
        thread::spawn(move || {
            let here = listener.accept().unwrap().0;
            let there = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for (from, to) in [(&here, &there), (&there, &here)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let cut = cut.clone();
                thread::spawn(move || carry(from, to, &cut));
            }
            // They stay open when nothing is carried any more.
            ends.lock().unwrap().extend([here, there]);
        });
        wire
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if cut.load(Ordering::Relaxed) || to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
