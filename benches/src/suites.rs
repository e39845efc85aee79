//! The suites that are compared.

use openmls_traits::types::Ciphersuite;
use trellis_ciphersuites::{CipherSuite, Ecosystem};

/// A suite with the short name that tables, plots and the command line give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The short name.
    pub short: &'static str,
    /// The name in the registry.
    pub name: &'static str,
}

/// In the order of the tables.
#[rustfmt::skip]
pub const SUITES: [Suite; 8] = [
    Suite { short: "classical", name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519" },
    Suite { short: "row 1", name: "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519" },
    Suite { short: "row 2", name: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519" },
    Suite { short: "row 6", name: "MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519" },
    Suite { short: "row 9", name: "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44" },
    Suite { short: "row 10", name: "MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65" },
    Suite { short: "row 11", name: "MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87" },
    Suite { short: "legacy", name: "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519" },
];

impl Suite {
    /// The suite of this short name.
    #[must_use]
    pub fn find(short: &str) -> Option<Self> {
        SUITES.into_iter().find(|suite| suite.short == short)
    }

    /// The entry of the registry.
    ///
    /// # Panics
    ///
    /// If the table above has a name that is not in the registry; a test keeps it from that.
    #[must_use]
    pub fn registered(self) -> CipherSuite {
        self.name.parse().unwrap_or_else(|_| panic!("no suite is called {}", self.name))
    }

    /// OpenMLS's value.
    ///
    /// # Panics
    ///
    /// As [`registered`](Self::registered).
    #[must_use]
    pub fn open_mls(self) -> Ciphersuite {
        let number = self.registered().code_point(Ecosystem::OpenMls).expect("a suite of OpenMLS");
        Ciphersuite::try_from(number).expect("a suite of OpenMLS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_is_known_and_found_by_its_short_name() {
        for suite in SUITES {
            assert_eq!(suite.registered().name(), suite.name);
            assert_eq!(suite.open_mls().to_string(), suite.name);
            assert_eq!(Suite::find(suite.short), Some(suite));
        }
    }
}
