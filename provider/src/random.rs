//! Randomness for OpenMLS.

use openmls_traits::random::OpenMlsRand;
use trellis_ciphersuites::Error;

use crate::TrellisCrypto;

/// From the generator of the calling thread, see [`trellis_ciphersuites::random`], or from a seed.
impl OpenMlsRand for TrellisCrypto {
    type Error = Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        self.source.fill(&mut out)?;
        Ok(out)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Error> {
        let mut out = vec![0; len];
        self.source.fill(&mut out)?;
        Ok(out)
    }
}
