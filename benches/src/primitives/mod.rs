//! Primitives, by our backends and by the libraries that they are made of or could be.
//!
//! `native` and `portable` are the public interface of `trellis_ciphersuites` on that backend;
//! where it has no such operation, the two are missing. The other names are libraries, called as
//! directly as they allow.

mod aead;
mod aws;
mod ed25519;
mod hmac;
mod kem;
mod ml_dsa;
mod ml_kem;
mod nist;
mod random;
mod sha2;
mod sha3;
mod x25519;

use crate::candidates::Table;

/// All, in the order of the report.
pub const TABLES: &[Table] = &[
    ml_kem::ML_KEM_768,
    ml_kem::ML_KEM_1024,
    x25519::TABLE,
    nist::P256_TABLE,
    nist::P384_TABLE,
    kem::X25519,
    kem::P256,
    kem::P384,
    kem::ML_KEM_768_X25519,
    kem::ML_KEM_768_P256,
    kem::ML_KEM_1024_P384,
    ed25519::TABLE,
    ml_dsa::ML_DSA_44,
    ml_dsa::ML_DSA_65,
    ml_dsa::ML_DSA_87,
    aead::TABLE,
    sha2::TABLE,
    hmac::TABLE,
    sha3::TABLE,
    random::TABLE,
];

/// The lengths of texts that are sealed and hashed.
const SIZES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1 << 10), ("64 KiB", 1 << 16)];

/// What is signed.
const MESSAGE: [u8; 256] = [0x45; 256];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use trellis_ciphersuites::Backend;

    use super::*;
    use crate::candidates::Turns;

    /// Setting the tables up compares the answers.
    #[test]
    fn candidates_agree_and_have_names_of_their_own() {
        let mut rows = BTreeSet::new();
        for table in TABLES {
            for mut row in (table.rows)() {
                assert!(rows.insert((table.title, row.operation().to_owned())));
                let libraries: Vec<_> =
                    row.candidates().iter().map(|each| each.library()).collect();
                assert_eq!(libraries.iter().collect::<BTreeSet<_>>().len(), libraries.len());
                assert!(libraries.len() >= 2);
            }
        }
    }

    #[test]
    fn our_backends_come_together() {
        for table in TABLES {
            for mut row in (table.rows)() {
                let ours = |library: &str| Backend::available().any(|each| each.name() == library);
                let count = row.candidates().iter().filter(|each| ours(each.library())).count();
                assert!(count == 0 || count == Backend::available().count());
            }
        }
    }

    #[test]
    fn every_candidate_is_measured() {
        for table in TABLES {
            let expected: Vec<_> =
                (table.rows)().iter_mut().map(|row| row.candidates().len()).collect();
            let measured = table.measure(Turns { turns: 1, batch: Duration::ZERO }, |_| ());
            let times: Vec<_> = measured.rows.iter().map(|row| row.times.len()).collect();
            assert_eq!(times, expected);
        }
    }
}
