//! Fetching content: which chunk is asked of whom, what came, what is missing. No network, no clock.
//!
//! A chunk is checked as it arrives, and what is there stays there: if a peer vanishes, the rest is
//! asked of others. Who has nothing is asked again later, because a peer passes an announcement on
//! before it has what was announced. Who gives wrong bytes is not asked again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use libp2p::PeerId;
use tokio::time::Instant;

use super::content::{ChunkHash, Chunks, Manifest};
use super::hash;
use super::limits::Limits;
use crate::Topic;

/// How long a peer that had nothing is not asked; twice as long each further time.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest such pause, as a power of two of the shortest.
const LONGEST: u32 = 6;

/// Of all fetches, one in so many may be of content that the same peer announced.
const SHARE: usize = 4;

/// The name of content, see [`Manifest::name`].
pub(super) type Name = [u8; 32];

/// A chunk to ask a peer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) peer: PeerId,
    pub(super) hash: ChunkHash,
    pub(super) name: Name,
    pub(super) index: usize,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The chunk was right, or nobody wanted it any more.
    Fine,
    /// The peer gave bytes that are not the chunk.
    Wrong,
}

/// All content that is being fetched.
pub(super) struct Fetches {
    open: HashMap<Name, Fetch>,
    bytes: usize,
}

struct Fetch {
    topic: Topic,
    manifest: Manifest,
    parts: Vec<Option<Arc<[u8]>>>,
    /// Whom each chunk that is not there has been asked of.
    asked: HashMap<usize, PeerId>,
    from: PeerId,
    peers: HashMap<PeerId, Peer>,
    until: Instant,
}

#[derive(Clone, Copy)]
struct Peer {
    not_before: Option<Instant>,
    misses: u32,
    wrong: bool,
    /// It need not listen to the topic to have what it announced.
    announced: bool,
}

impl Fetches {
    pub(super) fn new() -> Self {
        Self { open: HashMap::new(), bytes: 0 }
    }

    /// Content was announced by a peer. What is kept of it already is taken from there. Returns it if
    /// that is all of it.
    pub(super) fn announced(
        &mut self,
        now: Instant,
        topic: Topic,
        manifest: Manifest,
        from: PeerId,
        chunks: &Chunks,
        limits: &Limits,
    ) -> Option<(Topic, Vec<u8>)> {
        let name = manifest.name();
        if let Some(fetch) = self.open.get_mut(&name) {
            fetch.peers.entry(from).or_insert(NEW).announced = true;
            return None;
        }
        let length = usize::try_from(manifest.length).ok()?;
        // One peer alone must not keep others from having their content fetched.
        let same = self.open.values().filter(|fetch| fetch.from == from).count();
        let room = self.open.len() < limits.fetches
            && same < limits.fetches.div_ceil(SHARE)
            && self.bytes.saturating_add(length) <= limits.fetch_bytes;
        if !room || length > limits.content {
            return None;
        }
        let parts: Vec<_> = manifest.chunks.iter().map(|hash| chunks.get(hash)).collect();
        let fetch = Fetch {
            topic,
            manifest,
            parts,
            asked: HashMap::new(),
            from,
            peers: HashMap::from([(from, Peer { announced: true, ..NEW })]),
            until: now + limits.fetch_lifetime,
        };
        if let Some(content) = fetch.whole() {
            return Some((topic, content));
        }
        self.bytes += length;
        self.open.insert(name, fetch);
        None
    }

    /// What to ask now, and whom; `listeners` says who listens to a topic, and may have its content,
    /// and `connected` whether a peer is there.
    pub(super) fn requests(
        &mut self,
        now: Instant,
        at_once: usize,
        listeners: impl Fn(&Topic) -> Vec<PeerId>,
        connected: impl Fn(&PeerId) -> bool,
    ) -> Vec<Request> {
        let mut busy: HashMap<PeerId, usize> = HashMap::new();
        for peer in self.open.values().flat_map(|fetch| fetch.asked.values()) {
            *busy.entry(*peer).or_default() += 1;
        }
        let mut requests = Vec::new();
        for (name, fetch) in &mut self.open {
            let listening = listeners(&fetch.topic);
            fetch.peers.retain(|peer, known| {
                known.wrong || listening.contains(peer) || (known.announced && connected(peer))
            });
            for peer in listening {
                fetch.peers.entry(peer).or_insert(NEW);
            }
            let from = fetch.from;
            for (index, hash) in fetch.manifest.chunks.iter().enumerate() {
                if fetch.parts.get(index).is_none_or(Option::is_some)
                    || fetch.asked.contains_key(&index)
                {
                    continue;
                }
                let free = |peer: &PeerId| busy.get(peer).copied().unwrap_or(0);
                let best = fetch
                    .peers
                    .iter()
                    .filter(|(peer, known)| known.may(now) && free(peer) < at_once)
                    .min_by_key(|(peer, known)| (known.misses, free(peer), **peer != from))
                    .map(|(peer, _)| *peer);
                let Some(peer) = best else { break };
                *busy.entry(peer).or_default() += 1;
                fetch.asked.insert(index, peer);
                requests.push(Request { peer, hash: *hash, name: *name, index });
            }
        }
        requests
    }

    /// A peer has answered a request; with no bytes, if it does not have the chunk. Chunks that are
    /// right are kept for others, too.
    pub(super) fn arrived(
        &mut self,
        now: Instant,
        request: &Request,
        bytes: Vec<u8>,
        chunks: &mut Chunks,
    ) -> Arrived {
        let Some(fetch) = self.open.get_mut(&request.name) else { return Arrived::Fine };
        if fetch.asked.get(&request.index) != Some(&request.peer) {
            return Arrived::Fine;
        }
        if bytes.is_empty() {
            self.failed(now, request);
            return Arrived::Fine;
        }
        fetch.asked.remove(&request.index);
        let right = fetch.manifest.chunk_length(request.index) == Some(bytes.len())
            && hash(&[&bytes]) == request.hash;
        if !right {
            fetch.peers.insert(request.peer, Peer { wrong: true, ..NEW });
            return Arrived::Wrong;
        }
        if let Some(peer) = fetch.peers.get_mut(&request.peer) {
            (peer.not_before, peer.misses) = (None, 0);
        }
        let bytes: Arc<[u8]> = bytes.into();
        chunks.insert(now, request.hash, bytes.clone());
        // The same chunk can be in the content more than once.
        for (index, hash) in fetch.manifest.chunks.iter().enumerate() {
            if *hash == request.hash
                && fetch.manifest.chunk_length(index) == Some(bytes.len())
                && let Some(part) = fetch.parts.get_mut(index)
            {
                *part = Some(bytes.clone());
            }
        }
        Arrived::Fine
    }

    /// A request was not answered, or the peer does not have the chunk.
    pub(super) fn failed(&mut self, now: Instant, request: &Request) {
        let Some(fetch) = self.open.get_mut(&request.name) else { return };
        if fetch.asked.get(&request.index) == Some(&request.peer) {
            fetch.asked.remove(&request.index);
        }
        if let Some(peer) = fetch.peers.get_mut(&request.peer) {
            let pause = PAUSE * (1 << peer.misses.min(LONGEST));
            peer.not_before = Some(now + pause);
            peer.misses = peer.misses.saturating_add(1);
        }
    }

    /// Content that is all there.
    pub(super) fn finished(&mut self) -> Vec<(Topic, Vec<u8>)> {
        let whole = |(name, fetch): (&Name, &Fetch)| Some((*name, fetch.topic, fetch.whole()?));
        let done: Vec<_> = self.open.iter().filter_map(whole).collect();
        done.into_iter()
            .map(|(name, topic, content)| {
                self.forget(&name);
                (topic, content)
            })
            .collect()
    }

    /// Gives up what has taken too long. The chunks that came are still kept for a while, so that
    /// fetching goes on there if the content is announced again.
    pub(super) fn expire(&mut self, now: Instant) {
        let late: Vec<_> = self
            .open
            .iter()
            .filter(|(_, fetch)| fetch.until < now)
            .map(|(name, _)| *name)
            .collect();
        late.iter().for_each(|name| self.forget(name));
    }

    /// Whether anything is being fetched.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    fn forget(&mut self, name: &Name) {
        if let Some(fetch) = self.open.remove(name) {
            let length = usize::try_from(fetch.manifest.length).unwrap_or(0);
            self.bytes = self.bytes.saturating_sub(length);
        }
    }
}

const NEW: Peer = Peer { not_before: None, misses: 0, wrong: false, announced: false };

impl Peer {
    fn may(&self, now: Instant) -> bool {
        !self.wrong && self.not_before.is_none_or(|not_before| not_before <= now)
    }
}

impl Fetch {
    /// The content, once all of it is there.
    fn whole(&self) -> Option<Vec<u8>> {
        if self.parts.iter().any(Option::is_none) {
            return None;
        }
        Some(self.parts.iter().flatten().flat_map(|part| part.iter().copied()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::CHUNK;
    use super::*;

    const TOPIC: Topic = Topic([1; 32]);

    struct Scene {
        fetches: Fetches,
        mine: Chunks,
        content: Vec<u8>,
        manifest: Manifest,
        pieces: Vec<Arc<[u8]>>,
        limits: Limits,
        now: Instant,
    }

    impl Scene {
        fn new(length: usize) -> Self {
            let content: Vec<u8> = (0..length).map(|index| (index / 1000 + index) as u8).collect();
            let (manifest, pieces) = Manifest::of(&content).unwrap();
            let limits = Limits::default();
            let mine = Chunks::new(limits.chunk_store, limits.chunk_age);
            let now = Instant::now();
            Self { fetches: Fetches::new(), mine, content, manifest, pieces, limits, now }
        }

        fn announce(&mut self, from: PeerId) -> Option<(Topic, Vec<u8>)> {
            let manifest = self.manifest.clone();
            self.fetches.announced(self.now, TOPIC, manifest, from, &self.mine, &self.limits)
        }

        fn ask(&mut self, peers: &[PeerId]) -> Vec<Request> {
            let at_once = self.limits.fetch_at_once;
            self.fetches.requests(self.now, at_once, |_| peers.to_vec(), |_| false)
        }

        fn give(&mut self, request: &Request, bytes: Vec<u8>) -> Arrived {
            self.fetches.arrived(self.now, request, bytes, &mut self.mine)
        }

        fn piece(&self, request: &Request) -> Vec<u8> {
            self.pieces[request.index].to_vec()
        }
    }

    #[test]
    fn content_arrives_from_the_announcer() {
        let peer = PeerId::random();
        let mut scene = Scene::new(10 * CHUNK + 5);
        assert_eq!(scene.announce(peer), None);
        let mut asked = 0;
        while !scene.fetches.is_idle() {
            let requests = scene.ask(&[peer]);
            assert!(!requests.is_empty() && requests.len() <= scene.limits.fetch_at_once);
            for request in requests {
                asked += 1;
                let piece = scene.piece(&request);
                assert_eq!(scene.give(&request, piece), Arrived::Fine);
            }
            for (topic, content) in scene.fetches.finished() {
                assert_eq!((topic, content), (TOPIC, scene.content.clone()));
            }
        }
        assert_eq!(asked, 11);
        assert_eq!(scene.fetches.bytes, 0);
        // It is kept, and a second announcement needs no network.
        assert!(scene.announce(peer).is_some());
    }

    #[test]
    fn the_rest_comes_from_others_when_a_peer_vanishes() {
        let (first, second) = (PeerId::random(), PeerId::random());
        let mut scene = Scene::new(6 * CHUNK);
        scene.announce(first);
        let requests = scene.ask(&[first]);
        assert_eq!(requests.len(), 4);
        let piece = scene.piece(&requests[0]);
        scene.give(&requests[0], piece);
        for request in &requests[1..] {
            scene.fetches.failed(scene.now, request);
        }
        let mut from_second = 0;
        while !scene.fetches.is_idle() {
            for request in scene.ask(&[second]) {
                assert_eq!(request.peer, second);
                from_second += 1;
                let piece = scene.piece(&request);
                scene.give(&request, piece);
            }
            let done = scene.fetches.finished();
            assert!(done.iter().all(|(_, content)| *content == scene.content));
        }
        assert_eq!(from_second, 5);
    }

    #[test]
    fn who_has_nothing_is_asked_again_and_who_lies_is_not() {
        let (empty, liar) = (PeerId::random(), PeerId::random());
        let mut scene = Scene::new(2 * CHUNK);
        scene.announce(liar);
        for request in scene.ask(&[liar]) {
            assert_eq!(scene.give(&request, vec![0; CHUNK]), Arrived::Wrong);
        }
        assert_eq!(scene.ask(&[liar]), []);
        let requests = scene.ask(&[liar, empty]);
        assert!(requests.iter().all(|request| request.peer == empty));
        for request in &requests {
            scene.give(request, Vec::new());
        }
        assert_eq!(scene.ask(&[liar, empty]), []);
        scene.now += 2 * PAUSE;
        assert_eq!(scene.ask(&[liar, empty]).len(), 2);
    }

    #[test]
    fn who_never_has_it_is_asked_more_and_more_seldom_up_to_a_bound() {
        let peer = PeerId::random();
        let mut scene = Scene::new(2 * CHUNK);
        scene.limits.fetch_at_once = 1;
        scene.announce(peer);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let start = scene.now;
            let request = loop {
                match scene.ask(&[peer])[..] {
                    [request] => break request,
                    _ => scene.now += PAUSE,
                }
            };
            pauses.push(scene.now - start);
            scene.give(&request, Vec::new());
        }
        assert!(pauses.is_sorted());
        assert_eq!((pauses[0], pauses[1], pauses[2]), (Duration::ZERO, PAUSE, 2 * PAUSE));
        assert_eq!(pauses.last(), Some(&(PAUSE * (1 << LONGEST))));
    }

    #[test]
    fn who_announced_is_asked_while_it_is_there_even_if_it_does_not_listen() {
        let peer = PeerId::random();
        let mut scene = Scene::new(2 * CHUNK);
        scene.announce(peer);
        let mut asked =
            |there| scene.fetches.requests(scene.now, 4, |_| Vec::new(), |_| there).len();
        assert_eq!(asked(true), 2);
        assert_eq!(asked(false), 0);
        let mut scene = Scene::new(2 * CHUNK);
        scene.announce(peer);
        assert_eq!(scene.ask(&[]), []);
    }

    #[test]
    fn chunks_of_another_length_are_refused() {
        let peer = PeerId::random();
        let mut scene = Scene::new(2 * CHUNK);
        // The hash is right, the length that was announced is not.
        scene.manifest.length -= 1;
        scene.announce(peer);
        let requests = scene.ask(&[peer]);
        let last = requests.iter().find(|request| request.index == 1).unwrap();
        let piece = scene.piece(last);
        assert_eq!(scene.give(last, piece), Arrived::Wrong);
    }

    #[test]
    fn there_are_never_more_than_allowed() {
        let mut scene = Scene::new(2 * CHUNK);
        scene.limits.fetches = 3;
        for number in 0..10 {
            scene.manifest.chunks[0][0] = number;
            scene.announce(PeerId::random());
        }
        assert_eq!(scene.fetches.open.len(), 3);
        scene.limits.fetches = 100;
        scene.limits.fetch_bytes = 8 * CHUNK + 1;
        for number in 10..20 {
            scene.manifest.chunks[0][0] = number;
            scene.announce(PeerId::random());
        }
        assert_eq!(scene.fetches.open.len(), 4);
        (scene.limits.fetches, scene.limits.fetch_bytes) = (12, 1 << 30);
        let greedy = PeerId::random();
        for number in 20..30 {
            scene.manifest.chunks[0][0] = number;
            scene.announce(greedy);
        }
        assert_eq!(scene.fetches.open.len(), 7);
        scene.fetches.expire(scene.now + scene.limits.fetch_lifetime + PAUSE);
        assert!(scene.fetches.is_idle() && scene.fetches.bytes == 0);
    }

    #[test]
    fn what_came_before_a_break_is_not_fetched_again() {
        let peer = PeerId::random();
        let mut scene = Scene::new(4 * CHUNK);
        scene.announce(peer);
        let requests = scene.ask(&[peer]);
        for request in &requests[..3] {
            let piece = scene.piece(request);
            scene.give(request, piece);
        }
        scene.now += scene.limits.fetch_lifetime + PAUSE;
        scene.fetches.expire(scene.now);
        scene.announce(peer);
        let again = scene.ask(&[peer]);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].index, requests[3].index);
    }
}
