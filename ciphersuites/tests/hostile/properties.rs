//! Properties.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm, shake256};
use trellis_ciphersuites::{Backend, CipherSuite, Error};

use crate::common::*;

/// What an attacker does to bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    FillFrom(Index, u8),
    FillTo(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    Replace(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            Self::Append(more) => bytes.extend(more),
            _ if length == 0 => {}
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Set(at, value) => bytes[at.index(length)] = *value,
            Self::FillFrom(at, value) => bytes[at.index(length)..].fill(*value),
            Self::FillTo(at, value) => bytes[..at.index(length)].fill(*value),
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Replace(seed) => {
                let random = shake256(Backend::portable(), &seed.to_le_bytes(), length);
                bytes.copy_from_slice(&random);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let value = || prop_oneof![Just(0u8), Just(0xFF), any::<u8>()];
    let change = prop_oneof![
        6 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        3 => (any::<Index>(), value()).prop_map(|(at, to)| Change::Set(at, to)),
        1 => (any::<Index>(), value()).prop_map(|(at, to)| Change::FillFrom(at, to)),
        1 => (any::<Index>(), value()).prop_map(|(at, to)| Change::FillTo(at, to)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Change::Append),
        1 => any::<u64>().prop_map(Change::Replace),
    ];
    prop::collection::vec(change, 0..4)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    changes.iter().for_each(|change| change.apply(&mut out));
    out
}

fn backends() -> impl Strategy<Value = Backend> {
    select(Backend::available().collect::<Vec<_>>())
}

fn config() -> ProptestConfig {
    let cases = match std::env::var("TRELLIS_CASES") {
        Ok(number) => number.parse().expect("TRELLIS_CASES is a number"),
        Err(_) if cfg!(debug_assertions) => 256,
        Err(_) => 10_000,
    };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// A public key is accepted everywhere or refused everywhere, with one error.
    #[test]
    fn any_public_key(
        backend in backends(),
        kem in select(KemAlgorithm::ALL),
        changes in changes(),
    ) {
        let public = changed(&pair(kem).public, &changes);
        let checked = kem.check_public_key(backend, &public);
        prop_assert!(matches!(checked, Ok(()) | Err(Error::InvalidPublicKey)));
        let encapsulated = kem.encapsulate(backend, &public);
        prop_assert_eq!(encapsulated.map(drop), checked);
    }

    /// An altered encapsulation is refused or leads to another secret.
    #[test]
    fn any_encapsulation(
        backend in backends(),
        kem in select(KemAlgorithm::ALL),
        changes in changes(),
    ) {
        let hostile = changed(enc(kem), &changes);
        let honest = kem.decapsulate(backend, &pair(kem).private, enc(kem)).unwrap();
        match kem.decapsulate(backend, &pair(kem).private, &hostile) {
            Ok(secret) => prop_assert_eq!(secret == honest, hostile == enc(kem)),
            Err(error) => prop_assert_eq!(error, Error::InvalidEncapsulation),
        }
    }

    /// A private key is accepted everywhere or refused everywhere, with one error.
    #[test]
    fn any_private_key(
        backend in backends(),
        kem in select(KemAlgorithm::ALL),
        changes in changes(),
    ) {
        let private = changed(&pair(kem).private, &changes);
        let public = kem.public_key(backend, &private);
        let secret = kem.decapsulate(backend, &private, enc(kem));
        prop_assert_eq!(secret.map(drop), public.clone().map(drop));
        match public {
            Ok(public) => prop_assert_eq!(kem.check_public_key(backend, &public), Ok(())),
            Err(error) => prop_assert_eq!(error, Error::InvalidPrivateKey),
        }
    }

    #[test]
    fn any_signature_and_verifying_key(
        backend in backends(),
        scheme in select(SignatureScheme::ALL),
        of_key in changes(),
        of_signature in changes(),
        message in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        static SIGNATURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
            let sign = |scheme: &SignatureScheme| signing_key(*scheme).sign(b"frost").unwrap();
            SignatureScheme::ALL.iter().map(sign).collect()
        });
        let position = SignatureScheme::ALL.iter().position(|&it| it == scheme).unwrap();
        let (good, honest) = (signing_key(scheme).public_key(), &SIGNATURES[position]);

        let signature = changed(honest, &of_signature);
        let key = VerifyingKey::from_bytes(scheme, backend, good).unwrap();
        let expected = if signature == *honest { Ok(()) } else { Err(Error::InvalidSignature) };
        prop_assert_eq!(key.verify(b"frost", &signature), expected);
        prop_assert_eq!(key.verify(&message, &signature), Err(Error::InvalidSignature));

        let public = changed(good, &of_key);
        match VerifyingKey::from_bytes(scheme, backend, &public) {
            Ok(key) => {
                let verified = key.verify(b"frost", &signature);
                prop_assert_eq!(verified.is_ok(), signature == *honest && public == good);
            }
            Err(error) => prop_assert_eq!(error, Error::InvalidPublicKey),
        }
    }

    #[test]
    fn any_signing_key(
        backend in backends(),
        scheme in select(SignatureScheme::ALL),
        changes in changes(),
    ) {
        let private = changed(signing_key(scheme).private_key(), &changes);
        match SigningKey::from_bytes(scheme, backend, &private) {
            Ok(key) => {
                prop_assert_eq!(&key.private_key()[..], &private[..]);
                let public = VerifyingKey::from_bytes(scheme, backend, key.public_key());
                let signature = key.sign(b"frost").unwrap();
                prop_assert_eq!(public.unwrap().verify(b"frost", &signature), Ok(()));
            }
            Err(error) => prop_assert_eq!(error, Error::InvalidPrivateKey),
        }
    }

    #[test]
    fn any_sealed_text(
        backend in backends(),
        aead in select(&AeadAlgorithm::ALL[..3]),
        of_text in changes(),
        of_aad in changes(),
        text in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (key, nonce, aad) = (vec![1; aead.key_len()], [2; 12], b"header");
        let honest = aead.seal(backend, &key, &nonce, aad, &text).unwrap();
        let (sealed, other_aad) = (changed(&honest, &of_text), changed(aad, &of_aad));
        let expected = if sealed == honest && other_aad == aad {
            Ok(text)
        } else {
            Err(Error::OpenFailed)
        };
        let opened = aead.open(backend, &key, &nonce, &other_aad, &sealed);
        prop_assert_eq!(opened.map(|text| text.into_inner()), expected);
    }

    #[test]
    fn any_message_of_hpke(
        backend in backends(),
        suite in select(CipherSuite::all().collect::<Vec<_>>()),
        of_enc in changes(),
        of_text in changes(),
        psk in prop::collection::vec(any::<u8>(), 0..40),
        id in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let (kem, hpke) = (suite.kem(), Hpke::new(suite.hpke(), backend));
        let info = hpke.info(b"info");
        let (public, private) = (&pair(kem).public, &pair(kem).private);
        let (honest_enc, honest) = info.seal(public, b"", b"frost").unwrap();
        let (enc, sealed) = (changed(&honest_enc, &of_enc), changed(&honest, &of_text));
        match info.open(&enc, private, b"", &sealed) {
            Ok(text) => {
                prop_assert_eq!(&text[..], b"frost");
                prop_assert!(enc == honest_enc && sealed == honest);
            }
            Err(Error::InvalidEncapsulation) => prop_assert!(enc != honest_enc),
            Err(error) => prop_assert_eq!(error, Error::OpenFailed),
        }

        let is_psk = psk.len() >= 32 && !id.is_empty();
        let sender = info.setup_sender_psk(public, &psk, &id).map(drop);
        prop_assert_eq!(sender, if is_psk { Ok(()) } else { Err(Error::InvalidPsk) });
    }

    #[test]
    fn any_length_for_key_derivation(
        backend in backends(),
        hash in select(HashAlgorithm::ALL),
        prk in prop::collection::vec(any::<u8>(), 0..100),
        length in 0..20_000usize,
    ) {
        let expected = if prk.len() < hash.len() {
            Err(Error::InvalidLength)
        } else if length > 255 * hash.len() {
            Err(Error::OutputTooLong)
        } else {
            Ok(length)
        };
        let out = hash.expand(backend, &prk, b"", length).map(|out| out.len());
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn any_name_and_number(name in "(MLS_)?[A-Z0-9_a-zé\u{0}-]{0,60}", id: u16) {
        for text in [&name[..], &format!("MLS_{name}")] {
            if let Err(error) = text.parse::<CipherSuite>() {
                prop_assert_eq!(error, Error::Unknown);
            }
            prop_assert_eq!(text.parse::<KemAlgorithm>(), Err(Error::Unknown));
            prop_assert_eq!(text.parse::<AeadAlgorithm>(), Err(Error::Unknown));
        }
        for (number, expected) in [
            (KemAlgorithm::from_id(id).map(|it| it.id()), KemAlgorithm::ALL.iter().any(|it| it.id() == id)),
            (KdfAlgorithm::from_id(id).map(|it| it.id()), KdfAlgorithm::ALL.iter().any(|it| it.id() == id)),
            (AeadAlgorithm::from_id(id).map(|it| it.id()), AeadAlgorithm::ALL.iter().any(|it| it.id() == id)),
            (HashAlgorithm::from_id(id).map(|it| it.id()), HashAlgorithm::ALL.iter().any(|it| it.id() == id)),
            (SignatureScheme::from_id(id).map(|it| it.id()), SignatureScheme::ALL.iter().any(|it| it.id() == id)),
        ] {
            prop_assert_eq!(number, if expected { Ok(id) } else { Err(Error::Unknown) });
        }
    }
}
