//! Protection against replay without state.
//!
//! A request is signed over a challenge of the mailbox:
//! `HMAC-SHA-256(key of the mailbox, "trellis mailbox challenge v1" || number of the period || peer)`,
//! the first half. The mailbox computes it again, for the period of now and the one before, and keeps
//! nothing: neither nonces that would have to be bounded, nor clocks that would have to agree.
//!
//! What somebody else recorded is worth nothing, since `peer` is whoever the transport has
//! authenticated: under another identity the challenge is another one. That the *same* peer says the
//! same again within a period is possible and does no harm: it holds the capability and could sign it
//! anew, its link is authenticated and encrypted so that nobody else can do it in its name, and every
//! request is idempotent (what is stored is named by its hash, deposits by a serial number). At
//! another mailbox the request is worth nothing either, because the mailbox's name is signed, too.
//!
//! A peer that has no challenge yet signs over zeros, and is told the right one with the refusal.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, Secret};

use crate::{Span, Time};

/// How long a challenge is handed out; it is taken for twice as long at most.
pub const CHALLENGE_PERIOD: Span = Span::seconds(600);

const LABEL: &[u8] = b"trellis mailbox challenge v1";

/// What a request has to be signed over, 16 bytes. All zeros for whoever does not know any.
///
/// A mailbox makes it from its secret, the time, in periods of [`CHALLENGE_PERIOD`], and the peer as the
/// transport has authenticated it; it makes it again to compare, and remembers nothing. What one peer
/// said can't be said again by another. The same peer may say the same again within a period, which does
/// no harm: every request is idempotent.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize,
)]
pub struct Challenge(pub [u8; 16]);

/// Makes challenges, and knows them again.
pub(super) struct Challenges(Secret);

impl Challenges {
    pub(super) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The challenge for a peer.
    pub(super) fn current(&self, now: Time, peer: &[u8]) -> Challenge {
        self.of(now.0 / CHALLENGE_PERIOD.0, peer)
    }

    /// Whether it is one that the peer was given lately.
    pub(super) fn is_fresh(&self, now: Time, peer: &[u8], challenge: Challenge) -> bool {
        let period = now.0 / CHALLENGE_PERIOD.0;
        // Compared as secrets are, so that nobody can find a challenge byte by byte.
        let given = Secret::from(&challenge.0[..]);
        [period, period.saturating_sub(1)]
            .into_iter()
            .any(|period| Secret::from(&self.of(period, peer).0[..]) == given)
    }

    /// A short name for a peer that tells nothing to whoever has not the mailbox's key.
    pub(super) fn alias(&self, peer: &[u8]) -> [u8; 16] {
        self.mac(&[b"trellis mailbox peer v1", peer])
    }

    fn of(&self, period: u64, peer: &[u8]) -> Challenge {
        Challenge(self.mac(&[LABEL, &period.to_be_bytes(), peer]))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mac = HashAlgorithm::Sha256.hmac(Backend::default(), &self.0, &parts.concat());
        let mut half = [0; 16];
        half.iter_mut().zip(mac.iter()).for_each(|(to, from)| *to = *from);
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_one_peers_and_ends() {
        let challenges = Challenges::new(Secret::from(vec![7; 32]));
        let now = Time(1_000_000_000);
        let challenge = challenges.current(now, b"alice");
        assert!(challenges.is_fresh(now, b"alice", challenge));
        assert!(challenges.is_fresh(now + CHALLENGE_PERIOD, b"alice", challenge));
        assert!(!challenges.is_fresh(now + CHALLENGE_PERIOD.times(2), b"alice", challenge));
        assert!(!challenges.is_fresh(now, b"mallory", challenge));
        assert!(!challenges.is_fresh(now, b"alice", Challenge::default()));
        let other = Challenges::new(Secret::from(vec![8; 32]));
        assert!(!other.is_fresh(now, b"alice", challenge));
    }
}
