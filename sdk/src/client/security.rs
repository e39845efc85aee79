//! What protects a group, against whom, and what does not.

use std::fmt;

use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};

use super::{Error, Member};
use crate::engine::GroupView;
use crate::{Address, Span};

/// What protects a group, and what does not. What it prints is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Security {
    /// The cipher suite, by the name that its standard gives it.
    pub suite: &'static str,
    /// The algorithm that agrees on keys. What is said stays secret as long as it holds.
    pub key_agreement: &'static str,
    /// Whether somebody who records what is said today, and has a quantum computer later, can read
    /// it: not if it is hybrid or post-quantum.
    pub confidentiality: Protection,
    /// The algorithm that signs.
    pub signatures: &'static str,
    /// Whether somebody who has a quantum computer today can pretend to be a member: not if it is
    /// post-quantum.
    pub authenticity: Protection,
    /// Members of whom it is not known yet that they are who their address says.
    pub unverified: Vec<Address>,
    /// How many changes of the group this device keeps old keys for, so that members who are late can
    /// be understood. Who takes the device and its passphrase can read with them what was recorded.
    pub keys_kept_for_changes: u16,
    /// How long it keeps them at most.
    pub keys_kept_for: Span,
    /// Where an adversary would begin.
    pub weakest_link: WeakestLink,
}

/// Where an adversary would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WeakestLink {
    /// What is said can be recorded, and read with a quantum computer later.
    ClassicalEncryption,
    /// There are members who may be somebody else.
    UnverifiedMembers,
    /// Somebody with a quantum computer could pretend to be a member.
    ClassicalSignatures,
    /// What the transport sees: who speaks when, and not what is said.
    Transport,
}

/// What a transport sees, whatever protects the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// Which messages belong together.
    Topic,
    /// How long a message is, roughly.
    Length,
    /// When something is sent.
    Time,
    /// From which network addresses, and to how many.
    NetworkAddress,
    /// When somebody is invited.
    Inbox,
}

impl Exposure {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Topic, Self::Length, Self::Time, Self::NetworkAddress, Self::Inbox];
}

impl Security {
    pub(super) fn of(view: &GroupView) -> Result<Self, Error> {
        let suite = CipherSuite::from_code_point(Ecosystem::OpenMls, view.suite.into())
            .map_err(|_| Error::Suite)?;
        let members = Member::all(view);
        let unverified: Vec<_> = members
            .iter()
            .filter(|member| !member.is_verified())
            .map(|member| member.address)
            .collect();
        let (confidentiality, authenticity) = (suite.confidentiality(), suite.authenticity());
        Ok(Self {
            suite: suite.name(),
            key_agreement: suite.kem().name(),
            confidentiality,
            signatures: suite.signature().name(),
            authenticity,
            weakest_link: WeakestLink::of(confidentiality, authenticity, !unverified.is_empty()),
            unverified,
            keys_kept_for_changes: view.policy.depth,
            keys_kept_for: view.policy.horizon,
        })
    }

    /// Whether what is said stays secret from those who record it today and have a quantum computer
    /// later.
    #[must_use]
    pub fn withstands_recording(&self) -> bool {
        self.confidentiality != Protection::Classical
    }

    /// Whether nobody can pretend to be a member, even with a quantum computer today.
    #[must_use]
    pub fn withstands_quantum_forgery(&self) -> bool {
        self.authenticity != Protection::Classical && self.unverified.is_empty()
    }

    /// What the transport sees nevertheless. No choice of cryptography changes it; a choice of
    /// transport may.
    #[must_use]
    pub fn exposed_to_transport(&self) -> &'static [Exposure] {
        &Exposure::ALL
    }
}

impl WeakestLink {
    /// The one that comes first: what was recorded can't be taken back, a wrong member reads
    /// everything, and a forgery has to happen while somebody is there to believe it.
    fn of(confidentiality: Protection, authenticity: Protection, unverified: bool) -> Self {
        if confidentiality == Protection::Classical {
            Self::ClassicalEncryption
        } else if unverified {
            Self::UnverifiedMembers
        } else if authenticity == Protection::Classical {
            Self::ClassicalSignatures
        } else {
            Self::Transport
        }
    }
}

impl fmt::Display for WeakestLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ClassicalEncryption => {
                "what is said can be recorded today and read with a quantum computer later"
            }
            Self::UnverifiedMembers => "there are members who may be somebody else",
            Self::ClassicalSignatures => {
                "somebody with a quantum computer could pretend to be a member"
            }
            Self::Transport => "the transport sees who speaks when, and not what is said",
        })
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Topic => "which messages belong to one group, but not whose group it is",
            Self::Length => "how long a message is, rounded up by at most an eighth",
            Self::Time => "when something is sent",
            Self::NetworkAddress => {
                "from which network addresses and to how many, as far as it knows them"
            }
            Self::Inbox => "that an account is invited, if it knows the account's address",
        })
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.suite)?;
        writeln!(f, "content: {} ({})", self.confidentiality, self.key_agreement)?;
        writeln!(f, "origin: {} ({})", self.authenticity, self.signatures)?;
        writeln!(f, "unverified members: {}", self.unverified.len())?;
        let (changes, kept) = (self.keys_kept_for_changes, self.keys_kept_for.0 / 1000);
        writeln!(f, "old keys are kept for {changes} changes, and for {kept} s at most")?;
        writeln!(f, "weakest link: {}", self.weakest_link)?;
        write!(f, "the transport sees:")?;
        self.exposed_to_transport().iter().try_for_each(|exposure| write!(f, "\n- {exposure}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Protection::{Classical, Hybrid, PostQuantum};

    #[test]
    fn the_weakest_link_is_the_one_that_does_most_harm() {
        for (confidentiality, authenticity, unverified, expected) in [
            (Classical, Classical, true, WeakestLink::ClassicalEncryption),
            (Classical, PostQuantum, false, WeakestLink::ClassicalEncryption),
            (Hybrid, PostQuantum, true, WeakestLink::UnverifiedMembers),
            (Hybrid, Classical, false, WeakestLink::ClassicalSignatures),
            (PostQuantum, PostQuantum, false, WeakestLink::Transport),
        ] {
            assert_eq!(WeakestLink::of(confidentiality, authenticity, unverified), expected);
        }
    }
}
