//! ML-KEM and a group in one KEM: the one combiner of every hybrid suite.
//!
//! This is the `CG` construction of draft-irtf-cfrg-hybrid-kems (section 5.5) with SHAKE256 as
//! generator and SHA3-256 as combining function, as draft-irtf-cfrg-concrete-hybrid-kems
//! instantiates it; with ML-KEM-768 and X25519 it is X-Wing (draft-connolly-cfrg-xwing-kem). The
//! ML-KEM part comes first in keys, ciphertexts and seeds. A private key is 32 bytes.

use zeroize::Zeroizing;

use super::Kem;
use super::dhkem::of_peer;
use super::group::{Group, MAX_ELEMENT, MAX_SCALAR, MAX_SEED};
use super::mlkem::{MlKem, derive_seed};
use crate::Error;
use crate::backend::Primitives;

pub(super) struct Hybrid {
    pub(super) id: u16,
    pub(super) post_quantum: &'static MlKem,
    pub(super) group: &'static Group,
    /// Separates the hybrids from each other.
    pub(super) label: &'static [u8],
}

/// Bytes of an ML-KEM seed.
const ML_KEM_SEED: usize = 64;

/// Both private keys behind one seed.
struct Expanded {
    /// The seed of ML-KEM, then the seed of the group.
    seeds: Zeroizing<[u8; ML_KEM_SEED + MAX_SEED]>,
    group_seed: usize,
}

impl Expanded {
    fn ml_kem(&self) -> Result<&[u8; ML_KEM_SEED], Error> {
        self.seeds.first_chunk().ok_or(Error::InvalidPrivateKey)
    }

    fn group(&self) -> &[u8] {
        &self.seeds[ML_KEM_SEED..ML_KEM_SEED + self.group_seed]
    }
}

impl Hybrid {
    /// `expandDecapsKeyG(seed)` up to the point where keys are computed.
    fn expand(&self, p: &'static Primitives, private: &[u8]) -> Expanded {
        let group_seed = self.group.seed;
        let mut seeds = Zeroizing::new([0; ML_KEM_SEED + MAX_SEED]);
        p.shake256.digest(&[private], &mut seeds[..ML_KEM_SEED + group_seed]);
        Expanded { seeds, group_seed }
    }

    /// `C2PRICombiner`: SHA3-256(ss_PQ ‖ ss_T ‖ ct_T ‖ ek_T ‖ label). What ML-KEM sent is left out,
    /// because its secret already depends on it.
    fn combine(
        &self,
        p: &'static Primitives,
        post_quantum: &[u8],
        group: &[u8],
        enc: &[u8],
        public: &[u8],
        secret: &mut [u8],
    ) {
        p.sha3_256.digest(&[post_quantum, group, enc, public, self.label], secret);
    }
}

impl Kem for Hybrid {
    fn derive(&self, p: &'static Primitives, ikm: &[u8], private: &mut [u8]) -> Result<(), Error> {
        derive_seed(p, self.id, ikm, private)
    }

    fn public_key(
        &self,
        p: &'static Primitives,
        private: &[u8],
        public: &mut [u8],
    ) -> Result<(), Error> {
        let expanded = self.expand(p, private);
        let (post_quantum, group) = public.split_at_mut(self.post_quantum.key);
        self.post_quantum.on(p).encapsulation_key(expanded.ml_kem()?, post_quantum)?;
        let scalar = self.group.random_scalar(p, expanded.group())?;
        self.group.on(p).public_key(scalar, group)
    }

    fn check_public_key(&self, p: &'static Primitives, public: &[u8]) -> Result<(), Error> {
        let (post_quantum, group) = public.split_at(self.post_quantum.key);
        self.post_quantum.on(p).check_encapsulation_key(post_quantum)?;
        self.group.on(p).check_public_key(group)
    }

    fn encapsulate(
        &self,
        p: &'static Primitives,
        public: &[u8],
        randomness: &[u8],
        enc: &mut [u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let (post_quantum_key, group_key) = public.split_at(self.post_quantum.key);
        let (post_quantum_enc, group_enc) = enc.split_at_mut(self.post_quantum.ciphertext);
        let (m, seed) = randomness.split_first_chunk().ok_or(Error::InvalidLength)?;
        let group = self.group.on(p);

        let ephemeral = self.group.random_scalar(p, seed)?;
        group.public_key(ephemeral, group_enc)?;
        let mut shared = Zeroizing::new([0; MAX_SCALAR]);
        let shared = &mut shared[..self.group.shared];
        group.shared_secret(ephemeral, group_key, shared)?;

        let mut post_quantum = Zeroizing::new([0; 32]);
        self.post_quantum.on(p).encapsulate(
            post_quantum_key,
            m,
            post_quantum_enc,
            &mut post_quantum,
        )?;

        self.combine(p, &post_quantum[..], shared, group_enc, group_key, secret);
        Ok(())
    }

    fn decapsulate(
        &self,
        p: &'static Primitives,
        private: &[u8],
        enc: &[u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let expanded = self.expand(p, private);
        let (post_quantum_enc, group_enc) = enc.split_at(self.post_quantum.ciphertext);
        let group = self.group.on(p);

        let scalar = self.group.random_scalar(p, expanded.group())?;
        let mut shared = Zeroizing::new([0; MAX_SCALAR]);
        let shared = &mut shared[..self.group.shared];
        group.shared_secret(scalar, group_enc, shared).map_err(of_peer)?;
        let mut public = [0; MAX_ELEMENT];
        let public = &mut public[..self.group.element];
        group.public_key(scalar, public)?;

        let mut post_quantum = Zeroizing::new([0; 32]);
        self.post_quantum.on(p).decapsulate(
            expanded.ml_kem()?,
            post_quantum_enc,
            &mut post_quantum,
        )?;

        self.combine(p, &post_quantum[..], shared, group_enc, public, secret);
        Ok(())
    }
}
