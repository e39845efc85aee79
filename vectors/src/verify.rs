//! Checking files.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::Failure;
use crate::checker::Checker;
use crate::file::{FileError, VectorFile};

/// What became of vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many hold.
    pub passed: usize,
    /// How many do not.
    pub failed: usize,
    /// How many could not be checked.
    pub skipped: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What became of the vectors of a file.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The numbers.
    pub tally: Tally,
    /// Each vector that does not hold, by its index.
    pub failures: Vec<(usize, Failure)>,
    /// How many were skipped for each reason.
    pub skipped: BTreeMap<String, usize>,
}

/// Checks every vector of a file.
///
/// # Errors
///
/// A vector has a field that is not of its kind.
pub fn verify(file: &VectorFile, checker: &dyn Checker) -> Result<Report, FileError> {
    let mut report = Report::default();
    for (index, vector) in file.vectors.iter().enumerate() {
        let outcome = checker.check(file.kind, vector).map_err(|error| {
            let dot = if error.field.starts_with('[') { "" } else { "." };
            FileError::new(&file.path, format!("[{index}]{dot}{error}"))
        })?;
        match outcome {
            Ok(()) => report.tally.passed += 1,
            Err(Failure::Skipped(reason)) => {
                report.tally.skipped += 1;
                *report.skipped.entry(reason).or_default() += 1;
            }
            Err(failure) => {
                report.tally.failed += 1;
                report.failures.push((index, failure));
            }
        }
    }
    Ok(report)
}
