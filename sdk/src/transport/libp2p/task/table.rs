//! The distributed hash table: who listens to a topic, and records of the directory.
//!
//! Its nodes learn a digest of a topic, which does not let them listen to it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::kad::store::RecordStore;
use libp2p::kad::{
    Event, GetClosestPeersError, GetClosestPeersOk, GetProvidersOk, GetRecordOk, InboundRequest,
    KBucketKey, QueryId, QueryResult, Quorum, Record, RecordKey,
};
use tokio::time::Instant;
use tracing::{debug, trace};

use super::super::NodeError;
use super::super::command::Reply;
use super::super::flood::Deed;
use super::super::hash;
use super::super::limits::{Limits, MAX_KEY};
use super::Task;
use crate::directory::judge;
use crate::{Time, Topic};

/// The first pause between two searches for those who listen to a topic; twice as long each time.
const FIRST: Duration = Duration::from_secs(1);
/// The longest, for a topic that a few listen to.
const LONGEST: Duration = Duration::from_secs(600);
/// The longest, for one that nobody listens to as far as this node knows; more if it has many topics.
const ALONE: Duration = Duration::from_secs(20);
/// Of such topics, so many are looked for each second.
const TOPICS_A_SECOND: usize = 32;
/// How long after the table or an address of ours has changed the others are told what we listen to,
/// and how often at most.
const SETTLE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_secs(15);
/// How often what is over is looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// When those are looked for who listen to a topic.
pub(super) struct Interest {
    next: Instant,
    pause: Duration,
}

impl Interest {
    pub(super) fn new(now: Instant) -> Self {
        Self { next: now + FIRST, pause: FIRST }
    }

    fn is_due(&mut self, now: Instant, longest: Duration) -> bool {
        let due = self.next <= now;
        if due {
            self.pause = (2 * self.pause).min(longest);
            self.next = now + self.pause;
        }
        due
    }
}

/// One search.
enum Search {
    Provide(Topic),
    Find(Topic),
    /// Looks for the nodes that a record goes to; then it goes there. So this node keeps no copy that
    /// it would give out or put back later, and the record does not bear its name.
    Place {
        key: Vec<u8>,
        value: Vec<u8>,
        told: Told<()>,
    },
    Put {
        told: Told<()>,
    },
    Get {
        key: Vec<u8>,
        found: Vec<Vec<u8>>,
        told: Told<Vec<Vec<u8>>>,
    },
}

/// Whom the result of a search is for.
enum Told<T> {
    Caller(Reply<T, NodeError>),
    /// The record of this node's client.
    Own {
        round: u32,
        slot: u8,
    },
    /// A question that nobody has answered, about a place of an account.
    Lookup(u64, u8),
}

/// All searches.
#[derive(Default)]
pub(super) struct Searches {
    waiting: VecDeque<Search>,
    /// Of those that wait, which need not be added again.
    queued: HashSet<(bool, Topic)>,
    running: HashMap<QueryId, Search>,
    /// What is asked, or waits for somebody, on topics that the client does not listen to.
    wanted: HashMap<Topic, Interest>,
    nodes: usize,
    announce: Option<Instant>,
    announced: Option<Instant>,
    swept: Option<Instant>,
}

impl Searches {
    /// How many nodes of the table are known.
    pub(super) const fn nodes(&self) -> usize {
        self.nodes
    }

    #[cfg(test)]
    pub(super) const fn know(&mut self, nodes: usize) {
        self.nodes = nodes;
    }

    fn queue(&mut self, search: Search, limits: &Limits) -> Result<(), Search> {
        if self.waiting.len() >= limits.waiting_searches {
            return Err(search);
        }
        let once = match &search {
            Search::Provide(topic) => Some((true, *topic)),
            Search::Find(topic) => Some((false, *topic)),
            Search::Place { .. } | Search::Put { .. } | Search::Get { .. } => None,
        };
        if once.is_none_or(|once| self.queued.insert(once)) {
            self.waiting.push_back(search);
        }
        Ok(())
    }

    fn next(&mut self, limits: &Limits) -> Option<Search> {
        if self.running.len() >= limits.searches {
            return None;
        }
        let search = self.waiting.pop_front()?;
        match &search {
            Search::Provide(topic) => self.queued.remove(&(true, *topic)),
            Search::Find(topic) => self.queued.remove(&(false, *topic)),
            Search::Place { .. } | Search::Put { .. } | Search::Get { .. } => false,
        };
        Some(search)
    }
}

/// How long the pauses are at most for a topic that nobody listens to, for a node with so many topics.
fn alone(topics: usize) -> Duration {
    Duration::from_secs((topics / TOPICS_A_SECOND) as u64) + ALONE
}

/// Where the table keeps who listens to a topic.
fn key_of(topic: &Topic) -> RecordKey {
    RecordKey::new(&hash(&[b"trellis topic v1", &topic.0]))
}

/// Of all records that are kept, the one that gives way to another when there are too many: the farthest
/// from this node, if the other one is nearer. Searches for what is far away end at other nodes; so who
/// fills the table with records of accounts without number has to make them for each node anew.
fn gives_way(
    me: PeerId,
    kept: impl Iterator<Item = RecordKey>,
    new: &RecordKey,
) -> Option<RecordKey> {
    let me = KBucketKey::from(me);
    let distance = |key: &RecordKey| me.distance(&KBucketKey::new(key.clone()));
    let farthest = kept.max_by_key(distance)?;
    (distance(&farthest) > distance(new)).then_some(farthest)
}

impl Task {
    /// Tells the table that this node listens to a topic.
    pub(super) fn provide(&mut self, topic: Topic) {
        // If too many wait, the next round has it.
        let _ = self.searches.queue(Search::Provide(topic), &self.limits);
        self.search();
    }

    pub(super) fn stop_providing(&mut self, topic: &Topic) {
        self.swarm.behaviour_mut().kad.stop_providing(&key_of(topic));
    }

    /// Looks for peers that listen to a topic, and connects with them.
    pub(super) fn seek(&mut self, topic: Topic) {
        let _ = self.searches.queue(Search::Find(topic), &self.limits);
        self.search();
    }

    /// Stores a record at the nodes closest to its key.
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>, reply: Reply<(), NodeError>) {
        self.search_for(Search::Place { key, value, told: Told::Caller(reply) });
    }

    /// Looks for the records of a key.
    pub(super) fn get(&mut self, key: Vec<u8>, reply: Reply<Vec<Vec<u8>>, NodeError>) {
        self.search_for(Search::Get { key, found: Vec::new(), told: Told::Caller(reply) });
    }

    /// Stores the record of this node's client in one of its places.
    pub(super) fn put_own(&mut self, round: u32, slot: u8, key: [u8; 32], value: Vec<u8>) {
        let told = Told::Own { round, slot };
        self.search_for(Search::Place { key: key.to_vec(), value, told });
    }

    /// Looks for records in one of the places of this node's client.
    pub(super) fn get_own(&mut self, round: u32, slot: u8, key: [u8; 32]) {
        let told = Told::Own { round, slot };
        self.search_for(Search::Get { key: key.to_vec(), found: Vec::new(), told });
    }

    /// Looks for records in a place of an account that a question is for.
    pub(super) fn get_for(&mut self, question: u64, slot: u8, key: [u8; 32]) {
        let told = Told::Lookup(question, slot);
        self.search_for(Search::Get { key: key.to_vec(), found: Vec::new(), told });
    }

    fn search_for(&mut self, search: Search) {
        match self.searches.queue(search, &self.limits) {
            Err(Search::Place { told, .. } | Search::Put { told }) => {
                self.placed(told, Err(NodeError::Busy));
            }
            Err(Search::Get { told, .. }) => self.got(told, Err(NodeError::Busy)),
            _ => self.search(),
        }
    }

    fn placed(&mut self, told: Told<()>, result: Result<(), NodeError>) {
        match told {
            Told::Caller(reply) => drop(reply.send(result)),
            Told::Own { round, .. } => self.own_placed(round, result.is_ok()),
            Told::Lookup(..) => {}
        }
    }

    fn got(&mut self, told: Told<Vec<Vec<u8>>>, result: Result<Vec<Vec<u8>>, NodeError>) {
        match told {
            Told::Caller(reply) => drop(reply.send(result)),
            Told::Own { round, slot } => {
                self.own_found(round, slot, &result.unwrap_or_default());
            }
            Told::Lookup(question, slot) => {
                self.looked_up(question, slot, &result.unwrap_or_default());
            }
        }
    }

    /// Starts what waits.
    fn search(&mut self) {
        while let Some(search) = self.searches.next(&self.limits) {
            let kad = &mut self.swarm.behaviour_mut().kad;
            let id = match &search {
                Search::Provide(topic) => match kad.start_providing(key_of(topic)) {
                    Ok(id) => id,
                    Err(_) => continue,
                },
                Search::Find(topic) => kad.get_providers(key_of(topic)),
                Search::Place { key, .. } => kad.get_closest_peers(key.clone()),
                // It follows a search that ran, and does not wait.
                Search::Put { .. } => continue,
                Search::Get { key, .. } => kad.get_record(RecordKey::new(key)),
            };
            self.searches.running.insert(id, search);
        }
    }

    pub(super) fn table_event(&mut self, event: Event) {
        match event {
            Event::OutboundQueryProgressed { id, result, step, .. } => {
                self.progressed(id, result, step.last);
            }
            Event::InboundRequest { request } => self.table_request(request),
            Event::RoutingUpdated { is_new_peer: true, peer, .. } if self.is_welcome(peer) => {
                self.table_changed();
            }
            _ => {}
        }
    }

    fn progressed(&mut self, id: QueryId, result: QueryResult, last: bool) {
        let records = self.records.clone();
        let crypto = &self.crypto;
        let Some(search) = self.searches.running.get_mut(&id) else { return };
        let (mut stored, mut closest) = (false, Vec::new());
        match (search, result) {
            (
                Search::Find(topic),
                QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })),
            ) => {
                let topic = *topic;
                self.found(topic, providers);
            }
            (
                Search::Get { key, found, told },
                QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(record))),
            ) => {
                let value = record.record.value;
                let fits = found.len() < self.limits.found_records
                    && value.len() <= self.limits.record
                    && !found.contains(&value)
                    && match told {
                        Told::Caller(_) => records.accept(key, &value, None),
                        _ => judge(crypto, Time::from_system(), key, &value, None).is_ok(),
                    };
                if fits {
                    found.push(value);
                }
            }
            (
                Search::Place { .. },
                QueryResult::GetClosestPeers(
                    Ok(GetClosestPeersOk { peers, .. })
                    | Err(GetClosestPeersError::Timeout { peers, .. }),
                ),
            ) => closest = peers.into_iter().map(|peer| peer.peer_id).collect(),
            (_, QueryResult::PutRecord(result)) => stored = result.is_ok(),
            _ => {}
        }
        if !last {
            return;
        }
        match self.searches.running.remove(&id) {
            Some(Search::Place { told, .. }) if closest.is_empty() => {
                self.placed(told, Err(NodeError::NotStored));
            }
            Some(Search::Place { key, value, told }) => {
                let kad = &mut self.swarm.behaviour_mut().kad;
                let record = Record::new(key, value);
                let id = kad.put_record_to(record, closest.into_iter(), Quorum::One);
                self.searches.running.insert(id, Search::Put { told });
            }
            Some(Search::Put { told }) => {
                self.placed(told, stored.then_some(()).ok_or(NodeError::NotStored));
            }
            Some(Search::Get { found, told, .. }) => self.got(told, Ok(found)),
            _ => {}
        }
        self.search();
    }

    fn found(&mut self, topic: Topic, peers: HashSet<PeerId>) {
        let number = peers.len();
        self.log(|| trace!(?topic, number, "found who listens"));
        for peer in peers {
            self.dial_listener(peer);
        }
    }

    /// What another node wants kept.
    fn table_request(&mut self, request: InboundRequest) {
        match request {
            InboundRequest::AddProvider { record: Some(record) } => self.keep_provider(record),
            InboundRequest::PutRecord { source, record: Some(record), .. } => {
                self.keep_record(source, record);
            }
            _ => {}
        }
    }

    fn keep_record(&mut self, source: PeerId, mut record: Record) {
        let now = Instant::now();
        let verdict = self.flood.deed(now, &self.limits, source, Deed::Record);
        if !self.passes(source, verdict) {
            return;
        }
        let limits = &self.limits;
        let store = self.swarm.behaviour_mut().kad.store_mut();
        let fits = record.key.as_ref().len() <= MAX_KEY && record.value.len() <= limits.record;
        let kept = store.get(&record.key).map(|kept| kept.into_owned().value);
        let records = &self.records;
        let accepted = || records.accept(record.key.as_ref(), &record.value, kept.as_deref());
        if fits && accepted() {
            let latest = std::time::Instant::now() + limits.record_lifetime;
            record.expires = Some(record.expires.map_or(latest, |expires| expires.min(latest)));
            let full = store.records().len() >= limits.records && store.get(&record.key).is_none();
            if let Some(other) = full
                .then(|| {
                    gives_way(self.me, store.records().map(|kept| kept.key.clone()), &record.key)
                })
                .flatten()
            {
                store.remove(&other);
            }
            let kept = store.put(record).is_ok();
            self.log(|| debug!(kept, "record of another node"));
        }
    }

    /// There is a node more: those closest to our topics may be others now.
    fn table_changed(&mut self) {
        if self.searches.nodes == 0 {
            let now = Instant::now();
            let waiting = self.topics.values_mut().chain(self.searches.wanted.values_mut());
            waiting.for_each(|interest| *interest = Interest::new(now));
        }
        self.announce_soon();
    }

    /// Tells the table soon what this node listens to.
    fn announce_soon(&mut self) {
        let now = Instant::now();
        let earliest = self.searches.announced.map_or(now, |last| last + AGAIN);
        self.searches.announce.get_or_insert((now + SETTLE).max(earliest));
    }

    /// The same, sooner, because what the others know leads nowhere.
    pub(super) fn announce_now(&mut self) {
        self.searches.announce = Some(Instant::now() + SETTLE);
    }

    pub(super) fn tick_table(&mut self, now: Instant) {
        let buckets = self.swarm.behaviour_mut().kad.kbuckets();
        self.searches.nodes = buckets.map(|bucket| bucket.num_entries()).sum();
        if self.searches.announce.is_some_and(|at| at <= now) {
            self.searches.announce = None;
            self.searches.announced = Some(now);
            for topic in self.topics.keys().copied().collect::<Vec<_>>() {
                self.provide(topic);
            }
        }
        self.tick_interest(now);
        if self.searches.swept.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP) {
            self.searches.swept = Some(now);
            let store = self.swarm.behaviour_mut().kad.store_mut();
            for (peer, key) in self.providers.expire(now) {
                store.remove_provider(&key, &peer);
            }
            store.retain(|_, record| !record.is_expired(std::time::Instant::now()));
        }
        self.search();
    }

    /// Looks for those who listen to topics that too few are known of.
    fn tick_interest(&mut self, now: Instant) {
        let enough = self.limits.mesh_low;
        let listeners = &self.listeners;
        let alone = alone(self.topics.len());
        let few = |topic: &Topic, enough| match listeners.get(topic).map_or(0, HashSet::len) {
            0 => Some(alone.min(LONGEST)),
            number => (number < enough).then_some(LONGEST),
        };
        let mut wanted: HashSet<Topic> = self.asks.values().map(|ask| ask.topic()).collect();
        wanted.extend(self.held.iter().map(|held| held.topic()));
        self.searches.wanted.retain(|topic, _| wanted.contains(topic));
        for topic in wanted {
            self.searches.wanted.entry(topic).or_insert_with(|| Interest::new(now));
        }
        let mine = self.topics.iter_mut().map(|(topic, interest)| (topic, interest, enough));
        let other = self.searches.wanted.iter_mut();
        let other = other.map(|(topic, interest)| (topic, interest, 1));
        let due: Vec<Topic> = mine
            .chain(other)
            .filter_map(|(topic, interest, enough)| {
                let longest = few(topic, enough)?;
                interest.is_due(now, longest).then_some(*topic)
            })
            .collect();
        for topic in due {
            let _ = self.searches.queue(Search::Find(topic), &self.limits);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use libp2p::kad::{PeerRecord, ProviderRecord};

    use super::super::super::command::Records;
    use super::super::super::{Libp2p, Rate};
    use super::*;

    fn key(number: u32) -> RecordKey {
        RecordKey::new(&number.to_be_bytes())
    }

    #[test]
    fn searches_wait_once_and_not_without_bounds() {
        let limits = Limits { waiting_searches: 10, ..Limits::default() };
        let mut searches = Searches::default();
        for _ in 0..20 {
            assert!(searches.queue(Search::Find(Topic([1; 32])), &limits).is_ok());
        }
        assert_eq!(searches.waiting.len(), 1);
        let more = (0..20).filter(|number| {
            searches.queue(Search::Provide(Topic([*number; 32])), &limits).is_ok()
        });
        assert_eq!(more.count(), 9);
        while searches.next(&limits).is_some() {}
        assert!(searches.queued.is_empty());
    }

    #[test]
    fn the_farthest_record_gives_way_to_a_nearer_one() {
        let me = PeerId::random();
        let distance =
            |key: &RecordKey| KBucketKey::from(me).distance(&KBucketKey::new(key.clone()));
        let mut keys: Vec<_> = (0..100).map(key).collect();
        keys.sort_by_key(distance);
        let (nearest, kept) = keys.split_first().unwrap();
        let farthest = kept.last().unwrap();
        let all = || kept.iter().cloned();
        assert_eq!(gives_way(me, all(), nearest).as_ref(), Some(farthest));
        assert_eq!(gives_way(me, all().take(50), farthest), None);
        assert_eq!(gives_way(me, all().take(0), nearest), None);
    }

    #[test]
    fn interest_wanes() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut interest = Interest::new(start);
        let due = (0..7200).filter(|second| interest.is_due(at(*second), LONGEST));
        assert_eq!(due.count(), 20);
        let mut interest = Interest::new(start);
        let due = (0..7200).filter(|second| interest.is_due(at(*second), ALONE));
        assert!((350..=370).contains(&due.count()));
    }

    async fn task(limits: Limits) -> (Libp2p, Task) {
        let builder = Libp2p::builder().limits(limits).records(Arc::new(Anything));
        let (node, task, _) = builder.at_rest().await;
        (node, task)
    }

    /// Takes all that it is given for records.
    struct Anything;

    impl Records for Anything {
        fn accept(&self, _: &[u8], _: &[u8], _: Option<&[u8]>) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn so_many_searches_run_at_a_time() {
        let limits = Limits { searches: 3, ..Limits::default() };
        let (_node, mut task) = task(limits.clone()).await;
        for number in 0..10 {
            assert!(task.searches.queue(Search::Find(Topic([number; 32])), &limits).is_ok());
        }
        task.search();
        assert_eq!((task.searches.running.len(), task.searches.waiting.len()), (3, 7));
        let done = *task.searches.running.keys().next().unwrap();
        task.searches.running.remove(&done);
        task.search();
        assert_eq!((task.searches.running.len(), task.searches.waiting.len()), (3, 6));
    }

    #[tokio::test]
    async fn a_search_finds_so_many_records_and_none_that_is_too_long() {
        let limits = Limits { found_records: 4, record: 50, ..Limits::default() };
        let (_node, mut task) = task(limits).await;
        let (reply, mut result) = tokio::sync::oneshot::channel();
        task.get(vec![1], reply);
        let id = *task.searches.running.keys().next().unwrap();
        let found = |value| {
            let record = PeerRecord { peer: None, record: Record::new(vec![1], value) };
            QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(record)))
        };
        task.progressed(id, found(vec![0; 51]), false);
        for number in 0..20 {
            task.progressed(id, found(vec![number; 50]), false);
            task.progressed(id, found(vec![number; 50]), false);
        }
        task.progressed(id, found(vec![99; 50]), true);
        let found = result.try_recv().unwrap().unwrap();
        assert_eq!(found, [0, 1, 2, 3].map(|number| vec![number; 50]));
    }

    #[tokio::test]
    async fn records_of_others_are_bounded_in_number_length_and_time() {
        let limits = Limits { records: 3, record: 50, ..Limits::default() };
        let lifetime = limits.record_lifetime;
        let (_node, mut task) = task(limits).await;
        let mut keep = |key: Vec<u8>, length: usize| {
            task.keep_record(PeerId::random(), Record::new(key, vec![1; length]));
            task.swarm.behaviour_mut().kad.store_mut().records().count()
        };
        assert_eq!(keep(vec![1], 51), 0);
        assert_eq!(keep(vec![1; MAX_KEY + 1], 50), 0);
        assert_eq!(keep(vec![1; MAX_KEY], 50), 1);
        for number in 0..50 {
            assert!(keep(vec![number], 50) <= 3);
        }
        let latest = std::time::Instant::now() + lifetime;
        let store = task.swarm.behaviour_mut().kad.store_mut();
        assert_eq!(store.records().count(), 3);
        assert!(store.records().all(|kept| kept.expires.is_some_and(|end| end <= latest)));
    }

    #[tokio::test]
    async fn one_peer_stores_records_at_a_rate() {
        let limits = Limits { records_per_peer: Rate::new(5, 0), ..Limits::default() };
        let (_node, mut task) = task(limits).await;
        let peer = PeerId::random();
        for number in 0..20 {
            task.keep_record(peer, Record::new(vec![number], vec![1]));
        }
        assert_eq!(task.swarm.behaviour_mut().kad.store_mut().records().count(), 5);
    }

    #[tokio::test]
    async fn entries_of_others_go_when_it_is_looked_for_what_is_over() {
        let limits = Limits { provider_lifetime: SWEEP / 2, ..Limits::default() };
        let (_node, mut task) = task(limits).await;
        let start = Instant::now();
        task.tick_table(start);
        let key = RecordKey::new(&[1; 32]);
        task.keep_provider(ProviderRecord::new(key.clone(), PeerId::random(), Vec::new()));
        let mut kept = |now| {
            task.tick_table(now);
            task.swarm.behaviour_mut().kad.store_mut().providers(&key).len()
        };
        assert_eq!(kept(start + SWEEP - Duration::from_millis(1)), 1);
        assert_eq!(kept(start + SWEEP), 0);
    }

    #[tokio::test]
    async fn what_is_listened_to_is_told_soon_and_no_more_often_than_that() {
        let (_node, mut task) = task(Limits::default()).await;
        let start = Instant::now();
        task.announce_soon();
        let first = task.searches.announce.unwrap();
        assert!(first >= start + SETTLE && first <= Instant::now() + SETTLE);
        task.tick_table(first);
        assert!(task.searches.announce.is_none());
        task.announce_soon();
        assert_eq!(task.searches.announce, Some(first + AGAIN));
    }

    #[test]
    fn who_has_many_topics_looks_for_each_more_seldom() {
        assert_eq!(alone(TOPICS_A_SECOND - 1), ALONE);
        assert_eq!(alone(100 * TOPICS_A_SECOND), ALONE + Duration::from_secs(100));
    }
}
