//! Randomness from a seed: the same calls give the same bytes again, whatever the threads do.
#![cfg(feature = "hazmat")]

use openmls::prelude::*;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::Signer;
use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::{
    Backend, KeyDerivation, TrellisCrypto, TrellisProvider, TrellisSigner, TrellisStorage,
};

const SUITES: [Ciphersuite; 5] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256,
    Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
    Ciphersuite::MLS_192_MLKEM1024_AES256GCM_SHA384_P384,
    Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44,
];

fn seeded(seed: u8) -> TrellisCrypto {
    TrellisCrypto::seeded(Backend::default(), KeyDerivation::default(), [seed; 32])
}

struct Member {
    suite: Ciphersuite,
    provider: TrellisProvider,
    signer: TrellisSigner,
    group: Option<MlsGroup>,
    /// All that it has said.
    said: Vec<Vec<u8>>,
}

impl Member {
    fn new(suite: Ciphersuite, crypto: TrellisCrypto) -> Self {
        let scheme = suite.signature_algorithm();
        let (private, _) = crypto.signature_key_gen(scheme).unwrap();
        let signer = TrellisSigner::from_seed(scheme, &private).unwrap();
        let signer = signer.hedged_by(&crypto).unwrap();
        let provider = TrellisProvider::with_crypto(crypto, TrellisStorage::default());
        Self { suite, provider, signer, group: None, said: Vec::new() }
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(b"member".to_vec()).into(),
            signature_key: self.signer.public_key().into(),
        }
    }

    fn say(&mut self, message: &MlsMessageOut) -> Vec<u8> {
        let bytes = message.to_bytes().unwrap();
        self.said.push(bytes.clone());
        bytes
    }

    fn key_package(&mut self) -> KeyPackage {
        let bundle = KeyPackage::builder()
            .key_package_lifetime(Lifetime::init(0, 1 << 40))
            .build(self.suite, &self.provider, &self.signer, self.credential())
            .unwrap();
        self.say(&bundle.key_package().clone().into());
        bundle.key_package().clone()
    }

    fn found(&mut self) {
        let group = MlsGroup::builder()
            .ciphersuite(self.suite)
            .lifetime(Lifetime::init(0, 1 << 40))
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential())
            .unwrap();
        self.said.push(group.group_id().to_vec());
        self.group = Some(group);
    }

    fn add(&mut self, key_packages: &[KeyPackage]) -> (Vec<u8>, Vec<u8>) {
        let group = self.group.as_mut().unwrap();
        let (commit, welcome, _) =
            group.add_members(&self.provider, &self.signer, key_packages).unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        (self.say(&commit), self.say(&welcome))
    }

    fn join(&mut self, welcome: &[u8]) {
        let config = MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build();
        let MlsMessageBodyIn::Welcome(welcome) = read(welcome).extract() else { panic!() };
        let staged =
            openmls::group::ProcessedWelcome::new_from_welcome(&self.provider, &config, welcome)
                .and_then(|welcome| {
                    openmls::group::JoinBuilder::new(&self.provider, welcome)
                        .skip_lifetime_validation()
                        .build()
                })
                .unwrap();
        self.group = Some(staged.into_group(&self.provider).unwrap());
    }

    fn update(&mut self) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let bundle =
            group.self_update(&self.provider, &self.signer, LeafNodeParameters::default()).unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        self.say(&bundle.into_commit())
    }

    fn remove(&mut self, leaf: u32) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let (commit, _, _) = group
            .remove_members(&self.provider, &self.signer, &[LeafNodeIndex::new(leaf)])
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        self.say(&commit)
    }

    fn send(&mut self, text: &[u8]) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let message = group.create_message(&self.provider, &self.signer, text).unwrap();
        self.say(&message)
    }

    fn follow(&mut self, message: &[u8]) {
        let group = self.group.as_mut().unwrap();
        let message = read(message).try_into_protocol_message().unwrap();
        let processed = group.process_message(&self.provider, message).unwrap();
        if let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() {
            group.merge_staged_commit(&self.provider, *staged).unwrap();
        }
    }

    fn join_externally(&mut self, of: &Self) -> Vec<u8> {
        let group = of.group.as_ref().unwrap();
        let info = group.export_group_info(of.provider.crypto(), &of.signer, true).unwrap();
        let MlsMessageBodyIn::GroupInfo(info) = read(&info.to_bytes().unwrap()).extract() else {
            panic!()
        };
        let (mut group, bundle) = MlsGroup::external_commit_builder()
            .skip_lifetime_validation()
            .build_group(&self.provider, info, self.credential())
            .unwrap()
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        self.group = Some(group);
        self.say(&bundle.into_commit())
    }
}

fn read(bytes: &[u8]) -> MlsMessageIn {
    use openmls::prelude::tls_codec::Deserialize;
    MlsMessageIn::tls_deserialize_exact(bytes).unwrap()
}

/// What three members say to each other, and a secret at the end.
fn run(suite: Ciphersuite, seed: u8) -> Vec<Vec<u8>> {
    let [mut ada, mut ben, mut cleo] =
        [0, 1, 2].map(|number| Member::new(suite, seeded(seed + number)));
    ada.found();
    let (_, welcome) = ada.add(&[ben.key_package(), cleo.key_package()]);
    ben.join(&welcome);
    cleo.join(&welcome);

    let commit = ben.update();
    ada.follow(&commit);
    cleo.follow(&commit);
    let message = cleo.send(b"frost tonight");
    ada.follow(&message);
    ben.follow(&message);
    let commit = ada.remove(2);
    ben.follow(&commit);
    let commit = cleo.join_externally(&ben);
    ada.follow(&commit);
    ben.follow(&commit);

    let secrets = [&ada, &ben, &cleo].map(|member| {
        let group = member.group.as_ref().unwrap();
        group.export_secret(member.provider.crypto(), "test", b"", 32).unwrap()
    });
    assert_eq!(secrets[0], secrets[1]);
    assert_eq!(secrets[0], secrets[2]);
    let [secret, ..] = secrets;
    [ada.said, ben.said, cleo.said, vec![secret]].concat()
}

#[test]
fn a_group_runs_the_same_again() {
    for suite in SUITES {
        let first = run(suite, 1);
        assert_eq!(first.len(), 4 + 2 + 3 + 1, "{suite:?}");
        for (number, (one, other)) in first.iter().zip(run(suite, 1)).enumerate() {
            assert!(*one == other, "{suite:?}: message {number} differs");
        }
        let other = run(suite, 101);
        assert!(first.iter().zip(other).all(|(one, other)| *one != other), "{suite:?}");
    }
}

#[test]
fn draws_follow_each_other_and_clones_draw_from_one_row() {
    let [one, other] = [(); 2].map(|()| seeded(7));
    let drawn: Vec<[u8; 16]> = (0..100).map(|_| one.random_array().unwrap()).collect();
    let again: Vec<[u8; 16]> = (0..100).map(|_| other.clone().random_array().unwrap()).collect();
    assert_eq!(drawn, again);
    let distinct: std::collections::HashSet<_> = drawn.into_iter().collect();
    assert_eq!(distinct.len(), 100);
    assert_ne!(one.random_vec(40).unwrap(), seeded(8).random_vec(40).unwrap());
}

#[test]
fn encapsulations_and_signatures_depend_on_inputs_and_not_on_their_order() {
    for suite in SUITES {
        let calls = |crypto: &TrellisCrypto, backwards: bool| {
            let pair = seeded(9).derive_hpke_keypair(suite.hpke_config(), &[5; 32]).unwrap();
            let mut texts: Vec<u8> = (0..4).collect();
            if backwards {
                texts.reverse();
                crypto.random_vec(3).unwrap();
            }
            let mut made: Vec<_> = texts
                .into_iter()
                .map(|text| {
                    let text = [text];
                    let seal =
                        crypto.hpke_seal(suite.hpke_config(), &pair.public, b"i", b"", &text);
                    let export = crypto.hpke_setup_sender_and_export(
                        suite.hpke_config(),
                        &pair.public,
                        b"",
                        &text,
                        32,
                    );
                    let seal = seal.unwrap();
                    let opened =
                        crypto.hpke_open(suite.hpke_config(), &seal, &pair.private, b"i", b"");
                    assert_eq!(opened.unwrap(), text);
                    (text, seal.kem_output.as_slice().to_vec(), export.unwrap().0)
                })
                .collect();
            made.sort();
            made
        };
        let made = calls(&seeded(1), false);
        assert_eq!(made, calls(&seeded(1), true), "{suite:?}");
        assert_ne!(made, calls(&seeded(2), false), "{suite:?}");
        assert_ne!(made[0].1, made[1].1, "{suite:?}: another text, another encapsulation");
    }
}

#[test]
fn every_scheme_generates_and_signs_from_the_seed() {
    let schemes = [
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::ECDSA_SECP521R1_SHA512,
        SignatureScheme::ED25519,
        SignatureScheme::MLDSA44,
        SignatureScheme::MLDSA65,
        SignatureScheme::MLDSA87,
    ];
    for scheme in schemes {
        let [one, other] = [(); 2].map(|()| {
            let crypto = seeded(3);
            let (private, public) = crypto.signature_key_gen(scheme).unwrap();
            let signer = TrellisSigner::from_seed(scheme, &private).unwrap();
            let signer = signer.hedged_by(&crypto).unwrap();
            assert_eq!(signer.public_key(), public);
            let signature = signer.sign(b"frost tonight").unwrap();
            assert_eq!(signature, crypto.sign(scheme, b"frost tonight", &private).unwrap());
            let on_native = signer.on_backend(Backend::default()).unwrap();
            assert_eq!(signature, on_native.sign(b"frost tonight").unwrap());
            crypto.verify_signature(scheme, b"frost tonight", &public, &signature).unwrap();
            (private, public, signature)
        });
        assert_eq!(one, other, "{scheme:?}");
    }
}

#[test]
fn a_seed_does_not_show() {
    let shown = format!("{:?}", seeded(0xAB));
    assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
}
