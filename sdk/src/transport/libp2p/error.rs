//! What can go wrong with a node.

use std::error::Error;
use std::io;

use libp2p::core::upgrade::NegotiationError;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::DialError;
use libp2p::{Multiaddr, PeerId};

use super::link::LinkError;
use crate::transport::TransportError;

/// Why a node could not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No tokio runtime runs here.
    #[error("a node runs within a tokio runtime")]
    NoRuntime,
    /// The addresses to listen on can't be listened on.
    #[error("can't listen on an address")]
    Listen(#[source] io::Error),
    /// An address lacks the name of a peer at its end, or is none that this node can reach.
    #[error("an address needs the name of a peer at its end: /ip4/…/tcp/…/p2p/…")]
    Address,
    /// The network of this host can't be used.
    #[error("the network of this host can't be used")]
    System(#[source] io::Error),
    /// There is no link to the peer.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The peer is another than the address says.
    #[error("another peer answers at this address")]
    WrongPeer,
    /// The peer can't be reached.
    #[error("the peer can't be reached")]
    Unreachable,
    /// The peer does not offer this.
    #[error("the peer does not offer this")]
    NotOffered,
    /// The peer has refused, or said nothing in time.
    #[error("the peer did not answer")]
    NoAnswer,
    /// The bytes are more than a limit allows.
    #[error("{length} bytes are more than {most}")]
    TooLarge {
        /// How many there are.
        length: usize,
        /// How many there may be.
        most: usize,
    },
    /// No peer has taken the record.
    #[error("no peer has taken the record")]
    NotStored,
    /// Too much is under way.
    #[error("the node is busy")]
    Busy,
    /// The node is closed.
    #[error("the node is closed")]
    Closed,
}

impl NodeError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRuntime => "no-runtime",
            Self::Listen(_) => "listen",
            Self::Address => "address",
            Self::System(_) => "system",
            Self::Link(error) => error.code(),
            Self::WrongPeer => "wrong-peer",
            Self::Unreachable => "unreachable",
            Self::NotOffered => "not-offered",
            Self::NoAnswer => "no-answer",
            Self::TooLarge { .. } => "too-large",
            Self::NotStored => "not-stored",
            Self::Busy => "busy",
            Self::Closed => "closed",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Link(error) => error.is_retryable(),
            Self::Unreachable | Self::NoAnswer | Self::NotStored | Self::Busy => true,
            _ => false,
        }
    }

    /// What a failed dial means.
    pub(super) fn of_dial(error: &DialError) -> Self {
        match error {
            DialError::WrongPeerId { .. } => Self::WrongPeer,
            DialError::NoAddresses => Self::Unreachable,
            DialError::Transport(errors) => errors
                .iter()
                .find_map(|(_, error)| link_error(error))
                .map_or(Self::Unreachable, Self::Link),
            _ => Self::Unreachable,
        }
    }
}

impl From<TransportError> for NodeError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Closed => Self::Closed,
            TransportError::TooLarge { length } => {
                Self::TooLarge { length, most: crate::transport::MAX_MESSAGE }
            }
            TransportError::Offline => Self::Unreachable,
            TransportError::Busy | TransportError::TooManySubscriptions => Self::Busy,
        }
    }
}

/// An error of our link somewhere below an error of libp2p. Libp2p keeps it, but in boxes.
fn link_error(error: &(dyn Error + 'static)) -> Option<LinkError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<LinkError>() {
            return found.again();
        }
        if let Some(NegotiationError::Failed) = error.downcast_ref() {
            return Some(LinkError::Protocol);
        }
        let boxed = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match boxed {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The peer at the end of an address.
pub(super) fn split_peer(address: &Multiaddr) -> Result<PeerId, NodeError> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Ok(peer),
        _ => Err(NodeError::Address),
    }
}
