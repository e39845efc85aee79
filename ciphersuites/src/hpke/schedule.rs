//! The key schedule: `CombineSecrets` with one stage and with two (draft-ietf-hpke-hpke, section
//! 5.1; for two stages this is `KeySchedule` of RFC 9180).

use zeroize::Zeroizing;

use super::Hpke;
use crate::symmetric::{Labeled, Stages, labeled_derive, length_prefix};
use crate::{Error, Secret};

/// The longest output of a hash.
const MAX_HASH: usize = 64;

/// A pre-shared key and its identifier; both are empty in base mode.
#[derive(Clone, Copy)]
pub(super) struct Psk<'a> {
    key: &'a [u8],
    id: &'a [u8],
}

impl<'a> Psk<'a> {
    /// Base mode.
    pub(super) const NONE: Self = Self { key: b"", id: b"" };

    /// PSK mode. The key must have 32 bytes or more (RFC 9180, sections 5.1.2 and 9.5), the
    /// identifier one or more (section 5.1, `VerifyPSKInputs`).
    pub(super) fn new(key: &'a [u8], id: &'a [u8]) -> Result<Self, Error> {
        if key.len() < 32 || id.is_empty() { Err(Error::InvalidPsk) } else { Ok(Self { key, id }) }
    }

    /// The number of the mode.
    fn mode(self) -> u8 {
        u8::from(!self.key.is_empty())
    }
}

/// What the key schedule needs of `info`, computed once and used for any number of recipients.
#[derive(Clone)]
pub(super) enum Prepared<'a> {
    /// Two stages: `psk_id_hash` of the empty identifier, then `info_hash`.
    Hashed { base_psk_id_hash: [u8; MAX_HASH], info_hash: [u8; MAX_HASH] },
    /// One stage: `info` enters after the shared secret, so nothing can be done ahead.
    Plain(&'a [u8]),
}

impl<'a> Prepared<'a> {
    pub(super) fn new(hpke: &Hpke, info: &'a [u8]) -> Self {
        let Stages::Two(hash) = hpke.suite.kdf.stages() else { return Self::Plain(info) };
        let suite_id = hpke.suite.suite_id();
        let kdf = Labeled { hash: hash.engine(hpke.backend.primitives()), suite_id: &suite_id };
        let (mut base_psk_id_hash, mut info_hash) = ([0; MAX_HASH], [0; MAX_HASH]);
        kdf.extract(b"", b"psk_id_hash", b"", &mut base_psk_id_hash[..hash.len()]);
        kdf.extract(b"", b"info_hash", info, &mut info_hash[..hash.len()]);
        Self::Hashed { base_psk_id_hash, info_hash }
    }
}

/// The secrets of one encapsulation.
pub(super) enum Schedule {
    /// `secret` and `key_schedule_context`; keys are expanded from them when asked for.
    Two { secret: Zeroizing<[u8; MAX_HASH]>, context: Vec<u8> },
    /// Key, base nonce and exporter secret in a row.
    One(Secret),
}

impl Schedule {
    pub(super) fn new(
        hpke: &Hpke,
        prepared: &Prepared<'_>,
        shared_secret: &[u8],
        psk: Psk<'_>,
    ) -> Result<Self, Error> {
        let primitives = hpke.backend.primitives();
        let suite_id = hpke.suite.suite_id();
        match (hpke.suite.kdf.stages(), prepared) {
            (Stages::Two(hash), Prepared::Hashed { base_psk_id_hash, info_hash }) => {
                let (kdf, length) =
                    (Labeled { hash: hash.engine(primitives), suite_id: &suite_id }, hash.len());
                let mut psk_id_hash = *base_psk_id_hash;
                if psk.mode() != 0 {
                    kdf.extract(b"", b"psk_id_hash", psk.id, &mut psk_id_hash[..length]);
                }
                let context =
                    [&[psk.mode()], &psk_id_hash[..length], &info_hash[..length]].concat();
                let mut secret = Zeroizing::new([0; MAX_HASH]);
                kdf.extract(shared_secret, b"secret", psk.key, &mut secret[..length]);
                Ok(Self::Two { secret, context })
            }
            (Stages::One(xof), Prepared::Plain(info)) => {
                let aead = hpke.suite.aead;
                let length = aead.key_len() + aead.nonce_len() + hpke.suite.kdf.len();
                let mut out = Secret::zeroed(length);
                labeled_derive(
                    xof(primitives),
                    &suite_id,
                    &[
                        &length_prefix(psk.key)?,
                        psk.key,
                        &length_prefix(shared_secret)?,
                        shared_secret,
                    ],
                    b"secret",
                    &[&[psk.mode()], &length_prefix(psk.id)?, psk.id, &length_prefix(info)?, info],
                    out.as_mut(),
                )?;
                Ok(Self::One(out))
            }
            // `Prepared::new` asks the same KDF for its stages.
            _ => Err(Error::Unsupported),
        }
    }

    /// `key` (`Nk` bytes) and `base_nonce` (`Nn` bytes).
    pub(super) fn key_and_nonce(&self, hpke: &Hpke) -> Result<(Secret, Secret), Error> {
        let aead = hpke.suite.aead;
        let (key, nonce) = (aead.key_len(), aead.nonce_len());
        match self {
            Self::Two { .. } => {
                Ok((self.expand(hpke, b"key", key)?, self.expand(hpke, b"base_nonce", nonce)?))
            }
            Self::One(out) => Ok((out[..key].into(), out[key..key + nonce].into())),
        }
    }

    /// `exporter_secret` (`Nh` bytes).
    pub(super) fn exporter_secret(&self, hpke: &Hpke) -> Result<Secret, Error> {
        let length = hpke.suite.kdf.len();
        match self {
            Self::Two { .. } => self.expand(hpke, b"exp", length),
            Self::One(out) => Ok(out[out.len() - length..].into()),
        }
    }

    fn expand(&self, hpke: &Hpke, label: &[u8], length: usize) -> Result<Secret, Error> {
        let (Self::Two { secret, context }, Stages::Two(hash)) = (self, hpke.suite.kdf.stages())
        else {
            return Err(Error::Unsupported);
        };
        let suite_id = hpke.suite.suite_id();
        let kdf = Labeled { hash: hash.engine(hpke.backend.primitives()), suite_id: &suite_id };
        let mut out = Secret::zeroed(length);
        kdf.expand(&secret[..hash.len()], label, [context, b""], out.as_mut())?;
        Ok(out)
    }
}

/// `Context.Export(exporter_context, L)` (RFC 9180, section 5.3).
pub(super) fn export(
    hpke: &Hpke,
    exporter_secret: &[u8],
    context: &[u8],
    length: usize,
) -> Result<Secret, Error> {
    let primitives = hpke.backend.primitives();
    let suite_id = hpke.suite.suite_id();
    let most = match hpke.suite.kdf.stages() {
        Stages::Two(hash) => 255 * hash.len(),
        Stages::One(_) => usize::from(u16::MAX),
    };
    if length > most {
        return Err(Error::OutputTooLong);
    }
    let mut out = Secret::zeroed(length);
    match hpke.suite.kdf.stages() {
        Stages::Two(hash) => Labeled { hash: hash.engine(primitives), suite_id: &suite_id }
            .expand(exporter_secret, b"sec", [context, b""], out.as_mut())?,
        Stages::One(xof) => {
            labeled_derive(
                xof(primitives),
                &suite_id,
                &[exporter_secret],
                b"sec",
                &[context],
                out.as_mut(),
            )?;
        }
    }
    Ok(out)
}
