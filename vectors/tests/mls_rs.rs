//! Groups of mls-rs clients alone, with every suite of the registry.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::stack::{
    Changes, Client, Imported, Proposal, Received, Settings, Stack, StackError, Wire,
};
use trellis_vectors::{Primitives, Randomness, oracle::RustCrypto};

fn settings(suite: CipherSuite, identity: &str, wire: Wire) -> Settings {
    let number = [Ecosystem::OpenMls, Ecosystem::Proposed]
        .iter()
        .find_map(|&ecosystem| suite.code_point(ecosystem))
        .unwrap();
    Settings {
        suite,
        code_point: number,
        derivation: KeyDerivation::HpkePq,
        identity: identity.into(),
        wire,
    }
}

fn client(suite: CipherSuite, identity: &str, wire: Wire) -> Box<dyn Client> {
    MlsRs::default().client(&settings(suite, identity, wire)).unwrap()
}

/// All clients are in the same state, which is returned with an exported secret.
fn agree(clients: &mut [&mut dyn Client], epoch: u64) {
    let [first, others @ ..] = clients else { panic!("no client") };
    let (state, exported) = (first.state().unwrap(), first.export("label", b"context", 50));
    assert_eq!(state.epoch, epoch);
    assert_eq!(state.members, 1 + others.len());
    assert_eq!(exported.as_ref().unwrap().len(), 50);
    for other in others {
        assert_eq!(other.state().unwrap(), state);
        assert_eq!(other.export("label", b"context", 50), exported);
    }
}

fn add(key_package: Vec<u8>) -> Changes {
    Changes { add: vec![key_package], ..Changes::default() }
}

fn update() -> Changes {
    Changes { path: true, ..Changes::default() }
}

/// Everything that a group does.
fn group(suite: CipherSuite, wire: Wire) {
    let mut alice = client(suite, "alice", wire);
    let mut bob = client(suite, "bob", wire);
    let mut carol = client(suite, "carol", wire);

    // Add and join.
    alice.create(b"a group").unwrap();
    let committed = alice.commit(add(bob.key_package().unwrap())).unwrap();
    bob.join(&committed.welcome.unwrap(), None).unwrap();
    agree(&mut [&mut *alice, &mut *bob], 1);
    assert_eq!((alice.own_leaf(), bob.own_leaf()), (Ok(0), Ok(1)));

    // Messages, also a late one of the epoch before.
    let message = bob.send(b"frost tonight").unwrap();
    assert_eq!(alice.process(&message), Ok(Received::Application(b"frost tonight".to_vec())));
    let late = bob.send(b"late").unwrap();

    // Updates, in both directions.
    let committed = bob.commit(update()).unwrap();
    assert_eq!(committed.welcome, None);
    assert_eq!(alice.process(&committed.commit), Ok(Received::Commit));
    agree(&mut [&mut *bob, &mut *alice], 2);
    let committed = alice.commit(update()).unwrap();
    assert_eq!(bob.process(&committed.commit), Ok(Received::Commit));
    agree(&mut [&mut *bob, &mut *alice], 3);
    assert_eq!(alice.process(&late), Ok(Received::Application(b"late".to_vec())));

    // External join.
    let commit = carol.external_join(&alice.group_info().unwrap()).unwrap();
    for member in [&mut alice, &mut bob] {
        assert_eq!(member.process(&commit), Ok(Received::Commit));
    }
    agree(&mut [&mut *carol, &mut *bob, &mut *alice], 4);

    // An external pre-shared key: by value without a path, then by reference.
    for member in [&mut alice, &mut bob, &mut carol] {
        member.add_psk(b"psk id", &[7; 32]).unwrap();
    }
    let psk = Changes { psk: vec![b"psk id".to_vec()], ..Changes::default() };
    let committed = carol.commit(psk).unwrap();
    for member in [&mut alice, &mut bob] {
        assert_eq!(member.process(&committed.commit), Ok(Received::Commit));
    }
    agree(&mut [&mut *carol, &mut *bob, &mut *alice], 5);
    let proposal = bob.propose(Proposal::Psk(b"psk id".to_vec())).unwrap();
    for member in [&mut alice, &mut carol] {
        assert_eq!(member.process(&proposal), Ok(Received::Proposal));
    }
    let committed = bob.commit(Changes::default()).unwrap();
    for member in [&mut alice, &mut carol] {
        assert_eq!(member.process(&committed.commit), Ok(Received::Commit));
    }
    agree(&mut [&mut *carol, &mut *bob, &mut *alice], 6);

    // An Add and a Remove that others proposed, in one commit with a Welcome.
    let mut dave = client(suite, "dave", wire);
    let removal = alice.propose(Proposal::Remove(carol.own_leaf().unwrap())).unwrap();
    let addition = alice.propose(Proposal::Add(dave.key_package().unwrap())).unwrap();
    for proposal in [removal, addition] {
        for member in [&mut bob, &mut carol] {
            assert_eq!(member.process(&proposal), Ok(Received::Proposal));
        }
    }
    let committed = bob.commit(Changes::default()).unwrap();
    for member in [&mut alice, &mut carol] {
        assert_eq!(member.process(&committed.commit), Ok(Received::Commit));
    }
    dave.join(&committed.welcome.unwrap(), None).unwrap();
    agree(&mut [&mut *dave, &mut *bob, &mut *alice], 7);
    assert!(carol.state().is_err());
    let message = dave.send(b"again").unwrap();
    assert_eq!(bob.process(&message), Ok(Received::Application(b"again".to_vec())));
}

/// One test for each suite, so that they run side by side.
macro_rules! suites {
    ($($name:ident: $index:literal;)+) => {
        $(
            #[test]
            fn $name() {
                let suite = CipherSuite::all().nth($index).unwrap();
                group(suite, Wire::Public);
                group(suite, Wire::Private);
            }
        )+

        #[test]
        fn every_suite_is_tested() {
            assert_eq!([$($index),+], *(0..CipherSuite::all().len()).collect::<Vec<_>>());
        }
    };
}

suites! {
    suite_0001: 0;
    suite_0002: 1;
    suite_0003: 2;
    suite_0005: 3;
    suite_0007: 4;
    row_1: 5;
    row_2: 6;
    row_3: 7;
    row_4: 8;
    row_5: 9;
    row_6: 10;
    row_7: 11;
    row_8: 12;
    row_9: 13;
    row_10: 14;
    row_11: 15;
    legacy_004d: 16;
    legacy_0906: 17;
}

/// MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519.
fn hybrid() -> CipherSuite {
    CipherSuite::from_code_point(Ecosystem::OpenMls, 0x004E).unwrap()
}

/// A number that no registry has does as well as any.
#[test]
fn any_code_point() {
    let of = |identity: &str| Settings {
        code_point: 0xFDE8,
        ..settings(hybrid(), identity, Wire::Private)
    };
    let mut alice = MlsRs::default().client(&of("alice")).unwrap();
    let mut bob = MlsRs::default().client(&of("bob")).unwrap();
    alice.create(b"a group").unwrap();
    let committed = alice.commit(add(bob.key_package().unwrap())).unwrap();
    bob.join(&committed.welcome.unwrap(), None).unwrap();
    agree(&mut [&mut *alice, &mut *bob], 1);

    let mut other = client(hybrid(), "other", Wire::Private);
    assert!(alice.commit(add(other.key_package().unwrap())).is_err());
    agree(&mut [&mut *alice, &mut *bob], 1);
}

/// The unlabelled derivation works among its own, and fails at the first path among others.
#[test]
fn derivations() {
    let of = |identity: &str, derivation| {
        let settings = Settings { derivation, ..settings(hybrid(), identity, Wire::Public) };
        MlsRs::default().client(&settings).unwrap()
    };
    for (derivation, agrees) in [(KeyDerivation::OpenMls09, true), (KeyDerivation::HpkePq, false)] {
        let mut alice = of("alice", KeyDerivation::OpenMls09);
        let mut bob = of("bob", derivation);
        alice.create(b"a group").unwrap();
        let committed = alice.commit(add(bob.key_package().unwrap())).unwrap();
        bob.join(&committed.welcome.unwrap(), None).unwrap();
        agree(&mut [&mut *alice, &mut *bob], 1);
        let before = bob.state().unwrap();
        let committed = alice.commit(update()).unwrap();
        assert_eq!(bob.process(&committed.commit).is_ok(), agrees);
        if agrees {
            agree(&mut [&mut *alice, &mut *bob], 2);
        } else {
            assert_eq!(bob.state().unwrap(), before);
        }
    }
}

/// A KeyPackage (RFC 9420, section 10) and its private keys.
fn keys(settings: &Settings, not_after: u64) -> Imported {
    let (suite, primitives) = (settings.suite, RustCrypto);
    let random = Randomness::new(&settings.identity);
    let init = primitives.derive_key_pair(suite.kem(), &random.bytes(64)).unwrap();
    let encryption = primitives.derive_key_pair(suite.kem(), &random.bytes(64)).unwrap();
    let mut signature_priv = random.bytes(suite.signature().private_key_len());
    signature_priv[0] &= 1;
    let signature_key = primitives.verification_key(suite.signature(), &signature_priv).unwrap();
    let sign = |label: &str, content: &[u8]| {
        let label = format!("MLS 1.0 {label}");
        let signed = [opaque(label.as_bytes()), opaque(content)].concat();
        primitives.sign(suite.signature(), &signature_priv, &signed, None).unwrap()
    };
    let number = settings.code_point.to_be_bytes();
    let leaf = [
        opaque(&encryption.public),
        opaque(&signature_key),
        // A basic credential; capabilities: mls10, this suite, no extensions, no proposals, basic.
        vec![0, 1],
        opaque(&settings.identity),
        opaque(&[0, 1]),
        opaque(&number),
        opaque(b""),
        opaque(b""),
        opaque(&[0, 1]),
        // From a key package, with its lifetime.
        vec![1],
        0u64.to_be_bytes().to_vec(),
        not_after.to_be_bytes().to_vec(),
        // No extensions.
        opaque(b""),
    ]
    .concat();
    let leaf = [&leaf[..], &opaque(&sign("LeafNodeTBS", &leaf))].concat();
    let content = [&[0, 1], &number[..], &opaque(&init.public), &leaf, &opaque(b"")].concat();
    // As an MLSMessage: mls10, mls_key_package.
    let key_package =
        [&[0, 1, 0, 5], &content[..], &opaque(&sign("KeyPackageTBS", &content))].concat();
    Imported {
        key_package,
        init_priv: init.private,
        encryption_priv: encryption.private,
        signature_priv,
    }
}

/// `opaque<V>` (RFC 9420, section 2.1.2).
fn opaque(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let prefix = match length {
        0..=63 => vec![length as u8],
        _ => (0x4000 | length).to_be_bytes().to_vec(),
    };
    [prefix, bytes.to_vec()].concat()
}

/// A client made of given keys joins and follows.
#[test]
fn imported_keys() {
    for suite in CipherSuite::all() {
        let settings = settings(suite, "imported", Wire::Private);
        let keys = keys(&settings, u64::MAX);
        let mut passive = MlsRs::default().import(&settings, &keys).unwrap();
        let mut alice = client(suite, "alice", Wire::Private);
        alice.create(b"a group").unwrap();
        let committed = alice.commit(add(keys.key_package)).unwrap();
        passive.join(&committed.welcome.unwrap(), None).unwrap();
        agree(&mut [&mut *alice, &mut *passive], 1);
        let committed = alice.commit(update()).unwrap();
        assert_eq!(passive.process(&committed.commit), Ok(Received::Commit));
        let committed = passive.commit(update()).unwrap();
        assert_eq!(alice.process(&committed.commit), Ok(Received::Commit));
        agree(&mut [&mut *alice, &mut *passive], 3);
    }
}

/// Lifetimes are looked at where a commit to an Add is made, and nowhere else.
#[test]
fn lifetimes() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let make = |identity: &str, not_after| {
        let settings = settings(hybrid(), identity, Wire::Public);
        let keys = keys(&settings, not_after);
        (MlsRs::default().import(&settings, &keys).unwrap(), keys.key_package)
    };
    let (mut alice, _) = make("alice", u64::MAX);
    alice.create(b"a group").unwrap();
    let not_after = now() + 3;
    let (mut bob, bob_package) = make("bob", not_after);
    let (mut carol, carol_package) = make("carol", not_after);
    let (_, dave_package) = make("dave", now() - 1);
    assert!(alice.commit(add(dave_package)).is_err());
    let welcome = alice.commit(add(bob_package)).unwrap().welcome.unwrap();
    let committed = alice.commit(add(carol_package)).unwrap();
    while now() <= not_after {
        sleep(Duration::from_millis(100));
    }
    bob.join(&welcome, None).unwrap();
    assert_eq!(bob.process(&committed.commit), Ok(Received::Commit));
    carol.join(&committed.welcome.unwrap(), None).unwrap();
    agree(&mut [&mut *alice, &mut *bob, &mut *carol], 2);
}

/// What fails leaves everything as it was.
#[test]
fn failures() {
    let suite = hybrid();
    let mut alice = client(suite, "alice", Wire::Private);
    let mut bob = client(suite, "bob", Wire::Private);
    assert_eq!(alice.state(), Err(StackError::Failed("no group".into())));
    alice.create(b"a group").unwrap();
    let committed = alice.commit(add(bob.key_package().unwrap())).unwrap();
    let welcome = committed.welcome.unwrap();
    assert!(client(suite, "carol", Wire::Private).join(&welcome, None).is_err());
    bob.join(&welcome, None).unwrap();

    // Every byte of a commit counts, and after all failures it still applies.
    let committed = alice.commit(update()).unwrap();
    for at in (0..committed.commit.len()).step_by(97) {
        let mut altered = committed.commit.clone();
        altered[at] ^= 1;
        let before = bob.state().unwrap();
        assert!(bob.process(&altered).is_err(), "byte {at}");
        assert_eq!(bob.state().unwrap(), before);
    }
    assert!(bob.process(&[&committed.commit[..], &[0]].concat()).is_err());
    assert_eq!(bob.process(&committed.commit), Ok(Received::Commit));
    agree(&mut [&mut *alice, &mut *bob], 2);

    // A pre-shared key that the other side lacks.
    alice.add_psk(b"psk id", &[7; 32]).unwrap();
    let psk = Changes { psk: vec![b"psk id".to_vec()], ..Changes::default() };
    assert!(bob.commit(psk.clone()).is_err());
    agree(&mut [&mut *alice, &mut *bob], 2);
    let committed = alice.commit(psk).unwrap();
    assert!(bob.process(&committed.commit).is_err());
    bob.add_psk(b"psk id", &[7; 32]).unwrap();
    assert_eq!(bob.process(&committed.commit), Ok(Received::Commit));
    agree(&mut [&mut *alice, &mut *bob], 3);

    // A leaf that does not exist, a key package that is none, a pending proposal before a message.
    let remove = Changes { remove: vec![5], ..Changes::default() };
    assert!(alice.commit(remove).is_err());
    assert!(alice.commit(add(welcome)).is_err());
    agree(&mut [&mut *alice, &mut *bob], 3);
    let proposal = alice.propose(Proposal::Psk(b"psk id".to_vec())).unwrap();
    assert!(alice.send(b"too early").is_err());
    assert_eq!(bob.process(&proposal), Ok(Received::Proposal));
    let committed = alice.commit(Changes::default()).unwrap();
    assert_eq!(bob.process(&committed.commit), Ok(Received::Commit));
    agree(&mut [&mut *alice, &mut *bob], 4);
}

#[test]
fn every_post_quantum_suite_is_here() {
    let count =
        CipherSuite::all().filter(|suite| suite.confidentiality() != Protection::Classical).count();
    assert_eq!(count, 13);
}
