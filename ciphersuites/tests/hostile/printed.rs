//! What is printed.

use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::signature::SigningKey;
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, CipherSuite};

use crate::common::*;

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
