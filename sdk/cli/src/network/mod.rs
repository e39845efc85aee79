//! How this program reaches others: the one place that knows which transport there is.

mod mailbox;
mod name;
mod node;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use trellis_sdk::transport::libp2p::Multiaddr;
use trellis_sdk::transport::{Pending, Transport};

use crate::failure::Failure;
use crate::record::{NetworkStatus, Peer};

pub use mailbox::{MailboxOptions, mailbox};

/// How others are reached.
///
/// Addresses are libp2p's, such as `/ip4/192.0.2.1/tcp/4001` or `/dns4/node.example/tcp/4001`. That of a
/// peer ends with its name, `/p2p/12D3KooW…`: so it can't be taken for another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkOptions {
    /// Connect to this peer, at an address that ends with its name; can be given several times
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "TRELLIS_PEERS",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub peer: Vec<Multiaddr>,
    /// Take connections here, such as /ip4/0.0.0.0/tcp/4001; any free port on all interfaces, if
    /// nothing is said
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "TRELLIS_LISTEN",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub listen: Vec<Multiaddr>,
    /// Others reach this node here, such as /dns4/node.example/tcp/4001; if nothing is said, peers
    /// find it out
    #[arg(long, global = true, value_name = "ADDR")]
    pub external: Vec<Multiaddr>,
    /// Others reach this node where it takes connections: it has a public address, or all are on one
    /// network
    #[arg(long, global = true)]
    pub announce: bool,
    /// Help others: tell them who listens where, and pass their connections on; for a host with a
    /// public address
    #[arg(long, global = true)]
    pub serve: bool,
    /// Do not look for peers on the local network
    #[arg(long, global = true)]
    pub no_mdns: bool,
    /// Use this mailbox while members are offline, and connect to it as to a peer; can be given several
    /// times
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "TRELLIS_MAILBOXES",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub mailbox: Vec<Multiaddr>,
}

/// The variables of the environment that [`NetworkOptions`] and [`MailboxOptions`] look at.
pub const VARIABLES: [&str; 4] =
    ["TRELLIS_PEERS", "TRELLIS_LISTEN", "TRELLIS_MAILBOXES", "TRELLIS_NATS"];

/// A way to others, and a hand on it.
#[derive(Clone)]
pub struct Connection {
    /// What the client sends and receives with.
    pub transport: Arc<dyn Transport>,
    /// What can be told and asked about the network.
    pub control: Arc<dyn Control>,
}

/// What can be told and asked about a network, beyond what a client needs of it.
pub trait Control: Send + Sync {
    /// Who is connected, and what has travelled.
    fn status(&self) -> Pending<'_, NetworkStatus>;

    /// Refuses all connections with a peer, or no longer.
    fn block(&self, peer: Peer, blocked: bool) -> Pending<'_, Result<(), Failure>>;

    /// Waits until somebody is connected, or for so long.
    fn meet(&self, at_most: Duration) -> Pending<'_, ()> {
        let _ = at_most;
        Box::pin(std::future::ready(()))
    }
}

/// Makes a connection of options, for the account in a file. A value, so that tests put another in its
/// place.
pub type Connect = Arc<
    dyn Fn(NetworkOptions, PathBuf) -> Pending<'static, Result<Connection, Failure>> + Send + Sync,
>;

/// The real network: peers over TCP, by libp2p.
pub fn connect() -> Connect {
    Arc::new(|options, store| Box::pin(async move { node::open(&options, &store).await }))
}

/// Where a node's name is kept, for the account in a file.
fn name_beside(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".node");
    path.into()
}
