//! What a client missed, from a mailbox.
//!
//! Frames are carried in the process, so that the figure has nothing of a network in it: what a network
//! adds is its round trips and its bytes, which are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::sleep;
use trellis_sdk::mailbox::store::{Redb, RedbOptions};
use trellis_sdk::mailbox::wire::{self, Answer};
use trellis_sdk::mailbox::{Limits, MailboxAt, MailboxKeys, Rate, Reach, Service, WithMailboxes};
use trellis_sdk::store::Key;
use trellis_sdk::transport::{
    Conditions, Incoming, MemoryNetwork, MemoryTransport, Pending, Transport, TransportError,
};
use trellis_sdk::{Client, Error, Event, Group, GroupId, Span, Time, Topic};

use super::data::CatchUp;
use super::{Outcome, failed, message, within};
use crate::sdk::files::Folder;

/// How long the two may take to find together, and their mailbox to know the group.
const GATHER: Duration = Duration::from_secs(60);
/// How long it is waited for what is still to be stored.
const LOOK: Duration = Duration::from_millis(20);
/// Envelopes that arrive at the mailbox at the same time.
const AT_ONCE: usize = 256;
/// How often the speaker tries again when too much waits to be sent.
const REST: Duration = Duration::from_millis(5);

/// Who is away, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// How many messages are missed.
    pub messages: u64,
    /// How many seconds saying them may take, and how many the catch-up.
    pub patience: Duration,
}

/// The mailbox, and what went to it and back.
struct World {
    network: MemoryNetwork,
    service: Service<Redb>,
    room: Arc<Semaphore>,
    meter: Meter,
}

#[derive(Debug)]
struct Meter {
    begun: Instant,
    frames: AtomicU64,
    bytes: AtomicU64,
    rounds: AtomicU64,
    reconciliation: AtomicU64,
    fetches: AtomicU64,
    envelopes: AtomicU64,
    payload: AtomicU64,
    boxes: AtomicU64,
    /// Microseconds from the beginning to the last answer with envelopes.
    last: AtomicU64,
}

impl Meter {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            begun: Instant::now(),
            frames: zero(),
            bytes: zero(),
            rounds: zero(),
            reconciliation: zero(),
            fetches: zero(),
            envelopes: zero(),
            payload: zero(),
            boxes: zero(),
            last: zero(),
        }
    }

    fn note(&self, frame: &[u8], answer: &[u8]) {
        let add = |to: &AtomicU64, what: usize| to.fetch_add(what as u64, Ordering::Relaxed);
        let both = frame.len() + answer.len();
        add(&self.frames, 2);
        add(&self.bytes, both);
        match wire::decode(answer) {
            Ok(Answer::Reconciled(_)) => {
                add(&self.rounds, 1);
                add(&self.reconciliation, both);
            }
            Ok(Answer::Envelopes(said)) => {
                let items = said.items.into_vec();
                add(&self.fetches, 1);
                add(&self.envelopes, items.len());
                add(&self.payload, items.iter().map(|kept| kept.envelope.as_slice().len()).sum());
                let now = self.begun.elapsed().as_micros();
                self.last.fetch_max(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            // Each visit opens its box first.
            Ok(Answer::Status(_)) => drop(add(&self.boxes, 1)),
            _ => {}
        }
    }
}

/// A client's way to the network and to the mailbox.
struct Way {
    transport: MemoryTransport,
    world: Arc<World>,
}

impl World {
    async fn open(folder: &Folder) -> Outcome<Arc<Self>> {
        let store = Redb::open(folder.file("mailbox.redb"), RedbOptions::default());
        let store = store.map_err(|error| failed("the store")(&error))?;
        let mut limits = Limits::default();
        // It is not days that pass here, but seconds.
        limits.topic_arrivals = Rate { burst: 1_000_000, interval: Span::millis(1) };
        let keys = MailboxKeys::from_secret(&[7; 32]);
        let service = Service::open(keys, limits, store, Time::from_system()).await;
        let service = service.map_err(|error| failed("the mailbox")(&error))?;
        Ok(Arc::new(Self {
            network: MemoryNetwork::new(Conditions::perfect()),
            service,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            meter: Meter::new(),
        }))
    }

    fn join(self: &Arc<Self>) -> WithMailboxes<Way> {
        let way = Way { transport: self.network.join(), world: self.clone() };
        let at = MailboxAt { id: self.service.id(), address: "here".to_owned() };
        WithMailboxes::new(Arc::new(way), vec![at])
    }

    /// Waits until all that was published is stored.
    async fn quiet(&self) {
        while self.room.available_permits() < AT_ONCE {
            sleep(LOOK).await;
        }
    }
}

impl Reach for Way {
    fn reach<'a>(
        &'a self,
        _: &'a MailboxAt,
        frame: Vec<u8>,
    ) -> Pending<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let now = Time::from_system();
            let answer = self.world.service.handle(now, b"a peer", &frame).await;
            self.world.meter.note(&frame, &answer);
            Ok(answer)
        })
    }
}

impl Transport for Way {
    /// What is published comes to the mailbox, too, as it would by gossip.
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move {
            let room = self.world.room.clone().acquire_owned().await;
            let room = room.map_err(|_| TransportError::Closed)?;
            let (world, envelope) = (self.world.clone(), bytes.clone());
            tokio::spawn(async move {
                // What was not stored is missing in the end, and seen there.
                let _ = world.service.arrived(Time::from_system(), topic, &envelope).await;
                drop(room);
            });
            self.transport.publish(topic, bytes).await
        })
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.transport.subscribe(topic)
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.transport.unsubscribe(topic)
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.transport.ask(topic, question)
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.transport.answer(asker, answer)
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        self.transport.next()
    }
}

/// One founds a group, the other comes in, and the mailbox knows of it. The other is away then.
async fn part(world: &Arc<World>, folder: &Folder) -> Outcome<(Client, Group, GroupId)> {
    let wrong = |error: Error| failed("a client")(&error);
    let speaker = Client::builder_in_memory().transport(world.join()).open().await;
    let speaker = speaker.map_err(wrong)?;
    let away = open(world, folder).await?;
    let group = speaker.create_group("garden").await.map_err(wrong)?;
    let invited = group.invite(&away.address()).await.map_err(wrong)?;
    let settled = async {
        invited.done().await.map_err(|error| failed("inviting")(&error))?;
        // Two inboxes and the group.
        while world.service.topics().len() < 3 || away.groups().await.map_err(wrong)?.is_empty() {
            sleep(LOOK).await;
        }
        // The box is that of the newest state, which both have to have told the mailbox.
        sleep(Duration::from_secs(4)).await;
        Ok::<(), String>(())
    };
    within(GATHER, "two come together", settled).await??;
    away.close().await;
    let id = group.id();
    Ok((speaker, group, id))
}

async fn open(world: &Arc<World>, folder: &Folder) -> Outcome<Client> {
    let builder = Client::builder(folder.file("away.db"), Key::raw([0x42; 32]));
    let client = builder.transport(world.join()).open().await;
    client.map_err(|error| failed("a client")(&error))
}

async fn say(group: &Group, count: u64) -> Outcome<()> {
    for number in 0..count {
        loop {
            match group.send(message(number)).await {
                Ok(_) => break,
                Err(Error::Busy) => sleep(REST).await,
                Err(error) => return Err(failed("sending")(&error)),
            }
        }
    }
    Ok(())
}

/// Measures one absence.
pub(super) async fn measure(absence: Absence) -> Outcome<CatchUp> {
    let folder = Folder::new();
    let world = World::open(&folder).await?;
    let (speaker, group, id) = part(&world, &folder).await?;
    let start = Instant::now();
    within(absence.patience, "saying it", say(&group, absence.messages)).await??;
    // Closing sends what waits, for some seconds; what is not through by then is missing.
    speaker.close().await;
    within(GATHER, "storing it", world.quiet()).await?;
    let said = start.elapsed().as_secs_f64();

    let before = Reading::of(&world.meter);
    let start = Instant::now();
    let client = open(&world, &folder).await?;
    let mut events = client.events();
    let mut heard = 0;
    let hearing = async {
        while heard < absence.messages {
            match events.next().await {
                Some(Event::Message(received)) if received.group == id => heard += 1,
                // Whoever listens is too slow, and it was told all the same.
                Some(Event::Missed(count)) => heard += count,
                Some(_) => {}
                None => return,
            }
        }
    };
    let _ = tokio::time::timeout(absence.patience, hearing).await;
    let seconds = start.elapsed().as_secs_f64();
    let began = start.duration_since(world.meter.begun).as_secs_f64();
    let read = Reading::of(&world.meter);
    client.close().await;
    Ok(CatchUp {
        missed: absence.messages,
        heard,
        seconds,
        fetched: read.last as f64 / 1e6 - began,
        rounds: read.rounds - before.rounds,
        boxes: read.boxes - before.boxes,
        fetches: read.fetches - before.fetches,
        frames: read.frames - before.frames,
        bytes: read.bytes - before.bytes,
        reconciliation: read.reconciliation - before.reconciliation,
        envelopes: read.envelopes - before.envelopes,
        payload: read.payload - before.payload,
        said,
    })
}

/// The meter at a moment.
struct Reading {
    frames: u64,
    bytes: u64,
    rounds: u64,
    reconciliation: u64,
    fetches: u64,
    envelopes: u64,
    payload: u64,
    boxes: u64,
    last: u64,
}

impl Reading {
    fn of(meter: &Meter) -> Self {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            frames: of(&meter.frames),
            bytes: of(&meter.bytes),
            rounds: of(&meter.rounds),
            reconciliation: of(&meter.reconciliation),
            fetches: of(&meter.fetches),
            envelopes: of(&meter.envelopes),
            payload: of(&meter.payload),
            boxes: of(&meter.boxes),
            last: of(&meter.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_missed_comes_from_the_mailbox() {
        let absence = Absence { messages: 30, patience: Duration::from_secs(60) };
        let found = measure(absence).await.unwrap();
        assert_eq!((found.missed, found.heard), (30, 30));
        assert!(found.envelopes >= 30 && found.payload > 30 * 1024, "{found:?}");
        assert!(found.rounds > 0 && found.boxes > 0 && found.bytes > found.payload, "{found:?}");
        assert!(found.fetched > 0.0 && found.fetched <= found.seconds, "{found:?}");
    }
}
