//! The cryptography of OpenMLS, mapped to the registry.

use std::sync::Arc;

#[cfg(feature = "targeted-messages-draft")]
use openmls_traits::crypto::HpkeSealPskResolvedAadError;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, KemOutput, SignatureScheme,
};
use tls_codec::SecretVLBytes;
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::signature::{SigningKey, VerifyingKey};
use trellis_ciphersuites::{CipherSuite, Error};

use crate::hash_cache::HashCache;
use crate::info_cache::InfoCache;
use crate::source::Source;
use crate::{Backend, KeyDerivation, map};

/// Cryptography and randomness for OpenMLS.
///
/// Cheap to clone: a few reference counts. Clones share what is remembered and nothing else. No lock
/// is held while anything is computed, and random bytes come from a generator of the calling thread.
///
/// Two things are remembered, both of which members send to each other:
///
/// - the last `info` of a seal with its digest: a few hundred bytes after a commit, the encrypted
///   GroupInfo (up to 64 MiB) after one that adds members;
/// - inputs of 512 bytes to 64 KiB that were hashed, with their digests: above all the nodes of
///   ratchet trees, which OpenMLS hashes three times in each commit. At most 32 MiB of
///   inputs for each hash function, and no more than there was to hash.
#[derive(Clone, Debug, Default)]
pub struct TrellisCrypto {
    backend: Backend,
    derivation: KeyDerivation,
    info: Arc<InfoCache>,
    digests: Arc<HashCache>,
    pub(crate) source: Source,
}

impl TrellisCrypto {
    /// Cryptography on a backend, with a key derivation.
    #[must_use]
    pub fn new(backend: Backend, derivation: KeyDerivation) -> Self {
        Self { backend, derivation, ..Self::default() }
    }

    /// Cryptography whose randomness comes from a seed: the same calls give the same bytes again.
    ///
    /// **Whoever has the seed has every secret.** This is for simulations and test vectors.
    ///
    /// What encapsulations and signatures draw depends on the seed and on their inputs, since OpenMLS
    /// makes them on several threads, in any order. All else is drawn one after the other, and clones
    /// draw from one row; so values that are used at the same time need seeds of their own. A
    /// [`TrellisSigner`](crate::TrellisSigner) signs from the seed once it is
    /// [`hedged_by`](crate::TrellisSigner::hedged_by) this.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn seeded(backend: Backend, derivation: KeyDerivation, seed: [u8; 32]) -> Self {
        let seed = Some(Arc::new(crate::seed::Seed::new(seed)));
        Self { source: Source { seed }, ..Self::new(backend, derivation) }
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The key derivation.
    #[must_use]
    pub fn key_derivation(&self) -> KeyDerivation {
        self.derivation
    }

    /// The bytes of HPKE `info` that seals and exports have hashed so far, on this value and its
    /// clones. A commit that adds n members passes the same `info` n times; it counts once here.
    #[must_use]
    pub fn info_bytes_hashed(&self) -> u64 {
        self.info.hashed_bytes()
    }

    fn hpke(&self, config: HpkeConfig) -> Result<Hpke, CryptoError> {
        Ok(Hpke::new(map::hpke(config)?, self.backend))
    }
}

/// How much a suite protects: first confidentiality, then authenticity, then the strength of the
/// KEM and of the hash. Suites of the draft come before the legacy ones that equal them.
fn strength(suite: CipherSuite) -> impl Ord {
    let sizes = suite.sizes();
    (
        suite.confidentiality(),
        suite.authenticity(),
        sizes.kem_public_key,
        sizes.hash,
        suite.row().is_some(),
    )
}

impl OpenMlsCrypto for TrellisCrypto {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        map::suite(ciphersuite).map(drop)
    }

    /// The strongest hybrid first, see the README for the order.
    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        let mut suites: Vec<_> = CipherSuite::all().collect();
        suites.sort_by_key(|&suite| std::cmp::Reverse(strength(suite)));
        suites.into_iter().filter_map(map::openmls).collect()
    }

    fn hkdf_extract(
        &self,
        hash_type: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        Ok(map::hash(hash_type).extract(self.backend, salt, ikm).into_inner().into())
    }

    fn hmac(
        &self,
        hash_type: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        Ok(map::hash(hash_type).hmac(self.backend, key, message).into_inner().into())
    }

    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        let okm = map::hash(hash_type)
            .expand(self.backend, prk, info, okm_len)
            .map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(okm.into_inner().into())
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.digests.hash(map::hash(hash_type), self.backend, data))
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        map::aead(alg).seal(self.backend, key, nonce, aad, data).map_err(map::error)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let opened =
            map::aead(alg).open(self.backend, key, nonce, aad, ct_tag).map_err(map::error)?;
        Ok(opened.into_inner())
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let key = self.source.generate(map::scheme(alg)?, self.backend).map_err(map::error)?;
        Ok((key.private_key().to_vec(), key.public_key().to_vec()))
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        VerifyingKey::from_bytes(map::scheme(alg)?, self.backend, pk)
            .and_then(|key| key.verify(data, signature))
            .map_err(map::error)
    }

    /// Expands the key for this one signature. [`TrellisSigner`](crate::TrellisSigner) keeps it.
    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let scheme = map::scheme(alg)?;
        SigningKey::from_bytes(scheme, self.source.signing_backend(scheme, self.backend), key)
            .and_then(|key| self.source.sign(&key, data))
            .map_err(map::error)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let hpke = self.hpke(config)?;
        let kem = hpke.suite().kem;
        let (enc, sealed) = self
            .info
            .with(hpke, info, |info| self.source.seal(kem, info, pk_r, aad, ptxt))
            .map_err(map::error)?;
        Ok(HpkeCiphertext { kem_output: enc.into(), ciphertext: sealed.into() })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (enc, sealed) = (input.kem_output.as_slice(), input.ciphertext.as_slice());
        let opened = self
            .hpke(config)?
            .info(info)
            .open(enc, sk_r, aad, sealed)
            .map_err(|_| CryptoError::HpkeDecryptionError)?;
        Ok(opened.into_inner())
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let hpke = self.hpke(config)?;
        let kem = hpke.suite().kem;
        let (enc, secret) = self
            .info
            .with(hpke, info, |info| {
                self.source.send_export(kem, info, pk_r, exporter_context, exporter_length)
            })
            .map_err(|error| export_error(error, CryptoError::SenderSetupError))?;
        Ok((enc, secret.into_inner().into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let secret = self
            .hpke(config)?
            .info(info)
            .receive_export(enc, sk_r, exporter_context, exporter_length)
            .map_err(|error| export_error(error, CryptoError::ReceiverSetupError))?;
        Ok(secret.into_inner().into())
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let pair = self
            .derivation
            .derive(map::hpke(config)?.kem, self.backend, ikm)
            .map_err(map::error)?;
        Ok(HpkeKeyPair { private: pair.private.into_inner().into(), public: pair.public })
    }

    #[cfg(feature = "targeted-messages-draft")]
    fn hpke_open_psk(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        psk: &[u8],
        psk_id: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let opened = self
            .hpke(config)?
            .info(info)
            .setup_receiver_psk(input.kem_output.as_slice(), sk_r, psk, psk_id)
            .and_then(|mut context| context.open(aad, input.ciphertext.as_slice()))
            .map_err(|_| CryptoError::HpkeDecryptionError)?;
        Ok(opened.into_inner())
    }

    #[cfg(feature = "targeted-messages-draft")]
    fn hpke_seal_psk_resolved_aad<F, E>(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        ptxt: &[u8],
        psk: &[u8],
        psk_id: &[u8],
        aad_builder: F,
    ) -> Result<HpkeCiphertext, HpkeSealPskResolvedAadError<E>>
    where
        F: FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    {
        let crypto = HpkeSealPskResolvedAadError::CryptoError;
        let hpke = self.hpke(config).map_err(crypto)?;
        let kem = hpke.suite().kem;
        let (enc, mut context) = self
            .info
            .with(hpke, info, |info| {
                self.source.setup_sender_psk(kem, info, pk_r, psk, psk_id, ptxt)
            })
            .map_err(|error| HpkeSealPskResolvedAadError::CryptoError(map::error(error)))?;
        let aad = aad_builder(&enc).map_err(HpkeSealPskResolvedAadError::AadBuildError)?;
        let sealed = context
            .seal(&aad, ptxt)
            .map_err(|error| HpkeSealPskResolvedAadError::CryptoError(map::error(error)))?;
        Ok(HpkeCiphertext { kem_output: enc.into(), ciphertext: sealed.into() })
    }

    #[cfg(feature = "virtual-clients-draft")]
    fn ff1_aes128_encrypt(&self, key: &[u8; 16], plaintext: u32) -> Result<u32, CryptoError> {
        trellis_ciphersuites::symmetric::ff1::encrypt(key, plaintext).map_err(map::error)
    }

    #[cfg(feature = "virtual-clients-draft")]
    fn ff1_aes128_decrypt(&self, key: &[u8; 16], ciphertext: u32) -> Result<u32, CryptoError> {
        trellis_ciphersuites::symmetric::ff1::decrypt(key, ciphertext).map_err(map::error)
    }
}

/// An export that asks for too much is told apart from a set-up that failed.
fn export_error(error: Error, setup: CryptoError) -> CryptoError {
    match error {
        Error::OutputTooLong => CryptoError::ExporterError,
        Error::NoEntropy => CryptoError::InsufficientRandomness,
        _ => setup,
    }
}
