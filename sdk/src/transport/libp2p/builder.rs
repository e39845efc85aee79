//! How to make a node.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::Config;
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::runtime::{self, Handle};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;
use tracing::Dispatch;
use tracing::dispatcher::{self, with_default};
use tracing::subscriber::NoSubscriber;
use zeroize::Zeroizing;

use super::behaviour::{Behaviour, Offers};
use super::command::{Command, Mailbox, Records};
use super::directory::Directory;
use super::error::split_peer;
use super::limits::{Limits, MAX_CONTENT, MAX_STREAMS};
use super::link::Table;
use super::task::{Setup, Task, inbox};
use super::traffic::Traffic;
use super::{Libp2p, NodeError, socket};

/// How many commands wait for the task.
pub(super) const COMMANDS: usize = 256;
/// How long it may take until a socket listens.
const LISTEN: Duration = Duration::from_secs(5);

/// How to make a [`Libp2p`] node. Without a word more it listens on every address of the host, at a
/// port that the host chooses, finds peers on the local network, and requires hybrid links.
#[must_use = "nothing happens before `open`"]
pub struct Builder {
    listen: Vec<Multiaddr>,
    external: Vec<Multiaddr>,
    bootstrap: Vec<Multiaddr>,
    seed: Option<Zeroizing<[u8; 32]>>,
    mdns: bool,
    announce: bool,
    serve: bool,
    use_relays: bool,
    hybrid: bool,
    mailbox: Option<Arc<dyn Mailbox>>,
    records: Arc<dyn Records>,
    limits: Limits,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            external: Vec::new(),
            bootstrap: Vec::new(),
            seed: None,
            mdns: true,
            announce: false,
            serve: false,
            use_relays: true,
            hybrid: true,
            mailbox: None,
            records: Arc::new(Directory::default()),
            limits: Limits::default(),
        }
    }
}

impl Builder {
    /// Listen on an address, such as `/ip4/0.0.0.0/tcp/4001`; port 0 is one that the host chooses. It
    /// can be said more than once. A port of TCP at which somebody listens already is refused with
    /// [`NodeError::Listen`], after a second in which somebody may be closing it.
    pub fn listen(mut self, address: Multiaddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Others can reach this node at an address, such as `/dns4/node.example/tcp/4001`. So it is a node of
    /// the distributed hash table, too, and keeps records and entries for others.
    pub fn external(mut self, address: Multiaddr) -> Self {
        self.external.push(address);
        self
    }

    /// Others can reach this node at the addresses that it listens on, as they are: so it is on a host
    /// with a public address, and within one network. If it is not said, nodes that this one is
    /// connected with find out.
    pub fn announce_listening(mut self, yes: bool) -> Self {
        self.announce = yes;
        self
    }

    /// A node to begin with, and to come back to: any other node that can be reached, with the name of
    /// the peer at the end, such as `/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW…`. It can be said more than
    /// once; several are better.
    pub fn bootstrap(mut self, address: Multiaddr) -> Self {
        self.bootstrap.push(address);
        self
    }

    /// The key that names this node, from 32 random bytes: its name stays the same as long as they do.
    /// Without, each opening makes a new one, which is better for a client: nobody can tell that it
    /// is the one of yesterday. It has nothing to do with the keys of an account.
    pub fn identity(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(Zeroizing::new(seed));
        self
    }

    /// Find peers on the local network by multicast DNS, and be found. Default: yes.
    pub fn mdns(mut self, yes: bool) -> Self {
        self.mdns = yes;
        self
    }

    /// Serve others: keep their entries of the distributed hash table, tell them whether they can be
    /// reached, and pass their connections on as a relay, within the limits. It is for nodes with a
    /// public address. Default: no.
    pub fn serve(mut self, yes: bool) -> Self {
        self.serve = yes;
        self
    }

    /// If nobody can reach this node, be reached through a bootstrap node that is a relay. Default: yes.
    pub fn use_relays(mut self, yes: bool) -> Self {
        self.use_relays = yes;
        self
    }

    /// Whether links without post-quantum protection are refused. Default: yes: TLS 1.3 over TCP with
    /// X25519MLKEM768, and nothing else.
    ///
    /// If a deployment turns it off, QUIC and Noise are there too, and X25519 alone is accepted. Whoever
    /// records such a link sees later which topics its ends listen to, and when; what is said in groups
    /// has its own protection. And where the environment variable SSLKEYLOGFILE is set, libp2p's QUIC
    /// writes the secrets of its sessions to that file.
    pub fn require_hybrid(mut self, yes: bool) -> Self {
        self.hybrid = yes;
        self
    }

    /// Answer requests to a mailbox on this node.
    pub fn mailbox(mut self, mailbox: Arc<dyn Mailbox>) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// What decides which records are kept for others, and which [`Libp2p::get_record`] returns, in place of
    /// [`Directory`]: a node with others keeps no records of key packages.
    pub fn records(mut self, records: Arc<dyn Records>) -> Self {
        self.records = records;
        self
    }

    /// Other limits than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the node, and waits until it listens. It has to be called within a tokio runtime, where a
    /// [`Mailbox`] does its work; the network has a thread of its own.
    ///
    /// Dropping the [`Libp2p`] closes all connections.
    ///
    /// # Errors
    ///
    /// [`NodeError::NoRuntime`], [`NodeError::Listen`], [`NodeError::Address`] for a bootstrap address
    /// without a peer, [`NodeError::System`] and [`NodeError::Link`].
    pub async fn open(mut self) -> Result<Libp2p, NodeError> {
        let caller = Handle::try_current().map_err(|_| NodeError::NoRuntime)?;
        let log = dispatcher::get_default(Clone::clone);
        self.limits.content = self.limits.content.min(MAX_CONTENT);
        self.limits.streams = self.limits.streams.min(MAX_STREAMS);
        let named = |address: &Multiaddr| Ok((split_peer(address)?, address.clone()));
        let bootstrap: Vec<(PeerId, Multiaddr)> =
            self.bootstrap.iter().map(named).collect::<Result<_, NodeError>>()?;
        let keypair = match self.seed.take() {
            Some(mut seed) => {
                Keypair::ed25519_from_bytes(&mut seed[..]).map_err(|_| NodeError::Address)?
            }
            None => Keypair::generate_ed25519(),
        };
        let (ready, opened) = oneshot::channel();
        // What runs on this thread logs nowhere, but for what the task hands to the caller's log.
        let live = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(NodeError::System(error)))),
            };
            runtime.block_on(async {
                match self.start(&keypair, bootstrap, caller, log).await {
                    Err(error) => drop(ready.send(Err(error))),
                    Ok((node, task, told)) => {
                        // Who does not wait any more does not want a node.
                        if ready.send(Ok(node)).is_ok() {
                            task.run(told).await;
                        }
                    }
                }
            });
            runtime.shutdown_background();
        };
        thread::Builder::new()
            .name("trellis-net".into())
            .spawn(|| with_default(&Dispatch::new(NoSubscriber::default()), live))
            .map_err(NodeError::System)?;
        opened.await.map_err(|_| NodeError::Closed)?
    }

    /// A node whose task does not run by itself, on loopback.
    #[cfg(test)]
    pub(super) async fn at_rest(self) -> (Libp2p, Task, mpsc::Receiver<Command>) {
        let keypair = Keypair::generate_ed25519();
        let log = dispatcher::get_default(Clone::clone);
        let builder = self.mdns(false).listen("/ip4/127.0.0.1/tcp/0".parse().expect("an address"));
        builder.start(&keypair, Vec::new(), Handle::current(), log).await.expect("it opens")
    }

    async fn start(
        self,
        keypair: &Keypair,
        bootstrap: Vec<(PeerId, Multiaddr)>,
        caller: Handle,
        log: Dispatch,
    ) -> Result<(Libp2p, Task, mpsc::Receiver<Command>), NodeError> {
        let limits = Arc::new(self.limits);
        let links = Table::default();
        let traffic = Traffic::default();
        let (sockets, relayed) = socket::make(keypair, self.hybrid, &links, &traffic, &limits)?;
        let offers = Offers {
            mdns: self.mdns,
            relay: self.serve,
            mailbox: self.mailbox.is_some(),
            table: self.serve,
        };
        let behaviour =
            Behaviour::new(keypair, relayed, offers, &limits).map_err(NodeError::System)?;
        let config = Config::with_tokio_executor().with_idle_connection_timeout(limits.idle);
        let me = keypair.public().to_peer_id();
        let mut swarm = Swarm::new(sockets, behaviour, me, config);
        let reached = !self.external.is_empty();
        self.external.into_iter().for_each(|address| swarm.add_external_address(address));

        let asked_for = !self.listen.is_empty();
        let (addresses, more) =
            if asked_for { (self.listen, Vec::new()) } else { everywhere(self.hybrid) };
        for address in &addresses {
            socket::claim(address).await.map_err(NodeError::Listen)?;
        }
        for address in &addresses {
            let listening = swarm.listen_on(address.clone());
            listening.map_err(|error| NodeError::Listen(std::io::Error::other(error)))?;
        }
        for address in more {
            // Not every host has it.
            let _ = swarm.listen_on(address);
        }
        let (inbox, unread) = inbox(&limits);
        let mut task = Task::new(Setup {
            swarm,
            limits: limits.clone(),
            links,
            traffic,
            hybrid: self.hybrid,
            announce: self.announce,
            use_relays: self.use_relays,
            serves_table: self.serve,
            bootstrap,
            mailbox: self.mailbox,
            records: self.records,
            inbox,
            caller,
            log,
        });
        if reached {
            // libp2p tells the protocols what it was told, and not the task.
            task.address_changed();
        }
        match timeout(LISTEN, task.listen(addresses.len())).await {
            Ok(listening) => listening?,
            // Without a network, a host has no address; it may come.
            Err(_) if !asked_for => {}
            Err(_) => return Err(NodeError::Listen(std::io::ErrorKind::TimedOut.into())),
        }
        let (commands, told) = mpsc::channel(COMMANDS);
        let node = Libp2p { commands, unread: Mutex::new(unread), limits, peer: me };
        Ok((node, task, told))
    }
}

/// Every address of the host: first what every host has, then what it may have.
fn everywhere(hybrid: bool) -> (Vec<Multiaddr>, Vec<Multiaddr>) {
    let (four, six) =
        (Multiaddr::from(Ipv4Addr::UNSPECIFIED), Multiaddr::from(Ipv6Addr::UNSPECIFIED));
    let tcp = |host: &Multiaddr| host.clone().with(Protocol::Tcp(0));
    let quic = |host: &Multiaddr| host.clone().with(Protocol::Udp(0)).with(Protocol::QuicV1);
    let mut more = vec![tcp(&six)];
    if !hybrid {
        more.extend([quic(&four), quic(&six)]);
    }
    (vec![tcp(&four)], more)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("require_hybrid", &self.hybrid).finish_non_exhaustive()
    }
}
