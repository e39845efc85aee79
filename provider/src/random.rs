//! Randomness for OpenMLS.

use openmls_traits::random::OpenMlsRand;
use trellis_ciphersuites::{Error, random};

use crate::TrellisCrypto;

/// From the generator of the calling thread, see [`trellis_ciphersuites::random`].
impl OpenMlsRand for TrellisCrypto {
    type Error = Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Error> {
        random::array().map(|array| *array)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Error> {
        let mut out = vec![0; len];
        random::fill(&mut out)?;
        Ok(out)
    }
}
