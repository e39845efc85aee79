//! A node and peers that are not ours.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures::{AsyncWriteExt, StreamExt};
use futures_rustls::rustls::crypto::aws_lc_rs::kx_group;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt};
use libp2p::core::transport::upgrade::Version;
use libp2p::core::transport::{Boxed, DialOpts, PortUse};
use libp2p::core::{Endpoint, Transport as _};
use libp2p::identity::Keypair;
use libp2p::swarm::{Config, SwarmEvent, dummy};
use libp2p::{Swarm, noise, tcp, yamux};
use proptest::prelude::*;

use super::link::Link as Handshake;
use super::*;

type Sockets = Boxed<(PeerId, StreamMuxerBox)>;

/// A peer on loopback that speaks nothing, over links of a kind; and where it is.
async fn peer(keypair: &Keypair, sockets: Sockets) -> Multiaddr {
    let config =
        Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(60));
    let me = keypair.public().to_peer_id();
    let mut swarm = Swarm::new(sockets, dummy::Behaviour, me, config);
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    address.with_p2p(me).unwrap()
}

fn classical(keypair: &Keypair) -> Sockets {
    let link = Handshake::with_groups(keypair, &[kx_group::X25519], Default::default()).unwrap();
    tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(link)
        .multiplex(yamux::Config::default())
        .boxed()
}

fn noisy(keypair: &Keypair) -> Sockets {
    tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(keypair).unwrap())
        .multiplex(yamux::Config::default())
        .boxed()
}

async fn node(hybrid: bool) -> Libp2p {
    let node = Libp2p::builder().mdns(false).require_hybrid(hybrid);
    node.listen("/ip4/127.0.0.1/tcp/0".parse().unwrap()).open().await.unwrap()
}

#[tokio::test]
async fn peers_without_hybrid_links_are_refused_and_the_caller_knows_why() {
    let keypair = Keypair::generate_ed25519();
    let classical = peer(&keypair, classical(&keypair)).await;
    let noisy = peer(&keypair, noisy(&keypair)).await;
    let ours = node(true).await;
    for (address, code) in [(&classical, "no-hybrid"), (&noisy, "protocol")] {
        let error = ours.dial(address.clone()).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.is_retryable());
    }
    assert!(ours.status().await.unwrap().links.is_empty());
}

#[tokio::test]
async fn a_deployment_that_does_without_reaches_them() {
    let keypair = Keypair::generate_ed25519();
    for sockets in [classical(&keypair), noisy(&keypair)] {
        let address = peer(&keypair, sockets).await;
        let ours = node(false).await;
        assert_eq!(ours.dial(address).await.unwrap(), keypair.public().to_peer_id());
        let status = ours.status().await.unwrap();
        assert!(!status.requires_hybrid);
        assert!(!status.links[0].key_exchange.is_hybrid());
    }
}

#[tokio::test]
async fn a_classical_peer_that_dials_is_refused() {
    let ours = node(true).await;
    let address = ours.status().await.unwrap().listening[0].clone();
    let keypair = Keypair::generate_ed25519();
    for (sockets, refused) in [(classical(&keypair), true), (hybrid(&keypair), false)] {
        let config = Config::with_tokio_executor();
        let me = keypair.public().to_peer_id();
        let mut swarm = Swarm::new(sockets, dummy::Behaviour, me, config);
        swarm.dial(address.clone()).unwrap();
        let failed = loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => break false,
                SwarmEvent::OutgoingConnectionError { .. } => break true,
                _ => {}
            }
        };
        assert_eq!(failed, refused);
    }
}

fn hybrid(keypair: &Keypair) -> Sockets {
    let link = Handshake::new(keypair, true, Default::default()).unwrap();
    tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(link)
        .multiplex(yamux::Config::default())
        .boxed()
}

#[tokio::test]
async fn commands_that_wait_are_bounded() {
    let (node, _task, _told) = Libp2p::builder().at_rest().await;
    let told = (0..2 * builder::COMMANDS).filter(|_| {
        let (reply, _) = oneshot::channel();
        node.commands.try_send(Command::Status { reply }).is_ok()
    });
    assert_eq!(told.count(), builder::COMMANDS);
}

#[tokio::test]
async fn limits_that_cannot_be_are_the_most_that_can() {
    let limits = Limits { content: usize::MAX, streams: usize::MAX, ..Limits::default() };
    let node = Libp2p::builder().mdns(false).limits(limits);
    let node = node.listen("/ip4/127.0.0.1/tcp/0".parse().unwrap()).open().await.unwrap();
    assert_eq!((node.limits.content, node.limits.streams), (MAX_CONTENT, MAX_STREAMS));
}

#[tokio::test]
async fn one_connection_has_so_many_streams() {
    const STREAMS: usize = 20;
    let limits = Limits { streams: STREAMS, ..Limits::default() };
    let victim = Libp2p::builder().mdns(false).limits(limits);
    let victim = victim.listen("/ip4/127.0.0.1/tcp/0".parse().unwrap()).open().await.unwrap();
    let mut place = victim.status().await.unwrap().listening[0].clone();
    place.pop();
    let keypair = Keypair::generate_ed25519();
    // What the victim opens itself counts, too.
    for (open, survives) in [(STREAMS / 4, true), (2 * STREAMS, false)] {
        let mut sockets = hybrid(&keypair);
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (_, mut muxer) = sockets.dial(place.clone(), options).unwrap().await.unwrap();
        let streams = async {
            let mut streams = Vec::new();
            for _ in 0..open {
                let mut stream = poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await?;
                stream.write_all(&[1]).await.ok();
                streams.push(stream);
            }
            // Until the victim closes the connection, or for a while.
            loop {
                poll_fn(|cx| match muxer.poll_unpin(cx) {
                    Poll::Ready(event) => Poll::Ready(event.map(drop)),
                    Poll::Pending => muxer.poll_inbound_unpin(cx).map_ok(drop),
                })
                .await?;
            }
            #[allow(unreachable_code, reason = "it says what the error is")]
            Ok::<(), std::io::Error>(())
        };
        let closed = tokio::time::timeout(Duration::from_secs(3), streams).await;
        assert_eq!(closed.is_err(), survives);
    }
}

proptest! {
    /// Whatever peers do and in whatever order, what is delivered is what was announced.
    #[test]
    fn content_is_right_whatever_happens(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzzing::fetch(&data);
    }
}

#[test]
fn what_fuzzing_begins_with_holds() {
    for (name, input) in fuzzing::seeds() {
        match name {
            "gossip" => fuzzing::gossip(&input),
            "ask" => fuzzing::ask(&input),
            "fetch" => fuzzing::fetch(&input),
            _ => panic!("no target {name}"),
        }
    }
}
