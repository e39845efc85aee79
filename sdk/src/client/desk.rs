//! Where handles hand in what is to be done.

use tokio::sync::{mpsc, oneshot, watch};

use super::Error;
use super::worker::Work;

/// How many calls wait for the engine before further ones wait to be handed in.
pub(super) const CALLS: usize = 64;

/// What handles ask of the worker.
pub(super) enum Command {
    /// Do something with the engine.
    Call(Call),
    /// Send what waits, then stop.
    Close,
}

/// Something to be done with the engine.
pub(super) struct Call {
    /// What it is, for the log.
    pub(super) name: &'static str,
    /// Whether it makes something to be sent.
    pub(super) sends: bool,
    /// What does it.
    pub(super) job: Job,
}

/// Does something with the engine, or passes on why it is not done.
type Job = Box<dyn FnOnce(Result<&mut Work, Error>) + Send>;

/// The way to the worker. Clones lead to the same one; it stops when the last is gone.
#[derive(Clone)]
pub(super) struct Desk {
    commands: mpsc::Sender<Command>,
    /// The worker and the tasks around it each have a receiver, and drop it when they end.
    ended: watch::Sender<()>,
}

impl Desk {
    pub(super) fn new(commands: mpsc::Sender<Command>, ended: watch::Sender<()>) -> Self {
        Self { commands, ended }
    }

    /// Has something read from the engine.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        job: impl FnOnce(&mut Work) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.call(name, false, job).await
    }

    /// Has something done that leads to something being sent.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        job: impl FnOnce(&mut Work) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.call(name, true, job).await
    }

    async fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        sends: bool,
        job: impl FnOnce(&mut Work) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |work: Result<&mut Work, Error>| {
            // Who has gone away meanwhile does not get it done.
            if !reply.is_closed() {
                let _ = reply.send(work.and_then(job));
            }
        });
        let call = Command::Call(Call { name, sends, job });
        self.commands.send(call).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Stops the worker and waits for its end and that of the transport's tasks.
    pub(super) async fn close(&self) {
        // If it can't be told, it has stopped.
        let _ = self.commands.send(Command::Close).await;
        self.ended.closed().await;
    }
}
