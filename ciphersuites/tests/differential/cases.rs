//! Seeded cases: the same ones in every run.

use std::fmt::Debug;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// How many cases a property gets whose cases cost `cost` times as much as a cheap one: of
/// `TRELLIS_CASES`, else of 10,000 in release and 64 in debug; never fewer than four.
pub(crate) fn count(cost: u64) -> u64 {
    let base = match std::env::var("TRELLIS_CASES") {
        Ok(number) => number.parse().expect("TRELLIS_CASES is a number"),
        Err(_) if cfg!(debug_assertions) => 64,
        Err(_) => 10_000,
    };
    (base / cost).max(4)
}

/// Runs a property over its cases.
pub(crate) fn each(cost: u64, property: impl Fn(&mut Case)) {
    for number in 0..count(cost) {
        property(&mut Case::new(number));
    }
}

/// One case: its number and what is drawn from it.
pub(crate) struct Case {
    pub(crate) number: u64,
    rng: ChaCha20Rng,
}

impl Case {
    pub(crate) fn new(number: u64) -> Self {
        Self { number, rng: ChaCha20Rng::seed_from_u64(number) }
    }

    /// `N` bytes; all zero in case 0, all ones in case 1.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// As [`array`](Self::array).
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.fill(&mut out);
        out
    }

    /// `length` bytes that are random in every case.
    pub(crate) fn random(&mut self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.rng.fill_bytes(&mut out);
        out
    }

    fn fill(&mut self, out: &mut [u8]) {
        match self.number {
            0 => {}
            1 => out.fill(0xFF),
            _ => self.rng.fill_bytes(out),
        }
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }

    /// A text of 0 to `most` bytes, every third one of a length next to a block.
    pub(crate) fn text(&mut self, most: usize) -> Vec<u8> {
        const EDGES: [usize; 14] = [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 136, 255, 256];
        let length = match self.below(3) {
            0 => EDGES[self.below(EDGES.len())].min(most),
            _ => self.below(most + 1),
        };
        self.bytes(length)
    }

    /// `bytes` with one to three bits flipped.
    pub(crate) fn altered(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        while out == bytes {
            for _ in 0..=self.below(3) {
                let at = self.below(out.len());
                out[at] ^= 1 << self.below(8);
            }
        }
        out
    }

    /// `bytes` as an attacker might send them: bits, bytes, runs, the length.
    pub(crate) fn mangled(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let at = self.below(out.len());
        match self.below(10) {
            0 | 1 => out = self.altered(bytes),
            2 => out[at] = [0x00, 0x01, 0x7F, 0x80, 0xFF][self.below(5)],
            3 => out[at..].fill(0),
            4 => out[at..].fill(0xFF),
            5 => out[..at].fill(0),
            6 => out[..at].fill(0xFF),
            7 => out.truncate(at),
            8 => {
                let more = 1 + self.below(4);
                out.extend(self.bytes(more));
            }
            _ => out = self.bytes(bytes.len()),
        }
        out
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in case {}", self.number);
        }
    }
}

/// Asserts that all of `results` are equal to the first, and returns that.
pub(crate) fn same<T: PartialEq + Debug>(results: impl IntoIterator<Item = T>) -> T {
    let mut results = results.into_iter();
    let first = results.next().unwrap();
    results.for_each(|other| assert_eq!(first, other));
    first
}
