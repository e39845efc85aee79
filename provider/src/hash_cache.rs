//! Remembered digests.
//!
//! OpenMLS computes the hash of every node of a ratchet tree three times in a commit (RFC 9420,
//! section 7.8), and all over again in the next one, although a commit changes the nodes of one path.
//! With a post-quantum KEM a node is 1.4 KB or more, and hashing them takes most of the time in which
//! a commit is processed. Here an input that was hashed before is found again by its bytes, for a
//! fraction of that.
//!
//! What is hashed in MLS is what members send to each other: nodes, messages, references. No key and
//! no secret goes through here; those are derived with HKDF. So entries need not be wiped.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::HashAlgorithm;

/// Shorter inputs are hashed as fast as they are found; longer ones do not come again.
const KEPT: std::ops::RangeInclusive<usize> = 512..=(64 << 10);

/// What a generation holds, in bytes of input. Enough for the nodes of a tree of 1000 leaves with
/// any suite.
const GENERATION: usize = 16 << 20;

/// The bytes of an input, from its beginning and from its end, by which it is looked up. A node
/// begins with its encryption key, and a parent ends with the hashes of its children.
const HEAD: usize = 64;
const TAIL: usize = 128;

/// An input with its digest.
struct Entry {
    data: Box<[u8]>,
    digest: Vec<u8>,
}

/// Digests of one hash function, by [fingerprint](HashCache::fingerprint) of the input. Of inputs
/// with the same fingerprint there is the last.
///
/// Those that were asked for last are in `young`. When that is full it becomes `old`, and what was
/// old is forgotten. What is found among the old is young again.
#[derive(Default)]
struct Digests {
    young: HashMap<u64, Entry>,
    old: HashMap<u64, Entry>,
    /// The bytes of the inputs in `young`.
    bytes: usize,
}

impl Digests {
    fn get(&mut self, fingerprint: u64, data: &[u8]) -> Option<Vec<u8>> {
        let same = |entry: &&Entry| *entry.data == *data;
        if let Some(entry) = self.young.get(&fingerprint).filter(same) {
            return Some(entry.digest.clone());
        }
        self.old.get(&fingerprint).filter(same)?;
        let entry = self.old.remove(&fingerprint)?;
        let digest = entry.digest.clone();
        self.insert(fingerprint, entry);
        Some(digest)
    }

    fn insert(&mut self, fingerprint: u64, entry: Entry) {
        if self.bytes + entry.data.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += entry.data.len();
        if let Some(replaced) = self.young.insert(fingerprint, entry) {
            self.bytes -= replaced.data.len();
        }
    }
}

/// Digests of each hash function.
#[derive(Default)]
pub(crate) struct HashCache {
    /// With keys of its own, so that nobody can make inputs that displace each other.
    fingerprints: RandomState,
    digests: [Mutex<Digests>; 3],
}

impl HashCache {
    /// The digest of `data`, remembered or computed. Whoever finds the memory in use by another
    /// thread computes it and does not wait.
    pub(crate) fn hash(&self, hash: HashAlgorithm, backend: Backend, data: &[u8]) -> Vec<u8> {
        if !KEPT.contains(&data.len()) {
            return hash.hash(backend, data);
        }
        let digests = &self.digests[match hash {
            HashAlgorithm::Sha256 => 0,
            HashAlgorithm::Sha384 => 1,
            HashAlgorithm::Sha512 => 2,
        }];
        let fingerprint = self.fingerprint(data);
        if let Ok(mut digests) = digests.try_lock()
            && let Some(digest) = digests.get(fingerprint, data)
        {
            return digest;
        }
        let digest = hash.hash(backend, data);
        if let Ok(mut digests) = digests.try_lock() {
            digests.insert(fingerprint, Entry { data: data.into(), digest: digest.clone() });
        }
        digest
    }

    /// Says where to look. Whether it is the same input, the bytes decide.
    fn fingerprint(&self, data: &[u8]) -> u64 {
        let head = &data[..data.len().min(HEAD)];
        let tail = &data[data.len().saturating_sub(TAIL)..];
        self.fingerprints.hash_one((data.len(), head, tail))
    }
}

impl fmt::Debug for HashCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [HashAlgorithm; 3] =
        [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];

    #[test]
    fn what_is_remembered_is_what_would_be_computed() {
        let cache = HashCache::default();
        let lengths = [0, 1, 511, 512, 513, 1400, 64 << 10, (64 << 10) + 1];
        for _ in 0..3 {
            for (length, byte) in lengths.into_iter().flat_map(|length| [(length, 0), (length, 1)])
            {
                let data = vec![byte; length];
                for hash in ALL {
                    let digest = cache.hash(hash, Backend::default(), &data);
                    assert_eq!(digest, hash.hash(Backend::default(), &data));
                }
            }
        }
    }

    #[test]
    fn an_input_is_kept_once_for_each_hash_function_and_only_if_it_is_worth_it() {
        let cache = HashCache::default();
        for _ in 0..3 {
            for length in [100, 600, 100_000] {
                cache.hash(HashAlgorithm::Sha384, Backend::default(), &vec![7; length]);
            }
        }
        let kept = |index: usize| {
            let digests = cache.digests[index].lock().unwrap();
            (digests.young.len() + digests.old.len(), digests.bytes)
        };
        assert_eq!([kept(0), kept(1), kept(2)], [(0, 0), (1, 600), (0, 0)]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let cache = HashCache::default();
        let count = 3 * GENERATION / (64 << 10);
        let input = |number: usize| {
            let mut data = vec![0; 64 << 10];
            data[..8].copy_from_slice(&number.to_be_bytes());
            data
        };
        let mut digests = Digests::default();
        let entry = |number| Entry { data: input(number).into(), digest: vec![1] };
        let at = |number| cache.fingerprint(&input(number));
        digests.insert(at(count), entry(count));
        for number in 0..count {
            digests.insert(at(number), entry(number));
            assert!(digests.bytes <= GENERATION);
            assert!(digests.young.len() + digests.old.len() <= 2 * GENERATION / (64 << 10));
            assert!(digests.get(at(count), &input(count)).is_some());
        }
        assert!(digests.get(at(0), &input(0)).is_none());
    }

    #[test]
    fn inputs_with_one_fingerprint_replace_each_other_and_are_never_confused() {
        let cache = HashCache::default();
        let hash = HashAlgorithm::Sha384;
        let input = |middle: u8| {
            let mut data = vec![0; 2000];
            data[1000] = middle;
            data
        };
        assert_eq!(cache.fingerprint(&input(0)), cache.fingerprint(&input(1)));
        for middle in [0, 0, 1, 1, 0, 1] {
            let data = input(middle);
            assert_eq!(
                cache.hash(hash, Backend::default(), &data),
                hash.hash(Backend::default(), &data)
            );
            let digests = cache.digests[1].lock().unwrap();
            assert_eq!((digests.young.len(), digests.bytes), (1, 2000));
        }
    }

    #[test]
    fn who_finds_it_locked_computes() {
        let cache = HashCache::default();
        let data = [3; 1000];
        let _guard = cache.digests[1].lock().unwrap();
        let hash = HashAlgorithm::Sha384;
        assert_eq!(
            cache.hash(hash, Backend::default(), &data),
            hash.hash(Backend::default(), &data)
        );
    }
}
