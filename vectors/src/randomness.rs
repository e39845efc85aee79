//! Randomness that comes from a seed, so that a set of vectors can be made again.

use std::sync::atomic::{AtomicU64, Ordering};

use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::shake256;

/// A source of bytes: SHAKE256 of seed, path and number. Whoever has the seed has every byte, so
/// this is for vectors and nothing else.
#[derive(Debug)]
pub struct Randomness {
    seed: Vec<u8>,
    drawn: AtomicU64,
}

impl Randomness {
    /// The source of a seed.
    #[must_use]
    pub fn new(seed: &[u8]) -> Self {
        Self { seed: seed.to_vec(), drawn: AtomicU64::new(0) }
    }

    /// An independent source for a part, so that one part does not move when another changes.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self::new(&[&self.seed[..], b"/", name.as_bytes()].concat())
    }

    /// The next bytes.
    #[must_use]
    pub fn bytes(&self, length: usize) -> Vec<u8> {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let input = [&self.seed[..], b"#", &number.to_be_bytes()].concat();
        shake256(Backend::portable(), &input, length).into_inner()
    }

    /// A number below `bound`, which is not zero; the bias is below `bound` / 2^64.
    #[must_use]
    pub fn below(&self, bound: usize) -> usize {
        let bytes = self.bytes(8).try_into().expect("eight bytes");
        usize::try_from(u64::from_be_bytes(bytes) % bound as u64).expect("below a usize")
    }

    /// Bytes that depend on `context` and the seed alone, not on what was drawn before. What several
    /// threads ask for in any order comes out the same.
    #[must_use]
    pub fn for_context(&self, context: &[&[u8]], length: usize) -> Vec<u8> {
        let mut input = [&self.seed[..], b"@"].concat();
        for part in context {
            input.extend((part.len() as u64).to_be_bytes());
            input.extend_from_slice(part);
        }
        shake256(Backend::portable(), &input, length).into_inner()
    }
}
