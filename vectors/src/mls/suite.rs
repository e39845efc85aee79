//! The labelled functions of a cipher suite (RFC 9420, sections 5.1, 5.2 and 8).

use tls_codec::{Serialize as _, TlsSerialize, TlsSize, VLByteSlice};
use trellis_ciphersuites::{CipherSuite, Ecosystem};

use super::Error;
use super::wire::HpkeCiphertext;
use crate::{Failure, KeyPair, Primitives, Randomness};

/// A cipher suite on primitives. Where it has to draw randomness it draws from a seed if it has one.
#[derive(Clone, Copy)]
pub struct Suite<'a> {
    /// The suite.
    pub suite: CipherSuite,
    /// Its number in the vectors.
    pub code_point: u16,
    primitives: &'a dyn Primitives,
    randomness: Option<&'a Randomness>,
}

#[derive(TlsSize, TlsSerialize)]
struct KdfLabel<'a> {
    length: u16,
    label: VLByteSlice<'a>,
    context: VLByteSlice<'a>,
}

/// SignContent, EncryptContext and RefHashInput have the same shape.
#[derive(TlsSize, TlsSerialize)]
struct Labelled<'a> {
    label: VLByteSlice<'a>,
    content: VLByteSlice<'a>,
}

fn mls(label: &str) -> Vec<u8> {
    [b"MLS 1.0 ", label.as_bytes()].concat()
}

fn whole(key: &[u8], length: usize, is_scalar: bool) -> Vec<u8> {
    let missing = length.checked_sub(key.len()).filter(|missing| is_scalar && *missing <= 4);
    [&vec![0; missing.unwrap_or(0)], key].concat()
}

fn labelled(label: &[u8], content: &[u8]) -> Result<Vec<u8>, Error> {
    let value = Labelled { label: VLByteSlice(label), content: VLByteSlice(content) };
    Ok(value.tls_serialize_detached()?)
}

/// The registry's suite for a number in a vector: those of OpenMLS, and the proposed ones where it
/// has none. They do not collide.
#[must_use]
pub fn from_code_point(number: u16) -> Option<CipherSuite> {
    [Ecosystem::OpenMls, Ecosystem::Proposed]
        .into_iter()
        .find_map(|ecosystem| CipherSuite::from_code_point(ecosystem, number).ok())
}

/// The number that vectors use for a suite.
#[must_use]
pub fn code_point(suite: CipherSuite) -> Option<u16> {
    [Ecosystem::OpenMls, Ecosystem::Proposed]
        .into_iter()
        .find_map(|ecosystem| suite.code_point(ecosystem))
}

impl<'a> Suite<'a> {
    /// The suite of a vector.
    ///
    /// # Errors
    ///
    /// [`Failure::Skipped`] for a number that the registry does not have.
    pub fn of(code_point: u16, primitives: &'a dyn Primitives) -> Result<Self, Failure> {
        let suite = from_code_point(code_point).ok_or_else(|| {
            Failure::Skipped(format!("cipher suite {code_point:#06x} is unknown"))
        })?;
        Ok(Self { suite, code_point, primitives, randomness: None })
    }

    /// The same with a seed.
    #[must_use]
    pub fn seeded(self, randomness: &'a Randomness) -> Self {
        Self { randomness: Some(randomness), ..self }
    }

    /// Bytes of a hash, `KDF.Nh`.
    #[must_use]
    pub fn nh(&self) -> usize {
        self.suite.hash().len()
    }

    /// Random bytes.
    pub fn random(&self, length: usize) -> Result<Vec<u8>, Error> {
        if let Some(randomness) = self.randomness {
            return Ok(randomness.bytes(length));
        }
        let mut bytes = vec![0; length];
        trellis_ciphersuites::random::fill(&mut bytes).map_err(crate::Refusal::from)?;
        Ok(bytes)
    }

    /// The hash of the suite.
    pub fn hash(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.primitives.hash(self.suite.hash(), data)?)
    }

    /// HMAC with the hash of the suite.
    pub fn mac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.primitives.hmac(self.suite.hash(), key, data)?)
    }

    /// `KDF.Extract`.
    pub fn extract(&self, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.primitives.extract(self.suite.hash(), salt, ikm)?)
    }

    /// `RefHash(label, value)`; here labels stand as they are.
    pub fn ref_hash(&self, label: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        self.hash(&labelled(label.as_bytes(), value)?)
    }

    /// `ExpandWithLabel(secret, label, context, length)`.
    pub fn expand_with_label(
        &self,
        secret: &[u8],
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        let short = u16::try_from(length).map_err(|_| Error::Rule("a length is over 65,535"))?;
        let label = mls(label);
        let info =
            KdfLabel { length: short, label: VLByteSlice(&label), context: VLByteSlice(context) };
        let info = info.tls_serialize_detached()?;
        Ok(self.primitives.expand(self.suite.hash(), secret, &info, length)?)
    }

    /// `DeriveSecret(secret, label)`.
    pub fn derive_secret(&self, secret: &[u8], label: &str) -> Result<Vec<u8>, Error> {
        self.expand_with_label(secret, label, b"", self.nh())
    }

    /// `DeriveTreeSecret(secret, label, generation, length)` (section 9).
    pub fn derive_tree_secret(
        &self,
        secret: &[u8],
        label: &str,
        generation: u32,
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        self.expand_with_label(secret, label, &generation.to_be_bytes(), length)
    }

    /// `SignWithLabel(key, label, content)`; with a seed ML-DSA's `rnd` comes from it.
    pub fn sign_with_label(
        &self,
        key: &[u8],
        label: &str,
        content: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let content = labelled(&mls(label), content)?;
        let randomness = self.randomness.map(|seed| {
            let bytes = seed.for_context(&[b"sign", key, &content], 32);
            <[u8; 32]>::try_from(bytes).expect("32 bytes were asked for")
        });
        let key = self.whole_signing_key(key);
        Ok(self.primitives.sign(self.suite.signature(), &key, &content, randomness.as_ref())?)
    }

    /// `VerifyWithLabel(key, label, content, signature)`.
    pub fn verify_with_label(
        &self,
        key: &[u8],
        label: &str,
        content: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let content = labelled(&mls(label), content)?;
        Ok(self.primitives.verify(self.suite.signature(), key, &content, signature)?)
    }

    /// `EncryptWithLabel(key, label, context, plaintext)`.
    pub fn encrypt_with_label(
        &self,
        key: &[u8],
        label: &str,
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, Error> {
        let info = labelled(&mls(label), context)?;
        let length = self.suite.kem().randomness_len();
        let randomness = self
            .randomness
            .map(|seed| seed.for_context(&[b"encrypt", key, &info, plaintext], length));
        let hpke = self.suite.hpke();
        let (enc, mut sender) =
            self.primitives.hpke_sender(hpke, key, &info, None, randomness.as_deref())?;
        let ciphertext = sender.seal(b"", plaintext)?;
        Ok(HpkeCiphertext { kem_output: enc.into(), ciphertext: ciphertext.into() })
    }

    /// `DecryptWithLabel(key, label, context, kem_output, ciphertext)`.
    pub fn decrypt_with_label(
        &self,
        key: &[u8],
        label: &str,
        context: &[u8],
        input: &HpkeCiphertext,
    ) -> Result<Vec<u8>, Error> {
        let (info, key) = (labelled(&mls(label), context)?, self.whole_private_key(key));
        let (enc, hpke) = (input.kem_output.as_slice(), self.suite.hpke());
        let mut receiver = self.primitives.hpke_receiver(hpke, enc, &key, &info, None)?;
        Ok(receiver.open(b"", input.ciphertext.as_slice())?)
    }

    /// `KEM.DeriveKeyPair(ikm)`.
    pub fn derive_key_pair(&self, ikm: &[u8]) -> Result<KeyPair, Error> {
        Ok(self.primitives.derive_key_pair(self.suite.kem(), ikm)?)
    }

    /// A new key pair of the KEM.
    pub fn generate_key_pair(&self) -> Result<KeyPair, Error> {
        self.derive_key_pair(&self.random(64)?)
    }

    /// The encapsulation key of a private key.
    pub fn encryption_key(&self, private: &[u8]) -> Result<Vec<u8>, Error> {
        let private = self.whole_private_key(private);
        Ok(self.primitives.public_key(self.suite.kem(), &private)?)
    }

    /// The verification key of a signing key.
    pub fn signature_key(&self, private: &[u8]) -> Result<Vec<u8>, Error> {
        let private = self.whole_signing_key(private);
        Ok(self.primitives.verification_key(self.suite.signature(), &private)?)
    }

    /// A signing key with the leading zeros that some published vectors leave out of a scalar
    /// (mls-implementations, issue 176).
    #[must_use]
    pub fn whole_signing_key(&self, key: &[u8]) -> Vec<u8> {
        let scheme = self.suite.signature();
        whole(key, scheme.private_key_len(), scheme.name().starts_with("ECDSA-"))
    }

    /// The same for a private key of the KEM.
    #[must_use]
    pub fn whole_private_key(&self, key: &[u8]) -> Vec<u8> {
        let kem = self.suite.kem();
        whole(key, kem.private_key_len(), kem.name().starts_with("DHKEM(P-"))
    }

    /// A new signing key. A scalar of a NIST curve is made one byte shorter than its order, so that
    /// it is in range.
    pub fn generate_signature_key(&self) -> Result<Vec<u8>, Error> {
        let scheme = self.suite.signature();
        let mut key = self.random(scheme.private_key_len())?;
        if scheme.name().starts_with("ECDSA-") {
            key[0] = 0;
        }
        Ok(key)
    }

    /// The AEAD of the suite.
    pub fn seal(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        Ok(self.primitives.aead_seal(self.suite.aead(), key, nonce, aad, plaintext)?)
    }

    /// The AEAD of the suite.
    pub fn open(
        &self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        Ok(self.primitives.aead_open(self.suite.aead(), key, nonce, aad, ciphertext)?)
    }
}
