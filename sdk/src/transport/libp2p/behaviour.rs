//! The protocols that a node speaks, put together.

use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::gossipsub::{
    self, CallbackSubscriptionFilter, IdentityTransform, MaxCountSubscriptionFilter,
    MessageAuthenticity, MessageId, TopicHash, ValidationMode,
};
use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{
    StreamProtocol, autonat, connection_limits, dcutr, identify, kad, mdns,
    memory_connection_limits, ping, relay,
};

use super::codec::Bytes;
use super::frame::topic_of;
use super::hash;
use super::limits::{ASK_FRAME, CHUNK, Limits};

/// The distributed hash table: a network of its own, apart from all others.
pub(super) const KAD: StreamProtocol = StreamProtocol::new("/trellis/kad/1");
const ASK: StreamProtocol = StreamProtocol::new("/trellis/ask/1");
const CHUNKS: StreamProtocol = StreamProtocol::new("/trellis/chunk/1");
const MAILBOX: StreamProtocol = StreamProtocol::new("/trellis/mailbox/1");
const GOSSIP: &str = "/trellis/gossip/1";
/// How many messages one frame names that its peer may have missed.
const MOST_NAMED: usize = 5000;
/// What a node says of itself to all who connect: the protocol, and nothing of the program.
const IDENTITY: &str = "/trellis/1";

type Filter = MaxCountSubscriptionFilter<CallbackSubscriptionFilter<fn(&TopicHash) -> bool>>;
pub(super) type Gossipsub = gossipsub::Behaviour<IdentityTransform, Filter>;
pub(super) type Requests = request_response::Behaviour<Bytes>;

/// All protocols. Limits come first: what they refuse, no other has to deal with.
#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
pub(super) struct Behaviour {
    pub(super) blocked: allow_block_list::Behaviour<BlockedPeers>,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    pub(super) gossip: Gossipsub,
    pub(super) ask: Requests,
    pub(super) chunks: Requests,
    pub(super) mailbox: Requests,
    pub(super) kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) mdns: Toggle<mdns::tokio::Behaviour>,
    reachable: autonat::v2::client::Behaviour,
    reach: Toggle<autonat::v2::server::Behaviour>,
    relayed: relay::client::Behaviour,
    relay: Toggle<relay::Behaviour>,
    punch: dcutr::Behaviour,
}

/// Which of them a node offers to others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers {
    pub(super) mdns: bool,
    pub(super) relay: bool,
    pub(super) mailbox: bool,
    pub(super) table: bool,
}

impl Behaviour {
    pub(super) fn new(
        keypair: &Keypair,
        relayed: relay::client::Behaviour,
        offers: Offers,
        limits: &Limits,
    ) -> io::Result<Self> {
        let me = keypair.public().to_peer_id();
        let mut kad = kad::Behaviour::with_config(me, store(me, limits), table(limits));
        kad.set_mode(Some(if offers.table { kad::Mode::Server } else { kad::Mode::Client }));
        let identity = identify::Config::new(IDENTITY.into(), keypair.public())
            .with_agent_version(IDENTITY.into())
            .with_push_listen_addr_updates(true)
            .with_cache_size(limits.known_peers);
        // A host may have no network for it, and its other networks all the same.
        let mdns =
            offers.mdns.then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), me).ok());
        let mailbox =
            if offers.mailbox { ProtocolSupport::Full } else { ProtocolSupport::Outbound };
        Ok(Self {
            blocked: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(connections(limits)),
            memory: memory_connection_limits::Behaviour::with_max_bytes(limits.memory),
            gossip: gossip(limits)?,
            ask: requests(ASK, ProtocolSupport::Full, (ASK_FRAME, 1), limits),
            chunks: requests(CHUNKS, ProtocolSupport::Full, (32, CHUNK), limits),
            mailbox: requests(
                MAILBOX,
                mailbox,
                (limits.mailbox_frame, limits.mailbox_frame),
                limits,
            ),
            kad,
            identify: identify::Behaviour::new(identity),
            ping: ping::Behaviour::new(pings(limits)),
            mdns: mdns.flatten().into(),
            reachable: autonat::v2::client::Behaviour::default(),
            reach: offers.relay.then(autonat::v2::server::Behaviour::default).into(),
            relayed,
            relay: offers.relay.then(|| relay::Behaviour::new(me, relay(limits))).into(),
            punch: dcutr::Behaviour::new(me),
        })
    }
}

/// The second sign in a row that is missing is the first that is told.
fn pings(limits: &Limits) -> ping::Config {
    let pause = limits.silence / 4;
    ping::Config::new().with_interval(pause).with_timeout(pause)
}

fn connections(limits: &Limits) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_connections))
        .with_max_pending_outgoing(Some(limits.pending_connections))
        .with_max_established_incoming(Some(limits.incoming_connections))
        .with_max_established(Some(limits.connections))
        .with_max_established_per_peer(Some(limits.connections_per_peer))
}

/// Messages say nothing of who published them, and whoever does gives them to those alone that it
/// would pass on any message to: no peer can tell one from the other.
fn gossip(limits: &Limits) -> io::Result<Gossipsub> {
    let filter: fn(&TopicHash) -> bool = |name| topic_of(name.as_str()).is_some();
    let filter = MaxCountSubscriptionFilter {
        filter: CallbackSubscriptionFilter(filter),
        max_subscribed_topics: limits.topics_per_peer,
        max_subscriptions_per_request: limits.topics_per_peer,
    };
    let config = gossip_config(limits)?;
    Gossipsub::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
        .map_err(io::Error::other)
}

fn gossip_config(limits: &Limits) -> io::Result<gossipsub::Config> {
    gossipsub::ConfigBuilder::default()
        .protocol_id(GOSSIP, gossipsub::Version::V1_1)
        .mesh_n(limits.mesh)
        .mesh_n_low(limits.mesh_low)
        .mesh_n_high(limits.mesh_high)
        .mesh_outbound_min((limits.mesh / 2).min(limits.mesh_low).min(2))
        .gossip_lazy(limits.mesh)
        .flood_publish(false)
        .heartbeat_initial_delay(Duration::from_secs(1))
        .max_transmit_size(limits.gossip_frame)
        // A frame of names of messages or topics that is too long for the peer ends the stream, and after five
        // of them it hears nothing more. The name of a message takes 34 bytes, and that of a topic 70.
        .max_control_message_size(limits.gossip_frame)
        .max_control_messages_sent((limits.gossip_frame / 64).min(MOST_NAMED))
        .connection_handler_queue_len(limits.gossip_queue)
        .publish_queue_duration(limits.gossip_delay)
        .forward_queue_duration(limits.gossip_delay)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| {
            MessageId::new(&hash(&[message.topic.as_str().as_bytes(), &message.data]))
        })
        .build()
        .map_err(io::Error::other)
}

fn requests(
    protocol: StreamProtocol,
    support: ProtocolSupport,
    (request, response): (usize, usize),
    limits: &Limits,
) -> Requests {
    let config = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        .with_max_concurrent_streams(limits.requests_at_once);
    Requests::with_codec(Bytes { request, response }, [(protocol, support)], config)
}

fn store(me: libp2p::PeerId, limits: &Limits) -> MemoryStore {
    let config = MemoryStoreConfig {
        max_records: limits.records,
        // It refuses what is as long as that.
        max_value_bytes: limits.record.saturating_add(1),
        max_providers_per_key: limits.providers_per_topic,
        // Each topic of others may be one that nobody else listens to, and ours are in the same store.
        max_provided_keys: limits.providers.saturating_add(crate::transport::MAX_SUBSCRIPTIONS),
    };
    MemoryStore::with_config(me, config)
}

fn table(limits: &Limits) -> kad::Config {
    let mut config = kad::Config::new(KAD);
    config
        // A search goes several ways that share no peer, so that one that lies spoils one of them.
        .disjoint_query_paths(true)
        .set_query_timeout(limits.search_timeout)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(Some(limits.record_lifetime))
        // Whose record it is puts it there again; nodes that did would bring back what was replaced.
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_record_ttl(Some(limits.provider_lifetime))
        .set_provider_publication_interval(Some(limits.provider_lifetime / 2))
        .set_replication_factor(NonZeroUsize::new(20).unwrap_or(NonZeroUsize::MIN))
        .set_caching(kad::Caching::Disabled)
        .set_max_packet_size(limits.record + 16 * 1024);
    config
}

fn relay(limits: &Limits) -> relay::Config {
    let minute = Duration::from_secs(60);
    let rate = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    let config = relay::Config {
        max_reservations: limits.relay_reservations,
        max_reservations_per_peer: 4,
        reservation_rate_limiters: Vec::new(),
        max_circuits: limits.relay_circuits,
        max_circuits_per_peer: limits.relay_circuits_per_peer,
        max_circuit_bytes: limits.relay_bytes,
        max_circuit_duration: limits.relay_time,
        circuit_src_rate_limiters: Vec::new(),
        ..relay::Config::default()
    };
    config
        .reservation_rate_per_peer(rate(30), 2 * minute)
        .reservation_rate_per_ip(rate(60), minute)
        .circuit_src_per_peer(rate(30), 2 * minute)
        .circuit_src_per_ip(rate(60), minute)
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;
    use libp2p::kad::store::RecordStore;
    use libp2p::kad::{ProviderRecord, Record, RecordKey};

    use super::*;

    /// The store refuses topics above a number of its own, whoever listens to them.
    #[test]
    fn one_peer_does_not_fill_the_table() {
        let limits = Limits::default();
        let mut store = store(PeerId::random(), &limits);
        let mut add = |peer, number: usize| {
            let key = RecordKey::new(&number.to_be_bytes());
            store.add_provider(ProviderRecord::new(key, peer, Vec::new()))
        };
        let greedy = PeerId::random();
        for number in 0..limits.providers_per_peer {
            add(greedy, number).unwrap();
        }
        add(PeerId::random(), limits.providers_per_peer).unwrap();
    }

    #[test]
    fn a_topic_has_as_many_entries_as_it_may_and_the_table_as_many_records() {
        let limits =
            Limits { providers_per_topic: 5, records: 3, record: 100, ..Limits::default() };
        let mut store = store(PeerId::random(), &limits);
        let key = RecordKey::new(b"topic");
        for _ in 0..20 {
            let entry = ProviderRecord::new(key.clone(), PeerId::random(), Vec::new());
            let _ = store.add_provider(entry);
        }
        assert_eq!(store.providers(&key).len(), 5);
        let record = |number: u8, length| Record::new(vec![number], vec![0; length]);
        assert!(store.put(record(0, 101)).is_err());
        let kept = (0..10).filter(|number| store.put(record(*number, 100)).is_ok());
        assert_eq!(kept.count(), 3);
    }

    #[test]
    fn gossip_and_the_relay_are_made_with_the_limits() {
        let limits = Limits {
            mesh: 5,
            mesh_low: 3,
            mesh_high: 9,
            gossip_frame: 12_345,
            gossip_queue: 67,
            gossip_delay: Duration::from_secs(8),
            relay_reservations: 2,
            relay_circuits: 3,
            relay_circuits_per_peer: 4,
            relay_bytes: 5,
            relay_time: Duration::from_secs(6),
            ..Limits::default()
        };
        let gossip = gossip_config(&limits).unwrap();
        assert_eq!((gossip.mesh_n_low(), gossip.mesh_n(), gossip.mesh_n_high()), (3, 5, 9));
        assert_eq!(gossip.gossip_lazy(), 5);
        assert_eq!(gossip.max_transmit_size(), 12_345);
        assert_eq!(gossip.max_control_message_size(), 12_345);
        assert_eq!(gossip.max_control_messages_sent(), 192);
        let standard = gossip_config(&Limits::default()).unwrap();
        assert_eq!(standard.max_control_messages_sent(), MOST_NAMED);
        assert_eq!(gossip.connection_handler_queue_len(), 67);
        assert_eq!(gossip.publish_queue_duration().as_secs(), 8);
        assert_eq!(gossip.forward_queue_duration().as_secs(), 8);
        let relay = relay(&limits);
        assert_eq!(relay.max_reservations, 2);
        assert_eq!((relay.max_circuits, relay.max_circuits_per_peer), (3, 4));
        assert_eq!((relay.max_circuit_bytes, relay.max_circuit_duration.as_secs()), (5, 6));
    }
}
