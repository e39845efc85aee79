//! Every limit of a node, by name.

use std::time::Duration;

use crate::transport::{MAX_MESSAGE, MAX_SUBSCRIPTIONS};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// How much of something a peer may do: so much at once, and so much a second in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How much at once, after a rest.
    pub burst: u32,
    /// How much comes back each second.
    pub per_second: u32,
}

impl Rate {
    /// So much at once, and so much a second.
    #[must_use]
    pub const fn new(burst: u32, per_second: u32) -> Self {
        Self { burst, per_second }
    }
}

/// Every limit of a node. No peer can make it keep, answer or wait for more.
///
/// Sizes are in bytes. Change fields of the default.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time. Default: 128.
    pub connections: u32,
    /// Of these, how many that others have opened. Default: 96, which leaves room for those that this
    /// node wants: who fills it up from outside does not cut it off.
    pub incoming_connections: u32,
    /// Connections in each direction whose handshake is under way. Default: 32.
    pub pending_connections: u32,
    /// Connections with one peer. Default: 4: two that were opened at the same time, one through a
    /// relay, and a direct one that is to replace it.
    pub connections_per_peer: u32,
    /// How much memory the process may have before no more connections are made. Default: 1 GiB.
    pub memory: usize,
    /// Streams in one connection, in both directions. Default: 128; at most [`MAX_STREAMS`].
    pub streams: usize,
    /// How long a handshake may take. Default: 20 s.
    pub handshake: Duration,
    /// How long a connection is kept that nothing uses. Default: 5 min. A peer that speaks the gossip
    /// protocol uses it for as long as it is there.
    pub idle: Duration,
    /// How long the other end of a connection may be silent at most, before the connection is closed: a
    /// host that is gone does not say so. Default: 60 s; a quarter of it is how often each end is asked
    /// for a sign.
    pub silence: Duration,
    /// How many peers a message is sent on to, for one topic: the number aimed at. Default: 6.
    pub mesh: usize,
    /// Below so many, more are looked for. Default: 4.
    pub mesh_low: usize,
    /// Above so many, some are let go. Default: 12.
    pub mesh_high: usize,
    /// The longest frame of the gossip protocol. Default: 512 KiB, which holds the names of all topics that a
    /// node may listen to, 70 bytes each, and more than an envelope or the announcement of the longest
    /// content.
    pub gossip_frame: usize,
    /// Gossip messages that wait for one peer that is slow to read. Default: 512.
    pub gossip_queue: usize,
    /// How long each of them waits. Default: 20 s: what a large group says at once takes that long over a
    /// slow link.
    pub gossip_delay: Duration,
    /// Topics that one peer may listen to. Default: 4096, as many as a node of ours listens to; they take
    /// about half a megabyte.
    pub topics_per_peer: usize,
    /// Messages from one peer, whoever wrote them. Default: 4096 at once, 1024 a second.
    pub messages_per_peer: Rate,
    /// Messages from one peer in one topic. Default: 2048 at once, 512 a second.
    pub messages_per_topic: Rate,
    /// KiB of messages from one peer. Default: 64 MiB at once, 16 MiB a second.
    pub gossip_kib_per_peer: Rate,
    /// Questions, and answers, from one peer. Default: 128 at once, 16 a second.
    pub questions_per_peer: Rate,
    /// Chunks that one peer may fetch. Default: 1024 at once, 256 a second, which is 8 MiB.
    pub chunks_per_peer: Rate,
    /// Requests of one peer to this node's mailbox. Default: 64 at once, 16 a second.
    pub mailbox_per_peer: Rate,
    /// Records that one peer may store here. Default: 64 at once, 2 a second.
    pub records_per_peer: Rate,
    /// What a peer may do wrong: one for what is over a rate, ten for what is malformed. Default: 256 at
    /// once, 2 a second. Who goes on is disconnected.
    pub faults_per_peer: Rate,
    /// How long a peer that was disconnected for its faults stays out. Default: 5 min.
    pub ban: Duration,
    /// Peers whose rates are remembered, those that are not connected among them. Default: 1024.
    pub remembered_peers: usize,
    /// Requests of each kind in one connection, at a time. Default: 16.
    pub requests_at_once: usize,
    /// How long a peer may take to answer a request. Default: 20 s.
    pub request_timeout: Duration,
    /// Questions of this node that are open, and questions of others that are, of which an eighth may be
    /// one peer's. Default: 1024.
    pub questions: usize,
    /// How long either is open. Default: 60 s.
    pub question_lifetime: Duration,
    /// How many peers get the same question. Default: 16.
    pub ask: usize,
    /// Answers that one of them may give. Default: 16, for key packages and what goes with them.
    pub answers: usize,
    /// Bytes of messages that wait for somebody who listens to their topic. Default: 8 MiB.
    pub held: usize,
    /// How long they wait. Default: 60 s.
    pub held_lifetime: Duration,
    /// Bytes that came in and that the client has not read; more is lost. Default: 64 MiB.
    pub unread: usize,
    /// The longest content that is fetched in chunks. Default: 16 MiB, and no more, because its
    /// announcement has to fit into [`gossip_frame`](Self::gossip_frame).
    pub content: usize,
    /// Bytes of chunks that are kept for others. Default: 64 MiB.
    pub chunk_store: usize,
    /// How long a chunk is kept. Default: 10 min.
    pub chunk_age: Duration,
    /// Contents that are fetched at a time; a quarter of them may be announced by one peer. Default: 16.
    pub fetches: usize,
    /// Bytes of all contents that are fetched at a time. Default: 48 MiB.
    pub fetch_bytes: usize,
    /// How long fetching one content may take. Default: 5 min.
    pub fetch_lifetime: Duration,
    /// Chunks that are asked of one peer at a time. Default: 4.
    pub fetch_at_once: usize,
    /// The longest request to a mailbox, and the longest response. Default: 1 MiB.
    pub mailbox_frame: usize,
    /// Requests that this node's mailbox works on at a time. Default: 64.
    pub mailbox_at_once: usize,
    /// Records of the directory that this node keeps; of more, those nearest to it. Default: 4096.
    pub records: usize,
    /// The longest record. Default: 16 KiB, which holds a [record](crate::directory::Record) of a device with
    /// all keys that there are.
    pub record: usize,
    /// How long a record is kept. Default: 36 h.
    pub record_lifetime: Duration,
    /// Different records for one key that a search returns. Default: 16.
    pub found_records: usize,
    /// Nodes of one host, or one /64 of IPv6, in this node's part of the table, but for those on this
    /// machine. Default: 3: who has many names but one host is not all that a search begins with.
    pub nodes_per_host: usize,
    /// Entries "this peer listens to that topic" that this node keeps for others. Default: 65,536.
    pub providers: usize,
    /// Of these, for one topic. Default: 20.
    pub providers_per_topic: usize,
    /// Of these for one topic, from one host, or one /64 of IPv6. Default: 8: who has many names but one
    /// host does not take all room that a topic has, and hides nobody so.
    pub providers_per_host: usize,
    /// Of these, of one peer. Default: 4096.
    pub providers_per_peer: usize,
    /// How long such an entry is kept. Default: 2 h; it is renewed after half of that.
    pub provider_lifetime: Duration,
    /// Searches in the distributed hash table at a time; more wait. Default: 16.
    pub searches: usize,
    /// Searches that wait; what is over is forgotten. Default: 8192.
    pub waiting_searches: usize,
    /// How long a search may take. Default: 20 s.
    pub search_timeout: Duration,
    /// Peers that are dialled at a time because they listen to the same topics. Default: 16.
    pub dials: usize,
    /// Peers whose addresses are kept to come back to. Default: 256.
    pub known_peers: usize,
    /// Addresses of one peer that are kept or told to others. Default: 8.
    pub addresses: usize,
    /// The longest pause before a peer is dialled again. Default: 60 s.
    pub longest_pause: Duration,
    /// As a relay: peers that can be reached through this node. Default: 128.
    pub relay_reservations: usize,
    /// As a relay: connections through this node. Default: 64.
    pub relay_circuits: usize,
    /// As a relay: connections of one peer through this node. Default: 8.
    pub relay_circuits_per_peer: usize,
    /// As a relay: bytes that go through one connection before it ends. Default: 64 MiB.
    pub relay_bytes: u64,
    /// As a relay: how long a connection may last. Default: 1 h.
    pub relay_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            incoming_connections: 96,
            pending_connections: 32,
            connections_per_peer: 4,
            memory: 1024 * MIB,
            streams: 128,
            handshake: Duration::from_secs(20),
            idle: Duration::from_secs(300),
            silence: Duration::from_secs(60),
            mesh: 6,
            mesh_low: 4,
            mesh_high: 12,
            gossip_frame: 512 * KIB,
            gossip_queue: 512,
            gossip_delay: Duration::from_secs(20),
            topics_per_peer: MAX_SUBSCRIPTIONS,
            messages_per_peer: Rate::new(4096, 1024),
            messages_per_topic: Rate::new(2048, 512),
            gossip_kib_per_peer: Rate::new(64 * 1024, 16 * 1024),
            questions_per_peer: Rate::new(128, 16),
            chunks_per_peer: Rate::new(1024, 256),
            mailbox_per_peer: Rate::new(64, 16),
            records_per_peer: Rate::new(64, 2),
            faults_per_peer: Rate::new(256, 2),
            ban: Duration::from_secs(300),
            remembered_peers: 1024,
            requests_at_once: 16,
            request_timeout: Duration::from_secs(20),
            questions: 1024,
            question_lifetime: Duration::from_secs(60),
            ask: 16,
            answers: 16,
            held: 8 * MIB,
            held_lifetime: Duration::from_secs(60),
            unread: 64 * MIB,
            content: MAX_CONTENT,
            chunk_store: 64 * MIB,
            chunk_age: Duration::from_secs(600),
            fetches: 16,
            fetch_bytes: 48 * MIB,
            fetch_lifetime: Duration::from_secs(300),
            fetch_at_once: 4,
            mailbox_frame: MIB,
            mailbox_at_once: 64,
            records: 4096,
            record: 16 * KIB,
            record_lifetime: Duration::from_secs(36 * 3600),
            found_records: 16,
            nodes_per_host: 3,
            providers: 65_536,
            providers_per_topic: 20,
            providers_per_host: 8,
            providers_per_peer: MAX_SUBSCRIPTIONS,
            provider_lifetime: Duration::from_secs(2 * 3600),
            searches: 16,
            waiting_searches: 8192,
            search_timeout: Duration::from_secs(20),
            dials: 16,
            known_peers: 256,
            addresses: 8,
            longest_pause: Duration::from_secs(60),
            relay_reservations: 128,
            relay_circuits: 64,
            relay_circuits_per_peer: 8,
            relay_bytes: 64 * MIB as u64,
            relay_time: Duration::from_secs(3600),
        }
    }
}

/// How long a piece of content is that is fetched at once, in bytes: 32 KiB.
pub const CHUNK: usize = 32 * KIB;

/// The longest content that can be announced at all, in bytes: 16 MiB.
pub const MAX_CONTENT: usize = 16 * MIB;

/// The most streams that a connection can have: each may have 256 KiB that are not read yet, and all of
/// them 1 GiB.
pub const MAX_STREAMS: usize = 4096;

/// The longest key of a record, in bytes.
pub(super) const MAX_KEY: usize = 64;

/// The longest question or answer with what goes around it.
pub(super) const ASK_FRAME: usize = super::frame::ASK_HEADER + MAX_MESSAGE;
