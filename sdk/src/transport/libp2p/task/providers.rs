//! What others listen to, as far as this node keeps it for them.

use std::collections::HashMap;
use std::net::IpAddr;

use libp2p::PeerId;
use libp2p::kad::store::RecordStore;
use libp2p::kad::{ProviderRecord, RecordKey};
use tokio::time::Instant;

use super::super::limits::Limits;
use super::Task;

/// How much of it there is, because libp2p's store bounds it for each topic alone.
#[derive(Default)]
pub(super) struct Providers {
    by_peer: HashMap<PeerId, HashMap<RecordKey, Instant>>,
    /// Where each of them is, or was when it said so.
    hosts: HashMap<PeerId, Option<IpAddr>>,
    total: usize,
}

impl Providers {
    /// Whether an entry is kept, or renewed.
    fn admit(&mut self, now: Instant, peer: PeerId, key: &RecordKey, limits: &Limits) -> bool {
        let known = self.by_peer.get(&peer);
        let renewed = known.is_some_and(|keys| keys.contains_key(key));
        let room = self.total < limits.providers
            && known.map_or(0, HashMap::len) < limits.providers_per_peer;
        if !renewed && !room {
            return false;
        }
        self.total += usize::from(!renewed);
        let until = now + limits.provider_lifetime;
        self.by_peer.entry(peer).or_default().insert(key.clone(), until);
        true
    }

    /// Whether a host has as many entries for a topic as it may, beside the one of this peer.
    fn crowded(
        &self,
        kept: &[ProviderRecord],
        peer: PeerId,
        host: Option<IpAddr>,
        limits: &Limits,
    ) -> bool {
        let others = kept.iter().map(|record| record.provider).filter(|other| *other != peer);
        let same = others.filter(|other| self.hosts.get(other) == Some(&host));
        same.count() >= limits.providers_per_host
    }

    /// Takes out what is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(PeerId, RecordKey)> {
        let mut over = Vec::new();
        self.by_peer.retain(|peer, keys| {
            keys.retain(|key, until| {
                let keep = *until > now;
                if !keep {
                    over.push((*peer, key.clone()));
                }
                keep
            });
            !keys.is_empty()
        });
        self.total -= over.len();
        let known = &self.by_peer;
        self.hosts.retain(|peer, _| known.contains_key(peer));
        over
    }
}

impl Task {
    /// Another node wants it kept that it listens to a topic.
    pub(super) fn keep_provider(&mut self, mut record: ProviderRecord) {
        let now = Instant::now();
        let peer = record.provider;
        let host = self.peers.get(&peer).and_then(|known| known.host);
        let kept = self.swarm.behaviour_mut().kad.store_mut().providers(&record.key);
        let fits = record.key.as_ref().len() == 32
            && !self.providers.crowded(&kept, peer, host, &self.limits);
        if fits && self.providers.admit(now, record.provider, &record.key, &self.limits) {
            self.providers.hosts.insert(peer, host);
            record.addresses.truncate(self.limits.addresses);
            // The store may be full for this topic.
            let _ = self.swarm.behaviour_mut().kad.store_mut().add_provider(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> RecordKey {
        RecordKey::new(&number.to_be_bytes())
    }

    #[test]
    fn what_is_kept_for_others_is_bounded() {
        let limits = Limits { providers: 25, providers_per_peer: 10, ..Limits::default() };
        let now = Instant::now();
        let mut providers = Providers::default();
        let peers = [(); 4].map(|()| PeerId::random());
        let mut admitted = |now, peer: PeerId| {
            (0..20).filter(|number| providers.admit(now, peer, &key(*number), &limits)).count()
        };
        assert_eq!(peers.map(|peer| admitted(now, peer)), [10, 10, 5, 0]);
        let later = now + limits.provider_lifetime / 2;
        assert_eq!(admitted(later, peers[0]), 10);
        let over = providers.expire(now + limits.provider_lifetime);
        assert_eq!(over.len(), 15);
        assert!(over.iter().all(|(peer, _)| *peer != peers[0]));
        assert_eq!(providers.total, 10);
    }

    #[test]
    fn one_host_does_not_take_the_room_of_a_topic() {
        let limits = Limits::default();
        let (here, there) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        let mut providers = Providers::default();
        let mut kept = Vec::new();
        for _ in 0..limits.providers_per_topic {
            let peer = PeerId::random();
            if !providers.crowded(&kept, peer, here, &limits) {
                providers.hosts.insert(peer, here);
                kept.push(ProviderRecord::new(key(1), peer, Vec::new()));
            }
        }
        assert_eq!(kept.len(), limits.providers_per_host);
        let peer = PeerId::random();
        assert!(providers.crowded(&kept, peer, here, &limits));
        assert!(!providers.crowded(&kept, peer, there, &limits));
        assert!(!providers.crowded(&kept, peer, None, &limits));
        assert!(!providers.crowded(&kept, kept[0].provider, here, &limits), "it is renewed");
    }
}
