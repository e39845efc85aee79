//! Groups whose members run different providers: ours beside the two that OpenMLS publishes.
//!
//! With `KeyDerivation::OpenMls09` everything works between them. With `KeyDerivation::HpkePq`
//! everything works up to the first commit with a path, which fails as `KeyDerivation` documents.
#![cfg(feature = "draft-ietf-mls-pq-ciphersuites")]

mod common;

use common::{Member, Peer};
use openmls_basic_credential::SignatureKeyPair;
use openmls_libcrux_crypto::Provider as OpenMlsLibcrux;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{
    Backend, KeyDerivation, TrellisCrypto, TrellisProvider, TrellisSigner,
};

fn ours(
    name: &str,
    suite: Ciphersuite,
    derivation: KeyDerivation,
    backend: Backend,
) -> Box<dyn Peer> {
    let provider = TrellisProvider::builder().key_derivation(derivation).backend(backend).build();
    let signer = TrellisSigner::generate(suite).unwrap().on_backend(backend).unwrap();
    let public_key = signer.public_key().to_vec();
    Box::new(Member::new(name, suite, provider, signer, &public_key))
}

fn published<P: OpenMlsProvider + 'static>(
    name: &str,
    suite: Ciphersuite,
    provider: P,
) -> Box<dyn Peer> {
    let signer = SignatureKeyPair::new(suite.into()).unwrap();
    let public_key = signer.public().to_vec();
    Box::new(Member::new(name, suite, provider, signer, &public_key))
}

/// Makes a member on a published provider.
type Maker = fn(&str, Ciphersuite) -> Box<dyn Peer>;

/// Each published provider with the post-quantum suites that it supports.
fn published_providers() -> [(&'static str, Maker, Vec<Ciphersuite>); 2] {
    let post_quantum = |crypto: &dyn Fn() -> Vec<Ciphersuite>| {
        let classical = |suite: &Ciphersuite| u16::from(suite) <= 7;
        crypto().into_iter().filter(|suite| !classical(suite)).collect()
    };
    [
        (
            "openmls_rust_crypto",
            |name, suite| published(name, suite, OpenMlsRustCrypto::default()),
            post_quantum(&|| OpenMlsRustCrypto::default().crypto().supported_ciphersuites()),
        ),
        (
            "openmls_libcrux_crypto",
            |name, suite| published(name, suite, OpenMlsLibcrux::new().unwrap()),
            post_quantum(&|| OpenMlsLibcrux::new().unwrap().crypto().supported_ciphersuites()),
        ),
    ]
}

/// All members hold the same epoch.
fn agree(members: &[Box<dyn Peer>]) {
    let first = members[0].secrets();
    for member in members {
        assert_eq!(member.secrets(), first, "{} against {}", member.name(), members[0].name());
    }
}

/// Everyone but the sender follows.
fn broadcast(members: &mut [Box<dyn Peer>], sender: usize, commit: &[u8]) {
    for (index, member) in members.iter_mut().enumerate() {
        if index != sender {
            member.follow(commit).unwrap_or_else(|error| panic!("{}: {error}", member.name()));
        }
    }
    agree(members);
}

/// Everyone sends to everyone.
fn talk(members: &mut [Box<dyn Peer>]) {
    for sender in 0..members.len() {
        let text = format!("from {}", members[sender].name());
        let message = members[sender].send(text.as_bytes()).unwrap();
        for (index, member) in members.iter_mut().enumerate() {
            if index != sender {
                assert_eq!(member.read(&message).unwrap(), text.as_bytes(), "{}", member.name());
            }
        }
    }
}

/// The life of a group of four, the last of whom joins by external commit.
fn live(mut members: Vec<Box<dyn Peer>>) {
    let mut last = members.pop().unwrap();
    members[0].create();
    let packages: Vec<_> = members[1..].iter_mut().map(|member| member.key_package()).collect();
    let (_, welcome) = members[0].add(&packages, true).unwrap();
    members[1..].iter_mut().for_each(|member| member.join(&welcome).unwrap());
    agree(&members);
    talk(&mut members);

    for updater in 0..members.len() {
        let commit = members[updater].update().unwrap();
        broadcast(&mut members, updater, &commit);
    }

    let info = members[1].group_info().unwrap();
    let commit = last.join_externally(&info).unwrap();
    members.iter_mut().for_each(|member| member.follow(&commit).unwrap());
    members.push(last);
    agree(&members);
    talk(&mut members);

    for updater in 0..members.len() {
        let commit = members[updater].update().unwrap();
        broadcast(&mut members, updater, &commit);
    }

    let name = members[2].name().to_owned();
    let commit = members[3].remove(&name).unwrap();
    let mut removed = members.remove(2);
    broadcast(&mut members, 2, &commit);
    talk(&mut members);
    let message = members[0].send(b"without you").unwrap();
    assert!(removed.read(&message).is_err());
}

#[test]
fn with_the_derivation_of_openmls_0_9_mixed_groups_live() {
    for (peer, theirs, suites) in published_providers() {
        assert!(!suites.is_empty(), "{peer}");
        for suite in suites {
            println!("{peer}, {suite}");
            for backend in Backend::available() {
                let old = KeyDerivation::OpenMls09;
                live(vec![
                    ours("ours 1", suite, old, backend),
                    theirs("theirs 1", suite),
                    ours("ours 2", suite, old, backend),
                    theirs("theirs 2", suite),
                ]);
                live(vec![
                    theirs("theirs 1", suite),
                    ours("ours 1", suite, old, backend),
                    theirs("theirs 2", suite),
                    ours("ours 2", suite, old, backend),
                ]);
            }
        }
    }
}

#[test]
fn with_the_drafted_derivation_a_mixed_group_parts_at_the_first_path() {
    for (peer, theirs, suites) in published_providers() {
        for suite in suites {
            println!("{peer}, {suite}");
            let new = KeyDerivation::HpkePq;
            let mut one = ours("ours", suite, new, Backend::default());
            let mut two = theirs("theirs", suite);

            // Key package, Welcome without a path and messages pass.
            one.create();
            let (_, welcome) = one.add(&[two.key_package()], false).unwrap();
            two.join(&welcome).unwrap();
            assert_eq!(one.secrets(), two.secrets());
            let message = one.send(b"so far").unwrap();
            assert_eq!(two.read(&message).unwrap(), b"so far");

            // A Welcome with a path secret does not.
            let mut three = theirs("three", suite);
            let (commit, welcome) = one.add(&[three.key_package()], true).unwrap();
            let error = three.join(&welcome).unwrap_err();
            assert!(error.contains("PublicKeyMismatch"), "{peer}, {suite}: {error}");

            // Nor does a commit with a path.
            let error = two.follow(&commit).unwrap_err();
            assert!(error.contains("PathMismatch"), "{peer}, {suite}: {error}");
        }
    }
}

#[test]
fn with_the_drafted_derivation_an_external_join_of_the_other_kind_fails() {
    for (peer, theirs, suites) in published_providers() {
        for suite in suites {
            let mut host = ours("host", suite, KeyDerivation::HpkePq, Backend::default());
            host.create();
            let info = host.group_info().unwrap();
            // The guest finds nothing wrong: it only encapsulates to the external public key.
            let commit = theirs("guest", suite).join_externally(&info).unwrap();
            let error = host.follow(&commit).unwrap_err();
            println!("{peer}, {suite}: {error}");
            assert!(error.contains("PathMismatch"), "{peer}, {suite}: {error}");
        }
    }
}

#[test]
fn every_suite_lives_on_both_backends_and_between_them() {
    for suite in TrellisCrypto::default().supported_ciphersuites() {
        println!("{suite}");
        for derivation in [KeyDerivation::HpkePq, KeyDerivation::OpenMls09] {
            live(vec![
                ours("default 1", suite, derivation, Backend::default()),
                ours("portable 1", suite, derivation, Backend::portable()),
                ours("portable 2", suite, derivation, Backend::portable()),
                ours("default 2", suite, derivation, Backend::default()),
            ]);
        }
    }
}
