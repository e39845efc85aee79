//! `crypto-basics`: the labelled functions of a cipher suite.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::wire::HpkeCiphertext;
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CryptoBasics {
    pub cipher_suite: u16,
    pub ref_hash: RefHash,
    pub expand_with_label: ExpandWithLabel,
    pub derive_secret: DeriveSecret,
    pub derive_tree_secret: DeriveTreeSecret,
    pub sign_with_label: SignWithLabel,
    pub encrypt_with_label: EncryptWithLabel,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RefHash {
    pub label: String,
    pub value: Hex,
    pub out: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ExpandWithLabel {
    pub secret: Hex,
    pub label: String,
    pub context: Hex,
    pub length: u16,
    pub out: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct DeriveSecret {
    pub secret: Hex,
    pub label: String,
    pub out: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct DeriveTreeSecret {
    pub secret: Hex,
    pub label: String,
    pub generation: u32,
    pub length: u16,
    pub out: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SignWithLabel {
    #[serde(rename = "priv")]
    pub private: Hex,
    #[serde(rename = "pub")]
    pub public: Hex,
    pub content: Hex,
    pub label: String,
    pub signature: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EncryptWithLabel {
    #[serde(rename = "priv")]
    pub private: Hex,
    #[serde(rename = "pub")]
    pub public: Hex,
    pub label: String,
    pub context: Hex,
    pub plaintext: Hex,
    pub kem_output: Hex,
    pub ciphertext: Hex,
}

impl Vector for CryptoBasics {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;

        let it = &self.ref_hash;
        let out = suite.ref_hash(&it.label, &it.value).map_err(Failure::of("ref_hash"))?;
        Failure::unless_equal("ref_hash.out", &it.out, out)?;

        let it = &self.expand_with_label;
        let out = suite
            .expand_with_label(&it.secret, &it.label, &it.context, it.length.into())
            .map_err(Failure::of("expand_with_label"))?;
        Failure::unless_equal("expand_with_label.out", &it.out, out)?;

        let it = &self.derive_secret;
        let out =
            suite.derive_secret(&it.secret, &it.label).map_err(Failure::of("derive_secret"))?;
        Failure::unless_equal("derive_secret.out", &it.out, out)?;

        let it = &self.derive_tree_secret;
        let out = suite
            .derive_tree_secret(&it.secret, &it.label, it.generation, it.length.into())
            .map_err(Failure::of("derive_tree_secret"))?;
        Failure::unless_equal("derive_tree_secret.out", &it.out, out)?;

        self.sign_with_label.check(suite).map_err(|failure| failure.within("sign_with_label"))?;
        self.encrypt_with_label.check(suite).map_err(|failure| failure.within("encrypt_with_label"))
    }
}

impl SignWithLabel {
    fn check(&self, suite: &Suite<'_>) -> Result<(), Failure> {
        let public = suite.signature_key(&self.private).map_err(Failure::of("priv"))?;
        Failure::unless_equal("pub", &self.public, public)?;
        suite
            .verify_with_label(&self.public, &self.label, &self.content, &self.signature)
            .map_err(Failure::of("signature"))?;
        suite
            .sign_with_label(&self.private, &self.label, &self.content)
            .and_then(|it| suite.verify_with_label(&self.public, &self.label, &self.content, &it))
            .map_err(Failure::of("a new signature"))
    }
}

impl EncryptWithLabel {
    fn check(&self, suite: &Suite<'_>) -> Result<(), Failure> {
        let public = suite.encryption_key(&self.private).map_err(Failure::of("priv"))?;
        Failure::unless_equal("pub", &self.public, public)?;
        let open = |input: &HpkeCiphertext| {
            suite.decrypt_with_label(&self.private, &self.label, &self.context, input)
        };
        let given = HpkeCiphertext {
            kem_output: self.kem_output.0.clone().into(),
            ciphertext: self.ciphertext.0.clone().into(),
        };
        let opened = open(&given).map_err(Failure::of("ciphertext"))?;
        Failure::unless_equal("plaintext", &self.plaintext, opened)?;
        let opened = suite
            .encrypt_with_label(&self.public, &self.label, &self.context, &self.plaintext)
            .and_then(|sealed| open(&sealed))
            .map_err(Failure::of("a new ciphertext"))?;
        Failure::unless_equal("plaintext of a new ciphertext", &self.plaintext, opened)
    }
}

/// One vector for the suite.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<CryptoBasics>, Error> {
    let random = |length| suite.random(length).map(Hex);
    let nh = suite.nh();

    let (label, value) = ("RefHash".to_owned(), random(64)?);
    let out = suite.ref_hash(&label, &value)?.into();
    let ref_hash = RefHash { label, value, out };

    let (secret, label, context) = (random(nh)?, "ExpandWithLabel".to_owned(), random(48)?);
    // Longer than one block of the hash, so that the counter of HKDF-Expand shows.
    let length = 80;
    let out = suite.expand_with_label(&secret, &label, &context, length.into())?.into();
    let expand_with_label = ExpandWithLabel { secret, label, context, length, out };

    let (secret, label) = (random(nh)?, "DeriveSecret".to_owned());
    let out = suite.derive_secret(&secret, &label)?.into();
    let derive_secret = DeriveSecret { secret, label, out };

    let (secret, label) = (random(nh)?, "DeriveTreeSecret".to_owned());
    let (generation, length) = (0xf00d_1234, 32);
    let out = suite.derive_tree_secret(&secret, &label, generation, length.into())?.into();
    let derive_tree_secret = DeriveTreeSecret { secret, label, generation, length, out };

    let private = suite.generate_signature_key()?;
    let (label, content) = ("SignWithLabel".to_owned(), random(64)?);
    let sign_with_label = SignWithLabel {
        public: suite.signature_key(&private)?.into(),
        signature: suite.sign_with_label(&private, &label, &content)?.into(),
        private: private.into(),
        content,
        label,
    };

    let pair = suite.generate_key_pair()?;
    let (label, context, plaintext) = ("EncryptWithLabel".to_owned(), random(64)?, random(nh)?);
    let sealed = suite.encrypt_with_label(&pair.public, &label, &context, &plaintext)?;
    let encrypt_with_label = EncryptWithLabel {
        private: pair.private.into(),
        public: pair.public.into(),
        label,
        context,
        plaintext,
        kem_output: sealed.kem_output.as_slice().into(),
        ciphertext: sealed.ciphertext.as_slice().into(),
    };

    Ok(vec![CryptoBasics {
        cipher_suite: suite.code_point,
        ref_hash,
        expand_with_label,
        derive_secret,
        derive_tree_secret,
        sign_with_label,
        encrypt_with_label,
    }])
}
