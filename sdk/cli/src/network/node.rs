//! A node of the real network.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use trellis_sdk::mailbox::{AddressError, MailboxAt, WithMailboxes};
use trellis_sdk::transport::Pending;
use trellis_sdk::transport::libp2p::{Builder, Libp2p, Multiaddr, PeerId};

use super::name::Name;
use super::{Connection, Control, NetworkOptions, name_beside};
use crate::failure::Failure;
use crate::record::{NetworkStatus, Peer, PeerRecord};

/// How often it is looked whether somebody is connected.
const LOOK: Duration = Duration::from_millis(100);

/// A node, and its name.
struct Node {
    network: Arc<Libp2p>,
    _lock: File,
}

/// Opens a node for the account in a file.
pub async fn open(options: &NetworkOptions, store: &Path) -> Result<Connection, Failure> {
    let Name { seed, lock } = Name::open(&name_beside(store))?;
    let mailboxes = mailboxes(options)?;
    let network = Arc::new(builder(options).identity(*seed).open().await?);
    let control = Arc::new(Node { network: Arc::clone(&network), _lock: lock });
    if mailboxes.is_empty() {
        return Ok(Connection { transport: network, control });
    }
    Ok(Connection { transport: Arc::new(WithMailboxes::new(network, mailboxes)), control })
}

/// The mailboxes that options name.
pub(super) fn mailboxes(options: &NetworkOptions) -> Result<Vec<MailboxAt>, Failure> {
    let at = |address| {
        MailboxAt::at(address).map_err(|error: AddressError| Failure::Usage(error.to_string()))
    };
    options.mailbox.iter().map(at).collect()
}

/// How options make a node.
pub(super) fn builder(options: &NetworkOptions) -> Builder {
    let NetworkOptions { peer, listen, external, announce, serve, no_mdns, mailbox: _ } = options;
    let builder = Libp2p::builder().mdns(!no_mdns).announce_listening(*announce).serve(*serve);
    let builder = listen.iter().cloned().fold(builder, Builder::listen);
    let builder = external.iter().cloned().fold(builder, Builder::external);
    peer.iter().cloned().fold(builder, Builder::bootstrap)
}

/// How a node is connected.
pub(super) async fn status(network: &Libp2p) -> NetworkStatus {
    let Ok(status) = network.status().await else {
        return NetworkStatus::default();
    };
    let text =
        |addresses: &[Multiaddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
    let peers = status.links.iter().map(|link| PeerRecord {
        peer: Peer(link.peer.to_string()),
        key_exchange: link.key_exchange.name().to_owned(),
        relayed: link.relayed,
    });
    NetworkStatus {
        peer: status.peer.to_string(),
        listening: text(&status.listening),
        external: text(&status.external),
        peers: peers.collect(),
        requires_hybrid: status.requires_hybrid,
        received: Some(status.received),
        sent: Some(status.sent),
    }
}

impl Control for Node {
    fn status(&self) -> Pending<'_, NetworkStatus> {
        Box::pin(status(&self.network))
    }

    fn block(&self, peer: Peer, blocked: bool) -> Pending<'_, Result<(), Failure>> {
        Box::pin(async move {
            let peer: PeerId = peer.0.parse().map_err(|_| {
                Failure::Usage("a peer's name is what `status` says: 12D3KooW…".to_owned())
            })?;
            Ok(self.network.block(peer, blocked).await?)
        })
    }

    fn meet(&self, at_most: Duration) -> Pending<'_, ()> {
        Box::pin(async move {
            let end = Instant::now() + at_most;
            while Instant::now() < end {
                match self.network.status().await {
                    Ok(status) if status.links.is_empty() => sleep(LOOK).await,
                    _ => return,
                }
            }
        })
    }
}
