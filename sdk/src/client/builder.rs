//! Opening a client.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use openmls_trellis_crypto::TrellisCrypto;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tracing::dispatcher;
use tracing::instrument::WithSubscriber;
use tracing::{debug, info_span};

use super::carrier::{self, Carrier};
use super::desk::{CALLS, Desk};
use super::events::{Audience, WAITING};
use super::suite::accepted;
use super::worker::{Inputs, Worker};
use super::{Client, Error, Suite};
use crate::engine::{Config, Engine};
use crate::store::{Key, Store, StoreOptions};
use crate::transport::Transport;
use crate::{Address, DeviceId, Time};

/// How many things that came in wait for the engine.
const INCOMING: usize = 256;

/// How to open a [`Client`].
#[must_use = "nothing is opened before `open`"]
pub struct Builder {
    place: Place,
    transport: Connection,
    options: StoreOptions,
    suite: Suite,
    classical: bool,
}

/// Where a client keeps what it has.
enum Place {
    File(PathBuf, Key),
    Memory,
}

/// How a client reaches others.
enum Connection {
    Missing,
    Offline,
    To(Arc<dyn Transport>),
}

impl Builder {
    fn new(place: Place) -> Self {
        Self {
            place,
            transport: Connection::Missing,
            options: StoreOptions::default(),
            suite: Suite::default(),
            classical: false,
        }
    }

    pub(super) fn file(path: PathBuf, key: Key) -> Self {
        Self::new(Place::File(path, key))
    }

    pub(super) fn memory() -> Self {
        Self::new(Place::Memory)
    }

    /// How to reach others. The client has the transport for itself; whoever wants to keep a hand on
    /// it gives an [`Arc`] of it.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Connection::To(Arc::new(transport));
        self
    }

    /// Do without a network: what is there can be read, and what is wanted waits until the client is
    /// opened with a transport.
    pub fn offline(mut self) -> Self {
        self.transport = Connection::Offline;
        self
    }

    /// Which cryptography the groups have that this client founds, if nothing else is said. It takes
    /// part in groups of every [`Suite`].
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// Also take part in groups without any protection from quantum computers: accept invitations to
    /// them, and found them where
    /// [`NewGroup::classical_without_post_quantum_protection`](super::NewGroup::classical_without_post_quantum_protection)
    /// says so. Whoever records what is said in such a group can read it later.
    ///
    /// It is for groups that are to move to something better, with
    /// [`Group::migrate`](super::Group::migrate).
    pub fn allow_classical_without_post_quantum_protection(mut self) -> Self {
        self.classical = true;
        self
    }

    /// How the file is opened; the cost of a passphrase is said here.
    pub fn store_options(mut self, options: StoreOptions) -> Self {
        self.options = options;
        self
    }

    /// Opens the client; if there is no file, it makes one with a new account.
    ///
    /// It has to be called within a tokio runtime that has its timer on. There it starts two tasks
    /// that use the transport. Everything else happens on a thread of the client's own.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] for a wrong passphrase, a file that is no store or is in use by another
    /// client, and the like; [`Error::NoTransport`], [`Error::NoRuntime`], [`Error::System`],
    /// [`Error::Randomness`].
    pub async fn open(self) -> Result<Client, Error> {
        let Self { place, transport, options, suite, classical } = self;
        let transport = match transport {
            Connection::Missing => return Err(Error::NoTransport),
            Connection::Offline => None,
            Connection::To(transport) => Some(transport),
        };
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let (commands, command_inputs) = mpsc::channel(CALLS);
        let (incoming, incoming_inputs) = mpsc::channel(INCOMING);
        let (progress, progress_inputs) = mpsc::unbounded_channel();
        let (outgoing, to_send) = mpsc::unbounded_channel();
        let ended = watch::Sender::new(());
        let audience = Arc::new(Audience::default());
        // Nothing that happens before the first call of `events` is missed.
        let first = audience.listen(WAITING);
        let inputs = Inputs {
            commands: command_inputs,
            incoming: incoming_inputs,
            progress: progress_inputs,
        };

        let alone = transport.is_none();
        let (telling, running) = (audience.clone(), ended.subscribe());
        let config = Config { suites: accepted(suite, classical), ..Config::default() };
        let prepare = move || {
            let store = match place {
                Place::File(path, key) => Store::open(path, &key, options)?,
                Place::Memory => Store::in_memory()?,
            };
            let engine =
                Engine::open(store, TrellisCrypto::default(), Time::from_system(), config)?;
            let who = (engine.address(), engine.device());
            Ok((Worker::new(engine, outgoing, telling, alone, running), who))
        };
        let (address, device) = start(prepare, |worker| worker.run(inputs)).await?;
        debug!(?address, ?device, "open");

        if let Some(transport) = transport {
            let connected = Arc::new(Notify::new());
            let receiving =
                carrier::receive(transport.clone(), incoming, connected.clone(), ended.subscribe());
            runtime.spawn(receiving.with_current_subscriber());
            let carrier = Carrier {
                transport,
                outgoing: to_send,
                progress,
                connected,
                _running: ended.subscribe(),
            };
            runtime.spawn(carrier.run().with_current_subscriber());
        }
        let desk = Desk::new(commands, ended);
        Ok(Client::new(desk, address, device, suite, classical, audience, first))
    }
}

/// Who the client is.
type Who = (Address, DeviceId);

/// Starts the thread, and waits until the store is open.
async fn start<F: Future<Output = ()>>(
    prepare: impl FnOnce() -> Result<(Worker, Who), Error> + Send + 'static,
    run: impl FnOnce(Worker) -> F + Send + 'static,
) -> Result<Who, Error> {
    let (ready, opened) = oneshot::channel();
    let log = dispatcher::get_default(Clone::clone);
    let body = move || {
        // Its own runtime, for a timer: the thread must not depend on how the user's is driven.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(Error::System(error)))),
        };
        let _inside = runtime.enter();
        match prepare() {
            Err(error) => drop(ready.send(Err(error))),
            // Who does not wait any more does not want a client.
            Ok((worker, who)) => {
                if ready.send(Ok(who)).is_ok() {
                    runtime.block_on(run(worker));
                }
            }
        }
    };
    thread::Builder::new()
        .name("trellis".into())
        .spawn(move || {
            dispatcher::with_default(&log, || info_span!("client").in_scope(body));
        })
        .map_err(Error::System)?;
    opened.await.map_err(|_| Error::Closed)?
}

/// Says nothing about where or with which key.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("suite", &self.suite)
            .field("classical", &self.classical)
            .finish_non_exhaustive()
    }
}

/// A passphrase.
impl From<&str> for Key {
    fn from(passphrase: &str) -> Self {
        Self::passphrase(passphrase)
    }
}

/// A passphrase.
impl From<String> for Key {
    fn from(passphrase: String) -> Self {
        Self::Passphrase(passphrase.into())
    }
}
