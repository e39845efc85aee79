//! A node of the real network.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use trellis_sdk::mailbox::{AddressError, MailboxAt, MailboxStatus, WithMailboxes};
use trellis_sdk::transport::libp2p::{Builder, Libp2p, Multiaddr, PeerId};
use trellis_sdk::transport::{Pending, Transport};

use super::name::Name;
use super::{Connection, Control, NetworkOptions, name_beside};
use crate::failure::Failure;
use crate::record::{MailboxRecord, NetworkStatus, Peer, PeerRecord};

/// How often it is looked whether somebody is connected.
const LOOK: Duration = Duration::from_millis(100);

/// A node, its mailboxes, and its name.
struct Node {
    network: Arc<Libp2p>,
    mailboxes: Option<Arc<WithMailboxes<Libp2p>>>,
    _lock: File,
}

/// Opens a node for the account in a file.
pub async fn open(options: &NetworkOptions, store: &Path) -> Result<Connection, Failure> {
    let Name { seed, lock } = Name::open(&name_beside(store))?;
    let mailboxes = mailboxes(options)?;
    let network = Arc::new(builder(options).identity(*seed).open().await?);
    let mailboxes = (!mailboxes.is_empty())
        .then(|| Arc::new(WithMailboxes::new(Arc::clone(&network), mailboxes)));
    let transport: Arc<dyn Transport> = match &mailboxes {
        Some(mailboxes) => Arc::clone(mailboxes) as _,
        None => Arc::clone(&network) as _,
    };
    let control = Arc::new(Node { network, mailboxes, _lock: lock });
    Ok(Connection { transport, control })
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
    let NetworkOptions { peer, listen, external, announce, serve, no_mdns, mailbox } = options;
    let builder = Libp2p::builder().mdns(!no_mdns).announce_listening(*announce).serve(*serve);
    let builder = listen.iter().cloned().fold(builder, Builder::listen);
    let builder = external.iter().cloned().fold(builder, Builder::external);
    // A mailbox is a node like others, too: to begin with, and to be reached through.
    peer.iter().chain(mailbox).cloned().fold(builder, Builder::bootstrap)
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
        mailboxes: Vec::new(),
        received: Some(status.received),
        sent: Some(status.sent),
    }
}

/// How it stands with a mailbox.
fn mailbox(status: MailboxStatus) -> MailboxRecord {
    let MailboxStatus { at, reached, trouble, .. } = status;
    MailboxRecord {
        mailbox: at.address,
        reached: reached.map(|time| time.0),
        trouble: trouble.map(|error| error.to_string()),
    }
}

impl Control for Node {
    fn status(&self) -> Pending<'_, NetworkStatus> {
        Box::pin(async {
            let mailboxes = self.mailboxes.iter().flat_map(|mailboxes| mailboxes.status());
            let mailboxes = mailboxes.map(mailbox).collect();
            NetworkStatus { mailboxes, ..status(&self.network).await }
        })
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
