//! What has been seen of late, so that it is not fetched again.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::Topic;
use crate::mailbox::EnvelopeId;

/// How many envelopes of a topic are remembered, 64 bytes each; the oldest goes.
pub(super) const REMEMBERED: usize = 4096;

/// The envelopes of late of the topics that are kept.
#[derive(Debug, Default)]
pub(super) struct Recent {
    topics: BTreeMap<Topic, Seen>,
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
    }

    /// Something was seen.
    pub(super) fn note(&mut self, topic: &Topic, bytes: &[u8]) {
        let Some(seen) = self.topics.get_mut(topic) else { return };
        let name = EnvelopeId::of(bytes);
        if seen.names.insert(name) {
            seen.order.push_back(name);
        }
        if seen.order.len() > REMEMBERED
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.names.remove(&oldest);
        }
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
        recent.note(&other, b"nobody asked");
        assert_eq!(recent.seen(&other), []);
        for number in 0..REMEMBERED as u64 + 10 {
            recent.note(&one, &number.to_be_bytes());
            recent.note(&one, &number.to_be_bytes());
        }
        let seen = recent.seen(&one);
        assert_eq!(seen.len(), REMEMBERED);
        assert_eq!(seen[0], EnvelopeId::of(&10_u64.to_be_bytes()));
        recent.forget(&one);
        assert_eq!(recent.seen(&one), []);
    }
}
