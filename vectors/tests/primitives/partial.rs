//! An implementation that has only a part of what a vector asks for.

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};
use trellis_vectors::{Failure, HpkeContext, KeyPair, Primitives, Psk, Refusal, Trellis};

use crate::changes::{changes, samples};

/// What is offered, all of it by [`Trellis`].
#[derive(Clone, Copy, PartialEq)]
enum Offers {
    Nothing,
    /// Contexts of a receiver and verification, and encapsulation with randomness of its own.
    Receiving,
}

fn missing<T>() -> Result<T, Refusal> {
    Err(Refusal::NotOffered("this".into()))
}

#[rustfmt::skip]
impl Primitives for Offers {
    fn name(&self) -> String { "partial".into() }
    fn hash(&self, _: HashAlgorithm, _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn hmac(&self, _: HashAlgorithm, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn extract(&self, _: HashAlgorithm, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn expand(&self, _: HashAlgorithm, _: &[u8], _: &[u8], _: usize) -> Result<Vec<u8>, Refusal> { missing() }
    fn aead_seal(&self, _: AeadAlgorithm, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn aead_open(&self, _: AeadAlgorithm, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn derive_key_pair(&self, _: KemAlgorithm, _: &[u8]) -> Result<KeyPair, Refusal> { missing() }
    fn public_key(&self, _: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn decapsulate(&self, _: KemAlgorithm, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn verification_key(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, Refusal> { missing() }
    fn sign(&self, _: SignatureScheme, _: &[u8], _: &[u8], _: Option<&[u8; 32]>) -> Result<Vec<u8>, Refusal> { missing() }

    fn hpke_sender(&self, _: HpkeSuite, _: &[u8], _: &[u8], _: Option<Psk<'_>>, _: Option<&[u8]>) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal> { missing() }

    fn encapsulate(&self, kem: KemAlgorithm, public: &[u8], randomness: Option<&[u8]>) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        match (self, randomness) {
            (Self::Receiving, None) => Trellis::default().encapsulate(kem, public, None),
            _ => missing(),
        }
    }

    fn hpke_receiver(&self, suite: HpkeSuite, enc: &[u8], private: &[u8], info: &[u8], psk: Option<Psk<'_>>) -> Result<Box<dyn HpkeContext>, Refusal> {
        match self {
            Self::Nothing => missing(),
            Self::Receiving => Trellis::default().hpke_receiver(suite, enc, private, info, psk),
        }
    }

    fn verify(&self, scheme: SignatureScheme, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        match self {
            Self::Nothing => missing(),
            Self::Receiving => Trellis::default().verify(scheme, public, message, signature),
        }
    }
}

#[test]
fn nothing_holds_on_an_implementation_of_nothing() {
    for (file, vector) in samples() {
        let result = (file.check)(vector, &Offers::Nothing);
        assert_eq!(result, Err(Failure::Skipped("this".into())), "{}", file.stem);
    }
}

#[test]
fn what_is_offered_is_checked() {
    for (file, vector) in samples() {
        let result = (file.check)(vector, &Offers::Receiving);
        let whole = file.stem.starts_with("hpke/") || file.stem.starts_with("signature/");
        let refused = vector["operation"] == "encapsulate" && vector.get("error").is_some();
        if whole || refused {
            assert_eq!(result, Ok(()), "{} {}", file.stem, vector["comment"]);
        } else {
            assert_eq!(result, Err(Failure::Skipped("this".into())), "{}", file.stem);
        }
    }
}

#[test]
fn what_a_receiver_sees_changed_is_noticed() {
    for (file, vector) in samples().into_iter().filter(|(file, _)| file.stem.starts_with("hpke/")) {
        for (path, changed) in changes(vector) {
            let seen =
                ["/enc", "/ct", "/pt", "/aad", "/psk", "/psk_id", "/exported_value", "/info"];
            if seen.iter().any(|name| path.ends_with(name)) {
                assert!((file.check)(&changed, &Offers::Receiving).is_err(), "{}{path}", file.stem);
            }
        }
    }
}
