//! ML-KEM (FIPS 203).

use graviola::key_agreement::mlkem768;
#[cfg(target_arch = "x86_64")]
use libcrux_ml_kem::mlkem1024::avx2::unpacked as mlkem1024;
#[cfg(target_arch = "aarch64")]
use libcrux_ml_kem::mlkem1024::neon::unpacked as mlkem1024;

use crate::Error;
use crate::backend::{MlKem, portable};

/// ML-KEM-768. The functions with seeds are hidden in graviola's documentation, which is why its
/// version is pinned; known answers and Wycheproof guard their meaning.
pub(super) struct MlKem768;

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
pub(super) struct MlKem1024;

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
