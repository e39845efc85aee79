//! Key encapsulation: DHKEM (RFC 9180), ML-KEM and the hybrids of both (draft-ietf-hpke-pq).
//!
//! A private key is the short string that the standard serialises: a scalar of DHKEM, the 64-byte
//! seed `d ‖ z` of ML-KEM, the 32-byte seed of a hybrid. It is expanded where it is used.
//!
//! What a peer sends is checked where it is used, too:
//!
//! | input | check | error |
//! |---|---|---|
//! | X25519 key or encapsulation | length; shared secret not all zero (RFC 9180, section 7.1.4) | `InvalidPublicKey`, `InvalidEncapsulation` |
//! | P-256, P-384, P-521 key or encapsulation | length, uncompressed, on the curve, coordinates reduced | `InvalidPublicKey`, `InvalidEncapsulation` |
//! | ML-KEM encapsulation key | length, modulus (FIPS 203, section 7.2) | `InvalidPublicKey` |
//! | ML-KEM ciphertext | length; anything else is implicit rejection | `InvalidEncapsulation` |
//!
//! The drafts of the hybrids leave open what an all-zero X25519 result means there. It is rejected
//! like in DHKEM: no honest key leads to it, the error depends on the peer's bytes alone, and the
//! two families then have one rule.

mod dhkem;
mod group;
mod hybrid;
mod mlkem;

use zeroize::Zeroizing;

use crate::Protection::{self, *};
use crate::backend::{Backend, Primitives};
use crate::identifiers::identifiers;
use crate::{Error, Secret, random};
use dhkem::DhKem;
use group::{P256, P384, P521, X25519};
use hybrid::Hybrid;
use mlkem::{MLKEM768, MLKEM1024};

/// A key encapsulation mechanism.
///
/// The numbers are those of the HPKE KEM registry.
///
/// ```
/// use trellis_ciphersuites::{Backend, kem::KemAlgorithm};
///
/// let (kem, backend) = (KemAlgorithm::MlKem768X25519, Backend::default());
/// let pair = kem.generate_key_pair(backend)?;
/// let (enc, sent) = kem.encapsulate(backend, &pair.public)?;
/// let received = kem.decapsulate(backend, &pair.private, &enc)?;
/// assert_eq!(sent, received);
/// assert_eq!((pair.public.len(), enc.len(), pair.private.len()), (1216, 1120, 32));
/// # Ok::<(), trellis_ciphersuites::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KemAlgorithm {
    /// DHKEM(P-256, HKDF-SHA256), RFC 9180, section 4.1.
    DhKemP256,
    /// DHKEM(P-384, HKDF-SHA384), RFC 9180, section 4.1.
    DhKemP384,
    /// DHKEM(P-521, HKDF-SHA512), RFC 9180, section 4.1.
    DhKemP521,
    /// DHKEM(X25519, HKDF-SHA256), RFC 9180, section 4.1.
    DhKemX25519,
    /// ML-KEM-768, draft-ietf-hpke-pq, section 3.
    MlKem768,
    /// ML-KEM-1024, draft-ietf-hpke-pq, section 3.
    MlKem1024,
    /// MLKEM768-P256, draft-ietf-hpke-pq, section 4.
    MlKem768P256,
    /// MLKEM1024-P384, draft-ietf-hpke-pq, section 4.
    MlKem1024P384,
    /// MLKEM768-X25519, draft-ietf-hpke-pq, section 4: X-Wing
    /// (draft-connolly-cfrg-xwing-kem) with a labelled `DeriveKeyPair`.
    MlKem768X25519,
}

/// One KEM on given primitives. All slices have the lengths of its table row, save those that come
/// from a peer: public key and encapsulated secret.
trait Kem: Sync {
    /// `DeriveKeyPair(ikm)`, the private half.
    fn derive(&self, p: &'static Primitives, ikm: &[u8], private: &mut [u8]) -> Result<(), Error>;

    /// The public key of a private key.
    fn public_key(
        &self,
        p: &'static Primitives,
        private: &[u8],
        public: &mut [u8],
    ) -> Result<(), Error>;

    fn check_public_key(&self, p: &'static Primitives, public: &[u8]) -> Result<(), Error>;

    fn encapsulate(
        &self,
        p: &'static Primitives,
        public: &[u8],
        randomness: &[u8],
        enc: &mut [u8],
        secret: &mut [u8],
    ) -> Result<(), Error>;

    fn decapsulate(
        &self,
        p: &'static Primitives,
        private: &[u8],
        enc: &[u8],
        secret: &mut [u8],
    ) -> Result<(), Error>;
}

struct Row {
    id: u16,
    name: &'static str,
    public: usize,
    enc: usize,
    private: usize,
    secret: usize,
    randomness: usize,
    protection: Protection,
    kem: &'static dyn Kem,
}

#[rustfmt::skip]
static TABLE: [Row; 9] = [
    Row { id: 0x0010, name: "DHKEM(P-256, HKDF-SHA256)",   public: 65,   enc: 65,   private: 32, secret: 32, randomness: 32,  protection: Classical, kem: &DhKem { id: 0x0010, group: &P256 } },
    Row { id: 0x0011, name: "DHKEM(P-384, HKDF-SHA384)",   public: 97,   enc: 97,   private: 48, secret: 48, randomness: 48,  protection: Classical, kem: &DhKem { id: 0x0011, group: &P384 } },
    Row { id: 0x0012, name: "DHKEM(P-521, HKDF-SHA512)",   public: 133,  enc: 133,  private: 66, secret: 64, randomness: 66,  protection: Classical, kem: &DhKem { id: 0x0012, group: &P521 } },
    Row { id: 0x0020, name: "DHKEM(X25519, HKDF-SHA256)",  public: 32,   enc: 32,   private: 32, secret: 32, randomness: 32,  protection: Classical, kem: &DhKem { id: 0x0020, group: &X25519 } },
    Row { id: 0x0041, name: "ML-KEM-768",                  public: 1184, enc: 1088, private: 64, secret: 32, randomness: 32,  protection: PostQuantum, kem: &MLKEM768 },
    Row { id: 0x0042, name: "ML-KEM-1024",                 public: 1568, enc: 1568, private: 64, secret: 32, randomness: 32,  protection: PostQuantum, kem: &MLKEM1024 },
    Row { id: 0x0050, name: "MLKEM768-P256",               public: 1249, enc: 1153, private: 32, secret: 32, randomness: 160, protection: Hybrid, kem: &Hybrid { id: 0x0050, post_quantum: &MLKEM768,  group: &P256,   label: b"MLKEM768-P256" } },
    Row { id: 0x0051, name: "MLKEM1024-P384",              public: 1665, enc: 1665, private: 32, secret: 32, randomness: 80,  protection: Hybrid, kem: &Hybrid { id: 0x0051, post_quantum: &MLKEM1024, group: &P384,   label: b"MLKEM1024-P384" } },
    Row { id: 0x647a, name: "MLKEM768-X25519",             public: 1216, enc: 1120, private: 32, secret: 32, randomness: 64,  protection: Hybrid, kem: &Hybrid { id: 0x647a, post_quantum: &MLKEM768,  group: &X25519, label: b"\\.//^\\" } },
];

identifiers!(
    KemAlgorithm,
    DhKemP256,
    DhKemP384,
    DhKemP521,
    DhKemX25519,
    MlKem768,
    MlKem1024,
    MlKem768P256,
    MlKem1024P384,
    MlKem768X25519
);

/// A private key beside its public key.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The private key, [`KemAlgorithm::private_key_len`] bytes.
    pub private: Secret,
    /// The public key, [`KemAlgorithm::public_key_len`] bytes.
    pub public: Vec<u8>,
}

impl KemAlgorithm {
    /// Bytes of a public key, `Npk`.
    #[must_use]
    pub const fn public_key_len(self) -> usize {
        self.row().public
    }

    /// Bytes of an encapsulated secret, `Nenc`.
    #[must_use]
    pub const fn enc_len(self) -> usize {
        self.row().enc
    }

    /// Bytes of a private key, `Nsk`.
    #[must_use]
    pub const fn private_key_len(self) -> usize {
        self.row().private
    }

    /// Bytes of a shared secret, `Nsecret`.
    #[must_use]
    pub const fn secret_len(self) -> usize {
        self.row().secret
    }

    /// Bytes that an encapsulation draws at random.
    #[must_use]
    pub const fn randomness_len(self) -> usize {
        self.row().randomness
    }

    /// Against whom it protects.
    #[must_use]
    pub const fn protection(self) -> Protection {
        self.row().protection
    }

    /// A fresh key pair, `GenerateKeyPair()`.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntropy`].
    pub fn generate_key_pair(self, backend: Backend) -> Result<KeyPair, Error> {
        let mut ikm = Zeroizing::new([0; MAX_PRIVATE]);
        let ikm = &mut ikm[..self.row().private];
        random::fill(ikm)?;
        self.derive_key_pair(backend, ikm)
    }

    /// The key pair that belongs to `ikm`, `DeriveKeyPair(ikm)`: RFC 9180, section 7.1.3 for
    /// DHKEM; `SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", Nsk)` of draft-ietf-hpke-pq for
    /// the others. A scalar of X25519 is given as it was derived, not clamped; it means the same.
    /// `ikm` should hold at least [`private_key_len`](Self::private_key_len) bytes of entropy; 32
    /// suffice for a hybrid.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPrivateKey`] if 256 candidates were out of range, which is as likely as
    /// breaking the group (P-256, P-384 and P-521 only).
    pub fn derive_key_pair(self, backend: Backend, ikm: &[u8]) -> Result<KeyPair, Error> {
        let mut private = Secret::zeroed(self.row().private);
        self.row().kem.derive(backend.primitives(), ikm, private.as_mut())?;
        let public = self.public_key(backend, &private)?;
        Ok(KeyPair { private, public })
    }

    /// The public key of a private key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPrivateKey`].
    pub fn public_key(self, backend: Backend, private: &[u8]) -> Result<Vec<u8>, Error> {
        self.check_private_len(private)?;
        let mut public = vec![0; self.row().public];
        self.row().kem.public_key(backend.primitives(), private, &mut public)?;
        Ok(public)
    }

    /// Checks a peer's public key as an encapsulation would.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPublicKey`].
    pub fn check_public_key(self, backend: Backend, public: &[u8]) -> Result<(), Error> {
        self.check_public_len(public)?;
        self.row().kem.check_public_key(backend.primitives(), public)
    }

    /// A fresh shared secret and its encapsulation for `public`: `Encap(pkR)`, first the
    /// encapsulated secret ([`enc_len`](Self::enc_len) bytes), then the shared secret.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPublicKey`], [`Error::NoEntropy`].
    pub fn encapsulate(self, backend: Backend, public: &[u8]) -> Result<(Vec<u8>, Secret), Error> {
        let mut randomness = Zeroizing::new([0; MAX_RANDOMNESS]);
        let randomness = &mut randomness[..self.row().randomness];
        random::fill(randomness)?;
        self.encapsulate_with(backend, public, randomness)
    }

    /// [`encapsulate`](Self::encapsulate) with given randomness,
    /// [`randomness_len`](Self::randomness_len) bytes: the `ikmE` of RFC 9180 for DHKEM, `m` for
    /// ML-KEM, `m` and the seed of the group for a hybrid.
    ///
    /// # Errors
    ///
    /// As [`encapsulate`](Self::encapsulate), [`Error::InvalidLength`] for randomness of another
    /// length, and [`Error::InvalidPrivateKey`] if the randomness for P-256 or P-384 holds no
    /// scalar in range, which happens to random bytes with a chance below 2^-127.
    #[cfg(feature = "hazmat")]
    pub fn encapsulate_derandomized(
        self,
        backend: Backend,
        public: &[u8],
        randomness: &[u8],
    ) -> Result<(Vec<u8>, Secret), Error> {
        if randomness.len() != self.row().randomness {
            return Err(Error::InvalidLength);
        }
        self.encapsulate_with(backend, public, randomness)
    }

    fn encapsulate_with(
        self,
        backend: Backend,
        public: &[u8],
        randomness: &[u8],
    ) -> Result<(Vec<u8>, Secret), Error> {
        self.check_public_len(public)?;
        let mut enc = vec![0; self.row().enc];
        let mut secret = Secret::zeroed(self.row().secret);
        self.row().kem.encapsulate(
            backend.primitives(),
            public,
            randomness,
            &mut enc,
            secret.as_mut(),
        )?;
        Ok((enc, secret))
    }

    /// The shared secret in an encapsulation, `Decap(enc, skR)`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPrivateKey`], [`Error::InvalidEncapsulation`].
    pub fn decapsulate(
        self,
        backend: Backend,
        private: &[u8],
        enc: &[u8],
    ) -> Result<Secret, Error> {
        self.check_private_len(private)?;
        if enc.len() != self.row().enc {
            return Err(Error::InvalidEncapsulation);
        }
        let mut secret = Secret::zeroed(self.row().secret);
        self.row().kem.decapsulate(backend.primitives(), private, enc, secret.as_mut())?;
        Ok(secret)
    }

    fn check_private_len(self, private: &[u8]) -> Result<(), Error> {
        if private.len() == self.row().private { Ok(()) } else { Err(Error::InvalidPrivateKey) }
    }

    fn check_public_len(self, public: &[u8]) -> Result<(), Error> {
        if public.len() == self.row().public { Ok(()) } else { Err(Error::InvalidPublicKey) }
    }
}

/// The longest private key of the table: P-521.
const MAX_PRIVATE: usize = 66;

/// The most randomness of the table: MLKEM768-P256.
const MAX_RANDOMNESS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffers_hold_every_row() {
        assert_eq!(TABLE.iter().map(|row| row.private).max(), Some(MAX_PRIVATE));
        assert_eq!(TABLE.iter().map(|row| row.randomness).max(), Some(MAX_RANDOMNESS));
    }
}
