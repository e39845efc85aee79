//! The remembered `info` of HPKE.
//!
//! A commit that adds n members seals one secret to each, and the `info` of every seal is the whole
//! encrypted GroupInfo (RFC 9420, section 12.4.3.1): 685 KB at n = 255 with a hybrid suite. OpenMLS
//! passes it anew each time. HPKE needs nothing of it but a hash, so the last one is kept with its
//! hash; an equal one is recognised by comparing the bytes, at a hundredth of the cost.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use trellis_ciphersuites::hpke::{Hpke, Info};

/// The longest `info` that is kept; a longer one is hashed each time.
const MAX_KEPT: usize = 64 << 20;

#[derive(Default)]
pub(crate) struct InfoCache {
    last: Mutex<Option<Arc<Entry>>>,
    hashed: AtomicU64,
}

struct Entry {
    hpke: Hpke,
    info: Vec<u8>,
    /// Set by the first thread that needs it. Others that need it meanwhile wait for that thread,
    /// which is the shortest way to the hash; the lock around the entry is free.
    prepared: OnceLock<Option<Info<'static>>>,
}

impl InfoCache {
    /// Calls `operation` with `info` bound to `hpke`.
    pub(crate) fn with<T>(
        &self,
        hpke: Hpke,
        info: &[u8],
        operation: impl FnOnce(&Info<'_>) -> T,
    ) -> T {
        if info.len() <= MAX_KEPT && hpke.suite().kdf.is_two_stage() {
            let entry = self.entry(hpke, info);
            let prepared = entry.prepared.get_or_init(|| self.hash(hpke, info).into_owned());
            if let Some(prepared) = prepared {
                return operation(prepared);
            }
        }
        operation(&self.hash(hpke, info))
    }

    /// The bytes of `info` hashed so far.
    pub(crate) fn hashed_bytes(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    fn hash<'a>(&self, hpke: Hpke, info: &'a [u8]) -> Info<'a> {
        self.hashed.fetch_add(info.len() as u64, Ordering::Relaxed);
        hpke.info(info)
    }

    /// The entry for `info`: the last one, or a new one that takes its place.
    fn entry(&self, hpke: Hpke, info: &[u8]) -> Arc<Entry> {
        let mut fresh = None;
        loop {
            let seen = self.lock().clone();
            if let Some(entry) =
                seen.as_ref().filter(|entry| entry.hpke == hpke && entry.info == info)
            {
                return Arc::clone(entry);
            }
            let fresh = fresh.get_or_insert_with(|| {
                Arc::new(Entry { hpke, info: info.to_vec(), prepared: OnceLock::new() })
            });
            let mut last = self.lock();
            // Another thread may have put an entry here since; it may be the one wanted.
            let unchanged = match (&*last, &seen) {
                (Some(now), Some(seen)) => Arc::ptr_eq(now, seen),
                (None, None) => true,
                _ => false,
            };
            if unchanged {
                *last = Some(Arc::clone(fresh));
                return Arc::clone(fresh);
            }
        }
    }

    /// Held for the copy of a pointer. A thread that panicked here left a whole pointer behind, so
    /// poison means nothing.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Entry>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InfoCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoCache({} bytes hashed)", self.hashed_bytes())
    }
}

#[cfg(test)]
mod tests {
    use trellis_ciphersuites::{Backend, CipherSuite};

    use super::*;

    fn hpke(row: u8) -> Hpke {
        let suite = CipherSuite::all().find(|suite| suite.row() == Some(row)).unwrap();
        Hpke::new(suite.hpke(), Backend::default())
    }

    #[test]
    fn an_equal_info_is_hashed_once_even_from_another_buffer() {
        let cache = InfoCache::default();
        for _ in 0..10 {
            let info = vec![7; 1000];
            cache.with(hpke(2), &info, |_| ());
        }
        assert_eq!(cache.hashed_bytes(), 1000);
    }

    #[test]
    fn another_info_or_another_suite_is_hashed_anew() {
        let cache = InfoCache::default();
        cache.with(hpke(2), &[7; 1000], |_| ());
        cache.with(hpke(2), &[8; 1000], |_| ());
        cache.with(hpke(1), &[8; 1000], |_| ());
        cache.with(hpke(1), &[8; 999], |_| ());
        assert_eq!(cache.hashed_bytes(), 3999);
    }

    #[test]
    fn what_is_sealed_through_the_cache_opens_without_it() {
        let (cache, hpke) = (InfoCache::default(), hpke(1));
        let pair = hpke.generate_key_pair().unwrap();
        for info in [&b"one"[..], b"one", b"two", b"one"] {
            let (enc, sealed) =
                cache.with(hpke, info, |info| info.seal(&pair.public, b"aad", b"text")).unwrap();
            let opened = hpke.info(info).open(&enc, &pair.private, b"aad", &sealed).unwrap();
            assert_eq!(opened[..], *b"text");
        }
    }

    #[test]
    fn threads_that_ask_at_once_hash_once() {
        let cache = InfoCache::default();
        let info = vec![9; 1 << 20];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.with(hpke(2), &info, |_| ()));
            }
        });
        assert_eq!(cache.hashed_bytes(), 1 << 20);
    }
}
