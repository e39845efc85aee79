//! AES-GCM, ChaCha20-Poly1305, SHA-3 and SHAKE.

use graviola::aead::{AesGcm, ChaCha20Poly1305};
use graviola::hashing::sha3;

use crate::Error;
use crate::backend::{Aead, Xof};

/// AES-GCM with a key of `KEY` bytes; the other engine is the portable one.
///
/// MLS makes a new key for nearly every text, so the set-up of a key counts. graviola's takes 3
/// microseconds where it prepares for AVX-512 and little elsewhere; there the portable engine seals
/// a kilobyte in a fifth of the time, and graviola wins with long texts only.
pub(super) struct Gcm<const KEY: usize>(pub(super) &'static dyn Aead);

/// The length in bytes from which graviola's set-up for AVX-512 pays.
const LONG: usize = 16 << 10;

/// Whether the portable engine is the faster one for a text.
fn prefers_portable(text: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    return text.len() < LONG
        && std::arch::is_x86_feature_detected!("vaes")
        && std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (text, LONG);
        false
    }
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
        if prefers_portable(text) {
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
        if prefers_portable(text) {
            return self.0.open(key, nonce, aad, text, tag);
        }
        Self::cipher(key)?.decrypt(nonce, aad, text, tag).map_err(|_| Error::OpenFailed)
    }
}

pub(super) struct ChaChaPoly;

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

pub(super) struct Sha3_256;

impl Xof for Sha3_256 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut context = sha3::Sha3_256Context::new();
        parts.iter().for_each(|part| context.update(part));
        out.copy_from_slice(&context.finish());
    }
}

pub(super) struct Shake128;

impl Xof for Shake128 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        sha3::Shake128::new(parts).read(out);
    }
}

pub(super) struct Shake256;

impl Xof for Shake256 {
    fn digest(&self, parts: &[&[u8]], out: &mut [u8]) {
        sha3::Shake256::new(parts).read(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{native::is_supported, portable};

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
}
