//! Hybrid public key encryption: RFC 9180, and draft-ietf-hpke-hpke for the one-stage functions.
//!
//! Modes base and PSK. The authenticated modes are left out, since no post-quantum KEM has them
//! and MLS uses none.
//!
//! Everything starts at an [`Hpke`], which is a KEM, a KDF and an AEAD on a backend. Its
//! [`info`](Hpke::info) takes the `info` string of the application and gives an [`Info`], which
//! does all the rest; so what depends on `info` alone is hashed once, however many recipients
//! follow.
//!
//! ```
//! use trellis_ciphersuites::{Backend, CipherSuite, hpke::Hpke};
//!
//! let suite: CipherSuite = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519".parse()?;
//! let hpke = Hpke::new(suite.hpke(), Backend::default());
//! let recipient = hpke.generate_key_pair()?;
//!
//! let info = hpke.info(b"an application");
//! let (enc, sealed) = info.seal(&recipient.public, b"header", b"frost tonight")?;
//! let opened = info.open(&enc, &recipient.private, b"header", &sealed)?;
//! assert_eq!(opened[..], *b"frost tonight");
//! # Ok::<(), trellis_ciphersuites::Error>(())
//! ```

mod context;
mod info;
mod schedule;

pub use context::{ReceiverContext, SenderContext};
pub use info::Info;

use crate::Error;
use crate::backend::Backend;
use crate::kem::{KemAlgorithm, KeyPair};
use crate::symmetric::{AeadAlgorithm, KdfAlgorithm};

/// The three algorithms of an HPKE configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HpkeSuite {
    /// The key encapsulation mechanism.
    pub kem: KemAlgorithm,
    /// The key derivation function.
    pub kdf: KdfAlgorithm,
    /// The AEAD.
    pub aead: AeadAlgorithm,
}

impl HpkeSuite {
    /// `concat("HPKE", I2OSP(kem_id, 2), I2OSP(kdf_id, 2), I2OSP(aead_id, 2))`
    /// (RFC 9180, section 5.1).
    #[must_use]
    pub const fn suite_id(self) -> [u8; 10] {
        let [a, b] = self.kem.id().to_be_bytes();
        let [c, d] = self.kdf.id().to_be_bytes();
        let [e, f] = self.aead.id().to_be_bytes();
        [b'H', b'P', b'K', b'E', a, b, c, d, e, f]
    }
}

/// An HPKE configuration on a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hpke {
    suite: HpkeSuite,
    backend: Backend,
}

impl Hpke {
    /// Three algorithms on a backend.
    #[must_use]
    pub const fn new(suite: HpkeSuite, backend: Backend) -> Self {
        Self { suite, backend }
    }

    /// The three algorithms.
    #[must_use]
    pub const fn suite(&self) -> HpkeSuite {
        self.suite
    }

    /// A fresh key pair of the KEM.
    ///
    /// # Errors
    ///
    /// As [`KemAlgorithm::generate_key_pair`].
    pub fn generate_key_pair(&self) -> Result<KeyPair, Error> {
        self.suite.kem.generate_key_pair(self.backend)
    }

    /// The key pair of the KEM that belongs to `ikm`.
    ///
    /// # Errors
    ///
    /// As [`KemAlgorithm::derive_key_pair`].
    pub fn derive_key_pair(&self, ikm: &[u8]) -> Result<KeyPair, Error> {
        self.suite.kem.derive_key_pair(self.backend, ikm)
    }

    /// Binds the `info` string of the application, and hashes it if the KDF has two stages.
    #[must_use]
    pub fn info<'a>(&self, info: &'a [u8]) -> Info<'a> {
        Info::new(*self, info)
    }
}
