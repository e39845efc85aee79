//! What is kept for a client while it is away.
//!
//! A transport may reach somebody who keeps what comes on a topic, and who gives out key packages, while
//! the client is offline. The client says what it wants to have kept; a transport that knows nobody who
//! does ignores it, as those do that implement none of this.

use trellis_ciphersuites::Secret;

use crate::directory::BoxAt;
use crate::{Time, Topic};

/// What a topic that is to be kept is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepKind {
    /// The client's account, for which key packages are deposited too.
    Account,
    /// A group that the client is in.
    Group,
    /// A group that the client has been invited to and is not in yet. Strangers may invite, and as often as
    /// they like: for this less is kept, and for a shorter time. What was handed in before the client
    /// came into the group is handed in again after that.
    Invitation,
}

/// A topic that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The topic.
    pub topic: Topic,
    /// What proves the right to what is kept, 32 bytes: the same for all members of a group in one state,
    /// and another one after somebody was put out. For the topic of an account it is the device's own.
    pub secret: Secret,
    /// What it is the topic of.
    pub kind: KeepKind,
    /// What was said last with [`Incoming::Kept`](super::Incoming::Kept): what came before has been handed in.
    pub since: Time,
}

/// What is to be kept for others, who have been invited to a group and may be away until nobody else is
/// there: what is said on its topic from now on, and what they need at first. They find it by the same
/// [`Keep`], once they have opened their invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepFor {
    /// The topic.
    pub topic: Topic,
    /// What proves the right to it, 32 bytes.
    pub secret: Secret,
    /// What they need, each at most [`MAX_MESSAGE`](super::MAX_MESSAGE) bytes.
    pub envelopes: Vec<Vec<u8>>,
}

/// Key packages that are to be given to who asks on the topic of this client's account while it is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The number that the [`Pools`] came with.
    pub keeper: u64,
    /// The cipher suite's number.
    pub suite: u16,
    /// Grows with each deposit.
    pub serial: u64,
    /// After when they are of no use.
    pub expires: Time,
    /// Answers to be given once each.
    pub one_time: Vec<Vec<u8>>,
    /// The answer for when there are no others, in place of the one before.
    pub last_resort: Option<Vec<u8>>,
    /// Answers that are given along with each, in place of those before: the account's revocations.
    pub beside: Vec<Vec<u8>>,
}

/// How many key packages somebody has who keeps them for this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pools {
    /// A number of the transport's choice, for the [`Deposit`] that may follow.
    pub keeper: u64,
    /// For each cipher suite how many one-time key packages are left; of suites that are not named, none.
    pub left: Vec<(u16, u32)>,
}

/// Where key packages of this client are kept, for a record of the [directory](crate::directory).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boxes {
    /// The topic of this client's account.
    pub topic: Topic,
    /// The boxes, the best first; at most [`MAX_BOXES`](crate::directory::MAX_BOXES).
    pub boxes: Vec<BoxAt>,
}
