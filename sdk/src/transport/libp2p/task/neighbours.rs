//! Which nodes this one keeps in its part of the table: few of one host.
//!
//! Names cost nothing, and a search begins at the nodes that lie closest to what it looks for. Who makes
//! himself so many names close to a topic that they are all that a node begins with would hide from it
//! who listens there. So he needs hosts as well. Who has those, and as many names around a topic as a
//! search goes to, hides it nevertheless; what remains then are peers that were met before, the local
//! network, and mailboxes.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use libp2p::PeerId;

use super::Task;

/// The nodes in the table, and their hosts when they came in.
#[derive(Default)]
pub(super) struct Neighbours(HashMap<PeerId, IpAddr>);

impl Neighbours {
    /// Whether a node may be in the table beside those that are: not if there are enough of its host. Those
    /// on this machine are not counted.
    fn admit(
        &mut self,
        there: &HashSet<PeerId>,
        peer: PeerId,
        host: Option<IpAddr>,
        most: usize,
    ) -> bool {
        self.0.retain(|other, _| there.contains(other));
        let Some(host) = host.filter(|host| !host.is_loopback()) else { return true };
        let same = self.0.iter().filter(|(other, at)| **other != peer && **at == host).count();
        if same < most {
            self.0.insert(peer, host);
        }
        same < most
    }
}

impl Task {
    /// A node has come into the table; it goes again if there are enough of its host.
    pub(super) fn is_welcome(&mut self, peer: PeerId) -> bool {
        let host = self.peers.get(&peer).and_then(|known| known.host);
        let kad = &mut self.swarm.behaviour_mut().kad;
        let mut there = HashSet::new();
        for bucket in kad.kbuckets() {
            there.extend(bucket.iter().map(|node| *node.node.key.preimage()));
        }
        let welcome = self.neighbours.admit(&there, peer, host, self.limits.nodes_per_host);
        if !welcome {
            kad.remove_peer(&peer);
        }
        welcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_nodes_of_one_host_are_in_the_table() {
        let (here, there) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        let peers: Vec<_> = (0..10).map(|_| PeerId::random()).collect();
        let all: HashSet<_> = peers.iter().copied().collect();
        let mut table = Neighbours::default();
        let mut admitted =
            |host| peers.iter().filter(|peer| table.admit(&all, **peer, host, 3)).count();
        assert_eq!(admitted(here), 3);
        assert_eq!(admitted(here), 3, "the same ones");
        assert_eq!(admitted(Some([127, 0, 0, 1].into())), 10);
        assert_eq!(admitted(None), 10);
        let other = PeerId::random();
        assert!(table.admit(&all, other, there, 3) && !table.admit(&all, other, here, 3));
        // There is room when one has gone.
        let fewer = all.iter().copied().filter(|peer| *peer != peers[0]).collect();
        assert!(table.admit(&fewer, other, here, 3));
    }
}
