//! Connections: who is there, whom to dial, whom to keep out, and relays to be reached through.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId, identify, kad, mdns, ping, relay};
use tokio::time::Instant;
use tracing::debug;

use super::super::NodeError;
use super::super::behaviour::KAD;
use super::super::command::Reply;
use super::super::error::split_peer;
use super::Task;

/// How long after the network is there the client is told: by then, peers have said what they listen
/// to.
const NOTICE: Duration = Duration::from_millis(300);
/// How long a node tries to be reached directly before it asks a relay.
const RELAY: Duration = Duration::from_secs(5);
/// How long a direct connection is there before those through relays are closed that are there too:
/// until then, the other end has it as well.
const DIRECT: Duration = Duration::from_secs(2);
/// How many relays it uses.
const RELAYS: usize = 2;

/// A peer that is connected.
pub(super) struct Peer {
    /// Whether each connection goes through a relay.
    connections: HashMap<ConnectionId, bool>,
    /// Since when one of them does not.
    direct: Option<Instant>,
    /// Where it can be dialled.
    addresses: Vec<Multiaddr>,
    /// The host that it is on; nothing if it came through a relay.
    pub(super) host: Option<IpAddr>,
    since: Instant,
    is_relay: bool,
}

impl Peer {
    pub(super) fn is_relayed(&self) -> bool {
        self.connections.values().all(|relayed| *relayed)
    }
}

fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// The host of an address. An IPv6 network gives one host a whole /64.
fn host_of(address: &Multiaddr) -> Option<IpAddr> {
    if is_relayed(address) {
        return None;
    }
    address.iter().find_map(|part| match part {
        Protocol::Ip4(host) => Some(host.into()),
        Protocol::Ip6(host) => Some(Ipv6Addr::from_bits(host.to_bits() >> 64 << 64).into()),
        _ => None,
    })
}

impl Task {
    pub(super) fn connected(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        endpoint: &ConnectedPoint,
    ) {
        if self.peers.is_empty() {
            self.notify();
        }
        let known = self.peers.entry(peer).or_insert_with(|| Peer {
            connections: HashMap::new(),
            direct: None,
            addresses: Vec::new(),
            host: host_of(endpoint.get_remote_address()),
            since: Instant::now(),
            is_relay: false,
        });
        known.connections.insert(connection, endpoint.is_relayed());
        if !endpoint.is_relayed() {
            known.direct.get_or_insert_with(Instant::now);
        }
        if let ConnectedPoint::Dialer { address, .. } = endpoint
            && !known.addresses.contains(address)
        {
            known.addresses.insert(0, address.clone());
            known.addresses.truncate(self.limits.addresses);
        }
        self.book.connected(&peer);
        if let Some(reply) = self.dials.remove(&connection) {
            let _ = reply.send(Ok(peer));
        }
        let peers = self.peers.len();
        self.log(|| debug!(peers, "connected"));
    }

    pub(super) fn disconnected(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.connections.remove(&connection);
            known.direct = known.direct.filter(|_| !known.is_relayed());
        }
        if left > 0 {
            return;
        }
        self.peers.remove(&peer);
        self.listeners.retain(|_, listeners| {
            listeners.remove(&peer);
            !listeners.is_empty()
        });
        let now = Instant::now();
        self.book.lost(now, &peer);
        let connected = &self.peers;
        self.links.retain(|peer| connected.contains_key(peer));
        let peers = self.peers.len();
        self.log(|| debug!(peers, "disconnected"));
    }

    pub(super) fn not_connected(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        error: &DialError,
    ) {
        let error = NodeError::of_dial(error);
        self.log(|| debug!(code = error.code(), "no connection"));
        if let Some(peer) = peer
            && !self.peers.contains_key(&peer)
        {
            self.book.failed(Instant::now(), &peer, &self.limits);
        }
        if let Some(reply) = self.dials.remove(&connection) {
            let _ = reply.send(Err(error));
        }
    }

    /// Connects with a peer because the client wants it.
    pub(super) fn dial(&mut self, address: Multiaddr, reply: Reply<PeerId, NodeError>) {
        let peer = match split_peer(&address) {
            Ok(peer) if self.peers.contains_key(&peer) => return drop(reply.send(Ok(peer))),
            Ok(_) if self.dials.len() >= self.limits.dials => {
                return drop(reply.send(Err(NodeError::Busy)));
            }
            Ok(peer) => peer,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let dial = DialOpts::peer_id(peer)
            .addresses(vec![address])
            .condition(PeerCondition::Always)
            .build();
        let connection = dial.connection_id();
        match self.swarm.dial(dial) {
            Ok(()) => drop(self.dials.insert(connection, reply)),
            Err(error) => drop(reply.send(Err(NodeError::of_dial(&error)))),
        }
    }

    /// Connects with a peer of which others say that it listens to a topic.
    pub(super) fn dial_listener(&mut self, peer: PeerId) {
        let network = self.swarm.network_info();
        let pending = network.connection_counters().num_pending_outgoing();
        let full = usize::try_from(pending).is_ok_and(|pending| pending >= self.limits.dials);
        if peer != self.me && !self.peers.contains_key(&peer) && !full {
            let condition = PeerCondition::DisconnectedAndNotDialing;
            // If it can't be dialled now, it is found again.
            let _ = self.swarm.dial(DialOpts::peer_id(peer).condition(condition).build());
        }
    }

    /// A peer that listens to a topic of ours is worth coming back to.
    pub(super) fn remember(&mut self, peer: PeerId) {
        if let Some(known) = self.peers.get(&peer) {
            self.book.remember(peer, &known.addresses, &self.limits);
        }
    }

    /// Tells the client soon that the network can be reached.
    pub(super) fn notify(&mut self) {
        self.notice.get_or_insert(Instant::now() + NOTICE);
    }

    /// Disconnects a peer and keeps it out for a while.
    pub(super) fn ban(&mut self, peer: PeerId) {
        let until = Instant::now() + self.limits.ban;
        if self.bans.len() >= self.limits.remembered_peers {
            let first = self.bans.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(peer, _)| *peer) {
                self.bans.remove(&first);
                self.let_in(first);
            }
        }
        self.bans.insert(peer, until);
        if !self.book.is_named(&peer) {
            self.book.forget(&peer);
        }
        self.swarm.behaviour_mut().blocked.block_peer(peer);
        self.log(|| debug!("a peer did too much, and is out for a while"));
    }

    /// Keeps a peer out because the user wants it, or no longer.
    pub(super) fn refuse(&mut self, peer: PeerId, refused: bool) {
        if refused {
            self.refused.insert(peer);
            self.swarm.behaviour_mut().blocked.block_peer(peer);
        } else if self.refused.remove(&peer) {
            self.let_in(peer);
            if !self.peers.contains_key(&peer) {
                self.book.retry(Instant::now(), &peer);
            }
        }
    }

    /// Keeps a peer out no longer, unless there is another reason.
    fn let_in(&mut self, peer: PeerId) {
        if !self.bans.contains_key(&peer) && !self.refused.contains(&peer) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
    }

    /// A peer has said what it speaks and where it can be reached.
    pub(super) fn identified(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id: peer, info, .. } = event else { return };
        let most = self.limits.addresses;
        let own = |address: &Multiaddr| !matches!(address.iter().last(), Some(Protocol::P2p(other)) if other != peer);
        let addresses: Vec<_> = info.listen_addrs.into_iter().filter(own).take(most).collect();
        if info.protocols.contains(&KAD) {
            let kad = &mut self.swarm.behaviour_mut().kad;
            for address in addresses.iter().filter(|address| !is_relayed(address)) {
                kad.add_address(&peer, address.clone());
            }
        }
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.is_relay = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
        for address in addresses {
            if known.addresses.len() < most && !known.addresses.contains(&address) {
                known.addresses.push(address);
            }
        }
        if self.topics.keys().any(|topic| {
            self.listeners.get(topic).is_some_and(|listeners| listeners.contains(&peer))
        }) {
            self.remember(peer);
        }
    }

    /// A peer has given a sign, or has not. A connection with one that has vanished would last for as
    /// long as the system sends things again, a quarter of an hour, and nobody would look for it.
    pub(super) fn signed(&mut self, event: ping::Event) {
        if event.result.is_err_and(|failure| !matches!(failure, ping::Failure::Unsupported)) {
            self.log(|| debug!("a peer is silent"));
            self.swarm.close_connection(event.connection);
        }
    }

    /// Peers on the local network.
    pub(super) fn nearby(&mut self, event: mdns::Event) {
        let now = Instant::now();
        if let mdns::Event::Discovered(peers) = event {
            for (peer, address) in peers {
                self.swarm.add_peer_address(peer, address.clone());
                // It may not tell of itself again for minutes, if it can't be dialled now.
                self.book.remember(peer, &[address], &self.limits);
                self.dial_listener(peer);
                if !self.peers.contains_key(&peer) {
                    self.book.lost(now, &peer);
                }
            }
        }
    }

    /// Where others can reach this node has changed.
    pub(in super::super) fn address_changed(&mut self) {
        let direct = self.swarm.external_addresses().any(|address| !is_relayed(address));
        let serves = self.serves_table || direct;
        let mode = if serves { kad::Mode::Server } else { kad::Mode::Client };
        self.swarm.behaviour_mut().kad.set_mode(Some(mode));
        self.announce_now();
    }

    pub(super) fn tick_peers(&mut self, now: Instant) {
        for (peer, addresses) in self.book.due(now) {
            if self.peers.contains_key(&peer) {
                continue;
            }
            let dial = DialOpts::peer_id(peer)
                .addresses(addresses)
                .extend_addresses_through_behaviour()
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .build();
            if self.swarm.dial(dial).is_err() {
                self.book.failed(now, &peer, &self.limits);
            }
        }
        let over: Vec<_> =
            self.bans.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect();
        for peer in over {
            self.bans.remove(&peer);
            self.let_in(peer);
        }
        self.dials.retain(|_, reply| !reply.is_closed());
        self.close_detours(now);
        if self.use_relays {
            self.tick_relays(now);
        }
    }

    /// What goes through a relay although there is a direct connection is lost with the relay, and is
    /// carried for nothing.
    fn close_detours(&mut self, now: Instant) {
        let settled = |known: &&Peer| known.direct.is_some_and(|since| now >= since + DIRECT);
        let detours: Vec<ConnectionId> = self
            .peers
            .values()
            .filter(settled)
            .flat_map(|known| known.connections.iter().filter(|(_, relayed)| **relayed))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in detours {
            self.swarm.close_connection(connection);
        }
    }

    /// If nobody can reach this node, one of those that the user named may pass connections on.
    fn tick_relays(&mut self, now: Instant) {
        let reached = self.swarm.external_addresses().any(|address| !is_relayed(address));
        if reached || self.relays.len() >= RELAYS {
            return;
        }
        let fits = |(peer, known): &(&PeerId, &Peer)| {
            known.is_relay
                && now.saturating_duration_since(known.since) >= RELAY
                && self.book.is_named(peer)
                && !self.relays.values().any(|relay| relay == *peer)
        };
        let direct =
            |known: &Peer| known.addresses.iter().find(|address| !is_relayed(address)).cloned();
        let relay =
            self.peers.iter().filter(fits).find_map(|(peer, known)| Some((*peer, direct(known)?)));
        let Some((peer, address)) = relay else { return };
        let Ok(address) = address.with_p2p(peer) else { return };
        if let Ok(listener) = self.swarm.listen_on(address.with(Protocol::P2pCircuit)) {
            self.relays.insert(listener, peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::super::{Libp2p, Limits};
    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    async fn task(limits: Limits) -> (Libp2p, Task) {
        let (node, task, _) = Libp2p::builder().limits(limits).at_rest().await;
        (node, task)
    }

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[tokio::test]
    async fn dials_of_the_client_are_bounded() {
        let (_node, mut task) = task(Limits { dials: 2, ..Limits::default() }).await;
        let mut waiting = Vec::new();
        for number in 0..5 {
            let (reply, mut result) = oneshot::channel();
            task.dial(address(1).with_p2p(PeerId::random()).unwrap(), reply);
            let busy = matches!(result.try_recv(), Ok(Err(NodeError::Busy)));
            assert_eq!(busy, number >= 2);
            waiting.push(result);
        }
        // Who does not wait any more makes room.
        drop(waiting);
        task.tick_peers(Instant::now());
        assert!(task.dials.is_empty());
    }

    #[tokio::test]
    async fn who_is_out_is_out_for_a_while_and_not_all_are_remembered() {
        let (_node, mut task) = task(Limits { remembered_peers: 10, ..Limits::default() }).await;
        let before = Instant::now();
        (0..30).for_each(|_| task.ban(PeerId::random()));
        assert_eq!(task.bans.len(), 10);
        task.tick_peers(before + task.limits.ban - MOMENT);
        assert_eq!(task.bans.len(), 10);
        task.tick_peers(Instant::now() + task.limits.ban);
        assert!(task.bans.is_empty());
    }

    #[tokio::test]
    async fn who_is_nearby_is_dialled_until_it_is_there() {
        let (_node, mut task) = task(Limits::default()).await;
        let peer = PeerId::random();
        task.nearby(mdns::Event::Discovered(vec![(peer, address(1))]));
        for _ in 0..3 {
            task.not_connected(ConnectionId::new_unchecked(0), Some(peer), &DialError::Aborted);
            assert!(task.book.due(Instant::now()).is_empty());
            let due = task.book.due(Instant::now() + task.limits.longest_pause);
            assert_eq!(due, [(peer, vec![address(1)])]);
        }
    }

    #[tokio::test]
    async fn a_few_relays_are_asked_after_a_while() {
        let (_node, mut task) = task(Limits::default()).await;
        let now = Instant::now();
        for port in 1..=RELAYS as u16 + 3 {
            let peer = PeerId::random();
            task.book.name(now, peer, address(port), &task.limits.clone());
            let known = Peer {
                connections: HashMap::new(),
                direct: None,
                addresses: vec![address(port)],
                host: None,
                since: now,
                is_relay: true,
            };
            task.peers.insert(peer, known);
        }
        task.tick_relays(now + RELAY - MOMENT);
        assert!(task.relays.is_empty());
        (0..10).for_each(|_| task.tick_relays(now + RELAY));
        assert_eq!(task.relays.len(), RELAYS);
    }

    #[tokio::test]
    async fn the_client_is_told_soon_that_the_network_is_there() {
        let (_node, mut task) = task(Limits::default()).await;
        let before = Instant::now();
        task.notify();
        task.tick(before + NOTICE - MOMENT);
        assert!(task.notice.is_some());
        task.tick(Instant::now() + NOTICE);
        assert!(task.notice.is_none());
    }
}
