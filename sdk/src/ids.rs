//! The names of things: byte strings of fixed length that print nothing of themselves in logs.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What an identifier becomes in a log depends on this run of the program, so that two lines of one
/// log can be related and a log tells nothing to whoever knows an identifier.
static OBFUSCATION: LazyLock<RandomState> = LazyLock::new(RandomState::new);

macro_rules! identifier {
    ($( $(#[$attribute:meta])* $name:ident [$length:literal] ),+ $(,)?) => { $(
        $(#[$attribute])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            TlsSerialize, TlsDeserializeBytes, TlsSize,
        )]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// How many bytes it has.
            pub const LENGTH: usize = $length;

            /// The bytes, if there are as many as there must be.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        /// Prints the same for the same identifier within one run of the program, and otherwise
        /// nothing of it.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{:08x}", stringify!($name), OBFUSCATION.hash_one(self.0) as u32)
            }
        }
    )+ };
}

identifier! {
    /// An account: SHA-256 over its public keys. Its text form has a checksum, see
    /// [`identity`](crate::identity).
    Address[32],
    /// A device of an account: the SHA-256 digest of its [`Binding`](crate::identity::Binding).
    DeviceId[32],
    /// A group, for as long as it exists, whatever its state.
    GroupId[32],
    /// A state of a group: `MLS-Exporter(state, "trellis state", "", 16)`.
    StateId[16],
    /// A commit: the SHA-256 digest of its MLSMessage.
    CommitHash[32],
    /// A message: the first half of a SHA-256 digest over its device and a number that the device chose
    /// at random, so that nobody can give a message the name of another's.
    MessageId[16],
    /// Something that the user of this client wants to happen to a group.
    IntentId[16],
    /// Where envelopes travel: what peers subscribe to.
    Topic[32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_same_from_different_and_nothing_else() {
        let (one, other) = (Address([7; 32]), Address([8; 32]));
        assert_eq!(format!("{one:?}"), format!("{one:?}"));
        assert_ne!(format!("{one:?}"), format!("{other:?}"));
        assert_eq!(format!("{one:?}").len(), "Address:00000000".len());
        assert!(!format!("{one:?}").contains("0707"));
    }

    #[test]
    fn other_lengths_are_refused() {
        assert_eq!(StateId::from_slice(&[1; 16]), Some(StateId([1; 16])));
        assert_eq!(StateId::from_slice(&[1; 15]), None);
        assert_eq!(StateId::from_slice(&[1; 17]), None);
    }
}
