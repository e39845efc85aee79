//! Randomness from a seed, so that a simulation can be run again.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use trellis_ciphersuites::hpke::{Info, SenderContext};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey};
use trellis_ciphersuites::symmetric::shake256;
use trellis_ciphersuites::{Backend, Error, Secret};
use zeroize::Zeroizing;

/// SHAKE256 over the seed, and either the number of the draw or the inputs of an operation. Whoever
/// has the seed has all that was ever drawn from it.
pub(crate) struct Seed {
    seed: Zeroizing<[u8; 32]>,
    drawn: AtomicU64,
}

impl Seed {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), drawn: AtomicU64::new(0) }
    }

    /// The next bytes.
    pub(crate) fn fill(&self, out: &mut [u8]) {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        out.copy_from_slice(&self.bytes(b"draw", &[&number.to_be_bytes()], out.len()));
    }

    /// A fresh key, from the next bytes.
    pub(crate) fn generate(
        &self,
        scheme: SignatureScheme,
        backend: Backend,
    ) -> Result<SigningKey, Error> {
        let mut private = Zeroizing::new(vec![0; scheme.private_key_len()]);
        loop {
            self.fill(&mut private);
            if scheme == SignatureScheme::EcdsaP521Sha512 {
                // A scalar has 521 bits, in 66 bytes.
                private[0] &= 1;
            }
            match SigningKey::from_bytes(scheme, backend, &private) {
                Err(Error::InvalidPrivateKey) => continue,
                done => return done,
            }
        }
    }

    /// The native backend adds to ECDSA what it draws itself (RFC 6979, section 3.6); the portable
    /// one adds nothing.
    pub(crate) fn signing_backend(scheme: SignatureScheme, backend: Backend) -> Backend {
        match scheme {
            SignatureScheme::EcdsaP256Sha256
            | SignatureScheme::EcdsaP384Sha384
            | SignatureScheme::EcdsaP521Sha512 => Backend::portable(),
            _ => backend,
        }
    }

    /// Signs; what ML-DSA is hedged with depends on the key and the message. A key of ECDSA has to
    /// be on its [`signing_backend`](Self::signing_backend).
    pub(crate) fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Error> {
        let drawn = self.bytes(b"sign", &[key.public_key(), message], 32);
        let mut randomness = Zeroizing::new([0; 32]);
        randomness.copy_from_slice(&drawn);
        key.sign_derandomized(message, &randomness)
    }

    /// An encapsulation that depends on the recipient and on `inputs`. It need not depend on `info`,
    /// which can be long: `info` enters into the keys after the encapsulated secret (RFC 9180,
    /// section 5.1), so they differ with it all the same.
    pub(crate) fn sender(
        &self,
        kem: KemAlgorithm,
        info: &Info<'_>,
        public: &[u8],
        psk: Option<(&[u8], &[u8])>,
        inputs: &[&[u8]],
    ) -> Result<(Vec<u8>, SenderContext), Error> {
        let inputs = [&[public], inputs].concat();
        let randomness = self.bytes(b"encapsulate", &inputs, kem.randomness_len());
        info.setup_sender_derandomized(public, psk, &randomness)
    }

    /// Each part stands behind its length, so that no two lists of parts make the same input.
    fn bytes(&self, label: &[u8], parts: &[&[u8]], length: usize) -> Secret {
        let size = parts.iter().map(|part| 8 + part.len()).sum::<usize>();
        let mut input = Zeroizing::new(Vec::with_capacity(32 + 8 + label.len() + size));
        input.extend_from_slice(&self.seed[..]);
        for part in [label].iter().chain(parts) {
            input.extend_from_slice(&(part.len() as u64).to_be_bytes());
            input.extend_from_slice(part);
        }
        shake256(Backend::default(), &input, length)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed(***, {} drawn)", self.drawn.load(Ordering::Relaxed))
    }
}
