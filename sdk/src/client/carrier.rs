//! Two tasks between the worker and the transport: one takes, one gives.
//!
//! They run on the runtime that the client was opened in, because a transport's sockets and timers
//! belong to one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, trace, warn};

use crate::engine::Output;
use crate::transport::{Incoming, Keep, Transport, TransportError};

/// How long the transport may take for one thing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing is tried after the first failure; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What became of something that was to be sent.
pub(super) enum Progress {
    /// The transport has it; this was its ticket.
    Taken(Option<u64>),
    /// It won't be sent.
    Dropped,
    /// The transport can't be reached. Nothing is dropped.
    Failing,
}

/// Whether the engine does without its having been sent, or does it again by itself.
pub(super) fn may_get_lost(output: &Output) -> bool {
    match output {
        Output::Publish { ticket, .. } => ticket.is_none(),
        // Who keeps something says again how much there is, and where. What is kept for others, a member
        // has too.
        Output::Ask { .. }
        | Output::KeepFor(_)
        | Output::Answer { .. }
        | Output::Deposit(_)
        | Output::Announce(_)
        | Output::Event(_) => true,
        Output::Subscribe(_) | Output::Unsubscribe(_) | Output::Keep(_) => false,
    }
}

/// Hands what comes in to the worker, which takes it in its own time.
pub(super) async fn receive(
    transport: Arc<dyn Transport>,
    incoming: mpsc::Sender<Incoming>,
    connected: Arc<Notify>,
    _running: watch::Receiver<()>,
) {
    loop {
        let next = tokio::select! {
            next = transport.next() => next,
            () = incoming.closed() => return,
        };
        let Some(next) = next else { return };
        if next == Incoming::Connected {
            connected.notify_one();
        }
        if incoming.send(next).await.is_err() {
            return;
        }
    }
}

/// Sends what the worker has made, in order.
pub(super) struct Carrier {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) outgoing: mpsc::UnboundedReceiver<Output>,
    pub(super) progress: mpsc::UnboundedSender<Progress>,
    pub(super) connected: Arc<Notify>,
    pub(super) _running: watch::Receiver<()>,
}

impl Carrier {
    /// Sends until the worker has stopped and everything that it made has been tried.
    pub(super) async fn run(mut self) {
        while let Some(output) = self.outgoing.recv().await {
            let progress = match self.carry(&output).await {
                Ok(()) => Progress::Taken(ticket(&output)),
                Err(error) => {
                    debug!(code = error.code(), "not sent");
                    Progress::Dropped
                }
            };
            // Without a worker there is nobody to tell.
            let _ = self.progress.send(progress);
        }
    }

    /// Sends one thing, and again as long as that makes sense.
    async fn carry(&self, output: &Output) -> Result<(), TransportError> {
        let mut pause = PAUSE;
        loop {
            let attempt = timeout(PATIENCE, self.attempt(output)).await;
            let Err(error) = attempt.unwrap_or(Err(TransportError::Busy)) else { return Ok(()) };
            if !error.is_retryable() {
                warn!(code = error.code(), "the transport refused something");
                return Err(error);
            }
            // If nobody is there to be told, the store says at the next start that it was not sent.
            if self.progress.send(Progress::Failing).is_err() || may_get_lost(output) {
                return Err(error);
            }
            trace!(code = error.code(), ?pause, "trying again later");
            tokio::select! {
                () = sleep(pause) => {}
                () = self.connected.notified() => {}
                () = self.progress.closed() => return Err(error),
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, output: &Output) -> Result<(), TransportError> {
        let transport = &self.transport;
        log(output);
        match output {
            Output::Publish { topic, bytes, .. } => transport.publish(*topic, bytes.clone()).await,
            Output::Subscribe(topic) => transport.subscribe(*topic).await,
            Output::Unsubscribe(topic) => transport.unsubscribe(*topic).await,
            Output::Ask { topic, question } => transport.ask(*topic, question.clone()).await,
            Output::Answer { asker, answer } => transport.answer(*asker, answer.clone()).await,
            Output::Keep(keep) => transport.keep(keep.clone()).await,
            Output::KeepFor(others) => transport.keep_for(others.clone()).await,
            Output::Deposit(deposit) => transport.deposit(deposit.clone()).await,
            Output::Announce(record) => transport.announce(record.clone()).await,
            Output::Event(_) => Ok(()),
        }
    }
}

/// Logs what goes out, by its length.
fn log(output: &Output) {
    match output {
        Output::Publish { topic, bytes, ticket } => {
            trace!(?topic, bytes = bytes.len(), surely = ticket.is_some(), "publish");
        }
        Output::Subscribe(topic) => trace!(?topic, "subscribe"),
        Output::Unsubscribe(topic) => trace!(?topic, "unsubscribe"),
        Output::Ask { topic, question } => trace!(?topic, bytes = question.len(), "ask"),
        Output::Answer { answer, .. } => trace!(bytes = answer.len(), "answer"),
        Output::Keep(Keep { topic, .. }) => trace!(?topic, "keep"),
        Output::KeepFor(others) => {
            trace!(topic = ?others.topic, envelopes = others.envelopes.len(), "keep for others");
        }
        Output::Deposit(deposit) => trace!(one_time = deposit.one_time.len(), "deposit"),
        Output::Announce(record) => trace!(bytes = record.len(), "announce"),
        Output::Event(_) => {}
    }
}

fn ticket(output: &Output) -> Option<u64> {
    match output {
        Output::Publish { ticket, .. } => *ticket,
        _ => None,
    }
}
