//! What can be wrong with bytes of MLS.

use crate::Refusal;

/// Why something does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A primitive refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Bytes do not decode.
    #[error("cannot be decoded: {0}")]
    Codec(#[from] tls_codec::Error),
    /// A rule of RFC 9420 does not hold.
    #[error("{0}")]
    Rule(&'static str),
}
