//! `passive-client-*`: a client that joins and follows along.

pub mod generate;

use openmls_trellis_crypto::KeyDerivation;
use serde::{Deserialize, Serialize};

use crate::mls::Suite;
use crate::mls::wire::{Body, MlsMessage};
use crate::stack::{Client, Imported, Received, Settings, Stack, StackError, Wire};
use crate::{Failure, Hex, Trellis};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PassiveClient {
    pub cipher_suite: u16,
    pub external_psks: Vec<ExternalPsk>,
    pub key_package: Hex,
    pub signature_priv: Hex,
    pub encryption_priv: Hex,
    pub init_priv: Hex,
    pub welcome: Hex,
    pub ratchet_tree: Option<Hex>,
    pub initial_epoch_authenticator: Hex,
    pub epochs: Vec<Epoch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ExternalPsk {
    pub psk_id: Hex,
    pub psk: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Epoch {
    pub proposals: Vec<Hex>,
    pub commit: Hex,
    pub epoch_authenticator: Hex,
}

impl PassiveClient {
    fn check_keys(&self, suite: &Suite<'_>) -> Result<(), Failure> {
        let body = MlsMessage::open(&self.key_package).map_err(Failure::of("key_package"))?;
        let Body::KeyPackage(key_package) = body else {
            return Err(Failure::refused("key_package", "is no KeyPackage"));
        };
        let (content, leaf) = (&key_package.content, &key_package.content.leaf_node.content);
        if content.cipher_suite != self.cipher_suite {
            return Err(Failure::refused("key_package: cipher_suite", "is another one"));
        }
        let found = suite.encryption_key(&self.init_priv).map_err(Failure::of("init_priv"))?;
        Failure::unless_equal("init_priv", content.init_key.as_slice(), found)?;
        let found =
            suite.encryption_key(&self.encryption_priv).map_err(Failure::of("encryption_priv"))?;
        Failure::unless_equal("encryption_priv", leaf.encryption_key.as_slice(), found)?;
        let found =
            suite.signature_key(&self.signature_priv).map_err(Failure::of("signature_priv"))?;
        Failure::unless_equal("signature_priv", leaf.signature_key.as_slice(), found)
    }

    fn client(
        &self,
        suite: &Suite<'_>,
        stack: &dyn Stack,
        derivation: KeyDerivation,
    ) -> Result<Box<dyn Client>, Failure> {
        let settings = Settings {
            suite: suite.suite,
            code_point: self.cipher_suite,
            derivation,
            identity: Vec::new(),
            wire: Wire::Private,
        };
        let keys = Imported {
            key_package: self.key_package.0.clone(),
            init_priv: suite.whole_private_key(&self.init_priv),
            encryption_priv: suite.whole_private_key(&self.encryption_priv),
            signature_priv: suite.whole_signing_key(&self.signature_priv),
        };
        let mut client = stack.import(&settings, &keys).map_err(failure("key_package"))?;
        for (number, psk) in self.external_psks.iter().enumerate() {
            let field = format!("external_psks[{number}]");
            client.add_psk(&psk.psk_id, &psk.psk).map_err(failure(&field))?;
        }
        Ok(client)
    }
}

/// What a stack lacks is no fault of the vector.
fn failure(field: &str) -> impl FnOnce(StackError) -> Failure {
    move |error| match error {
        StackError::NotOffered(what) => Failure::Skipped(what),
        error => Failure::refused(field, error),
    }
}

/// Joins and follows with a stack.
pub fn follow(
    vector: &PassiveClient,
    stack: &dyn Stack,
    derivation: KeyDerivation,
) -> Result<(), Failure> {
    let primitives = Trellis::default();
    let suite = Suite::of(vector.cipher_suite, &primitives)?;
    vector.check_keys(&suite)?;
    let mut client = vector.client(&suite, stack, derivation)?;
    client.join(&vector.welcome, vector.ratchet_tree.as_deref()).map_err(failure("welcome"))?;
    let wanted = &vector.initial_epoch_authenticator;
    let state = client.state().map_err(failure("initial_epoch_authenticator"))?;
    Failure::unless_equal("initial_epoch_authenticator", wanted, state.epoch_authenticator)?;
    for (number, epoch) in vector.epochs.iter().enumerate() {
        follow_epoch(&mut *client, epoch)
            .map_err(|failure| failure.within(&format!("epochs[{number}]")))?;
    }
    Ok(())
}

fn follow_epoch(client: &mut dyn Client, epoch: &Epoch) -> Result<(), Failure> {
    for (number, proposal) in epoch.proposals.iter().enumerate() {
        let field = format!("proposals[{number}]");
        if client.process(proposal).map_err(failure(&field))? != Received::Proposal {
            return Err(Failure::refused(field, "is no proposal"));
        }
    }
    if client.process(&epoch.commit).map_err(failure("commit"))? != Received::Commit {
        return Err(Failure::refused("commit", "is no commit"));
    }
    let state = client.state().map_err(failure("epoch_authenticator"))?;
    Failure::unless_equal(
        "epoch_authenticator",
        &epoch.epoch_authenticator,
        state.epoch_authenticator,
    )
}
