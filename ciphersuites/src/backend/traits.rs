//! What a backend has to offer, one trait per kind of primitive.
//!
//! Lengths of keys, nonces and outputs were checked by the callers in `kem`, `signature` and
//! `symmetric` as far as the type system does not; an implementation still answers a wrong length
//! with an error. A message comes as `parts`, hashed as if concatenated, so that nobody copies a
//! megabyte to put a label in front of it.

use crate::Error;

/// A group with a Diffie-Hellman function.
pub(crate) trait Group: Sync {
    /// Writes the public key that belongs to `private`: 32 bytes of X25519, an uncompressed
    /// SEC 1 point otherwise. Fails with [`Error::InvalidPrivateKey`] outside `1..order`.
    fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error>;

    /// Writes the shared secret: the x coordinate, or the 32 bytes of X25519. Fails with
    /// [`Error::InvalidPublicKey`] if `public` is no valid element or the result is all zero.
    fn shared_secret(&self, private: &[u8], public: &[u8], secret: &mut [u8]) -> Result<(), Error>;

    /// Whether `public` is an element that a peer may send.
    fn check_public_key(&self, public: &[u8]) -> Result<(), Error>;

    /// Whether `private` has the right length and lies in `1..order`. Cheap, and in constant time.
    fn check_private_key(&self, private: &[u8]) -> Result<(), Error>;
}

/// A parameter set of ML-KEM (FIPS 203).
pub(crate) trait MlKem: Sync {
    /// Writes the encapsulation key of the seed `d ‖ z` (algorithm 16).
    fn encapsulation_key(&self, seed: &[u8; 64], key: &mut [u8]) -> Result<(), Error>;

    /// Checks the key (section 7.2), then writes the ciphertext and returns the shared secret for
    /// the randomness `m` (algorithm 17).
    fn encapsulate(
        &self,
        key: &[u8],
        m: &[u8; 32],
        ciphertext: &mut [u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error>;

    /// Expands the seed and decapsulates (algorithm 18). A wrong length is
    /// [`Error::InvalidEncapsulation`].
    fn decapsulate(
        &self,
        seed: &[u8; 64],
        ciphertext: &[u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error>;

    /// The check of section 7.2: length and modulus.
    fn check_encapsulation_key(&self, key: &[u8]) -> Result<(), Error>;
}

/// A signature scheme. Keys are expanded once and kept.
pub(crate) trait Scheme: Sync {
    /// Expands a private key.
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error>;

    /// Decodes and checks a public key.
    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error>;
}

/// An expanded private key.
pub(crate) trait Sign: Send + Sync {
    /// The encoded public key.
    fn public_key(&self) -> Vec<u8>;

    /// Signs; `randomness` hedges ML-DSA, the other schemes do not look at it.
    fn sign(&self, message: &[u8], randomness: &[u8; 32]) -> Result<Vec<u8>, Error>;
}

/// A decoded public key.
pub(crate) trait Verify: Send + Sync {
    /// Fails with [`Error::InvalidSignature`] for anything but a valid signature.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error>;
}

/// An AEAD with 12-byte nonces and 16-byte tags.
pub(crate) trait Aead: Sync {
    /// Encrypts in place and returns the tag.
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; 16], Error>;

    /// Decrypts in place. On failure `text` holds nothing of the plaintext.
    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error>;
}

/// A hash of the SHA-2 family with its HMAC (RFC 2104) and HKDF (RFC 5869).
pub(crate) trait Hash: Sync {
    /// Writes the digest; `out` has the length of the hash.
    fn hash(&self, parts: &[&[u8]], out: &mut [u8]);

    /// Writes the HMAC, which is also HKDF-Extract with `key` as salt.
    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]);

    /// HKDF-Expand. Fails with [`Error::OutputTooLong`] beyond 255 hashes.
    fn expand(&self, prk: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), Error>;
}

/// A Keccak function whose output has the length asked for. SHA3-256 is one with 32 bytes.
pub(crate) trait Xof: Sync {
    /// Writes the output.
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]);
}
