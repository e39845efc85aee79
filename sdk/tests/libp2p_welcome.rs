//! A Welcome into a group of 1000 members, with the ratchet tree, over nodes of libp2p.

#![cfg(feature = "libp2p")]

mod nodes;

use std::time::Instant;

use nodes::{connected, message, settled};
use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, KeyPackage,
    MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent,
    RatchetTreeIn, StagedWelcome,
};
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
use trellis_ciphersuites::{CipherSuite, Ecosystem};
use trellis_sdk::Topic;
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::CHUNK;

const MEMBERS: usize = 1000;
const TOPIC: Topic = Topic([1; 32]);

/// Row 2 of draft-ietf-mls-pq-ciphersuites.
fn suite() -> Ciphersuite {
    let suite = CipherSuite::all().find(|suite| suite.row() == Some(2)).unwrap();
    Ciphersuite::try_from(suite.code_point(Ecosystem::OpenMls).unwrap()).unwrap()
}

struct Member {
    provider: TrellisProvider,
    signer: TrellisSigner,
    credential: CredentialWithKey,
}

impl Member {
    fn new(number: usize) -> Self {
        let signer = TrellisSigner::generate(suite()).unwrap();
        let name = format!("member {number:09}").into_bytes();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name).into(),
            signature_key: signer.public_key().into(),
        };
        Self { provider: TrellisProvider::default(), signer, credential }
    }

    fn capabilities() -> Capabilities {
        Capabilities::new(None, Some(&[suite()]), None, None, Some(&[CredentialType::Basic]))
    }

    fn key_package(&self) -> KeyPackage {
        let builder = KeyPackage::builder().leaf_node_capabilities(Self::capabilities());
        let bundle = builder.build(suite(), &self.provider, &self.signer, self.credential.clone());
        bundle.unwrap().key_package().clone()
    }
}

fn read(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_welcome_into_a_group_of_1000_arrives() {
    let start = Instant::now();
    let (founder, newcomer) = (Member::new(0), Member::new(MEMBERS - 1));
    let mut packages: Vec<_> =
        (1..MEMBERS - 1).map(|number| Member::new(number).key_package()).collect();
    packages.push(newcomer.key_package());
    let mut group = MlsGroup::builder()
        .ciphersuite(suite())
        .with_capabilities(Member::capabilities())
        .use_ratchet_tree_extension(false)
        .build(&founder.provider, &founder.signer, founder.credential.clone())
        .unwrap();
    let added = group.add_members(&founder.provider, &founder.signer, &packages);
    let (_, welcome, _) = added.unwrap();
    group.merge_pending_commit(&founder.provider).unwrap();
    let welcome = welcome.to_bytes().unwrap();
    let tree = group.export_ratchet_tree().tls_serialize_detached().unwrap();
    let made = start.elapsed();

    let (here, there) = connected().await;
    there.subscribe(TOPIC).await.unwrap();
    settled(&there, |status| status.topics.len() == 1).await;
    let start = Instant::now();
    let mut arrived = Vec::new();
    for content in [&welcome, &tree] {
        assert!(content.len() > 10 * CHUNK, "it goes in chunks");
        here.publish_content(TOPIC, content.clone()).await.unwrap();
        let (_, bytes) = message(&there).await;
        assert!(bytes == *content);
        arrived.push(bytes);
    }
    let travelled = start.elapsed();

    // From what has arrived, and nothing else, the newcomer is in the group, and reads it.
    let MlsMessageBodyIn::Welcome(read_welcome) = read(&arrived[0]).extract() else {
        panic!("a Welcome")
    };
    let read_tree = RatchetTreeIn::tls_deserialize_exact(&arrived[1]).unwrap();
    let config = MlsGroupJoinConfig::default();
    let start = Instant::now();
    let provider = &newcomer.provider;
    let staged =
        StagedWelcome::new_from_welcome(provider, &config, read_welcome, Some(read_tree)).unwrap();
    let mut joined = staged.into_group(provider).unwrap();
    println!(
        "made in {made:.1?}; Welcome of {} bytes and tree of {} bytes travelled in {travelled:.1?}; joined in {:.1?}",
        welcome.len(),
        tree.len(),
        start.elapsed(),
    );
    assert_eq!(joined.members().count(), MEMBERS);
    assert_eq!(joined.epoch_authenticator().as_slice(), group.epoch_authenticator().as_slice());
    let said = group.create_message(&founder.provider, &founder.signer, b"frost tonight").unwrap();
    here.publish(TOPIC, said.to_bytes().unwrap()).await.unwrap();
    let (_, bytes) = message(&there).await;
    let said = read(&bytes).try_into_protocol_message().unwrap();
    let heard = joined.process_message(provider, said).unwrap().into_content();
    let ProcessedMessageContent::ApplicationMessage(heard) = heard else { panic!("a message") };
    assert_eq!(heard.into_bytes(), b"frost tonight");
}
