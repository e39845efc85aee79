//! The oracle against our own primitives on every backend, through the one trait.

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm};
use trellis_ciphersuites::{Backend, CipherSuite};
use trellis_vectors::oracle::RustCrypto;
use trellis_vectors::{Primitives, Psk, Randomness, Refusal, Trellis};

/// Ours, on every backend.
fn ours() -> Vec<Trellis> {
    Backend::available().map(|backend| Trellis { backend, ..Trellis::default() }).collect()
}

/// A result with the words of a refusal left out, which are each implementation's own.
fn code<T>(result: Result<T, Refusal>) -> Result<T, &'static str> {
    result.map_err(|refusal| match refusal {
        Refusal::NotOffered(_) => "not-offered",
        Refusal::Invalid(code) => code,
    })
}

/// Asserts that ours answer as the oracle does, and returns the answer.
fn same<T: PartialEq + std::fmt::Debug>(
    what: impl std::fmt::Display,
    operation: impl Fn(&dyn Primitives) -> Result<T, Refusal>,
) -> Result<T, &'static str> {
    let expected = code(operation(&RustCrypto));
    for ours in ours() {
        assert_eq!(code(operation(&ours)), expected, "{what}, {}", ours.name());
    }
    expected
}

/// `bytes` as an attacker might send them.
fn mangled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (length, middle) = (bytes.len(), bytes.len() / 2);
    let flipped = |at: usize| {
        let mut out = bytes.to_vec();
        out[at] ^= 1;
        out
    };
    // The group part of a hybrid is at the end.
    let with_end = |end: &[u8]| match length.checked_sub(end.len()) {
        Some(start) => [&bytes[..start], end].concat(),
        None => end.to_vec(),
    };
    vec![
        flipped(0),
        flipped(1),
        flipped(middle),
        flipped(length - 1),
        vec![0; length],
        vec![0xFF; length],
        with_end(&[0; 32]),
        with_end(&[&[1][..], &[0; 31]].concat()),
        with_end(&[0xFF; 32]),
        bytes[..length - 1].to_vec(),
        [bytes, &[0]].concat(),
        vec![],
    ]
}

#[test]
fn hashes() {
    let random = Randomness::new(b"hashes");
    for &hash in HashAlgorithm::ALL {
        for length in [0, 1, hash.len() - 1, hash.len(), 128, 129, 1000] {
            let (key, data) = (random.bytes(length), random.bytes(length / 2));
            same(hash, |p| p.hash(hash, &key)).unwrap();
            same(hash, |p| p.hmac(hash, &key, &data)).unwrap();
            same(hash, |p| p.extract(hash, &key, &data)).unwrap();
            for wanted in [0, 1, hash.len(), 255 * hash.len(), 255 * hash.len() + 1] {
                let expanded = same(hash, |p| p.expand(hash, &key, &data, wanted));
                let expected = match () {
                    () if length < hash.len() => Err("invalid-length"),
                    () if wanted > 255 * hash.len() => Err("output-too-long"),
                    () => Ok(wanted),
                };
                assert_eq!(expanded.map(|out| out.len()), expected);
            }
        }
    }
}

#[test]
fn aeads() {
    let random = Randomness::new(b"AEADs");
    for &aead in AeadAlgorithm::ALL {
        let (key, nonce) = (random.bytes(aead.key_len()), random.bytes(aead.nonce_len()));
        for length in [0, 1, 16, 1000] {
            let (aad, text) = (random.bytes(length), random.bytes(length));
            let seal = |key: &[u8], nonce: &[u8]| {
                same(aead, |p| p.aead_seal(aead, key, nonce, &aad, &text))
            };
            let sealed = seal(&key, &nonce);
            let Ok(sealed) = sealed else {
                assert_eq!(sealed, Err("not-offered"));
                assert_eq!(aead, AeadAlgorithm::ExportOnly);
                continue;
            };
            assert_eq!(seal(&key[1..], &nonce), Err("invalid-length"));
            assert_eq!(seal(&key, &[&nonce[..], &[0]].concat()), Err("invalid-length"));

            let open = |key: &[u8], nonce: &[u8], sealed: &[u8]| {
                same(aead, |p| p.aead_open(aead, key, nonce, &aad, sealed))
            };
            assert_eq!(open(&key, &nonce, &sealed), Ok(text.clone()));
            assert_eq!(open(&key[1..], &nonce, &sealed), Err("invalid-length"));
            assert_eq!(open(&key, &nonce[1..], &sealed), Err("invalid-length"));
            for sealed in mangled(&sealed) {
                assert_eq!(open(&key, &nonce, &sealed), Err("open-failed"));
            }
        }
    }
}

fn kem(kem: KemAlgorithm) {
    let random = Randomness::new(kem.name().as_bytes());
    for length in [0, 1, 32, 64, 200] {
        let ikm = random.bytes(length);
        let pair = same(kem, |p| p.derive_key_pair(kem, &ikm)).unwrap();
        assert_eq!(pair.private.len(), kem.private_key_len());
        assert_eq!(same(kem, |p| p.public_key(kem, &pair.private)).as_ref(), Ok(&pair.public));

        let randomness = random.bytes(kem.randomness_len());
        let (enc, secret) =
            same(kem, |p| p.encapsulate(kem, &pair.public, Some(&randomness))).unwrap();
        assert_eq!(same(kem, |p| p.decapsulate(kem, &pair.private, &enc)).as_ref(), Ok(&secret));

        let sender = RustCrypto.encapsulate(kem, &pair.public, None).unwrap();
        for ours in ours() {
            assert_eq!(ours.decapsulate(kem, &pair.private, &sender.0).as_ref(), Ok(&sender.1));
            let (enc, secret) = ours.encapsulate(kem, &pair.public, None).unwrap();
            assert_eq!(RustCrypto.decapsulate(kem, &pair.private, &enc), Ok(secret));
        }
    }
}

/// Wrong keys, encapsulations and randomness, which must be refused for the same reason, or lead to
/// the same secret.
fn kem_refusals(kem: KemAlgorithm) {
    let random = Randomness::new(kem.name().as_bytes()).part("refusals");
    let pair = RustCrypto.derive_key_pair(kem, &random.bytes(64)).unwrap();
    let randomness = random.bytes(kem.randomness_len());
    let (enc, _) = RustCrypto.encapsulate(kem, &pair.public, Some(&randomness)).unwrap();

    for public in mangled(&pair.public) {
        let what = format!("{kem} to {}", hex::encode(&public));
        let sent = same(what, |p| p.encapsulate(kem, &public, Some(&randomness)));
        if public.len() != kem.public_key_len() {
            assert_eq!(sent, Err("invalid-public-key"));
        }
    }
    for enc in mangled(&enc) {
        let what = format!("{kem} of {}", hex::encode(&enc));
        let received = same(what, |p| p.decapsulate(kem, &pair.private, &enc));
        if enc.len() != kem.enc_len() {
            assert_eq!(received, Err("invalid-encapsulation"));
        }
    }
    for private in mangled(&pair.private) {
        let what = format!("{kem} by {}", hex::encode(&private));
        let public = same(&what, |p| p.public_key(kem, &private));
        let received = same(&what, |p| p.decapsulate(kem, &private, &enc));
        assert_eq!(public.is_ok(), received.is_ok(), "{what}");
        if private.len() != kem.private_key_len() {
            assert_eq!(public, Err("invalid-private-key"));
        }
    }
    for randomness in mangled(&randomness) {
        let what = format!("{kem} with {}", hex::encode(&randomness));
        let sent = same(what, |p| p.encapsulate(kem, &pair.public, Some(&randomness)));
        if randomness.len() != kem.randomness_len() {
            assert_eq!(sent, Err("invalid-length"));
        }
    }
}

/// Points of small order on Curve25519, which give an all-zero result.
#[test]
fn no_contribution() {
    let points = [
        [0; 32],
        hex32("0100000000000000000000000000000000000000000000000000000000000000"),
        hex32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        hex32("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        hex32("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex32("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex32("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ];
    for kem in [KemAlgorithm::DhKemX25519, KemAlgorithm::MlKem768X25519] {
        let pair = RustCrypto.derive_key_pair(kem, b"no contribution").unwrap();
        let (enc, _) = RustCrypto.encapsulate(kem, &pair.public, None).unwrap();
        let suite =
            HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
        for point in points {
            let public = [&pair.public[..pair.public.len() - 32], &point].concat();
            let enc = [&enc[..enc.len() - 32], &point].concat();
            let sent = same(kem, |p| p.encapsulate(kem, &public, None));
            assert_eq!(sent, Err("invalid-public-key"));
            let received = same(kem, |p| p.decapsulate(kem, &pair.private, &enc));
            assert_eq!(received, Err("invalid-encapsulation"));

            let sent = same(kem, |p| p.hpke_sender(suite, &public, b"", None, None).map(drop));
            assert_eq!(sent, Err("invalid-public-key"));
            let received =
                same(kem, |p| p.hpke_receiver(suite, &enc, &pair.private, b"", None).map(drop));
            assert_eq!(received, Err("invalid-encapsulation"));
        }
    }
}

fn hex32(digits: &str) -> [u8; 32] {
    hex::decode(digits).unwrap().try_into().unwrap()
}

/// What a sender makes: encapsulation, ciphertexts, exported secret.
type Sent = (Vec<u8>, Vec<Result<Vec<u8>, &'static str>>, Vec<u8>);

const TEXTS: [&[u8]; 3] = [b"frost", b"", b"tonight"];

fn send(
    p: &dyn Primitives,
    suite: HpkeSuite,
    public: &[u8],
    psk: Option<Psk<'_>>,
    randomness: Option<&[u8]>,
) -> Result<Sent, Refusal> {
    let (enc, mut context) = p.hpke_sender(suite, public, b"info", psk, randomness)?;
    let sealed = TEXTS.iter().map(|text| code(context.seal(b"aad", text))).collect();
    assert_eq!(code(context.open(b"", b"")), Err("not-offered"));
    let exported = context.export(b"context", 77)?;
    Ok((enc, sealed, exported))
}

/// The receiver opens what was sealed and nothing else.
fn receive(
    p: &dyn Primitives,
    suite: HpkeSuite,
    private: &[u8],
    psk: Option<Psk<'_>>,
    (enc, sealed, exported): &Sent,
) {
    let mut context = p.hpke_receiver(suite, enc, private, b"info", psk).unwrap();
    assert_eq!(code(context.seal(b"", b"")), Err("not-offered"));
    for (sealed, text) in sealed.iter().zip(TEXTS) {
        let Ok(sealed) = sealed else {
            assert_eq!(sealed, &Err("not-offered"));
            assert_eq!(code(context.open(b"aad", b"")), Err("not-offered"));
            continue;
        };
        for (aad, sealed) in
            [(&b"!"[..], &sealed[..]), (b"aad", &sealed[1..]), (b"aad", &sealed[..3])]
        {
            assert_eq!(code(context.open(aad, sealed)), Err("open-failed"));
        }
        assert_eq!(context.open(b"aad", sealed).as_deref(), Ok(text));
    }
    assert_eq!(context.export(b"context", 77).as_ref(), Ok(exported));
}

/// Every KDF and AEAD with one KEM, in both modes and both directions.
fn hpke(kem: KemAlgorithm) {
    let random = Randomness::new(kem.name().as_bytes()).part("HPKE");
    let pair = RustCrypto.derive_key_pair(kem, &random.bytes(64)).unwrap();
    let randomness = random.bytes(kem.randomness_len());
    let (psk, psk_id) = (random.bytes(32), random.bytes(1));
    let modes = [None, Some(Psk { psk: &psk, psk_id: &psk_id })];
    // Without optimisation each configuration runs in one mode.
    let each = if cfg!(debug_assertions) { 1 } else { 2 };
    let mut refused = 0;
    for (index, (kdf, aead)) in (KdfAlgorithm::ALL.iter())
        .flat_map(|&kdf| AeadAlgorithm::ALL.iter().map(move |&aead| (kdf, aead)))
        .enumerate()
    {
        let suite = HpkeSuite { kem, kdf, aead };
        for mode in modes.into_iter().cycle().skip(index + index / 4).take(each) {
            let given = Some(&randomness[..]);
            let sent = send(&RustCrypto, suite, &pair.public, mode, given);
            let Ok(sent) = sent else {
                assert_eq!(code(sent).unwrap_err(), "not-offered");
                refused += 1;
                continue;
            };
            for ours in ours() {
                assert_eq!(send(&ours, suite, &pair.public, mode, given).as_ref(), Ok(&sent));
                receive(&ours, suite, &pair.private, mode, &sent);
                let sent = send(&ours, suite, &pair.public, mode, None).unwrap();
                receive(&RustCrypto, suite, &pair.private, mode, &sent);
            }
            let sent = send(&RustCrypto, suite, &pair.public, mode, None).unwrap();
            receive(&Trellis::default(), suite, &pair.private, mode, &sent);
        }
    }
    // The two one-stage functions with the export-only AEAD.
    assert_eq!(refused, 2 * each);
}

/// The most that a context exports (RFC 9180, section 5.3).
#[test]
fn lengths_of_exported_secrets() {
    let kem = KemAlgorithm::DhKemX25519;
    let pair = RustCrypto.derive_key_pair(kem, b"lengths").unwrap();
    for &kdf in KdfAlgorithm::ALL {
        let suite = HpkeSuite { kem, kdf, aead: AeadAlgorithm::ChaCha20Poly1305 };
        let export = |length| {
            same(kdf, |p| {
                let (_, context) = p.hpke_sender(suite, &pair.public, b"", None, Some(&[7; 32]))?;
                context.export(b"context", length)
            })
        };
        let most = if kdf.is_two_stage() { 255 * kdf.len() } else { 0xFFFF };
        for length in [0, 1, 64, most] {
            assert_eq!(export(length).unwrap().len(), length);
        }
        assert_eq!(export(most + 1), Err("output-too-long"));
    }
}

fn hpke_refusals(kem: KemAlgorithm) {
    let random = Randomness::new(kem.name().as_bytes()).part("HPKE refusals");
    let pair = RustCrypto.derive_key_pair(kem, &random.bytes(64)).unwrap();
    let (enc, _) = RustCrypto.encapsulate(kem, &pair.public, None).unwrap();
    let key = random.bytes(32);
    let suite = |kdf| HpkeSuite { kem, kdf, aead: AeadAlgorithm::Aes256Gcm };
    let (two, one) = (suite(KdfAlgorithm::HkdfSha384), suite(KdfAlgorithm::Shake256));

    let sender = |suite, public: &[u8], info: &[u8], psk, randomness: Option<&[u8]>| {
        same(kem, |p| p.hpke_sender(suite, public, info, psk, randomness).map(drop))
    };
    let receiver = |suite, enc: &[u8], private: &[u8], info: &[u8], psk| {
        same(kem, |p| p.hpke_receiver(suite, enc, private, info, psk).map(drop))
    };
    let short = |bytes: &[u8]| bytes[1..].to_vec();
    for suite in [two, one] {
        assert_eq!(sender(suite, &short(&pair.public), b"", None, None), Err("invalid-public-key"));
        assert_eq!(sender(suite, &pair.public, b"", None, Some(&[0; 7])), Err("invalid-length"));
        assert_eq!(
            receiver(suite, &short(&enc), &pair.private, b"", None),
            Err("invalid-encapsulation")
        );
        assert_eq!(
            receiver(suite, &enc, &short(&pair.private), b"", None),
            Err("invalid-private-key")
        );
        for (psk, psk_id) in [(&key[1..], &b"id"[..]), (&key, b""), (b"", b"id"), (b"", b"")] {
            let psk = Some(Psk { psk, psk_id });
            assert_eq!(sender(suite, &pair.public, b"", psk, None), Err("invalid-psk"));
            assert_eq!(receiver(suite, &enc, &pair.private, b"", psk), Err("invalid-psk"));
        }
    }
    let long = vec![7; 0x1_0000];
    let long_psk = Some(Psk { psk: &long, psk_id: b"id" });
    let long_id = Some(Psk { psk: &key, psk_id: &long });
    for (info, psk) in [(&long[..], None), (b"", long_psk), (b"", long_id)] {
        assert_eq!(sender(two, &pair.public, info, psk, None), Ok(()));
        assert_eq!(receiver(two, &enc, &pair.private, info, psk), Ok(()));
        assert_eq!(sender(one, &pair.public, info, psk, None), Err("input-too-long"));
        assert_eq!(receiver(one, &enc, &pair.private, info, psk), Err("input-too-long"));
    }
    assert_eq!(sender(one, &pair.public, &long[1..], None, None), Ok(()));
}

macro_rules! kems {
    ($($name:ident: $algorithm:ident;)+) => {
        $(
            mod $name {
                use super::*;

                const KEM: KemAlgorithm = KemAlgorithm::$algorithm;

                #[test]
                fn exchanges() {
                    kem(KEM);
                }

                #[test]
                fn refusals() {
                    kem_refusals(KEM);
                }

                #[test]
                fn contexts() {
                    hpke(KEM);
                }

                #[test]
                fn refusals_of_contexts() {
                    hpke_refusals(KEM);
                }
            }
        )+

        #[test]
        fn every_kem_is_tested() {
            assert_eq!([$(KemAlgorithm::$algorithm),+], KemAlgorithm::ALL);
        }
    };
}

kems! {
    dhkem_p256: DhKemP256;
    dhkem_p384: DhKemP384;
    dhkem_p521: DhKemP521;
    dhkem_x25519: DhKemX25519;
    ml_kem_768: MlKem768;
    ml_kem_1024: MlKem1024;
    ml_kem_768_p256: MlKem768P256;
    ml_kem_1024_p384: MlKem1024P384;
    ml_kem_768_x25519: MlKem768X25519;
}

/// The randomness of an encapsulation whose first pieces are no scalars.
#[test]
fn pieces_out_of_range() {
    for kem in [KemAlgorithm::MlKem768P256, KemAlgorithm::MlKem1024P384] {
        let pair = RustCrypto.derive_key_pair(kem, b"pieces").unwrap();
        let length = kem.randomness_len() - 32;
        for out_of_range in [0x00, 0xFF] {
            for rejected in [0, 32, 64, 96, length] {
                let (bad, good) = (vec![out_of_range; rejected.min(length)], vec![7; length]);
                let randomness = [&[9; 32], &bad[..], &good[bad.len()..]].concat();
                let sent = same(kem, |p| p.encapsulate(kem, &pair.public, Some(&randomness)));
                let suite = CipherSuite::all().find(|suite| suite.kem() == kem).unwrap().hpke();
                let context = same(kem, |p| {
                    p.hpke_sender(suite, &pair.public, b"", None, Some(&randomness)).map(drop)
                });
                assert_eq!(context, sent.clone().map(drop));
                if rejected == length {
                    assert_eq!(sent, Err("invalid-private-key"));
                }
            }
        }
    }
}

/// What the native backend signs with randomness of its own, whatever it is given.
const HEDGED: [SignatureScheme; 2] =
    [SignatureScheme::EcdsaP256Sha256, SignatureScheme::EcdsaP384Sha384];

#[test]
fn signatures() {
    for &scheme in SignatureScheme::ALL {
        let random = Randomness::new(scheme.name().as_bytes());
        for length in [0, 1, 1000] {
            let mut private = random.bytes(scheme.private_key_len());
            private[0] &= 1;
            let (message, rnd) = (random.bytes(length), random.bytes(32).try_into().unwrap());
            let public = same(scheme, |p| p.verification_key(scheme, &private)).unwrap();
            for rnd in [[0; 32], rnd] {
                let sign = |p: &dyn Primitives| p.sign(scheme, &private, &message, Some(&rnd));
                let signature = sign(&RustCrypto).unwrap();
                for ours in ours() {
                    // The native backend hedges the nonces of ECDSA (RFC 6979, section 3.6).
                    if ours.backend == Backend::portable() || !HEDGED.contains(&scheme) {
                        assert_eq!(sign(&ours).as_ref(), Ok(&signature), "{scheme}");
                    }
                }
                check_signature(scheme, &public, &message, &signature);
            }
            for signer in
                ours().iter().map(|ours| ours as &dyn Primitives).chain([&RustCrypto as _])
            {
                let signature = signer.sign(scheme, &private, &message, None).unwrap();
                let verified = same(scheme, |p| p.verify(scheme, &public, &message, &signature));
                assert_eq!(verified, Ok(()));
            }
        }
    }
}

fn check_signature(scheme: SignatureScheme, public: &[u8], message: &[u8], signature: &[u8]) {
    let verify = |public: &[u8], message: &[u8], signature: &[u8]| {
        let what = format!("{scheme}: {}, {}", hex::encode(public), hex::encode(signature));
        same(what, |p| p.verify(scheme, public, message, signature))
    };
    assert_eq!(verify(public, message, signature), Ok(()));
    let other = [message, b"!"].concat();
    assert_eq!(verify(public, &other, signature), Err("invalid-signature"));
    for signature in mangled(signature) {
        assert_eq!(verify(public, message, &signature), Err("invalid-signature"));
    }
    for public in mangled(public) {
        let verified = verify(&public, message, signature);
        assert!(verified.is_err());
        if public.len() != scheme.public_key_len() {
            assert_eq!(verified, Err("invalid-public-key"));
        }
    }
    // The compressed form of a point is none here.
    if let [4, x @ .., y] = public {
        let compressed = [&[2 + (y & 1)], &x[..x.len() / 2]].concat();
        assert_eq!(verify(&compressed, message, signature), Err("invalid-public-key"));
    }
}

#[test]
fn private_keys_out_of_range() {
    for &scheme in SignatureScheme::ALL {
        let length = scheme.private_key_len();
        for private in [
            vec![0; length],
            vec![0xFF; length],
            vec![1; length - 1],
            vec![1; length + 1],
            vec![1; length / 2],
            vec![],
        ] {
            let public = same(scheme, |p| p.verification_key(scheme, &private));
            let signed = same(scheme, |p| p.sign(scheme, &private, b"", None).map(drop));
            assert_eq!(public.is_ok(), signed.is_ok());
            if private.len() != length {
                assert_eq!(public, Err("invalid-private-key"));
                assert_eq!(signed, Err("invalid-private-key"));
            }
        }
    }
}

/// Every configuration of MLS is offered, in the suites and beyond.
#[test]
fn configurations_of_mls() {
    for &kem in &KemAlgorithm::ALL[4..] {
        let pair = RustCrypto.derive_key_pair(kem, b"configurations").unwrap();
        for &kdf in &KdfAlgorithm::ALL[..3] {
            for &aead in &AeadAlgorithm::ALL[..3] {
                let suite = HpkeSuite { kem, kdf, aead };
                RustCrypto.hpke_sender(suite, &pair.public, b"", None, None).unwrap();
            }
        }
    }
}
