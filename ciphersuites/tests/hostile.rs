//! Every public function that takes bytes, on bytes that no honest peer sends: the documented
//! error, and never a panic.
//!
//! The properties at the end run 10,000 cases each in release and 256 in debug, or what
//! `TRELLIS_CASES` says.

#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use trellis_ciphersuites::hpke::{Hpke, HpkeSuite};
use trellis_ciphersuites::kem::{KemAlgorithm, KeyPair};
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm, shake256};
use trellis_ciphersuites::{Backend, CipherSuite, Error};

/// Bytes of a long input.
const LONG: usize = 16 << 20;

/// Lengths that are not `length`.
fn other_lengths(length: usize) -> [usize; 5] {
    [0, 1, length - 1, length + 1, LONG]
}

/// The elliptic curve of a KEM, as far as hostile bytes tell one from another.
#[derive(Clone, Copy, PartialEq)]
enum Curve {
    None,
    X25519,
    Nist(Nist),
}

#[derive(Clone, Copy, PartialEq)]
enum Nist {
    P256,
    P384,
    P521,
}

fn curve(kem: KemAlgorithm) -> Curve {
    match kem {
        KemAlgorithm::DhKemP256 | KemAlgorithm::MlKem768P256 => Curve::Nist(Nist::P256),
        KemAlgorithm::DhKemP384 | KemAlgorithm::MlKem1024P384 => Curve::Nist(Nist::P384),
        KemAlgorithm::DhKemP521 => Curve::Nist(Nist::P521),
        KemAlgorithm::DhKemX25519 | KemAlgorithm::MlKem768X25519 => Curve::X25519,
        KemAlgorithm::MlKem768 | KemAlgorithm::MlKem1024 => Curve::None,
    }
}

/// Bytes of the ML-KEM part of a public key and of an encapsulation.
fn post_quantum(kem: KemAlgorithm) -> (usize, usize) {
    match kem {
        KemAlgorithm::MlKem768 | KemAlgorithm::MlKem768P256 | KemAlgorithm::MlKem768X25519 => {
            (1184, 1088)
        }
        KemAlgorithm::MlKem1024 | KemAlgorithm::MlKem1024P384 => (1568, 1568),
        _ => (0, 0),
    }
}

fn pair(kem: KemAlgorithm) -> &'static KeyPair {
    static PAIRS: LazyLock<Vec<KeyPair>> = LazyLock::new(|| {
        let derive = |kem: &KemAlgorithm| kem.derive_key_pair(Backend::portable(), &[7; 66]);
        KemAlgorithm::ALL.iter().map(|kem| derive(kem).unwrap()).collect()
    });
    &PAIRS[KemAlgorithm::ALL.iter().position(|&it| it == kem).unwrap()]
}

fn enc(kem: KemAlgorithm) -> &'static [u8] {
    static ENCS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let encapsulate = |kem: &KemAlgorithm| {
            kem.encapsulate(Backend::portable(), &pair(*kem).public).unwrap().0
        };
        KemAlgorithm::ALL.iter().map(encapsulate).collect()
    });
    &ENCS[KemAlgorithm::ALL.iter().position(|&it| it == kem).unwrap()]
}

fn signing_key(scheme: SignatureScheme) -> &'static SigningKey {
    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        let expand = |scheme: &SignatureScheme| {
            let private = vec![1; scheme.private_key_len()];
            SigningKey::from_bytes(*scheme, Backend::portable(), &private).unwrap()
        };
        SignatureScheme::ALL.iter().map(expand).collect()
    });
    &KEYS[SignatureScheme::ALL.iter().position(|&it| it == scheme).unwrap()]
}

fn kems() -> impl Iterator<Item = (KemAlgorithm, Backend)> {
    Backend::available()
        .flat_map(|backend| KemAlgorithm::ALL.iter().map(move |&kem| (kem, backend)))
}

fn schemes() -> impl Iterator<Item = (SignatureScheme, Backend)> {
    Backend::available()
        .flat_map(|backend| SignatureScheme::ALL.iter().map(move |&scheme| (scheme, backend)))
}

/// All that is done with a peer's public key, which all of it refuses or accepts.
fn use_public_key(kem: KemAlgorithm, backend: Backend, public: &[u8]) -> Result<(), Error> {
    let suite = HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
    let hpke = Hpke::new(suite, backend);
    let info = hpke.info(b"");
    let randomness = pattern(kem.randomness_len());
    let results = [
        kem.check_public_key(backend, public),
        kem.encapsulate(backend, public).map(drop),
        kem.encapsulate_derandomized(backend, public, &randomness).map(drop),
        info.setup_sender(public).map(drop),
        info.setup_sender_psk(public, &[1; 32], b"id").map(drop),
        info.setup_sender_derandomized(public, None, &randomness).map(drop),
        info.seal(public, b"", b"").map(drop),
        info.send_export(public, b"", 1).map(drop),
    ];
    assert!(results.iter().all(|result| *result == results[0]), "{kem} {backend:?} {results:?}");
    results[0]
}

/// All that is done with an encapsulation.
fn use_enc(kem: KemAlgorithm, backend: Backend, private: &[u8], enc: &[u8]) -> Result<(), Error> {
    let suite = HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
    let hpke = Hpke::new(suite, backend);
    let info = hpke.info(b"");
    let results = [
        kem.decapsulate(backend, private, enc).map(drop),
        info.setup_receiver(enc, private).map(drop),
        info.setup_receiver_psk(enc, private, &[1; 32], b"id").map(drop),
        info.receive_export(enc, private, b"", 1).map(drop),
        info.open(enc, private, b"", &[0; 16]).map(drop).or_else(|error| match error {
            Error::OpenFailed => Ok(()),
            other => Err(other),
        }),
    ];
    assert!(results.iter().all(|result| *result == results[0]), "{kem} {backend:?} {results:?}");
    results[0]
}

/// Bytes that are neither zero nor out of range of anything.
fn pattern(length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|i| i as u8 | 1).collect();
    bytes.iter_mut().step_by(2).for_each(|byte| *byte >>= 1);
    bytes
}

// Lengths.

#[test]
fn kem_inputs_of_another_length() {
    for (kem, backend) in kems() {
        let private = &pair(kem).private;
        for length in other_lengths(kem.public_key_len()) {
            let result = use_public_key(kem, backend, &vec![4; length]);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {length}");
        }
        for length in other_lengths(kem.enc_len()) {
            let result = use_enc(kem, backend, private, &vec![4; length]);
            assert_eq!(result, Err(Error::InvalidEncapsulation), "{kem} {length}");
        }
        for length in other_lengths(kem.private_key_len()) {
            let private = vec![1; length];
            let result = use_enc(kem, backend, &private, enc(kem));
            assert_eq!(result, Err(Error::InvalidPrivateKey), "{kem} {length}");
            let result = kem.public_key(backend, &private);
            assert_eq!(result, Err(Error::InvalidPrivateKey), "{kem} {length}");
        }
        for length in other_lengths(kem.randomness_len()) {
            let (public, randomness) = (&pair(kem).public, vec![1; length]);
            let result = kem.encapsulate_derandomized(backend, public, &randomness);
            assert_eq!(result, Err(Error::InvalidLength), "{kem} {length}");
        }
    }
}

/// `ikm` may have any length.
#[test]
fn key_pairs_from_ikm_of_any_length() {
    for (kem, backend) in kems() {
        for length in [0, 1, 31, 65, 1000] {
            let pair = kem.derive_key_pair(backend, &vec![0; length]).unwrap();
            assert_eq!(kem.check_public_key(backend, &pair.public), Ok(()));
        }
    }
    let ikm = long_text();
    for kem in [KemAlgorithm::DhKemP521, KemAlgorithm::MlKem768X25519] {
        for backend in Backend::available() {
            kem.derive_key_pair(backend, &ikm).unwrap();
        }
    }
}

#[test]
fn signature_inputs_of_another_length() {
    for (scheme, backend) in schemes() {
        let public = signing_key(scheme).public_key();
        for length in other_lengths(scheme.private_key_len()) {
            let result = SigningKey::from_bytes(scheme, backend, &vec![1; length]);
            assert_eq!(result.map(drop), Err(Error::InvalidPrivateKey), "{scheme} {length}");
        }
        for length in other_lengths(scheme.public_key_len()) {
            let mut longer = public.to_vec();
            longer.resize(length, 0);
            for bytes in [vec![4; length], longer] {
                let result = VerifyingKey::from_bytes(scheme, backend, &bytes);
                assert_eq!(result.map(drop), Err(Error::InvalidPublicKey), "{scheme} {length}");
            }
        }
        let signature = signing_key(scheme).sign(b"").unwrap();
        let key = VerifyingKey::from_bytes(scheme, backend, public).unwrap();
        for length in other_lengths(signature.len()) {
            let mut longer = signature.clone();
            longer.resize(length, 0);
            for bytes in [vec![0x30; length], longer] {
                let result = key.verify(b"", &bytes);
                assert_eq!(result, Err(Error::InvalidSignature), "{scheme} {length}");
            }
        }
    }
}

#[test]
fn aead_inputs_of_another_length() {
    for backend in Backend::available() {
        for &aead in &AeadAlgorithm::ALL[..3] {
            let (key, nonce) = (vec![1; aead.key_len()], [2; 12]);
            for length in other_lengths(aead.key_len()) {
                let wrong = vec![1; length];
                let refused = Err(Error::InvalidLength);
                assert_eq!(aead.seal(backend, &wrong, &nonce, b"", b"").map(drop), refused);
                assert_eq!(aead.open(backend, &wrong, &nonce, b"", &[0; 16]).map(drop), refused);
            }
            for length in other_lengths(12) {
                let wrong = vec![1; length];
                let refused = Err(Error::InvalidLength);
                assert_eq!(aead.seal(backend, &key, &wrong, b"", b"").map(drop), refused);
                assert_eq!(aead.open(backend, &key, &wrong, b"", &[0; 16]).map(drop), refused);
            }
            for length in (0..40).chain([long_text().len()]) {
                for byte in [0, 0xFF] {
                    let result = aead.open(backend, &key, &nonce, b"", &vec![byte; length]);
                    assert_eq!(result, Err(Error::OpenFailed), "{aead} {length}");
                }
            }
        }
        let none = AeadAlgorithm::ExportOnly;
        assert_eq!(none.seal(backend, b"", b"", b"", b""), Err(Error::Unsupported));
        assert_eq!(none.open(backend, b"", b"", b"", b""), Err(Error::Unsupported));
    }
}

#[test]
fn key_derivation_inputs_of_another_length() {
    for backend in Backend::available() {
        for &hash in HashAlgorithm::ALL {
            let length = hash.len();
            let expand =
                |prk: usize, length| hash.expand(backend, &vec![1; prk], b"", length).map(drop);
            for prk in [0, 1, length - 1] {
                assert_eq!(expand(prk, 32), Err(Error::InvalidLength));
            }
            assert_eq!(expand(length, 255 * length), Ok(()));
            for too_long in [255 * length + 1, LONG, usize::MAX] {
                assert_eq!(expand(length, too_long), Err(Error::OutputTooLong));
            }
            assert_eq!(expand(long_text().len(), 0), Ok(()));
        }
    }
}

// Long inputs.

/// Sixteen mebibytes, or a quarter of one where debug builds would take minutes.
fn long_text() -> Vec<u8> {
    vec![0xA5; if cfg!(debug_assertions) { 1 << 18 } else { LONG }]
}

#[test]
fn long_texts_are_sealed_opened_and_hashed() {
    let text = long_text();
    for backend in Backend::available() {
        for &aead in &AeadAlgorithm::ALL[..3] {
            let key = vec![1; aead.key_len()];
            let mut sealed = aead.seal(backend, &key, &[2; 12], &text, &text).unwrap();
            assert_eq!(aead.open(backend, &key, &[2; 12], &text, &sealed).unwrap()[..], text);
            *sealed.last_mut().unwrap() ^= 1;
            let result = aead.open(backend, &key, &[2; 12], &text, &sealed);
            assert_eq!(result, Err(Error::OpenFailed));
        }
        for &hash in HashAlgorithm::ALL {
            assert_eq!(hash.hash(backend, &text).len(), hash.len());
            assert_eq!(hash.hmac(backend, &text, &text).len(), hash.len());
            assert_eq!(hash.extract(backend, &text, &text).len(), hash.len());
            assert_eq!(hash.expand(backend, &[1; 64], &text, 1000).unwrap().len(), 1000);
        }
        assert_eq!(shake256(backend, &text, LONG >> 4).len(), LONG >> 4);
    }
}

#[test]
fn long_messages_are_signed_and_verified() {
    let message = long_text();
    for (scheme, backend) in schemes() {
        let private = signing_key(scheme).private_key();
        let key = SigningKey::from_bytes(scheme, backend, private).unwrap();
        let signature = key.sign(&message).unwrap();
        let verifying = VerifyingKey::from_bytes(scheme, backend, key.public_key()).unwrap();
        assert_eq!(verifying.verify(&message, &signature), Ok(()));
        assert_eq!(verifying.verify(&message[1..], &signature), Err(Error::InvalidSignature));
    }
}

#[test]
fn long_inputs_of_hpke() {
    let kem = KemAlgorithm::DhKemX25519;
    let (text, long) = (long_text(), vec![7; 65_536]);
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        for &kdf in KdfAlgorithm::ALL {
            let suite = HpkeSuite { kem, kdf, aead: AeadAlgorithm::ChaCha20Poly1305 };
            let hpke = Hpke::new(suite, backend);
            // What a one-stage function prefixes with a length of two bytes.
            let expected = if kdf.is_two_stage() { Ok(()) } else { Err(Error::InputTooLong) };
            let info = hpke.info(&long);
            assert_eq!(info.setup_sender(public).map(drop), expected);
            assert_eq!(info.setup_receiver(enc(kem), private).map(drop), expected);
            assert_eq!(hpke.info(&long[1..]).setup_sender(public).map(drop), Ok(()));
            let info = hpke.info(b"");
            for (psk, id) in [(&long[..], &b"id"[..]), (&[1; 32], &long)] {
                assert_eq!(info.setup_sender_psk(public, psk, id).map(drop), expected);
                let received = info.setup_receiver_psk(enc(kem), private, psk, id);
                assert_eq!(received.map(drop), expected);
            }

            let (enc, mut sender) = info.setup_sender(public).unwrap();
            let mut receiver = info.setup_receiver(&enc, private).unwrap();
            let sealed = sender.seal(&text, &text).unwrap();
            assert_eq!(receiver.open(&text, &sealed).unwrap()[..], text);
            assert_eq!(receiver.open(&text, &text), Err(Error::OpenFailed));

            let most = if kdf.is_two_stage() { 255 * kdf.len() } else { 65_535 };
            // Every block of HKDF hashes the whole context.
            assert_eq!(sender.export(&text, 50), receiver.export(&text, 50));
            assert_eq!(sender.export(b"", most), receiver.export(b"", most));
            assert_eq!(sender.export(b"", most).unwrap().len(), most);
            for length in [most + 1, 65_536, LONG, usize::MAX] {
                assert_eq!(sender.export(b"", length), Err(Error::OutputTooLong));
                assert_eq!(receiver.export(b"", length), Err(Error::OutputTooLong));
                let sent = info.send_export(public, b"", length);
                assert_eq!(sent, Err(Error::OutputTooLong));
                let received = info.receive_export(&enc, private, b"", length);
                assert_eq!(received, Err(Error::OutputTooLong));
            }
        }
    }
}

#[test]
fn psk_without_id_id_without_psk_and_short_psk() {
    let kem = KemAlgorithm::MlKem768;
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        for &kdf in KdfAlgorithm::ALL {
            let suite = HpkeSuite { kem, kdf, aead: AeadAlgorithm::Aes256Gcm };
            let hpke = Hpke::new(suite, backend);
            let info = hpke.info(b"");
            for (psk, id) in
                [(&b""[..], &b""[..]), (b"", b"id"), (&[1; 32], b""), (&[1; 31], b"id")]
            {
                let refused = Err(Error::InvalidPsk);
                assert_eq!(info.setup_sender_psk(public, psk, id).map(drop), refused);
                let sender = info.setup_sender_derandomized(public, Some((psk, id)), &[1; 32]);
                assert_eq!(sender.map(drop), refused);
                let receiver = info.setup_receiver_psk(enc(kem), private, psk, id);
                assert_eq!(receiver.map(drop), refused);
            }
        }
    }
}

#[test]
fn a_context_expects_the_same_message_after_a_failure_and_none_without_an_aead() {
    let kem = KemAlgorithm::DhKemP256;
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        let mut suite =
            HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
        let hpke = Hpke::new(suite, backend);
        let (enc, mut sender) = hpke.info(b"").setup_sender(public).unwrap();
        let mut receiver = hpke.info(b"").setup_receiver(&enc, private).unwrap();
        let sealed = [sender.seal(b"", b"one").unwrap(), sender.seal(b"", b"two").unwrap()];
        for hostile in [&b""[..], &[0; 15], &[0; 16], &sealed[1], &sealed[0][1..]] {
            assert_eq!(receiver.open(b"", hostile), Err(Error::OpenFailed));
        }
        assert_eq!(receiver.open(b"", &sealed[0]).unwrap()[..], *b"one");
        assert_eq!(receiver.open(b"", &sealed[0]), Err(Error::OpenFailed));
        assert_eq!(receiver.open(b"", &sealed[1]).unwrap()[..], *b"two");

        suite.aead = AeadAlgorithm::ExportOnly;
        let hpke = Hpke::new(suite, backend);
        let (enc, mut sender) = hpke.info(b"").setup_sender(public).unwrap();
        let mut receiver = hpke.info(b"").setup_receiver(&enc, private).unwrap();
        assert_eq!(sender.seal(b"", b""), Err(Error::Unsupported));
        assert_eq!(receiver.open(b"", b""), Err(Error::Unsupported));
        assert_eq!(hpke.info(b"").seal(public, b"", b""), Err(Error::Unsupported));
        assert_eq!(hpke.info(b"").open(&enc, private, b"", b""), Err(Error::Unsupported));
        assert_eq!(sender.export(b"", 9), receiver.export(b"", 9));
    }
}

// All zeros and all ones, at the right length.

#[test]
fn constant_kem_inputs() {
    for (kem, backend) in kems() {
        let private = &pair(kem).private;
        let (public, enc) = (vec![0; kem.public_key_len()], vec![0; kem.enc_len()]);
        // A key of ML-KEM may be zero, a ciphertext anything.
        let zero = curve(kem) == Curve::None;
        let refused = if zero { Ok(()) } else { Err(Error::InvalidPublicKey) };
        assert_eq!(use_public_key(kem, backend, &public), refused, "{kem}");
        let refused = if zero { Ok(()) } else { Err(Error::InvalidEncapsulation) };
        assert_eq!(use_enc(kem, backend, private, &enc), refused, "{kem}");

        let (public, enc) = (vec![0xFF; kem.public_key_len()], vec![0xFF; kem.enc_len()]);
        // X25519 reads 2^255 - 1 as 18; a coefficient of ML-KEM is at most 3328.
        let accepted = kem == KemAlgorithm::DhKemX25519;
        let refused = if accepted { Ok(()) } else { Err(Error::InvalidPublicKey) };
        assert_eq!(use_public_key(kem, backend, &public), refused, "{kem}");
        let accepted = !matches!(curve(kem), Curve::Nist(_));
        let refused = if accepted { Ok(()) } else { Err(Error::InvalidEncapsulation) };
        assert_eq!(use_enc(kem, backend, private, &enc), refused, "{kem}");

        let is_scalar = matches!(curve(kem), Curve::Nist(_)) && post_quantum(kem).0 == 0;
        let refused = if is_scalar { Err(Error::InvalidPrivateKey) } else { Ok(()) };
        for byte in [0, 0xFF] {
            let private = vec![byte; kem.private_key_len()];
            assert_eq!(kem.public_key(backend, &private).map(drop), refused, "{kem}");
            assert_eq!(use_enc(kem, backend, &private, self::enc(kem)), refused, "{kem}");
        }
    }
}

/// A hybrid's randomness without a scalar in it, which an honest sender draws with a chance of
/// 2^-128 and 2^-190.
#[test]
fn constant_randomness() {
    for (kem, backend) in kems() {
        for byte in [0, 0xFF] {
            let randomness = vec![byte; kem.randomness_len()];
            let result = kem.encapsulate_derandomized(backend, &pair(kem).public, &randomness);
            let is_nist_hybrid = matches!(curve(kem), Curve::Nist(_)) && post_quantum(kem).0 != 0;
            let refused = if is_nist_hybrid { Err(Error::InvalidPrivateKey) } else { Ok(()) };
            assert_eq!(result.map(drop), refused, "{kem}");
        }
    }
}

#[test]
fn constant_signature_inputs() {
    for (scheme, backend) in schemes() {
        let is_nist = matches!(
            scheme,
            SignatureScheme::EcdsaP256Sha256
                | SignatureScheme::EcdsaP384Sha384
                | SignatureScheme::EcdsaP521Sha512
        );
        let is_lattice = matches!(
            scheme,
            SignatureScheme::MlDsa44 | SignatureScheme::MlDsa65 | SignatureScheme::MlDsa87
        );
        let key = VerifyingKey::from_bytes(scheme, backend, signing_key(scheme).public_key());
        let key = key.unwrap();
        for byte in [0, 0xFF] {
            let private = vec![byte; scheme.private_key_len()];
            let refused = if is_nist { Err(Error::InvalidPrivateKey) } else { Ok(()) };
            let expanded = SigningKey::from_bytes(scheme, backend, &private);
            assert_eq!(expanded.map(drop), refused, "{scheme}");

            let signature = vec![byte; scheme.signature_len()];
            assert_eq!(key.verify(b"", &signature), Err(Error::InvalidSignature), "{scheme}");

            // Any bytes are a key of ML-DSA, and none of these verifies anything.
            let public = vec![byte; scheme.public_key_len()];
            match VerifyingKey::from_bytes(scheme, backend, &public) {
                Ok(key) => {
                    assert!(is_lattice, "{scheme}");
                    let refused = Err(Error::InvalidSignature);
                    assert_eq!(key.verify(b"", &signature), refused);
                    assert_eq!(key.verify(b"", &signing_key(scheme).sign(b"").unwrap()), refused);
                }
                Err(error) => assert_eq!(error, Error::InvalidPublicKey, "{scheme}"),
            }
        }
    }
}

// X25519.

/// The u coordinates of small order, reduced and not (RFC 7748, section 6.1).
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// `kem`'s public key and encapsulation, with `element` for their elliptic-curve part.
fn with_element(kem: KemAlgorithm, element: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (key, ciphertext) = post_quantum(kem);
    ([&pair(kem).public[..key], element].concat(), [&enc(kem)[..ciphertext], element].concat())
}

#[test]
fn x25519_points_of_small_order() {
    for (kem, backend) in kems().filter(|&(kem, _)| curve(kem) == Curve::X25519) {
        for point in LOW_ORDER {
            for top in [0, 0x80] {
                let mut point = hex::decode(point).unwrap();
                point[31] |= top;
                let (public, enc) = with_element(kem, &point);
                let result = use_public_key(kem, backend, &public);
                assert_eq!(result, Err(Error::InvalidPublicKey));
                let result = use_enc(kem, backend, &pair(kem).private, &enc);
                assert_eq!(result, Err(Error::InvalidEncapsulation));
            }
        }
    }
}

/// RFC 7748, section 5: u coordinates from p on are accepted, and the top bit is ignored.
#[test]
fn x25519_coordinates_that_are_not_reduced() {
    for (kem, backend) in kems().filter(|&(kem, _)| curve(kem) == Curve::X25519) {
        for low in 0xEF..=0xFF {
            for top in [0x7F, 0xFF] {
                let mut point = [0xFF; 32];
                (point[0], point[31]) = (low, top);
                let (public, enc) = with_element(kem, &point);
                assert_eq!(use_public_key(kem, backend, &public), Ok(()));
                assert_eq!(use_enc(kem, backend, &pair(kem).private, &enc), Ok(()));
            }
        }
    }
}

// P-256, P-384, P-521.

/// A reduced point with an x so small that x + p has as many bytes.
fn point_with_small_x(curve: Nist) -> Vec<u8> {
    macro_rules! find {
        ($curve:ident, $length:literal) => {
            (0..=255u8)
                .find_map(|x| {
                    let compressed = [&[2][..], &[0; $length - 1], &[x]].concat();
                    let key = $curve::PublicKey::from_sec1_bytes(&compressed).ok()?;
                    Some($curve::Sec1Point::from(key).as_bytes().to_vec())
                })
                .unwrap()
        };
    }
    match curve {
        Nist::P256 => find!(p256, 32),
        Nist::P384 => find!(p384, 48),
        Nist::P521 => find!(p521, 66),
    }
}

/// The prime and the order of a curve, big-endian.
fn field(curve: Nist) -> (Vec<u8>, Vec<u8>) {
    let (prime, order) = match curve {
        Nist::P256 => (
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff".to_owned(),
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned(),
        ),
        Nist::P384 => (
            format!("{}feffffffff0000000000000000ffffffff", "ff".repeat(31)),
            format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", "ff".repeat(24)),
        ),
        Nist::P521 => (
            format!("01{}", "ff".repeat(65)),
            format!(
                "01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
                "ff".repeat(32)
            ),
        ),
    };
    (hex::decode(prime).unwrap(), hex::decode(order).unwrap())
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = a.to_vec();
    let mut carry = 0;
    for (a, b) in out.iter_mut().zip(b).rev() {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        *a = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    out
}

/// Bytes of the length of a point that are none, given one that is.
fn no_points(curve: Nist, good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (prime, _) = field(curve);
    let length = prime.len();
    let (x, y) = good[1..].split_at(length);
    let point = |tag: u8, x: &[u8], y: &[u8]| [&[tag], x, y].concat();
    let (zero, ones) = (vec![0; length], vec![0xFF; length]);
    let parity = y.last().unwrap() & 1;
    let mut near = y.to_vec();
    *near.last_mut().unwrap() ^= 1;
    let mut cases = vec![
        ("the point at infinity, padded", point(0, &zero, &zero)),
        ("a compressed point, padded", point(2 | parity, x, &zero)),
        ("the hybrid form", point(6 | parity, x, y)),
        ("the hybrid form of the other point", point(7 ^ parity, x, y)),
        ("zero as coordinates", point(4, &zero, &zero)),
        ("x = p", point(4, &prime, y)),
        ("y = p", point(4, x, &prime)),
        ("x all ones", point(4, &ones, y)),
        ("y all ones", point(4, x, &ones)),
        ("off the curve", point(4, x, &near)),
        ("off the curve, coordinates swapped", point(4, y, x)),
    ];
    for tag in [0, 1, 2, 3, 5, 6, 7, 0x0C, 0x84, 0xFF] {
        cases.push(("another tag", point(tag, x, y)));
    }
    let small = point_with_small_x(curve);
    let (x, y) = small[1..].split_at(length);
    cases.push(("x + p", point(4, &add(x, &prime), y)));
    cases
}

#[test]
fn nist_points_that_are_none() {
    for (kem, backend) in kems() {
        let Curve::Nist(curve) = curve(kem) else { continue };
        let small = point_with_small_x(curve);
        assert_eq!(use_public_key(kem, backend, &with_element(kem, &small).0), Ok(()));
        let good = &pair(kem).public[post_quantum(kem).0..];
        for (what, point) in no_points(curve, good) {
            let (public, enc) = with_element(kem, &point);
            let result = use_public_key(kem, backend, &public);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {backend:?}: {what}");
            let result = use_enc(kem, backend, &pair(kem).private, &enc);
            assert_eq!(result, Err(Error::InvalidEncapsulation), "{kem} {backend:?}: {what}");
        }
        for tag in (0..=255).filter(|&tag| tag != 4) {
            let public = with_element(kem, &[&[tag], &good[1..]].concat()).0;
            let result = kem.check_public_key(backend, &public);
            assert_eq!(result, Err(Error::InvalidPublicKey), "{kem} {backend:?}: tag {tag}");
        }
        // Compressed at the length of a compressed point.
        let short = [&[2], &good[1..good.len() / 2 + 1]].concat();
        let (public, enc) = with_element(kem, &short);
        assert_eq!(use_public_key(kem, backend, &public), Err(Error::InvalidPublicKey));
        let result = use_enc(kem, backend, &pair(kem).private, &enc);
        assert_eq!(result, Err(Error::InvalidEncapsulation));
    }
}

const ECDSA: [(SignatureScheme, Nist); 3] = [
    (SignatureScheme::EcdsaP256Sha256, Nist::P256),
    (SignatureScheme::EcdsaP384Sha384, Nist::P384),
    (SignatureScheme::EcdsaP521Sha512, Nist::P521),
];

#[test]
fn ecdsa_keys_that_are_no_points() {
    for (scheme, curve) in ECDSA {
        for backend in Backend::available() {
            let good = signing_key(scheme).public_key();
            let compressed = [&[2], &good[1..good.len() / 2 + 1]].concat();
            let infinity = vec![0];
            let others = [("compressed", compressed), ("infinity", infinity)];
            for (what, point) in no_points(curve, good).into_iter().chain(others) {
                let result = VerifyingKey::from_bytes(scheme, backend, &point).map(drop);
                assert_eq!(result, Err(Error::InvalidPublicKey), "{scheme} {backend:?}: {what}");
            }
        }
    }
}

#[test]
fn nist_scalars_out_of_range() {
    for backend in Backend::available() {
        for (scheme, curve) in ECDSA {
            let (_, order) = field(curve);
            let kem = match curve {
                Nist::P256 => KemAlgorithm::DhKemP256,
                Nist::P384 => KemAlgorithm::DhKemP384,
                Nist::P521 => KemAlgorithm::DhKemP521,
            };
            let (mut below, mut above) = (order.clone(), order.clone());
            *below.last_mut().unwrap() -= 1;
            *above.last_mut().unwrap() += 1;
            let sign = |scalar: &[u8]| SigningKey::from_bytes(scheme, backend, scalar).map(drop);
            assert_eq!(sign(&below), Ok(()));
            assert_eq!(kem.public_key(backend, &below).map(drop), Ok(()));
            for scalar in [order, above] {
                assert_eq!(sign(&scalar), Err(Error::InvalidPrivateKey));
                assert_eq!(kem.public_key(backend, &scalar), Err(Error::InvalidPrivateKey));
                let result = use_enc(kem, backend, &scalar, enc(kem));
                assert_eq!(result, Err(Error::InvalidPrivateKey));
            }
        }
    }
}

// ML-KEM.

/// FIPS 203, section 7.2: every coefficient of the key below 3329.
#[test]
fn ml_kem_coefficients_out_of_range() {
    for (kem, backend) in kems().filter(|&(kem, _)| post_quantum(kem).0 != 0) {
        // Without the seed that follows the coefficients.
        let coefficients = (post_quantum(kem).0 - 32) * 2 / 3;
        for at in [0, 1, 255, 256, coefficients / 2, coefficients - 2, coefficients - 1] {
            for (value, expected) in [
                (0, Ok(())),
                (3328, Ok(())),
                (3329, Err(Error::InvalidPublicKey)),
                (3330, Err(Error::InvalidPublicKey)),
                (4095, Err(Error::InvalidPublicKey)),
            ] {
                let mut public = pair(kem).public.clone();
                let bytes = &mut public[at / 2 * 3..][..3];
                let packed = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
                let shift = at % 2 * 12;
                let packed = packed & !(0xFFF << shift) | value << shift;
                bytes.copy_from_slice(&packed.to_le_bytes()[..3]);
                let checked = kem.check_public_key(backend, &public);
                assert_eq!(checked, expected, "{kem} {backend:?}: coefficient {at} = {value}");
                assert_eq!(kem.encapsulate(backend, &public).map(drop), expected);
            }
        }
    }
}

// Ed25519.

#[test]
fn ed25519_points_of_small_order_and_coordinates_that_are_not_reduced() {
    let scheme = SignatureScheme::Ed25519;
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let not_reduced = (0xED..=0xFF).map(|low| {
        let mut point = [0xFF; 32];
        (point[0], point[31]) = (low, 0x7F);
        point.to_vec()
    });
    let points: Vec<_> =
        small.iter().map(|point| hex::decode(point).unwrap()).chain(not_reduced).collect();
    let good = signing_key(scheme);
    let signature = good.sign(b"").unwrap();
    for backend in Backend::available() {
        let key = VerifyingKey::from_bytes(scheme, backend, good.public_key()).unwrap();
        for point in &points {
            for sign in [0, 0x80] {
                let mut point = point.clone();
                point[31] |= sign;
                let result = VerifyingKey::from_bytes(scheme, backend, &point).map(drop);
                assert_eq!(result, Err(Error::InvalidPublicKey), "{}", hex::encode(&point));
                let forged = [&point[..], &signature[32..]].concat();
                assert_eq!(key.verify(b"", &forged), Err(Error::InvalidSignature));
                let forged = [&point[..], &[0; 32]].concat();
                assert_eq!(key.verify(b"", &forged), Err(Error::InvalidSignature));
            }
        }
    }
}

// What is printed.

/// `bytes` as any of the usual formats would show a part of them.
fn shown(bytes: &[u8]) -> Vec<String> {
    let part = &bytes[..8];
    let list = |strings: Vec<String>| strings.join(", ");
    vec![
        hex::encode(part),
        hex::encode_upper(part),
        list(part.iter().map(u8::to_string).collect()),
        list(part.iter().map(|byte| format!("{byte:x}")).collect()),
        list(part.iter().map(|byte| format!("{byte:02x}")).collect()),
        part.escape_ascii().to_string(),
    ]
}

fn assert_hidden(value: &dyn std::fmt::Debug, secrets: &[&[u8]]) {
    for text in [format!("{value:?}"), format!("{value:#?}"), format!("{value:x?}")] {
        // An indented list has a line for each byte.
        let text = text.replace(",\n        ", ", ");
        for secret in secrets {
            for shown in shown(secret) {
                assert!(!text.contains(&shown), "{text}");
            }
        }
    }
}

#[test]
fn nothing_that_is_printed_holds_key_bytes() {
    for (scheme, backend) in schemes() {
        let key = SigningKey::generate(scheme, backend).unwrap();
        assert_hidden(&key, &[key.private_key()]);
        assert_hidden(key.private_key(), &[key.private_key()]);
    }
    for (kem, backend) in kems() {
        let pair = kem.generate_key_pair(backend).unwrap();
        assert_hidden(&pair, &[&pair.private]);
        let (_, secret) = kem.encapsulate(backend, &pair.public).unwrap();
        assert_hidden(&secret, &[&secret]);
    }
    let suite = CipherSuite::all().next().unwrap().hpke();
    for backend in Backend::available() {
        let hpke = Hpke::new(suite, backend);
        let info = hpke.info(b"a secret of the application");
        assert_hidden(&info, &[b"a secret"]);
        let pair = pair(suite.kem);
        let randomness = pattern(suite.kem.randomness_len());
        let (enc, sender) =
            info.setup_sender_derandomized(&pair.public, None, &randomness).unwrap();
        let receiver = info.setup_receiver(&enc, &pair.private).unwrap();
        let secret =
            suite.kem.encapsulate_derandomized(backend, &pair.public, &randomness).unwrap().1;
        // The secrets of the key schedule, computed apart (RFC 9180, section 5.1).
        let labeled =
            |label: &[u8], ikm: &[u8]| [b"HPKE-v1", &suite.suite_id()[..], label, ikm].concat();
        let hash = HashAlgorithm::Sha256;
        let id_hash = hash.extract(backend, b"", &labeled(b"psk_id_hash", b""));
        let info_hash = labeled(b"info_hash", b"a secret of the application");
        let info_hash = hash.extract(backend, b"", &info_hash);
        let context = [&[0], &id_hash[..], &info_hash].concat();
        let schedule = hash.extract(backend, &secret, &labeled(b"secret", b""));
        let expand = |label: &[u8], length: u8| {
            let info = [&[0, length], &labeled(label, &context)[..]].concat();
            hash.expand(backend, &schedule, &info, usize::from(length)).unwrap()
        };
        let (key, nonce, exporter) =
            (expand(b"key", 16), expand(b"base_nonce", 12), expand(b"exp", 32));
        let mut check = sender;
        let sealed = suite.aead.seal(backend, &key, &nonce, b"", b"right").unwrap();
        assert_eq!(check.seal(b"", b"right").unwrap(), sealed);
        let secrets: [&[u8]; 5] = [&secret, &schedule, &key, &nonce, &exporter];
        assert_hidden(&check, &secrets);
        assert_hidden(&receiver, &secrets);
    }
}

// Properties.

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
