//! The life of one group on one provider.

use std::collections::BTreeMap;
use std::time::Instant;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::signatures::Signer;
use openmls_traits::types::Ciphersuite;

/// What is timed, in the order in which it happens.
pub(crate) const OPERATIONS: [&str; 7] = [
    "key package",
    "add all others",
    "join",
    "self-update",
    "process",
    "1 KiB sent",
    "1 KiB received",
];

/// Milliseconds by operation.
pub(crate) type Times = BTreeMap<&'static str, Vec<f64>>;

/// Messages per turn; many, because signing with ML-DSA takes a random number of rounds.
const MESSAGES: u32 = 100;

pub(crate) trait Contender {
    /// One life; `report` takes each operation with its milliseconds and the bytes that it sent.
    fn live(&mut self, report: &mut dyn FnMut(&'static str, f64, usize));
}

struct Member<P, S> {
    provider: P,
    signer: S,
    credential: CredentialWithKey,
}

/// The creator of a group, one member who joins, and the key packages of the rest.
pub(crate) struct Group<P, S> {
    suite: Ciphersuite,
    creator: Member<P, S>,
    joiner: Member<P, S>,
    others: Vec<KeyPackage>,
}

impl<P: OpenMlsProvider, S: Signer> Group<P, S> {
    pub(crate) fn new(
        suite: Ciphersuite,
        members: usize,
        maker: impl Fn() -> (P, S, Vec<u8>),
    ) -> Self {
        let member = |name: &str| {
            let (provider, signer, public_key) = maker();
            let credential = BasicCredential::new(name.as_bytes().to_vec()).into();
            Member {
                provider,
                signer,
                credential: CredentialWithKey { credential, signature_key: public_key.into() },
            }
        };
        let others = (2..members)
            .map(|index| {
                let other = member(&format!("member {index}"));
                key_package(suite, &other)
            })
            .collect();
        Self { suite, creator: member("creator"), joiner: member("joiner"), others }
    }
}

fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::new(None, Some(&[suite]), None, None, None)
}

fn key_package<P: OpenMlsProvider, S: Signer>(
    suite: Ciphersuite,
    member: &Member<P, S>,
) -> KeyPackage {
    KeyPackage::builder()
        .leaf_node_capabilities(capabilities(suite))
        .build(suite, &member.provider, &member.signer, member.credential.clone())
        .unwrap()
        .key_package()
        .clone()
}

fn message(bytes: &[u8]) -> ProtocolMessage {
    MlsMessageIn::tls_deserialize_exact(bytes).unwrap().try_into_protocol_message().unwrap()
}

impl<P: OpenMlsProvider, S: Signer> Contender for Group<P, S> {
    fn live(&mut self, report: &mut dyn FnMut(&'static str, f64, usize)) {
        let Self { suite, creator, joiner, others } = self;
        let mut group = MlsGroup::builder()
            .ciphersuite(*suite)
            .with_capabilities(capabilities(*suite))
            .use_ratchet_tree_extension(true)
            .build(&creator.provider, &creator.signer, creator.credential.clone())
            .unwrap();
        let [package_op, add_op, join_op, update_op, process_op, sent_op, received_op] = OPERATIONS;

        let start = Instant::now();
        let package = key_package(*suite, joiner);
        report(
            package_op,
            milliseconds(start),
            MlsMessageOut::from(package.clone()).to_bytes().unwrap().len(),
        );

        let mut packages = others.clone();
        packages.push(package);
        let start = Instant::now();
        let (commit, welcome, _) =
            group.add_members(&creator.provider, &creator.signer, &packages).unwrap();
        group.merge_pending_commit(&creator.provider).unwrap();
        let welcome = welcome.to_bytes().unwrap();
        report(add_op, milliseconds(start), commit.to_bytes().unwrap().len() + welcome.len());

        let start = Instant::now();
        let MlsMessageBodyIn::Welcome(welcome) =
            MlsMessageIn::tls_deserialize_exact(&welcome).unwrap().extract()
        else {
            panic!("no Welcome")
        };
        let config = MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build();
        let staged =
            StagedWelcome::new_from_welcome(&joiner.provider, &config, welcome, None).unwrap();
        let mut joined = staged.into_group(&joiner.provider).unwrap();
        report(join_op, milliseconds(start), 0);

        let start = Instant::now();
        let bundle = group
            .self_update(&creator.provider, &creator.signer, LeafNodeParameters::default())
            .unwrap();
        group.merge_pending_commit(&creator.provider).unwrap();
        let commit = bundle.into_commit().to_bytes().unwrap();
        report(update_op, milliseconds(start), commit.len());

        let start = Instant::now();
        let processed = joined.process_message(&joiner.provider, message(&commit)).unwrap();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            panic!("no commit")
        };
        joined.merge_staged_commit(&joiner.provider, *staged).unwrap();
        report(process_op, milliseconds(start), 0);

        let text = vec![b'x'; 1024];
        let start = Instant::now();
        let sent: Vec<_> = (0..MESSAGES)
            .map(|_| {
                group
                    .create_message(&creator.provider, &creator.signer, &text)
                    .unwrap()
                    .to_bytes()
                    .unwrap()
            })
            .collect();
        report(sent_op, milliseconds(start) / f64::from(MESSAGES), sent[0].len());

        let start = Instant::now();
        for bytes in &sent {
            joined.process_message(&joiner.provider, message(bytes)).unwrap();
        }
        report(received_op, milliseconds(start) / f64::from(MESSAGES), 0);

        group.delete(creator.provider.storage()).unwrap();
        joined.delete(joiner.provider.storage()).unwrap();
    }
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
