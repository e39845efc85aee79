//! Peers that do too much, or speak no protocol: what they can't do to a node of libp2p.

#![cfg(feature = "libp2p")]

mod nodes;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, Codec, Event, Message, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, tcp, tls, yamux};
use nodes::{address, builder, connect, listeners, message, node, settled, soon};
use trellis_sdk::Topic;
use trellis_sdk::transport::libp2p::{Libp2p, Limits, Mailbox, Multiaddr, PeerId, Rate};
use trellis_sdk::transport::{Incoming, MAX_SUBSCRIPTIONS, Transport, TransportError};

const TOPIC: Topic = Topic([1; 32]);

/// Every protocol that a node speaks.
const PROTOCOLS: [&str; 13] = [
    "/trellis/ask/1",
    "/trellis/chunk/1",
    "/trellis/mailbox/1",
    "/trellis/gossip/1",
    "/trellis/kad/1",
    "/ipfs/id/1.0.0",
    "/ipfs/id/push/1.0.0",
    "/ipfs/ping/1.0.0",
    "/libp2p/circuit/relay/0.2.0/hop",
    "/libp2p/circuit/relay/0.2.0/stop",
    "/libp2p/autonat/2/dial-request",
    "/libp2p/autonat/2/dial-back",
    "/libp2p/dcutr",
];

/// Writes what it is given on a stream of any protocol.
#[derive(Clone)]
struct Raw;

impl Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.take(1 << 21).read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await?;
        io.close().await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        _: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A peer that is not ours.
struct Stranger(Swarm<request_response::Behaviour<Raw>>);

impl Stranger {
    /// Connects with a node, to speak one protocol.
    async fn connect(to: Multiaddr, protocol: &'static str) -> Self {
        let protocol = StreamProtocol::new(protocol);
        let config =
            request_response::Config::default().with_request_timeout(Duration::from_millis(300));
        let behaviour = request_response::Behaviour::with_codec(
            Raw,
            [(protocol, ProtocolSupport::Outbound)],
            config,
        );
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), tls::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| behaviour)
            .unwrap()
            .build();
        swarm.dial(to).unwrap();
        while !matches!(
            soon(swarm.select_next_some()).await,
            SwarmEvent::ConnectionEstablished { .. }
        ) {}
        Self(swarm)
    }

    fn peer(&self) -> PeerId {
        *self.0.local_peer_id()
    }

    /// Says something; nothing if it is not answered, or the connection is gone.
    async fn say(&mut self, to: PeerId, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if !self.0.is_connected(&to) {
            return None;
        }
        let id = self.0.behaviour_mut().send_request(&to, bytes);
        loop {
            match soon(self.0.select_next_some()).await {
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Response { request_id, response },
                    ..
                }) if request_id == id => return Some(response),
                SwarmEvent::Behaviour(Event::OutboundFailure { request_id, .. })
                    if request_id == id =>
                {
                    return None;
                }
                _ => {}
            }
        }
    }
}

struct Echo;

impl Mailbox for Echo {
    fn serve(
        &self,
        _: PeerId,
        request: Vec<u8>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> {
        Box::pin(async move { Some(request) })
    }
}

fn garbage() -> Vec<Vec<u8>> {
    let mut state = 1_u32;
    let mut noise = |length: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    let huge_length = [&[0xff; 8][..], &[0x0f], &noise(50)].concat();
    vec![
        vec![],
        vec![0],
        vec![0xff; 10],
        huge_length,
        noise(33),
        noise(5000),
        vec![0; 2 << 20],
        noise(1 << 20),
    ]
}

#[tokio::test]
async fn malformed_frames_on_every_protocol_do_no_harm() {
    let mut limits = Limits::default();
    limits.faults_per_peer = Rate::new(100_000, 0);
    let victim = builder().serve(true).mailbox(Arc::new(Echo)).limits(limits);
    let victim = victim.open().await.unwrap();
    let friend = node().await;
    victim.subscribe(TOPIC).await.unwrap();
    connect(&friend, &victim).await;
    for protocol in PROTOCOLS {
        let mut stranger = Stranger::connect(address(&victim).await, protocol).await;
        for bytes in garbage() {
            let length = bytes.len();
            let response = stranger.say(victim.peer(), bytes).await;
            // What is answered is short, and says no more than that it was not taken.
            let most = if protocol == "/trellis/mailbox/1" { 1 << 20 } else { 1024 };
            assert!(response.is_none_or(|response| response.len() <= most), "{protocol} {length}");
        }
    }
    friend.publish(TOPIC, b"still there?".to_vec()).await.unwrap();
    assert_eq!(message(&victim).await.1, b"still there?");
    let answer = friend.mailbox_request(victim.peer(), b"yes".to_vec()).await.unwrap();
    assert_eq!(answer, b"yes");
}

#[tokio::test]
async fn who_goes_on_with_malformed_frames_is_out() {
    let mut limits = Limits::default();
    limits.faults_per_peer = Rate::new(50, 0);
    let victim = builder().limits(limits).open().await.unwrap();
    let mut stranger = Stranger::connect(address(&victim).await, "/trellis/ask/1").await;
    for _ in 0..5 {
        assert_eq!(stranger.say(victim.peer(), vec![9; 100]).await, Some(vec![1]));
    }
    for _ in 0..5 {
        stranger.say(victim.peer(), vec![9; 100]).await;
    }
    settled(&victim, |status| status.links.is_empty()).await;
    // It knocks again, and is not let in.
    stranger.0.dial(address(&victim).await).unwrap();
    let _ =
        tokio::time::timeout(Duration::from_secs(1), stranger.say(victim.peer(), vec![9])).await;
    let links = victim.status().await.unwrap().links;
    assert!(links.iter().all(|link| link.peer != stranger.peer()));
}

#[tokio::test]
async fn whoever_floods_a_topic_is_cut_off_and_others_are_not() {
    let mut limits = Limits::default();
    limits.messages_per_topic = Rate::new(20, 0);
    limits.faults_per_peer = Rate::new(30, 0);
    limits.ban = Duration::from_secs(2);
    let victim = builder().limits(limits).open().await.unwrap();
    let (flooder, friend) = (node().await, node().await);
    victim.subscribe(TOPIC).await.unwrap();
    connect(&flooder, &victim).await;
    connect(&friend, &victim).await;
    for number in 0..200_u8 {
        let _ = flooder.publish(TOPIC, vec![number; 100]).await;
    }
    settled(&victim, |status| status.links.iter().all(|link| link.peer != flooder.peer())).await;
    friend.publish(TOPIC, b"calm".to_vec()).await.unwrap();
    let mut flooded = 0;
    loop {
        let (_, bytes) = message(&victim).await;
        if bytes == b"calm" {
            break;
        }
        flooded += 1;
    }
    assert_eq!(flooded, 20);
    // After a while it may come back.
    soon(async {
        loop {
            let _ = flooder.dial(address(&victim).await).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let links = victim.status().await.unwrap().links;
            if links.iter().any(|link| link.peer == flooder.peer()) {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn too_many_questions_are_not_taken() {
    let mut limits = Limits::default();
    limits.questions_per_peer = Rate::new(5, 0);
    let victim = builder().limits(limits).open().await.unwrap();
    let other = node().await;
    victim.subscribe(TOPIC).await.unwrap();
    connect(&other, &victim).await;
    for number in 0..20 {
        other.ask(TOPIC, vec![number]).await.unwrap();
    }
    let mut taken = 0;
    let count = async {
        loop {
            if let Some(Incoming::Question { .. }) = victim.next().await {
                taken += 1;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), count).await;
    assert_eq!(taken, 5);
}

#[tokio::test]
async fn connections_from_outside_are_bounded() {
    let mut limits = Limits::default();
    limits.incoming_connections = 2;
    let victim = builder().limits(limits).open().await.unwrap();
    let others = [node().await, node().await, node().await, node().await];
    for other in &others {
        let _ = other.dial(address(&victim).await).await;
    }
    for _ in 0..20 {
        assert!(victim.status().await.unwrap().links.len() <= 2);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // There is room for those that the node wants itself.
    let wanted = node().await;
    connect(&victim, &wanted).await;
    assert_eq!(victim.status().await.unwrap().links.len(), 3);
}

#[tokio::test]
async fn a_peer_listens_to_no_more_topics_than_it_may() {
    let mut limits = Limits::default();
    limits.topics_per_peer = 5;
    let victim = builder().limits(limits).open().await.unwrap();
    let greedy = node().await;
    let topics: Vec<_> = (0..12).map(|number| Topic([number; 32])).collect();
    connect(&greedy, &victim).await;
    for topic in &topics {
        victim.subscribe(*topic).await.unwrap();
        greedy.subscribe(*topic).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = victim.status().await.unwrap();
    let heard: usize = topics.iter().map(|topic| listeners(&status, *topic)).sum();
    assert_eq!(heard, 5);
}

#[tokio::test]
async fn what_a_client_leaves_behind_is_bounded() {
    let mut limits = Limits::default();
    (limits.held, limits.questions) = (10_000, 10);
    limits.held_lifetime = Duration::from_secs(1);
    limits.question_lifetime = Duration::from_secs(1);
    let one = builder().limits(limits).open().await.unwrap();
    let other = node().await;
    connect(&one, &other).await;
    let publish = || one.publish(TOPIC, vec![0; 1000]);
    for _ in 0..9 {
        publish().await.unwrap();
    }
    assert_eq!(publish().await, Err(TransportError::Busy));
    for _ in 0..10 {
        one.ask(TOPIC, vec![1]).await.unwrap();
    }
    assert_eq!(one.ask(TOPIC, vec![1]).await, Err(TransportError::Busy));
    settled(&one, |status| status.held == 0).await;
    publish().await.unwrap();
    one.ask(TOPIC, vec![1]).await.unwrap();
}

#[tokio::test]
async fn subscriptions_are_bounded() {
    let one = node().await;
    let topic = |number: usize| {
        let mut topic = [0; 32];
        topic[..8].copy_from_slice(&number.to_be_bytes());
        Topic(topic)
    };
    for number in 0..MAX_SUBSCRIPTIONS {
        one.subscribe(topic(number)).await.unwrap();
    }
    let error = one.subscribe(topic(MAX_SUBSCRIPTIONS)).await;
    assert_eq!(error, Err(TransportError::TooManySubscriptions));
    one.subscribe(topic(0)).await.unwrap();
    one.unsubscribe(topic(0)).await.unwrap();
    one.subscribe(topic(MAX_SUBSCRIPTIONS)).await.unwrap();
}

#[tokio::test]
async fn a_slow_client_loses_messages_and_no_memory() {
    let mut limits = Limits::default();
    limits.unread = 10_000;
    let slow = builder().limits(limits).open().await.unwrap();
    let quick = node().await;
    slow.subscribe(TOPIC).await.unwrap();
    connect(&quick, &slow).await;
    settled(&slow, |status| !status.links.is_empty()).await;
    quick.publish(TOPIC, vec![0; 100]).await.unwrap();
    message(&slow).await;
    for number in 0..50 {
        quick.publish(TOPIC, vec![number; 1000]).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut read = 0;
    let count = async {
        loop {
            message(&slow).await;
            read += 1;
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), count).await;
    assert_eq!(read, 10);
    quick.publish(TOPIC, b"and on".to_vec()).await.unwrap();
    assert_eq!(message(&slow).await.1, b"and on");
}

#[tokio::test]
async fn nodes_ask_for_a_runtime() {
    let open = || {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(Libp2p::builder().open()).poll(&mut context) {
            Poll::Ready(result) => result.map(|_| ()),
            Poll::Pending => panic!("it says no at once"),
        }
    };
    let error = std::thread::spawn(open).join().unwrap().unwrap_err();
    assert_eq!(error.code(), "no-runtime");
}
