//! The known answers of `known_answers.json`, computed by the oracles alone.

use ::hpke::{Deserializable, Kem, Serializable, kem};
use ::ml_dsa::ExpandedSigningKey;
use ed25519_dalek::Signer;
use hpke_rs::libcrux::HpkeLibcrux;
use hpke_rs::{HpkePublicKey, Mode};
use serde_json::Value;
use sha2::Digest;

use crate::replay::Replay;

fn pinned(kind: &str) -> Vec<(String, Value)> {
    let all: Value = serde_json::from_str(include_str!("../known_answers.json")).unwrap();
    all[kind].as_object().unwrap().clone().into_iter().collect()
}

fn bytes(answer: &Value, field: &str) -> Vec<u8> {
    hex::decode(answer[field].as_str().unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    sha2::Sha256::digest(bytes).to_vec()
}

fn check_kem<K: Kem>(answer: &Value) {
    let (private, public) = K::derive_keypair(&bytes(answer, "ikm"));
    let mut expected = bytes(answer, "private");
    if K::KEM_ID == 0x0020 {
        // rust-hpke serialises keys of X25519 clamped.
        expected[0] &= 0xF8;
        expected[31] = expected[31] & 0x7F | 0x40;
    }
    assert_eq!(private.to_bytes()[..], expected);
    assert_eq!(sha256(&public.to_bytes()), bytes(answer, "public_sha256"));
    let mut random = Replay::new(&bytes(answer, "randomness"));
    let (secret, enc) = K::encap_with_rng(&public, None, &mut random).unwrap();
    let mut enc = enc.to_bytes().to_vec();
    assert_eq!(sha256(&enc), bytes(answer, "enc_sha256"));
    assert_eq!(secret.0[..], bytes(answer, "secret"));
    if answer.get("rejected_secret").is_some() {
        enc[0] ^= 1;
        let enc = K::EncappedKey::from_bytes(&enc).unwrap();
        let secret = K::decap(&private, None, &enc).unwrap();
        assert_eq!(secret.0[..], bytes(answer, "rejected_secret"));
    }
}

#[test]
fn kems() {
    for (name, answer) in pinned("kem") {
        match &name[..] {
            "DHKEM(P-256, HKDF-SHA256)" => check_kem::<kem::DhP256HkdfSha256>(&answer),
            "DHKEM(P-384, HKDF-SHA384)" => check_kem::<kem::DhP384HkdfSha384>(&answer),
            "DHKEM(P-521, HKDF-SHA512)" => check_kem::<kem::DhP521HkdfSha512>(&answer),
            "DHKEM(X25519, HKDF-SHA256)" => check_kem::<kem::X25519HkdfSha256>(&answer),
            "ML-KEM-768" => check_kem::<kem::MlKem768>(&answer),
            "ML-KEM-1024" => check_kem::<kem::MlKem1024>(&answer),
            "MLKEM768-P256" => check_kem::<kem::MlKem768P256>(&answer),
            "MLKEM1024-P384" => check_kem::<kem::MlKem1024P384>(&answer),
            "MLKEM768-X25519" => check_kem::<kem::XWing>(&answer),
            _ => panic!("no oracle for {name}"),
        }
    }
}

/// The deterministic signature, after its public key.
fn sign(name: &str, private: &[u8], message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    macro_rules! ecdsa {
        ($curve:ident) => {{
            let key = $curve::ecdsa::SigningKey::from_slice(private).unwrap();
            let signature: $curve::ecdsa::DerSignature = key.sign(message);
            let public = key.verifying_key().to_sec1_point(false);
            (public.as_bytes().to_vec(), signature.as_bytes().to_vec())
        }};
    }
    macro_rules! ml_dsa {
        ($set:ty) => {{
            let key = ExpandedSigningKey::<$set>::from_seed(&private.try_into().unwrap());
            let signature = key.sign_deterministic(message, b"").unwrap();
            (key.verifying_key().encode().to_vec(), signature.encode().to_vec())
        }};
    }
    match name {
        "ECDSA-P256-SHA256" => ecdsa!(p256),
        "ECDSA-P384-SHA384" => ecdsa!(p384),
        "ECDSA-P521-SHA512" => ecdsa!(p521),
        "Ed25519" => {
            let key = ed25519_dalek::SigningKey::from_bytes(private.try_into().unwrap());
            (key.verifying_key().to_bytes().to_vec(), key.sign(message).to_bytes().to_vec())
        }
        "ML-DSA-44" => ml_dsa!(::ml_dsa::MlDsa44),
        "ML-DSA-65" => ml_dsa!(::ml_dsa::MlDsa65),
        "ML-DSA-87" => ml_dsa!(::ml_dsa::MlDsa87),
        _ => panic!("no oracle for {name}"),
    }
}

#[test]
fn signatures() {
    for (name, answer) in pinned("signature") {
        let (public, signature) =
            sign(&name, &bytes(&answer, "private"), &bytes(&answer, "message"));
        assert_eq!(sha256(&public), bytes(&answer, "public_sha256"), "{name}");
        assert_eq!(sha256(&signature), bytes(&answer, "signature_sha256"), "{name}");
    }
}

#[test]
fn exports_and_sealed_texts() {
    let kems = pinned("kem");
    for (name, answer) in pinned("hpke") {
        let id = |field: &str| u16::try_from(answer[field].as_u64().unwrap()).unwrap();
        let kem = trellis_ciphersuites::kem::KemAlgorithm::from_id(id("kem")).unwrap();
        let (_, inputs) = kems.iter().find(|(name, _)| name == kem.name()).unwrap();
        let mut hpke = hpke_rs::Hpke::<HpkeLibcrux<Replay>>::new_with_rng(
            Mode::Base,
            id("kem").try_into().unwrap(),
            id("kdf").try_into().unwrap(),
            id("aead").try_into().unwrap(),
            Replay::new(&bytes(inputs, "randomness")),
        );
        let pair = hpke.derive_key_pair(&bytes(inputs, "ikm")).unwrap();
        let public = HpkePublicKey::from(pair.public_key().as_slice());
        let (enc, mut sender) =
            hpke.setup_sender(&public, &bytes(&answer, "info"), None, None, None).unwrap();
        assert_eq!(sha256(&enc), bytes(inputs, "enc_sha256"), "{name}");
        let exported = sender.export(&bytes(&answer, "exporter_context"), 32).unwrap();
        assert_eq!(exported, bytes(&answer, "exported"), "{name}");
        let sealed = sender.seal(b"", &bytes(&answer, "message")).unwrap();
        assert_eq!(sealed, bytes(&answer, "sealed"), "{name}");
    }
}
