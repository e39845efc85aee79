//! The provider: ours, or ours with randomness from a seed.

use std::sync::Arc;

use openmls_traits::OpenMlsProvider;
#[cfg(feature = "targeted-messages-draft")]
use openmls_traits::crypto::HpkeSealPskResolvedAadError;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, KemOutput, SignatureScheme,
};
use openmls_trellis_crypto::{Backend, KeyDerivation, TrellisCrypto, TrellisStorage};
use tls_codec::SecretVLBytes;
use trellis_ciphersuites::CipherSuite;
use trellis_ciphersuites::hpke::{Hpke, SenderContext};
use trellis_ciphersuites::signature::SigningKey;

use crate::Randomness;

/// [`TrellisCrypto`]. With a seed, whatever it would draw at random depends on the seed; what
/// encapsulations and signatures draw depends on their inputs too and not on their order, since
/// OpenMLS makes them on several threads.
#[derive(Clone, Debug)]
pub(super) struct Crypto {
    ours: TrellisCrypto,
    suite: CipherSuite,
    seed: Option<Arc<Randomness>>,
}

#[derive(Debug)]
pub(super) struct Provider {
    crypto: Crypto,
    storage: TrellisStorage,
}

impl Provider {
    pub(super) fn new(
        suite: CipherSuite,
        backend: Backend,
        derivation: KeyDerivation,
        seed: Option<Arc<Randomness>>,
    ) -> Self {
        let ours = TrellisCrypto::new(backend, derivation);
        Self { crypto: Crypto { ours, suite, seed }, storage: TrellisStorage::default() }
    }

    pub(super) fn is_seeded(&self) -> bool {
        self.crypto.seed.is_some()
    }

    /// A signer whose hedging comes from the seed too.
    pub(super) fn signer(&self, key: SigningKey) -> HedgedSigner {
        HedgedSigner { key, seed: self.crypto.seed.clone() }
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = TrellisStorage;

    fn storage(&self) -> &TrellisStorage {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

impl OpenMlsRand for Crypto {
    type Error = <TrellisCrypto as OpenMlsRand>::Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        match &self.seed {
            Some(seed) => Ok(seed.bytes(N).try_into().expect("N bytes were asked for")),
            None => self.ours.random_array(),
        }
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, Self::Error> {
        match &self.seed {
            Some(seed) => Ok(seed.bytes(length)),
            None => self.ours.random_vec(length),
        }
    }
}

impl Crypto {
    fn sender(
        &self,
        seed: &Randomness,
        public: &[u8],
        info: &[u8],
        text: &[u8],
    ) -> Result<(Vec<u8>, SenderContext), CryptoError> {
        let length = self.suite.kem().randomness_len();
        let randomness = seed.for_context(&[b"encrypt", public, info, text], length);
        Hpke::new(self.suite.hpke(), self.ours.backend())
            .info(info)
            .setup_sender_derandomized(public, None, &randomness)
            .map_err(|_| CryptoError::SenderSetupError)
    }
}

impl OpenMlsCrypto for Crypto {
    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let Some(seed) = &self.seed else {
            return self.ours.hpke_seal(config, pk_r, info, aad, ptxt);
        };
        let (enc, mut context) = self.sender(seed, pk_r, info, ptxt)?;
        let sealed = context.seal(aad, ptxt).map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext { kem_output: enc.into(), ciphertext: sealed.into() })
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let Some(seed) = &self.seed else {
            return self.ours.hpke_setup_sender_and_export(
                config,
                pk_r,
                info,
                exporter_context,
                exporter_length,
            );
        };
        // An external commit has no input of its own here, so the next bytes of the seed stand in.
        let (enc, context) = self.sender(seed, pk_r, info, &seed.bytes(32))?;
        let secret = context
            .export(exporter_context, exporter_length)
            .map_err(|_| CryptoError::SenderSetupError)?;
        Ok((enc, secret.into_inner().into()))
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.ours.supports(ciphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.ours.supported_ciphersuites()
    }

    fn hkdf_extract(
        &self,
        hash_type: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.ours.hkdf_extract(hash_type, salt, ikm)
    }

    fn hmac(
        &self,
        hash_type: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.ours.hmac(hash_type, key, message)
    }

    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.ours.hkdf_expand(hash_type, prk, info, okm_len)
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ours.hash(hash_type, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.ours.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.ours.aead_decrypt(alg, key, ct_tag, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.ours.signature_key_gen(alg)
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.ours.verify_signature(alg, data, pk, signature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ours.sign(alg, data, key)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.ours.hpke_open(config, input, sk_r, info, aad)
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
        self.ours.hpke_setup_receiver_and_export(
            config,
            enc,
            sk_r,
            info,
            exporter_context,
            exporter_length,
        )
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        self.ours.derive_hpke_keypair(config, ikm)
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
        self.ours.hpke_open_psk(config, input, sk_r, info, aad, psk, psk_id)
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
        self.ours.hpke_seal_psk_resolved_aad(config, pk_r, info, ptxt, psk, psk_id, aad_builder)
    }
}

/// Signs as [`openmls_trellis_crypto::TrellisSigner`] does, or with `rnd` from a seed.
pub(super) struct HedgedSigner {
    key: SigningKey,
    seed: Option<Arc<Randomness>>,
}

impl HedgedSigner {
    pub(super) fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    pub(super) fn private_key(&self) -> &[u8] {
        self.key.private_key()
    }
}

impl Signer for HedgedSigner {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = match &self.seed {
            None => self.key.sign(payload),
            Some(seed) => {
                let rnd = seed.for_context(&[b"sign", self.public_key(), payload], 32);
                let rnd: [u8; 32] = rnd.try_into().expect("32 bytes were asked for");
                self.key.sign_derandomized(payload, &rnd)
            }
        };
        signature.map_err(|_| SignerError::SigningError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        let number = self.key.scheme().id();
        SignatureScheme::try_from(number).expect("every scheme of the registry is one of OpenMLS")
    }
}
