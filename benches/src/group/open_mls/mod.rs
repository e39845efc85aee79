//! Groups of OpenMLS, on any provider.

mod fresh;
mod full;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::signatures::Signer;
use openmls_traits::types::Ciphersuite;

pub(crate) use fresh::{Fresh, TreeDelivery};
pub(crate) use full::{Full, export, external_join, found, grow};

/// A member: its provider, its signer, and the credential that names it.
pub(crate) struct Member<P, S> {
    provider: P,
    signer: S,
    credential: CredentialWithKey,
}

/// Makes the parts of a member: a provider with an empty storage, a signer, and its public key.
pub(crate) trait Maker: Send {
    type Provider: OpenMlsProvider + Send;
    type Signer: Signer + Send;

    fn provider(&self) -> Self::Provider;
    fn signer(&self) -> (Self::Signer, Vec<u8>);

    fn member(&self, name: &str) -> Member<Self::Provider, Self::Signer> {
        let (signer, public_key) = self.signer();
        Member::new(name, self.provider(), signer, public_key)
    }
}

impl<P, S> Member<P, S> {
    pub(crate) fn new(name: &str, provider: P, signer: S, public_key: Vec<u8>) -> Self {
        let credential = BasicCredential::new(name.as_bytes().to_vec()).into();
        let credential = CredentialWithKey { credential, signature_key: public_key.into() };
        Self { provider, signer, credential }
    }

    pub(crate) fn provider(&self) -> &P {
        &self.provider
    }

    pub(crate) fn signer(&self) -> &S {
        &self.signer
    }
}

/// Naming the suite of the group and no other, as in the sizes that the field quotes.
fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::new(None, Some(&[suite]), None, None, None)
}

pub(crate) fn key_package<P: OpenMlsProvider, S: Signer>(
    suite: Ciphersuite,
    member: &Member<P, S>,
) -> KeyPackage {
    KeyPackage::builder()
        .leaf_node_capabilities(capabilities(suite))
        .build(suite, &member.provider, &member.signer, member.credential.clone())
        .expect("a key package")
        .key_package()
        .clone()
}

/// Updates the own leaf and merges. The commit, as bytes.
pub(crate) fn update<P: OpenMlsProvider, S: Signer>(
    group: &mut MlsGroup,
    member: &Member<P, S>,
) -> Vec<u8> {
    let bundle = group
        .self_update(&member.provider, &member.signer, LeafNodeParameters::default())
        .expect("an update");
    group.merge_pending_commit(&member.provider).expect("a pending commit");
    bundle.into_commit().to_bytes().expect("a commit")
}

/// Processes a commit and merges it.
pub(crate) fn process<P: OpenMlsProvider>(group: &mut MlsGroup, provider: &P, commit: &[u8]) {
    let processed = group.process_message(provider, message(commit)).expect("a valid commit");
    let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
        panic!("no commit")
    };
    group.merge_staged_commit(provider, *staged).expect("a staged commit");
}

pub(crate) fn message(bytes: &[u8]) -> ProtocolMessage {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).expect("a message");
    message.try_into_protocol_message().expect("a message within the group")
}
