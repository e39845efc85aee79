//! Arbitrary bytes as what an AEAD and an HPKE receiver open.
//!
//! The first byte chooses the suite, the second one where the rest is cut.
//!
//! `cargo +nightly fuzz run open`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::{Backend, CipherSuite, Error};

fuzz_target!(|data: &[u8]| {
    let [first, second, bytes @ ..] = data else { return };
    let suite = CipherSuite::all().nth(usize::from(*first) % CipherSuite::all().len()).unwrap();
    let (head, tail) = bytes.split_at(usize::from(*second).min(bytes.len()));

    let aead = suite.aead();
    let key = vec![*first; aead.key_len()];
    for backend in Backend::available() {
        let opened = aead.open(backend, &key, &[0; 12], head, tail);
        assert_eq!(opened, Err(Error::OpenFailed), "{suite} on {backend:?}");
        let sealed = aead.seal(backend, &key, &[0; 12], head, tail).unwrap();
        assert_eq!(aead.open(backend, &key, &[0; 12], head, &sealed).unwrap()[..], *tail);
        if key.len() != head.len() {
            let refused = aead.open(backend, head, &[0; 12], b"", tail);
            assert_eq!(refused, Err(Error::InvalidLength));
        }
    }

    let pair = suite.kem().derive_key_pair(Backend::portable(), &[*first]).unwrap();
    let honest = Hpke::new(suite.hpke(), Backend::portable());
    let (mut enc, mut sealed) = honest.info(head).seal(&pair.public, head, tail).unwrap();
    for (byte, change) in enc.iter_mut().rev().zip(head) {
        *byte ^= change;
    }
    for (byte, change) in sealed.iter_mut().rev().zip(tail) {
        *byte ^= change;
    }
    for (enc, sealed) in [(&enc[..], &sealed[..]), (&enc, tail), (head, tail)] {
        let open = |backend| {
            Hpke::new(suite.hpke(), backend).info(head).open(enc, &pair.private, head, sealed)
        };
        let expected = open(Backend::portable());
        assert!(matches!(expected, Ok(_) | Err(Error::OpenFailed | Error::InvalidEncapsulation)));
        for backend in Backend::available() {
            assert_eq!(open(backend), expected, "{suite} on {backend:?}");
        }
    }
});
