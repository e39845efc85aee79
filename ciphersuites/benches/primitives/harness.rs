//! Rows of candidates, measured in turns.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

pub(crate) const TURNS: usize = 101;
pub(crate) const BATCH: Duration = Duration::from_millis(1);
pub(crate) const MIN_CALLS: u32 = 3;

pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) note: &'static str,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    operation: String,
    /// How many operations one call of a candidate stands for.
    operations_per_call: u32,
    expected: Option<Vec<u8>>,
    candidates: Vec<Candidate>,
}

pub(crate) struct Candidate {
    library: &'static str,
    /// Calls the measured closure that many times.
    repeat: Box<dyn FnMut(u32)>,
}

impl Row {
    pub(crate) fn new(operation: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            operations_per_call: 1,
            expected: None,
            candidates: Vec::new(),
        }
    }

    pub(crate) fn operations_per_call(mut self, count: u32) -> Self {
        self.operations_per_call = count;
        self
    }

    /// Adds a candidate whose first answer equals that of the others added by this function.
    pub(crate) fn add<T: AsRef<[u8]>>(
        mut self,
        library: &'static str,
        mut f: impl FnMut() -> T + 'static,
    ) -> Self {
        let answer = f();
        let expected = self.expected.get_or_insert_with(|| answer.as_ref().to_vec());
        assert_eq!(expected, answer.as_ref(), "{library} disagrees on {}", self.operation);
        self.add_unchecked(library, f)
    }

    /// Adds a candidate whose answer depends on randomness of its own.
    pub(crate) fn add_unchecked<T>(
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
        self.candidates.push(Candidate { library, repeat });
        self
    }

    /// Median microseconds per operation for each candidate.
    pub(crate) fn measure(&mut self) -> Vec<f64> {
        let calls: Vec<u32> = self.candidates.iter_mut().map(Candidate::calls_per_batch).collect();
        let mut samples = vec![Vec::with_capacity(TURNS); calls.len()];
        for _ in 0..TURNS {
            for ((candidate, &calls), samples) in
                self.candidates.iter_mut().zip(&calls).zip(&mut samples)
            {
                let operations = f64::from(calls * self.operations_per_call);
                samples.push(candidate.time(calls).as_secs_f64() * 1e6 / operations);
            }
        }
        samples.into_iter().map(median).collect()
    }
}

impl Candidate {
    pub(crate) fn time(&mut self, calls: u32) -> Duration {
        let start = Instant::now();
        (self.repeat)(calls);
        start.elapsed()
    }

    /// Warms up, then finds how many calls fill a batch.
    pub(crate) fn calls_per_batch(&mut self) -> u32 {
        let mut calls = MIN_CALLS;
        while self.time(calls) < BATCH {
            calls *= 2;
        }
        let per_call = self.time(calls) / calls;
        let wanted = BATCH.as_nanos() / per_call.as_nanos().max(1);
        u32::try_from(wanted).unwrap_or(u32::MAX).max(MIN_CALLS)
    }
}

pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

impl Table {
    pub(crate) fn measure_and_print(mut self, filter: &str) {
        let title = self.title;
        self.rows.retain(|row| format!("{title} / {}", row.operation).contains(filter));
        if self.rows.is_empty() {
            return;
        }
        let mut libraries = Vec::new();
        for candidate in self.rows.iter().flat_map(|row| &row.candidates) {
            if !libraries.contains(&candidate.library) {
                libraries.push(candidate.library);
            }
        }
        println!("### {title}\n");
        println!("| | {} |", libraries.join(" | "));
        println!("|---|{}", "---:|".repeat(libraries.len()));
        for row in &mut self.rows {
            let times = row.measure();
            let fastest = times.iter().copied().fold(f64::INFINITY, f64::min);
            let mut line = format!("| {} |", row.operation);
            for library in &libraries {
                let column =
                    row.candidates.iter().position(|candidate| candidate.library == *library);
                match column.map(|column| times[column]) {
                    None => line.push_str(" – |"),
                    Some(time) if time == fastest => write!(line, " **{time:.3}** |").unwrap(),
                    Some(time) => write!(line, " {time:.3} ({:.2}×) |", time / fastest).unwrap(),
                }
            }
            println!("{line}");
        }
        println!("{}{}", if self.note.is_empty() { "" } else { "\n" }, self.note);
        println!();
    }
}
