//! Why a mailbox refuses something.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::challenge::Challenge;
use super::store::StoreError;

/// Why a mailbox did not do what it was asked. It travels as its number and what belongs to it; the
/// numbers never change.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
#[non_exhaustive]
#[repr(u8)]
pub enum MailboxError {
    /// There is no such box, or not any more.
    #[error("the mailbox has no such box")]
    #[tls_codec(discriminant = 1)]
    UnknownBox,
    /// The box, or whoever asks, has as much as it may have.
    #[error("a quota is used up")]
    #[tls_codec(discriminant = 2)]
    Quota,
    /// The mailbox has no room left, or its disk has none. Nothing was stored.
    #[error("the mailbox is full")]
    #[tls_codec(discriminant = 3)]
    Full,
    /// The time of the box is over; it can be opened anew.
    #[error("the box has expired")]
    #[tls_codec(discriminant = 4)]
    Expired,
    /// Too many requests. May be tried again after so many milliseconds.
    #[error("too many requests; try again in {0} ms")]
    #[tls_codec(discriminant = 5)]
    Rate(u32),
    /// The bytes are not a request.
    #[error("the request is malformed")]
    #[tls_codec(discriminant = 6)]
    Malformed,
    /// The frame has a version that is not spoken here.
    #[error("the version is not supported")]
    #[tls_codec(discriminant = 7)]
    UnsupportedVersion,
    /// The request answers no challenge of now. This is the one to answer.
    #[error("the challenge is out of date")]
    #[tls_codec(discriminant = 8)]
    Stale(Challenge),
    /// The signature does not allow it.
    #[error("the capability does not allow this")]
    #[tls_codec(discriminant = 9)]
    Forbidden,
    /// The store can't be reached now. Whether something was stored is not known.
    #[error("the mailbox can't reach its store")]
    #[tls_codec(discriminant = 10)]
    Unavailable,
    /// There is no key package to be had.
    #[error("there is no key package")]
    #[tls_codec(discriminant = 11)]
    NoPackage,
    /// A frame or something in it is longer than it may be.
    #[error("the request is too large")]
    #[tls_codec(discriminant = 12)]
    TooLarge,
}

impl MailboxError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownBox => "unknown-box",
            Self::Quota => "quota",
            Self::Full => "full",
            Self::Expired => "expired",
            Self::Rate(_) => "rate",
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported-version",
            Self::Stale(_) => "stale",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::NoPackage => "no-package",
            Self::TooLarge => "too-large",
        }
    }

    /// Whether the same may succeed later, or, for [`Stale`](Self::Stale), with the new challenge.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Full
                | Self::Quota
                | Self::Rate(_)
                | Self::Stale(_)
                | Self::Unavailable
                | Self::NoPackage
        )
    }
}

impl From<StoreError> for MailboxError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoBox => Self::UnknownBox,
            StoreError::Quota => Self::Quota,
            StoreError::Full | StoreError::DiskFull => Self::Full,
            StoreError::Unavailable
            | StoreError::NotOpened(_)
            | StoreError::Options(_)
            | StoreError::Failed(_) => Self::Unavailable,
        }
    }
}
