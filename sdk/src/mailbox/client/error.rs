//! What can go wrong on the client's side.

use crate::mailbox::error::MailboxError;
use crate::mailbox::sync::SyncError;

/// Why a request to a mailbox came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The mailbox refused.
    #[error("the mailbox refused: {0}")]
    Refused(#[from] MailboxError),
    /// The mailbox answered with something that is no answer to this.
    #[error("the mailbox's answer is malformed")]
    BadAnswer,
    /// The reconciliation failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The request does not fit into a frame.
    #[error("the request is too large")]
    TooLarge,
    /// The signature could not be made.
    #[error("the request can't be signed")]
    Signing,
    /// Whoever carries the frames has closed.
    #[error("the mailbox can't be reached")]
    Unreachable,
}

impl ClientError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::BadAnswer => "bad-answer",
            Self::Sync(error) => error.code(),
            Self::TooLarge => "too-large",
            Self::Signing => "signing",
            Self::Unreachable => "unreachable",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(error) => error.is_retryable(),
            Self::Sync(error) => error.is_retryable(),
            Self::Unreachable => true,
            Self::BadAnswer | Self::TooLarge | Self::Signing => false,
        }
    }
}
