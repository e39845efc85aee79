//! From an engine to a running client: a thread, and two tasks for the transport.

use std::future::Future;
use std::sync::Arc;
use std::thread;

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
use crate::transport::Transport;
use crate::{Address, DeviceId};

/// How many things that came in wait for the engine.
const INCOMING: usize = 256;
/// How many key packages of each suite who keeps things for this client has to give.
const POOL: usize = 16;

/// What a client is started with, beside its engine.
#[derive(Clone)]
pub(super) struct Setup {
    /// Nothing, to stay offline.
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) suite: Suite,
    pub(super) classical: bool,
}

impl Setup {
    /// The engine's numbers.
    pub(super) fn config(&self) -> Config {
        Config { suites: accepted(self.suite, self.classical), pool: POOL, ..Config::default() }
    }

    /// Starts a client, with the engine that `prepare` makes on the client's thread.
    pub(super) async fn start(
        self,
        prepare: impl FnOnce() -> Result<Engine, Error> + Send + 'static,
    ) -> Result<Client, Error> {
        let Self { transport, suite, classical } = self;
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
        let prepare = move || {
            let engine = prepare()?;
            let who = (engine.address(), engine.device());
            Ok((Worker::new(engine, outgoing, telling, alone, running), who))
        };
        let (address, device) = run(prepare, |worker| worker.run(inputs)).await?;
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

/// Starts the client's thread, and waits until the engine is there.
async fn run<F: Future<Output = ()>>(
    prepare: impl FnOnce() -> Result<(Worker, Who), Error> + Send + 'static,
    run: impl FnOnce(Worker) -> F + Send + 'static,
) -> Result<Who, Error> {
    let (ready, opened) = oneshot::channel();
    spawn(move || {
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
    })?;
    opened.await.map_err(|_| Error::Closed)?
}

/// Does something that computes and waits for the disk on a thread of its own.
pub(super) async fn aside<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (ready, done) = oneshot::channel();
    spawn(move || drop(ready.send(job())))?;
    done.await.map_err(|_| Error::Closed)?
}

/// A thread that logs where this one does.
fn spawn(body: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let log = dispatcher::get_default(Clone::clone);
    thread::Builder::new()
        .name("trellis".into())
        .spawn(move || {
            dispatcher::with_default(&log, || info_span!("client").in_scope(body));
        })
        .map_err(Error::System)?;
    Ok(())
}
