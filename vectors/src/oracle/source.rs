//! Randomness for the crates, which draw it from a generator: given bytes, one after the other.

use std::convert::Infallible;

use ::hpke::rand_core::{TryCryptoRng, TryRng};
use trellis_ciphersuites::kem::KemAlgorithm;

use super::invalid;
use crate::Refusal;

/// The bytes of one encapsulation, in the order in which they are drawn.
pub(super) struct Source {
    bytes: Vec<u8>,
    drawn: usize,
    /// Whether more was drawn than there is.
    exhausted: bool,
}

impl Source {
    /// The given bytes, or fresh ones of the operating system.
    pub(super) fn new(kem: KemAlgorithm, given: Option<&[u8]>) -> Result<Self, Refusal> {
        let bytes = match given {
            Some(bytes) if bytes.len() == kem.randomness_len() => bytes.to_vec(),
            Some(_) => return Err(Refusal::Invalid("invalid-length")),
            None => fresh(kem.randomness_len())?,
        };
        Ok(Self { bytes, drawn: 0, exhausted: false })
    }

    /// Fails if the bytes held no scalar in range, so that the crate went on to draw
    /// (`RandomScalar` of draft-irtf-cfrg-concrete-hybrid-kems, section 3.1.1).
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.exhausted { Err(Refusal::Invalid("invalid-private-key")) } else { Ok(()) }
    }
}

/// Bytes of the operating system.
pub(super) fn fresh(length: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(invalid("no-entropy"))?;
    Ok(bytes)
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        match self.bytes.get(self.drawn..self.drawn + out.len()) {
            Some(next) => out.copy_from_slice(next),
            None => {
                // A scalar that every group accepts ends the search; `check` then refuses it.
                out.fill(1);
                self.exhausted = true;
            }
        }
        self.drawn += out.len();
        Ok(())
    }
}

impl TryCryptoRng for Source {}
