//! Nodes on loopback, and clients on them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use trellis_sdk::store::Key;
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::{Libp2p, Limits, Multiaddr};
use trellis_sdk::{Client, Group};

use super::counted::{BARE, Counted, Counts, Lengths, Tally};
use super::proxy::{self, Meter};
use super::{Outcome, failed, within};

/// How long one node may take to open or to connect.
const LINK: Duration = Duration::from_secs(20);
/// How often it is looked whether something has come about.
const LOOK: Duration = Duration::from_millis(50);

/// A node with a client.
pub(super) struct Host {
    pub(super) client: Client,
    pub(super) tally: Arc<Tally>,
    pub(super) node: Arc<Libp2p>,
    /// Bare messages that came; nothing once somebody has taken it.
    pub(super) bare: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

/// Some hosts.
pub(super) struct Hosts {
    pub(super) all: Vec<Host>,
    /// Links that were made, each of which has two ends.
    links: usize,
    meter: Option<Meter>,
}

/// How hosts are made.
#[derive(Clone, Copy)]
pub(super) struct Kind<'a> {
    /// Where clients have their files; in memory, if nowhere.
    pub(super) folder: Option<&'a Path>,
    /// Whether the sockets are counted.
    pub(super) metered: bool,
}

/// In memory, connected as they like.
pub(super) const PLAIN: Kind<'static> = Kind { folder: None, metered: false };

/// What so many nodes in one process need.
fn limits() -> Limits {
    let mut limits = Limits::default();
    // The first has a connection with everybody, and the memory is that of all nodes together.
    (limits.connections, limits.incoming_connections) = (512, 384);
    limits.memory = 16 << 30;
    limits
}

/// A node on loopback.
pub(super) async fn node() -> Outcome<Libp2p> {
    let here = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
    let open = Libp2p::builder().mdns(false).limits(limits()).listen(here).open();
    within(LINK, "opening a node", open).await?.map_err(|error| failed("a node")(&error))
}

async fn address(node: &Libp2p) -> Outcome<Multiaddr> {
    let status = node.status().await.map_err(|error| failed("a node")(&error))?;
    status.listening.first().cloned().ok_or_else(|| "a node listens nowhere".to_owned())
}

/// Where a node is reached: at a proxy before it, if there is a meter.
async fn reach(node: &Libp2p, meter: Option<&Meter>) -> Outcome<Multiaddr> {
    let own = address(node).await?;
    let Some(meter) = meter else { return Ok(own) };
    let (port, _) = through(&own, 0)?;
    let proxy = proxy::before(port, meter).await.map_err(|error| failed("a proxy")(&error))?;
    Ok(through(&own, proxy)?.1)
}

/// Connects one node with another.
pub(super) async fn link(one: &Libp2p, other: &Libp2p) -> Outcome<()> {
    dial(one, address(other).await?).await
}

async fn dial(node: &Libp2p, address: Multiaddr) -> Outcome<()> {
    let dialled = within(LINK, "a link", node.dial(address)).await?;
    dialled.map(drop).map_err(|error| failed("a link")(&error))
}

/// The address with another port in place of its own.
fn through(address: &Multiaddr, port: u16) -> Outcome<(u16, Multiaddr)> {
    let text = address.to_string();
    let mut parts: Vec<_> = text.split('/').map(str::to_owned).collect();
    let own = parts.iter().position(|part| part == "tcp").and_then(|at| parts.get_mut(at + 1));
    let own = own.ok_or("an address without a port")?;
    let before = own.parse().map_err(|_| "an address without a port")?;
    *own = port.to_string();
    Ok((before, parts.join("/").parse().map_err(|_| "an address of one's own making")?))
}

impl Hosts {
    /// So many, each connected with the first, and some of them with each other.
    pub(super) async fn open(count: usize, kind: Kind<'_>) -> Outcome<Self> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Arc::new(node().await?));
        }
        let meter = kind.metered.then(Meter::default);
        let mut addresses = Vec::new();
        for node in &nodes {
            addresses.push(reach(node, meter.as_ref()).await?);
        }
        let mut links = 0;
        for (index, node) in nodes.iter().enumerate().skip(1) {
            // The mesh of a real network is no star.
            let others = BTreeSet::from([0, index - 1, index / 2]);
            for other in others.into_iter().filter(|other| *other < index) {
                dial(node, addresses[other].clone()).await?;
                links += 1;
            }
        }
        let mut all = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let tally = Arc::new(Tally::default());
            let (transport, bare) = Counted::new(node.clone(), tally.clone());
            let builder = match kind.folder {
                Some(folder) => {
                    let file = folder.join(format!("host-{index}.db"));
                    Client::builder(file, Key::raw([0x42; 32]))
                }
                None => Client::builder_in_memory(),
            };
            let client = builder.transport(transport).open().await;
            let client = client.map_err(|error| failed("a client")(&error))?;
            let bare = Some(bare);
            all.push(Host { client, tally, node, bare });
        }
        Ok(Self { all, links, meter })
    }

    /// A group of all, founded by the first, and how long it took. What is wrong, and how many were in
    /// then, if that is too long.
    pub(super) async fn gather(
        &self,
        patience: Duration,
    ) -> Result<(Vec<Group>, f64), (usize, String)> {
        let (start, count) = (Instant::now(), self.all.len());
        let inside = async || {
            let mut inside = 0;
            for host in &self.all {
                let Some(group) =
                    host.client.groups().await.ok().and_then(|all| all.first().cloned())
                else {
                    continue;
                };
                let members = group.members().await.map_or(0, |members| members.len());
                inside += usize::from(members == count);
            }
            inside
        };
        let gathered = async {
            let founder = &self.all.first().ok_or("no hosts")?.client;
            let wrong = |error: trellis_sdk::Error| failed("inviting")(&error);
            let group = founder.create_group("garden").await.map_err(wrong)?;
            let others: Vec<_> =
                self.all.iter().skip(1).map(|host| host.client.address()).collect();
            for change in group.invite_all(&others).await.map_err(wrong)? {
                change.done().await.map_err(|error| failed("inviting")(&error))?;
            }
            while inside().await < count {
                sleep(LOOK).await;
            }
            Ok(self.all.iter().map(|host| host.client.group(group.id())).collect())
        };
        match within(patience, "a group comes together", gathered).await {
            Ok(Ok(groups)) => Ok((groups, start.elapsed().as_secs_f64())),
            Ok(Err(error)) | Err(error) => Err((inside().await, error)),
        }
    }

    /// All listen to bare messages, and know that the others do.
    pub(super) async fn listen_bare(&self, patience: Duration) -> Outcome<()> {
        for host in &self.all {
            let listening = host.node.subscribe(BARE).await;
            listening.map_err(|error| failed("listening")(&error))?;
        }
        let known = async {
            for host in &self.all {
                loop {
                    let status = host.node.status().await;
                    let status = status.map_err(|error| failed("a node")(&error))?;
                    let listen = status.topics.iter().find(|(topic, _)| *topic == BARE);
                    if listen.is_some_and(|(_, peers)| *peers >= status.links.len().min(1)) {
                        break;
                    }
                    sleep(LOOK).await;
                }
            }
            Ok::<(), String>(())
        };
        within(patience, "listening", known).await??;
        // A heartbeat of the gossip protocol, after which the mesh is there.
        sleep(Duration::from_millis(1500)).await;
        Ok(())
    }

    /// What all of them have counted.
    pub(super) fn counts(&self) -> Counts {
        self.all.iter().map(|host| host.tally.counts()).fold(Counts::default(), Counts::plus)
    }

    /// How long the envelopes of the first host were since it was asked last.
    pub(super) fn lengths(&self) -> Lengths {
        self.all.first().map(|host| host.tally.lengths()).unwrap_or_default()
    }

    /// Whether all links are those that were made, so that what they carry is counted.
    pub(super) async fn are_all_counted(&self) -> Outcome<bool> {
        let mut ends = 0;
        for host in &self.all {
            let status = host.node.status().await.map_err(|error| failed("a node")(&error))?;
            ends += status.links.len();
        }
        Ok(self.meter.is_some() && ends == 2 * self.links)
    }

    /// What the sockets have carried.
    pub(super) fn sockets(&self) -> u64 {
        self.meter.as_ref().map_or(0, |meter| meter.load(Ordering::Relaxed))
    }

    /// Closes all clients, for a while at most.
    pub(super) async fn close(self) {
        let closing = async {
            for host in &self.all {
                host.client.close().await;
            }
        };
        // They end with the process if they don't now.
        let _ = tokio::time::timeout(Duration::from_secs(10), closing).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_another_port() {
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().unwrap();
        let (port, other) = through(&address, 7).unwrap();
        assert_eq!((port, other.to_string().as_str()), (4001, "/ip4/127.0.0.1/tcp/7"));
        assert!(through(&"/ip4/127.0.0.1".parse().unwrap(), 7).is_err());
    }
}
