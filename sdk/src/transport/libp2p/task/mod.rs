//! The task that owns the network. Handles tell it what to do through a bounded channel; it ends when
//! the last of them is gone.
//!
//! libp2p's crates log peers and addresses, also in tasks that they start. So the task has a thread of
//! its own, where nothing is logged but for what [`Task::log`] says.

mod ask;
mod chunks;
mod directory;
mod gossip;
mod inbox;
mod lookup;
mod mailbox;
mod neighbours;
mod peers;
mod providers;
mod table;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use libp2p::core::transport::ListenerId;
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use openmls_trellis_crypto::TrellisCrypto;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::Dispatch;
use tracing::dispatcher::with_default;

use super::NodeError;
use super::behaviour::{Behaviour, BehaviourEvent};
use super::book::Book;
use super::command::{Command, Mailbox, Records, Reply};
use super::content::Chunks;
use super::fetch::{Fetches, Request};
use super::flood::{Flood, Verdict};
use super::limits::Limits;
use super::link::Table;
use super::status::{Link, Status};
use super::traffic::Traffic;
use crate::Topic;

pub(super) use inbox::{Inbox, Unread, inbox};

/// How often the task looks at what is due.
const TICK: Duration = Duration::from_millis(250);

/// What a node is made with, beside its swarm.
pub(super) struct Setup {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) limits: Arc<Limits>,
    pub(super) links: Table,
    pub(super) traffic: Traffic,
    pub(super) hybrid: bool,
    pub(super) announce: bool,
    pub(super) use_relays: bool,
    pub(super) serves_table: bool,
    pub(super) bootstrap: Vec<(PeerId, Multiaddr)>,
    pub(super) mailbox: Option<Arc<dyn Mailbox>>,
    pub(super) records: Arc<dyn Records>,
    pub(super) inbox: Inbox,
    pub(super) caller: Handle,
    pub(super) log: Dispatch,
}

/// The network of a node, and all that it knows of it.
pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    me: PeerId,
    limits: Arc<Limits>,
    /// Where the work of the mailbox is done.
    caller: Handle,
    log: Dispatch,
    inbox: Inbox,
    links: Table,
    traffic: Traffic,
    hybrid: bool,
    /// Whether others can reach the addresses that are listened on, as they are.
    announce: bool,
    use_relays: bool,
    serves_table: bool,

    /// Who is connected.
    peers: HashMap<PeerId, peers::Peer>,
    book: Book,
    flood: Flood,
    bans: HashMap<PeerId, Instant>,
    /// Those that the user wants no connection with.
    refused: HashSet<PeerId>,
    dials: HashMap<ConnectionId, Reply<PeerId, NodeError>>,
    relays: HashMap<ListenerId, PeerId>,
    /// When the client is told that the network can be reached.
    notice: Option<Instant>,

    /// What the client listens to.
    topics: HashMap<Topic, table::Interest>,
    /// Which peers listen to what.
    listeners: HashMap<Topic, HashSet<PeerId>>,
    held: VecDeque<gossip::Held>,
    held_bytes: usize,

    asks: HashMap<u64, ask::Ask>,
    questions: HashMap<u64, ask::Question>,
    asked: u64,

    chunks: Chunks,
    fetches: Fetches,
    fetching: HashMap<OutboundRequestId, Request>,

    mailbox: Option<Arc<dyn Mailbox>>,
    mailbox_requests: HashMap<OutboundRequestId, mailbox::For>,
    serving: FuturesUnordered<mailbox::Serving>,

    records: Arc<dyn Records>,
    crypto: TrellisCrypto,
    own: Option<directory::Own>,
    lookups: HashMap<u64, lookup::Lookup>,
    searches: table::Searches,
    providers: providers::Providers,
    neighbours: neighbours::Neighbours,
}

impl Task {
    pub(super) fn new(setup: Setup) -> Self {
        let Setup { swarm, limits, links, hybrid, announce, use_relays, serves_table, .. } = setup;
        let now = Instant::now();
        let mut book = Book::new(*swarm.local_peer_id());
        for (peer, address) in setup.bootstrap {
            book.name(now, peer, address, &limits);
        }
        Self {
            me: *swarm.local_peer_id(),
            swarm,
            caller: setup.caller,
            log: setup.log,
            inbox: setup.inbox,
            links,
            traffic: setup.traffic,
            hybrid,
            announce,
            use_relays,
            serves_table,
            peers: HashMap::new(),
            book,
            flood: Flood::new(),
            bans: HashMap::new(),
            refused: HashSet::new(),
            dials: HashMap::new(),
            relays: HashMap::new(),
            notice: None,
            topics: HashMap::new(),
            listeners: HashMap::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            asks: HashMap::new(),
            questions: HashMap::new(),
            asked: 0,
            chunks: Chunks::new(limits.chunk_store, limits.chunk_age),
            fetches: Fetches::new(),
            fetching: HashMap::new(),
            mailbox: setup.mailbox,
            mailbox_requests: HashMap::new(),
            serving: FuturesUnordered::new(),
            records: setup.records,
            crypto: TrellisCrypto::default(),
            own: None,
            lookups: HashMap::new(),
            searches: table::Searches::default(),
            providers: providers::Providers::default(),
            neighbours: neighbours::Neighbours::default(),
            limits,
        }
    }

    /// Waits until so many listeners have an address.
    ///
    /// # Errors
    ///
    /// If one of them closes.
    pub(super) async fn listen(&mut self, listeners: usize) -> Result<(), NodeError> {
        let mut listening = HashSet::new();
        while listening.len() < listeners {
            let event = self.swarm.select_next_some().await;
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    listening.insert(*listener_id);
                }
                SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                    let error = std::io::Error::new(error.kind(), error.to_string());
                    return Err(NodeError::Listen(error));
                }
                _ => {}
            }
            self.happened(event);
        }
        Ok(())
    }

    /// Runs until nobody is left who could tell it anything.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.happened(event),
                command = commands.recv() => match command {
                    Some(command) => self.told(command),
                    None => return,
                },
                Some(served) = self.serving.next() => self.served(served),
                _ = ticks.tick() => self.tick(Instant::now()),
            }
        }
    }

    /// Logs something of our own.
    fn log(&self, say: impl FnOnce()) {
        with_default(&self.log, say);
    }

    fn told(&mut self, command: Command) {
        // Whoever told it may not wait for the result any more.
        match command {
            Command::Publish { topic, bytes, reply } => {
                let result = self.publish(topic, bytes);
                let _ = reply.send(result);
            }
            Command::Subscribe { topic, reply } => {
                let result = self.subscribe(topic);
                let _ = reply.send(result);
            }
            Command::Unsubscribe { topic, reply } => {
                self.unsubscribe(topic);
                let _ = reply.send(Ok(()));
            }
            Command::Ask { topic, question, reply } => {
                let result = self.ask(topic, question);
                let _ = reply.send(result);
            }
            Command::Answer { asker, answer, reply } => {
                self.answer(asker, answer);
                let _ = reply.send(Ok(()));
            }
            Command::Dial { address, reply } => self.dial(address, reply),
            Command::Mailbox { peer, request, reply } => {
                self.request_mailbox(peer, request, reply);
            }
            Command::Put { key, value, reply } => self.put(key, value, reply),
            Command::Get { key, reply } => self.get(key, reply),
            Command::Block { peer, blocked, reply } => {
                self.refuse(peer, blocked);
                let _ = reply.send(Ok(()));
            }
            Command::Boxes { boxes, reply } => {
                self.publish_boxes(boxes);
                let _ = reply.send(Ok(()));
            }
            Command::Announce { record, reply } => {
                self.announce(record);
                let _ = reply.send(Ok(()));
            }
            Command::Status { reply } => {
                let _ = reply.send(Ok(self.status()));
            }
        }
    }

    fn happened(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.spoken(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                self.disconnected(peer_id, connection_id, num_established);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.not_connected(connection_id, peer_id, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } if self.announce => {
                self.swarm.add_external_address(address);
            }
            SwarmEvent::ExternalAddrConfirmed { .. } | SwarmEvent::ExternalAddrExpired { .. } => {
                self.address_changed();
            }
            SwarmEvent::ListenerClosed { listener_id, .. } => {
                self.relays.remove(&listener_id);
            }
            _ => {}
        }
    }

    fn spoken(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => self.gossiped(event),
            BehaviourEvent::Ask(event) => self.ask_event(event),
            BehaviourEvent::Chunks(event) => self.chunk_event(event),
            BehaviourEvent::Mailbox(event) => self.mailbox_event(event),
            BehaviourEvent::Kad(event) => self.table_event(event),
            BehaviourEvent::Identify(event) => self.identified(event),
            BehaviourEvent::Mdns(event) => self.nearby(event),
            BehaviourEvent::Ping(event) => self.signed(event),
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        self.tick_peers(now);
        self.tick_gossip(now);
        self.tick_asks(now);
        self.tick_table(now);
        self.tick_directory(now);
        self.tick_lookups(now);
        self.fetches.expire(now);
        self.chunks.expire(now);
        self.flood.expire(now, &self.limits);
        self.fetch(now);
        if self.notice.is_some_and(|at| at <= now) && self.inbox.connected() {
            self.notice = None;
        }
    }

    /// Does what a verdict says. Whether the peer may go on.
    fn passes(&mut self, peer: PeerId, verdict: Verdict) -> bool {
        if verdict == Verdict::Ban {
            self.ban(peer);
        }
        verdict == Verdict::Pass
    }

    /// A peer has given something that is none of the protocol's.
    fn malformed(&mut self, peer: PeerId) {
        let verdict = self.flood.malformed(Instant::now(), &self.limits, peer);
        self.passes(peer, verdict);
    }

    fn status(&self) -> Status {
        let me = libp2p::multiaddr::Protocol::P2p(self.me);
        let full = |address: &Multiaddr| {
            address.clone().with_p2p(self.me).unwrap_or_else(|address| address.with(me.clone()))
        };
        let link = |(peer, known): (&PeerId, &peers::Peer)| Link {
            peer: *peer,
            key_exchange: self.links.get(peer),
            relayed: known.is_relayed(),
        };
        let topic = |topic: &Topic| (*topic, self.listeners.get(topic).map_or(0, HashSet::len));
        Status {
            peer: self.me,
            listening: self.swarm.listeners().map(full).collect(),
            external: self.swarm.external_addresses().map(full).collect(),
            links: self.peers.iter().map(link).collect(),
            table: self.searches.nodes(),
            serves_table: self.swarm.behaviour().kad.mode() == libp2p::kad::Mode::Server,
            local_discovery: self.swarm.behaviour().mdns.is_enabled(),
            topics: self.topics.keys().map(topic).collect(),
            held: self.held_bytes,
            announced: self.own.as_ref().is_some_and(directory::Own::is_there),
            requires_hybrid: self.hybrid,
            received: self.traffic.received(),
            sent: self.traffic.sent(),
        }
    }
}
