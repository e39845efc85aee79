//! ML-KEM (FIPS 203) as a KEM of HPKE (draft-ietf-hpke-pq, section 3).

use super::Kem;
use super::dhkem::suite_id;
use crate::Error;
use crate::backend::{MlKem as Engine, Primitives};
use crate::symmetric::labeled_derive;

/// A parameter set.
pub(super) struct MlKem {
    pub(super) id: u16,
    pub(super) engine: fn(&'static Primitives) -> &'static dyn Engine,
    /// Bytes of an encapsulation key.
    pub(super) key: usize,
    /// Bytes of a ciphertext.
    pub(super) ciphertext: usize,
}

#[rustfmt::skip]
pub(super) static MLKEM768: MlKem  = MlKem { id: 0x0041, engine: |p| p.ml_kem_768,  key: 1184, ciphertext: 1088 };
#[rustfmt::skip]
pub(super) static MLKEM1024: MlKem = MlKem { id: 0x0042, engine: |p| p.ml_kem_1024, key: 1568, ciphertext: 1568 };

impl MlKem {
    pub(super) fn on(&self, p: &'static Primitives) -> &'static dyn Engine {
        (self.engine)(p)
    }
}

/// `SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", Nsk)` of the KEM `id`: the seed of a key of
/// ML-KEM or of a hybrid (draft-ietf-hpke-pq, sections 3 and 4).
pub(super) fn derive_seed(
    p: &'static Primitives,
    id: u16,
    ikm: &[u8],
    seed: &mut [u8],
) -> Result<(), Error> {
    labeled_derive(p.shake256, &suite_id(id), &[ikm], b"DeriveKeyPair", &[], seed)
}

impl Kem for MlKem {
    fn derive(&self, p: &'static Primitives, ikm: &[u8], private: &mut [u8]) -> Result<(), Error> {
        derive_seed(p, self.id, ikm, private)
    }

    fn public_key(
        &self,
        p: &'static Primitives,
        private: &[u8],
        public: &mut [u8],
    ) -> Result<(), Error> {
        self.on(p).encapsulation_key(exact(private)?, public)
    }

    fn check_public_key(&self, p: &'static Primitives, public: &[u8]) -> Result<(), Error> {
        self.on(p).check_encapsulation_key(public)
    }

    fn encapsulate(
        &self,
        p: &'static Primitives,
        public: &[u8],
        randomness: &[u8],
        enc: &mut [u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let m = randomness.try_into().map_err(|_| Error::InvalidLength)?;
        let secret = secret.try_into().map_err(|_| Error::InvalidLength)?;
        self.on(p).encapsulate(public, m, enc, secret)
    }

    fn decapsulate(
        &self,
        p: &'static Primitives,
        private: &[u8],
        enc: &[u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let secret = secret.try_into().map_err(|_| Error::InvalidLength)?;
        self.on(p).decapsulate(exact(private)?, enc, secret)
    }
}

fn exact(seed: &[u8]) -> Result<&[u8; 64], Error> {
    seed.try_into().map_err(|_| Error::InvalidPrivateKey)
}
