//! Random bytes: one generator per thread, seeded from the operating system.
//!
//! HPKE and signatures draw a few dozen bytes at a time and a group operation does so hundreds of
//! times; a system call for each is a measurable part of it. The generator here is ChaCha20 with
//! *fast key erasure*: each request replaces the key before it returns, so what a process holds
//! never tells what it drew before. It takes a fresh seed after 65,536 requests and
//! whenever it finds itself in another process than the one that seeded it (after `fork`, where
//! both processes would otherwise draw the same bytes).

use std::cell::RefCell;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::Error;

/// Requests served from one seed of the operating system.
const RESEED_AFTER: u32 = 1 << 16;

struct Generator {
    key: Zeroizing<[u8; 32]>,
    left: u32,
    process: u32,
}

thread_local! {
    static GENERATOR: RefCell<Generator> =
        RefCell::new(Generator { key: Zeroizing::new([0; 32]), left: 0, process: 0 });
}

/// The number of this process where the platform has processes, else 0.
fn process() -> u32 {
    if cfg!(target_family = "wasm") { 0 } else { std::process::id() }
}

impl Generator {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        let process = process();
        if self.left == 0 || self.process != process {
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(&mut seed[..]).map_err(|_| Error::NoEntropy)?;
            self.key = seed;
            self.left = RESEED_AFTER;
            self.process = process;
        }
        self.left -= 1;
        let mut stream = ChaCha20Rng::from_seed(*self.key);
        stream.fill_bytes(&mut self.key[..]);
        stream.fill_bytes(out);
        Ok(())
    }
}

/// Fills `out` with random bytes.
///
/// # Errors
///
/// [`Error::NoEntropy`] when the operating system has none to give.
pub fn fill(out: &mut [u8]) -> Result<(), Error> {
    GENERATOR.with_borrow_mut(|generator| generator.fill(out))
}

/// `N` random bytes that are wiped when dropped.
///
/// # Errors
///
/// [`Error::NoEntropy`], as [`fill`].
pub fn array<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut out = Zeroizing::new([0; N]);
    fill(&mut out[..])?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_equal() {
        let draws: std::collections::HashSet<_> =
            (0..1000).map(|_| *array::<16>().unwrap()).collect();
        assert_eq!(draws.len(), 1000);
    }

    #[test]
    fn a_draw_replaces_the_key_it_came_from() {
        let before = GENERATOR.with_borrow_mut(|g| {
            g.fill(&mut []).unwrap();
            *g.key
        });
        let drawn = array::<32>().unwrap();
        GENERATOR.with_borrow(|g| {
            assert_ne!(*g.key, before);
            assert_ne!(*g.key, *drawn);
        });
    }

    #[test]
    fn another_process_number_brings_another_seed() {
        let mut ours = Generator { key: Zeroizing::new([7; 32]), left: 9, process: process() };
        let mut child = Generator { key: Zeroizing::new([7; 32]), left: 9, process: process() ^ 1 };
        let (mut a, mut b) = ([0; 32], [0; 32]);
        ours.fill(&mut a).unwrap();
        child.fill(&mut b).unwrap();
        assert_ne!(a, b);
        assert_eq!(ours.left, 8);
        assert_eq!(child.left, RESEED_AFTER - 1);
    }

    #[test]
    fn threads_draw_different_bytes() {
        let draw = || std::thread::spawn(|| *array::<32>().unwrap());
        assert_ne!(draw().join().unwrap(), draw().join().unwrap());
    }
}
