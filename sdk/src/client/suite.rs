//! Which cryptography a group is made of.

use openmls_traits::types::Ciphersuite;

/// What the cryptography of a group protects against. Both choices protect what is said from those
/// who record it today and have a quantum computer later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// X25519 with ML-KEM-768, AES-256-GCM, Ed25519: the default. Row 2 of
    /// draft-ietf-mls-pq-ciphersuites.
    ///
    /// Signatures matter only at the time when they are checked, so classical ones are enough until
    /// somebody has a quantum computer, and they are small.
    #[default]
    Hybrid,
    /// X25519 with ML-KEM-768, ChaCha20-Poly1305, ML-DSA-44: row 9 of the draft.
    ///
    /// Nobody can pretend to be a member, even with a quantum computer. Each signature has 2,420
    /// bytes instead of 64, and every message has one.
    HybridPostQuantumSignatures,
}

impl Suite {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Hybrid, Self::HybridPostQuantumSignatures];

    pub(super) const fn ciphersuite(self) -> Ciphersuite {
        match self {
            Self::Hybrid => Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
            Self::HybridPostQuantumSignatures => {
                Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44
            }
        }
    }
}

/// The classical suite, which no default and no [`Suite`] leads to.
pub(super) const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// The suites that a client takes part with, its favourite first.
///
/// Both hybrid ones are among them whatever the favourite is, because a device gets its keys once,
/// when it is made, and should be able to join groups of either.
pub(super) fn accepted(favourite: Suite, classical: bool) -> Vec<Ciphersuite> {
    let others = Suite::ALL.into_iter().filter(|suite| *suite != favourite);
    let hybrid = std::iter::once(favourite).chain(others).map(Suite::ciphersuite);
    hybrid.chain(classical.then_some(CLASSICAL)).collect()
}

#[cfg(test)]
mod tests {
    use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};

    use super::*;

    fn registered(suite: Ciphersuite) -> CipherSuite {
        CipherSuite::from_code_point(Ecosystem::OpenMls, suite.into()).unwrap()
    }

    #[test]
    fn suites_are_the_rows_that_their_documentation_names() {
        let rows = Suite::ALL.map(|suite| registered(suite.ciphersuite()).row());
        assert_eq!(rows, [Some(2), Some(9)]);
        for suite in Suite::ALL.map(|suite| registered(suite.ciphersuite())) {
            assert_eq!(suite.confidentiality(), Protection::Hybrid);
        }
        let sizes = Suite::ALL.map(|suite| registered(suite.ciphersuite()).sizes().signature);
        assert_eq!(sizes, [64, 2420]);
        assert_eq!(registered(CLASSICAL).confidentiality(), Protection::Classical);
    }

    #[test]
    fn a_classical_suite_is_accepted_only_on_demand() {
        for favourite in Suite::ALL {
            assert_eq!(accepted(favourite, false)[0], favourite.ciphersuite());
            assert_eq!(accepted(favourite, false).len(), 2);
            assert!(!accepted(favourite, false).contains(&CLASSICAL));
            assert!(accepted(favourite, true).contains(&CLASSICAL));
        }
    }
}
