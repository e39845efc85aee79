//! Long inputs.

use trellis_ciphersuites::hpke::{Hpke, HpkeSuite};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm, KdfAlgorithm, shake256};
use trellis_ciphersuites::{Backend, Error};

use crate::common::*;

#[test]
fn long_texts_are_sealed_opened_and_hashed() {
    let text = long_text();
    for backend in Backend::available() {
        for &aead in &AeadAlgorithm::ALL[..3] {
            let key = vec![1; aead.key_len()];
            let mut sealed = aead.seal(backend, &key, &[2; 12], &text, &text).unwrap();
            assert_eq!(aead.open(backend, &key, &[2; 12], &text, &sealed).unwrap()[..], text);
            *sealed.last_mut().unwrap() ^= 1;
            let result = aead.open(backend, &key, &[2; 12], &text, &sealed);
            assert_eq!(result, Err(Error::OpenFailed));
        }
        for &hash in HashAlgorithm::ALL {
            assert_eq!(hash.hash(backend, &text).len(), hash.len());
            assert_eq!(hash.hmac(backend, &text, &text).len(), hash.len());
            assert_eq!(hash.extract(backend, &text, &text).len(), hash.len());
            assert_eq!(hash.expand(backend, &[1; 64], &text, 1000).unwrap().len(), 1000);
        }
        assert_eq!(shake256(backend, &text, LONG >> 4).len(), LONG >> 4);
    }
}

#[test]
fn long_messages_are_signed_and_verified() {
    let message = long_text();
    for (scheme, backend) in schemes() {
        let private = signing_key(scheme).private_key();
        let key = SigningKey::from_bytes(scheme, backend, private).unwrap();
        let signature = key.sign(&message).unwrap();
        let verifying = VerifyingKey::from_bytes(scheme, backend, key.public_key()).unwrap();
        assert_eq!(verifying.verify(&message, &signature), Ok(()));
        assert_eq!(verifying.verify(&message[1..], &signature), Err(Error::InvalidSignature));
    }
}

#[test]
fn long_inputs_of_hpke() {
    let kem = KemAlgorithm::DhKemX25519;
    let (text, long) = (long_text(), vec![7; 65_536]);
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        for &kdf in KdfAlgorithm::ALL {
            let suite = HpkeSuite { kem, kdf, aead: AeadAlgorithm::ChaCha20Poly1305 };
            let hpke = Hpke::new(suite, backend);
            // What a one-stage function prefixes with a length of two bytes.
            let expected = if kdf.is_two_stage() { Ok(()) } else { Err(Error::InputTooLong) };
            let info = hpke.info(&long);
            assert_eq!(info.setup_sender(public).map(drop), expected);
            assert_eq!(info.setup_receiver(enc(kem), private).map(drop), expected);
            assert_eq!(hpke.info(&long[1..]).setup_sender(public).map(drop), Ok(()));
            let info = hpke.info(b"");
            for (psk, id) in [(&long[..], &b"id"[..]), (&[1; 32], &long)] {
                assert_eq!(info.setup_sender_psk(public, psk, id).map(drop), expected);
                let received = info.setup_receiver_psk(enc(kem), private, psk, id);
                assert_eq!(received.map(drop), expected);
            }

            let (enc, mut sender) = info.setup_sender(public).unwrap();
            let mut receiver = info.setup_receiver(&enc, private).unwrap();
            let sealed = sender.seal(&text, &text).unwrap();
            assert_eq!(receiver.open(&text, &sealed).unwrap()[..], text);
            assert_eq!(receiver.open(&text, &text), Err(Error::OpenFailed));

            let most = if kdf.is_two_stage() { 255 * kdf.len() } else { 65_535 };
            // Every block of HKDF hashes the whole context.
            assert_eq!(sender.export(&text, 50), receiver.export(&text, 50));
            assert_eq!(sender.export(b"", most), receiver.export(b"", most));
            assert_eq!(sender.export(b"", most).unwrap().len(), most);
            for length in [most + 1, 65_536, LONG, usize::MAX] {
                assert_eq!(sender.export(b"", length), Err(Error::OutputTooLong));
                assert_eq!(receiver.export(b"", length), Err(Error::OutputTooLong));
                let sent = info.send_export(public, b"", length);
                assert_eq!(sent, Err(Error::OutputTooLong));
                let received = info.receive_export(&enc, private, b"", length);
                assert_eq!(received, Err(Error::OutputTooLong));
            }
        }
    }
}

#[test]
fn psk_without_id_id_without_psk_and_short_psk() {
    let kem = KemAlgorithm::MlKem768;
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        for &kdf in KdfAlgorithm::ALL {
            let suite = HpkeSuite { kem, kdf, aead: AeadAlgorithm::Aes256Gcm };
            let hpke = Hpke::new(suite, backend);
            let info = hpke.info(b"");
            for (psk, id) in
                [(&b""[..], &b""[..]), (b"", b"id"), (&[1; 32], b""), (&[1; 31], b"id")]
            {
                let refused = Err(Error::InvalidPsk);
                assert_eq!(info.setup_sender_psk(public, psk, id).map(drop), refused);
                let sender = info.setup_sender_derandomized(public, Some((psk, id)), &[1; 32]);
                assert_eq!(sender.map(drop), refused);
                let receiver = info.setup_receiver_psk(enc(kem), private, psk, id);
                assert_eq!(receiver.map(drop), refused);
            }
        }
    }
}

#[test]
fn a_context_expects_the_same_message_after_a_failure_and_none_without_an_aead() {
    let kem = KemAlgorithm::DhKemP256;
    let (private, public) = (&pair(kem).private, &pair(kem).public);
    for backend in Backend::available() {
        let mut suite =
            HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
        let hpke = Hpke::new(suite, backend);
        let (enc, mut sender) = hpke.info(b"").setup_sender(public).unwrap();
        let mut receiver = hpke.info(b"").setup_receiver(&enc, private).unwrap();
        let sealed = [sender.seal(b"", b"one").unwrap(), sender.seal(b"", b"two").unwrap()];
        for hostile in [&b""[..], &[0; 15], &[0; 16], &sealed[1], &sealed[0][1..]] {
            assert_eq!(receiver.open(b"", hostile), Err(Error::OpenFailed));
        }
        assert_eq!(receiver.open(b"", &sealed[0]).unwrap()[..], *b"one");
        assert_eq!(receiver.open(b"", &sealed[0]), Err(Error::OpenFailed));
        assert_eq!(receiver.open(b"", &sealed[1]).unwrap()[..], *b"two");

        suite.aead = AeadAlgorithm::ExportOnly;
        let hpke = Hpke::new(suite, backend);
        let (enc, mut sender) = hpke.info(b"").setup_sender(public).unwrap();
        let mut receiver = hpke.info(b"").setup_receiver(&enc, private).unwrap();
        assert_eq!(sender.seal(b"", b""), Err(Error::Unsupported));
        assert_eq!(receiver.open(b"", b""), Err(Error::Unsupported));
        assert_eq!(hpke.info(b"").seal(public, b"", b""), Err(Error::Unsupported));
        assert_eq!(hpke.info(b"").open(&enc, private, b"", b""), Err(Error::Unsupported));
        assert_eq!(sender.export(b"", 9), receiver.export(b"", 9));
    }
}
