//! The native backend: graviola (assembly of s2n-bignum and SIMD, no C compiler) where it was
//! measured to be the fastest, and what the portable backend uses for the rest.
//!
//! Whoever reaches this table has asked [`is_supported`]; graviola would otherwise panic.

use graviola::aead::{AesGcm, ChaCha20Poly1305};
use graviola::hashing::{self, sha3};
use graviola::key_agreement::{mlkem768, p256, p384, x25519};
use graviola::signing::{ecdsa, eddsa};

use super::{Aead, Group, MlKem, Primitives, Scheme, Sign, Verify, Xof, portable};
use crate::Error;

/// Whether this processor has the instructions.
pub(super) fn is_supported() -> bool {
    graviola::util::is_cpu_supported()
}

pub(super) static PRIMITIVES: Primitives = Primitives {
    name: "native",
    x25519: &X25519,
    p256: &P256,
    p384: &P384,
    p521: portable::PRIMITIVES.p521,
    ml_kem_768: &MlKem768,
    ml_kem_1024: &MlKem1024,
    ed25519: &Ed25519,
    ecdsa_p256: &P256,
    ecdsa_p384: &P384,
    ecdsa_p521: portable::PRIMITIVES.ecdsa_p521,
    ml_dsa_44: portable::PRIMITIVES.ml_dsa_44,
    ml_dsa_65: portable::PRIMITIVES.ml_dsa_65,
    ml_dsa_87: portable::PRIMITIVES.ml_dsa_87,
    aes_128_gcm: &Gcm::<16>(portable::PRIMITIVES.aes_128_gcm),
    aes_256_gcm: &Gcm::<32>(portable::PRIMITIVES.aes_256_gcm),
    chacha20_poly1305: &ChaChaPoly,
    sha256: portable::PRIMITIVES.sha256,
    sha384: portable::PRIMITIVES.sha384,
    sha512: portable::PRIMITIVES.sha512,
    sha3_256: &Sha3_256,
    shake128: &Shake128,
    shake256: &Shake256,
};

struct X25519;

impl X25519 {
    fn secret(private: &[u8]) -> Result<x25519::StaticPrivateKey, Error> {
        x25519::StaticPrivateKey::try_from_slice(private).map_err(|_| Error::InvalidPrivateKey)
    }
}

impl Group for X25519 {
    fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
        public.copy_from_slice(&Self::secret(private)?.public_key().as_bytes());
        Ok(())
    }

    /// graviola answers an all-zero result with an error of its own.
    fn shared_secret(&self, private: &[u8], public: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public =
            x25519::PublicKey::try_from_slice(public).map_err(|_| Error::InvalidPublicKey)?;
        let shared =
            Self::secret(private)?.diffie_hellman(&public).map_err(|_| Error::InvalidPublicKey)?;
        out.copy_from_slice(&shared.0);
        Ok(())
    }

    fn check_public_key(&self, public: &[u8]) -> Result<(), Error> {
        self.shared_secret(&[1; 32], public, &mut [0; 32])
    }

    fn check_private_key(&self, private: &[u8]) -> Result<(), Error> {
        Self::secret(private).map(drop)
    }
}

/// A curve of graviola: Diffie-Hellman and verification.
macro_rules! curve {
    ($name:ident, $module:ident, $hash:ident, $scalar:literal) => {
        struct $name;

        impl $name {
            fn secret(private: &[u8]) -> Result<$module::StaticPrivateKey, Error> {
                if private.len() != $scalar {
                    return Err(Error::InvalidPrivateKey);
                }
                $module::StaticPrivateKey::from_bytes(private).map_err(|_| Error::InvalidPrivateKey)
            }

            fn public(public: &[u8]) -> Result<$module::PublicKey, Error> {
                $module::PublicKey::from_x962_uncompressed(public)
                    .map_err(|_| Error::InvalidPublicKey)
            }

            fn verifying_key(public: &[u8]) -> Result<Box<dyn Verify>, Error> {
                Ok(Box::new(ecdsa::VerifyingKey::<ecdsa::$name> {
                    public_key: Self::public(public)?,
                }))
            }
        }

        impl Group for $name {
            fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
                Self::multiply_base(private, public)
            }

            fn shared_secret(
                &self,
                private: &[u8],
                public: &[u8],
                out: &mut [u8],
            ) -> Result<(), Error> {
                let shared = Self::secret(private)?
                    .diffie_hellman(&Self::public(public)?)
                    .map_err(|_| Error::InvalidPublicKey)?;
                out.copy_from_slice(&shared.0);
                Ok(())
            }

            fn check_public_key(&self, public: &[u8]) -> Result<(), Error> {
                Self::public(public).map(drop)
            }

            fn check_private_key(&self, private: &[u8]) -> Result<(), Error> {
                Self::secret(private).map(drop)
            }
        }

        impl Verify for ecdsa::VerifyingKey<ecdsa::$name> {
            fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
                self.verify_asn1::<hashing::$hash>(&[message], signature)
                    .map_err(|_| Error::InvalidSignature)
            }
        }
    };
}

curve!(P256, p256, Sha256, 32);
curve!(P384, p384, Sha384, 48);

impl P256 {
    fn multiply_base(private: &[u8], public: &mut [u8]) -> Result<(), Error> {
        public.copy_from_slice(&Self::secret(private)?.public_key_uncompressed());
        Ok(())
    }
}

impl P384 {
    /// RustCrypto multiplies the base point of P-384 faster; signing is little else.
    fn multiply_base(private: &[u8], public: &mut [u8]) -> Result<(), Error> {
        portable::P384.public_key(private, public)
    }
}

impl Scheme for P256 {
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
        Ok(Box::new(ecdsa::SigningKey::<ecdsa::P256> { private_key: Self::secret(private)? }))
    }

    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
        Self::verifying_key(public)
    }
}

impl Scheme for P384 {
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
        portable::P384.signing_key(private)
    }

    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
        Self::verifying_key(public)
    }
}

impl Sign for ecdsa::SigningKey<ecdsa::P256> {
    fn public_key(&self) -> Vec<u8> {
        self.private_key.public_key_uncompressed().to_vec()
    }

    /// RFC 6979 with added randomness (its section 3.6).
    fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<Vec<u8>, Error> {
        // A sequence of two integers of at most 33 bytes, each of the three with its header.
        let mut out = [0; 2 + 2 * (2 + 33)];
        self.sign_asn1::<hashing::Sha256>(&[message], &mut out)
            .map(|signature| signature.to_vec())
            .map_err(|_| Error::SigningFailed)
    }
}

/// ML-KEM-768. The functions with seeds are hidden in graviola's documentation, which is why its
/// version is pinned; known answers and Wycheproof guard their meaning.
struct MlKem768;

fn encapsulation_key(key: &[u8]) -> Result<mlkem768::EncapKey, Error> {
    let key = key.try_into().map_err(|_| Error::InvalidPublicKey)?;
    mlkem768::EncapKey::from_bytes(key).map_err(|_| Error::InvalidPublicKey)
}

impl MlKem for MlKem768 {
    fn encapsulation_key(&self, seed: &[u8; 64], key: &mut [u8]) -> Result<(), Error> {
        let pair = mlkem768::DecapKey::keygen_internal(seed);
        key.copy_from_slice(&pair.encapsulation_key().as_bytes());
        Ok(())
    }

    fn encapsulate(
        &self,
        key: &[u8],
        m: &[u8; 32],
        ciphertext: &mut [u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error> {
        let (shared, encapsulated) = encapsulation_key(key)?.encaps_internal(mlkem768::Message(*m));
        ciphertext.copy_from_slice(encapsulated.as_ref());
        secret.copy_from_slice(shared.as_ref());
        Ok(())
    }

    fn decapsulate(
        &self,
        seed: &[u8; 64],
        ciphertext: &[u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error> {
        let bytes: [u8; 1088] = ciphertext.try_into().map_err(|_| Error::InvalidEncapsulation)?;
        let shared = mlkem768::DecapKey::keygen_internal(seed).decaps(&bytes.into());
        secret.copy_from_slice(shared.as_ref());
        Ok(())
    }

    fn check_encapsulation_key(&self, key: &[u8]) -> Result<(), Error> {
        encapsulation_key(key).map(drop)
    }
}

/// ML-KEM-1024 by libcrux. From a seed, keeping the key unpacked between its expansion and the
/// decapsulation saves a third; that form exists per instruction set only, and whoever reaches
/// this backend has AVX2 or NEON.
struct MlKem1024;

#[cfg(target_arch = "x86_64")]
use libcrux_ml_kem::mlkem1024::avx2::unpacked as mlkem1024;
#[cfg(target_arch = "aarch64")]
use libcrux_ml_kem::mlkem1024::neon::unpacked as mlkem1024;

impl MlKem for MlKem1024 {
    fn encapsulation_key(&self, seed: &[u8; 64], key: &mut [u8]) -> Result<(), Error> {
        portable::MlKem1024.encapsulation_key(seed, key)
    }

    fn encapsulate(
        &self,
        key: &[u8],
        m: &[u8; 32],
        ciphertext: &mut [u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error> {
        portable::MlKem1024.encapsulate(key, m, ciphertext, secret)
    }

    fn decapsulate(
        &self,
        seed: &[u8; 64],
        ciphertext: &[u8],
        secret: &mut [u8; 32],
    ) -> Result<(), Error> {
        let ciphertext = ciphertext.try_into().map_err(|_| Error::InvalidEncapsulation)?;
        let pair = mlkem1024::generate_key_pair(*seed);
        *secret = mlkem1024::decapsulate(&pair, &ciphertext);
        Ok(())
    }

    fn check_encapsulation_key(&self, key: &[u8]) -> Result<(), Error> {
        portable::MlKem1024.check_encapsulation_key(key)
    }
}

/// Ed25519, verified as strictly as dalek's `verify_strict`, which the portable backend calls.
///
/// Its curve arithmetic is the faster one, its SHA-512 is not: from [`LONG`] on, a message is better
/// off with the portable backend. MLS signs such: a commit that adds many, and its GroupInfo.
struct Ed25519;

/// The length in bytes from which hashing the message outweighs the curve.
const LONG: usize = 16 << 10;

struct SigningKey {
    short: eddsa::Ed25519SigningKey,
    long: Box<dyn Sign>,
}

struct VerifyingKey(eddsa::Ed25519VerifyingKey);

/// The y coordinates of the points of small order, little-endian: 0 and -1 and 1 of order 4, 2
/// and 1, and the two of order 8. With either sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    unit(1),
    minus_one(),
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
];

const fn unit(y: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes
}

/// p - 1 = 2^255 - 20.
const fn minus_one() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xec;
    bytes[31] = 0x7f;
    bytes
}

/// Whether an encoded point has a coordinate below p = 2^255 - 19 and no small order.
fn is_strict(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    let reduced = y[0] < 0xed || y[1..31].iter().any(|&byte| byte != 0xff) || y[31] != 0x7f;
    reduced && !SMALL_ORDER.contains(&y)
}

impl Scheme for Ed25519 {
    fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
        let short =
            eddsa::Ed25519SigningKey::from_bytes(private).map_err(|_| Error::InvalidPrivateKey)?;
        Ok(Box::new(SigningKey { short, long: portable::Ed25519.signing_key(private)? }))
    }

    fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
        let bytes = public.try_into().map_err(|_| Error::InvalidPublicKey)?;
        if !is_strict(bytes) {
            return Err(Error::InvalidPublicKey);
        }
        let key =
            eddsa::Ed25519VerifyingKey::from_bytes(bytes).map_err(|_| Error::InvalidPublicKey)?;
        Ok(Box::new(VerifyingKey(key)))
    }
}

impl Sign for SigningKey {
    fn public_key(&self) -> Vec<u8> {
        self.short.public_key().as_bytes().to_vec()
    }

    fn sign(&self, message: &[u8], randomness: &[u8; 32]) -> Result<Vec<u8>, Error> {
        if message.len() >= LONG {
            return self.long.sign(message, randomness);
        }
        Ok(self.short.sign(message).to_vec())
    }
}

impl Verify for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if message.len() >= LONG {
            return portable::Ed25519.verifying_key(&self.0.as_bytes())?.verify(message, signature);
        }
        match signature.first_chunk() {
            Some(r) if is_strict(r) => {
                self.0.verify(signature, message).map_err(|_| Error::InvalidSignature)
            }
            _ => Err(Error::InvalidSignature),
        }
    }
}

/// AES-GCM with a key of `KEY` bytes.
///
/// MLS makes a new key for nearly every text, so the set-up of a key counts. graviola's takes 3
/// microseconds where it prepares for AVX-512 and little elsewhere; there RustCrypto, whose bulk
/// rate is then high as well, is ten times as fast for a kilobyte.
struct Gcm<const KEY: usize>(&'static dyn Aead);

/// Whether graviola would prepare for AVX-512.
fn has_wide_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("vaes")
        && std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl<const KEY: usize> Gcm<KEY> {
    fn cipher(key: &[u8]) -> Result<AesGcm, Error> {
        if key.len() == KEY { Ok(AesGcm::new(key)) } else { Err(Error::InvalidLength) }
    }
}

impl<const KEY: usize> Aead for Gcm<KEY> {
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        if has_wide_aes() {
            return self.0.seal(key, nonce, aad, text);
        }
        let mut tag = [0; 16];
        Self::cipher(key)?.encrypt(nonce, aad, text, &mut tag);
        Ok(tag)
    }

    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        if has_wide_aes() {
            return self.0.open(key, nonce, aad, text, tag);
        }
        Self::cipher(key)?.decrypt(nonce, aad, text, tag).map_err(|_| Error::OpenFailed)
    }
}

struct ChaChaPoly;

impl ChaChaPoly {
    fn cipher(key: &[u8]) -> Result<ChaCha20Poly1305, Error> {
        key.try_into().map(ChaCha20Poly1305::new).map_err(|_| Error::InvalidLength)
    }
}

impl Aead for ChaChaPoly {
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let mut tag = [0; 16];
        Self::cipher(key)?.encrypt(nonce, aad, text, &mut tag);
        Ok(tag)
    }

    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        Self::cipher(key)?.decrypt(nonce, aad, text, tag).map_err(|_| Error::OpenFailed)
    }
}

struct Sha3_256;

impl Xof for Sha3_256 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut context = sha3::Sha3_256Context::new();
        parts.iter().for_each(|part| context.update(part));
        out.copy_from_slice(&context.finish());
    }
}

struct Shake128;

impl Xof for Shake128 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        sha3::Shake128::new(parts).read(out);
    }
}

struct Shake256;

impl Xof for Shake256 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        sha3::Shake256::new(parts).read(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the two engines `Gcm` picks depends on the processor; this reaches graviola's on
    /// all of them.
    #[test]
    fn both_engines_of_aes_gcm_agree() {
        if !is_supported() {
            return;
        }
        let (key, nonce, aad) = ([3; 32], [5; 12], b"header");
        for length in [0, 1, 15, 16, 17, 255, 256, 257, 4096, 100_000] {
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let (mut ours, mut theirs) = (text.clone(), text.clone());
            let mut tag = [0; 16];
            Gcm::<32>::cipher(&key).unwrap().encrypt(&nonce, aad, &mut ours, &mut tag);
            let expected =
                portable::PRIMITIVES.aes_256_gcm.seal(&key, &nonce, aad, &mut theirs).unwrap();
            assert_eq!((&ours, tag), (&theirs, expected), "{length} bytes");
            Gcm::<32>::cipher(&key).unwrap().decrypt(&nonce, aad, &mut ours, &tag).unwrap();
            assert_eq!(ours, text);
            tag[7] ^= 1;
            assert!(
                Gcm::<32>::cipher(&key).unwrap().decrypt(&nonce, aad, &mut theirs, &tag).is_err()
            );
            assert!(theirs.iter().all(|&byte| byte == 0));
        }
    }

    #[test]
    fn every_point_of_small_order_is_refused_in_each_encoding() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                assert!(!is_strict(&point));
                assert!(portable::PRIMITIVES.ed25519.verifying_key(&point).is_err());
            }
        }
        for low in 0xed..=0xff {
            let mut point = [0xff; 32];
            point[0] = low;
            assert!(!is_strict(&point), "y = p + {}", low - 0xed);
        }
    }
}
