//! From the types of OpenMLS to those of the registry, and back.

use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeAeadType, HpkeConfig, HpkeKdfType,
    SignatureScheme,
};
use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm};
use trellis_ciphersuites::{CipherSuite, Ecosystem, Error, signature};

/// The suite in the registry.
pub(crate) fn suite(suite: Ciphersuite) -> Result<CipherSuite, CryptoError> {
    CipherSuite::from_code_point(Ecosystem::OpenMls, suite.into())
        .map_err(|_| CryptoError::UnsupportedCiphersuite)
}

/// The suite in OpenMLS, if it is compiled with it.
pub(crate) fn openmls(suite: CipherSuite) -> Option<Ciphersuite> {
    suite.code_point(Ecosystem::OpenMls).and_then(|number| Ciphersuite::try_from(number).ok())
}

/// The HPKE configuration.
pub(crate) fn hpke(HpkeConfig(kem, kdf, aead): HpkeConfig) -> Result<HpkeSuite, CryptoError> {
    let kem = match kem {
        // OpenMLS numbers its variant for X-Wing 0x004D; in HPKE it is 0x647a.
        #[cfg(feature = "draft-ietf-mls-pq-ciphersuites")]
        openmls_traits::types::HpkeKemType::XWingKemDraft6 => KemAlgorithm::MlKem768X25519,
        other => {
            KemAlgorithm::from_id(other as u16).map_err(|_| CryptoError::UnsupportedCiphersuite)?
        }
    };
    Ok(HpkeSuite { kem, kdf: hpke_kdf(kdf), aead: hpke_aead(aead) })
}

fn hpke_kdf(kdf: HpkeKdfType) -> KdfAlgorithm {
    match kdf {
        HpkeKdfType::HkdfSha256 => KdfAlgorithm::HkdfSha256,
        HpkeKdfType::HkdfSha384 => KdfAlgorithm::HkdfSha384,
        HpkeKdfType::HkdfSha512 => KdfAlgorithm::HkdfSha512,
    }
}

fn hpke_aead(aead: HpkeAeadType) -> AeadAlgorithm {
    match aead {
        HpkeAeadType::AesGcm128 => AeadAlgorithm::Aes128Gcm,
        HpkeAeadType::AesGcm256 => AeadAlgorithm::Aes256Gcm,
        HpkeAeadType::ChaCha20Poly1305 => AeadAlgorithm::ChaCha20Poly1305,
        HpkeAeadType::Export => AeadAlgorithm::ExportOnly,
    }
}

pub(crate) fn aead(aead: AeadType) -> AeadAlgorithm {
    match aead {
        AeadType::Aes128Gcm => AeadAlgorithm::Aes128Gcm,
        AeadType::Aes256Gcm => AeadAlgorithm::Aes256Gcm,
        AeadType::ChaCha20Poly1305 => AeadAlgorithm::ChaCha20Poly1305,
    }
}

pub(crate) fn hash(hash: HashType) -> HashAlgorithm {
    match hash {
        HashType::Sha2_256 => HashAlgorithm::Sha256,
        HashType::Sha2_384 => HashAlgorithm::Sha384,
        HashType::Sha2_512 => HashAlgorithm::Sha512,
    }
}

/// Both registries use the numbers of TLS. Only Ed448 is missing here.
pub(crate) fn scheme(scheme: SignatureScheme) -> Result<signature::SignatureScheme, CryptoError> {
    signature::SignatureScheme::from_id(scheme as u16)
        .map_err(|_| CryptoError::UnsupportedSignatureScheme)
}

/// The error of OpenMLS that says the same. Where OpenMLS has one per operation, the caller names
/// it instead.
pub(crate) fn error(error: Error) -> CryptoError {
    match error {
        Error::InvalidPublicKey => CryptoError::InvalidPublicKey,
        Error::OpenFailed => CryptoError::AeadDecryptionError,
        Error::InvalidSignature => CryptoError::InvalidSignature,
        Error::SigningFailed => CryptoError::SigningError,
        Error::InvalidLength | Error::InvalidPrivateKey | Error::InvalidPsk => {
            CryptoError::InvalidLength
        }
        Error::OutputTooLong => CryptoError::HkdfOutputLengthInvalid,
        Error::InputTooLong | Error::MessageLimitReached => CryptoError::TooMuchData,
        Error::NoEntropy => CryptoError::InsufficientRandomness,
        Error::Unsupported | Error::Unknown => CryptoError::UnsupportedCiphersuite,
        _ => CryptoError::CryptoLibraryError,
    }
}
