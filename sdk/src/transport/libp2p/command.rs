//! What a handle tells the task that owns the network.

use std::future::Future;
use std::pin::Pin;

use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::error::NodeError;
use super::status::Status;
use crate::Topic;
use crate::transport::{Boxes, TransportError};

/// Where the result of a command goes.
pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// One thing to do.
pub(super) enum Command {
    Publish { topic: Topic, bytes: Vec<u8>, reply: Reply<(), TransportError> },
    Subscribe { topic: Topic, reply: Reply<(), TransportError> },
    Unsubscribe { topic: Topic, reply: Reply<(), TransportError> },
    Ask { topic: Topic, question: Vec<u8>, reply: Reply<(), TransportError> },
    Answer { asker: u64, answer: Vec<u8>, reply: Reply<(), TransportError> },
    Dial { address: Multiaddr, reply: Reply<PeerId, NodeError> },
    Mailbox { peer: PeerId, request: Vec<u8>, reply: Reply<Vec<u8>, NodeError> },
    Put { key: Vec<u8>, value: Vec<u8>, reply: Reply<(), NodeError> },
    Get { key: Vec<u8>, reply: Reply<Vec<Vec<u8>>, NodeError> },
    Block { peer: PeerId, blocked: bool, reply: Reply<(), NodeError> },
    Boxes { boxes: Boxes, reply: Reply<(), NodeError> },
    Announce { record: Vec<u8>, reply: Reply<(), TransportError> },
    Status { reply: Reply<Status, NodeError> },
}

/// The side of a mailbox that answers. What is in the bytes is between it and who asks.
pub trait Mailbox: Send + Sync {
    /// Answers a request of a peer; nothing, or no bytes, to refuse. It may take as long as
    /// [`request_timeout`](super::Limits::request_timeout).
    ///
    /// Neither is longer than [`mailbox_frame`](super::Limits::mailbox_frame). Who the peer is says
    /// nothing of who asks: one that wants to stay unknown changes its identity.
    fn serve(
        &self,
        peer: PeerId,
        request: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;
}

/// What decides which records this node keeps for others, and which ones that others give it are taken
/// for records.
pub trait Records: Send + Sync {
    /// Whether a value is a record for a key, and is to replace the one that is kept, if there is one.
    /// It is asked for each record that comes in, so it has to be quick, and any byte can be wrong. One that
    /// is kept already comes again so that it is kept longer.
    fn accept(&self, key: &[u8], value: &[u8], kept: Option<&[u8]>) -> bool;
}
