//! What has been seen of late, so that it is not fetched again; and of what this side sent and heard, the
//! envelopes themselves, to be given to a mailbox that did not hear them.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use tokio::time::Instant;

use crate::Topic;
use crate::mailbox::EnvelopeId;

/// How many envelopes of a topic are remembered, 64 bytes each; the oldest goes.
pub(super) const REMEMBERED: usize = 4096;
/// How many bytes of envelopes are held in all, until each mailbox has been visited; the oldest goes.
pub(super) const HELD: usize = 4 << 20;

/// The envelopes of late of the topics that are kept.
#[derive(Debug, Default)]
pub(super) struct Recent {
    topics: BTreeMap<Topic, Seen>,
    held: VecDeque<Held>,
    held_bytes: usize,
}

/// An envelope that was sent or heard.
struct Held {
    topic: Topic,
    name: EnvelopeId,
    bytes: Vec<u8>,
    at: Instant,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<EnvelopeId>,
    names: HashSet<EnvelopeId>,
}

impl Recent {
    /// Remembers what comes on a topic from now on.
    pub(super) fn watch(&mut self, topic: Topic) {
        self.topics.entry(topic).or_default();
    }

    pub(super) fn forget(&mut self, topic: &Topic) {
        self.topics.remove(topic);
        self.held.retain(|held| held.topic != *topic);
        self.held_bytes = self.held.iter().map(|held| held.bytes.len()).sum();
    }

    /// Something came from a mailbox. Gives its name, if it is new.
    pub(super) fn note(&mut self, topic: &Topic, bytes: &[u8]) -> Option<EnvelopeId> {
        let seen = self.topics.get_mut(topic)?;
        let name = EnvelopeId::of(bytes);
        if !seen.names.insert(name) {
            return None;
        }
        seen.order.push_back(name);
        if seen.order.len() > REMEMBERED
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.names.remove(&oldest);
        }
        Some(name)
    }

    /// Something was sent or heard, which a mailbox may have missed.
    pub(super) fn hold(&mut self, topic: &Topic, bytes: &[u8]) {
        let Some(name) = self.note(topic, bytes) else { return };
        let held = Held { topic: *topic, name, bytes: bytes.to_vec(), at: Instant::now() };
        self.held_bytes += bytes.len();
        self.held.push_back(held);
        while self.held_bytes > HELD
            && let Some(oldest) = self.held.pop_front()
        {
            self.held_bytes -= oldest.bytes.len();
        }
    }

    /// What was sent or heard on a topic since then, of what a mailbox has not.
    pub(super) fn lacking(
        &self,
        topic: &Topic,
        since: Instant,
        unknown: &BTreeSet<EnvelopeId>,
    ) -> Vec<Vec<u8>> {
        let of = self.held.iter().filter(|held| held.topic == *topic && held.at >= since);
        of.filter(|held| unknown.contains(&held.name)).map(|held| held.bytes.clone()).collect()
    }

    /// What was seen on a topic.
    pub(super) fn seen(&self, topic: &Topic) -> Vec<EnvelopeId> {
        self.topics.get(topic).map_or_else(Vec::new, |seen| seen.order.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_the_topics_that_are_watched_are_remembered_once() {
        let (one, other) = (Topic([1; 32]), Topic([2; 32]));
        let mut recent = Recent::default();
        recent.watch(one);
        assert_eq!(recent.note(&other, b"nobody asked"), None);
        assert_eq!(recent.seen(&other), []);
        for number in 0..REMEMBERED as u64 + 10 {
            assert!(recent.note(&one, &number.to_be_bytes()).is_some());
            assert_eq!(recent.note(&one, &number.to_be_bytes()), None);
        }
        let seen = recent.seen(&one);
        assert_eq!(seen.len(), REMEMBERED);
        assert_eq!(seen[0], EnvelopeId::of(&10_u64.to_be_bytes()));
        recent.forget(&one);
        assert_eq!(recent.seen(&one), []);
    }

    #[test]
    fn so_many_bytes_are_held_and_the_oldest_go() {
        const EACH: usize = 1 << 16;
        let (one, other) = (Topic([1; 32]), Topic([2; 32]));
        let mut recent = Recent::default();
        let begun = Instant::now();
        recent.watch(one);
        recent.watch(other);
        let envelope = |number: usize| vec![u8::try_from(number).unwrap(); EACH];
        for number in 0..HELD / EACH + 3 {
            recent.hold(&one, &envelope(number));
            recent.hold(&one, &envelope(number));
        }
        let unknown: BTreeSet<_> =
            (0..10).map(|number| EnvelopeId::of(&envelope(number))).collect();
        let lacking: Vec<_> = (3..10).map(envelope).collect();
        assert_eq!(recent.lacking(&one, begun, &unknown), lacking);
        assert!(recent.lacking(&other, begun, &unknown).is_empty());
        assert!(
            recent.lacking(&one, begun + std::time::Duration::from_secs(600), &unknown).is_empty()
        );
        recent.hold(&other, b"one more");
        recent.forget(&one);
        assert_eq!((recent.held.len(), recent.held_bytes), (1, 8));
    }
}
