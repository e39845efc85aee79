//! The key schedule (RFC 9420, section 8).

use super::wire::{PreSharedKeyId, PskType};
use super::{Error, Suite};
use crate::KeyPair;
use tls_codec::{Serialize as _, TlsSerialize, TlsSize};

/// The secrets of an epoch.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Epoch {
    pub joiner_secret: Vec<u8>,
    pub welcome_secret: Vec<u8>,
    pub init_secret: Vec<u8>,
    pub sender_data_secret: Vec<u8>,
    pub encryption_secret: Vec<u8>,
    pub exporter_secret: Vec<u8>,
    pub epoch_authenticator: Vec<u8>,
    pub external_secret: Vec<u8>,
    pub confirmation_key: Vec<u8>,
    pub membership_key: Vec<u8>,
    pub resumption_psk: Vec<u8>,
}

impl Epoch {
    /// The epoch that follows `init_secret` (figure 22).
    pub fn new(
        suite: &Suite<'_>,
        init_secret: &[u8],
        commit_secret: &[u8],
        psk_secret: &[u8],
        group_context: &[u8],
    ) -> Result<Self, Error> {
        let joiner = suite.extract(init_secret, commit_secret)?;
        let joiner = suite.expand_with_label(&joiner, "joiner", group_context, suite.nh())?;
        Self::from_joiner_secret(suite, joiner, psk_secret, group_context)
    }

    /// The epoch that a Welcome leads to.
    pub fn from_joiner_secret(
        suite: &Suite<'_>,
        joiner_secret: Vec<u8>,
        psk_secret: &[u8],
        group_context: &[u8],
    ) -> Result<Self, Error> {
        let member = suite.extract(&joiner_secret, psk_secret)?;
        let welcome_secret = suite.derive_secret(&member, "welcome")?;
        let epoch = suite.expand_with_label(&member, "epoch", group_context, suite.nh())?;
        let derive = |label| suite.derive_secret(&epoch, label);
        Ok(Self {
            joiner_secret,
            welcome_secret,
            init_secret: derive("init")?,
            sender_data_secret: derive("sender data")?,
            encryption_secret: derive("encryption")?,
            exporter_secret: derive("exporter")?,
            epoch_authenticator: derive("authentication")?,
            external_secret: derive("external")?,
            confirmation_key: derive("confirm")?,
            membership_key: derive("membership")?,
            resumption_psk: derive("resumption")?,
        })
    }

    /// The key pair for external commits (section 8.3).
    pub fn external_key_pair(&self, suite: &Suite<'_>) -> Result<KeyPair, Error> {
        suite.derive_key_pair(&self.external_secret)
    }

    /// `MLS-Exporter(label, context, length)` (section 8.5).
    pub fn export(
        &self,
        suite: &Suite<'_>,
        label: &str,
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        let secret = suite.derive_secret(&self.exporter_secret, label)?;
        suite.expand_with_label(&secret, "exported", &suite.hash(context)?, length)
    }
}

/// Key and nonce for the GroupInfo in a Welcome (section 12.4.3.1).
pub fn welcome_key(suite: &Suite<'_>, welcome_secret: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let sizes = suite.suite.sizes();
    Ok((
        suite.expand_with_label(welcome_secret, "key", b"", sizes.aead_key)?,
        suite.expand_with_label(welcome_secret, "nonce", b"", sizes.aead_nonce)?,
    ))
}

#[derive(TlsSize, TlsSerialize)]
struct PskLabel {
    id: PreSharedKeyId,
    index: u16,
    count: u16,
}

/// An external pre-shared key: identifier, nonce, key.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct ExternalPsk<'a> {
    pub psk_id: &'a [u8],
    pub psk_nonce: &'a [u8],
    pub psk: &'a [u8],
}

/// The secret of several pre-shared keys; zeros for none (section 8.4).
pub fn psk_secret(suite: &Suite<'_>, psks: &[ExternalPsk<'_>]) -> Result<Vec<u8>, Error> {
    let count = u16::try_from(psks.len()).map_err(|_| Error::Rule("over 65,535 keys"))?;
    let zeros = vec![0; suite.nh()];
    let mut secret = zeros.clone();
    for (index, psk) in (0..count).zip(psks) {
        let id = PreSharedKeyId {
            psk: PskType::External(psk.psk_id.into()),
            psk_nonce: psk.psk_nonce.into(),
        };
        let label = PskLabel { id, index, count }.tls_serialize_detached()?;
        let extracted = suite.extract(&zeros, psk.psk)?;
        let input = suite.expand_with_label(&extracted, "derived psk", &label, suite.nh())?;
        secret = suite.extract(&input, &secret)?;
    }
    Ok(secret)
}
