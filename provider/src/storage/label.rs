//! Which kinds of entries there are, and what their keys look like.

use serde::Serialize;

use super::{codec, error::StorageError, secret::SecretBytes};

/// Writes the table of labels and their names.
macro_rules! labels {
    ($( $(#[$attribute:meta])* $name:ident = $byte:literal ),+ $(,)?) => {
        /// The kinds of entries: the first byte of every key.
        ///
        /// The numbers are part of the exported format: they never change, and a retired one is
        /// not given away again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Label { $( $(#[$attribute])* $name = $byte ),+ }

        impl Label {
            /// What the errors call the kind.
            pub(super) fn name(self) -> &'static str {
                match self { $( $(#[$attribute])* Self::$name => stringify!($name) ),+ }
            }
        }
    };
}

labels! {
    // The public side of a group
    Tree = 0x01,
    GroupContext = 0x02,
    InterimTranscriptHash = 0x03,
    ConfirmationTag = 0x04,

    // A member's side of a group
    MlsGroupJoinConfig = 0x10,
    MlsGroupState = 0x11,
    OwnLeafNodes = 0x12,
    OwnLeafIndex = 0x13,
    GroupEpochSecrets = 0x14,
    MessageSecrets = 0x15,
    ResumptionPskStore = 0x16,
    EpochKeyPairs = 0x17,
    QueuedProposal = 0x18,
    ProposalQueue = 0x19,
    #[cfg(feature = "extensions-draft")]
    ApplicationExportTree = 0x1a,

    // A client's keys
    SignatureKeyPair = 0x20,
    EncryptionKeyPair = 0x21,
    KeyPackage = 0x22,
    Psk = 0x23,

    // Virtual clients
    #[cfg(feature = "virtual-clients-draft")]
    VcEmulationEpochState = 0x30,
    #[cfg(feature = "virtual-clients-draft")]
    VcOperationTree = 0x31,
    #[cfg(feature = "virtual-clients-draft")]
    VcEmulationBindings = 0x32,
    #[cfg(feature = "virtual-clients-draft")]
    RegisteredVcEmulationEpoch = 0x33,
    #[cfg(feature = "virtual-clients-draft")]
    RetainedKeyPackageMaterial = 0x34,
    #[cfg(feature = "virtual-clients-draft")]
    RetainedKeyPackageEpoch = 0x35,
}

/// Room for a label, a version and the identifiers that OpenMLS uses, so that most keys take one
/// allocation.
const KEY_CAPACITY: usize = 96;

impl Label {
    /// What all keys of this kind begin with: the label and the version of the storage's types.
    pub(super) fn prefix<const VERSION: u16>(self) -> [u8; 3] {
        let [high, low] = VERSION.to_be_bytes();
        [self as u8, high, low]
    }

    /// The key of the entry of this kind that belongs to `part`.
    pub(super) fn key<const VERSION: u16>(
        self,
        part: &impl Serialize,
    ) -> Result<SecretBytes, StorageError> {
        let mut key = SecretBytes::with_capacity(KEY_CAPACITY);
        key.extend_from_slice(&self.prefix::<VERSION>());
        self.extend_key(key, part)
    }

    /// Makes a key that depends on one more part. Where one part ends and the next begins follows
    /// from the encoding, so that different parts never make the same key.
    pub(super) fn extend_key(
        self,
        mut key: SecretBytes,
        part: &impl Serialize,
    ) -> Result<SecretBytes, StorageError> {
        self.encode(part, &mut key)?;
        Ok(key)
    }

    /// Encodes a value of this kind.
    pub(super) fn encode<T: Serialize + ?Sized>(
        self,
        value: &T,
        out: &mut SecretBytes,
    ) -> Result<(), StorageError> {
        codec::encode(value, out)
            .map_err(|source| StorageError::Encode { entry: self.name(), source })
    }

    /// Decodes a value of this kind.
    pub(super) fn decode<T: serde::de::DeserializeOwned>(
        self,
        bytes: &[u8],
    ) -> Result<T, StorageError> {
        codec::decode(bytes).map_err(|source| StorageError::Decode { entry: self.name(), source })
    }
}
