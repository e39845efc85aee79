//! The check of a vector of HPKE: each value from those before it, then both contexts as a whole.

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, KdfAlgorithm};

use super::schedule::{nonce, secrets};
use super::{BASE, Encryption, HpkeVector, PSK};
use crate::kinds::Vector;
use crate::kinds::offered::Offered;
use crate::{Failure, HpkeContext, Primitives, Psk};

impl Vector for HpkeVector {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = self.suite()?;
        let psk = self.psk()?;
        Failure::unless_equal("suite_id", &self.suite_id, suite.suite_id())?;
        self.check_lengths(suite)?;
        self.check_schedule(primitives, suite, psk)?;

        let mut offered = Offered::default();
        self.check_keys(primitives, suite.kem, &mut offered)?;
        self.check_encapsulation(primitives, suite.kem, &mut offered)?;
        self.check_sender(primitives, suite, psk, &mut offered)?;
        self.check_receiver(primitives, suite, psk, &mut offered)?;
        offered.finish()
    }
}

impl HpkeVector {
    fn suite(&self) -> Result<HpkeSuite, Failure> {
        let Self { kem_id, kdf_id, aead_id, .. } = *self;
        let unknown = |what: &str, id: u16| Failure::Skipped(format!("{what} {id:#06x}"));
        Ok(HpkeSuite {
            kem: KemAlgorithm::from_id(kem_id).map_err(|_| unknown("KEM", kem_id))?,
            kdf: KdfAlgorithm::from_id(kdf_id).map_err(|_| unknown("KDF", kdf_id))?,
            aead: AeadAlgorithm::from_id(aead_id).map_err(|_| unknown("AEAD", aead_id))?,
        })
    }

    fn psk(&self) -> Result<Option<Psk<'_>>, Failure> {
        match (self.mode, &self.psk, &self.psk_id) {
            (BASE, None, None) => Ok(None),
            (BASE, ..) => Err(Failure::refused("psk", "not of base mode")),
            (PSK, Some(psk), Some(psk_id)) => Ok(Some(Psk { psk, psk_id })),
            (PSK, ..) => Err(Failure::refused("psk", "missing in PSK mode")),
            (mode, ..) => Err(Failure::Skipped(format!("mode {mode}"))),
        }
    }

    /// What a vector claims must be as long as the bytes that it gives, before anybody is asked for
    /// so many.
    fn check_lengths(&self, suite: HpkeSuite) -> Result<(), Failure> {
        for (number, export) in self.exports.iter().enumerate() {
            if export.exported_value.len() != export.L {
                let field = format!("exports[{number}].exported_value");
                return Err(Failure::refused(field, "does not have L bytes"));
            }
        }
        if suite.aead == AeadAlgorithm::ExportOnly && !self.encryptions.is_empty() {
            return Err(Failure::refused("encryptions", "the export-only AEAD has none"));
        }
        Ok(())
    }

    /// The key schedule, from the `shared_secret` of the vector on. It counts for nothing in the
    /// question whether an implementation has the algorithms.
    fn check_schedule(
        &self,
        primitives: &dyn Primitives,
        suite: HpkeSuite,
        psk: Option<Psk<'_>>,
    ) -> Result<(), Failure> {
        let mut apart = Offered::default();
        let computed = secrets(primitives, suite, &self.shared_secret, &self.info, psk);
        if let Some(secrets) = apart.take("shared_secret", computed)? {
            Failure::unless_equal("key", &self.key, secrets.key)?;
            Failure::unless_equal("base_nonce", &self.base_nonce, secrets.base_nonce)?;
            let secret = secrets.exporter_secret;
            Failure::unless_equal("exporter_secret", &self.exporter_secret, secret)?;
        }
        for (sequence, message) in (0..).zip(&self.encryptions) {
            let field = |name: &str| format!("encryptions[{sequence}].{name}");
            let nonce = nonce(&self.base_nonce, sequence);
            Failure::unless_equal(field("nonce"), &message.nonce, &nonce)?;
            let Encryption { aad, pt, ct, .. } = message;
            let sealed = primitives.aead_seal(suite.aead, &self.key, &nonce, aad, pt);
            if let Some(sealed) = apart.take(field("pt"), sealed)? {
                Failure::unless_equal(field("ct"), ct, sealed)?;
            }
        }
        Ok(())
    }

    fn check_keys(
        &self,
        primitives: &dyn Primitives,
        kem: KemAlgorithm,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        let derived = primitives.derive_key_pair(kem, &self.ikmR);
        if let Some(pair) = offered.take("ikmR", derived)? {
            Failure::unless_equal("skRm", &self.skRm, pair.private)?;
            Failure::unless_equal("pkRm", &self.pkRm, pair.public)?;
        }
        let public = primitives.public_key(kem, &self.skRm);
        if let Some(public) = offered.take("skRm", public)? {
            Failure::unless_equal("pkRm", &self.pkRm, public)?;
        }
        Ok(())
    }

    fn check_encapsulation(
        &self,
        primitives: &dyn Primitives,
        kem: KemAlgorithm,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        let received = primitives.decapsulate(kem, &self.skRm, &self.enc);
        if let Some(secret) = offered.take("enc", received)? {
            Failure::unless_equal("shared_secret", &self.shared_secret, secret)?;
        }
        let randomness = randomness(kem, &self.ikmE);
        let sent = primitives.encapsulate(kem, &self.pkRm, Some(&randomness));
        if let Some((enc, secret)) = offered.take("ikmE", sent)? {
            Failure::unless_equal("enc", &self.enc, enc)?;
            Failure::unless_equal("shared_secret", &self.shared_secret, secret)?;
        }
        Ok(())
    }

    fn check_sender(
        &self,
        primitives: &dyn Primitives,
        suite: HpkeSuite,
        psk: Option<Psk<'_>>,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        let randomness = randomness(suite.kem, &self.ikmE);
        let sender = primitives.hpke_sender(suite, &self.pkRm, &self.info, psk, Some(&randomness));
        let Some((enc, mut sender)) = offered.take("pkRm", sender)? else { return Ok(()) };
        Failure::unless_equal("enc", &self.enc, enc)?;
        for (number, message) in self.encryptions.iter().enumerate() {
            let field = |name: &str| format!("encryptions[{number}].{name}");
            let sealed = sender.seal(&message.aad, &message.pt);
            let Some(sealed) = offered.take(field("pt"), sealed)? else { break };
            Failure::unless_equal(field("ct"), &message.ct, sealed)?;
        }
        self.check_exports(&*sender, offered)
    }

    fn check_receiver(
        &self,
        primitives: &dyn Primitives,
        suite: HpkeSuite,
        psk: Option<Psk<'_>>,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        let receiver = primitives.hpke_receiver(suite, &self.enc, &self.skRm, &self.info, psk);
        let Some(mut receiver) = offered.take("enc", receiver)? else { return Ok(()) };
        for (number, message) in self.encryptions.iter().enumerate() {
            let field = |name: &str| format!("encryptions[{number}].{name}");
            let opened = receiver.open(&message.aad, &message.ct);
            let Some(opened) = offered.take(field("ct"), opened)? else { break };
            Failure::unless_equal(field("pt"), &message.pt, opened)?;
        }
        self.check_exports(&*receiver, offered)
    }

    fn check_exports(
        &self,
        context: &dyn HpkeContext,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        for (number, export) in self.exports.iter().enumerate() {
            let field = format!("exports[{number}].exported_value");
            let exported = context.export(&export.exporter_context, export.L);
            if let Some(exported) = offered.take(&*field, exported)? {
                Failure::unless_equal(field, &export.exported_value, exported)?;
            }
        }
        Ok(())
    }
}

/// The randomness of an encapsulation out of `ikmE`.
///
/// The published vectors of MLKEM768-P256 hold 128 bytes, a layout of an older draft with three
/// candidate scalars for the group where there are four today. The first candidate that is in range
/// counts, and theirs is the first of all; so the fourth is never looked at and may be zeros, which
/// are no scalar.
fn randomness(kem: KemAlgorithm, ikm: &[u8]) -> Vec<u8> {
    const OLDER: usize = 128;
    let mut randomness = ikm.to_vec();
    if kem == KemAlgorithm::MlKem768P256 && ikm.len() == OLDER {
        randomness.resize(kem.randomness_len(), 0);
    }
    randomness
}
