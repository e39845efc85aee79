//! Which key exchange each link had, for whoever wants to see it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_rustls::rustls::NamedGroup;
use libp2p::PeerId;

/// How many handshakes are remembered. Those of peers that are connected are among them as long as
/// there are fewer connections than this.
const REMEMBERED: usize = 4096;

/// How a link's keys were agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyExchange {
    /// ML-KEM-768 and X25519 together: secure as long as one of both is.
    X25519MlKem768,
    /// Without any protection from quantum computers. It happens only where a deployment does not
    /// require hybrid links.
    Classical,
    /// By QUIC or Noise, which do not say it. It happens only where a deployment does not require
    /// hybrid links.
    Unknown,
}

impl KeyExchange {
    /// Its name, as standards write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::Classical => "X25519",
            Self::Unknown => "unknown",
        }
    }

    /// Whether what goes over the link stays closed to whoever records it now and has a quantum
    /// computer later.
    #[must_use]
    pub const fn is_hybrid(self) -> bool {
        matches!(self, Self::X25519MlKem768)
    }
}

impl fmt::Display for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<NamedGroup> for KeyExchange {
    fn from(group: NamedGroup) -> Self {
        match group {
            NamedGroup::X25519MLKEM768 => Self::X25519MlKem768,
            _ => Self::Classical,
        }
    }
}

/// The last handshake with each peer. Clones are the same table.
#[derive(Clone, Default)]
pub(in crate::transport::libp2p) struct Table(Arc<Mutex<HashMap<PeerId, KeyExchange>>>);

impl Table {
    /// Remembers a handshake. One that is followed by no connection leaves its entry behind; if there
    /// are too many, no more are taken until those of peers that leave make room.
    pub(super) fn insert(&self, peer: PeerId, exchange: KeyExchange) {
        let mut table = self.lock();
        if table.len() < REMEMBERED || table.contains_key(&peer) {
            table.insert(peer, exchange);
        }
    }

    /// What the last handshake with a peer had.
    pub(in crate::transport::libp2p) fn get(&self, peer: &PeerId) -> KeyExchange {
        self.lock().get(peer).copied().unwrap_or(KeyExchange::Unknown)
    }

    /// Forgets all but the peers that are connected.
    pub(in crate::transport::libp2p) fn retain(&self, connected: impl Fn(&PeerId) -> bool) {
        self.lock().retain(|peer, _| connected(peer));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, KeyExchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_are_remembered_up_to_a_number() {
        let table = Table::default();
        let first = PeerId::random();
        table.insert(first, KeyExchange::X25519MlKem768);
        (0..REMEMBERED + 50).for_each(|_| table.insert(PeerId::random(), KeyExchange::Classical));
        assert_eq!(table.lock().len(), REMEMBERED);
        table.insert(first, KeyExchange::Classical);
        assert_eq!(table.get(&first), KeyExchange::Classical);
        table.retain(|peer| *peer == first);
        assert_eq!(table.lock().len(), 1);
    }
}
