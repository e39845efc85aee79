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
    HpkeSealPsk {
        info: Info,
        psk: Psk,
        aad: usize,
        plaintext: usize,
    },
    HpkeOpenPsk {
        info: Info,
        psk: Psk,
        aad: usize,
        plaintext: usize,
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

/// The lengths of a pre-shared key of HPKE and of its identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Psk {
    /// The key.
    pub key: usize,
    /// The identifier.
    pub id: usize,
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
            Self::HpkeSealPsk { .. } => "hpke_seal_psk_resolved_aad",
            Self::HpkeOpenPsk { .. } => "hpke_open_psk",
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
    info: Option<Ends>,
}

/// How much of an `info` is compared at either end. That of a Welcome has half a megabyte, and to
/// compare all of it takes longer than the seal, which would look like time of OpenMLS. It ends in
/// the tag of an AEAD; that of a path is a GroupContext, whose hashes are near its beginning.
const COMPARED: usize = 1 << 10;

/// An `info`, as far as it is compared.
#[derive(Debug, PartialEq, Eq)]
struct Ends {
    length: usize,
    /// The beginning, then the end.
    bytes: Vec<u8>,
}

impl Ends {
    fn of(info: &[u8]) -> Self {
        let compared = info.len().min(COMPARED);
        let bytes = [&info[..compared], &info[info.len() - compared..]].concat();
        Self { length: info.len(), bytes }
    }
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
        self.enter(call, start.elapsed());
        result
    }

    /// Enters a call that took this long.
    pub(super) fn enter(&self, call: Call, time: Duration) {
        let mut entries = self.entries();
        let tally = entries.calls.entry(call).or_default();
        tally.count += 1;
        tally.time += time;
    }

    /// What to enter for the `info` of a seal or export; it is remembered for the next.
    pub(super) fn info(&self, info: &[u8]) -> Info {
        let (mut entries, now) = (self.entries(), Some(Ends::of(info)));
        let again = entries.info == now;
        entries.info = now;
        Info { length: info.len(), again }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_is_known_again_from_another_buffer_and_told_from_its_like() {
        for length in [0, 1, COMPARED, COMPARED + 1, 3 * COMPARED] {
            let ledger = Ledger::new();
            let info = vec![7; length];
            assert_eq!(ledger.info(&info), Info { length, again: false });
            assert_eq!(ledger.info(&info.clone()), Info { length, again: true });
            assert!(!ledger.info(&vec![7; length + 1]).again);
        }
        for at in [0, 3 * COMPARED - 1] {
            let ledger = Ledger::new();
            let mut info = vec![7; 3 * COMPARED];
            let _ = ledger.info(&info);
            info[at] ^= 1;
            assert!(!ledger.info(&info).again, "byte {at}");
        }
    }

    #[test]
    fn clones_are_one_ledger_and_what_is_taken_is_gone() {
        let ledger = Ledger::new();
        let call = Call::Hash { data: 3 };
        for _ in 0..2 {
            assert_eq!(ledger.clone().time(call, || 5), 5);
        }
        ledger.enter(call, Duration::from_secs(1));
        let calls = ledger.take();
        assert_eq!((calls.len(), calls[&call].count), (1, 3));
        assert!(calls[&call].time >= Duration::from_secs(1));
        assert!(ledger.take().is_empty());
    }
}
