//! The operations on groups of OpenMLS, and on what our storage keeps of them.

use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use openmls::treesync::RatchetTree;
use openmls_traits::storage::{CURRENT_VERSION, Entity, StorageProvider, traits};
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
use serde::{Deserialize, Serialize};

use super::operations::{Work, work};
use crate::suites::Suite;

const MEMBERS: u8 = 32;

/// Short operations are done so many times: what the set-up left in the allocator's lists differs
/// from run to run, and putting that in order (up to 12,000 instructions) falls to one of them.
const REPEATS: usize = 16;

fn suite() -> Ciphersuite {
    Suite::find("row 1").expect("a suite of the table").open_mls()
}

struct Member {
    provider: TrellisProvider,
    signer: TrellisSigner,
    credential: CredentialWithKey,
}

impl Member {
    fn new(index: u8) -> Self {
        let signer = TrellisSigner::from_seed(suite(), &[index; 32]).expect("a seed");
        let credential = CredentialWithKey {
            credential: BasicCredential::new(format!("member {index:02}").into_bytes()).into(),
            signature_key: signer.public_key().into(),
        };
        Self { provider: TrellisProvider::default(), signer, credential }
    }

    fn key_package(&self) -> KeyPackage {
        KeyPackage::builder()
            .build(suite(), &self.provider, &self.signer, self.credential.clone())
            .expect("a key package")
            .key_package()
            .clone()
    }
}

/// A group of one, and who it will add. The last of them is at hand.
struct Founded {
    creator: Member,
    group: MlsGroup,
    joiner: Member,
    packages: Vec<KeyPackage>,
}

impl Founded {
    fn new() -> Self {
        let (creator, joiner) = (Member::new(0), Member::new(MEMBERS - 1));
        let group = MlsGroup::builder()
            .ciphersuite(suite())
            .use_ratchet_tree_extension(true)
            .build(&creator.provider, &creator.signer, creator.credential.clone())
            .expect("a group");
        let others = (1..MEMBERS - 1).map(|index| Member::new(index).key_package());
        let packages = others.chain([joiner.key_package()]).collect();
        Self { creator, group, joiner, packages }
    }

    fn add(&mut self) -> Vec<u8> {
        let Self { creator, group, packages, .. } = self;
        let (_, welcome, _) =
            group.add_members(&creator.provider, &creator.signer, packages).expect("an addition");
        group.merge_pending_commit(&creator.provider).expect("a pending commit");
        welcome.to_bytes().expect("a Welcome")
    }
}

impl Member {
    fn join(&self, welcome: &[u8]) -> MlsGroup {
        let message = MlsMessageIn::tls_deserialize_exact(welcome).expect("a message");
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("no Welcome") };
        let config = MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build();
        StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None)
            .and_then(|staged| staged.into_group(&self.provider))
            .expect("a valid Welcome")
    }

    fn process(&self, group: &mut MlsGroup, message: &[u8]) -> ProcessedMessageContent {
        let message = MlsMessageIn::tls_deserialize_exact(message).expect("a message");
        let message = message.try_into_protocol_message().expect("a message within the group");
        group.process_message(&self.provider, message).expect("a valid message").into_content()
    }
}

/// A group of all members, as its creator and the last member see it.
struct Joined {
    creator: Member,
    group: MlsGroup,
    joiner: Member,
    joined: MlsGroup,
}

impl Joined {
    fn new() -> Self {
        let mut founded = Founded::new();
        let welcome = founded.add();
        let Founded { creator, group, joiner, .. } = founded;
        let joined = joiner.join(&welcome);
        Self { creator, group, joiner, joined }
    }

    fn update(&mut self) -> Vec<u8> {
        let Self { creator, group, .. } = self;
        let bundle = group
            .self_update(&creator.provider, &creator.signer, LeafNodeParameters::default())
            .expect("an update");
        group.merge_pending_commit(&creator.provider).expect("a pending commit");
        bundle.into_commit().to_bytes().expect("a commit")
    }

    fn process(&mut self, commit: &[u8]) {
        let Self { joiner, joined, .. } = self;
        let ProcessedMessageContent::StagedCommitMessage(staged) = joiner.process(joined, commit)
        else {
            panic!("no commit")
        };
        joined.merge_staged_commit(&joiner.provider, *staged).expect("a staged commit");
    }

    fn send(&mut self) -> Vec<u8> {
        let Self { creator, group, .. } = self;
        group
            .create_message(&creator.provider, &creator.signer, &[b'x'; 1 << 10])
            .expect("a message")
            .to_bytes()
            .expect("a message")
    }

    fn receive(&mut self, message: &[u8]) {
        let Self { joiner, joined, .. } = self;
        let content = joiner.process(joined, message);
        assert!(matches!(content, ProcessedMessageContent::ApplicationMessage(_)));
    }
}

pub(super) fn key_package() -> Work {
    let member = Member::new(0);
    work(move || [(); REPEATS].map(|()| member.key_package()))
}

pub(super) fn add() -> Work {
    let mut founded = Founded::new();
    work(move || founded.add())
}

pub(super) fn join() -> Work {
    let mut founded = Founded::new();
    let welcome = founded.add();
    work(move || founded.joiner.join(&welcome))
}

pub(super) fn update() -> Work {
    let mut both = Joined::new();
    work(move || both.update())
}

pub(super) fn process_update() -> Work {
    let mut both = Joined::new();
    let commit = both.update();
    work(move || both.process(&commit))
}

pub(super) fn send() -> Work {
    let mut both = Joined::new();
    work(move || [(); REPEATS].map(|()| both.send()))
}

pub(super) fn receive() -> Work {
    let mut both = Joined::new();
    let messages = [(); REPEATS].map(|()| both.send());
    work(move || messages.iter().for_each(|message| both.receive(message)))
}

/// OpenMLS does not give away its own tree; this is the tree as a GroupInfo carries it.
#[derive(Serialize, Deserialize)]
struct Tree(RatchetTree);

impl Entity<CURRENT_VERSION> for Tree {}
impl traits::TreeSync<CURRENT_VERSION> for Tree {}

pub(super) fn write_tree() -> Work {
    let both = Joined::new();
    let tree = Tree(both.group.export_ratchet_tree());
    work(move || {
        for _ in 0..REPEATS {
            let storage = both.creator.provider.storage();
            storage.write_tree(both.group.group_id(), &tree).expect("a tree");
        }
    })
}

pub(super) fn load() -> Work {
    let both = Joined::new();
    work(move || {
        [(); REPEATS].map(|()| {
            MlsGroup::load(both.creator.provider.storage(), both.group.group_id())
                .expect("a storage that can be read")
                .expect("a group in the storage")
        })
    })
}
