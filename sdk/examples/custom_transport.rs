//! A transport of one's own, here a room in which everybody hears everybody: `cargo run --example
//! custom_transport`.
//!
//! A transport needs to promise almost nothing. This one even loses every fifth message, and the
//! chat works.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use trellis_sdk::transport::{Incoming, MAX_MESSAGE, Pending, Transport, TransportError};
use trellis_sdk::{Client, Error, Event, Message, Topic};

/// How much a listener leaves unread before more is lost.
const UNREAD: usize = 1024;

/// The room.
#[derive(Clone, Default)]
struct Room {
    seats: Arc<Mutex<Vec<Seat>>>,
    published: Arc<AtomicUsize>,
}

struct Seat {
    topics: HashSet<Topic>,
    ear: mpsc::Sender<Incoming>,
}

/// A client's place in the room.
struct Place {
    room: Room,
    seat: usize,
    heard: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
}

impl Room {
    fn enter(&self) -> Place {
        let (ear, heard) = mpsc::channel(UNREAD);
        // The client says where it stands when it hears that it is connected.
        let _ = ear.try_send(Incoming::Connected);
        let mut seats = self.seats.lock().expect("nobody panics in here");
        seats.push(Seat { topics: HashSet::new(), ear });
        Place { room: self.clone(), seat: seats.len() - 1, heard: heard.into() }
    }
}

impl Place {
    /// Says something to all others who listen to a topic. If an ear is full, it is lost: the
    /// contract of a transport allows that.
    fn tell(&self, topic: Topic, incoming: Incoming) -> Result<(), TransportError> {
        let seats = self.room.seats.lock().map_err(|_| TransportError::Closed)?;
        for (number, seat) in seats.iter().enumerate() {
            if number != self.seat && seat.topics.contains(&topic) {
                let _ = seat.ear.try_send(incoming.clone());
            }
        }
        Ok(())
    }

    fn listen(&self, topic: Topic, yes: bool) -> Result<(), TransportError> {
        let mut seats = self.room.seats.lock().map_err(|_| TransportError::Closed)?;
        let topics = &mut seats[self.seat].topics;
        if yes {
            topics.insert(topic)
        } else {
            topics.remove(&topic)
        };
        Ok(())
    }
}

fn check(bytes: &[u8]) -> Result<(), TransportError> {
    let length = bytes.len();
    if length > MAX_MESSAGE { Err(TransportError::TooLarge { length }) } else { Ok(()) }
}

impl Transport for Place {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move {
            check(&bytes)?;
            if self.room.published.fetch_add(1, Ordering::Relaxed) % 5 == 4 {
                return Ok(());
            }
            self.tell(topic, Incoming::Message { topic, bytes })
        })
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move { self.listen(topic, true) })
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move { self.listen(topic, false) })
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move {
            check(&question)?;
            // Whoever answers needs to find back here.
            self.tell(topic, Incoming::Question { asker: self.seat as u64, topic, question })
        })
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move {
            check(&answer)?;
            let seats = self.room.seats.lock().map_err(|_| TransportError::Closed)?;
            let seat = usize::try_from(asker).ok().and_then(|asker| seats.get(asker));
            if let Some(seat) = seat {
                let _ = seat.ear.try_send(Incoming::Answer { answer });
            }
            Ok(())
        })
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        // A channel loses nothing if the future is dropped.
        Box::pin(async move { self.heard.lock().await.recv().await })
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let room = Room::default();
    let alice = Client::builder_in_memory().transport(room.enter()).open().await?;
    let bob = Client::builder_in_memory().transport(room.enter()).open().await?;
    let mut events = bob.events();

    let garden = alice.create_group("garden").await?;
    garden.invite(&bob.address()).await?.done().await?;
    for number in 1..=5 {
        garden.send(Message::text(format!("frost warning {number}"))).await?;
    }
    let mut heard = 0;
    while let Some(event) = events.next().await {
        if let Event::Message(received) = event {
            println!("Bob reads {:?}", received.message.search_text().unwrap_or_default());
            heard += 1;
            if heard == 5 {
                break;
            }
        }
    }
    let published = room.published.load(Ordering::Relaxed);
    println!("{published} messages went through the room and {} got lost", published / 5);
    Ok(())
}
