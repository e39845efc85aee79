//! Keys, encapsulations, and every way to use them.

use std::sync::LazyLock;

use trellis_ciphersuites::hpke::{Hpke, HpkeSuite};
use trellis_ciphersuites::kem::{KemAlgorithm, KeyPair};
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, KdfAlgorithm};
use trellis_ciphersuites::{Backend, Error};

/// Bytes of a long input.
pub(crate) const LONG: usize = 16 << 20;

/// Lengths that are not `length`.
pub(crate) fn other_lengths(length: usize) -> [usize; 5] {
    [0, 1, length - 1, length + 1, LONG]
}

/// The elliptic curve of a KEM, as far as hostile bytes tell one from another.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Curve {
    None,
    X25519,
    Nist(Nist),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Nist {
    P256,
    P384,
    P521,
}

pub(crate) fn curve(kem: KemAlgorithm) -> Curve {
    match kem {
        KemAlgorithm::DhKemP256 | KemAlgorithm::MlKem768P256 => Curve::Nist(Nist::P256),
        KemAlgorithm::DhKemP384 | KemAlgorithm::MlKem1024P384 => Curve::Nist(Nist::P384),
        KemAlgorithm::DhKemP521 => Curve::Nist(Nist::P521),
        KemAlgorithm::DhKemX25519 | KemAlgorithm::MlKem768X25519 => Curve::X25519,
        KemAlgorithm::MlKem768 | KemAlgorithm::MlKem1024 => Curve::None,
    }
}

/// Bytes of the ML-KEM part of a public key and of an encapsulation.
pub(crate) fn post_quantum(kem: KemAlgorithm) -> (usize, usize) {
    match kem {
        KemAlgorithm::MlKem768 | KemAlgorithm::MlKem768P256 | KemAlgorithm::MlKem768X25519 => {
            (1184, 1088)
        }
        KemAlgorithm::MlKem1024 | KemAlgorithm::MlKem1024P384 => (1568, 1568),
        _ => (0, 0),
    }
}

pub(crate) fn pair(kem: KemAlgorithm) -> &'static KeyPair {
    static PAIRS: LazyLock<Vec<KeyPair>> = LazyLock::new(|| {
        let derive = |kem: &KemAlgorithm| kem.derive_key_pair(Backend::portable(), &[7; 66]);
        KemAlgorithm::ALL.iter().map(|kem| derive(kem).unwrap()).collect()
    });
    &PAIRS[KemAlgorithm::ALL.iter().position(|&it| it == kem).unwrap()]
}

pub(crate) fn enc(kem: KemAlgorithm) -> &'static [u8] {
    static ENCS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let encapsulate = |kem: &KemAlgorithm| {
            kem.encapsulate(Backend::portable(), &pair(*kem).public).unwrap().0
        };
        KemAlgorithm::ALL.iter().map(encapsulate).collect()
    });
    &ENCS[KemAlgorithm::ALL.iter().position(|&it| it == kem).unwrap()]
}

pub(crate) fn signing_key(scheme: SignatureScheme) -> &'static SigningKey {
    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        let expand = |scheme: &SignatureScheme| {
            let private = vec![1; scheme.private_key_len()];
            SigningKey::from_bytes(*scheme, Backend::portable(), &private).unwrap()
        };
        SignatureScheme::ALL.iter().map(expand).collect()
    });
    &KEYS[SignatureScheme::ALL.iter().position(|&it| it == scheme).unwrap()]
}

pub(crate) fn kems() -> impl Iterator<Item = (KemAlgorithm, Backend)> {
    Backend::available()
        .flat_map(|backend| KemAlgorithm::ALL.iter().map(move |&kem| (kem, backend)))
}

pub(crate) fn schemes() -> impl Iterator<Item = (SignatureScheme, Backend)> {
    Backend::available()
        .flat_map(|backend| SignatureScheme::ALL.iter().map(move |&scheme| (scheme, backend)))
}

/// All that is done with a peer's public key, which all of it refuses or accepts.
pub(crate) fn use_public_key(
    kem: KemAlgorithm,
    backend: Backend,
    public: &[u8],
) -> Result<(), Error> {
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
pub(crate) fn use_enc(
    kem: KemAlgorithm,
    backend: Backend,
    private: &[u8],
    enc: &[u8],
) -> Result<(), Error> {
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
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|i| i as u8 | 1).collect();
    bytes.iter_mut().step_by(2).for_each(|byte| *byte >>= 1);
    bytes
}

/// Sixteen mebibytes, or a quarter of one where debug builds would take minutes.
pub(crate) fn long_text() -> Vec<u8> {
    vec![0xA5; if cfg!(debug_assertions) { 1 << 18 } else { LONG }]
}

/// `kem`'s public key and encapsulation, with `element` for their elliptic-curve part.
pub(crate) fn with_element(kem: KemAlgorithm, element: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (key, ciphertext) = post_quantum(kem);
    ([&pair(kem).public[..key], element].concat(), [&enc(kem)[..ciphertext], element].concat())
}
