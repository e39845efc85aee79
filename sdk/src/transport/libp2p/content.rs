//! Content by its hashes: what an announcement says, and the chunks that are kept for others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::hash;
use super::limits::CHUNK;

/// The SHA-256 digest of a chunk.
pub(super) type ChunkHash = [u8; 32];

/// What content consists of: its length, and the hash of each chunk of 32 KiB, the last of which is
/// shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// In bytes.
    pub(super) length: u32,
    /// In order.
    pub(super) chunks: Vec<ChunkHash>,
}

impl Manifest {
    /// That of some content, with the chunks; nothing if it is too long to be counted.
    pub(super) fn of(content: &[u8]) -> Option<(Self, Vec<Arc<[u8]>>)> {
        let length = u32::try_from(content.len()).ok()?;
        let pieces: Vec<Arc<[u8]>> = content.chunks(CHUNK).map(Arc::from).collect();
        let chunks = pieces.iter().map(|piece| hash(&[piece])).collect();
        Some((Self { length, chunks }, pieces))
    }

    /// The name of the content. Two manifests with the same name are the same, so that nobody can
    /// spoil the content of another by announcing it with wrong chunks.
    pub(super) fn name(&self) -> [u8; 32] {
        let length = self.length.to_be_bytes();
        hash(&[b"trellis content v1", &length, self.chunks.as_flattened()])
    }

    /// How long a chunk has to be.
    pub(super) fn chunk_length(&self, index: usize) -> Option<usize> {
        let length = usize::try_from(self.length).ok()?;
        let before = index.checked_mul(CHUNK)?;
        Some(length.checked_sub(before)?.min(CHUNK))
    }
}

/// Chunks that are kept for others, within bounds: the oldest go first.
pub(super) struct Chunks {
    capacity: usize,
    age: Duration,
    bytes: usize,
    next: u64,
    by_hash: HashMap<ChunkHash, Kept>,
    by_order: BTreeMap<u64, ChunkHash>,
}

struct Kept {
    bytes: Arc<[u8]>,
    order: u64,
    since: Instant,
}

impl Chunks {
    /// An empty store for so many bytes and so long.
    pub(super) fn new(capacity: usize, age: Duration) -> Self {
        Self {
            capacity,
            age,
            bytes: 0,
            next: 0,
            by_hash: HashMap::new(),
            by_order: BTreeMap::new(),
        }
    }

    /// A chunk.
    pub(super) fn get(&self, hash: &ChunkHash) -> Option<Arc<[u8]>> {
        self.by_hash.get(hash).map(|kept| kept.bytes.clone())
    }

    /// Keeps a chunk, as the youngest. The caller has checked the hash.
    pub(super) fn insert(&mut self, now: Instant, hash: ChunkHash, bytes: Arc<[u8]>) {
        self.remove(&hash);
        if bytes.len() > self.capacity {
            return;
        }
        self.next += 1;
        self.bytes += bytes.len();
        self.by_order.insert(self.next, hash);
        self.by_hash.insert(hash, Kept { bytes, order: self.next, since: now });
        while self.bytes > self.capacity {
            let Some((_, oldest)) = self.by_order.first_key_value() else { break };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    /// Drops what is too old.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((_, oldest)) = self.by_order.first_key_value() {
            let oldest = *oldest;
            let old = self.by_hash.get(&oldest);
            if old.is_some_and(|kept| now.saturating_duration_since(kept.since) <= self.age) {
                return;
            }
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, hash: &ChunkHash) {
        if let Some(kept) = self.by_hash.remove(hash) {
            self.bytes -= kept.bytes.len();
            self.by_order.remove(&kept.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn chunk(number: u8, length: usize) -> (ChunkHash, Arc<[u8]>) {
        let bytes: Arc<[u8]> = vec![number; length].into();
        (hash(&[&bytes]), bytes)
    }

    #[test]
    fn a_manifest_says_how_long_each_chunk_is() {
        let content = vec![1; 2 * CHUNK + 7];
        let (manifest, pieces) = Manifest::of(&content).unwrap();
        assert_eq!(pieces.concat(), content);
        for (index, piece) in pieces.iter().enumerate() {
            assert_eq!(manifest.chunk_length(index), Some(piece.len()));
        }
        assert_eq!(manifest.chunk_length(3), None);
        let other = Manifest { length: manifest.length - 1, ..manifest.clone() };
        assert_ne!(manifest.name(), other.name());
    }

    #[test]
    fn the_store_never_holds_more_than_it_may() {
        let now = Instant::now();
        let mut chunks = Chunks::new(1000, MINUTE);
        for number in 0..100 {
            let (hash, bytes) = chunk(number, 300);
            chunks.insert(now, hash, bytes);
            assert!(chunks.bytes <= 1000);
            assert!(chunks.get(&hash).is_some());
        }
        assert_eq!(chunks.bytes, 900);
        assert!(chunks.get(&chunk(0, 300).0).is_none());
        let (hash, bytes) = chunk(1, 1001);
        chunks.insert(now, hash, bytes);
        assert!(chunks.get(&hash).is_none());
    }

    #[test]
    fn the_store_forgets_what_is_old_and_not_what_came_again() {
        let start = Instant::now();
        let mut chunks = Chunks::new(1000, MINUTE);
        let ((one, bytes_one), (two, bytes_two)) = (chunk(1, 10), chunk(2, 10));
        chunks.insert(start, one, bytes_one.clone());
        chunks.insert(start, two, bytes_two);
        chunks.insert(start + MINUTE, one, bytes_one);
        assert_eq!(chunks.bytes, 20);
        chunks.expire(start + MINUTE + Duration::from_secs(1));
        assert!(chunks.get(&one).is_some() && chunks.get(&two).is_none());
        chunks.expire(start + 3 * MINUTE);
        assert_eq!(chunks.bytes, 0);
    }
}
