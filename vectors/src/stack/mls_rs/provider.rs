//! A cipher suite of mls-rs that is a suite of the registry on any [`Primitives`].

use std::sync::Arc;

use mls_rs_core::crypto::{
    CipherSuite as Number, CipherSuiteProvider, CryptoProvider, HpkeCiphertext, HpkeContextR,
    HpkeContextS, HpkePsk, HpkePublicKey, HpkeSecretKey, SignaturePublicKey, SignatureSecretKey,
};
use mls_rs_core::error::IntoAnyError;
use openmls_trellis_crypto::KeyDerivation;
use shake::digest::{ExtendableOutput, Update, XofReader};
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::{CipherSuite, Protection};
use zeroize::Zeroizing;

use crate::stack::Settings;
use crate::{Primitives, Psk, Refusal};

impl IntoAnyError for Refusal {
    fn into_dyn_error(self) -> Result<Box<dyn std::error::Error + Send + Sync>, Self> {
        Ok(Box::new(self))
    }
}

/// A provider of one suite.
#[derive(Clone)]
pub(super) struct Provider(pub(super) SuiteProvider);

impl CryptoProvider for Provider {
    type CipherSuiteProvider = SuiteProvider;

    /// The one suite, so that capabilities list nothing else.
    fn supported_cipher_suites(&self) -> Vec<Number> {
        vec![self.0.number]
    }

    fn cipher_suite_provider(&self, number: Number) -> Option<SuiteProvider> {
        (number == self.0.number).then(|| self.0.clone())
    }
}

/// One suite.
#[derive(Clone)]
pub(super) struct SuiteProvider {
    primitives: Arc<dyn Primitives>,
    suite: CipherSuite,
    number: Number,
    derivation: KeyDerivation,
}

impl SuiteProvider {
    pub(super) fn new(primitives: Arc<dyn Primitives>, settings: &Settings) -> Self {
        Self {
            primitives,
            suite: settings.suite,
            number: Number::new(settings.code_point),
            derivation: settings.derivation,
        }
    }

    /// `EncryptWithLabel` and its kind: one message under one encapsulation.
    fn seal(
        &self,
        public: &[u8],
        info: &[u8],
        aad: Option<&[u8]>,
        text: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<HpkeCiphertext, Refusal> {
        let (kem_output, mut context) =
            self.primitives.hpke_sender(self.suite.hpke(), public, info, psk, None)?;
        let ciphertext = context.seal(aad.unwrap_or_default(), text)?;
        Ok(HpkeCiphertext { kem_output, ciphertext })
    }

    fn open(
        &self,
        sealed: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: Option<&[u8]>,
        psk: Option<Psk<'_>>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut context = self.primitives.hpke_receiver(
            self.suite.hpke(),
            &sealed.kem_output,
            private,
            info,
            psk,
        )?;
        context.open(aad.unwrap_or_default(), &sealed.ciphertext).map(Zeroizing::new)
    }
}

fn psk(psk: HpkePsk<'_>) -> Option<Psk<'_>> {
    Some(Psk { psk: psk.value, psk_id: psk.id })
}

/// Random bytes of the operating system.
fn random(length: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; length];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(out: &mut [u8]) -> Result<(), Refusal> {
    getrandom::fill(out).map_err(|_| Refusal::Invalid("no-entropy"))
}

/// The seed without a label: `SHAKE256(ikm, length)` ([`KeyDerivation::OpenMls09`]).
fn unlabelled_seed(ikm: &[u8], length: usize) -> Vec<u8> {
    let mut sponge = shake::Shake256::default();
    sponge.update(ikm);
    let mut seed = vec![0; length];
    sponge.finalize_xof().read(&mut seed);
    seed
}

impl CipherSuiteProvider for SuiteProvider {
    type Error = Refusal;
    type HpkeContextS = Sender;
    type HpkeContextR = Receiver;

    fn cipher_suite(&self) -> Number {
        self.number
    }

    fn hash(&self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.primitives.hash(self.suite.hash(), data)
    }

    fn mac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.primitives.hmac(self.suite.hash(), key, data)
    }

    fn aead_seal(
        &self,
        key: &[u8],
        data: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        self.primitives.aead_seal(self.suite.aead(), key, nonce, aad.unwrap_or_default(), data)
    }

    fn aead_open(
        &self,
        key: &[u8],
        ciphertext: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let aad = aad.unwrap_or_default();
        let text = self.primitives.aead_open(self.suite.aead(), key, nonce, aad, ciphertext)?;
        Ok(Zeroizing::new(text))
    }

    fn aead_key_size(&self) -> usize {
        self.suite.aead().key_len()
    }

    fn aead_nonce_size(&self) -> usize {
        self.suite.aead().nonce_len()
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.primitives.extract(self.suite.hash(), salt, ikm).map(Zeroizing::new)
    }

    fn kdf_expand(
        &self,
        prk: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.primitives.expand(self.suite.hash(), prk, info, len).map(Zeroizing::new)
    }

    fn kdf_extract_size(&self) -> usize {
        self.suite.hash().len()
    }

    fn hpke_seal(
        &self,
        remote_key: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        pt: &[u8],
    ) -> Result<HpkeCiphertext, Refusal> {
        self.seal(remote_key, info, aad, pt, None)
    }

    fn hpke_seal_psk(
        &self,
        remote_key: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        pt: &[u8],
        with: HpkePsk<'_>,
    ) -> Result<HpkeCiphertext, Refusal> {
        self.seal(remote_key, info, aad, pt, psk(with))
    }

    fn hpke_open(
        &self,
        ciphertext: &HpkeCiphertext,
        local_secret: &HpkeSecretKey,
        _: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.open(ciphertext, local_secret, info, aad, None)
    }

    fn hpke_open_psk(
        &self,
        ciphertext: &HpkeCiphertext,
        local_secret: &HpkeSecretKey,
        _: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        with: HpkePsk<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.open(ciphertext, local_secret, info, aad, psk(with))
    }

    fn hpke_setup_s(
        &self,
        remote_key: &HpkePublicKey,
        info: &[u8],
    ) -> Result<(Vec<u8>, Sender), Refusal> {
        let randomness = random(self.suite.kem().randomness_len())?;
        let (enc, _) = self.primitives.hpke_sender(
            self.suite.hpke(),
            remote_key,
            info,
            None,
            Some(&randomness),
        )?;
        let sender = Sender {
            provider: self.clone(),
            public: remote_key.to_vec(),
            info: info.to_vec(),
            randomness: randomness.into(),
        };
        Ok((enc, sender))
    }

    fn hpke_setup_r(
        &self,
        kem_output: &[u8],
        local_secret: &HpkeSecretKey,
        _: &HpkePublicKey,
        info: &[u8],
    ) -> Result<Receiver, Refusal> {
        self.primitives.hpke_receiver(self.suite.hpke(), kem_output, local_secret, info, None)?;
        Ok(Receiver {
            provider: self.clone(),
            enc: kem_output.to_vec(),
            private: local_secret.clone(),
            info: info.to_vec(),
        })
    }

    fn kem_derive(&self, ikm: &[u8]) -> Result<(HpkeSecretKey, HpkePublicKey), Refusal> {
        let kem = self.suite.kem();
        let labelled = self.derivation != KeyDerivation::OpenMls09;
        if labelled || kem.protection() == Protection::Classical {
            let pair = self.primitives.derive_key_pair(kem, ikm)?;
            return Ok((pair.private.into(), pair.public.into()));
        }
        let private = unlabelled_seed(ikm, kem.private_key_len());
        let public = self.primitives.public_key(kem, &private)?;
        Ok((private.into(), public.into()))
    }

    fn kem_generate(&self) -> Result<(HpkeSecretKey, HpkePublicKey), Refusal> {
        self.kem_derive(&random(self.suite.kem().private_key_len())?)
    }

    /// As an encapsulation checks it.
    fn kem_public_key_validate(&self, key: &HpkePublicKey) -> Result<(), Refusal> {
        self.primitives.encapsulate(self.suite.kem(), key, None).map(drop)
    }

    fn random_bytes(&self, out: &mut [u8]) -> Result<(), Refusal> {
        fill(out)
    }

    fn signature_key_generate(&self) -> Result<(SignatureSecretKey, SignaturePublicKey), Refusal> {
        let scheme = self.suite.signature();
        loop {
            let mut private = random(scheme.private_key_len())?;
            if let (SignatureScheme::EcdsaP521Sha512, Some(first)) = (scheme, private.first_mut()) {
                // The order has 521 bits, a scalar 528.
                *first &= 1;
            }
            match self.primitives.verification_key(scheme, &private) {
                // A scalar out of range, with a chance below 2^-31.
                Err(Refusal::Invalid("invalid-private-key")) => {}
                public => return Ok((private.into(), public?.into())),
            }
        }
    }

    fn signature_key_derive_public(
        &self,
        secret_key: &SignatureSecretKey,
    ) -> Result<SignaturePublicKey, Refusal> {
        Ok(self.primitives.verification_key(self.suite.signature(), secret_key)?.into())
    }

    fn sign(&self, secret_key: &SignatureSecretKey, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.primitives.sign(self.suite.signature(), secret_key, data, None)
    }

    fn verify(
        &self,
        public_key: &SignaturePublicKey,
        signature: &[u8],
        data: &[u8],
    ) -> Result<(), Refusal> {
        self.primitives.verify(self.suite.signature(), public_key, data, signature)
    }
}

/// The context of an external commit (RFC 9420, section 8.3), which exports one secret and sends
/// nothing. mls-rs wants contexts that can go to another thread; this one holds what the context
/// is made of, and makes it where it is asked.
pub(super) struct Sender {
    provider: SuiteProvider,
    public: Vec<u8>,
    info: Vec<u8>,
    randomness: Zeroizing<Vec<u8>>,
}

impl HpkeContextS for Sender {
    type Error = Refusal;

    fn seal(&mut self, _: Option<&[u8]>, _: &[u8]) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::NotOffered("a context of an external commit only exports".into()))
    }

    fn export(&self, exporter_context: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let suite = self.provider.suite.hpke();
        let randomness = Some(&self.randomness[..]);
        let (_, context) = (self.provider.primitives).hpke_sender(
            suite,
            &self.public,
            &self.info,
            None,
            randomness,
        )?;
        context.export(exporter_context, len).map(Zeroizing::new)
    }
}

/// The other side of [`Sender`].
pub(super) struct Receiver {
    provider: SuiteProvider,
    enc: Vec<u8>,
    private: HpkeSecretKey,
    info: Vec<u8>,
}

impl HpkeContextR for Receiver {
    type Error = Refusal;

    fn open(&mut self, _: Option<&[u8]>, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        Err(Refusal::NotOffered("a context of an external commit only exports".into()))
    }

    fn export(&self, exporter_context: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let suite = self.provider.suite.hpke();
        let context = (self.provider.primitives).hpke_receiver(
            suite,
            &self.enc,
            &self.private,
            &self.info,
            None,
        )?;
        context.export(exporter_context, len).map(Zeroizing::new)
    }
}
