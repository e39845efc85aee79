//! Peers over the internet and on the local network, by libp2p.
//!
//! ```no_run
//! use trellis_sdk::Client;
//! use trellis_sdk::transport::libp2p::Libp2p;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let bootstrap = "/dns4/node.example/tcp/4001/p2p/12D3KooW…".parse()?;
//! let network = Libp2p::builder().bootstrap(bootstrap).open().await?;
//! let client = Client::builder("alice.db", "a passphrase").transport(network).open().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How a message travels
//!
//! A node listens to topics, tells those that it is connected with, and tells a distributed hash table
//! under a digest of the topic. So members of a group find each other: each looks up who else listens,
//! and connects. Messages are gossiped among those who listen; they bear no author, and the one who
//! publishes gives them to as few peers as one who passes them on. What is longer than an envelope is
//! announced by its hashes and fetched in chunks of 32 KiB from whoever has them, checked as they
//! arrive. A message that nobody listens for waits a minute for somebody who does.
//!
//! # Who is away
//!
//! A client whose key packages are at [mailboxes](crate::mailbox) has a record of that in the hash table, see
//! [`directory`](crate::directory) and [`publish_boxes`](Libp2p::publish_boxes). A question for a key package
//! that nobody has answered after two seconds is answered from there: the records of the account are looked
//! up and checked, and one of the boxes of each device is asked.
//!
//! # What is protected
//!
//! A link is TLS 1.3 over TCP with the key exchange X25519MLKEM768, and with no other: see
//! [`KeyExchange`]. Each end knows the name of the other's node, by libp2p's certificates.
//! [`Status::links`] says what each link has. What others see:
//!
//! | who | sees |
//! |---|---|
//! | a wire | that two hosts speak libp2p over TLS, how much and when |
//! | a peer that is connected | this host's address, the topics that it listens to, the length and time of what passes |
//! | a node of the hash table | this host's address, digests of topics; accounts, devices and mailboxes of the records that it keeps |
//! | a relay | that two hosts speak, how much and when |
//!
//! Nothing of it is ever logged: not what peers there are, nor where.
//!
//! # What is bounded
//!
//! Everything, see [`Limits`], and [the list](crate::limits) with what happens beyond each. A peer that does too much is refused, and one that goes on is out for a
//! while.

mod behaviour;
mod book;
mod builder;
mod codec;
mod command;
mod content;
mod directory;
mod error;
mod fetch;
mod flood;
mod frame;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod link;
mod socket;
mod status;
mod task;
#[cfg(test)]
mod tests;
mod traffic;

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::HashAlgorithm;

use self::command::{Command, Reply};
use self::task::Unread;
use super::{Boxes, Incoming, Pending, Transport, TransportError, check_length};
use crate::Topic;
use crate::directory::{BoxAt, MAX_ADDRESS, MAX_BOXES, MAX_RECORD};

pub use builder::Builder;
pub use command::{Mailbox, Records};
pub use directory::Directory;
pub use error::NodeError;
pub use libp2p::{Multiaddr, PeerId};
pub use limits::{CHUNK, Limits, MAX_CONTENT, MAX_STREAMS, Rate};
pub use link::{KeyExchange, LinkError};
pub use status::{Link, Status};

/// A node of the network. Dropping it closes its connections.
pub struct Libp2p {
    commands: mpsc::Sender<Command>,
    unread: Mutex<mpsc::Receiver<Unread>>,
    limits: Arc<Limits>,
    peer: PeerId,
}

impl Libp2p {
    /// How to make one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The name of this node.
    #[must_use]
    pub const fn peer(&self) -> PeerId {
        self.peer
    }

    /// Publishes content that is longer than a [message](super::MAX_MESSAGE), up to
    /// [`Limits::content`]. It is kept for [`Limits::chunk_age`] for those who listen to the topic, and
    /// comes in there as a message.
    ///
    /// # Errors
    ///
    /// Those of [`Transport::publish`].
    pub async fn publish_content(
        &self,
        topic: Topic,
        bytes: Vec<u8>,
    ) -> Result<(), TransportError> {
        let length = bytes.len();
        if length > self.limits.content {
            return Err(TransportError::TooLarge { length });
        }
        self.tell(|reply| Command::Publish { topic, bytes, reply }, TransportError::Closed).await
    }

    /// Connects with a peer now, and says what is wrong if that fails.
    ///
    /// # Errors
    ///
    /// [`NodeError::Address`] if the address does not end with the name of a peer,
    /// [`NodeError::WrongPeer`] if another peer is there, [`NodeError::Link`] if it has no hybrid key
    /// exchange, [`NodeError::Unreachable`], [`NodeError::Busy`] and [`NodeError::Closed`].
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, NodeError> {
        self.tell(|reply| Command::Dial { address, reply }, NodeError::Closed).await
    }

    /// Sends a request to the mailbox of a peer, and waits for its response. If it is not connected, it
    /// is dialled at addresses that are known, from [`dial`](Self::dial) or from others.
    ///
    /// # Errors
    ///
    /// [`NodeError::TooLarge`] above [`Limits::mailbox_frame`], [`NodeError::Unreachable`],
    /// [`NodeError::NotOffered`] if the peer has no mailbox, [`NodeError::NoAnswer`] if it refuses or is
    /// too slow, [`NodeError::Busy`] and [`NodeError::Closed`].
    pub async fn mailbox_request(
        &self,
        peer: PeerId,
        request: Vec<u8>,
    ) -> Result<Vec<u8>, NodeError> {
        bounded(&request, self.limits.mailbox_frame)?;
        self.tell(|reply| Command::Mailbox { peer, request, reply }, NodeError::Closed).await
    }

    /// Stores a record at nodes of the distributed hash table, for [`Limits::record_lifetime`] at most.
    /// Who stores it there, and whether it is one, is for their [`Records`] to decide.
    ///
    /// # Errors
    ///
    /// [`NodeError::TooLarge`] for a key above 64 bytes or a value above [`Limits::record`],
    /// [`NodeError::NotStored`] if no node took it, [`NodeError::Busy`] and [`NodeError::Closed`].
    pub async fn put_record(&self, key: &[u8], value: &[u8]) -> Result<(), NodeError> {
        bounded(key, limits::MAX_KEY)?;
        bounded(value, self.limits.record)?;
        let (key, value) = (key.to_vec(), value.to_vec());
        self.tell(|reply| Command::Put { key, value, reply }, NodeError::Closed).await
    }

    /// Looks for the records of a key: all different ones that are found, up to
    /// [`Limits::found_records`], in no order. There are none if there is none.
    ///
    /// # Errors
    ///
    /// [`NodeError::TooLarge`] for a key above 64 bytes, [`NodeError::Busy`] and [`NodeError::Closed`].
    pub async fn get_record(&self, key: &[u8]) -> Result<Vec<Vec<u8>>, NodeError> {
        bounded(key, limits::MAX_KEY)?;
        let key = key.to_vec();
        self.tell(|reply| Command::Get { key, reply }, NodeError::Closed).await
    }

    /// Refuses all connections with a peer, and closes those that there are; or takes them again, and
    /// connects again if the peer is one to come back to. It holds until this node is closed.
    ///
    /// # Errors
    ///
    /// [`NodeError::Closed`].
    pub async fn block(&self, peer: PeerId, blocked: bool) -> Result<(), NodeError> {
        self.tell(|reply| Command::Block { peer, blocked, reply }, NodeError::Closed).await
    }

    /// Says where key packages of this node's client are kept: `topic` is that of its account, `boxes` the
    /// best first, and their addresses end with the name of a peer. It takes the place of what was said
    /// before; nothing says that there are none any more.
    ///
    /// The client is asked for a [record](crate::directory::Record) at once and every four hours, by
    /// [`Incoming::Boxes`]; what it [announces](Transport::announce) goes into the hash table, as soon as
    /// there is one. [`Status::announced`] says whether it has.
    ///
    /// # Errors
    ///
    /// [`NodeError::TooLarge`] for more than [`MAX_BOXES`] boxes or an address above [`MAX_ADDRESS`],
    /// [`NodeError::Address`] for one without a peer, [`NodeError::Closed`].
    pub async fn publish_boxes(&self, topic: Topic, boxes: Vec<BoxAt>) -> Result<(), NodeError> {
        if boxes.len() > MAX_BOXES {
            return Err(NodeError::TooLarge { length: boxes.len(), most: MAX_BOXES });
        }
        for at in &boxes {
            bounded(&at.address, MAX_ADDRESS)?;
            directory::address(at).ok_or(NodeError::Address)?;
        }
        let boxes = Boxes { topic, boxes };
        self.tell(|reply| Command::Boxes { boxes, reply }, NodeError::Closed).await
    }

    /// How this node is connected.
    ///
    /// # Errors
    ///
    /// [`NodeError::Closed`].
    pub async fn status(&self) -> Result<Status, NodeError> {
        self.tell(|reply| Command::Status { reply }, NodeError::Closed).await
    }

    /// Has the task do something.
    async fn tell<T, E>(
        &self,
        command: impl FnOnce(Reply<T, E>) -> Command,
        closed: E,
    ) -> Result<T, E> {
        let (reply, result) = oneshot::channel();
        if self.commands.send(command(reply)).await.is_err() {
            return Err(closed);
        }
        result.await.unwrap_or(Err(closed))
    }

    fn act(
        &self,
        command: impl FnOnce(Reply<(), TransportError>) -> Command + Send + 'static,
    ) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(self.tell(command, TransportError::Closed))
    }
}

impl Transport for Libp2p {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        if let Err(error) = check_length(&bytes) {
            return Box::pin(async move { Err(error) });
        }
        self.act(move |reply| Command::Publish { topic, bytes, reply })
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.act(move |reply| Command::Subscribe { topic, reply })
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.act(move |reply| Command::Unsubscribe { topic, reply })
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        if let Err(error) = check_length(&question) {
            return Box::pin(async move { Err(error) });
        }
        self.act(move |reply| Command::Ask { topic, question, reply })
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        if let Err(error) = check_length(&answer) {
            return Box::pin(async move { Err(error) });
        }
        self.act(move |reply| Command::Answer { asker, answer, reply })
    }

    fn announce(&self, record: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        let length = record.len();
        if length > MAX_RECORD {
            return Box::pin(async move { Err(TransportError::TooLarge { length }) });
        }
        self.act(move |reply| Command::Announce { record, reply })
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        Box::pin(async move { self.unread.lock().await.recv().await.map(|unread| unread.incoming) })
    }
}

impl fmt::Debug for Libp2p {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libp2p").finish_non_exhaustive()
    }
}

fn bounded(bytes: &[u8], most: usize) -> Result<(), NodeError> {
    let length = bytes.len();
    if length > most { Err(NodeError::TooLarge { length, most }) } else { Ok(()) }
}

/// SHA-256 of some bytes, one after the other.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.hash(Backend::default(), &parts.concat());
    digest.try_into().expect("SHA-256 has 32 bytes")
}
