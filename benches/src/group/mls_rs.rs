//! Groups of mls-rs on AWS-LC: another stack, on suites of its own that are near to some of ours.
//!
//! As OpenMLS does by default, it encrypts handshake messages, does not pad, sends a path with every
//! commit, and puts the ratchet tree into the GroupInfo. mls-rs leaves it to the application when to
//! store a group; here that happens with each join and commit, and not with each message.

use std::ops::ControlFlow;

use ::mls_rs::client_builder::{
    BaseConfig, PaddingMode, WithCryptoProvider, WithIdentityProvider, WithMlsRules,
};
use ::mls_rs::group::{CommitBuilder, CommitOutput, ReceivedMessage};
use ::mls_rs::identity::SigningIdentity;
use ::mls_rs::identity::basic::{BasicCredential, BasicIdentityProvider};
use ::mls_rs::mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions};
use ::mls_rs::{CipherSuiteProvider, Client, CryptoProvider, ExtensionList, Group, MlsMessage};
use mls_rs_core::crypto::CipherSuite;
use mls_rs_crypto_awslc::AwsLcCryptoProvider;

use super::{Clock, Life, MESSAGES, Observer, Operation, Tree};
use crate::suites::Suite;

/// Which of its suites is near to which of ours. All three hash with SHA-256, encrypt with
/// AES-128-GCM and sign with Ed25519.
const NEAREST: [(&str, CipherSuite); 3] = [
    ("classical", CipherSuite::CURVE25519_AES128),
    ("row 1", CipherSuite::ML_KEM_768_X25519),
    ("row 6", CipherSuite::ML_KEM_768),
];

/// The largest group in which everyone commits once; that takes time in the square of its size.
pub(super) const LARGEST_FULL: usize = 256;

type Config = WithMlsRules<
    DefaultMlsRules,
    WithIdentityProvider<
        BasicIdentityProvider,
        WithCryptoProvider<AwsLcCryptoProvider, BaseConfig>,
    >,
>;

/// Which of its suites is near to this one.
fn nearest(suite: Suite) -> Option<CipherSuite> {
    NEAREST.into_iter().find(|&(ours, _)| ours == suite.short).map(|(_, near)| near)
}

/// Whether it has a suite near this one.
pub(super) fn supports(suite: Suite) -> bool {
    nearest(suite).is_some()
}

/// A group of mls-rs.
pub(super) fn life(suite: Suite, members: usize, tree: Tree) -> Box<dyn Life> {
    let near = nearest(suite).expect("a suite that is supported");
    match tree {
        Tree::Fresh => Box::new(Fresh::new(near, members)),
        Tree::Full => Box::new(Full::new(near, members)),
    }
}

fn client(suite: CipherSuite, name: &str) -> Client<Config> {
    let crypto = AwsLcCryptoProvider::default();
    let provider = crypto.cipher_suite_provider(suite).expect("a suite of mls-rs on AWS-LC");
    let (signer, public) = provider.signature_key_generate().expect("a signer");
    let credential = BasicCredential::new(name.as_bytes().to_vec()).into_credential();
    let rules = DefaultMlsRules::new()
        .with_commit_options(
            CommitOptions::new().with_path_required(true).with_ratchet_tree_extension(true),
        )
        .with_encryption_options(EncryptionOptions::new(true, PaddingMode::None));
    Client::builder()
        .crypto_provider(crypto)
        .identity_provider(BasicIdentityProvider)
        .mls_rules(rules)
        .signing_identity(SigningIdentity::new(credential, public), signer, suite)
        .build()
}

fn key_package(client: &Client<Config>) -> MlsMessage {
    let none = ExtensionList::new;
    client.generate_key_package_message(none(), none(), None).expect("a key package")
}

fn bytes(message: &MlsMessage) -> Vec<u8> {
    message.to_bytes().expect("a message")
}

/// Applies the own commit and stores the group. Commit and Welcome, as bytes.
fn apply(group: &mut Group<Config>, output: &CommitOutput) -> (Vec<u8>, Vec<u8>) {
    group.apply_pending_commit().expect("a pending commit");
    group.write_to_storage().expect("a storage in memory");
    let welcome = output.welcome_messages().first().map(bytes).unwrap_or_default();
    (bytes(output.commit_message()), welcome)
}

/// Updates the own leaf. The commit, as bytes.
fn update(group: &mut Group<Config>) -> Vec<u8> {
    let output = group.commit(Vec::new()).expect("an update");
    apply(group, &output).0
}

/// Processes a commit and stores the group.
fn process(group: &mut Group<Config>, commit: &[u8]) {
    let received = receive(group, commit);
    assert!(matches!(received, ReceivedMessage::Commit(_)), "no commit");
    group.write_to_storage().expect("a storage in memory");
}

fn receive(group: &mut Group<Config>, message: &[u8]) -> ReceivedMessage {
    let message = MlsMessage::from_bytes(message).expect("a message");
    group.process_incoming_message(message).expect("a valid message")
}

/// A group in which one commit added everyone. Unlike OpenMLS, mls-rs checks the key packages while
/// it adds them.
struct Fresh {
    suite: CipherSuite,
    others: Vec<MlsMessage>,
}

impl Fresh {
    fn new(suite: CipherSuite, members: usize) -> Self {
        let member = |index| client(suite, &format!("member {index}"));
        Self { suite, others: (2..members).map(|index| key_package(&member(index))).collect() }
    }

    fn run(&self, mut clock: Clock<'_>) -> ControlFlow<()> {
        let (creator, joiner) = (client(self.suite, "creator"), client(self.suite, "joiner"));
        let none = ExtensionList::new;
        let mut group = creator.create_group(none(), none(), None).expect("a group");

        let package = clock.once(
            Operation::KeyPackage,
            || key_package(&joiner),
            |package| bytes(package).len(),
        )?;

        let packages: Vec<_> = self.others.iter().cloned().chain([package]).collect();
        let (_, welcome) = clock.once(
            Operation::Add,
            || {
                let output = packages
                    .into_iter()
                    .try_fold(group.commit_builder(), CommitBuilder::add_member)
                    .and_then(CommitBuilder::build)
                    .expect("an addition");
                apply(&mut group, &output)
            },
            |(commit, welcome)| commit.len() + welcome.len(),
        )?;

        let mut joined = clock.once(
            Operation::Join,
            || {
                let welcome = MlsMessage::from_bytes(&welcome).expect("a Welcome");
                let (mut joined, _) =
                    joiner.join_group(None, &welcome, None).expect("a valid Welcome");
                joined.write_to_storage().expect("a storage in memory");
                joined
            },
            |_| 0,
        )?;

        let commit = clock.once(Operation::UpdateFresh, || update(&mut group), Vec::len)?;
        clock.once(Operation::ProcessFresh, || process(&mut joined, &commit), |()| 0)?;

        for (send, receives, size, count) in MESSAGES {
            let texts = vec![vec![b'x'; size]; count as usize];
            let sent = clock.each(
                send,
                &texts,
                |text| {
                    let sent = group.encrypt_application_message(text, Vec::new());
                    bytes(&sent.expect("a message"))
                },
                Vec::len,
            )?;
            clock.each(receives, &sent, |message| receive(&mut joined, message), |_| 0)?;
        }

        let last = joined.current_member_index();
        clock.once(
            Operation::Remove,
            || {
                let output = group
                    .commit_builder()
                    .remove_member(last)
                    .and_then(CommitBuilder::build)
                    .expect("a removal");
                apply(&mut group, &output).0
            },
            Vec::len,
        )?;
        ControlFlow::Continue(())
    }
}

impl Life for Fresh {
    fn live(&mut self, observer: &mut dyn Observer) {
        // Stopping early is not an outcome.
        let _ = self.run(Clock(observer));
    }
}

/// A group in which everyone has committed. Its life goes on where it stopped.
struct Full {
    committer: Group<Config>,
    receiver: Group<Config>,
}

impl Full {
    fn new(suite: CipherSuite, members: usize) -> Self {
        let none = ExtensionList::new;
        let founder = client(suite, "member 0").create_group(none(), none(), None);
        let mut committer = (1..members - 1)
            .fold(founder.expect("a group"), |group, index| join(suite, index, &group).0);
        let (receiver, commit) = join(suite, members - 1, &committer);
        process(&mut committer, &commit);
        Self { committer, receiver }
    }

    fn run(&mut self, mut clock: Clock<'_>) -> ControlFlow<()> {
        let Self { committer, receiver } = self;
        clock.update_and_process(|| update(committer), |commit| process(receiver, commit))
    }
}

/// Joins by an external commit.
fn join(suite: CipherSuite, index: usize, group: &Group<Config>) -> (Group<Config>, Vec<u8>) {
    let info = group.group_info_message_allowing_ext_commit(true).expect("a GroupInfo");
    let member = client(suite, &format!("member {index}"));
    let (group, commit) = member
        .external_commit_builder()
        .and_then(|builder| builder.build(info))
        .expect("a group to join");
    (group, bytes(&commit))
}

impl Life for Full {
    fn live(&mut self, observer: &mut dyn Observer) {
        // Stopping early is not an outcome.
        let _ = self.run(Clock(observer));
    }
}
