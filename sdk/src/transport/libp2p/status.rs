//! What a node can say of itself.

use libp2p::{Multiaddr, PeerId};

use super::link::KeyExchange;

/// How a node is connected: for a program that shows it, or that looks for what is wrong. Nothing of
/// it is ever logged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The name of this node. It is another than that of the account, and says nothing of it.
    pub peer: PeerId,
    /// Where it listens, with its name at the end: what another node takes as a
    /// [bootstrap](super::Builder::bootstrap) address, if it can reach it.
    pub listening: Vec<Multiaddr>,
    /// Where others can reach it, as far as it is known: told by the user, or seen by others who tried,
    /// or through a relay.
    pub external: Vec<Multiaddr>,
    /// The peers that it is connected with.
    pub links: Vec<Link>,
    /// How many nodes of the distributed hash table it knows.
    pub table: usize,
    /// Whether it is one of them.
    pub serves_table: bool,
    /// Whether it looks for peers on the local network.
    pub local_discovery: bool,
    /// Topics that it listens to, and how many peers that it is connected with listen to each.
    pub topics: Vec<(crate::Topic, usize)>,
    /// Bytes that wait for somebody who listens to their topic.
    pub held: usize,
    /// Whether the directory has a record of where this client's key packages are: it was given to nodes of
    /// the table after [`publish_boxes`](super::Libp2p::publish_boxes).
    pub announced: bool,
    /// Whether links without post-quantum protection are refused.
    pub requires_hybrid: bool,
    /// Bytes that came in through TCP connections since this node was opened: everything, with
    /// handshakes and encryption, but without what TCP and IP add. What QUIC carries is not counted.
    pub received: u64,
    /// Bytes that went out, counted in the same way.
    pub sent: u64,
}

/// A peer that a node is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Who.
    pub peer: PeerId,
    /// How the keys of the link were agreed on.
    pub key_exchange: KeyExchange,
    /// Whether all connections with it go through a relay. The relay reads nothing: the link is between
    /// both ends.
    pub relayed: bool,
}
