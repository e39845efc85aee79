//! A client of mls-rs with at most one group.

use ::mls_rs::error::MlsError;
use ::mls_rs::group::{CommitEffect, ExportedTree, ReceivedMessage};
use ::mls_rs::mls_rs_codec::MlsDecode;
use ::mls_rs::psk::{ExternalPskId, PreSharedKey};
use ::mls_rs::{ExtensionList, MlsMessage};
use mls_rs_core::key_package::KeyPackageData;

use super::Config;
use super::rules::Rules;
use crate::stack::{Changes, Client, Committed, Proposal, Received, StackError, State};

type Group = ::mls_rs::Group<Config>;

/// A client. Every operation on the group works on a copy of it that takes its place in the end, so
/// that a failure changes nothing.
pub(super) struct MlsRsClient {
    client: ::mls_rs::Client<Config>,
    rules: Rules,
    group: Option<Group>,
}

impl From<MlsError> for StackError {
    fn from(error: MlsError) -> Self {
        Self::new(error)
    }
}

fn decode(message: &[u8]) -> Result<MlsMessage, StackError> {
    Ok(MlsMessage::from_bytes(message)?)
}

impl MlsRsClient {
    pub(super) fn new(client: ::mls_rs::Client<Config>, rules: Rules) -> Self {
        Self { client, rules, group: None }
    }

    /// Keeps the private keys of a key package.
    pub(super) fn keep(&self, reference: Vec<u8>, data: KeyPackageData) {
        self.client.key_package_store().insert(reference, data);
    }

    fn group(&self) -> Result<&Group, StackError> {
        self.group.as_ref().ok_or_else(|| StackError::Failed("no group".into()))
    }

    /// Changes the group, or leaves it as it was.
    fn change<T>(
        &mut self,
        operation: impl FnOnce(&mut Group) -> Result<T, StackError>,
    ) -> Result<T, StackError> {
        let mut group = self.group()?.clone();
        let result = operation(&mut group)?;
        self.group = Some(group);
        Ok(result)
    }
}

impl Client for MlsRsClient {
    fn key_package(&mut self) -> Result<Vec<u8>, StackError> {
        let none = ExtensionList::new;
        Ok(self.client.generate_key_package_message(none(), none(), None)?.to_bytes()?)
    }

    fn create(&mut self, group_id: &[u8]) -> Result<(), StackError> {
        let none = ExtensionList::new;
        let group = self.client.create_group_with_id(group_id.to_vec(), none(), none(), None)?;
        self.group = Some(group);
        Ok(())
    }

    fn join(&mut self, welcome: &[u8], ratchet_tree: Option<&[u8]>) -> Result<(), StackError> {
        // `ExportedTree::from_bytes` would take bytes after the tree, too.
        let tree = ratchet_tree
            .map(ExportedTree::mls_decode_exhaustive)
            .transpose()
            .map_err(StackError::new)?;
        let (group, _) = self.client.join_group(tree, &decode(welcome)?, None)?;
        self.group = Some(group);
        Ok(())
    }

    fn add_psk(&mut self, psk_id: &[u8], psk: &[u8]) -> Result<(), StackError> {
        let (id, psk) = (ExternalPskId::new(psk_id.to_vec()), PreSharedKey::new(psk.to_vec()));
        self.client.secret_store().insert(id, psk);
        Ok(())
    }

    fn propose(&mut self, proposal: Proposal) -> Result<Vec<u8>, StackError> {
        self.change(|group| {
            let message = match proposal {
                Proposal::Add(key_package) => group.propose_add(decode(&key_package)?, vec![])?,
                Proposal::Remove(leaf) => group.propose_remove(leaf, vec![])?,
                Proposal::Psk(id) => group.propose_external_psk(ExternalPskId::new(id), vec![])?,
            };
            Ok(message.to_bytes()?)
        })
    }

    fn commit(&mut self, changes: Changes) -> Result<Committed, StackError> {
        self.rules.set_path(changes.path);
        self.change(|group| {
            let mut builder = group.commit_builder();
            for key_package in &changes.add {
                builder = builder.add_member(decode(key_package)?)?;
            }
            for &leaf in &changes.remove {
                builder = builder.remove_member(leaf)?;
            }
            for id in &changes.psk {
                builder = builder.add_external_psk(ExternalPskId::new(id.clone()))?;
            }
            let output = builder.build()?;
            if !output.unused_proposals().is_empty() {
                return Err(StackError::Failed("a pending proposal cannot be committed".into()));
            }
            group.apply_pending_commit()?;
            let welcome =
                output.welcome_messages().first().map(MlsMessage::to_bytes).transpose()?;
            Ok(Committed { commit: output.commit_message().to_bytes()?, welcome })
        })
    }

    fn process(&mut self, message: &[u8]) -> Result<Received, StackError> {
        let message = decode(message)?;
        let received = self.change(|group| Ok(group.process_incoming_message(message)?))?;
        match received {
            ReceivedMessage::Commit(commit) => {
                if matches!(commit.effect, CommitEffect::Removed { .. }) {
                    self.group = None;
                }
                Ok(Received::Commit)
            }
            ReceivedMessage::Proposal(_) => Ok(Received::Proposal),
            ReceivedMessage::ApplicationMessage(message) => {
                Ok(Received::Application(message.data().to_vec()))
            }
            ReceivedMessage::GroupInfo(_)
            | ReceivedMessage::Welcome
            | ReceivedMessage::KeyPackage(_) => {
                Err(StackError::Failed("not a message within the group".into()))
            }
        }
    }

    fn send(&mut self, data: &[u8]) -> Result<Vec<u8>, StackError> {
        self.change(|group| Ok(group.encrypt_application_message(data, vec![])?.to_bytes()?))
    }

    fn group_info(&mut self) -> Result<Vec<u8>, StackError> {
        Ok(self.group()?.group_info_message_allowing_ext_commit(true)?.to_bytes()?)
    }

    fn external_join(&mut self, group_info: &[u8]) -> Result<Vec<u8>, StackError> {
        let builder = self.client.external_commit_builder()?;
        let (group, commit) = builder.build(decode(group_info)?)?;
        let commit = commit.to_bytes()?;
        self.group = Some(group);
        Ok(commit)
    }

    fn state(&mut self) -> Result<State, StackError> {
        let group = self.group()?;
        let context = group.context();
        Ok(State {
            epoch: context.epoch,
            epoch_authenticator: group.epoch_authenticator()?.to_vec(),
            tree_hash: context.tree_hash.clone(),
            confirmed_transcript_hash: context.confirmed_transcript_hash.to_vec(),
            members: group.roster().members_iter().count(),
        })
    }

    fn own_leaf(&mut self) -> Result<u32, StackError> {
        Ok(self.group()?.current_member_index())
    }

    fn export(
        &mut self,
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, StackError> {
        Ok(self.group()?.export_secret(label.as_bytes(), context, length)?.to_vec())
    }
}
