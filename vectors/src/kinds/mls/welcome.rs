//! `welcome`: an invitation, opened by hand.

use serde::{Deserialize, Serialize};
use tls_codec::Serialize as _;

use crate::kinds::Vector;
use crate::mls::key_schedule::{Epoch, psk_secret, welcome_key};
use crate::mls::members::{Members, OwnKeyPackage};
use crate::mls::wire::{
    Body, EncryptedGroupSecrets, GroupContext, GroupInfo, GroupInfoContent, GroupSecrets,
    KeyPackage, MlsMessage, Welcome as WelcomeMessage, decode,
};
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Welcome {
    pub cipher_suite: u16,
    pub init_priv: Hex,
    pub signer_pub: Hex,
    pub key_package: Hex,
    pub welcome: Hex,
}

const LABEL: &str = "Welcome";

impl Welcome {
    fn messages(&self) -> Result<(KeyPackage, WelcomeMessage), Failure> {
        let key_package =
            MlsMessage::open(&self.key_package).map_err(Failure::of("key_package"))?;
        let welcome = MlsMessage::open(&self.welcome).map_err(Failure::of("welcome"))?;
        match (key_package, welcome) {
            (Body::KeyPackage(key_package), Body::Welcome(welcome)) => Ok((key_package, welcome)),
            (Body::KeyPackage(_), _) => Err(Failure::refused("welcome", "is no Welcome")),
            _ => Err(Failure::refused("key_package", "is no KeyPackage")),
        }
    }
}

impl Vector for Welcome {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let (key_package, welcome) = self.messages()?;
        if welcome.cipher_suite != self.cipher_suite {
            return Err(Failure::refused("welcome: cipher_suite", "is another one"));
        }
        let public = suite.encryption_key(&self.init_priv).map_err(Failure::of("init_priv"))?;
        let wanted = key_package.content.init_key.as_slice();
        Failure::unless_equal("key_package: init_key", wanted, public)?;

        let reference = key_package.reference(suite).map_err(Failure::of("key_package"))?;
        let entry = welcome
            .secrets
            .iter()
            .find(|entry| entry.new_member.as_slice() == reference)
            .ok_or_else(|| {
            Failure::refused("welcome: secrets", "none is for the key package")
        })?;
        let info = welcome.encrypted_group_info.as_slice();
        let secrets = suite
            .decrypt_with_label(&self.init_priv, LABEL, info, &entry.encrypted_group_secrets)
            .and_then(|bytes| Ok(decode::<GroupSecrets>(&bytes)?))
            .map_err(Failure::of("welcome: encrypted_group_secrets"))?;
        if !secrets.psks.is_empty() {
            return Err(Failure::refused("welcome: psks", "this kind has no pre-shared keys"));
        }

        let joiner_secret = secrets.joiner_secret.as_slice().to_vec();
        let group_info = open(suite, &joiner_secret, info)
            .map_err(Failure::of("welcome: encrypted_group_info"))?;
        group_info
            .verify(suite, &self.signer_pub)
            .map_err(Failure::of("welcome: GroupInfo signature"))?;
        let content = &group_info.content;
        let tag = confirmation_tag(suite, joiner_secret, &content.group_context)
            .map_err(Failure::of("welcome: GroupInfo confirmation_tag"))?;
        let wanted = content.confirmation_tag.as_slice();
        Failure::unless_equal("welcome: GroupInfo confirmation_tag", wanted, tag)
    }
}

/// Without pre-shared keys the welcome secret needs no GroupContext.
fn open(suite: &Suite<'_>, joiner_secret: &[u8], info: &[u8]) -> Result<GroupInfo, Error> {
    let member = suite.extract(joiner_secret, &psk_secret(suite, &[])?)?;
    let (key, nonce) = welcome_key(suite, &suite.derive_secret(&member, "welcome")?)?;
    Ok(decode(&suite.open(&key, &nonce, b"", info)?)?)
}

fn confirmation_tag(
    suite: &Suite<'_>,
    joiner_secret: Vec<u8>,
    context: &GroupContext,
) -> Result<Vec<u8>, Error> {
    let encoded = context.tls_serialize_detached()?;
    let psk_secret = psk_secret(suite, &[])?;
    let epoch = Epoch::from_joiner_secret(suite, joiner_secret, &psk_secret, &encoded)?;
    suite.mac(&epoch.confirmation_key, context.confirmed_transcript_hash.as_slice())
}

/// One vector, in whose Welcome another member comes first.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<Welcome>, Error> {
    let group_id = suite.random(32)?;
    let group = Members::chain(suite, &group_id, 2)?;
    let signer = group.members.get(&0).ok_or(Error::Rule("a group of two"))?;
    let context = GroupContext {
        version: crate::mls::wire::MLS10,
        cipher_suite: suite.code_point,
        group_id: group_id.into(),
        epoch: 1,
        tree_hash: group.tree.root_hash(suite)?.into(),
        confirmed_transcript_hash: suite.random(suite.nh())?.into(),
        extensions: Vec::new(),
    };
    let joiner_secret = suite.random(suite.nh())?;
    let content = GroupInfoContent {
        confirmation_tag: confirmation_tag(suite, joiner_secret.clone(), &context)?.into(),
        group_context: context,
        extensions: Vec::new(),
        signer: 0,
    };
    let group_info = content.sign(suite, &signer.signature_priv)?.tls_serialize_detached()?;
    let member = suite.extract(&joiner_secret, &psk_secret(suite, &[])?)?;
    let (key, nonce) = welcome_key(suite, &suite.derive_secret(&member, "welcome")?)?;
    let info = suite.seal(&key, &nonce, b"", &group_info)?;

    let secrets =
        GroupSecrets { joiner_secret: joiner_secret.into(), path_secret: None, psks: Vec::new() }
            .tls_serialize_detached()?;
    let invite = |own: &OwnKeyPackage| -> Result<EncryptedGroupSecrets, Error> {
        let key = own.key_package.content.init_key.as_slice();
        Ok(EncryptedGroupSecrets {
            new_member: own.key_package.reference(suite)?.into(),
            encrypted_group_secrets: suite.encrypt_with_label(key, LABEL, &info, &secrets)?,
        })
    };
    let other = OwnKeyPackage::generate(suite, b"another new member")?;
    let own = OwnKeyPackage::generate(suite, b"new member")?;
    let welcome = WelcomeMessage {
        cipher_suite: suite.code_point,
        secrets: vec![invite(&other)?, invite(&own)?],
        encrypted_group_info: info.clone().into(),
    };
    Ok(vec![Welcome {
        cipher_suite: suite.code_point,
        init_priv: own.init_priv.into(),
        signer_pub: suite.signature_key(&signer.signature_priv)?.into(),
        key_package: MlsMessage::from(Body::KeyPackage(own.key_package))
            .tls_serialize_detached()?
            .into(),
        welcome: MlsMessage::from(Body::Welcome(welcome)).tls_serialize_detached()?.into(),
    }])
}
