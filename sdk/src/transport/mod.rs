//! How bytes get from one client to others: the trait, a network in memory, and peers over the internet.
//!
//! A [`Transport`] carries bytes to whoever listens to a topic. It promises little: what is published
//! arrives at each listener **at least once or not at all, in any order, after any time**. It may be
//! lost and it may arrive twice; nothing says who has got it. The SDK does the rest: it names what it
//! sends, drops second copies, notices what is missing and asks for it. So a transport need not store,
//! number or acknowledge anything, and a broadcast, a gossip protocol or a relay all make one.
//!
//! A transport learns the topic, the length and the time of what it carries, and nothing else.
//!
//! ```
//! use trellis_sdk::Topic;
//! use trellis_sdk::transport::{Conditions, Incoming, MemoryNetwork, Transport};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), trellis_sdk::transport::TransportError> {
//! let network = MemoryNetwork::new(Conditions::perfect());
//! let (alice, bob) = (network.join(), network.join());
//! let topic = Topic([1; 32]);
//! bob.subscribe(topic).await?;
//! alice.publish(topic, b"hello".to_vec()).await?;
//! assert_eq!(bob.next().await, Some(Incoming::Connected));
//! assert_eq!(bob.next().await, Some(Incoming::Message { topic, bytes: b"hello".to_vec() }));
//! # Ok(())
//! # }
//! ```

mod conditions;
mod keeping;
#[cfg(feature = "libp2p")]
pub mod libp2p;
mod memory;
mod network;
mod random;
mod shared;

use std::future::Future;
use std::pin::Pin;

use crate::{Time, Topic};

pub use conditions::{Chance, Conditions};
pub use keeping::{Boxes, Deposit, Keep, KeepFor, KeepKind, Pools};
pub use memory::{MemoryNetwork, MemoryTransport};
pub use network::{Action, Network, NodeId};
#[cfg(feature = "simulator")]
pub(crate) use random::Random;

/// The longest message, question or answer that a transport takes. Envelopes stay well below it.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// The most topics that one client listens to at a time.
pub const MAX_SUBSCRIPTIONS: usize = 4096;

/// What the methods of [`Transport`] return: a future in a box, so that a transport can be chosen
/// while the program runs.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A client's access to a network.
///
/// All methods take `&self`: one task can wait in [`next`](Self::next) while another publishes. Every
/// future may be dropped before it is ready. Dropping that of `next` loses nothing that came in;
/// after dropping another one, its action has been carried out or has not.
pub trait Transport: Send + Sync {
    /// Gives bytes to the network for whoever listens to a topic, except this client itself. `Ok`
    /// means that the network has taken them, not that anybody has got them.
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>>;

    /// Listens to a topic from now on, also after the connection was lost and is back. Doing it
    /// again changes nothing.
    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>>;

    /// Listens no longer. What is on its way may still come in.
    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>>;

    /// Asks whoever listens to a topic. Each of them may answer, and anybody may lie; answers come in
    /// as [`Incoming::Answer`], and with nothing that says to which question they belong.
    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>>;

    /// Answers a question, by the number that it came with. A transport may forget questions after a
    /// while, and then the answer goes nowhere.
    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>>;

    /// Has a topic kept while this client is away, by whoever does that for it; in place of what was said
    /// of the topic before. [`unsubscribe`](Self::unsubscribe) ends it.
    fn keep(&self, keep: Keep) -> Pending<'_, Result<(), TransportError>> {
        drop(keep);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Has a topic kept for others too, who may be away, besides what is kept for this client.
    fn keep_for(&self, others: KeepFor) -> Pending<'_, Result<(), TransportError>> {
        drop(others);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Leaves key packages with whoever said in [`Incoming::Pools`] that it lacks some.
    fn deposit(&self, deposit: Deposit) -> Pending<'_, Result<(), TransportError>> {
        drop(deposit);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Puts a [record](crate::directory::Record) into a directory, where those find it who want to invite
    /// this client's account: what was asked for by [`Incoming::Boxes`].
    fn announce(&self, record: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        drop(record);
        Box::pin(std::future::ready(Ok(())))
    }

    /// What comes in next; nothing once the transport is closed for good.
    fn next(&self) -> Pending<'_, Option<Incoming>>;
}

/// What a transport hands to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming {
    /// Somebody published this.
    Message {
        /// Where.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
    /// Somebody asks whoever listens to a topic.
    Question {
        /// The number to [`answer`](Transport::answer) to.
        asker: u64,
        /// Whom.
        topic: Topic,
        /// What.
        question: Vec<u8>,
    },
    /// An answer to a question of this client.
    Answer {
        /// The answer.
        answer: Vec<u8>,
    },
    /// The network can be reached, for the first time or again: a good moment to say where one
    /// stands.
    Connected,
    /// Somebody who keeps key packages for this client says how many it has.
    Pools(Pools),
    /// A record of the directory is needed, that says that this client's key packages are there. It
    /// comes again and again, because records end.
    Boxes(Boxes),
    /// All that was [kept](Transport::keep) of a topic has been handed in, up to a moment by the clock of
    /// who keeps it.
    Kept {
        /// Which topic.
        topic: Topic,
        /// Up to when.
        until: Time,
    },
}

/// Why a transport could not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The network can't be reached now.
    #[error("the network can't be reached")]
    Offline,
    /// Too much waits to be sent.
    #[error("the network is busy")]
    Busy,
    /// The bytes are more than [`MAX_MESSAGE`].
    #[error("{length} bytes are too many for one message")]
    TooLarge {
        /// How many there are.
        length: usize,
    },
    /// The client listens to [`MAX_SUBSCRIPTIONS`] topics already.
    #[error("there are too many subscriptions")]
    TooManySubscriptions,
    /// The transport is closed for good.
    #[error("the transport is closed")]
    Closed,
}

impl TransportError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Busy => "busy",
            Self::TooLarge { .. } => "too-large",
            Self::TooManySubscriptions => "too-many-subscriptions",
            Self::Closed => "closed",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Offline | Self::Busy)
    }
}

/// Refuses what is too long for one message.
pub(crate) const fn check_length(bytes: &[u8]) -> Result<(), TransportError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(TransportError::TooLarge { length: bytes.len() });
    }
    Ok(())
}
