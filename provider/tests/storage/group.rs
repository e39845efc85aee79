//! OpenMLS on this storage: groups that are stored, loaded and continued.

use openmls::{
    prelude::{tls_codec::Serialize as _, *},
    schedule::{ExternalPsk, PreSharedKeyId, Psk},
    treesync::TreeSync,
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::RustCrypto;
use openmls_trellis_crypto::storage::TrellisStorage;

use crate::entities::Storage;

pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// RustCrypto for the cryptography, so that only the storage is ours.
#[derive(Default)]
pub(crate) struct Provider {
    crypto: RustCrypto,
    pub(crate) storage: TrellisStorage,
}

impl openmls_traits::OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = TrellisStorage;

    fn storage(&self) -> &TrellisStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}

impl Provider {
    /// A provider with an imported copy of the storage.
    pub(crate) fn restored(&self) -> Self {
        let storage = TrellisStorage::import(&self.storage.export()).unwrap();
        Self { crypto: RustCrypto::default(), storage }
    }
}

struct Client {
    provider: Provider,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

pub(crate) fn identity(provider: &Provider, name: &str) -> (SignatureKeyPair, CredentialWithKey) {
    let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).unwrap();
    signer.store(&provider.storage).unwrap();
    let credential = CredentialWithKey {
        credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
        signature_key: signer.public().into(),
    };
    (signer, credential)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .use_ratchet_tree_extension(true)
        .number_of_resumption_psks(3)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(2))
        .build()
}

impl Client {
    fn new(name: &str) -> Self {
        let provider = Provider::default();
        let (signer, credential) = identity(&provider, name);
        Self { provider, signer, credential, group: None }
    }

    fn found(&mut self) {
        let group = MlsGroup::builder()
            .ciphersuite(SUITE)
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::KeepAll)
            .build(&self.provider, &self.signer, self.credential.clone())
            .unwrap();
        self.group = Some(group);
    }

    fn key_package(&self) -> KeyPackage {
        KeyPackage::builder()
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap()
            .key_package()
            .clone()
    }

    fn join(&mut self, welcome: MlsMessageOut) {
        let MlsMessageBodyIn::Welcome(welcome) = incoming(&welcome).extract() else {
            panic!("not a Welcome")
        };
        let staged =
            StagedWelcome::new_from_welcome(&self.provider, &join_config(), welcome, None).unwrap();
        self.group = Some(staged.into_group(&self.provider).unwrap());
    }

    /// Continues with nothing but what an import of the storage's export gives.
    fn restart(&mut self) {
        let group = self.group.take().unwrap();
        self.provider = self.provider.restored();
        let loaded = MlsGroup::load(&self.provider.storage, group.group_id()).unwrap().unwrap();
        assert_eq!(loaded.epoch(), group.epoch());
        assert_eq!(loaded.configuration(), group.configuration());
        assert_eq!(loaded.own_leaf_index(), group.own_leaf_index());
        assert_eq!(loaded.export_ratchet_tree(), group.export_ratchet_tree());
        assert_eq!(authenticator(&loaded), authenticator(&group));
        assert_eq!(loaded.pending_proposals().count(), group.pending_proposals().count());
        assert_eq!(loaded.pending_commit().is_some(), group.pending_commit().is_some());
        let public = self.signer.public().to_vec();
        let scheme = SUITE.signature_algorithm();
        self.signer = SignatureKeyPair::read(&self.provider.storage, &public, scheme).unwrap();
        self.group = Some(loaded);
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut MlsGroup, &Provider, &SignatureKeyPair) -> T) -> T {
        act(self.group.as_mut().unwrap(), &self.provider, &self.signer)
    }

    fn merge(&mut self) {
        self.with(|group, provider, _| group.merge_pending_commit(provider).unwrap());
    }

    /// Processes a message; returns what an application message says.
    fn receive(&mut self, message: &MlsMessageOut) -> Option<Vec<u8>> {
        self.with(|group, provider, _| {
            let message = incoming(message).try_into_protocol_message().unwrap();
            match group.process_message(provider, message).unwrap().into_content() {
                ProcessedMessageContent::ApplicationMessage(text) => Some(text.into_bytes()),
                ProcessedMessageContent::ProposalMessage(proposal) => {
                    group.store_pending_proposal(&provider.storage, *proposal).unwrap();
                    None
                }
                ProcessedMessageContent::StagedCommitMessage(commit) => {
                    group.merge_staged_commit(provider, *commit).unwrap();
                    None
                }
                _ => panic!("an unexpected message"),
            }
        })
    }

    // With the virtual clients draft OpenMLS has other methods for these two.

    fn say(&mut self, text: &[u8]) -> MlsMessageOut {
        self.with(|group, provider, signer| {
            #[cfg(not(feature = "virtual-clients-draft"))]
            return group.create_message(provider, signer, text).unwrap();
            #[cfg(feature = "virtual-clients-draft")]
            return group.create_unconfirmed_message(provider, signer, text).unwrap().message;
        })
    }

    fn propose(&mut self, proposal: Propose) -> MlsMessageOut {
        self.with(|group, provider, signer| {
            let by = ProposalOrRefType::Reference;
            #[cfg(not(feature = "virtual-clients-draft"))]
            return group.propose(provider, signer, proposal, by).unwrap().0;
            #[cfg(feature = "virtual-clients-draft")]
            return group.propose_unconfirmed(provider, signer, proposal, by).unwrap().0;
        })
    }

    /// Stages a commit to the queued proposals and what `build` adds.
    fn commit(
        &mut self,
        build: impl FnOnce(CommitBuilder<'_, Initial>) -> CommitBuilder<'_, Initial>,
    ) -> CommitMessageBundle {
        self.with(|group, provider, signer| {
            build(group.commit_builder())
                .load_psks(&provider.storage)
                .unwrap()
                .build(&provider.crypto, &provider.crypto, signer, |_| true)
                .unwrap()
                .stage_commit(provider)
                .unwrap()
        })
    }

    fn add(&mut self, packages: &[KeyPackage]) -> MlsMessageOut {
        self.commit(|commit| commit.propose_adds(packages.to_vec())).into_welcome_msg().unwrap()
    }
}

fn incoming(message: &MlsMessageOut) -> MlsMessageIn {
    use openmls::prelude::tls_codec::Deserialize as _;
    MlsMessageIn::tls_deserialize_exact(message.tls_serialize_detached().unwrap()).unwrap()
}

pub(crate) fn authenticator(group: &MlsGroup) -> &[u8] {
    group.epoch_authenticator().as_slice()
}

fn assert_agreement(clients: &[&Client]) {
    let authenticators: Vec<_> =
        clients.iter().map(|client| authenticator(client.group.as_ref().unwrap())).collect();
    assert!(authenticators.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_group_lives_through_restarts() {
    let mut alice = Client::new("Alice");
    let mut bob = Client::new("Bob");
    let mut carol = Client::new("Carol");
    alice.found();
    alice.restart();

    // A pending commit survives, and so do the key packages it is about.
    let packages = [bob.key_package(), carol.key_package()];
    let welcome = alice.add(&packages);
    alice.restart();
    alice.merge();
    bob.provider = bob.provider.restored();
    bob.join(welcome.clone());
    carol.join(welcome);
    for client in [&mut alice, &mut bob, &mut carol] {
        client.restart();
    }
    assert_agreement(&[&alice, &bob, &carol]);

    // Messages of this epoch that arrive later, after restarts.
    let early = alice.say(b"early");
    let late = alice.say(b"late");
    assert_eq!(bob.receive(&late).unwrap(), b"late");
    bob.restart();
    assert_eq!(bob.receive(&early).unwrap(), b"early");

    // Proposals in the queue, an own leaf node among them.
    let update = bob.propose(Propose::Update(LeafNodeParameters::default()));
    bob.restart();
    for client in [&mut alice, &mut carol] {
        client.receive(&update);
        client.restart();
    }
    let commit = alice.commit(|commit| commit).into_commit();
    alice.merge();
    for client in [&mut bob, &mut carol] {
        client.receive(&commit);
        client.restart();
    }
    alice.restart();
    assert_agreement(&[&alice, &bob, &carol]);

    // The past epoch is still there.
    assert_eq!(carol.receive(&late).unwrap(), b"late");

    // Everyone refreshes their path.
    for round in 0..3 {
        let mut clients = [&mut alice, &mut bob, &mut carol];
        clients.rotate_left(round);
        let [committer, others @ ..] = clients;
        let commit = committer.commit(|commit| commit.force_self_update(true)).into_commit();
        committer.merge();
        committer.restart();
        for other in others {
            other.receive(&commit);
            other.restart();
        }
    }
    assert_agreement(&[&alice, &bob, &carol]);

    // A removal, and the end.
    let index = carol.group.as_ref().unwrap().own_leaf_index();
    let commit = bob.commit(|commit| commit.propose_removals([index])).into_commit();
    bob.merge();
    alice.receive(&commit);
    carol.receive(&commit);
    carol.restart();
    assert!(!carol.group.as_ref().unwrap().is_active());
    assert_agreement(&[&alice, &bob]);
    for client in [&mut alice, &mut bob, &mut carol] {
        client.restart();
        client.with(|group, provider, _| group.delete(&provider.storage).unwrap());
        // The signature key is left, and HPKE keys of leaf nodes that were proposed.
        let id = client.group.as_ref().unwrap().group_id().clone();
        assert!(MlsGroup::load(&client.provider.storage, &id).unwrap().is_none());
    }
}

#[test]
fn an_external_psk_is_found_after_a_restart() {
    let mut alice = Client::new("Alice");
    let mut bob = Client::new("Bob");
    alice.found();
    let package = bob.key_package();
    let psk = Psk::External(ExternalPsk::new(b"psk".to_vec()));
    let psk = PreSharedKeyId::new(SUITE, alice.provider.rand_ref(), psk).unwrap();
    for client in [&mut alice, &mut bob] {
        psk.store(&client.provider, b"a secret that both know already!").unwrap();
        client.provider = client.provider.restored();
    }
    alice.restart();
    let welcome = alice.add(&[package]);
    alice.merge();
    bob.join(welcome);
    let proposal = alice.propose(Propose::PreSharedKey(psk));
    bob.receive(&proposal);
    alice.restart();
    bob.restart();
    let commit = alice.commit(|commit| commit).into_commit();
    alice.merge();
    bob.receive(&commit);
    assert_agreement(&[&alice, &bob]);
}

impl Provider {
    fn rand_ref(&self) -> &RustCrypto {
        &self.crypto
    }
}

/// Entities that have public types, by themselves: reading one and writing it again gives the same
/// encoding.
#[test]
fn real_entities_come_back() {
    let mut alice = Client::new("Alice");
    alice.found();
    let package = Client::new("Bob").key_package();
    alice.add(&[package]);
    alice.merge();
    let copy = TrellisStorage::new();
    let id = alice.group.as_ref().unwrap().group_id().clone();
    rewrite(&alice.provider.storage, &copy, &id);
    let before = copy.export();
    rewrite(&alice.provider.storage, &copy, &id);
    assert_eq!(copy.export(), before);
    assert_eq!(copy.len(), 5);
    let twice = TrellisStorage::new();
    rewrite(&copy, &twice, &id);
    assert_eq!(twice.export(), before);
}

fn rewrite<S: Storage>(from: &S, to: &S, id: &GroupId)
where
    S::Error: 'static,
{
    let tree: TreeSync = from.tree(id).unwrap().unwrap();
    to.write_tree(id, &tree).unwrap();
    let context: GroupContext = from.group_context(id).unwrap().unwrap();
    to.write_context(id, &context).unwrap();
    let tag: ConfirmationTag = from.confirmation_tag(id).unwrap().unwrap();
    to.write_confirmation_tag(id, &tag).unwrap();
    let config: MlsGroupJoinConfig = from.mls_group_join_config(id).unwrap().unwrap();
    to.write_mls_join_config(id, &config).unwrap();
    let index: LeafNodeIndex = from.own_leaf_index(id).unwrap().unwrap();
    to.write_own_leaf_index(id, &index).unwrap();
}

#[test]
fn key_packages_come_back() {
    let alice = Client::new("Alice");
    let package = alice.key_package();
    let reference = package.hash_ref(alice.provider.rand_ref()).unwrap();
    let restored = alice.provider.restored();
    assert_eq!(bundle(&restored.storage, &reference).unwrap().key_package(), &package);
    delete_bundle(&restored.storage, &reference);
    assert!(bundle(&restored.storage, &reference).is_none());
}

fn bundle<S: Storage>(storage: &S, reference: &KeyPackageRef) -> Option<KeyPackageBundle> {
    storage.key_package(reference).unwrap()
}

fn delete_bundle<S: Storage>(storage: &S, reference: &KeyPackageRef) {
    storage.delete_key_package(reference).unwrap();
}
