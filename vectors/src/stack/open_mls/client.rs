//! A client.

use std::sync::Arc;

use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_traits::storage::StorageProvider as _;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::Backend;
use serde_json::json;
use trellis_ciphersuites::signature::SigningKey;

use super::provider::{HedgedSigner, Provider};
use crate::Randomness;
use crate::mls::members::LIFETIME;
use crate::stack::{
    Changes, Client, Committed, Imported, Proposal, Received, Settings, StackError, State, Wire,
};

/// How far application messages may be out of order, and how far ahead.
const WINDOW: SenderRatchetWindow = SenderRatchetWindow { behind: 16, ahead: 1000 };

struct SenderRatchetWindow {
    behind: u32,
    ahead: u32,
}

pub(crate) struct OpenMlsClient {
    suite: Ciphersuite,
    wire: Wire,
    provider: Provider,
    signer: HedgedSigner,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

/// Private keys of a key package.
pub(crate) struct OwnKeys {
    pub(crate) init_priv: Vec<u8>,
    pub(crate) encryption_priv: Vec<u8>,
    pub(crate) signature_priv: Vec<u8>,
}

fn suite(settings: &Settings) -> Result<Ciphersuite, StackError> {
    Ciphersuite::try_from(settings.code_point)
        .map_err(|_| StackError::NotOffered(format!("OpenMLS has no {}", settings.suite)))
}

fn failed(text: &str) -> StackError {
    StackError::Failed(text.to_owned())
}

impl OpenMlsClient {
    pub(super) fn new(
        backend: Backend,
        seed: Option<Arc<Randomness>>,
        settings: &Settings,
    ) -> Result<Self, StackError> {
        let scheme = settings.suite.signature();
        let key = match &seed {
            None => SigningKey::generate(scheme, backend),
            Some(seed) => {
                let mut bytes = seed.bytes(scheme.private_key_len());
                // A scalar below every order; of a seed it is one byte like any other.
                bytes[0] = 0;
                SigningKey::from_bytes(scheme, backend, &bytes)
            }
        };
        Self::with_key(backend, seed, settings, key.map_err(StackError::new)?)
    }

    fn with_key(
        backend: Backend,
        seed: Option<Arc<Randomness>>,
        settings: &Settings,
        key: SigningKey,
    ) -> Result<Self, StackError> {
        let provider = Provider::new(settings.suite, backend, settings.derivation, seed);
        let signer = provider.signer(key);
        let credential = CredentialWithKey {
            credential: BasicCredential::new(settings.identity.clone()).into(),
            signature_key: signer.public_key().into(),
        };
        let (suite, wire) = (suite(settings)?, settings.wire);
        Ok(Self { suite, wire, provider, signer, credential, group: None })
    }

    /// Puts the keys where a Welcome looks for them. OpenMLS offers no constructor for the bundle
    /// but its serde form.
    pub(super) fn import(
        backend: Backend,
        settings: &Settings,
        keys: &Imported,
    ) -> Result<Self, StackError> {
        let key = SigningKey::from_bytes(settings.suite.signature(), backend, &keys.signature_priv)
            .map_err(StackError::new)?;
        let client = Self::with_key(backend, None, settings, key)?;
        let MlsMessageBodyIn::KeyPackage(key_package) = body(&keys.key_package)? else {
            return Err(failed("no key package"));
        };
        // Checked except for its lifetime, which may be over.
        let key_package: KeyPackage = serde_json::to_value(&key_package)
            .and_then(serde_json::from_value)
            .map_err(StackError::new)?;
        let reference = key_package.hash_ref(client.provider.crypto()).map_err(StackError::new)?;
        let bundle: KeyPackageBundle = serde_json::from_value(json!({
            "key_package": key_package,
            "private_init_key": HpkePrivateKey::from(keys.init_priv.clone()),
            "private_encryption_key": { "key": HpkePrivateKey::from(keys.encryption_priv.clone()) },
        }))
        .map_err(StackError::new)?;
        client
            .provider
            .storage()
            .write_key_package(&reference, &bundle)
            .map_err(StackError::new)?;
        Ok(client)
    }

    fn group(&mut self) -> Result<&mut MlsGroup, StackError> {
        self.group.as_mut().ok_or_else(|| failed("in no group"))
    }

    /// The suite alone, so that key packages stay small.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(None, Some(&[self.suite]), None, None, None)
    }

    fn policy(&self) -> WireFormatPolicy {
        match self.wire {
            Wire::Public => MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
            Wire::Private => MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY,
        }
    }

    fn join_config(&self, tree_in_welcome: bool) -> MlsGroupJoinConfig {
        MlsGroupJoinConfig::builder()
            .use_ratchet_tree_extension(tree_in_welcome)
            .wire_format_policy(self.policy())
            .number_of_resumption_psks(16)
            .max_past_epochs(1)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(
                WINDOW.behind,
                WINDOW.ahead,
            ))
            .build()
    }

    /// A key package with its private keys. Its lifetime is that of all vectors if there is a seed.
    pub(crate) fn own_key_package(&mut self) -> Result<(Vec<u8>, OwnKeys), StackError> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(self.capabilities())
            .key_package_lifetime(self.lifetime())
            .build(self.suite, &self.provider, &self.signer, self.credential.clone())
            .map_err(StackError::new)?;
        let value = serde_json::to_value(&bundle).map_err(StackError::new)?;
        let key = |value: &serde_json::Value| {
            serde_json::from_value::<HpkePrivateKey>(value.clone())
                .map(|key| key.to_vec())
                .map_err(StackError::new)
        };
        let keys = OwnKeys {
            init_priv: key(&value["private_init_key"])?,
            encryption_priv: key(&value["private_encryption_key"]["key"])?,
            signature_priv: self.signer.private_key().to_vec(),
        };
        let message = MlsMessageOut::from(bundle.key_package().clone());
        Ok((message.to_bytes().map_err(StackError::new)?, keys))
    }

    fn lifetime(&self) -> Lifetime {
        if self.provider.is_seeded() {
            Lifetime::init(LIFETIME.not_before, LIFETIME.not_after)
        } else {
            Lifetime::default()
        }
    }

    fn validated(&self, key_package: &[u8]) -> Result<KeyPackage, StackError> {
        let MlsMessageBodyIn::KeyPackage(key_package) = body(key_package)? else {
            return Err(failed("no key package"));
        };
        key_package
            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
            .map_err(StackError::new)
    }

    fn psk_id(&self, psk_id: &[u8]) -> Result<PreSharedKeyId, StackError> {
        let psk = Psk::External(ExternalPsk::new(psk_id.to_vec()));
        PreSharedKeyId::new(self.suite, self.provider.rand(), psk).map_err(StackError::new)
    }

    /// The ratchet tree, as the body of its extension.
    pub(crate) fn ratchet_tree(&mut self) -> Result<Vec<u8>, StackError> {
        let tree = self.group()?.export_ratchet_tree();
        tls_codec::Serialize::tls_serialize_detached(&tree).map_err(StackError::new)
    }

    /// An Update proposal, which only others can commit to.
    pub(crate) fn propose_update(&mut self) -> Result<Vec<u8>, StackError> {
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        let (message, _) = group
            .propose_self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .map_err(StackError::new)?;
        message.to_bytes().map_err(StackError::new)
    }

    /// Whether the next Welcomes carry the ratchet tree.
    pub(crate) fn tree_in_welcome(&mut self, inside: bool) -> Result<(), StackError> {
        let config = self.join_config(inside);
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        group.set_configuration(self.provider.storage(), &config).map_err(StackError::new)
    }

    fn after_build(&mut self, bundle: CommitMessageBundle) -> Result<Committed, StackError> {
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        group.merge_pending_commit(&self.provider).map_err(StackError::new)?;
        let (commit, welcome, _) = bundle.into_messages();
        Ok(Committed {
            commit: commit.to_bytes().map_err(StackError::new)?,
            welcome: welcome
                .map(|welcome| welcome.to_bytes())
                .transpose()
                .map_err(StackError::new)?,
        })
    }
}

fn body(bytes: &[u8]) -> Result<MlsMessageBodyIn, StackError> {
    Ok(MlsMessageIn::tls_deserialize_exact(bytes).map_err(StackError::new)?.extract())
}

impl Client for OpenMlsClient {
    fn key_package(&mut self) -> Result<Vec<u8>, StackError> {
        Ok(self.own_key_package()?.0)
    }

    fn create(&mut self, group_id: &[u8]) -> Result<(), StackError> {
        let config = self.join_config(true);
        let group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(group_id))
            .ciphersuite(self.suite)
            .with_capabilities(self.capabilities())
            .lifetime(self.lifetime())
            .use_ratchet_tree_extension(true)
            .with_wire_format_policy(self.policy())
            .number_of_resumption_psks(16)
            .max_past_epochs(1)
            .sender_ratchet_configuration(*config.sender_ratchet_configuration())
            .build(&self.provider, &self.signer, self.credential.clone())
            .map_err(StackError::new)?;
        self.group = Some(group);
        Ok(())
    }

    fn join(&mut self, welcome: &[u8], ratchet_tree: Option<&[u8]>) -> Result<(), StackError> {
        let MlsMessageBodyIn::Welcome(welcome) = body(welcome)? else {
            return Err(failed("no Welcome"));
        };
        let tree = ratchet_tree
            .map(RatchetTreeIn::tls_deserialize_exact)
            .transpose()
            .map_err(StackError::new)?;
        let config = self.join_config(true);
        let mut builder = StagedWelcome::build_from_welcome(&self.provider, &config, welcome)
            .map_err(StackError::new)?
            .skip_lifetime_validation();
        if let Some(tree) = tree {
            builder = builder.with_ratchet_tree(tree);
        }
        let staged = builder.build().map_err(StackError::new)?;
        self.group = Some(staged.into_group(&self.provider).map_err(StackError::new)?);
        Ok(())
    }

    fn add_psk(&mut self, psk_id: &[u8], psk: &[u8]) -> Result<(), StackError> {
        self.psk_id(psk_id)?.store(&self.provider, psk).map_err(StackError::new)
    }

    fn propose(&mut self, proposal: Proposal) -> Result<Vec<u8>, StackError> {
        let key_package = match &proposal {
            Proposal::Add(bytes) => Some(self.validated(bytes)?),
            _ => None,
        };
        let psk = match &proposal {
            Proposal::Psk(psk_id) => Some(self.psk_id(psk_id)?),
            _ => None,
        };
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        let (provider, signer) = (&self.provider, &self.signer);
        let message = match (proposal, key_package, psk) {
            (_, Some(key_package), _) => {
                group.propose_add_member(provider, signer, &key_package).map_err(StackError::new)?.0
            }
            (_, _, Some(psk)) => {
                group.propose_pre_shared_key(provider, signer, psk).map_err(StackError::new)?.0
            }
            (Proposal::Remove(leaf), ..) => {
                group
                    .propose_remove_member(provider, signer, LeafNodeIndex::new(leaf))
                    .map_err(StackError::new)?
                    .0
            }
            _ => return Err(failed("an incomplete proposal")),
        };
        message.to_bytes().map_err(StackError::new)
    }

    fn commit(&mut self, changes: Changes) -> Result<Committed, StackError> {
        let add =
            changes.add.iter().map(|bytes| self.validated(bytes)).collect::<Result<Vec<_>, _>>()?;
        let psks = changes
            .psk
            .iter()
            .map(|psk_id| {
                let psk = PreSharedKeyProposal::new(self.psk_id(psk_id)?);
                Ok(openmls::prelude::Proposal::PreSharedKey(Box::new(psk)))
            })
            .collect::<Result<Vec<_>, StackError>>()?;
        let remove = changes.remove.iter().copied().map(LeafNodeIndex::new);
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        let bundle = group
            .commit_builder()
            .force_self_update(changes.path)
            .propose_adds(add)
            .propose_removals(remove)
            .add_proposals(psks)
            .load_psks(self.provider.storage())
            .map_err(StackError::new)?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .map_err(StackError::new)?
            .stage_commit(&self.provider)
            .map_err(StackError::new)?;
        self.after_build(bundle)
    }

    fn process(&mut self, message: &[u8]) -> Result<Received, StackError> {
        let message = MlsMessageIn::tls_deserialize_exact(message)
            .map_err(StackError::new)?
            .try_into_protocol_message()
            .map_err(StackError::new)?;
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        let content =
            group.process_message(&self.provider, message).map_err(StackError::new)?.into_content();
        match content {
            ProcessedMessageContent::ApplicationMessage(data) => {
                Ok(Received::Application(data.into_bytes()))
            }
            ProcessedMessageContent::ProposalMessage(proposal) => {
                group
                    .store_pending_proposal(self.provider.storage(), *proposal)
                    .map_err(StackError::new)?;
                Ok(Received::Proposal)
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit).map_err(StackError::new)?;
                Ok(Received::Commit)
            }
            _ => Err(failed("a message of another kind")),
        }
    }

    fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, StackError> {
        let group = self.group.as_mut().ok_or_else(|| failed("in no group"))?;
        group
            .create_message(&self.provider, &self.signer, data)
            .map_err(StackError::new)?
            .to_bytes()
            .map_err(StackError::new)
    }

    fn group_info(&mut self) -> Result<Vec<u8>, StackError> {
        let group = self.group.as_ref().ok_or_else(|| failed("in no group"))?;
        group
            .export_group_info(self.provider.crypto(), &self.signer, true)
            .map_err(StackError::new)?
            .to_bytes()
            .map_err(StackError::new)
    }

    fn external_join(&mut self, group_info: &[u8]) -> Result<Vec<u8>, StackError> {
        let MlsMessageBodyIn::GroupInfo(group_info) = body(group_info)? else {
            return Err(failed("no GroupInfo"));
        };
        let parameters =
            LeafNodeParameters::builder().with_capabilities(self.capabilities()).build();
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_config(self.join_config(true))
            .build_group(&self.provider, group_info, self.credential.clone())
            .map_err(StackError::new)?
            .leaf_node_parameters(parameters)
            .load_psks(self.provider.storage())
            .map_err(StackError::new)?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .map_err(StackError::new)?
            .finalize(&self.provider)
            .map_err(StackError::new)?;
        self.group = Some(group);
        bundle.into_commit().to_bytes().map_err(StackError::new)
    }

    fn state(&mut self) -> Result<State, StackError> {
        let group = self.group()?;
        let context = group.public_group().group_context();
        Ok(State {
            epoch: group.epoch().as_u64(),
            epoch_authenticator: group.epoch_authenticator().as_slice().to_vec(),
            tree_hash: context.tree_hash().to_vec(),
            confirmed_transcript_hash: context.confirmed_transcript_hash().to_vec(),
            members: group.members().count(),
        })
    }

    fn own_leaf(&mut self) -> Result<u32, StackError> {
        Ok(self.group()?.own_leaf_index().u32())
    }

    fn export(
        &mut self,
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, StackError> {
        let group = self.group.as_ref().ok_or_else(|| failed("in no group"))?;
        group.export_secret(self.provider.crypto(), label, context, length).map_err(StackError::new)
    }
}
