//! What can go wrong with the storage.

use super::codec::CodecError;

/// An error of [`TrellisStorage`](super::TrellisStorage).
///
/// The messages name kinds of entries and kinds of mistakes, and never what an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A value, or the key it belongs under, could not be serialised.
    #[error("cannot encode an entry of kind {entry}")]
    Encode {
        /// The kind of the entry.
        entry: &'static str,
        /// The reason.
        source: CodecError,
    },
    /// What is stored is not a value of the type that was asked for.
    #[error("cannot decode an entry of kind {entry}")]
    Decode {
        /// The kind of the entry.
        entry: &'static str,
        /// The reason.
        source: CodecError,
    },
    /// A list of entries does not consist of whole items.
    #[error("the list of kind {entry} is malformed")]
    MalformedList {
        /// The kind of the list.
        entry: &'static str,
    },
    /// The queue of a group refers to a proposal that is not stored. That happens if a reference
    /// was queued twice and removed once.
    #[error("a queued proposal is missing")]
    MissingProposal,
    /// What should be imported is no export of this storage.
    #[error("the export is malformed: {0}")]
    Import(#[from] ImportError),
}

/// Why an export cannot be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It does not begin like one.
    #[error("it does not begin with the magic number")]
    Magic,
    /// It has a format that this version of the crate does not know.
    #[error("format {0} is unknown")]
    Format(u16),
    /// It ends before all entries have been read.
    #[error("it is cut short")]
    Truncated,
    /// It goes on after the last entry.
    #[error("it goes on after the last entry")]
    TrailingBytes,
    /// Two entries have the same key.
    #[error("a key occurs twice")]
    DuplicateKey,
    /// The keys are not in ascending order.
    #[error("the keys are not in order")]
    Unsorted,
}
