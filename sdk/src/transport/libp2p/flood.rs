//! What a peer may do: how much of each kind, and what happens to who does more.

use std::collections::HashMap;

use libp2p::PeerId;
use tokio::time::Instant;

use super::limits::{Limits, Rate};
use crate::Topic;

/// How many topics have a rate of their own for each peer at a time; in more, messages are refused.
const TOPICS: usize = 256;

/// What a peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A question or an answer.
    Question,
    /// A request for a chunk.
    Chunk,
    /// A request to the mailbox.
    Mailbox,
    /// A record for the directory.
    Record,
}

/// What to do with a peer that did too much, or something wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Pass,
    /// Not this one.
    Refuse,
    /// Not this one, and nothing else: it goes.
    Ban,
}

/// What is left of a rate.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    last: Instant,
}

impl Bucket {
    fn full(now: Instant, rate: Rate) -> Self {
        Self { left: f64::from(rate.burst), last: now }
    }

    fn fill(&mut self, now: Instant, rate: Rate) {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now;
        self.left = (self.left + passed * f64::from(rate.per_second)).min(f64::from(rate.burst));
    }

    fn take(&mut self, now: Instant, rate: Rate, number: u32) -> bool {
        self.fill(now, rate);
        let enough = self.left >= f64::from(number);
        if enough {
            self.left -= f64::from(number);
        }
        enough
    }
}

struct Peer {
    messages: Bucket,
    kib: Bucket,
    topics: HashMap<Topic, Bucket>,
    deeds: [Bucket; 4],
    faults: Bucket,
    seen: Instant,
}

/// What is left to each peer.
pub(super) struct Flood {
    peers: HashMap<PeerId, Peer>,
}

impl Flood {
    pub(super) fn new() -> Self {
        Self { peers: HashMap::new() }
    }

    /// A peer gives a gossip message.
    pub(super) fn message(
        &mut self,
        now: Instant,
        limits: &Limits,
        peer: PeerId,
        topic: Topic,
        length: usize,
    ) -> Verdict {
        let peer = self.peer(now, limits, peer);
        let kib = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let rate = limits.messages_per_topic;
        if peer.topics.len() >= TOPICS && !peer.topics.contains_key(&topic) {
            peer.topics.retain(|_, bucket| {
                bucket.fill(now, rate);
                bucket.left < f64::from(rate.burst)
            });
        }
        let passes = peer.messages.take(now, limits.messages_per_peer, 1)
            && peer.kib.take(now, limits.gossip_kib_per_peer, kib)
            && (peer.topics.contains_key(&topic) || peer.topics.len() < TOPICS)
            && peer.topics.entry(topic).or_insert(Bucket::full(now, rate)).take(now, rate, 1);
        if passes { Verdict::Pass } else { peer.fault(now, limits, 1) }
    }

    /// A peer does something else.
    pub(super) fn deed(
        &mut self,
        now: Instant,
        limits: &Limits,
        peer: PeerId,
        deed: Deed,
    ) -> Verdict {
        let peer = self.peer(now, limits, peer);
        let [question, chunk, mailbox, record] = &mut peer.deeds;
        let (bucket, rate) = match deed {
            Deed::Question => (question, limits.questions_per_peer),
            Deed::Chunk => (chunk, limits.chunks_per_peer),
            Deed::Mailbox => (mailbox, limits.mailbox_per_peer),
            Deed::Record => (record, limits.records_per_peer),
        };
        if bucket.take(now, rate, 1) { Verdict::Pass } else { peer.fault(now, limits, 1) }
    }

    /// A peer gives something that nobody makes who keeps to the protocol.
    pub(super) fn malformed(&mut self, now: Instant, limits: &Limits, peer: PeerId) -> Verdict {
        self.peer(now, limits, peer).fault(now, limits, 10)
    }

    /// Forgets peers that have not been seen for so long that their rates are full again.
    pub(super) fn expire(&mut self, now: Instant, limits: &Limits) {
        self.peers.retain(|_, peer| now.saturating_duration_since(peer.seen) <= limits.ban);
    }

    fn peer(&mut self, now: Instant, limits: &Limits, name: PeerId) -> &mut Peer {
        if self.peers.len() >= limits.remembered_peers && !self.peers.contains_key(&name) {
            let oldest = self.peers.iter().min_by_key(|(_, peer)| peer.seen);
            let oldest = oldest.map(|(name, _)| *name);
            oldest.and_then(|oldest| self.peers.remove(&oldest));
        }
        let peer = self.peers.entry(name).or_insert_with(|| Peer {
            messages: Bucket::full(now, limits.messages_per_peer),
            kib: Bucket::full(now, limits.gossip_kib_per_peer),
            topics: HashMap::new(),
            deeds: [
                Bucket::full(now, limits.questions_per_peer),
                Bucket::full(now, limits.chunks_per_peer),
                Bucket::full(now, limits.mailbox_per_peer),
                Bucket::full(now, limits.records_per_peer),
            ],
            faults: Bucket::full(now, limits.faults_per_peer),
            seen: now,
        });
        peer.seen = now;
        peer
    }
}

impl Peer {
    fn fault(&mut self, now: Instant, limits: &Limits, number: u32) -> Verdict {
        if self.faults.take(now, limits.faults_per_peer, number) {
            Verdict::Refuse
        } else {
            Verdict::Ban
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TOPIC: Topic = Topic([1; 32]);

    fn limits() -> Limits {
        Limits {
            messages_per_peer: Rate::new(10, 2),
            messages_per_topic: Rate::new(5, 1),
            gossip_kib_per_peer: Rate::new(100, 10),
            faults_per_peer: Rate::new(20, 0),
            questions_per_peer: Rate::new(3, 1),
            ..Limits::default()
        }
    }

    #[test]
    fn a_topic_a_peer_and_its_bytes_have_rates() {
        let (limits, peer, now) = (limits(), PeerId::random(), Instant::now());
        let mut flood = Flood::new();
        let mut passed = |topic: u8, length, now, number| {
            let verdict = |_| flood.message(now, &limits, peer, Topic([topic; 32]), length);
            (0..number).map(verdict).filter(|verdict| *verdict == Verdict::Pass).count()
        };
        assert_eq!(passed(1, 10, now, 7), 5);
        // The two that were refused count, too.
        assert_eq!(passed(2, 10, now, 5), 3);
        let later = now + Duration::from_secs(5);
        assert_eq!(passed(3, 60 * 1024, later, 2), 1);
        let others = flood.message(now, &limits, PeerId::random(), TOPIC, 10);
        assert_eq!(others, Verdict::Pass);
    }

    #[test]
    fn each_deed_has_a_rate_of_its_own() {
        let limits = Limits {
            questions_per_peer: Rate::new(1, 1),
            chunks_per_peer: Rate::new(2, 2),
            mailbox_per_peer: Rate::new(3, 3),
            records_per_peer: Rate::new(4, 4),
            ..Limits::default()
        };
        let (mut flood, peer, now) = (Flood::new(), PeerId::random(), Instant::now());
        let deeds = [Deed::Question, Deed::Chunk, Deed::Mailbox, Deed::Record];
        for passed in [now, now + Duration::from_secs(1), now + Duration::from_secs(60)] {
            let mut passes = |deed| flood.deed(passed, &limits, peer, deed) == Verdict::Pass;
            let passed = deeds.map(|deed| (0..10).filter(|_| passes(deed)).count());
            assert_eq!(passed, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn who_goes_on_is_banned() {
        let (limits, peer, now) = (limits(), PeerId::random(), Instant::now());
        let mut flood = Flood::new();
        let verdicts: Vec<_> =
            (0..30).map(|_| flood.deed(now, &limits, peer, Deed::Question)).collect();
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
        let counts = (count(Verdict::Pass), count(Verdict::Refuse), count(Verdict::Ban));
        assert_eq!(counts, (3, 20, 7));
        let other = PeerId::random();
        let verdicts = [(); 3].map(|()| flood.malformed(now, &limits, other));
        assert_eq!(verdicts, [Verdict::Refuse, Verdict::Refuse, Verdict::Ban]);
    }

    #[test]
    fn peers_and_topics_are_not_remembered_without_bounds() {
        let limits = Limits { remembered_peers: 10, ..Limits::default() };
        let (mut flood, now) = (Flood::new(), Instant::now());
        for _ in 0..50 {
            flood.deed(now, &limits, PeerId::random(), Deed::Chunk);
        }
        assert_eq!(flood.peers.len(), 10);
        let peer = PeerId::random();
        for number in 0_u32..2000 {
            let mut topic = [0; 32];
            topic[..4].copy_from_slice(&number.to_be_bytes());
            flood.message(now, &limits, peer, Topic(topic), 1);
        }
        assert!(flood.peers[&peer].topics.len() <= TOPICS);
        flood.expire(now + 2 * limits.ban, &limits);
        assert!(flood.peers.is_empty());
    }
}
