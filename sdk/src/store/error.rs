//! What can go wrong with the store.

use std::io;

use rusqlite::ErrorCode;

/// Why the store could not do what it was told. Nothing that is stored is in it.
///
/// After an error of a write nothing of the transaction has happened; after one of opening, the
/// file is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file can't be decrypted with this key. A wrong key and a damaged beginning of the file
    /// look the same, because nothing in the file can be read without the key.
    #[error("the key or passphrase is wrong, or the store is damaged")]
    WrongKeyOrDamaged,
    /// The file is a database, but nobody encrypted it.
    #[error("the file is a database without encryption")]
    NotEncrypted,
    /// The file is something else.
    #[error("the file is not a store")]
    NotADatabase,
    /// A later release has written the store.
    #[error("the store has version {found}, and this release knows versions up to {known}")]
    NewerSchema {
        /// The version of the store.
        found: u32,
        /// The last version that this release knows.
        known: u32,
    },
    /// There is no room on the disk, or within the store's limit.
    #[error("there is no room left for the store")]
    Full,
    /// Another process, or another part of this one, has the store open.
    #[error("the store is in use")]
    InUse,
    /// There is a file already where a new store is to be.
    #[error("there is a file already")]
    Exists,
    /// Something within the file is not what was written there.
    #[error("the store is damaged")]
    Damaged,
    /// The operating system refused.
    #[error("the store's file can't be used: {0}")]
    Io(io::ErrorKind),
    /// There is not enough memory to derive the key, or for the database.
    #[error("there is not enough memory")]
    Memory,
    /// A write outside of a transaction, or the end of one that is not there.
    #[error("there is no transaction")]
    NoTransaction,
    /// The beginning of a transaction, or a backup, within a transaction.
    #[error("there is a transaction already")]
    InTransaction,
    /// There is no such state of the group.
    #[error("there is no such state")]
    NoState,
    /// The failure that [`fail_at`](super::Store::fail_at) ordered.
    #[error("a failure was ordered for this write")]
    FailPoint,
    /// SQLite refused for another reason.
    #[error("SQLite failed with code {0}")]
    Sqlite(i32),
}

impl StoreError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongKeyOrDamaged => "wrong-key-or-damaged",
            Self::NotEncrypted => "not-encrypted",
            Self::NotADatabase => "not-a-database",
            Self::NewerSchema { .. } => "newer-schema",
            Self::Full => "full",
            Self::InUse => "in-use",
            Self::Exists => "exists",
            Self::Damaged => "damaged",
            Self::Io(_) => "io",
            Self::Memory => "memory",
            Self::NoTransaction => "no-transaction",
            Self::InTransaction => "in-transaction",
            Self::NoState => "no-state",
            Self::FailPoint => "fail-point",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// Whether the same may succeed later without a change of the program: when there is room
    /// again, when the other process has ended, when the disk answers.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Full | Self::InUse | Self::Memory | Self::Io(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match error {
            Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => {
                    Self::Io(io::ErrorKind::Other)
                }
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                    Self::Io(io::ErrorKind::PermissionDenied)
                }
                ErrorCode::OutOfMemory => Self::Memory,
                // What SQLCipher says of a page that was tampered with. The statements are
                // constant, so there is no other cause.
                _ if failure.extended_code == rusqlite::ffi::SQLITE_ERROR => Self::Damaged,
                _ => Self::Sqlite(failure.extended_code),
            },
            // A column that holds another type than the one that is always written there.
            Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..) => Self::Damaged,
            _ => Self::Sqlite(rusqlite::ffi::SQLITE_MISUSE),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::OutOfMemory => Self::Memory,
            kind => Self::Io(kind),
        }
    }
}
