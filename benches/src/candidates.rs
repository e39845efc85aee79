//! Tables of candidates that do the same.
//!
//! The report measures the candidates of a row [in turns](Table::measure) (A B A B …), so that a
//! passing disturbance hits all of them alike. The Criterion benches call [`Candidate::time`].

use std::hint::black_box;
use std::time::{Duration, Instant};

use trellis_ciphersuites::Backend;

use crate::report::data;
use crate::summary::Summary;

/// Rows that belong together. They are set up when they are needed.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// What the rows have in common.
    pub title: &'static str,
    /// What to know about the candidates.
    pub note: &'static str,
    /// Sets up the rows. Candidates that have to give the same answer are compared.
    pub rows: fn() -> Vec<Row>,
}

/// One operation, by whoever can do it.
pub struct Row {
    operation: String,
    /// How many operations one call of a candidate stands for.
    operations_per_call: u32,
    expected: Option<Vec<u8>>,
    candidates: Vec<Candidate>,
}

/// One who can do it.
pub struct Candidate {
    library: &'static str,
    operations_per_call: u32,
    /// Calls the measured closure that many times.
    repeat: Box<dyn FnMut(u64)>,
}

/// How long a row is measured.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// How often it is each candidate's turn. A row whose candidates take much longer than a
    /// batch gets fewer, but [`LEAST`] at least.
    pub turns: usize,
    /// How long a candidate runs in a turn: as often as fits, but once at least.
    pub batch: Duration,
}

/// The least turns of a row of long operations, unless still fewer are asked for.
pub const LEAST: usize = 3;

/// A row of long operations may take so many times as long as one of short operations.
const PATIENCE: u32 = 16;

impl Table {
    /// Measures row by row. `done` is told of each.
    pub fn measure(&self, turns: Turns, mut done: impl FnMut(&data::Row)) -> data::Table {
        let measure = |mut row: Row| {
            let row = row.measure(turns);
            done(&row);
            row
        };
        let rows = (self.rows)().into_iter().map(measure).collect();
        data::Table { title: self.title.into(), note: self.note.into(), rows }
    }
}

impl Row {
    /// An operation that nobody does yet.
    #[must_use]
    pub fn new(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            operations_per_call: 1,
            expected: None,
            candidates: Vec::new(),
        }
    }

    /// One call of the candidates that follow stands for so many operations.
    #[must_use]
    pub fn operations_per_call(mut self, count: u32) -> Self {
        self.operations_per_call = count;
        self
    }

    /// Adds a candidate whose first answer equals that of the others added by this function.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[must_use]
    pub fn add<T: AsRef<[u8]>>(
        mut self,
        library: &'static str,
        mut f: impl FnMut() -> T + 'static,
    ) -> Self {
        let answer = f();
        let expected = self.expected.get_or_insert_with(|| answer.as_ref().to_vec());
        assert_eq!(expected, answer.as_ref(), "{library} disagrees on {}", self.operation);
        self.add_unchecked(library, f)
    }

    /// Adds a candidate whose answer depends on randomness of its own, or which takes so long that
    /// nobody wants to wait for an answer before it is measured.
    #[must_use]
    pub fn add_unchecked<T>(
        mut self,
        library: &'static str,
        mut f: impl FnMut() -> T + 'static,
    ) -> Self {
        let repeat = Box::new(move |calls| {
            for _ in 0..calls {
                // Hiding the closure hides what it captured, so no call is hoisted or folded.
                black_box(black_box(&mut f)());
            }
        });
        let operations_per_call = self.operations_per_call;
        self.candidates.push(Candidate { library, operations_per_call, repeat });
        self
    }

    /// [Adds](Self::add) our backends, each that this processor has: `native` and `portable`.
    #[must_use]
    pub fn add_ours<T: AsRef<[u8]>, F: FnMut() -> T + 'static>(
        self,
        candidate: impl Fn(Backend) -> F,
    ) -> Self {
        Backend::available().fold(self, |row, backend| row.add(backend.name(), candidate(backend)))
    }

    /// [Adds](Self::add_unchecked) our backends.
    #[must_use]
    pub fn add_ours_unchecked<T, F: FnMut() -> T + 'static>(
        self,
        candidate: impl Fn(Backend) -> F,
    ) -> Self {
        Backend::available()
            .fold(self, |row, backend| row.add_unchecked(backend.name(), candidate(backend)))
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The candidates, in the order of the columns.
    pub fn candidates(&mut self) -> &mut [Candidate] {
        &mut self.candidates
    }

    /// Measures in turns: microseconds per operation for each candidate.
    pub fn measure(&mut self, turns: Turns) -> data::Row {
        let calls: Vec<_> = self.candidates.iter_mut().map(|each| each.warm_up(turns)).collect();
        let mut samples = vec![Vec::with_capacity(turns.turns); calls.len()];
        let batches = u32::try_from(turns.turns * calls.len()).unwrap_or(u32::MAX);
        let patience = turns.batch.saturating_mul(batches).saturating_mul(PATIENCE);
        let start = Instant::now();
        for turn in 0..turns.turns {
            if turn >= LEAST && start.elapsed() > patience {
                break;
            }
            let candidates = self.candidates.iter_mut().zip(&calls).zip(&mut samples);
            for ((candidate, &calls), samples) in candidates {
                let seconds = candidate.elapsed(calls).as_secs_f64();
                let operations = calls as f64 * f64::from(candidate.operations_per_call);
                samples.push(seconds * 1e6 / operations);
            }
        }
        let libraries = self.candidates.iter().map(|candidate| candidate.library.to_owned());
        let times = libraries.zip(samples.into_iter().map(Summary::of));
        data::Row {
            operation: self.operation.clone(),
            times: times.filter_map(|(library, time)| Some((library, time?))).collect(),
        }
    }
}

impl Candidate {
    /// The library, or the backend where it is ours.
    #[must_use]
    pub const fn library(&self) -> &'static str {
        self.library
    }

    /// How long so many operations take. (Where a call stands for several operations, these are
    /// its share of as many calls.)
    pub fn time(&mut self, operations: u64) -> Duration {
        self.elapsed(operations) / self.operations_per_call
    }

    fn elapsed(&mut self, calls: u64) -> Duration {
        let start = Instant::now();
        (self.repeat)(calls);
        start.elapsed()
    }

    /// Warms up, which finds how many calls fill a batch.
    fn warm_up(&mut self, turns: Turns) -> u64 {
        let mut calls = 1;
        loop {
            let elapsed = self.elapsed(calls);
            if elapsed >= turns.batch {
                let wanted = turns.batch.as_nanos() * u128::from(calls) / elapsed.as_nanos().max(1);
                return u64::try_from(wanted).unwrap_or(u64::MAX).max(1);
            }
            calls *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn candidates_take_turns_and_each_has_its_samples() {
        let order = Rc::new(RefCell::new(String::new()));
        let candidate = |name: char| {
            let order = Rc::clone(&order);
            move || order.borrow_mut().push(name)
        };
        let mut row =
            Row::new("x").add_unchecked("a", candidate('a')).add_unchecked("b", candidate('b'));
        let row = row.measure(Turns { turns: 3, batch: Duration::ZERO });
        assert_eq!(*order.borrow(), "abababab", "the first of each is the warm-up");
        let times: Vec<_> =
            row.times.iter().map(|(library, time)| (&library[..], time.turns)).collect();
        assert_eq!(times, [("a", 3), ("b", 3)]);
    }

    #[test]
    fn long_operations_get_fewer_turns() {
        let nap = || std::thread::sleep(Duration::from_millis(2));
        let turns = Turns { turns: 50, batch: Duration::from_micros(10) };
        let row = Row::new("nap").add_unchecked("bed", nap).measure(turns);
        assert!((LEAST..50).contains(&row.times[0].1.turns));
        assert!(row.times[0].1.median >= 2000.0);
    }

    #[test]
    fn calls_of_several_operations_are_divided() {
        let nap = || std::thread::sleep(Duration::from_millis(4));
        let mut row = Row::new("nap").operations_per_call(4).add_unchecked("bed", nap);
        let time = row.candidates()[0].time(2);
        assert!((Duration::from_millis(2)..Duration::from_millis(8)).contains(&time));
        let measured = row.measure(Turns { turns: 3, batch: Duration::ZERO });
        assert!(measured.times[0].1.low >= 1000.0 && measured.times[0].1.low < 4000.0);
    }

    #[test]
    #[should_panic(expected = "b disagrees on sum")]
    fn answers_that_differ_are_noticed() {
        let _ = Row::new("sum").add("a", || [4]).add("b", || [5]);
    }

    #[test]
    fn tables_tell_of_each_row() {
        let rows = || vec![Row::new("one").add("a", || [1]), Row::new("two").add_ours(|_| || [2])];
        let table = Table { title: "digits", note: "none", rows };
        let mut seen = Vec::new();
        let turns = Turns { turns: 1, batch: Duration::ZERO };
        let measured = table.measure(turns, |row| seen.push(row.operation.clone()));
        assert_eq!(seen, ["one", "two"]);
        assert_eq!((&measured.title[..], measured.rows.len()), ("digits", 2));
        assert_eq!(measured.rows[1].times.len(), Backend::available().count());
    }
}
