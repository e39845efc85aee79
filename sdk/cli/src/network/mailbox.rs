//! A mailbox as a process.

use std::path::Path;

use clap::Args;
use trellis_sdk::mailbox::store::{MailStore, Memory, Redb, RedbOptions};
use trellis_sdk::mailbox::{Limits, MailboxKeys, MailboxNode, Service};
use trellis_sdk::{Span, Time};
use zeroize::Zeroizing;

use super::name::Name;
use super::node::{builder, mailboxes, status};
use super::{NetworkOptions, PathBuf};
use crate::failure::Failure;
use crate::output::Output;
use crate::record::Record;

/// What the mailbox's file is called, in its directory.
const FILE: &str = "mailbox.redb";
/// And that of its name.
const NAME: &str = "node";
/// Milliseconds of a day.
const DAY: u64 = 24 * 3600 * 1000;

/// The arguments of `mailbox`.
#[derive(Clone, Debug, Args)]
pub struct MailboxOptions {
    /// Keep envelopes in this directory; in memory, if nothing is said
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
    /// Keep so many bytes at most
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().total_bytes)]
    pub capacity: u64,
    /// Keep an envelope for so many days at most
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub days: u16,
    /// Keep what several processes share in the NATS JetStream cluster at this address, such as
    /// nats://127.0.0.1:4222; all of them need the same file `node` in their directories
    #[cfg(feature = "jetstream")]
    #[arg(long, value_name = "URL", requires = "directory")]
    pub nats: Option<String>,
}

/// Keeps envelopes for members who are offline, until it is interrupted. The first thing that it prints
/// is where it is, so that others can be told.
pub async fn mailbox(
    options: &NetworkOptions,
    mailbox: &MailboxOptions,
    output: &Output,
) -> Result<(), Failure> {
    let Some(directory) = &mailbox.directory else {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|_| Failure::Sdk(trellis_sdk::Error::Randomness))?;
        return serve(options, mailbox, output, &secret, Memory::new()).await;
    };
    std::fs::create_dir_all(directory).map_err(Failure::io(directory.display().to_string()))?;
    let name = Name::open(&directory.join(NAME))?;
    #[cfg(feature = "jetstream")]
    if let Some(url) = &mailbox.nats {
        let store = jetstream(url, mailbox).await?;
        return serve(options, mailbox, output, &name.seed, store).await;
    }
    let store = open(&directory.join(FILE))?;
    serve(options, mailbox, output, &name.seed, store).await
}

fn open(file: &Path) -> Result<Redb, Failure> {
    Redb::open(file, RedbOptions::default()).map_err(Failure::Mailbox)
}

#[cfg(feature = "jetstream")]
async fn jetstream(
    url: &str,
    mailbox: &MailboxOptions,
) -> Result<trellis_sdk::mailbox::store::jetstream::JetStream, Failure> {
    use std::time::Duration;

    use trellis_sdk::mailbox::store::jetstream::{JetStream, JetStreamOptions};
    let days = u64::from(mailbox.days) + 1;
    let mut options = JetStreamOptions::default();
    options.keep = Duration::from_secs(days * DAY / 1000);
    options.envelope_bytes = mailbox.capacity;
    JetStream::connect(url, options).await.map_err(Failure::Mailbox)
}

/// Runs a mailbox over a store.
async fn serve<S: MailStore>(
    options: &NetworkOptions,
    mailbox: &MailboxOptions,
    output: &Output,
    secret: &[u8; 32],
    store: S,
) -> Result<(), Failure> {
    let keys = MailboxKeys::from_secret(secret);
    let mut limits = Limits::default();
    limits.total_bytes = mailbox.capacity;
    limits.keep = Span(u64::from(mailbox.days) * DAY);
    let now = Time::from_system();
    let service =
        Service::open(keys.clone(), limits, store, now).await.map_err(Failure::Mailbox)?;
    let others = mailboxes(options)?;
    let node = MailboxNode::open(builder(options), keys, service, others).await?;
    output.print(&Record::Network(status(node.network()).await))?;
    tokio::select! {
        () = node.run() => Err(Failure::Node(trellis_sdk::transport::libp2p::NodeError::Closed)),
        () = crate::run::interrupted() => Ok(()),
    }
}
