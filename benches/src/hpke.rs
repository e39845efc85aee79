//! HPKE, for one recipient and for many.

mod many;
mod one;

use crate::candidates::Table;

/// All, in the order of the report.
pub const TABLES: &[Table] = &[
    one::CLASSICAL,
    one::ROW_1,
    one::ROW_2,
    one::ROW_10,
    one::ROW_11,
    many::CLASSICAL,
    many::ROW_2,
];

/// What is sealed: as long as the secret of a path with SHA-256.
const TEXT: &[u8] = &[0x17; 32];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

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
                assert!(libraries.len() >= 3);
            }
        }
    }

    /// All but those that take seconds.
    #[test]
    fn every_candidate_is_measured() {
        for table in TABLES {
            for mut row in (table.rows)() {
                if row.operation().contains("685 KB") {
                    continue;
                }
                let candidates = row.candidates().len();
                let measured = row.measure(Turns { turns: 1, batch: Duration::ZERO });
                assert_eq!(measured.times.len(), candidates);
            }
        }
    }
}
