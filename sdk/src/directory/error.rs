//! What can be wrong with a record.

use crate::identity::IdentityError;

/// Why a record of the directory, or what a box gave, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Bytes are not what they have to be.
    #[error("a record of the directory that breaks its format")]
    Malformed,
    /// The format is newer than this program.
    #[error("a record of the directory of version {0}, which is not known here")]
    Version(u8),
    /// It is longer than [`MAX_RECORD`](super::MAX_RECORD), has more boxes than
    /// [`MAX_BOXES`](super::MAX_BOXES), or an address longer than [`MAX_ADDRESS`](super::MAX_ADDRESS).
    #[error("a record of the directory that is too large")]
    TooLarge,
    /// The binding in it is wrong.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A signature is not by the device.
    #[error("a record of the directory that its device has not signed")]
    Signature,
    /// A device without a key of Ed25519 can't sign records.
    #[error("the device has no key for records of the directory")]
    NoKey,
    /// It is not in one of the places of its account and device.
    #[error("a record of the directory in a place of another")]
    Place,
    /// It has ended.
    #[error("a record of the directory that has ended")]
    Expired,
    /// It is said to be made later than now.
    #[error("a record of the directory from the future")]
    Future,
    /// It ends before it begins, or it is to last too long.
    #[error("a record of the directory with a wrong lifetime")]
    Lifetime,
    /// There is a later one of the device.
    #[error("a record of the directory that was replaced")]
    Stale,
    /// Another device of the account has the place.
    #[error("another device has this place of the directory")]
    Occupied,
    /// A box has given what is no key package of its device.
    #[error("a box gave something else than a key package of its device")]
    OtherPackage,
}

impl DirectoryError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "directory-malformed",
            Self::Version(_) => "directory-version",
            Self::TooLarge => "directory-too-large",
            Self::Identity(error) => error.code(),
            Self::Signature => "directory-signature",
            Self::NoKey => "directory-no-key",
            Self::Place => "directory-place",
            Self::Expired => "directory-expired",
            Self::Future => "directory-future",
            Self::Lifetime => "directory-lifetime",
            Self::Stale => "directory-stale",
            Self::Occupied => "directory-occupied",
            Self::OtherPackage => "directory-other-package",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Identity(error) => error.is_retryable(),
            Self::Future | Self::Occupied => true,
            _ => false,
        }
    }
}
