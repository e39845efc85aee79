//! What can be wrong with an identity.

use openmls_traits::types::CryptoError;

use super::codec::Malformed;

/// Why something about an account or a device is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Bytes are not what they have to be.
    #[error("a {0} that breaks its format")]
    Malformed(&'static str),
    /// A format is newer than this program.
    #[error("a {what} of version {version}, which is not known here")]
    Version {
        /// Of what.
        what: &'static str,
        /// The version that it says.
        version: u8,
    },
    /// A device has no key, more than four, or two for one signature scheme.
    #[error("a device has one to four keys, each for another signature scheme")]
    KeyCount,
    /// A signature scheme is not known here.
    #[error("the signature scheme {0:#06x} is not known here")]
    Scheme(u16),
    /// A signature is not by the key that it has to be by.
    #[error("a {0} with a signature that is not by its key")]
    Signature(&'static str),
    /// A leaf and a binding name different accounts.
    #[error("the leaf names another account than its device's binding")]
    WrongAccount,
    /// A leaf names another device than the binding.
    #[error("the leaf names another device than the binding")]
    WrongDevice,
    /// A leaf has a key that its device's binding does not.
    #[error("the leaf has a key that is not its device's")]
    WrongKey,
    /// A binding is for other keys than those of the request.
    #[error("the binding answers another request")]
    OtherRequest,
    /// The cryptography failed, which is not about what it was given.
    #[error("the cryptography failed: {0}")]
    Crypto(CryptoError),
}

impl IdentityError {
    /// A name for this error that never changes, for programs and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "identity-malformed",
            Self::Version { .. } => "identity-version",
            Self::KeyCount => "identity-key-count",
            Self::Scheme(_) => "identity-scheme",
            Self::Signature(_) => "identity-signature",
            Self::WrongAccount => "identity-wrong-account",
            Self::WrongDevice => "identity-wrong-device",
            Self::WrongKey => "identity-wrong-key",
            Self::OtherRequest => "identity-other-request",
            Self::Crypto(_) => "identity-crypto",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Crypto(CryptoError::InsufficientRandomness))
    }

    /// Bytes that break the format of `what`.
    pub(super) fn malformed(what: &'static str) -> impl Fn(Malformed) -> Self {
        move |Malformed| Self::Malformed(what)
    }
}
