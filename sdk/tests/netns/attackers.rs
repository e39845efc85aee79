//! Nodes of the hash table that lie: their names lie close to a topic's place in it, they say that they
//! listen to the topic, name nobody but each other, and keep nothing. Every other one answers with
//! noise.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::kad::store::MemoryStore;
use libp2p::kad::{self, KBucketKey, RecordKey};
use libp2p::request_response::{self, Codec, Event, Message, ProtocolSupport};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, multiaddr, tcp, tls, yamux,
};
use tokio::runtime::Runtime;
use tokio::time::{Instant, interval};
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::HashAlgorithm;

use crate::inside::parse;

const KAD: StreamProtocol = StreamProtocol::new("/trellis/kad/1");
/// How many bits of a name are those of the place that it is close to.
const CLOSE: u32 = 10;
/// How long honest nodes are told that we listen, before we know nothing of them any more.
const CLAIM: Duration = Duration::from_secs(4);

/// Answers whatever it is asked with noise.
#[derive(Clone)]
struct Noise;

impl Codec for Noise {
    type Protocol = StreamProtocol;
    type Request = ();
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        io.read_exact(&mut [0]).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        Ok(())
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, _: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Ok(())
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        // A length that fits, and then nothing of the protocol.
        io.write_all(&[&[0x7f][..], &[0xa5; 127]].concat()).await?;
        io.close().await
    }
}

#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
struct Attacker {
    identify: identify::Behaviour,
    kad: Toggle<kad::Behaviour<MemoryStore>>,
    noise: Toggle<request_response::Behaviour<Noise>>,
}

/// `near TOPIC COUNT LISTEN VICTIM…` starts them.
pub fn told(runtime: &Runtime, words: &[&str]) -> Result<String, String> {
    let ["near", topic, count, listen, victims @ ..] = words else { return Err("unknown".into()) };
    let digest = [&b"trellis topic v1"[..], &parse(topic)?.0].concat();
    let place = RecordKey::new(&HashAlgorithm::Sha256.hash(Backend::default(), &digest));
    let victims: Vec<Multiaddr> = victims.iter().map(|victim| victim.parse().unwrap()).collect();
    let mut names = Vec::new();
    let mut known: Vec<(PeerId, Multiaddr)> = Vec::new();
    for number in 0..count.parse::<u16>().unwrap() {
        let keypair = close_to(&place);
        let at: Multiaddr = format!("/ip4/{listen}/tcp/{}", 5000 + number).parse().unwrap();
        let peer = keypair.public().to_peer_id();
        let swarm = {
            let _inside = runtime.enter();
            attacker(keypair, number % 2 == 1)
        };
        known.push((peer, at.clone()));
        names.push(peer.to_string());
        runtime.spawn(attack(swarm, at, place.clone(), victims.clone(), known.clone()));
    }
    Ok(names.join(" "))
}

/// A name that is as close as it takes.
fn close_to(place: &RecordKey) -> Keypair {
    let place = KBucketKey::new(place.clone());
    loop {
        let keypair = Keypair::generate_ed25519();
        let distance = KBucketKey::from(keypair.public().to_peer_id()).distance(&place);
        if distance.ilog2().is_none_or(|bits| bits < 256 - CLOSE) {
            return keypair;
        }
    }
}

fn attacker(keypair: Keypair, noisy: bool) -> Swarm<Attacker> {
    let me = keypair.public().to_peer_id();
    let mut table = kad::Config::new(KAD);
    table.set_record_filtering(kad::StoreInserts::FilterBoth);
    let mut kad = kad::Behaviour::with_config(me, MemoryStore::new(me), table);
    kad.set_mode(Some(kad::Mode::Server));
    let noise = request_response::Behaviour::with_codec(
        Noise,
        [(KAD, ProtocolSupport::Inbound)],
        request_response::Config::default(),
    );
    let identity = identify::Config::new("/trellis/1".into(), keypair.public());
    let attacker = Attacker {
        identify: identify::Behaviour::new(identity),
        kad: (!noisy).then_some(kad).into(),
        noise: noisy.then_some(noise).into(),
    };
    SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), tls::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| attacker)
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}

async fn attack(
    mut swarm: Swarm<Attacker>,
    at: Multiaddr,
    place: RecordKey,
    victims: Vec<Multiaddr>,
    others: Vec<(PeerId, Multiaddr)>,
) {
    swarm.listen_on(at.clone()).unwrap();
    swarm.add_external_address(at);
    let peer_of = |address: &Multiaddr| match address.iter().last() {
        Some(multiaddr::Protocol::P2p(peer)) => Some(peer),
        _ => None,
    };
    let victims: Vec<_> =
        victims.into_iter().filter_map(|victim| Some((peer_of(&victim)?, victim))).collect();
    for (_, victim) in &victims {
        swarm.dial(victim.clone()).unwrap();
    }
    let (mut ticks, start) = (interval(Duration::from_secs(1)), Instant::now());
    let mut claiming = true;
    loop {
        tokio::select! {
            event = swarm.select_next_some() => {
                if let SwarmEvent::Behaviour(AttackerEvent::Noise(Event::Message {
                    message: Message::Request { channel, .. }, ..
                })) = event
                    && let Some(noise) = swarm.behaviour_mut().noise.as_mut()
                {
                    let _ = noise.send_response(channel, ());
                }
            }
            _ = ticks.tick() => {
                let Some(kad) = swarm.behaviour_mut().kad.as_mut() else { continue };
                for (peer, address) in &others {
                    kad.add_address(peer, address.clone());
                }
                if claiming {
                    for (peer, address) in &victims {
                        kad.add_address(peer, address.clone());
                    }
                    let _ = kad.start_providing(place.clone());
                    claiming = start.elapsed() < CLAIM;
                } else {
                    for (peer, _) in &victims {
                        kad.remove_peer(peer);
                    }
                }
            }
        }
    }
}
