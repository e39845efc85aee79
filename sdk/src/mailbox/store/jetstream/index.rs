//! What each process knows of the stream of envelopes: their names, numbers, times and lengths.

use std::collections::{BTreeMap, HashMap};

use crate::Time;
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::store::{OVERHEAD, Usage};

/// An envelope in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number in the stream.
    pub(super) sequence: u64,
    /// When it came.
    pub(super) at: Time,
    /// How long it is.
    pub(super) length: u32,
}

impl Entry {
    fn cost(self) -> u64 {
        u64::from(self.length) + OVERHEAD
    }
}

/// All of them, about 100 bytes each.
#[derive(Debug, Default)]
pub(super) struct Index {
    boxes: HashMap<BoxId, Kept>,
    total: u64,
    /// Up to which number everything was read.
    pub(super) upto: u64,
}

#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<EnvelopeId, Entry>,
    bytes: u64,
}

impl Index {
    pub(super) fn insert(&mut self, id: BoxId, envelope: EnvelopeId, entry: Entry) {
        let kept = self.boxes.entry(id).or_default();
        if let Some(old) = kept.entries.insert(envelope, entry) {
            kept.bytes -= old.cost();
            self.total -= old.cost();
        }
        kept.bytes += entry.cost();
        self.total += entry.cost();
    }

    /// One that is not in the stream any more.
    pub(super) fn forget(&mut self, id: BoxId, envelope: &EnvelopeId) {
        let Some(kept) = self.boxes.get_mut(&id) else { return };
        if let Some(old) = kept.entries.remove(envelope) {
            kept.bytes -= old.cost();
            self.total -= old.cost();
        }
    }

    pub(super) fn remove(&mut self, id: &BoxId) {
        if let Some(kept) = self.boxes.remove(id) {
            self.total -= kept.bytes;
        }
    }

    /// All boxes that it has something of.
    pub(super) fn boxes(&self) -> Vec<BoxId> {
        self.boxes.keys().copied().collect()
    }

    /// Forgets what a box had up to a number.
    pub(super) fn forget_upto(&mut self, id: &BoxId, sequence: u64) {
        let Some(kept) = self.boxes.get_mut(id) else { return };
        let mut freed = 0;
        kept.entries.retain(|_, entry| {
            let stays = entry.sequence > sequence;
            freed += if stays { 0 } else { entry.cost() };
            stays
        });
        kept.bytes -= freed;
        self.total -= freed;
        if kept.entries.is_empty() {
            self.boxes.remove(id);
        }
    }

    pub(super) fn get(&self, id: &BoxId, envelope: &EnvelopeId) -> Option<Entry> {
        self.boxes.get(id)?.entries.get(envelope).copied()
    }

    pub(super) fn since(&self, id: &BoxId, since: Time) -> Vec<EnvelopeId> {
        let entries = self.boxes.get(id).into_iter().flat_map(|kept| &kept.entries);
        entries.filter(|(_, entry)| entry.at >= since).map(|(id, _)| *id).collect()
    }

    pub(super) fn usage(&self, id: &BoxId) -> Usage {
        self.boxes.get(id).map_or_else(Usage::default, |kept| Usage {
            count: kept.entries.len() as u64,
            bytes: kept.bytes,
        })
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Forgets what came before a moment, and says how many there were.
    pub(super) fn expire(&mut self, before: Time) -> usize {
        let (mut count, mut freed) = (0, 0);
        for kept in self.boxes.values_mut() {
            let mut bytes = 0;
            kept.entries.retain(|_, entry| {
                let old = entry.at < before;
                if old {
                    count += 1;
                    bytes += entry.cost();
                }
                !old
            });
            kept.bytes -= bytes;
            freed += bytes;
        }
        self.total -= freed;
        count
    }
}
