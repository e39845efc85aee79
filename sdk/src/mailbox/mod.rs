//! Mailboxes: they keep what comes for members who are offline.
//!
//! A mailbox is a node that listens to topics which members ask it to, keeps the envelopes that come
//! there, and gives them to members who come back. It sees neither content nor group nor sender:
//! topics, lengths, times, and public keys that mean something to members alone. For the inbox of an
//! account it keeps Welcomes in the same way, and a pool of key packages that it gives to strangers
//! while the devices are offline.
//!
//! This is a protocol and no network: frames in, frames out. Whatever carries a frame to a mailbox
//! and one frame back will do, if it authenticates both ends and encrypts.
//!
//! | | |
//! |---|---|
//! | [`Capability`], [`Grant`] | who may have what: keys that members derive from what they share |
//! | [`wire`] | frames, byte by byte |
//! | [`Service`] | the mailbox |
//! | [`client`] | what members and strangers do |
//! | [`WithMailboxes`] | a transport that has its client's topics kept |
//! | [`MailboxNode`] | a mailbox as a node of libp2p |
//! | [`sync`] | reconciliation of two sets |
//! | [`store`] | where it is kept: a file, or NATS JetStream for several processes |
//! | [`Limits`] | each number that bounds what strangers can make a mailbox do; LIMITS.md says what is beyond |
//!
//! # Boxes
//!
//! What members have at a mailbox is a *box*. It is named by the hash of a public key, whose private
//! part all of them derive from a secret of the group (32 bytes), or of the account, for an inbox. A box
//! keeps one topic or more. Several boxes may keep the same topic, each for itself, so nobody can take a
//! topic away from others by being the first. A box ends when nobody renews it; an envelope ends some time
//! after it came, or with its box.
//!
//! Requests are signed, see [`wire::Signed`]; how a replay is worth nothing, though the mailbox remembers
//! nothing, stands in [`Challenge`].
//!
//! # What is promised
//!
//! When a mailbox says that it has stored something, its store has it: what that outlives is said for each
//! [`store`]. When a box, the mailbox or its disk is full, it says so and stores nothing; it never deletes
//! what is there to make room for what comes. A member can't be deceived with envelopes: each is named by
//! its hash, and what is in it is authenticated by the group. A mailbox can keep something to itself, and
//! members of a group that matters use two: their sets are reconciled as well, with a
//! [`Grant`] from a member.
//!
//! # Key packages
//!
//! What a device deposits, and what strangers get, are the bytes that the device would
//! [answer](crate::transport::Transport::answer) with when it is asked on its account's topic: strangers
//! check it in the same way. The mailbox does not look inside. Each one-time key package is given away
//! once, also if several processes share a store; when there are none left, or when they go too fast, the
//! last-resort one is given, and said to be it. Each device has a box of its own for its key packages,
//! because a deposit is told from its repetition by a serial number.
//!
//! # What a mailbox can do
//!
//! Withhold; delete; count; tell who, by the transport's identity, asks for which box, and so which
//! identities belong together. It can give the same one-time key package twice, which costs the forward
//! secrecy of that one Welcome. It can't read, forge or reorder anything.

mod boxes;
mod capability;
mod challenge;
pub mod client;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod list;
#[cfg(feature = "libp2p")]
mod node;
mod rate;
mod service;
pub mod store;
pub mod sync;
mod transport;
pub mod wire;

pub use capability::{BoxId, Capability, EnvelopeId, Grant, Holder, MailboxId, MailboxKeys};
pub use challenge::{CHALLENGE_PERIOD, Challenge};
pub use error::MailboxError;
pub use limits::Limits;
pub use list::List;
#[cfg(feature = "libp2p")]
pub use node::{AddressError, MailboxNode};
pub use rate::Rate;
pub use service::Service;
pub use transport::{MailboxAt, MailboxStatus, Reach, WithMailboxes};
