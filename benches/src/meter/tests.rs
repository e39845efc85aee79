//! A group on the instrumented provider.

use std::collections::HashMap;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner, TrellisStorage};

use super::*;
use crate::suites::{SUITES, Suite};

type Provider = Metered<TrellisCrypto, TrellisStorage>;

struct Member {
    provider: Provider,
    signer: MeteredSigner<TrellisSigner>,
    credential: CredentialWithKey,
}

fn member(suite: Suite, ledger: &Ledger) -> Member {
    let signer = TrellisSigner::generate(suite.open_mls()).unwrap();
    let credential = BasicCredential::new(b"somebody".to_vec()).into();
    let credential = CredentialWithKey { credential, signature_key: signer.public_key().into() };
    Member {
        provider: Metered::new(TrellisCrypto::default(), TrellisStorage::default(), ledger),
        signer: MeteredSigner::new(signer, ledger),
        credential,
    }
}

fn count(calls: &HashMap<Call, Tally>, name: &str) -> u64 {
    calls.iter().filter(|(call, _)| call.name() == name).map(|(_, tally)| tally.count).sum()
}

/// One member creates a group, adds another, who joins, and sends it a message. The calls of each
/// of these steps.
pub(crate) fn small_group(suite: Suite) -> [HashMap<Call, Tally>; 5] {
    let ledger = Ledger::new();
    let (alice, bob) = (member(suite, &ledger), member(suite, &ledger));
    // As in the groups that are measured: the suite's own number and no other.
    let capabilities = Capabilities::new(None, Some(&[suite.open_mls()]), None, None, None);
    let mut group = MlsGroup::builder()
        .ciphersuite(suite.open_mls())
        .with_capabilities(capabilities.clone())
        .use_ratchet_tree_extension(true)
        .build(&alice.provider, &alice.signer, alice.credential.clone())
        .unwrap();
    let package = KeyPackage::builder()
        .leaf_node_capabilities(capabilities)
        .build(suite.open_mls(), &bob.provider, &bob.signer, bob.credential.clone())
        .unwrap();
    let create = ledger.take();

    let package = package.key_package().clone();
    let (_, welcome, _) = group.add_members(&alice.provider, &alice.signer, &[package]).unwrap();
    group.merge_pending_commit(&alice.provider).unwrap();
    let add = ledger.take();

    let welcome = MlsMessageIn::tls_deserialize_exact(welcome.to_bytes().unwrap()).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else { panic!("no Welcome") };
    let config = MlsGroupJoinConfig::default();
    let mut joined = StagedWelcome::new_from_welcome(&bob.provider, &config, welcome, None)
        .and_then(|staged| staged.into_group(&bob.provider))
        .unwrap();
    let join = ledger.take();
    assert_eq!(joined.epoch_authenticator().as_slice(), group.epoch_authenticator().as_slice());

    let sent = group.create_message(&alice.provider, &alice.signer, b"frost tonight").unwrap();
    let send = ledger.take();
    let sent = MlsMessageIn::tls_deserialize_exact(sent.to_bytes().unwrap()).unwrap();
    let sent = sent.try_into_protocol_message().unwrap();
    let received = joined.process_message(&bob.provider, sent).unwrap().into_content();
    let receive = ledger.take();
    let ProcessedMessageContent::ApplicationMessage(text) = received else { panic!("no text") };
    assert_eq!(text.into_bytes(), b"frost tonight");

    // What was written through the meter is in the storage.
    for (group, member) in [(group, alice), (joined, bob)] {
        let stored = MlsGroup::load(member.provider.storage(), group.group_id()).unwrap().unwrap();
        assert_eq!(stored.epoch_authenticator().as_slice(), group.epoch_authenticator().as_slice());
    }
    assert_eq!(count(&ledger.take(), "storage: tree"), 2);
    [create, add, join, send, receive]
}

#[test]
fn a_group_lives_on_the_meter_and_every_call_is_entered() {
    for suite in SUITES {
        let [create, add, join, send, receive] = small_group(suite);
        for (calls, name, expected) in [
            // Leaf, and the key package with its own leaf.
            (&create, "sign", 3),
            (&add, "hpke_seal", 1),
            (&join, "hpke_open", 1),
            // GroupInfo, and both leaves.
            (&join, "verify_signature", 3),
            (&send, "sign", 1),
            // The text, and the sender data.
            (&send, "aead_encrypt", 2),
            (&receive, "aead_decrypt", 2),
            (&receive, "verify_signature", 1),
            (&create, "storage: write_key_package", 1),
            (&join, "storage: key_package", 1),
        ] {
            assert_eq!(count(calls, name), expected, "{}: {name}", suite.short);
        }
        let texts = send.keys().filter(|call| matches!(call, Call::Sign { data } if *data > 13));
        assert_eq!(texts.count(), 1);
    }
}

#[cfg(feature = "targeted-messages-draft")]
#[test]
fn seals_with_a_pre_shared_key_are_entered_without_what_builds_the_additional_data() {
    use std::time::Duration;

    use openmls_traits::crypto::OpenMlsCrypto;

    let suite = Suite::find("row 2").unwrap().open_mls();
    let ledger = Ledger::new();
    let crypto = MeteredCrypto::new(TrellisCrypto::default(), ledger.clone());
    let pair = crypto.derive_hpke_keypair(suite.hpke_config(), &[1; 32]).unwrap();
    let nap = Duration::from_millis(200);
    let build = |_: &[u8]| {
        std::thread::sleep(nap);
        Ok::<_, ()>(b"header".to_vec())
    };
    let (psk, id) = ([2; 32], [3; 8]);
    let sealed = crypto
        .hpke_seal_psk_resolved_aad(
            suite.hpke_config(),
            &pair.public,
            b"info",
            b"text",
            &psk,
            &id,
            build,
        )
        .unwrap();
    let opened = crypto.hpke_open_psk(
        suite.hpke_config(),
        &sealed,
        &pair.private,
        b"info",
        b"header",
        &psk,
        &id,
    );
    assert_eq!(opened.unwrap(), b"text");

    let calls = ledger.take();
    let (info, psk) = (Info { length: 4, again: false }, Psk { key: 32, id: 8 });
    let seal = calls[&Call::HpkeSealPsk { info, psk, aad: 6, plaintext: 4 }];
    let open = calls[&Call::HpkeOpenPsk { info, psk, aad: 6, plaintext: 4 }];
    assert_eq!((seal.count, open.count), (1, 1));
    assert!(seal.time < nap);
}
