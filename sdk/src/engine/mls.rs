//! OpenMLS, one state of one group at a time.
//!
//! A [`Snapshot`] is everything that a client has of one state. Making or applying a commit leaves
//! the snapshot of the parent as it was and gives that of the child: so a state can be left by
//! several commits, and returned to. Handshake messages are PublicMessages inside of envelopes:
//! reading one uses up no key, whereas who is not in the group reads the envelope no more than he
//! would a PrivateMessage.

use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    BasicCredential, CredentialWithKey, Extensions, GroupContext, KeyPackage, KeyPackageBundle,
    KeyPackageIn, LeafNodeIndex, LeafNodeParameters, Lifetime, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
    MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsCrypto,
    PastEpochDeletionPolicy, ProcessedMessageContent, ProcessedWelcome, ProtocolVersion,
    RatchetTreeIn, Sender, SenderRatchetConfiguration, StagedCommit,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId};
use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::StorageProvider;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner, TrellisStorage};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::rules::{GroupRules, Use, capabilities};
use super::stay;
use crate::identity::LeafIdentity;
use crate::wire::Leave;
use crate::{GroupId, StateId, wire};

/// How far the messages of one sender in one state may be out of order.
const OUT_OF_ORDER: u32 = 256;
/// How many of them may be missing.
const AHEAD: u32 = 2000;

/// Cryptography and the storage of one snapshot.
#[derive(Debug)]
pub(super) struct Provider {
    crypto: TrellisCrypto,
    storage: TrellisStorage,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = TrellisCrypto;
    type RandProvider = TrellisCrypto;
    type StorageProvider = TrellisStorage;

    fn storage(&self) -> &TrellisStorage {
        &self.storage
    }

    fn crypto(&self) -> &TrellisCrypto {
        &self.crypto
    }

    fn rand(&self) -> &TrellisCrypto {
        &self.crypto
    }
}

/// OpenMLS refused: what was received breaks the standard, or is not for this state.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

impl Refused {
    pub(super) fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl From<Refused> for super::EngineError {
    fn from(refused: Refused) -> Self {
        Self::Mls(refused.0)
    }
}

/// Who this device is in MLS.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) identity: LeafIdentity,
    pub(super) signer: TrellisSigner,
    /// The suites that this client could also use, which its leaves tell.
    pub(super) suites: Vec<Ciphersuite>,
    pub(super) lifetime: Lifetime,
}

impl Leaf {
    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.identity.encode().to_vec()).into(),
            signature_key: self.signer.public_key().into(),
        }
    }
}

/// The keys that a state gives to us.
#[derive(
    Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize, Zeroize, ZeroizeOnDrop,
)]
pub(super) struct StateKeys {
    pub(super) envelope: [u8; 32],
    pub(super) rank: [u8; 32],
    pub(super) beacon: [u8; 32],
}

impl StateKeys {
    /// Those of a state that this client is not in. Nothing is opened with them.
    pub(super) fn none() -> Self {
        Self { envelope: [0; 32], rank: [0; 32], beacon: [0; 32] }
    }
}

impl std::fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What a state's exporter gives: its name and its keys.
fn export(
    mut exporter: impl FnMut(&str, usize) -> Result<Vec<u8>, Refused>,
) -> Result<(StateId, StateKeys), Refused> {
    let mut key = |label| -> Result<[u8; 32], Refused> {
        exporter(label, 32)?.try_into().map_err(|_| Refused("a key of another length".into()))
    };
    let keys = StateKeys {
        envelope: key("trellis envelope")?,
        rank: key("trellis rank")?,
        beacon: key("trellis beacon")?,
    };
    let name = exporter("trellis state", StateId::LENGTH)?;
    let name = StateId::from_slice(&name).ok_or(Refused("a name of another length".into()))?;
    Ok((name, keys))
}

/// A member's leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) leaf: u32,
    pub(super) identity: LeafIdentity,
    pub(super) signature_key: Vec<u8>,
    pub(super) stay: Option<u64>,
}

/// One state of one group.
pub(super) struct Snapshot {
    provider: Provider,
    group: MlsGroup,
}

/// What a commit shall change. It always replaces the committer's keys.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) add: Vec<KeyPackage>,
    pub(super) remove: Vec<u32>,
    pub(super) rules: Option<GroupRules>,
    /// The words of those among `remove` who leave.
    pub(super) leaves: Vec<Leave>,
    pub(super) psk: Option<Psk>,
}

/// A pre-shared key and its name.
#[derive(Clone)]
pub(super) struct Psk {
    pub(super) name: Vec<u8>,
    pub(super) secret: Zeroizing<Vec<u8>>,
}

impl Psk {
    /// Puts it where OpenMLS looks for it; gives what refers to it.
    fn store(&self, provider: &Provider, suite: Ciphersuite) -> Result<PreSharedKeyId, Refused> {
        let psk = openmls::schedule::Psk::External(ExternalPsk::new(self.name.clone()));
        let id = PreSharedKeyId::new(suite, provider.rand(), psk).map_err(Refused::new)?;
        id.store(provider, &self.secret).map_err(Refused::new)?;
        Ok(id)
    }
}

/// A commit of our own.
pub(super) struct Made {
    pub(super) child: Snapshot,
    pub(super) commit: Vec<u8>,
    /// One Welcome for all that were added.
    pub(super) welcome: Option<Vec<u8>>,
}

/// A commit that MLS accepts, to be judged by the group's rules.
pub(super) struct Proposed<'a> {
    pub(super) committer: u32,
    pub(super) commit: &'a StagedCommit,
    /// The words of those who leave.
    pub(super) leaves: Vec<Leave>,
    pub(super) parent: &'a Snapshot,
}

fn group_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(false)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, AHEAD))
        .build()
}

fn group_id(group: GroupId) -> openmls::group::GroupId {
    openmls::group::GroupId::from_slice(&group.0)
}

fn message(bytes: &[u8]) -> Result<MlsMessageBodyIn, Refused> {
    Ok(MlsMessageIn::tls_deserialize_exact(bytes).map_err(Refused::new)?.extract())
}

fn bytes(message: &MlsMessageOut) -> Result<Vec<u8>, Refused> {
    message.to_bytes().map_err(Refused::new)
}

/// A key package for one device, its private keys as an own storage.
pub(super) fn key_package(
    crypto: &TrellisCrypto,
    leaf: &Leaf,
    suite: Ciphersuite,
    stay: u64,
    purpose: Use,
) -> Result<(Vec<u8>, Vec<u8>, TrellisStorage), Refused> {
    let provider = Provider { crypto: crypto.clone(), storage: TrellisStorage::default() };
    let builder = KeyPackage::builder()
        .leaf_node_capabilities(capabilities(&leaf.suites, purpose))
        .leaf_node_extensions(stay::extensions(stay)?)
        .key_package_lifetime(leaf.lifetime);
    let builder = match purpose {
        Use::Once => builder,
        Use::LastResort => builder.mark_as_last_resort(),
    };
    let bundle: KeyPackageBundle =
        builder.build(suite, &provider, &leaf.signer, leaf.credential()).map_err(Refused::new)?;
    let reference = bundle.key_package().hash_ref(crypto).map_err(Refused::new)?;
    let message = bytes(&MlsMessageOut::from(bundle.key_package().clone()))?;
    Ok((reference.as_slice().to_vec(), message, provider.storage))
}

/// Checks a key package: its signatures, its lifetime, and that it says who it is of.
pub(super) fn check_key_package(
    crypto: &TrellisCrypto,
    suite: Ciphersuite,
    key_package: &[u8],
) -> Result<(KeyPackage, LeafIdentity), Refused> {
    let MlsMessageBodyIn::KeyPackage(key_package) = message(key_package)? else {
        return Err(Refused("not a key package".into()));
    };
    let key_package: KeyPackage =
        KeyPackageIn::validate(key_package, crypto, ProtocolVersion::Mls10)
            .map_err(Refused::new)?;
    if key_package.ciphersuite() != suite {
        return Err(Refused("a key package of another suite".into()));
    }
    let identity = LeafIdentity::decode(key_package.leaf_node().credential().serialized_content())
        .map_err(Refused::new)?;
    Ok((key_package, identity))
}

/// The suite of a key package, which has yet to be checked.
pub(super) fn suite_of(key_package: &[u8]) -> Option<Ciphersuite> {
    // MLSMessage: version and wire format; KeyPackage: version and suite (RFC 9420, sections 6, 10).
    let suite = key_package.get(6..8)?.try_into().ok()?;
    u16::from_be_bytes(suite).try_into().ok()
}

/// A Welcome that has been opened, waiting for the ratchet tree.
pub(super) struct Opened {
    welcome: ProcessedWelcome,
    provider: Provider,
    pub(super) group: GroupId,
    pub(super) state: StateId,
    pub(super) keys: StateKeys,
    pub(super) rules: GroupRules,
    /// The names of the pre-shared keys that it needed.
    pub(super) psks: Vec<Vec<u8>>,
    given: Vec<PreSharedKeyId>,
}

/// Opens a Welcome with the private keys of a key package.
pub(super) fn open_welcome(
    crypto: &TrellisCrypto,
    keys: TrellisStorage,
    welcome: &[u8],
    psks: &[Psk],
) -> Result<Opened, Refused> {
    let MlsMessageBodyIn::Welcome(welcome) = message(welcome)? else {
        return Err(Refused("not a Welcome".into()));
    };
    let provider = Provider { crypto: crypto.clone(), storage: keys };
    let suite = welcome.ciphersuite();
    let given =
        psks.iter().map(|psk| psk.store(&provider, suite)).collect::<Result<Vec<_>, _>>()?;
    let welcome = ProcessedWelcome::new_from_welcome(&provider, &group_config(), welcome)
        .map_err(Refused::new)?;
    let info = welcome.unverified_group_info();
    let group = GroupId::from_slice(info.group_id().as_slice())
        .ok_or(Refused("a group whose name has another length".into()))?;
    let rules = GroupRules::from_extensions(info.group_context().extensions())
        .ok_or(Refused("a group without rules".into()))?;
    if !rules.hybrid_policy().admits(suite) {
        return Err(Refused("a group below the floor of its own rules".into()));
    }
    let (state, keys) = export(|label, length| {
        welcome.export_secret(crypto, label, &[], length).map_err(Refused::new)
    })?;
    let name = |psk: &PreSharedKeyId| {
        let openmls::schedule::Psk::External(psk) = psk.psk() else { return None };
        Some(psk.psk_id().to_vec())
    };
    let psks = welcome.psks().iter().filter_map(name).collect();
    Ok(Opened { welcome, provider, group, state, keys, rules, psks, given })
}

impl Opened {
    pub(super) fn suite(&self) -> Ciphersuite {
        self.welcome.unverified_group_info().ciphersuite()
    }

    /// Joins, with the ratchet tree, whose hash the Welcome has. Tells who invited.
    pub(super) fn join(self, tree: &[u8]) -> Result<(Snapshot, u32), Refused> {
        let tree = RatchetTreeIn::tls_deserialize_exact(tree).map_err(Refused::new)?;
        let staged = openmls::group::JoinBuilder::new(&self.provider, self.welcome)
            .with_ratchet_tree(tree)
            .skip_lifetime_validation()
            .build()
            .map_err(Refused::new)?;
        let inviter = staged.welcome_sender_index().u32();
        let group = staged.into_group(&self.provider).map_err(Refused::new)?;
        for psk in &self.given {
            self.provider.storage.delete_psk(psk.psk()).map_err(Refused::new)?;
        }
        Ok((Snapshot { provider: self.provider, group }, inviter))
    }
}

impl Snapshot {
    /// A new group with one member.
    pub(super) fn found(
        crypto: &TrellisCrypto,
        (leaf, stay): (&Leaf, u64),
        group: GroupId,
        suite: Ciphersuite,
        rules: &GroupRules,
    ) -> Result<Self, Refused> {
        let provider = Provider { crypto: crypto.clone(), storage: TrellisStorage::tracked() };
        let extensions = rules.to_extensions().ok_or(Refused("rules that do not fit".into()))?;
        let group = MlsGroup::builder()
            .with_group_id(group_id(group))
            .ciphersuite(suite)
            .with_capabilities(capabilities(&leaf.suites, Use::Once))
            .with_group_context_extensions(extensions)
            .with_leaf_node_extensions(stay::extensions(stay)?)
            .map_err(Refused::new)?
            .lifetime(leaf.lifetime)
            .with_wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(false)
            .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, AHEAD))
            .build(&provider, &leaf.signer, leaf.credential())
            .map_err(Refused::new)?;
        Ok(Self { provider, group })
    }

    /// The group in a storage.
    pub(super) fn load(
        crypto: &TrellisCrypto,
        group: GroupId,
        storage: TrellisStorage,
    ) -> Result<Self, Refused> {
        let provider = Provider { crypto: crypto.clone(), storage };
        let group = MlsGroup::load(&provider.storage, &group_id(group))
            .map_err(Refused::new)?
            .ok_or(Refused("a snapshot without a group".into()))?;
        Ok(Self { provider, group })
    }

    pub(super) fn storage(&self) -> &TrellisStorage {
        &self.provider.storage
    }

    pub(super) fn crypto(&self) -> &TrellisCrypto {
        &self.provider.crypto
    }

    pub(super) fn id(&self) -> Option<GroupId> {
        GroupId::from_slice(self.group.group_id().as_slice())
    }

    fn copy(&self) -> Result<Self, Refused> {
        let provider = Provider {
            crypto: self.provider.crypto.clone(),
            storage: self.provider.storage.clone(),
        };
        let group = MlsGroup::load(&provider.storage, self.group.group_id())
            .map_err(Refused::new)?
            .ok_or(Refused("a snapshot without a group".into()))?;
        Ok(Self { provider, group })
    }

    pub(super) fn suite(&self) -> Ciphersuite {
        self.group.ciphersuite()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    pub(super) fn rules(&self) -> Result<GroupRules, Refused> {
        GroupRules::from_extensions(self.group.extensions())
            .ok_or(Refused("a group without rules".into()))
    }

    pub(super) fn extensions(&self) -> &Extensions<GroupContext> {
        self.group.extensions()
    }

    /// The members in the order of their leaves; nobody who does not say who it is.
    pub(super) fn roster(&self) -> Vec<Seat> {
        let tree = self.group.public_group();
        let seat = |member: openmls::prelude::Member| {
            let identity = LeafIdentity::decode(member.credential.serialized_content()).ok()?;
            let (leaf, signature_key) = (member.index.u32(), member.signature_key);
            let stay = tree.leaf(member.index).and_then(stay::of);
            Some(Seat { leaf, identity, signature_key, stay })
        };
        self.group.members().filter_map(seat).collect()
    }

    /// Whether every leaf says that it supports a suite.
    pub(super) fn all_support(&self, suite: Ciphersuite) -> bool {
        let tree = self.group.public_group();
        self.group.members().all(|member| {
            tree.leaf(member.index)
                .is_some_and(|leaf| leaf.capabilities().ciphersuites().contains(&suite.into()))
        })
    }

    /// 32 bytes of the exporter.
    pub(super) fn export(
        &self,
        label: &str,
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let crypto = &self.provider.crypto;
        let secret = self.group.export_secret(crypto, label, context, 32).map_err(Refused::new)?;
        Ok(Zeroizing::new(secret))
    }

    pub(super) fn keys(&self) -> Result<(StateId, StateKeys), Refused> {
        export(|label, length| {
            self.group
                .export_secret(&self.provider.crypto, label, &[], length)
                .map_err(Refused::new)
        })
    }

    pub(super) fn tree(&self) -> Result<Vec<u8>, Refused> {
        self.group.export_ratchet_tree().tls_serialize_detached().map_err(Refused::new)
    }

    /// A commit on this state.
    pub(super) fn commit(&self, leaf: &Leaf, changes: Changes) -> Result<Made, Refused> {
        let mut child = self.copy()?;
        child.group.set_aad(stay::to_commit(&changes.leaves));
        let psk = changes.psk.as_ref();
        let psk = psk.map(|psk| psk.store(&child.provider, child.suite())).transpose()?;
        let proposal = |psk: &PreSharedKeyId| {
            let proposal = openmls::prelude::PreSharedKeyProposal::new(psk.clone());
            openmls::prelude::Proposal::PreSharedKey(Box::new(proposal))
        };
        let mut builder = child
            .group
            .commit_builder()
            .force_self_update(true)
            .propose_adds(changes.add)
            .propose_removals(changes.remove.into_iter().map(LeafNodeIndex::new))
            .add_proposals(psk.as_ref().map(proposal));
        if let Some(rules) = &changes.rules {
            let extensions =
                rules.to_extensions().ok_or(Refused("rules that do not fit".into()))?;
            builder = builder.propose_group_context_extensions(extensions).map_err(Refused::new)?;
        }
        let bundle = builder
            .leaf_node_parameters(LeafNodeParameters::default())
            .load_psks(&child.provider.storage)
            .map_err(Refused::new)?
            .build(&child.provider.crypto, &child.provider.crypto, &leaf.signer, |_| true)
            .map_err(Refused::new)?
            .stage_commit(&child.provider)
            .map_err(Refused::new)?;
        child.group.merge_pending_commit(&child.provider).map_err(Refused::new)?;
        if let Some(psk) = &psk {
            child.provider.storage.delete_psk(psk.psk()).map_err(Refused::new)?;
        }
        let (commit, welcome, _) = bundle.into_messages();
        let welcome = welcome.as_ref().map(bytes).transpose()?;
        Ok(Made { child, commit: bytes(&commit)?, welcome })
    }

    /// Applies a commit of another, if `judge` lets it. The child is nothing if it removes us.
    pub(super) fn apply<T, E: From<Refused>>(
        &self,
        commit: &[u8],
        judge: impl FnOnce(Proposed<'_>) -> Result<T, E>,
    ) -> Result<(Option<Self>, T), E> {
        let mut child = self.copy()?;
        let MlsMessageBodyIn::PublicMessage(message) = message(commit)? else {
            return Err(Refused("not a PublicMessage".into()).into());
        };
        let processed =
            child.group.process_message(&child.provider, message).map_err(Refused::new)?;
        let Sender::Member(committer) = *processed.sender() else {
            return Err(Refused("a commit from outside".into()).into());
        };
        let leaves = stay::from_commit(processed.aad())
            .ok_or(Refused("a commit with something beside it".into()))?;
        let ProcessedMessageContent::StagedCommitMessage(commit) = processed.into_content() else {
            return Err(Refused("not a commit".into()).into());
        };
        let committer = committer.u32();
        let judged = judge(Proposed { committer, commit: &commit, leaves, parent: self })?;
        if commit.self_removed() {
            return Ok((None, judged));
        }
        child.group.merge_staged_commit(&child.provider, *commit).map_err(Refused::new)?;
        Ok((Some(child), judged))
    }

    /// An application message on this state.
    pub(super) fn encrypt(&mut self, leaf: &Leaf, body: &[u8]) -> Result<Vec<u8>, Refused> {
        let message =
            self.group.create_message(&self.provider, &leaf.signer, body).map_err(Refused::new)?;
        bytes(&message)
    }

    /// Who sent an application message on this state, and what. A message can be read once.
    pub(super) fn decrypt(&mut self, bytes: &[u8]) -> Result<(u32, Vec<u8>), Refused> {
        let MlsMessageBodyIn::PrivateMessage(message) = message(bytes)? else {
            return Err(Refused("not a PrivateMessage".into()));
        };
        let processed =
            self.group.process_message(&self.provider, message).map_err(Refused::new)?;
        let Sender::Member(sender) = *processed.sender() else {
            return Err(Refused("a message from outside".into()));
        };
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(data) => {
                Ok((sender.u32(), data.into_bytes()))
            }
            _ => Err(Refused("not an application message".into())),
        }
    }
}

/// `HMAC(rank key, leaf index)`, the index in four bytes, big endian.
pub(super) fn rank(crypto: &TrellisCrypto, keys: &StateKeys, leaf: u32) -> [u8; 32] {
    let tag =
        crypto.hmac(openmls_traits::types::HashType::Sha2_256, &keys.rank, &leaf.to_be_bytes());
    tag.ok().and_then(|tag| tag.as_slice().try_into().ok()).unwrap_or([0xff; 32])
}

/// A Welcome as RFC 9420, section 12.4.3.1, has it, to be split: the RFC leaves it open how many of
/// them a commit has, and one for each joiner spares it the secrets of the others.
#[derive(TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct SplitWelcome {
    version: u16,
    wire_format: u16,
    suite: u16,
    secrets: Vec<SplitSecrets>,
    group_info: VLBytes,
}

#[derive(Clone, Debug, TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct SplitSecrets {
    key_package: VLBytes,
    kem_output: VLBytes,
    ciphertext: VLBytes,
}

/// The Welcomes for each of the joiners, by the reference of their key packages.
pub(super) fn split(welcome: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let whole: SplitWelcome = wire::decode(welcome)?;
    let one = |secrets: &SplitSecrets| {
        let welcome = SplitWelcome {
            version: whole.version,
            wire_format: whole.wire_format,
            suite: whole.suite,
            secrets: vec![secrets.clone()],
            group_info: whole.group_info.clone(),
        };
        (secrets.key_package.as_slice().to_vec(), wire::encode(&welcome))
    };
    Some(whole.secrets.iter().map(one).collect())
}

/// The reference of the key package that a Welcome for one joiner is for.
pub(super) fn welcomed(welcome: &[u8]) -> Option<Vec<u8>> {
    let whole: SplitWelcome = wire::decode(welcome)?;
    let [secrets] = &whole.secrets[..] else { return None };
    Some(secrets.key_package.as_slice().to_vec())
}
