//! The ledger: how often each call was made, and how long it took.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A call with what decides its cost besides the algorithms, which are those of the suite. Lengths
/// are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are those of OpenMLS's methods and their arguments")]
pub enum Call {
    Hash {
        data: usize,
    },
    Hmac {
        message: usize,
    },
    HkdfExtract {
        ikm: usize,
    },
    HkdfExpand {
        info: usize,
        okm: usize,
    },
    AeadEncrypt {
        data: usize,
        aad: usize,
    },
    AeadDecrypt {
        data: usize,
        aad: usize,
    },
    SignatureKeyGen,
    Sign {
        data: usize,
    },
    VerifySignature {
        data: usize,
    },
    HpkeSeal {
        info: Info,
        aad: usize,
        plaintext: usize,
    },
    HpkeOpen {
        info: Info,
        aad: usize,
        plaintext: usize,
    },
    HpkeSetupSenderAndExport {
        info: Info,
        context: usize,
        length: usize,
    },
    HpkeSetupReceiverAndExport {
        info: Info,
        context: usize,
        length: usize,
    },
    DeriveHpkeKeypair {
        ikm: usize,
    },
    Random {
        length: usize,
    },
    /// A question about suites, which costs nothing.
    Supports,
    /// A method of the storage.
    Storage(&'static str),
}

/// The `info` of an HPKE call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Info {
    /// Its length.
    pub length: usize,
    /// Whether the call before had the same, so that it need not be hashed again.
    pub again: bool,
}

impl Call {
    /// The name of the method; that of a storage begins with `storage: `.
    #[must_use]
    pub fn name(self) -> String {
        let name = match self {
            Self::Hash { .. } => "hash",
            Self::Hmac { .. } => "hmac",
            Self::HkdfExtract { .. } => "hkdf_extract",
            Self::HkdfExpand { .. } => "hkdf_expand",
            Self::AeadEncrypt { .. } => "aead_encrypt",
            Self::AeadDecrypt { .. } => "aead_decrypt",
            Self::SignatureKeyGen => "signature_key_gen",
            Self::Sign { .. } => "sign",
            Self::VerifySignature { .. } => "verify_signature",
            Self::HpkeSeal { .. } => "hpke_seal",
            Self::HpkeOpen { .. } => "hpke_open",
            Self::HpkeSetupSenderAndExport { .. } => "hpke_setup_sender_and_export",
            Self::HpkeSetupReceiverAndExport { .. } => "hpke_setup_receiver_and_export",
            Self::DeriveHpkeKeypair { .. } => "derive_hpke_keypair",
            Self::Random { .. } => "random bytes",
            Self::Supports => "supports",
            Self::Storage(method) => return format!("storage: {method}"),
        };
        name.into()
    }
}

/// The calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long all of them took.
    pub time: Duration,
}

#[derive(Debug, Default)]
struct Entries {
    calls: HashMap<Call, Tally>,
    /// The `info` of the last seal or export.
    info: Vec<u8>,
}

/// Calls with their tallies. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Entries>>);

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out what was entered since the last time.
    #[must_use]
    pub fn take(&self) -> HashMap<Call, Tally> {
        std::mem::take(&mut self.entries().calls)
    }

    /// Makes a call and enters it.
    pub(crate) fn time<T>(&self, call: Call, make: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = make();
        let time = start.elapsed();
        let mut entries = self.entries();
        let tally = entries.calls.entry(call).or_default();
        tally.count += 1;
        tally.time += time;
        result
    }

    /// What to enter for the `info` of a seal or export; it is remembered for the next.
    pub(super) fn info(&self, info: &[u8]) -> Info {
        let mut entries = self.entries();
        let again = entries.info == info;
        if !again {
            entries.info.clear();
            entries.info.extend_from_slice(info);
        }
        Info { length: info.len(), again }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
