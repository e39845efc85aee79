//! AEAD, SHA-2, HMAC, HKDF and SHAKE: the backends against each other. The portable one is
//! RustCrypto, called with a line for each function.

use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, shake256};
use trellis_ciphersuites::{Backend, Error};

use crate::cases::{each, same};

const MOST: usize = 5000;

#[test]
fn aead() {
    each(4, |case| {
        for &aead in &AeadAlgorithm::ALL[..3] {
            let (key, nonce) = (case.bytes(aead.key_len()), case.bytes(12));
            let (aad, text) = (case.text(MOST), case.text(MOST));
            let sealed = same(
                Backend::available()
                    .map(|backend| aead.seal(backend, &key, &nonce, &aad, &text).unwrap()),
            );
            let (bad, bad_aad) = (case.altered(&sealed), [&aad[..], &[0]].concat());
            let mangled = case.mangled(&sealed);
            for backend in Backend::available() {
                let open = |aad: &[u8], sealed: &[u8]| {
                    aead.open(backend, &key, &nonce, aad, sealed).map(|text| text.into_inner())
                };
                assert_eq!(open(&aad, &sealed).as_ref(), Ok(&text));
                assert_eq!(open(&aad, &bad), Err(Error::OpenFailed));
                assert_eq!(open(&bad_aad, &sealed), Err(Error::OpenFailed));
                if mangled != sealed {
                    assert_eq!(open(&aad, &mangled), Err(Error::OpenFailed));
                }
            }
        }
    });
}

#[test]
fn hashes_and_what_is_built_on_them() {
    each(4, |case| {
        for &hash in HashAlgorithm::ALL {
            let (key, message) = (case.text(300), case.text(MOST));
            let (prk, info) = (case.bytes(hash.len()), case.text(MOST));
            let length = case.below(255 * hash.len() + 1);
            let all = || Backend::available();
            same(all().map(|backend| hash.hash(backend, &message)));
            same(all().map(|backend| hash.hmac(backend, &key, &message).into_inner()));
            same(all().map(|backend| hash.extract(backend, &key, &message).into_inner()));
            same(all().map(|backend| {
                hash.expand(backend, &prk, &info, length).map(|out| out.into_inner())
            }))
            .unwrap();
        }
    });
}

#[test]
fn shake() {
    each(1, |case| {
        let (data, length) = (case.text(MOST), case.below(1000));
        same(Backend::available().map(|backend| shake256(backend, &data, length).into_inner()));
    });
}
