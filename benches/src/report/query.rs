//! Look-ups in a report, for targets, tables and plots alike.

use super::data::{Memory, Report, Share, TreeOutside};
use crate::group::{Contender, Operation};
use crate::suites::SUITES;
use crate::summary::Summary;

/// The published providers of OpenMLS, which the ratios compare with.
pub const PUBLISHED: [Contender; 2] = [Contender::RustCrypto, Contender::Libcrux];

impl Report {
    /// How long an operation took a contender.
    #[must_use]
    pub fn time(
        &self,
        suite: &str,
        members: usize,
        contender: Contender,
        operation: Operation,
    ) -> Option<&Summary> {
        self.groups
            .iter()
            .find(|group| {
                (group.members, group.contender, group.operation) == (members, contender, operation)
                    && group.suite == suite
            })
            .map(|group| &group.time)
    }

    /// The faster published provider and its median, in microseconds.
    #[must_use]
    pub fn published(
        &self,
        suite: &str,
        members: usize,
        operation: Operation,
    ) -> Option<(Contender, f64)> {
        PUBLISHED
            .into_iter()
            .filter_map(|contender| {
                Some((contender, self.time(suite, members, contender, operation)?.median))
            })
            .min_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// How many times as fast a contender is as the faster published provider, by medians.
    #[must_use]
    pub fn speed_up(
        &self,
        suite: &str,
        members: usize,
        contender: Contender,
        operation: Operation,
    ) -> Option<f64> {
        let (_, published) = self.published(suite, members, operation)?;
        let own = self.time(suite, members, contender, operation)?.median;
        (own > 0.0).then(|| published / own).filter(|ratio| ratio.is_finite())
    }

    /// The suites whose group operations were measured, in the order of the tables.
    pub fn suites(&self) -> impl Iterator<Item = &str> {
        suites(self.groups.iter().map(|group| group.suite.as_str())).into_iter()
    }

    /// How many bytes an operation sends.
    #[must_use]
    pub fn size(&self, suite: &str, members: usize, operation: Operation) -> Option<usize> {
        self.sizes
            .iter()
            .find(|size| {
                (size.members, size.operation) == (members, operation) && size.suite == suite
            })
            .map(|size| size.bytes)
    }

    /// Where the time of an operation goes.
    #[must_use]
    pub fn share(&self, suite: &str, members: usize, operation: Operation) -> Option<&Share> {
        self.shares.iter().find(|share| {
            (share.members, share.operation) == (members, operation) && share.suite == suite
        })
    }

    /// The peak of a contender's process.
    #[must_use]
    pub fn peak(&self, suite: &str, members: usize, contender: Contender) -> Option<&Memory> {
        self.memory.iter().find(|memory| {
            (memory.members, memory.contender) == (members, contender) && memory.suite == suite
        })
    }

    /// Adding with the ratchet tree outside the GroupInfo.
    #[must_use]
    pub fn outside(&self, suite: &str, members: usize) -> Option<&TreeOutside> {
        self.tree_outside
            .iter()
            .find(|outside| outside.members == members && outside.suite == suite)
    }
}

/// The suites of these entries, each once: those of [`SUITES`] in their order, then any others as
/// they come.
#[must_use]
pub fn suites<'a>(entries: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut suites: Vec<&str> = Vec::new();
    for suite in entries {
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    let rank = |suite: &str| SUITES.iter().position(|known| known.short == suite);
    suites.sort_by_key(|suite| rank(suite).unwrap_or(SUITES.len()));
    suites
}

/// The numbers of members of these entries, each once, the smallest first.
#[must_use]
pub fn members(entries: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut members: Vec<usize> = entries.collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// How many members a group has where only one number is shown.
pub const MEMBERS: usize = 256;

/// [`MEMBERS`] if it is among these, otherwise the largest of them.
#[must_use]
pub fn headline(members: impl Iterator<Item = usize>) -> Option<usize> {
    let members = self::members(members);
    if members.contains(&MEMBERS) { Some(MEMBERS) } else { members.last().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::markdown::sample;

    #[test]
    fn the_faster_published_provider_is_what_ratios_compare_with() {
        let mut report = sample::empty();
        let operation = Operation::Join;
        let group = |contender, median| sample::group("row 2", 256, contender, operation, median);
        report.groups = vec![
            group(Contender::Native, 10.0),
            group(Contender::Portable, 40.0),
            group(Contender::MlsRs, 1.0),
            group(Contender::RustCrypto, 30.0),
            group(Contender::Libcrux, 20.0),
        ];
        let ratio = |contender| report.speed_up("row 2", 256, contender, operation);
        assert_eq!(report.published("row 2", 256, operation), Some((Contender::Libcrux, 20.0)),);
        assert_eq!(ratio(Contender::Native), Some(2.0));
        assert_eq!(ratio(Contender::Portable), Some(0.5));
    }

    #[test]
    fn what_is_missing_is_none() {
        let mut report = sample::empty();
        let operation = Operation::Join;
        assert_eq!(report.published("row 2", 256, operation), None);
        report.groups = vec![sample::group("row 2", 256, Contender::Native, operation, 10.0)];
        assert_eq!(report.speed_up("row 2", 256, Contender::Native, operation), None);
        report.groups.push(sample::group("row 2", 32, Contender::Libcrux, operation, 10.0));
        assert_eq!(report.speed_up("row 2", 256, Contender::Native, operation), None);
        assert_eq!(report.speed_up("row 2", 32, Contender::Native, operation), None);
        assert_eq!(report.size("row 2", 256, operation), None);
        assert!(report.share("row 2", 256, operation).is_none());
    }

    #[test]
    fn no_ratio_to_nothing() {
        let mut report = sample::empty();
        let group =
            |contender, median| sample::group("row 2", 2, contender, Operation::Join, median);
        report.groups = vec![group(Contender::Native, 0.0), group(Contender::Libcrux, 1.0)];
        assert_eq!(report.speed_up("row 2", 2, Contender::Native, Operation::Join), None);
    }

    #[test]
    fn order() {
        let names = ["other", "legacy", "row 2", "classical", "row 2"];
        assert_eq!(suites(names.into_iter()), ["classical", "row 2", "legacy", "other"]);
        assert_eq!(members([256, 2, 1000, 2].into_iter()), [2, 256, 1000]);
        assert_eq!(headline([2, 256, 1000].into_iter()), Some(256));
        assert_eq!(headline([2, 32].into_iter()), Some(32));
        assert_eq!(headline([].into_iter()), None);
    }
}
