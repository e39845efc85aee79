//! On hostile bytes the backends give the same answer: the same bytes or the same error.

use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};
use trellis_ciphersuites::{Backend, CipherSuite, Error};

use crate::cases::{Case, each, same};

fn all<T: PartialEq + std::fmt::Debug>(
    operation: impl Fn(Backend) -> Result<T, Error>,
) -> Result<T, Error> {
    same(Backend::available().map(operation))
}

fn kem(kem: KemAlgorithm, cost: u64) {
    each(cost, |case| {
        let ikm = case.array::<32>();
        let pair = kem.derive_key_pair(Backend::portable(), &ikm).unwrap();
        let randomness = case.bytes(kem.randomness_len());
        let _ = all(|backend| kem.public_key(backend, &case_private(kem, &ikm)));

        let public = case.mangled(&pair.public);
        let check = all(|backend| kem.check_public_key(backend, &public));
        let encapsulated =
            all(|backend| kem.encapsulate_derandomized(backend, &public, &randomness));
        match encapsulated {
            // The first two cases have edges for randomness.
            Err(Error::InvalidPrivateKey) => assert!(case.number < 2),
            result => assert_eq!(result.map(drop), check),
        }

        let enc = kem.encapsulate(Backend::portable(), &pair.public).unwrap().0;
        let enc = case.mangled(&enc);
        let _ = all(|backend| kem.decapsulate(backend, &pair.private, &enc));
        let private = case.mangled(&pair.private);
        let _ = all(|backend| kem.public_key(backend, &private));
        let _ = all(|backend| kem.decapsulate(backend, &private, &enc));
    });
}

/// Raw bytes as a private key, which need not be in range.
fn case_private(kem: KemAlgorithm, ikm: &[u8; 32]) -> Vec<u8> {
    ikm.iter().copied().cycle().take(kem.private_key_len()).collect()
}

macro_rules! kems {
    ($($name:ident: $algorithm:ident, $cost:literal;)+) => {
        $(
            #[test]
            fn $name() {
                kem(KemAlgorithm::$algorithm, $cost);
            }
        )+
    };
}

kems! {
    dhkem_p256: DhKemP256, 4;
    dhkem_p384: DhKemP384, 8;
    dhkem_p521: DhKemP521, 16;
    dhkem_x25519: DhKemX25519, 1;
    ml_kem_768: MlKem768, 2;
    ml_kem_1024: MlKem1024, 2;
    ml_kem_768_p256: MlKem768P256, 8;
    ml_kem_1024_p384: MlKem1024P384, 8;
    ml_kem_768_x25519: MlKem768X25519, 2;
}

fn scheme(scheme: SignatureScheme, cost: u64) {
    each(cost, |case| {
        let message = case.text(100);
        let private = case.mangled(&case_key(case.number, scheme));
        let made = all(|backend| {
            let key = SigningKey::from_bytes(scheme, backend, &private)?;
            Ok(key.public_key().to_vec())
        });
        if made.is_ok() {
            let key = SigningKey::from_bytes(scheme, Backend::default(), &private).unwrap();
            check_key(scheme, case, &message, &key);
        }
    });
}

/// A private key in range.
fn case_key(number: u64, scheme: SignatureScheme) -> Vec<u8> {
    let mut key = vec![0; scheme.private_key_len()];
    key[1..9].copy_from_slice(&(number + 1).to_le_bytes());
    key
}

fn check_key(scheme: SignatureScheme, case: &mut Case, message: &[u8], key: &SigningKey) {
    let signature = key.sign(message).unwrap();
    let (public, mangled) = (case.mangled(key.public_key()), case.mangled(&signature));
    for public in [key.public_key(), &public] {
        for signature in [&signature, &mangled] {
            let _ = all(|backend| {
                VerifyingKey::from_bytes(scheme, backend, public)?.verify(message, signature)
            });
        }
    }
}

macro_rules! schemes {
    ($($name:ident: $scheme:ident, $cost:literal;)+) => {
        $(
            #[test]
            fn $name() {
                scheme(SignatureScheme::$scheme, $cost);
            }
        )+
    };
}

schemes! {
    ecdsa_p256: EcdsaP256Sha256, 4;
    ecdsa_p384: EcdsaP384Sha384, 8;
    ecdsa_p521: EcdsaP521Sha512, 16;
    ed25519: Ed25519, 1;
    ml_dsa_44: MlDsa44, 8;
    ml_dsa_65: MlDsa65, 8;
    ml_dsa_87: MlDsa87, 8;
}

#[test]
fn symmetric() {
    each(1, |case| {
        for &aead in AeadAlgorithm::ALL {
            let (key, nonce) = (case.bytes(aead.key_len() + 1), case.bytes(aead.nonce_len() + 1));
            let key = &key[..key.len() - case.below(4).min(1)];
            let nonce = &nonce[..nonce.len() - case.below(4).min(1)];
            let (aad, text) = (case.text(50), case.text(50));
            let _ = all(|backend| aead.seal(backend, key, nonce, &aad, &text));
            let _ = all(|backend| aead.open(backend, key, nonce, &aad, &text));
        }
        for &hash in HashAlgorithm::ALL {
            let (prk, length) = (case.text(100), case.below(300 * hash.len()));
            let _ = all(|backend| hash.expand(backend, &prk, b"", length));
        }
    });
}

#[test]
fn hpke() {
    each(32, |case| {
        for suite in CipherSuite::all() {
            let hpke = |backend| Hpke::new(suite.hpke(), backend);
            let pair = hpke(Backend::portable()).derive_key_pair(&case.array::<32>()).unwrap();
            let info = case.text(50);
            let sender = hpke(Backend::portable());
            let (enc, sealed) = sender.info(&info).seal(&pair.public, b"", b"text").unwrap();
            let enc = if case.below(2) == 0 { case.mangled(&enc) } else { enc };
            let sealed = case.mangled(&sealed);
            let _ =
                all(|backend| hpke(backend).info(&info).open(&enc, &pair.private, b"", &sealed));
            let _ = all(|backend| {
                hpke(backend).info(&info).receive_export(&enc, &pair.private, b"", 32)
            });
            let (psk, id) = (case.text(40), case.text(2));
            let randomness = case.bytes(suite.kem().randomness_len());
            let _ =
                all(|backend| {
                    let psk = Some((&psk[..], &id[..]));
                    let (enc, mut context) = (hpke(backend).info(&info))
                        .setup_sender_derandomized(&pair.public, psk, &randomness)?;
                    Ok((enc, context.seal(b"", b"text")?))
                });
        }
    });
}
