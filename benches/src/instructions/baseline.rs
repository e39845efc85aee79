//! The counts to compare with, and the verdicts.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::surroundings::{Platform, Tools};

/// Where it is kept.
pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// How much more than its baseline an operation may take, in percent, if nobody says otherwise.
pub const MARGIN: f64 = 5.0;

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The day on which it was made, as `YYYY-MM-DD`, in UTC.
    pub date: String,
    /// The tools it was made with.
    #[serde(flatten)]
    pub tools: Tools,
    /// Where the program ran.
    #[serde(flatten)]
    pub platform: Platform,
    /// How much more an operation may take, in percent.
    pub margin: f64,
    /// The instructions of each operation.
    pub operations: BTreeMap<String, u64>,
}

/// Why the file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there or cannot be read or written.
    #[error("{PATH}: {0}")]
    Io(#[from] io::Error),
    /// It is no baseline.
    #[error("{PATH}: {0}")]
    Format(#[from] serde_json::Error),
}

impl Baseline {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it is not there or no baseline.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }
}

/// What to think of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the margin.
    Ok,
    /// Fewer instructions than the margin allows. No failure, since another compiler can do that;
    /// but an old baseline would hide a later regression.
    Faster,
    /// More instructions than the margin allows.
    Slower,
    /// Not in the baseline.
    New,
}

impl Verdict {
    /// Compares a count with its baseline.
    #[must_use]
    pub fn of(baseline: Option<u64>, now: u64, margin: f64) -> Self {
        match baseline.map(|baseline| change(baseline, now)) {
            None => Self::New,
            Some(change) if change > margin => Self::Slower,
            Some(change) if change < -margin => Self::Faster,
            Some(_) => Self::Ok,
        }
    }

    /// Whether the comparison fails with it.
    #[must_use]
    pub const fn fails(self) -> bool {
        matches!(self, Self::Slower | Self::New)
    }

    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Faster => "faster: update the baseline",
            Self::Slower => "SLOWER",
            Self::New => "NEW: no baseline, run with --update",
        }
    }
}

/// From one count to another, in percent.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn change(before: u64, now: u64) -> f64 {
    (now as f64 - before as f64) / before as f64 * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instructions::operations::OPERATIONS;

    #[test]
    fn the_margin_itself_is_allowed() {
        for (now, verdict) in [
            (1050, Verdict::Ok),
            (1051, Verdict::Slower),
            (1000, Verdict::Ok),
            (950, Verdict::Ok),
            (949, Verdict::Faster),
        ] {
            assert_eq!(Verdict::of(Some(1000), now, 5.0), verdict, "{now}");
        }
        assert_eq!(Verdict::of(None, 1000, 5.0), Verdict::New);
    }

    #[test]
    fn only_more_and_unknown_fail() {
        let failing = [Verdict::Ok, Verdict::Faster, Verdict::Slower, Verdict::New]
            .map(|verdict| verdict.fails());
        assert_eq!(failing, [false, false, true, true]);
    }

    #[test]
    fn a_baseline_survives_its_file() {
        let text = |text: &str| text.to_owned();
        let baseline = Baseline {
            date: text("2026-01-02"),
            tools: Tools { rustc: text("rustc 1.91.0"), valgrind: text("valgrind-3.19.0") },
            platform: Platform::here(),
            margin: 5.0,
            operations: [(text("seal"), 12345)].into(),
        };
        let name = format!("trellis-baseline-{}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        baseline.write(&path).unwrap();
        let read = Baseline::read(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), baseline);
    }

    #[test]
    fn the_committed_baseline_has_every_operation_and_no_other() {
        let baseline = Baseline::read(PATH).unwrap();
        let mut names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        names.sort_unstable();
        assert!(baseline.operations.keys().eq(names));
        assert_eq!(baseline.platform.backend, "native");
    }
}
