//! The provider as OpenMLS and its users see it.

mod common;

use common::{Member, Peer};
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::Signer;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeCiphertext, SignatureScheme,
};
use openmls_trellis_crypto::{
    Backend, KeyDerivation, TrellisCrypto, TrellisProvider, TrellisSigner,
};

/// Every number that OpenMLS has given to a suite.
fn all_suites() -> Vec<Ciphersuite> {
    (0..=u16::MAX).filter_map(|number| Ciphersuite::try_from(number).ok()).collect()
}

#[test]
fn every_suite_but_those_of_x448_is_supported_and_listed() {
    let crypto = TrellisCrypto::default();
    let listed = crypto.supported_ciphersuites();
    for suite in all_suites() {
        let x448 = format!("{suite:?}").contains("X448");
        assert_eq!(crypto.supports(suite).is_ok(), !x448, "{suite}");
        assert_eq!(listed.contains(&suite), !x448, "{suite}");
    }
    let expected = if cfg!(feature = "draft-ietf-mls-pq-ciphersuites") { 15 } else { 5 };
    assert_eq!(listed.len(), expected);
    assert_eq!(
        crypto.supports(Ciphersuite::MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448),
        Err(CryptoError::UnsupportedCiphersuite)
    );
}

#[test]
#[cfg(feature = "draft-ietf-mls-pq-ciphersuites")]
fn the_strongest_hybrid_comes_first() {
    let names: Vec<_> = TrellisCrypto::default()
        .supported_ciphersuites()
        .iter()
        .map(|suite| format!("{suite:?}"))
        .collect();
    assert_eq!(
        names[..4],
        [
            "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44",
            "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
            "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519",
            "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519",
        ]
    );
    assert!(names[10..].iter().all(|name| name.contains("DHKEM")), "{names:?}");
}

#[test]
fn the_types_are_what_a_program_needs_them_to_be() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + Default + 'static>() {}
    shared::<TrellisCrypto>();
    fn plain<T: Send + Sync + std::fmt::Debug + Default + 'static>() {}
    plain::<TrellisProvider>();
    fn signer<T: Send + Sync + Clone + std::fmt::Debug + Signer + 'static>() {}
    signer::<TrellisSigner>();
}

/// A commit that adds n members passes n seals the same `info` of many kilobytes.
#[test]
fn adding_many_hashes_info_once() {
    let hashed = |members: usize| {
        let suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
        let member = |name: &str| {
            let signer = TrellisSigner::generate(suite).unwrap();
            let public_key = signer.public_key().to_vec();
            Member::new(name, suite, TrellisProvider::default(), signer, &public_key)
        };
        let mut creator = member("creator");
        creator.create();
        let packages: Vec<_> =
            (1..members).map(|index| member(&format!("member {index}")).key_package()).collect();
        // The encrypted GroupInfo, which is the context of the seals, is most of this commit's Welcome
        // besides the secrets themselves; it has some hundred bytes for each member.
        let before = creator.provider.crypto().info_bytes_hashed();
        let (_, welcome) = creator.add(&packages, true).unwrap();
        (creator.provider.crypto().info_bytes_hashed() - before, welcome.len() as u64)
    };
    for members in [5, 50] {
        let (hashed, welcome) = hashed(members);
        println!("{members} members: {hashed} bytes of info hashed, Welcome of {welcome} bytes");
        assert!(
            hashed < welcome,
            "{members} members: {hashed} bytes hashed for a Welcome of {welcome}"
        );
    }
}

#[test]
fn clones_share_the_remembered_info() {
    let crypto = TrellisCrypto::default();
    let config = || Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519.hpke_config();
    let pair = crypto.derive_hpke_keypair(config(), &[1; 32]).unwrap();
    for _ in 0..3 {
        crypto.clone().hpke_seal(config(), &pair.public, &[7; 5000], b"", b"text").unwrap();
    }
    assert_eq!(crypto.info_bytes_hashed(), 5000);
}

#[test]
fn both_derivations_give_the_classical_suites_the_same_keys() {
    let suite = Ciphersuite::MLS_256_DHKEMP521_AES256GCM_SHA512_P521;
    let public = |derivation| {
        let crypto = TrellisCrypto::new(Backend::default(), derivation);
        crypto.derive_hpke_keypair(suite.hpke_config(), &[9; 66]).unwrap().public
    };
    assert_eq!(public(KeyDerivation::HpkePq), public(KeyDerivation::OpenMls09));
}

#[test]
fn wrong_bytes_lead_to_the_errors_of_openmls() {
    let crypto = TrellisCrypto::default();
    for suite in crypto.supported_ciphersuites() {
        let config = || suite.hpke_config();
        let pair = crypto.derive_hpke_keypair(config(), &[1; 32]).unwrap();
        for public in [&[][..], &pair.public[1..], &[0xFF; 1216]] {
            let error = crypto.hpke_seal(config(), public, b"", b"", b"").unwrap_err();
            assert_eq!(error, CryptoError::InvalidPublicKey, "{suite}");
        }
        let sealed = crypto.hpke_seal(config(), &pair.public, b"info", b"aad", b"text").unwrap();
        let open = |enc: &[u8], sealed: &[u8], private: &[u8], info: &[u8]| {
            let input = HpkeCiphertext { kem_output: enc.into(), ciphertext: sealed.into() };
            crypto.hpke_open(config(), &input, private, info, b"aad")
        };
        let (enc, text) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
        assert_eq!(open(enc, text, &pair.private, b"info").unwrap(), b"text", "{suite}");
        for result in [
            open(&enc[1..], text, &pair.private, b"info"),
            open(enc, &text[1..], &pair.private, b"info"),
            open(enc, &[], &pair.private, b"info"),
            open(enc, text, &pair.private[1..], b"info"),
            open(enc, text, &pair.private, b"other"),
        ] {
            assert_eq!(result, Err(CryptoError::HpkeDecryptionError), "{suite}");
        }

        let scheme = SignatureScheme::from(suite);
        let (private, public) = crypto.signature_key_gen(scheme).unwrap();
        let signature = crypto.sign(scheme, b"text", &private).unwrap();
        crypto.verify_signature(scheme, b"text", &public, &signature).unwrap();
        assert_eq!(
            crypto.verify_signature(scheme, b"other", &public, &signature),
            Err(CryptoError::InvalidSignature)
        );
        assert_eq!(
            crypto.verify_signature(scheme, b"text", &public[1..], &signature),
            Err(CryptoError::InvalidPublicKey)
        );
        assert_eq!(crypto.sign(scheme, b"text", &private[1..]), Err(CryptoError::InvalidLength));
    }
    assert_eq!(
        crypto.aead_decrypt(AeadType::Aes256Gcm, &[0; 32], &[0; 15], &[0; 12], b""),
        Err(CryptoError::AeadDecryptionError)
    );
    assert_eq!(
        crypto.aead_encrypt(AeadType::Aes128Gcm, &[0; 32], b"", &[0; 12], b""),
        Err(CryptoError::InvalidLength)
    );
    assert!(matches!(
        crypto.hkdf_expand(HashType::Sha2_256, &[0; 32], b"", 255 * 32 + 1),
        Err(CryptoError::HkdfOutputLengthInvalid)
    ));
    assert_eq!(
        crypto.signature_key_gen(SignatureScheme::ED448),
        Err(CryptoError::UnsupportedSignatureScheme)
    );
}

#[test]
fn exports_agree_and_too_long_ones_are_told_apart() {
    let crypto = TrellisCrypto::default();
    for suite in crypto.supported_ciphersuites() {
        let config = || suite.hpke_config();
        let pair = crypto.derive_hpke_keypair(config(), &[1; 32]).unwrap();
        let (enc, sent) = crypto
            .hpke_setup_sender_and_export(config(), &pair.public, b"info", b"context", 48)
            .unwrap();
        let received = crypto
            .hpke_setup_receiver_and_export(config(), &enc, &pair.private, b"info", b"context", 48)
            .unwrap();
        assert_eq!(sent[..], received[..], "{suite}");
        let long = crypto.hpke_setup_sender_and_export(config(), &pair.public, b"", b"", 1 << 20);
        assert_eq!(long.unwrap_err(), CryptoError::ExporterError, "{suite}");
    }
}

#[test]
fn random_bytes_have_the_length_asked_for() {
    let crypto = TrellisCrypto::default();
    for length in [0, 1, 31, 32, 33, 10_000] {
        assert_eq!(crypto.random_vec(length).unwrap().len(), length);
    }
    assert_ne!(crypto.random_array::<32>().unwrap(), crypto.random_array::<32>().unwrap());
}

#[test]
fn a_signer_and_a_basic_credential_read_what_the_other_stored() {
    use openmls_basic_credential::SignatureKeyPair;
    use openmls_memory_storage::MemoryStorage;

    for suite in TrellisCrypto::default().supported_ciphersuites() {
        let scheme = SignatureScheme::from(suite);
        let storage = MemoryStorage::default();
        let ours = TrellisSigner::generate(suite).unwrap();
        ours.store(&storage).unwrap();
        assert_eq!(
            TrellisSigner::read(&storage, ours.public_key(), scheme).unwrap().public_key(),
            ours.public_key()
        );

        // The published one has no P-521.
        if scheme != SignatureScheme::ECDSA_SECP521R1_SHA512 {
            let theirs = SignatureKeyPair::read(&storage, ours.public_key(), scheme).unwrap();
            let signature = theirs.sign(b"text").unwrap();
            TrellisCrypto::default()
                .verify_signature(scheme, b"text", ours.public_key(), &signature)
                .unwrap();

            let theirs = SignatureKeyPair::new(scheme).unwrap();
            theirs.store(&storage).unwrap();
            let ours = TrellisSigner::read(&storage, theirs.public(), scheme).unwrap();
            let signature = ours.sign(b"text").unwrap();
            TrellisCrypto::default()
                .verify_signature(scheme, b"text", theirs.public(), &signature)
                .unwrap();
        }

        TrellisSigner::delete(&storage, ours.public_key(), scheme).unwrap();
        assert!(TrellisSigner::read(&storage, ours.public_key(), scheme).is_none());
    }
}

#[test]
fn a_signer_comes_back_from_its_seed_and_shows_nothing() {
    let signer = TrellisSigner::from_seed(SignatureScheme::ED25519, &[0xAB; 32]).unwrap();
    let again = TrellisSigner::from_seed(SignatureScheme::ED25519, &[0xAB; 32]).unwrap();
    assert_eq!(signer.public_key(), again.public_key());
    assert_eq!(format!("{signer:?}"), "TrellisSigner(ED25519, ***)");
    assert_eq!(
        TrellisSigner::from_seed(SignatureScheme::ED25519, &[0; 31]).unwrap_err(),
        CryptoError::InvalidLength
    );
    assert_eq!(
        TrellisSigner::generate(SignatureScheme::ED448).unwrap_err(),
        CryptoError::UnsupportedSignatureScheme
    );
}

#[test]
#[cfg(feature = "targeted-messages-draft")]
fn the_psk_mode_agrees_with_the_published_provider() {
    use openmls_rust_crypto::RustCrypto;

    let (ours, theirs) = (TrellisCrypto::default(), RustCrypto::default());
    let build = |enc: &[u8]| Ok::<_, ()>(enc[..8].to_vec());
    for suite in theirs.supported_ciphersuites() {
        let config = || suite.hpke_config();
        let pair = ours.derive_hpke_keypair(config(), &[1; 32]).unwrap();
        let (psk, id) = ([3; 32], b"id");
        let sealed = ours
            .hpke_seal_psk_resolved_aad(config(), &pair.public, b"info", b"text", &psk, id, build)
            .unwrap();
        let aad = &sealed.kem_output.as_slice()[..8];
        let opened = theirs.hpke_open_psk(config(), &sealed, &pair.private, b"info", aad, &psk, id);
        assert_eq!(opened.unwrap(), b"text", "{suite}");

        let sealed = theirs
            .hpke_seal_psk_resolved_aad(config(), &pair.public, b"info", b"text", &psk, id, build)
            .unwrap();
        let aad = &sealed.kem_output.as_slice()[..8];
        let opened = ours.hpke_open_psk(config(), &sealed, &pair.private, b"info", aad, &psk, id);
        assert_eq!(opened.unwrap(), b"text", "{suite}");
        let wrong =
            ours.hpke_open_psk(config(), &sealed, &pair.private, b"info", aad, &[4; 32], id);
        assert_eq!(wrong, Err(CryptoError::HpkeDecryptionError), "{suite}");
    }
}
