//! What a node refuses when a peer, or its own client, wants more than a limit.

#![cfg(feature = "libp2p")]

mod nodes;

use std::convert::Infallible;
use std::future::pending;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{SwarmEvent, dummy};
use libp2p::{Swarm, SwarmBuilder, tcp, tls, yamux};
use nodes::{Wire, address, builder, connect, node, port, settled, soon};
use trellis_sdk::transport::libp2p::{Libp2p, Limits, Mailbox, Multiaddr, PeerId, Rate};

async fn limited(change: impl FnOnce(&mut Limits)) -> Libp2p {
    let mut limits = Limits::default();
    change(&mut limits);
    builder().limits(limits).open().await.unwrap()
}

async fn links(node: &Libp2p) -> usize {
    node.status().await.unwrap().links.len()
}

/// An address without the name of the node.
async fn place(node: &Libp2p) -> Multiaddr {
    let mut place = address(node).await;
    place.pop();
    place
}

#[tokio::test]
async fn connections_are_bounded_whoever_opens_them() {
    let victim = limited(|limits| limits.connections = 3).await;
    let others = [node().await, node().await, node().await, node().await, node().await];
    connect(&victim, &others[0]).await;
    connect(&victim, &others[1]).await;
    for other in &others[2..] {
        let _ = soon(other.dial(address(&victim).await)).await;
    }
    for _ in 0..20 {
        assert!(links(&victim).await <= 3);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(links(&victim).await, 3);
    let error = soon(victim.dial(address(&node().await).await)).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
}

/// Whether the other end closes a connection within a time.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(1..) => {}
            Ok(0) => return true,
            Err(error) => {
                use std::io::ErrorKind::{TimedOut, WouldBlock};
                return !matches!(error.kind(), TimedOut | WouldBlock);
            }
        }
    }
}

#[tokio::test]
async fn whoever_connects_and_says_nothing_is_cut_off() {
    const HANDSHAKE: Duration = Duration::from_secs(3);
    let victim = limited(|limits| (limits.pending_connections, limits.handshake) = (2, HANDSHAKE));
    let victim = victim.await;
    let port = port(&address(&victim).await);
    let start = Instant::now();
    let open = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut silent: Vec<_> = (0..6).map(|_| open()).collect();
    let mut closed = |within| {
        silent.retain_mut(|stream| !is_closed(stream, within));
        silent.len()
    };
    assert_eq!(closed(Duration::from_millis(300)), 2, "the others are too many");
    assert!(start.elapsed() < HANDSHAKE);
    assert_eq!(closed(2 * HANDSHAKE), 0);
    assert!(start.elapsed() < 2 * HANDSHAKE);
    connect(&node().await, &victim).await;
}

/// A peer that speaks nothing.
fn mute() -> Swarm<dummy::Behaviour> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), tls::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| dummy::Behaviour)
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

#[tokio::test]
async fn one_peer_has_so_many_connections() {
    let victim = limited(|limits| limits.connections_per_peer = 2).await;
    let mut stranger = mute();
    for _ in 0..6 {
        let dial = DialOpts::peer_id(victim.peer()).condition(PeerCondition::Always);
        stranger.dial(dial.addresses(vec![place(&victim).await]).build()).unwrap();
    }
    let run = async {
        loop {
            stranger.select_next_some().await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), run).await;
    assert_eq!(stranger.network_info().connection_counters().num_established(), 2);
}

#[tokio::test]
async fn without_memory_nobody_is_connected() {
    let victim = limited(|limits| limits.memory = 1).await;
    let other = node().await;
    let _ = soon(other.dial(address(&victim).await)).await;
    settled(&other, |status| status.links.is_empty()).await;
    assert_eq!(links(&victim).await, 0);
    assert!(soon(victim.dial(address(&other).await)).await.is_err());
}

#[tokio::test]
async fn a_connection_that_nothing_uses_is_closed() {
    const IDLE: Duration = Duration::from_secs(2);
    let victim = limited(|limits| limits.idle = IDLE).await;
    let mut stranger = mute();
    stranger.dial(address(&victim).await).unwrap();
    let mut until = async |is: fn(&SwarmEvent<Infallible>) -> bool| {
        while !is(&soon(stranger.select_next_some()).await) {}
    };
    until(|event| matches!(event, SwarmEvent::ConnectionEstablished { .. })).await;
    let start = Instant::now();
    until(|event| matches!(event, SwarmEvent::ConnectionClosed { .. })).await;
    assert!(start.elapsed() >= IDLE && start.elapsed() < 10 * IDLE, "{:?}", start.elapsed());
}

/// A mailbox that never answers, and counts at how much it works.
#[derive(Default)]
struct Sloth {
    working: AtomicUsize,
    most: AtomicUsize,
}

struct Desk(Arc<Sloth>);

struct Work(Arc<Sloth>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Mailbox for Desk {
    fn serve(
        &self,
        _: PeerId,
        _: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> {
        let sloth = self.0.clone();
        Box::pin(async move {
            let working = sloth.working.fetch_add(1, Ordering::SeqCst) + 1;
            sloth.most.fetch_max(working, Ordering::SeqCst);
            let _work = Work(sloth);
            pending().await
        })
    }
}

/// A sloth with limits, and how long somebody with limits has waited who asked it so much at once, in vain.
async fn asked(office: Limits, guest: Limits, requests: usize) -> (Libp2p, Arc<Sloth>, Duration) {
    let sloth = Arc::new(Sloth::default());
    let office = builder().mailbox(Arc::new(Desk(sloth.clone()))).limits(office).open().await;
    let (office, guest) = (office.unwrap(), builder().limits(guest).open().await.unwrap());
    connect(&guest, &office).await;
    let start = Instant::now();
    let asked = (0..requests).map(|_| guest.mailbox_request(office.peer(), vec![1]));
    for answer in soon(join_all(asked)).await {
        assert_eq!(answer.unwrap_err().code(), "no-answer");
    }
    (office, sloth, start.elapsed())
}

#[tokio::test]
async fn one_connection_has_so_many_requests_at_once_and_a_mailbox_too() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let quick = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        limits.request_timeout = PATIENCE;
        change(&mut limits);
        limits
    };
    let (_, sloth, _) = asked(quick(|limits| limits.requests_at_once = 2), quick(|_| ()), 8).await;
    assert_eq!(sloth.most.load(Ordering::SeqCst), 2);
    let (_, sloth, _) = asked(quick(|limits| limits.mailbox_at_once = 3), quick(|_| ()), 8).await;
    assert_eq!(sloth.most.load(Ordering::SeqCst), 3);
    let rate = quick(|limits| limits.mailbox_per_peer = Rate::new(4, 0));
    let (_, sloth, _) = asked(rate, quick(|_| ()), 8).await;
    assert_eq!(sloth.most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn nobody_waits_for_an_answer_and_works_on_one_for_longer_than_he_may() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut impatient = Limits::default();
    impatient.request_timeout = PATIENCE;
    let in_time = |waited| (PATIENCE..3 * PATIENCE).contains(&waited);
    let working = async |sloth: &Sloth| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        sloth.working.load(Ordering::SeqCst)
    };
    // Who asks gives up.
    let (office, sloth, waited) = asked(Limits::default(), impatient.clone(), 1).await;
    assert!(in_time(waited), "{waited:?}");
    assert_eq!(working(&sloth).await, 1);
    // A node that is closed does not go on.
    drop(office);
    assert_eq!(working(&sloth).await, 0);
    // The mailbox gives up, and its work is stopped.
    let (_office, sloth, waited) = asked(impatient, Limits::default(), 1).await;
    assert!(in_time(waited), "{waited:?}");
    assert_eq!(working(&sloth).await, 0);
}

#[tokio::test]
async fn a_search_ends_though_a_node_of_the_table_is_silent() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let table = builder().serve(true).open().await.unwrap();
    let wire = Wire::to(&table).await;
    let mut limits = Limits::default();
    limits.search_timeout = PATIENCE;
    let one = builder().bootstrap(wire.through.clone()).limits(limits).open().await.unwrap();
    settled(&one, |status| status.table > 0).await;
    // What it does by itself at the beginning is over.
    assert!(soon(one.get_record(b"figs")).await.unwrap().is_empty());
    wire.cut.store(true, Ordering::Relaxed);
    let start = Instant::now();
    assert!(soon(one.get_record(b"figs")).await.unwrap().is_empty());
    assert!(start.elapsed() < 3 * PATIENCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_node_that_does_not_get_to_listen_says_so() {
    // It takes connections, and nothing comes of them.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    let circuit = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}/p2p-circuit", PeerId::random());
    let start = Instant::now();
    let error = Libp2p::builder().mdns(false).listen(circuit.parse().unwrap()).open().await;
    assert_eq!(error.unwrap_err().code(), "listen");
    assert!(start.elapsed() >= Duration::from_secs(5) && start.elapsed() < Duration::from_secs(9));
}

#[tokio::test]
async fn two_nodes_do_not_share_a_port() {
    let one = node().await;
    let place = place(&one).await;
    let open = || Libp2p::builder().mdns(false).listen(place.clone()).open();
    let error = open().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("listen", false));
    // Connections go out from that port all the same, and come in.
    let other = node().await;
    connect(&one, &other).await;
    connect(&node().await, &one).await;
    // Who was just closed is not in the way.
    drop(one);
    open().await.unwrap();
}

#[tokio::test]
async fn a_node_that_says_where_it_is_reached_is_one_of_the_table() {
    let plain = || builder().announce_listening(false);
    assert!(!plain().open().await.unwrap().status().await.unwrap().serves_table);
    let external = "/dns4/node.example/tcp/4001".parse().unwrap();
    let reached = plain().external(external).open().await.unwrap();
    assert!(reached.status().await.unwrap().serves_table);
    let other = plain().bootstrap(address(&reached).await).open().await.unwrap();
    settled(&other, |status| status.table > 0).await;
}

#[tokio::test]
async fn a_relay_carries_for_so_many() {
    let mut limits = Limits::default();
    limits.relay_reservations = 1;
    let relay = builder().serve(true).limits(limits).open().await.unwrap();
    let circuit: Multiaddr = format!("{}/p2p-circuit", address(&relay).await).parse().unwrap();
    let hidden = || Libp2p::builder().mdns(false).listen(circuit.clone()).open();
    let _first = hidden().await.unwrap();
    assert_eq!(hidden().await.unwrap_err().code(), "listen");
}
