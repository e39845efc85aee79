//! `key-schedule`: the secrets of consecutive epochs.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::key_schedule::Epoch;
use crate::mls::wire::GroupContext;
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct KeySchedule {
    pub cipher_suite: u16,
    pub group_id: Hex,
    pub initial_init_secret: Hex,
    pub epochs: Vec<EpochVector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EpochVector {
    pub tree_hash: Hex,
    pub commit_secret: Hex,
    pub psk_secret: Hex,
    pub confirmed_transcript_hash: Hex,
    pub group_context: Hex,
    pub joiner_secret: Hex,
    pub welcome_secret: Hex,
    pub init_secret: Hex,
    pub sender_data_secret: Hex,
    pub encryption_secret: Hex,
    pub exporter_secret: Hex,
    pub epoch_authenticator: Hex,
    pub external_secret: Hex,
    pub confirmation_key: Hex,
    pub membership_key: Hex,
    pub resumption_psk: Hex,
    pub external_pub: Hex,
    pub exporter: Exporter,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Exporter {
    pub label: String,
    pub context: Hex,
    pub length: u16,
    pub secret: Hex,
}

/// What the generator of an epoch chooses.
struct Chosen<'a> {
    group_id: &'a [u8],
    epoch: u64,
    tree_hash: &'a [u8],
    commit_secret: &'a [u8],
    psk_secret: &'a [u8],
    confirmed_transcript_hash: &'a [u8],
    label: &'a str,
    context: &'a [u8],
    length: u16,
}

impl EpochVector {
    /// Check and generator compute an epoch in the same way.
    fn compute(suite: &Suite<'_>, init: &[u8], it: &Chosen<'_>) -> Result<Self, Error> {
        let group_context = GroupContext::encode(
            suite,
            it.group_id,
            it.epoch,
            it.tree_hash,
            it.confirmed_transcript_hash,
        )?;
        let epoch = Epoch::new(suite, init, it.commit_secret, it.psk_secret, &group_context)?;
        Ok(Self {
            external_pub: epoch.external_key_pair(suite)?.public.into(),
            exporter: Exporter {
                label: it.label.to_owned(),
                context: it.context.into(),
                length: it.length,
                secret: epoch.export(suite, it.label, it.context, it.length.into())?.into(),
            },
            tree_hash: it.tree_hash.into(),
            commit_secret: it.commit_secret.into(),
            psk_secret: it.psk_secret.into(),
            confirmed_transcript_hash: it.confirmed_transcript_hash.into(),
            group_context: group_context.into(),
            joiner_secret: epoch.joiner_secret.into(),
            welcome_secret: epoch.welcome_secret.into(),
            init_secret: epoch.init_secret.into(),
            sender_data_secret: epoch.sender_data_secret.into(),
            encryption_secret: epoch.encryption_secret.into(),
            exporter_secret: epoch.exporter_secret.into(),
            epoch_authenticator: epoch.epoch_authenticator.into(),
            external_secret: epoch.external_secret.into(),
            confirmation_key: epoch.confirmation_key.into(),
            membership_key: epoch.membership_key.into(),
            resumption_psk: epoch.resumption_psk.into(),
        })
    }

    fn unless_equal(&self, found: &Self) -> Result<(), Failure> {
        let fields: [(&str, &Hex, &Hex); 14] = [
            ("group_context", &self.group_context, &found.group_context),
            ("joiner_secret", &self.joiner_secret, &found.joiner_secret),
            ("welcome_secret", &self.welcome_secret, &found.welcome_secret),
            ("init_secret", &self.init_secret, &found.init_secret),
            ("sender_data_secret", &self.sender_data_secret, &found.sender_data_secret),
            ("encryption_secret", &self.encryption_secret, &found.encryption_secret),
            ("exporter_secret", &self.exporter_secret, &found.exporter_secret),
            ("epoch_authenticator", &self.epoch_authenticator, &found.epoch_authenticator),
            ("external_secret", &self.external_secret, &found.external_secret),
            ("confirmation_key", &self.confirmation_key, &found.confirmation_key),
            ("membership_key", &self.membership_key, &found.membership_key),
            ("resumption_psk", &self.resumption_psk, &found.resumption_psk),
            ("external_pub", &self.external_pub, &found.external_pub),
            ("exporter.secret", &self.exporter.secret, &found.exporter.secret),
        ];
        fields
            .into_iter()
            .try_for_each(|(name, expected, found)| Failure::unless_equal(name, expected, found))
    }
}

impl Vector for KeySchedule {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let mut init = &self.initial_init_secret;
        for (number, it) in self.epochs.iter().enumerate() {
            let chosen = Chosen {
                group_id: &self.group_id,
                epoch: number as u64,
                tree_hash: &it.tree_hash,
                commit_secret: &it.commit_secret,
                psk_secret: &it.psk_secret,
                confirmed_transcript_hash: &it.confirmed_transcript_hash,
                label: &it.exporter.label,
                context: &it.exporter.context,
                length: it.exporter.length,
            };
            let parent = format!("epochs[{number}]");
            let found =
                EpochVector::compute(suite, init, &chosen).map_err(Failure::of(parent.as_str()))?;
            it.unless_equal(&found).map_err(|failure| failure.within(&parent))?;
            init = &it.init_secret;
        }
        Ok(())
    }
}

/// One vector of five epochs, every other one without a pre-shared key.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<KeySchedule>, Error> {
    let nh = suite.nh();
    let (group_id, initial_init_secret) = (suite.random(32)?, suite.random(nh)?);
    let mut epochs: Vec<EpochVector> = Vec::new();
    for epoch in 0..5 {
        let init = epochs.last().map_or(&initial_init_secret, |last| &last.init_secret.0);
        let psk_secret = if epoch % 2 == 0 { vec![0; nh] } else { suite.random(nh)? };
        let (tree_hash, commit_secret) = (suite.random(nh)?, suite.random(nh)?);
        let (transcript_hash, context) = (suite.random(nh)?, suite.random(32)?);
        let chosen = Chosen {
            group_id: &group_id,
            epoch,
            tree_hash: &tree_hash,
            commit_secret: &commit_secret,
            psk_secret: &psk_secret,
            confirmed_transcript_hash: &transcript_hash,
            label: &format!("exporter label {epoch}"),
            context: &context,
            length: 64,
        };
        epochs.push(EpochVector::compute(suite, init, &chosen)?);
    }
    Ok(vec![KeySchedule {
        cipher_suite: suite.code_point,
        group_id: group_id.into(),
        initial_init_secret: initial_init_secret.into(),
        epochs,
    }])
}
