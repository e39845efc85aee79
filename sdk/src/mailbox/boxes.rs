//! Which boxes there are and which topics they keep, in memory.

use std::collections::HashMap;

use super::capability::BoxId;
use super::error::MailboxError;
use super::limits::Limits;
use super::store::BoxRecord;
use crate::Topic;

/// All boxes, found by their topics and by who opened them.
#[derive(Default)]
pub(super) struct Boxes {
    records: HashMap<BoxId, BoxRecord>,
    topics: HashMap<Topic, Vec<BoxId>>,
    opened: HashMap<[u8; 16], usize>,
    /// Grows when the topics change.
    generation: u64,
}

impl Boxes {
    pub(super) fn get(&self, id: &BoxId) -> Option<&BoxRecord> {
        self.records.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&BoxId, &BoxRecord)> {
        self.records.iter()
    }

    /// The boxes that keep a topic.
    pub(super) fn keeping(&self, topic: &Topic) -> &[BoxId] {
        self.topics.get(topic).map_or(&[], Vec::as_slice)
    }

    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a box may be as it is to be, in place of what it is.
    pub(super) fn admit(
        &self,
        limits: &Limits,
        id: &BoxId,
        record: &BoxRecord,
    ) -> Result<(), MailboxError> {
        let old = self.records.get(id);
        if record.topics.is_empty() || record.topics.len() > limits.box_topics {
            return Err(MailboxError::Quota);
        }
        if old.is_none() {
            if !self.has_room(limits, &record.opened_by) {
                return Err(MailboxError::Quota);
            }
            if self.records.len() >= limits.total_boxes {
                return Err(MailboxError::Full);
            }
        }
        let new = record.topics.iter().filter(|topic| !self.topics.contains_key(topic)).count();
        if self.topics.len() + new > limits.total_topics {
            return Err(MailboxError::Full);
        }
        let crowded = |topic: &Topic| {
            let there = self.keeping(topic);
            there.len() >= limits.topic_boxes && !there.contains(id)
        };
        if record.topics.iter().any(crowded) { Err(MailboxError::Full) } else { Ok(()) }
    }

    /// Whether a peer may open another one.
    pub(super) fn has_room(&self, limits: &Limits, peer: &[u8; 16]) -> bool {
        self.opened.get(peer).copied().unwrap_or(0) < limits.peer_boxes
    }

    pub(super) fn insert(&mut self, id: BoxId, record: BoxRecord) {
        if self.records.get(&id) == Some(&record) {
            return;
        }
        self.remove(&id);
        for topic in record.topics.iter() {
            let boxes = self.topics.entry(*topic).or_default();
            if boxes.is_empty() {
                self.generation += 1;
            }
            if !boxes.contains(&id) {
                boxes.push(id);
            }
        }
        *self.opened.entry(record.opened_by).or_default() += 1;
        self.records.insert(id, record);
    }

    pub(super) fn remove(&mut self, id: &BoxId) {
        let Some(record) = self.records.remove(id) else { return };
        for topic in record.topics.iter() {
            let Some(boxes) = self.topics.get_mut(topic) else { continue };
            boxes.retain(|other| other != id);
            if boxes.is_empty() {
                self.topics.remove(topic);
                self.generation += 1;
            }
        }
        if let Some(opened) = self.opened.get_mut(&record.opened_by) {
            *opened -= 1;
            if *opened == 0 {
                self.opened.remove(&record.opened_by);
            }
        }
    }
}
