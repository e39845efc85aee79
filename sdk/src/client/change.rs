//! A change of a group that this client wants, and what becomes of it.

use std::fmt;

use tokio::sync::watch;

use super::Wanted;
use crate::engine::{Failure, Outcome};
use crate::{GroupId, IntentId};

/// A change of a group that this client has asked for.
///
/// When a method like [`Group::invite`](super::Group::invite) returns one, the wish is in the store:
/// it will be carried out, or fail for a reason that is told, also after a crash or days offline. To
/// wait for that is a choice; a dropped `Change` goes on.
///
/// ```no_run
/// # async fn example(group: trellis_sdk::Group, bob: trellis_sdk::Address)
/// # -> Result<(), trellis_sdk::Error> {
/// let change = group.invite(&bob).await?;
/// change.applied().await?; // Everybody who can be reached sees it.
/// change.done().await?; // It can't be taken back any more.
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Change {
    group: GroupId,
    id: IntentId,
    what: Wanted,
    status: watch::Receiver<ChangeStatus>,
}

impl Change {
    pub(super) fn new(
        group: GroupId,
        id: IntentId,
        what: Wanted,
        status: watch::Receiver<ChangeStatus>,
    ) -> Self {
        Self { group, id, what, status }
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Its name, under which [`Group::change`](super::Group::change) finds it again after a restart.
    #[must_use]
    pub fn id(&self) -> IntentId {
        self.id
    }

    /// What it is to bring about.
    #[must_use]
    pub fn what(&self) -> &Wanted {
        &self.what
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> ChangeStatus {
        *self.status.borrow()
    }

    /// Waits until the change is made. Somebody else's change at the same moment may still come
    /// first; then this one is made again after it.
    ///
    /// # Errors
    ///
    /// Why it can't happen.
    pub async fn applied(&self) -> Result<(), ChangeFailed> {
        self.reach(|status| status != ChangeStatus::Pending).await
    }

    /// Waits until the change is made for good: all members have it, or it is so old that nothing can
    /// come before it. How old that is, the group's [`Policy`](crate::Policy) says. While a member is
    /// away this takes up to its `horizon`.
    ///
    /// # Errors
    ///
    /// Why it can't happen.
    pub async fn done(&self) -> Result<(), ChangeFailed> {
        self.reach(|status| matches!(status, ChangeStatus::Done | ChangeStatus::Failed(_))).await
    }

    async fn reach(&self, enough: impl Fn(ChangeStatus) -> bool) -> Result<(), ChangeFailed> {
        let mut watched = self.status.clone();
        let reached = watched.wait_for(|status| enough(*status)).await;
        match reached.map(|status| *status) {
            Ok(ChangeStatus::Failed(failed)) => Err(failed),
            Ok(_) => Ok(()),
            Err(_) => Err(ChangeFailed::Closed),
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({:?}, {:?}, {:?})", self.id, self.what, self.status())
    }
}

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeStatus {
    /// It waits: for its turn, for the network, or for an answer of whoever is invited.
    Pending,
    /// It is made, and may still be taken back for another that comes before it.
    Applied,
    /// It is made for good, or the group was that way already.
    Done,
    /// It can't happen.
    Failed(ChangeFailed),
}

impl From<Outcome> for ChangeStatus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pending => Self::Pending,
            Outcome::Applied => Self::Applied,
            Outcome::Done => Self::Done,
            Outcome::Failed(failure) => Self::Failed(failure.into()),
        }
    }
}

/// Why a change of a group can't happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeFailed {
    /// The group's policy does not let this account do it.
    #[error("the group's policy does not allow it")]
    NotAllowed,
    /// This client was no longer in the group before it was certain.
    #[error("this client is not in the group any more")]
    NotInGroup,
    /// No device of the invited account has answered for a long time.
    #[error("the invited account can't be reached")]
    Unreachable,
    /// The group can't move to that cryptography: members lack it, or it protects too little.
    #[error("the group can't move to that cryptography")]
    Suite,
    /// The group would be left without an owner.
    #[error("a group needs an owner")]
    LastOwner,
    /// The group has moved on to another.
    #[error("the group has moved on")]
    Moved,
    /// The account is not in the group.
    #[error("there is no such member")]
    NoSuchMember,
    /// The device was revoked by its account.
    #[error("the device was revoked by its account")]
    Revoked,
    /// Another member called the move back, or nobody carried it out in time.
    #[error("the move was called back")]
    CalledBack,
    /// The client was closed while somebody waited. The change goes on when it is opened again.
    #[error("the client was closed before the change was made")]
    Closed,
}

impl ChangeFailed {
    /// A name for this reason that never changes, for programs and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed => "change-not-allowed",
            Self::NotInGroup => "change-not-in-group",
            Self::Unreachable => "change-unreachable",
            Self::Suite => "change-suite",
            Self::LastOwner => "change-last-owner",
            Self::Moved => "change-moved",
            Self::NoSuchMember => "change-no-such-member",
            Self::Revoked => "change-revoked",
            Self::CalledBack => "change-called-back",
            Self::Closed => "change-closed",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable | Self::CalledBack | Self::Closed)
    }
}

impl From<Failure> for ChangeFailed {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotAllowed => Self::NotAllowed,
            Failure::NotInGroup => Self::NotInGroup,
            Failure::NoKeyPackage => Self::Unreachable,
            Failure::Suite => Self::Suite,
            Failure::LastOwner => Self::LastOwner,
            Failure::Migrated => Self::Moved,
            Failure::NoSuchMember => Self::NoSuchMember,
            Failure::Revoked => Self::Revoked,
            Failure::CalledBack => Self::CalledBack,
        }
    }
}
