//! The thread of a client: the engine, and what surrounds it.
//!
//! Each step of the engine computes and waits for the disk, for a millisecond or for a hundred. That
//! must not be done on a thread of the user's runtime, and the engine can do one thing at a time
//! anyway, so each client has one thread of its own. tokio's pool for blocking work would take a
//! hand-over for each step and promises no order.
//!
//! ```text
//! handles ── 64 calls ──▶ ┌────────┐ ──▶ send ────▶ ┌───────────┐
//! listeners ◀── 1024 each │ worker │ ◀── progress   │ transport │
//!                         └────────┘ ◀── 256 ────── └───────────┘
//! ```
//!
//! Nothing grows without a limit. What comes in waits in the transport while 256 things wait for the
//! engine. Calls wait while [`OUTGOING`] things wait for the transport; if it can't be reached at
//! all, they fail with [`Error::Busy`] instead, for who is offline for a week must not hang for it.
//! Of what the engine sends, that which may get lost is dropped while so much waits, and the rest is
//! in the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, debug_span, trace, warn};

use super::carrier::{Progress, may_get_lost};
use super::desk::{Call, Command};
use super::events::Audience;
use super::watches::Watches;
use super::{Error, Event};
use crate::Time;
use crate::engine::{Engine, EngineError, Output};
use crate::transport::Incoming;

/// How many things wait for the transport before calls wait, too.
pub(super) const OUTGOING: usize = 1024;
/// How many envelopes that wait are taken in one step of the engine.
const STEP: usize = 64;
/// The longest sleep: the system's clock may jump, and the timer does not see it.
const NAP: Duration = Duration::from_secs(30);
/// The shortest time between two ticks, so that a deadline that stays where it is costs little.
const BLINK: Duration = Duration::from_millis(2);
/// How long nothing that is due is tried again after the store has failed.
const REST: Duration = Duration::from_secs(1);
/// How long closing waits for the transport to take what waits.
const FLUSH: Duration = Duration::from_secs(5);

/// What a call works with.
pub(super) struct Work {
    pub(super) engine: Engine,
    pub(super) watches: Watches,
}

impl Work {
    /// What time it is.
    pub(super) fn now(&self) -> Time {
        Time::from_system()
    }
}

/// The ends of the channels that the worker reads.
pub(super) struct Inputs {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) incoming: mpsc::Receiver<Incoming>,
    pub(super) progress: mpsc::UnboundedReceiver<Progress>,
}

/// The engine of a client, and what it has to do with.
pub(super) struct Worker {
    work: Work,
    outgoing: mpsc::UnboundedSender<Output>,
    audience: Arc<Audience>,
    /// How much waits for the transport.
    waiting: usize,
    /// Whether the transport can't be reached.
    failing: bool,
    /// Whether it is closed for good, or there has never been one.
    alone: bool,
    /// Until when nothing that is due is tried.
    rest: Instant,
    _running: watch::Receiver<()>,
}

/// The listeners learn that there will be no more, also if the thread panics.
impl Drop for Worker {
    fn drop(&mut self) {
        self.audience.close();
    }
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        outgoing: mpsc::UnboundedSender<Output>,
        audience: Arc<Audience>,
        alone: bool,
        running: watch::Receiver<()>,
    ) -> Self {
        Self {
            work: Work { engine, watches: Watches::default() },
            outgoing,
            audience,
            waiting: 0,
            failing: false,
            alone,
            rest: Instant::now(),
            _running: running,
        }
    }

    /// Works until the client is closed or the last handle is gone.
    pub(super) async fn run(mut self, mut inputs: Inputs) {
        self.hand_out();
        loop {
            let due = self.due();
            let Inputs { commands, incoming, progress } = &mut inputs;
            tokio::select! {
                command = commands.recv(), if !self.is_full() || self.is_offline() => {
                    match command {
                        Some(Command::Call(call)) => self.call(call),
                        Some(Command::Close) => return self.flush(inputs).await,
                        None => return debug!("the last handle is gone"),
                    }
                }
                next = incoming.recv(), if !self.alone => match next {
                    Some(first) => self.take_all(first, incoming),
                    None => self.lose_transport(),
                },
                Some(progress) = progress.recv() => self.hear(progress),
                () = tokio::time::sleep_until(due) => self.tick(),
            }
            self.hand_out();
        }
    }

    fn is_full(&self) -> bool {
        self.waiting >= OUTGOING
    }

    fn is_offline(&self) -> bool {
        self.failing || self.alone
    }

    /// When something is due.
    fn due(&self) -> Instant {
        let now = self.work.now();
        let left = self.work.engine.deadline().map_or(NAP, |due| due.since(now).into());
        self.rest.max(Instant::now() + left.min(NAP))
    }

    // Steps

    fn call(&mut self, call: Call) {
        let _span = debug_span!("call", name = call.name).entered();
        if call.sends && self.is_full() {
            debug!(waiting = self.waiting, "refused, for too much waits to be sent");
            return (call.job)(Err(Error::Busy));
        }
        (call.job)(Ok(&mut self.work));
    }

    /// Takes the first thing that has come in, and with it the envelopes that wait behind: who comes back
    /// to thousands does not wait for the disk after each.
    fn take_all(&mut self, first: Incoming, incoming: &mut mpsc::Receiver<Incoming>) {
        let (mut next, mut envelopes) = (Some(first), Vec::new());
        while let Some(Incoming::Message { topic, bytes }) = next {
            envelopes.push((topic, bytes));
            next = if envelopes.len() < STEP { incoming.try_recv().ok() } else { None };
        }
        if !envelopes.is_empty() {
            let _span = debug_span!("receive", envelopes = envelopes.len()).entered();
            let now = self.work.now();
            let envelopes = envelopes.iter().map(|(topic, bytes)| (*topic, &bytes[..]));
            let done = self.work.engine.receive_all(now, envelopes);
            self.check(done);
        }
        if let Some(other) = next {
            self.take(other);
        }
    }

    fn take(&mut self, incoming: Incoming) {
        let now = self.work.now();
        let engine = &mut self.work.engine;
        let done = match incoming {
            Incoming::Message { topic, bytes } => engine.receive(now, topic, &bytes),
            Incoming::Question { asker, topic, question } => {
                let _span = debug_span!("question", ?topic, bytes = question.len()).entered();
                engine.asked(now, asker, topic, &question)
            }
            Incoming::Answer { answer } => {
                let _span = debug_span!("answer", bytes = answer.len()).entered();
                engine.answered(now, &answer)
            }
            Incoming::Pools(pools) => {
                let _span = debug_span!("pools", keeper = pools.keeper).entered();
                engine.pools(now, &pools)
            }
            Incoming::Boxes(boxes) => {
                let _span = debug_span!("boxes", boxes = boxes.boxes.len()).entered();
                engine.boxes(now, &boxes)
            }
            Incoming::Kept { topic, until } => {
                let _span = debug_span!("kept", ?topic).entered();
                engine.kept(topic, until)
            }
            Incoming::Connected => {
                let _span = debug_span!("connected").entered();
                engine.connected(now)
            }
        };
        self.check(done);
    }

    fn hear(&mut self, progress: Progress) {
        match progress {
            Progress::Failing => {
                if !self.failing {
                    debug!(waiting = self.waiting, "the transport can't be reached");
                }
                self.failing = true;
            }
            Progress::Taken(ticket) => {
                self.failing = false;
                self.waiting = self.waiting.saturating_sub(1);
                if let Some(ticket) = ticket {
                    let _span = debug_span!("taken").entered();
                    let done = self.work.engine.published(ticket);
                    self.check(done);
                }
            }
            Progress::Dropped => self.waiting = self.waiting.saturating_sub(1),
        }
    }

    fn tick(&mut self) {
        let _span = debug_span!("tick").entered();
        self.rest = Instant::now() + BLINK;
        let done = self.work.engine.tick(self.work.now());
        self.check(done);
    }

    fn lose_transport(&mut self) {
        warn!("the transport is closed");
        self.alone = true;
        self.tell(&Event::Disconnected);
    }

    /// What can't be done now is due again later: others repeat what they say, and deadlines stay.
    fn check(&mut self, done: Result<(), EngineError>) {
        let Err(error) = done.map_err(Error::from) else { return };
        warn!(code = error.code(), "a step was not carried out");
        self.rest = Instant::now() + REST;
        self.tell(&Event::trouble(&error));
    }

    // What comes out

    /// Hands out what the engine has made.
    fn hand_out(&mut self) {
        for output in self.work.engine.outputs() {
            match output {
                Output::Event(event) => self.tell(&Event::from_engine(event)),
                output if self.alone => drop(output),
                output if self.is_full() && may_get_lost(&output) => {
                    trace!("dropped, for too much waits to be sent");
                }
                output => {
                    self.waiting += 1;
                    // It fails only when the runtime of the transport's tasks has ended.
                    self.alone |= self.outgoing.send(output).is_err();
                }
            }
        }
    }

    fn tell(&self, event: &Event) {
        debug!(?event, "event");
        self.work.watches.see(event);
        self.audience.tell(event);
    }

    /// Waits until the transport has taken what waits, unless it can't be reached.
    async fn flush(mut self, mut inputs: Inputs) {
        debug!(waiting = self.waiting, "closing");
        let limit = tokio::time::sleep(FLUSH);
        tokio::pin!(limit);
        while self.waiting > 0 && !self.is_offline() {
            tokio::select! {
                Some(progress) = inputs.progress.recv() => self.hear(progress),
                () = &mut limit => break,
            }
            self.hand_out();
        }
    }
}
