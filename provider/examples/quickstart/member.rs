//! A member of the group: a provider, a signer and an OpenMLS group. Everything that it gives to or
//! takes from others is bytes.

use std::error::Error;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) struct Member {
    name: &'static str,
    suite: Ciphersuite,
    provider: TrellisProvider,
    signer: TrellisSigner,
    group: Option<MlsGroup>,
}

impl Member {
    pub(crate) fn new(name: &'static str, suite: Ciphersuite) -> Result<Self> {
        let provider = TrellisProvider::default();
        let signer = TrellisSigner::generate(suite)?;
        signer.store(provider.storage())?;
        Ok(Self { name, suite, provider, signer, group: None })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_member(&self) -> bool {
        self.group.as_ref().is_some_and(MlsGroup::is_active)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.group.as_ref().map_or(0, |group| group.epoch().as_u64())
    }

    pub(crate) fn key_package(&self) -> Result<Vec<u8>> {
        let bundle = KeyPackage::builder().leaf_node_capabilities(self.capabilities()).build(
            self.suite,
            &self.provider,
            &self.signer,
            self.credential(),
        )?;
        Ok(MlsMessageOut::from(bundle.key_package().clone()).to_bytes()?)
    }

    pub(crate) fn create_group(&mut self) -> Result<()> {
        let group = MlsGroup::builder()
            .ciphersuite(self.suite)
            .with_capabilities(self.capabilities())
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential())?;
        self.group = Some(group);
        Ok(())
    }

    /// Adds members; the commit for those who are in, the Welcome for those who are not.
    pub(crate) fn add(&mut self, key_packages: &[Vec<u8>]) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut checked = Vec::new();
        for bytes in key_packages {
            let MlsMessageBodyIn::KeyPackage(package) = body(bytes)? else {
                return Err("no key package".into());
            };
            checked.push(package.validate(self.provider.crypto(), ProtocolVersion::Mls10)?);
        }
        let (provider, signer, group) = self.parts()?;
        let (commit, welcome, _) = group.add_members(provider, signer, &checked)?;
        group.merge_pending_commit(provider)?;
        Ok((commit.to_bytes()?, welcome.to_bytes()?))
    }

    pub(crate) fn join(&mut self, welcome: &[u8]) -> Result<()> {
        let MlsMessageBodyIn::Welcome(welcome) = body(welcome)? else {
            return Err("no Welcome".into());
        };
        let config = MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build();
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None)?;
        self.group = Some(staged.into_group(&self.provider)?);
        Ok(())
    }

    pub(crate) fn update(&mut self) -> Result<Vec<u8>> {
        let (provider, signer, group) = self.parts()?;
        let bundle = group.self_update(provider, signer, LeafNodeParameters::default())?;
        group.merge_pending_commit(provider)?;
        Ok(bundle.into_commit().to_bytes()?)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<Vec<u8>> {
        let (provider, signer, group) = self.parts()?;
        let leaf = group
            .members()
            .find(|member| member.credential.serialized_content() == name.as_bytes())
            .ok_or_else(|| format!("{name} is not in the group"))?;
        let (commit, _, _) = group.remove_members(provider, signer, &[leaf.index])?;
        group.merge_pending_commit(provider)?;
        Ok(commit.to_bytes()?)
    }

    pub(crate) fn group_info(&mut self) -> Result<Vec<u8>> {
        let (provider, signer, group) = self.parts()?;
        Ok(group.export_group_info(provider.crypto(), signer, true)?.to_bytes()?)
    }

    pub(crate) fn join_externally(&mut self, group_info: &[u8]) -> Result<Vec<u8>> {
        let MlsMessageBodyIn::GroupInfo(info) = body(group_info)? else {
            return Err("no GroupInfo".into());
        };
        let leaf = LeafNodeParameters::builder().with_capabilities(self.capabilities()).build();
        let (mut group, bundle) = MlsGroup::external_commit_builder()
            .build_group(&self.provider, info, self.credential())?
            .leaf_node_parameters(leaf)
            .load_psks(self.provider.storage())?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)?
            .finalize(&self.provider)?;
        group.merge_pending_commit(&self.provider)?;
        self.group = Some(group);
        Ok(bundle.into_commit().to_bytes()?)
    }

    pub(crate) fn send(&mut self, text: &str) -> Result<Vec<u8>> {
        let (provider, signer, group) = self.parts()?;
        Ok(group.create_message(provider, signer, text.as_bytes())?.to_bytes()?)
    }

    /// Reads a message of the group.
    pub(crate) fn read(&mut self, message: &[u8]) -> Result<String> {
        match self.process(message)? {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Ok(String::from_utf8(message.into_bytes())?)
            }
            _ => Err("not a message for people".into()),
        }
    }

    /// Follows a commit of another member.
    pub(crate) fn follow(&mut self, commit: &[u8]) -> Result<()> {
        match self.process(commit)? {
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let (provider, _, group) = self.parts()?;
                Ok(group.merge_staged_commit(provider, *staged)?)
            }
            _ => Err("not a commit".into()),
        }
    }

    pub(crate) fn exported_secret(&self) -> Result<Vec<u8>> {
        let group = self.group.as_ref().ok_or("not in a group")?;
        Ok(group.export_secret(self.provider.crypto(), "quickstart", b"", 32)?)
    }

    fn process(&mut self, message: &[u8]) -> Result<ProcessedMessageContent> {
        let message: ProtocolMessage =
            MlsMessageIn::tls_deserialize_exact(message)?.try_into_protocol_message()?;
        let (provider, _, group) = self.parts()?;
        Ok(group.process_message(provider, message)?.into_content())
    }

    /// What this client can do: just this suite. OpenMLS's default names some suites, and not all.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(None, Some(&[self.suite]), None, None, None)
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.name.as_bytes().to_vec()).into(),
            signature_key: self.signer.public_key().into(),
        }
    }

    fn parts(&mut self) -> Result<(&TrellisProvider, &TrellisSigner, &mut MlsGroup)> {
        let group = self.group.as_mut().ok_or("not in a group")?;
        Ok((&self.provider, &self.signer, group))
    }
}

fn body(bytes: &[u8]) -> Result<MlsMessageBodyIn> {
    Ok(MlsMessageIn::tls_deserialize_exact(bytes)?.extract())
}
