//! A mailbox as a process.

use std::path::Path;
use std::time::Duration;

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
use crate::record::{Finding, Level, Record};

/// What the mailbox's file is called, in its directory.
const FILE: &str = "mailbox.redb";
/// And that of its name.
const NAME: &str = "node";
/// How often it is looked whether the store fails.
const LOOK: Duration = Duration::from_secs(1);
/// Milliseconds of a day.
const DAY: u64 = 24 * 3600 * 1000;

/// The address of a NATS server, which may have a password in it.
#[cfg(feature = "jetstream")]
#[derive(Clone)]
pub struct NatsServer(Zeroizing<String>);

#[cfg(feature = "jetstream")]
impl std::fmt::Debug for NatsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NatsServer(..)")
    }
}

#[cfg(feature = "jetstream")]
impl From<&str> for NatsServer {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

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
    /// Keep envelopes in the NATS JetStream cluster that this server is one of, such as
    /// nats://192.0.2.1:4222, together with other processes that do so; several servers can be given. What
    /// is in the directory then is only the name of this process, which is its own
    #[cfg(feature = "jetstream")]
    #[arg(
        long,
        value_name = "URL",
        requires = "directory",
        env = "TRELLIS_NATS",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub nats: Vec<NatsServer>,
    /// Keep everything on so many nodes of the cluster; of 3, one may be lost, of 5, two
    #[cfg(feature = "jetstream")]
    #[arg(long, value_name = "NUMBER", default_value_t = 3,
        value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
}

/// Keeps envelopes for members who are offline, until it is interrupted. The first thing that it prints
/// is where it is, so that others can be told; what comes later is what keeps it from keeping anything.
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
    if !mailbox.nats.is_empty() {
        let store = jetstream(mailbox).await?;
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
    mailbox: &MailboxOptions,
) -> Result<trellis_sdk::mailbox::store::jetstream::JetStream, Failure> {
    use trellis_sdk::mailbox::store::jetstream::{JetStream, JetStreamOptions};
    let days = u64::from(mailbox.days) + 1;
    let mut options = JetStreamOptions::default();
    options.keep = Duration::from_secs(days * DAY / 1000);
    options.envelope_bytes = mailbox.capacity;
    options.replicas = mailbox.replicas.into();
    let servers: Vec<_> = mailbox.nats.iter().map(|server| server.0.to_string()).collect();
    JetStream::connect(&servers, options).await.map_err(Failure::Mailbox)
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
        told = tell(node.service(), output) => told,
        () = node.run() => Err(Failure::Node(trellis_sdk::transport::libp2p::NodeError::Closed)),
        () = crate::run::interrupted() => Ok(()),
    }
}

/// Says when the store begins to fail, and when it is over.
async fn tell<S: MailStore>(service: &Service<S>, output: &Output) -> Result<(), Failure> {
    let mut told = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let trouble = service.trouble();
        if trouble == told {
            continue;
        }
        let (level, code, text) = match &trouble {
            Some(error) => (Level::Bad, error.code(), format!("{error}: nothing more is kept")),
            None => (Level::Good, "stores", "the mailbox stores again what comes".to_owned()),
        };
        let finding = Finding { level, about: "mailbox", code, group: None, text };
        output.print(&Record::Finding(finding))?;
        told = trouble;
    }
}
