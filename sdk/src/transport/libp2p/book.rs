//! Peers to come back to: those that a node was told of, and those who listen to the same topics.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use super::limits::Limits;

/// The first pause before a peer is dialled again; twice as long after each further failure.
const FIRST: Duration = Duration::from_millis(500);

/// After how many failures a peer is forgotten that nobody named.
const TRIES: u32 = 12;

/// Peers and when to dial them.
pub(super) struct Book {
    me: PeerId,
    known: HashMap<PeerId, Known>,
}

struct Known {
    addresses: Vec<Multiaddr>,
    /// It was named by the user, and is never given up.
    named: bool,
    failures: u32,
    /// When to dial it; never while it is connected or being dialled.
    next: Option<Instant>,
}

impl Book {
    /// Of a node with this name.
    pub(super) fn new(me: PeerId) -> Self {
        Self { me, known: HashMap::new() }
    }

    /// A peer that the user named: it is dialled at once.
    pub(super) fn name(&mut self, now: Instant, peer: PeerId, address: Multiaddr, limits: &Limits) {
        let known = self.known.entry(peer).or_insert_with(|| Known::new(Some(now)));
        known.named = true;
        known.add(address, limits);
    }

    /// A peer that is worth coming back to, and is connected or being dialled. Too many are not remembered.
    pub(super) fn remember(&mut self, peer: PeerId, addresses: &[Multiaddr], limits: &Limits) {
        if self.known.len() >= limits.known_peers && !self.known.contains_key(&peer) {
            return;
        }
        let known = self.known.entry(peer).or_insert_with(|| Known::new(None));
        addresses.iter().for_each(|address| known.add(address.clone(), limits));
    }

    /// Whether the user named a peer.
    pub(super) fn is_named(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(|known| known.named)
    }

    /// A peer is connected.
    pub(super) fn connected(&mut self, peer: &PeerId) {
        if let Some(known) = self.known.get_mut(peer) {
            (known.failures, known.next) = (0, None);
        }
    }

    /// The last connection with a peer is gone, or is only being made.
    pub(super) fn lost(&mut self, now: Instant, peer: &PeerId) {
        if let Some(known) = self.known.get_mut(peer) {
            known.next = Some(now + FIRST);
        }
    }

    /// Dialling a peer has failed. Two that dial each other at the same time, each from the port where it
    /// listens, meet in one TCP connection that neither has accepted, and both fail; so one of them waits longer.
    pub(super) fn failed(&mut self, now: Instant, peer: &PeerId, limits: &Limits) {
        let Some(known) = self.known.get_mut(peer) else { return };
        known.failures = known.failures.saturating_add(1);
        let pause = FIRST.saturating_mul(1 << known.failures.min(16)).min(limits.longest_pause);
        known.next = Some(now + if self.me < *peer { pause } else { pause / 3 * 2 });
        if known.failures >= TRIES && !known.named {
            self.known.remove(peer);
        }
    }

    /// What kept a peer from being connected is over: it is dialled at once.
    pub(super) fn retry(&mut self, now: Instant, peer: &PeerId) {
        if let Some(known) = self.known.get_mut(peer) {
            (known.failures, known.next) = (0, Some(now));
        }
    }

    /// A peer is not to be dialled any more.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.known.remove(peer);
    }

    /// Whom to dial now. They are not due again before they are lost or have failed.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let due = self.known.iter_mut().filter(|(_, known)| known.next <= Some(now));
        due.filter_map(|(peer, known)| {
            known.next.take()?;
            Some((*peer, known.addresses.clone()))
        })
        .collect()
    }
}

impl Known {
    const fn new(next: Option<Instant>) -> Self {
        Self { addresses: Vec::new(), named: false, failures: 0, next }
    }

    fn add(&mut self, address: Multiaddr, limits: &Limits) {
        if !self.addresses.contains(&address) && self.addresses.len() < limits.addresses {
            self.addresses.push(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two names, the smaller first.
    fn ordered() -> [PeerId; 2] {
        let mut names = [(); 2].map(|()| PeerId::random());
        names.sort_unstable();
        names
    }

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn pauses_grow_to_a_bound_and_named_peers_stay() {
        let (limits, mut now) = (Limits::default(), Instant::now());
        let [me, peer] = ordered();
        let mut book = Book::new(me);
        book.name(now, peer, address(1), &limits);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            let start = now;
            while book.due(now).is_empty() {
                now += Duration::from_millis(100);
            }
            pauses.push(now - start);
            assert!(book.due(now).is_empty());
            book.failed(now, &peer, &limits);
        }
        assert!(pauses.is_sorted() && pauses[1] <= Duration::from_secs(1));
        assert_eq!(pauses.last(), Some(&limits.longest_pause));
        book.connected(&peer);
        assert!(book.due(now + 10 * limits.longest_pause).is_empty());
        book.lost(now, &peer);
        assert_eq!(book.due(now + FIRST), [(peer, vec![address(1)])]);
    }

    #[test]
    fn two_who_met_halfway_do_not_dial_each_other_at_the_same_time_again() {
        let (limits, now) = (Limits::default(), Instant::now());
        let [first, second] = ordered();
        let (mut one, mut other) = (Book::new(first), Book::new(second));
        one.remember(second, &[address(1)], &limits);
        other.remember(first, &[address(2)], &limits);
        for _ in 1..TRIES {
            one.failed(now, &second, &limits);
            other.failed(now, &first, &limits);
            let at = |book: &Book, peer| book.known[peer].next.unwrap() - now;
            let (later, sooner) = (at(&one, &second), at(&other, &first));
            assert!(later - sooner >= FIRST / 2, "{later:?} and {sooner:?}");
        }
    }

    #[test]
    fn others_are_given_up_and_bounded() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.known_peers = 2;
        let mut book = Book::new(PeerId::random());
        let peers = [(); 3].map(|()| PeerId::random());
        for peer in &peers {
            let addresses: Vec<_> = (0..50).map(address).collect();
            book.remember(*peer, &addresses, &limits);
            book.lost(now, peer);
        }
        let due = book.due(now + FIRST);
        assert_eq!(due.len(), 2);
        assert!(due.iter().all(|(_, addresses)| addresses.len() == limits.addresses));
        for _ in 0..TRIES {
            book.failed(now, &peers[0], &limits);
        }
        assert_eq!(book.due(now + 2 * limits.longest_pause).len(), 0);
        assert_eq!(book.known.len(), 1);
    }
}
