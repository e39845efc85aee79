//! Members of groups that need not share a provider: everything between them is bytes.
#![allow(dead_code, reason = "each test uses its part")]

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::signatures::Signer;
use openmls_traits::types::Ciphersuite;

/// An error as text: what it is called is what the tests look at.
pub type Outcome<T> = Result<T, String>;

/// What the members of a mixed group have in common.
pub trait Peer {
    fn name(&self) -> &str;
    fn key_package(&mut self) -> Vec<u8>;
    fn create(&mut self);
    /// Adds members by a commit with or without a path; commit and Welcome.
    fn add(&mut self, key_packages: &[Vec<u8>], path: bool) -> Outcome<(Vec<u8>, Vec<u8>)>;
    fn join(&mut self, welcome: &[u8]) -> Outcome<()>;
    /// A commit with a path and nothing else.
    fn update(&mut self) -> Outcome<Vec<u8>>;
    fn remove(&mut self, name: &str) -> Outcome<Vec<u8>>;
    fn group_info(&mut self) -> Outcome<Vec<u8>>;
    fn join_externally(&mut self, group_info: &[u8]) -> Outcome<Vec<u8>>;
    fn send(&mut self, text: &[u8]) -> Outcome<Vec<u8>>;
    fn read(&mut self, message: &[u8]) -> Outcome<Vec<u8>>;
    fn follow(&mut self, commit: &[u8]) -> Outcome<()>;
    /// Exporter secret and epoch authenticator.
    fn secrets(&self) -> (Vec<u8>, Vec<u8>);
}

pub struct Member<P, S> {
    pub name: String,
    pub suite: Ciphersuite,
    pub provider: P,
    pub signer: S,
    pub credential: CredentialWithKey,
    pub group: Option<MlsGroup>,
}

impl<P: OpenMlsProvider, S: Signer> Member<P, S> {
    pub fn new(name: &str, suite: Ciphersuite, provider: P, signer: S, public_key: &[u8]) -> Self {
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
            signature_key: public_key.into(),
        };
        Self { name: name.to_owned(), suite, provider, signer, credential, group: None }
    }

    pub fn group(&mut self) -> &mut MlsGroup {
        self.group.as_mut().expect("in a group")
    }

    /// Only what the suite needs, so that a key package stays small and names no other suite.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(None, Some(&[self.suite]), None, None, None)
    }

    fn process(&mut self, message: &[u8]) -> Outcome<ProcessedMessageContent> {
        let message = MlsMessageIn::tls_deserialize_exact(message)
            .map_err(text)?
            .try_into_protocol_message()
            .map_err(text)?;
        let group = self.group.as_mut().ok_or("in no group")?;
        Ok(group.process_message(&self.provider, message).map_err(text)?.into_content())
    }
}

pub fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn body(bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(bytes).expect("an MLSMessage").extract()
}

impl<P: OpenMlsProvider, S: Signer> Peer for Member<P, S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_package(&mut self) -> Vec<u8> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(self.capabilities())
            .build(self.suite, &self.provider, &self.signer, self.credential.clone())
            .expect("a key package");
        MlsMessageOut::from(bundle.key_package().clone()).to_bytes().expect("encodes")
    }

    fn create(&mut self) {
        let group = MlsGroup::builder()
            .ciphersuite(self.suite)
            .with_capabilities(self.capabilities())
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential.clone())
            .expect("a group");
        self.group = Some(group);
    }

    fn add(&mut self, key_packages: &[Vec<u8>], path: bool) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let checked: Vec<KeyPackage> = key_packages
            .iter()
            .map(|bytes| match body(bytes) {
                MlsMessageBodyIn::KeyPackage(package) => {
                    package.validate(self.provider.crypto(), ProtocolVersion::Mls10).map_err(text)
                }
                _ => Err("no key package".to_owned()),
            })
            .collect::<Outcome<_>>()?;
        let (provider, signer) = (&self.provider, &self.signer);
        let group = self.group.as_mut().ok_or("in no group")?;
        let (commit, welcome, _) = if path {
            group.add_members(provider, signer, &checked)
        } else {
            group.add_members_without_update(provider, signer, &checked)
        }
        .map_err(text)?;
        group.merge_pending_commit(provider).map_err(text)?;
        Ok((commit.to_bytes().map_err(text)?, welcome.to_bytes().map_err(text)?))
    }

    fn join(&mut self, welcome: &[u8]) -> Outcome<()> {
        let MlsMessageBodyIn::Welcome(welcome) = body(welcome) else {
            return Err("no Welcome".into());
        };
        let config = MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build();
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None)
            .map_err(text)?;
        self.group = Some(staged.into_group(&self.provider).map_err(text)?);
        Ok(())
    }

    fn update(&mut self) -> Outcome<Vec<u8>> {
        let group = self.group.as_mut().ok_or("in no group")?;
        let bundle = group
            .self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .map_err(text)?;
        group.merge_pending_commit(&self.provider).map_err(text)?;
        bundle.into_commit().to_bytes().map_err(text)
    }

    fn remove(&mut self, name: &str) -> Outcome<Vec<u8>> {
        let group = self.group.as_mut().ok_or("in no group")?;
        let leaf = group
            .members()
            .find(|member| member.credential.serialized_content() == name.as_bytes())
            .ok_or("no such member")?;
        let (commit, _, _) =
            group.remove_members(&self.provider, &self.signer, &[leaf.index]).map_err(text)?;
        group.merge_pending_commit(&self.provider).map_err(text)?;
        commit.to_bytes().map_err(text)
    }

    fn group_info(&mut self) -> Outcome<Vec<u8>> {
        let group = self.group.as_ref().ok_or("in no group")?;
        group
            .export_group_info(self.provider.crypto(), &self.signer, true)
            .map_err(text)?
            .to_bytes()
            .map_err(text)
    }

    fn join_externally(&mut self, group_info: &[u8]) -> Outcome<Vec<u8>> {
        let MlsMessageBodyIn::GroupInfo(info) = body(group_info) else {
            return Err("no GroupInfo".into());
        };
        let leaf = LeafNodeParameters::builder().with_capabilities(self.capabilities()).build();
        let (mut group, bundle) = MlsGroup::external_commit_builder()
            .build_group(&self.provider, info, self.credential.clone())
            .map_err(text)?
            .leaf_node_parameters(leaf)
            .load_psks(self.provider.storage())
            .map_err(text)?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .map_err(text)?
            .finalize(&self.provider)
            .map_err(text)?;
        group.merge_pending_commit(&self.provider).map_err(text)?;
        self.group = Some(group);
        bundle.into_commit().to_bytes().map_err(text)
    }

    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        let group = self.group.as_mut().ok_or("in no group")?;
        group
            .create_message(&self.provider, &self.signer, message)
            .map_err(text)?
            .to_bytes()
            .map_err(text)
    }

    fn read(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        match self.process(message)? {
            ProcessedMessageContent::ApplicationMessage(message) => Ok(message.into_bytes()),
            _ => Err("not an application message".into()),
        }
    }

    fn follow(&mut self, commit: &[u8]) -> Outcome<()> {
        match self.process(commit)? {
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let group = self.group.as_mut().ok_or("in no group")?;
                group.merge_staged_commit(&self.provider, *staged).map_err(text)
            }
            _ => Err("not a commit".into()),
        }
    }

    fn secrets(&self) -> (Vec<u8>, Vec<u8>) {
        let group = self.group.as_ref().expect("in a group");
        let secret = group.export_secret(self.provider.crypto(), "test", b"", 32).expect("exports");
        (secret, group.epoch_authenticator().as_slice().to_vec())
    }
}
