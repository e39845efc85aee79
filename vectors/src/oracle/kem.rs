//! The KEMs of the `hpke` crate: DHKEM (RFC 9180, section 4.1), ML-KEM and the hybrids
//! (draft-ietf-hpke-pq, sections 3 and 4).

use ::hpke::kem as oracle;
use ::hpke::{Deserializable, Kem, Serializable};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm};
use x25519_dalek::{PublicKey, StaticSecret};

use super::hpke::{Setup, setup};
use super::source::Source;
use super::{Of, invalid, symmetric};
use crate::{KeyPair, Refusal};

/// A KEM, and the configurations of HPKE that it is part of.
pub(super) trait Encapsulation {
    fn derive(&self, ikm: &[u8]) -> Result<KeyPair, Refusal>;
    fn public_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn encapsulate(
        &self,
        public: &[u8],
        source: &mut Source,
    ) -> Result<(Vec<u8>, Vec<u8>), Refusal>;
    fn decapsulate(&self, private: &[u8], enc: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn setup(&self, kdf: KdfAlgorithm, aead: AeadAlgorithm) -> Result<&'static dyn Setup, Refusal>;
}

/// The implementation of a KEM.
pub(super) fn kem(kem: KemAlgorithm) -> &'static dyn Encapsulation {
    match kem {
        KemAlgorithm::DhKemP256 => &Of::<oracle::DhP256HkdfSha256>::NEW,
        KemAlgorithm::DhKemP384 => &Of::<oracle::DhP384HkdfSha384>::NEW,
        KemAlgorithm::DhKemP521 => &Of::<oracle::DhP521HkdfSha512>::NEW,
        KemAlgorithm::DhKemX25519 => &Of::<oracle::X25519HkdfSha256>::NEW,
        KemAlgorithm::MlKem768 => &Of::<oracle::MlKem768>::NEW,
        KemAlgorithm::MlKem1024 => &Of::<oracle::MlKem1024>::NEW,
        KemAlgorithm::MlKem768P256 => &Of::<oracle::MlKem768P256>::NEW,
        KemAlgorithm::MlKem1024P384 => &Of::<oracle::MlKem1024P384>::NEW,
        KemAlgorithm::MlKem768X25519 => &Of::<oracle::XWing>::NEW,
    }
}

impl<K: Kem + 'static> Encapsulation for Of<K> {
    fn derive(&self, ikm: &[u8]) -> Result<KeyPair, Refusal> {
        let (private, public) = K::derive_keypair(ikm);
        let private = match K::KEM_ID {
            X25519 => x25519_private(ikm)?,
            _ => private.to_bytes().to_vec(),
        };
        Ok(KeyPair { private, public: public.to_bytes().to_vec() })
    }

    fn public_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(K::sk_to_pk(&decode_private::<K>(private)?).to_bytes().to_vec())
    }

    fn encapsulate(
        &self,
        public: &[u8],
        source: &mut Source,
    ) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        let public = decode_public::<K>(public)?;
        let (secret, enc) =
            K::encap_with_rng(&public, None, source).map_err(invalid("invalid-public-key"))?;
        source.check()?;
        Ok((enc.to_bytes().to_vec(), secret.0.to_vec()))
    }

    fn decapsulate(&self, private: &[u8], enc: &[u8]) -> Result<Vec<u8>, Refusal> {
        let private = decode_private::<K>(private)?;
        let enc = decode_enc::<K>(enc)?;
        let secret = K::decap(&private, None, &enc).map_err(invalid("invalid-encapsulation"))?;
        Ok(secret.0.to_vec())
    }

    fn setup(&self, kdf: KdfAlgorithm, aead: AeadAlgorithm) -> Result<&'static dyn Setup, Refusal> {
        setup::<K>(kdf, aead)
    }
}

/// A private key: a scalar in range, or a seed of any value.
pub(super) fn decode_private<K: Kem>(bytes: &[u8]) -> Result<K::PrivateKey, Refusal> {
    K::PrivateKey::from_bytes(bytes).map_err(invalid("invalid-private-key"))
}

/// A public key.
pub(super) fn decode_public<K: Kem>(bytes: &[u8]) -> Result<K::PublicKey, Refusal> {
    let key = K::PublicKey::from_bytes(bytes).map_err(invalid("invalid-public-key"))?;
    check_contribution::<K>(bytes).map_err(invalid("invalid-public-key"))?;
    Ok(key)
}

/// An encapsulated secret.
pub(super) fn decode_enc<K: Kem>(bytes: &[u8]) -> Result<K::EncappedKey, Refusal> {
    let enc = K::EncappedKey::from_bytes(bytes).map_err(invalid("invalid-encapsulation"))?;
    check_contribution::<K>(bytes).map_err(invalid("invalid-encapsulation"))?;
    Ok(enc)
}

/// DHKEM(X25519, HKDF-SHA256).
const X25519: u16 = 0x0020;
/// MLKEM768-X25519.
const X_WING: u16 = 0x647a;

/// Refuses a public key or encapsulation of MLKEM768-X25519 whose X25519 part has small order, so
/// that the result would be all zero. RFC 9180, section 7.1.4 demands it for DHKEM, where `hpke`
/// does it; for the hybrid it leaves the result as it is. A clamped scalar is a multiple of the
/// cofactor, so one scalar finds every such point.
fn check_contribution<K: Kem>(bytes: &[u8]) -> Result<(), ()> {
    if K::KEM_ID != X_WING {
        return Ok(());
    }
    let point: [u8; 32] = *bytes.last_chunk().ok_or(())?;
    let product = StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(point));
    if product.was_contributory() { Ok(()) } else { Err(()) }
}

/// `sk` of `DeriveKeyPair(ikm)` (RFC 9180, section 7.1.3) as it was derived. `hpke` clamps what it
/// serialises; the vectors of RFC 9180, appendix A have it without that.
fn x25519_private(ikm: &[u8]) -> Result<Vec<u8>, Refusal> {
    const LENGTH: u8 = 32;
    let suite_id = [b"KEM", &X25519.to_be_bytes()[..]].concat();
    let hash = symmetric::hash(HashAlgorithm::Sha256);
    let prk = hash.extract(b"", &[b"HPKE-v1", &suite_id[..], b"dkp_prk", ikm].concat());
    let info = [&[0, LENGTH], &b"HPKE-v1"[..], &suite_id, b"sk"].concat();
    hash.expand(&prk, &info, LENGTH.into())
}
