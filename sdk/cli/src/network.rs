//! How this program reaches others: the one place that knows which transport there is.

use std::sync::Arc;

use clap::Args;
use trellis_sdk::transport::{Pending, Transport};

use crate::failure::Failure;
use crate::record::{NetworkStatus, Peer};

/// How others are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkOptions {
    /// Take connections here; any free port on all interfaces, if nothing is said
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Connect to this peer; can be given several times
    #[arg(long, global = true, value_name = "ADDR")]
    pub peer: Vec<String>,
    /// Do not look for peers on the local network
    #[arg(long, global = true)]
    pub no_mdns: bool,
    /// Use this mailbox while members are offline; can be given several times
    #[arg(long, global = true, value_name = "ADDR")]
    pub mailbox: Vec<String>,
}

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
}

/// Makes a connection of options. A value, so that tests put another in its place.
pub type Connect =
    Arc<dyn Fn(NetworkOptions) -> Pending<'static, Result<Connection, Failure>> + Send + Sync>;

/// The network of this build.
pub fn connect() -> Connect {
    Arc::new(|_| Box::pin(async { Err(Failure::NoNetwork) }))
}

/// The arguments of `mailbox`.
#[cfg(feature = "mailbox")]
#[derive(Clone, Debug, Args)]
pub struct MailboxOptions {
    /// Keep envelopes in this directory; in memory, if nothing is said
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<std::path::PathBuf>,
    /// Keep so many bytes at most
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub capacity: u64,
    /// Keep an envelope for so many days at most
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub days: u16,
}

/// Keeps envelopes for members who are offline, until it is interrupted. The first thing that it prints
/// is a [`NetworkStatus`], so that others can be told where it is.
#[cfg(feature = "mailbox")]
pub async fn mailbox(
    _: &NetworkOptions,
    _: &MailboxOptions,
    _: &crate::output::Output,
) -> Result<(), Failure> {
    Err(Failure::NoNetwork)
}
