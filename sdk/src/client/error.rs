//! What can go wrong for the user of a client.

use std::io;

use super::ChangeFailed;
use crate::engine::EngineError;
use crate::identity::{AddressError, IdentityError};
use crate::message::MessageError;
use crate::store::StoreError;

/// Why a client could not do what it was told. In that case it has done nothing.
///
/// Nothing in it is secret: it names no account, group or message, so it may be shown and logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened, read or written.
    #[error("the account's file could not be used")]
    Store(#[source] StoreError),
    /// This client knows no such group.
    #[error("there is no such group")]
    NoGroup,
    /// This client is in the group no longer.
    #[error("this client is not in the group any more")]
    NotInGroup,
    /// Something that was given is too long, or there is too much of it.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much it may have.
        limit: usize,
    },
    /// The group's policy does not allow it.
    #[error("the group's policy does not allow it")]
    NotAllowed,
    /// The message breaks the limits of messages.
    #[error("the message can't be sent")]
    Message(#[source] MessageError),
    /// There is no such message of one's own.
    #[error("there is no such message of one's own")]
    NoMessage,
    /// There is no such change, or it was made long ago.
    #[error("there is no such change of one's own, or it was made long ago")]
    NoChange,
    /// This client was not told to take part in groups with that cryptography.
    #[error("this client does not take part in groups with that cryptography")]
    Suite,
    /// The device waits for being linked to an account: it is opened with
    /// [`Builder::link`](super::Builder::link).
    #[error("this device is not linked to an account")]
    NotLinked,
    /// The device has an account already, or it is a backup that has the account's keys: it needs
    /// nobody's approval.
    #[error("this device has an account already")]
    Linked,
    /// Only the account's first device, and what was restored from it, can do this.
    #[error("this device does not have the account's keys")]
    NoAccountKeys,
    /// There is no such device, or it is this one, or another account's.
    #[error("that is not another device of this account")]
    NoDevice,
    /// A device was revoked, this one or the one that it is about.
    #[error("the device was revoked by its account")]
    Revoked,
    /// A request or an approval of a device is not what it has to be.
    #[error("the request or the approval of a device is refused")]
    Identity(#[from] IdentityError),
    /// A client is restored into a file, and none was given.
    #[error("a client is restored into a file")]
    NoFile,
    /// Text that is no address.
    #[error("that is no address")]
    Address(#[from] AddressError),
    /// A change of a group can't happen.
    #[error("the change can't happen")]
    Change(#[from] ChangeFailed),
    /// The network can't be reached, and as much waits for it as the client keeps waiting.
    #[error("the network can't be reached and too much waits to be sent")]
    Busy,
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// The builder was given no transport, and not told to do without.
    #[error("a client needs a transport, or to be told to stay offline")]
    NoTransport,
    /// There is no tokio runtime to run the transport on.
    #[error("a client has to be opened within a tokio runtime")]
    NoRuntime,
    /// The operating system gave no thread, or no timer.
    #[error("the operating system refused what a client needs to run")]
    System(#[source] io::Error),
    /// The operating system gives no randomness.
    #[error("no randomness is to be had")]
    Randomness,
    /// The client contradicted itself. This is a mistake in it.
    #[error("the client failed within")]
    Internal(#[source] EngineError),
}

impl Error {
    /// A name for this error that never changes, for programs and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::NoGroup => "no-group",
            Self::NotInGroup => "not-in-group",
            Self::TooLarge { .. } => "too-large",
            Self::NotAllowed => "not-allowed",
            Self::Message(error) => error.code(),
            Self::NoMessage => "no-message",
            Self::NoChange => "no-change",
            Self::Suite => "suite",
            Self::NotLinked => "not-linked",
            Self::Linked => "linked",
            Self::NoAccountKeys => "no-account-keys",
            Self::NoDevice => "no-device",
            Self::Revoked => "revoked",
            Self::Identity(error) => error.code(),
            Self::NoFile => "no-file",
            Self::Address(error) => error.code(),
            Self::Change(failed) => failed.code(),
            Self::Busy => "busy",
            Self::Closed => "closed",
            Self::NoTransport => "no-transport",
            Self::NoRuntime => "no-runtime",
            Self::System(_) => "system",
            Self::Randomness => "randomness",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same may succeed later without a change of the program.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Change(failed) => failed.is_retryable(),
            Self::Identity(error) => error.is_retryable(),
            Self::Busy | Self::System(_) | Self::Randomness => true,
            _ => false,
        }
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NoGroup => Self::NoGroup,
            EngineError::NotInGroup => Self::NotInGroup,
            EngineError::TooLarge { what, limit } => Self::TooLarge { what, limit },
            EngineError::NotAllowed => Self::NotAllowed,
            EngineError::NotLinked => Self::NotLinked,
            EngineError::Linked => Self::Linked,
            EngineError::NoAccountKeys => Self::NoAccountKeys,
            EngineError::NoDevice => Self::NoDevice,
            EngineError::Revoked => Self::Revoked,
            EngineError::Identity(error) => Self::Identity(error),
            EngineError::NoMessage => Self::NoMessage,
            EngineError::Message(error) => Self::Message(error),
            EngineError::Suite => Self::Suite,
            EngineError::Randomness => Self::Randomness,
            EngineError::Store(error) => Self::Store(error),
            other => Self::Internal(other),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Message(error)
    }
}
