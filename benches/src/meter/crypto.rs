//! Cryptography and randomness, timed.

#[cfg(feature = "targeted-messages-draft")]
use std::time::{Duration, Instant};

#[cfg(feature = "targeted-messages-draft")]
use openmls_traits::crypto::HpkeSealPskResolvedAadError;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, KemOutput, SignatureScheme,
};
use tls_codec::SecretVLBytes;

#[cfg(feature = "targeted-messages-draft")]
use super::ledger::Psk;
use super::ledger::{Call, Info, Ledger};

/// The length of an AEAD's tag, which all of MLS's have.
const TAG: usize = 16;

/// Cryptography that enters each call into a ledger.
#[derive(Debug)]
pub struct MeteredCrypto<C> {
    inner: C,
    ledger: Ledger,
}

impl<C> MeteredCrypto<C> {
    pub(super) fn new(inner: C, ledger: Ledger) -> Self {
        Self { inner, ledger }
    }
}

/// Who receives knows no `info` from before.
fn fresh(info: &[u8]) -> Info {
    Info { length: info.len(), again: false }
}

fn plaintext(input: &HpkeCiphertext) -> usize {
    input.ciphertext.as_slice().len().saturating_sub(TAG)
}

impl<C: OpenMlsRand> OpenMlsRand for MeteredCrypto<C> {
    type Error = C::Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        self.ledger.time(Call::Random { length: N }, || self.inner.random_array())
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        self.ledger.time(Call::Random { length: len }, || self.inner.random_vec(len))
    }
}

impl<C: OpenMlsCrypto> OpenMlsCrypto for MeteredCrypto<C> {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.ledger.time(Call::Supports, || self.inner.supports(ciphersuite))
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.ledger.time(Call::Supports, || self.inner.supported_ciphersuites())
    }

    fn hkdf_extract(
        &self,
        hash_type: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        let call = Call::HkdfExtract { ikm: ikm.len() };
        self.ledger.time(call, || self.inner.hkdf_extract(hash_type, salt, ikm))
    }

    fn hmac(
        &self,
        hash_type: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        let call = Call::Hmac { message: message.len() };
        self.ledger.time(call, || self.inner.hmac(hash_type, key, message))
    }

    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        let call = Call::HkdfExpand { info: info.len(), okm: okm_len };
        self.ledger.time(call, || self.inner.hkdf_expand(hash_type, prk, info, okm_len))
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ledger.time(Call::Hash { data: data.len() }, || self.inner.hash(hash_type, data))
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let call = Call::AeadEncrypt { data: data.len(), aad: aad.len() };
        self.ledger.time(call, || self.inner.aead_encrypt(alg, key, data, nonce, aad))
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let call = Call::AeadDecrypt { data: ct_tag.len().saturating_sub(TAG), aad: aad.len() };
        self.ledger.time(call, || self.inner.aead_decrypt(alg, key, ct_tag, nonce, aad))
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.ledger.time(Call::SignatureKeyGen, || self.inner.signature_key_gen(alg))
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let call = Call::VerifySignature { data: data.len() };
        self.ledger.time(call, || self.inner.verify_signature(alg, data, pk, signature))
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ledger.time(Call::Sign { data: data.len() }, || self.inner.sign(alg, data, key))
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let call =
            Call::HpkeSeal { info: self.ledger.info(info), aad: aad.len(), plaintext: ptxt.len() };
        self.ledger.time(call, || self.inner.hpke_seal(config, pk_r, info, aad, ptxt))
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let call =
            Call::HpkeOpen { info: fresh(info), aad: aad.len(), plaintext: plaintext(input) };
        self.ledger.time(call, || self.inner.hpke_open(config, input, sk_r, info, aad))
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let call = Call::HpkeSetupSenderAndExport {
            info: self.ledger.info(info),
            context: exporter_context.len(),
            length: exporter_length,
        };
        self.ledger.time(call, || {
            self.inner.hpke_setup_sender_and_export(
                config,
                pk_r,
                info,
                exporter_context,
                exporter_length,
            )
        })
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
        let call = Call::HpkeSetupReceiverAndExport {
            info: fresh(info),
            context: exporter_context.len(),
            length: exporter_length,
        };
        self.ledger.time(call, || {
            self.inner.hpke_setup_receiver_and_export(
                config,
                enc,
                sk_r,
                info,
                exporter_context,
                exporter_length,
            )
        })
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let call = Call::DeriveHpkeKeypair { ikm: ikm.len() };
        self.ledger.time(call, || self.inner.derive_hpke_keypair(config, ikm))
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
        let call = Call::HpkeOpenPsk {
            info: fresh(info),
            psk: Psk { key: psk.len(), id: psk_id.len() },
            aad: aad.len(),
            plaintext: plaintext(input),
        };
        self.ledger
            .time(call, || self.inner.hpke_open_psk(config, input, sk_r, info, aad, psk, psk_id))
    }

    /// What builds the additional data is OpenMLS's, and so is its time.
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
        let lengths = Psk { key: psk.len(), id: psk_id.len() };
        let entered = self.ledger.info(info);
        let (mut aad, mut building) = (0, Duration::ZERO);
        let build = |enc: &[u8]| {
            let start = Instant::now();
            let built = aad_builder(enc);
            building = start.elapsed();
            aad = built.as_ref().map_or(0, Vec::len);
            built
        };
        let start = Instant::now();
        let sealed =
            self.inner.hpke_seal_psk_resolved_aad(config, pk_r, info, ptxt, psk, psk_id, build);
        let time = start.elapsed().saturating_sub(building);
        let call = Call::HpkeSealPsk { info: entered, psk: lengths, aad, plaintext: ptxt.len() };
        self.ledger.enter(call, time);
        sealed
    }
}
