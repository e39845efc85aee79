//! How vectors of HPKE are made: every combination of KEM, KDF and AEAD of the post-quantum suites,
//! in both modes, with and without an `info`.

use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::{CipherSuite, Protection};

use super::schedule::{nonce, secrets};
use super::{BASE, Encryption, Export, HpkeVector, PSK};
use crate::kinds::kem::stem;
use crate::{Failure, Hex, HpkeContext, Primitives, Psk, Randomness};

/// An `info`, other than the empty one.
const INFO: &[u8] = b"trellis-vectors: the info of an application";

/// Lengths of associated data and plaintext of the messages.
const MESSAGES: [(usize, usize); 4] = [(0, 0), (0, 23), (11, 0), (32, 64)];

/// Lengths of the exporter contexts and of what is exported.
const EXPORTS: [(usize, usize); 4] = [(0, 32), (0, 1), (16, 32), (48, 64)];

/// Bytes of a pre-shared key and of its identifier.
const PSK_LENGTHS: (usize, usize) = (32, 16);

/// One file for each KEM: its KDFs and AEADs in the order of the suites, each in base mode and in
/// PSK mode, each without and with an `info`.
///
/// # Errors
///
/// What `primitives` refuse.
pub fn generate(
    primitives: &dyn Primitives,
    randomness: &Randomness,
) -> Result<Vec<(String, Vec<HpkeVector>)>, Failure> {
    let mut files: Vec<(String, Vec<HpkeVector>)> = Vec::new();
    for suite in triples() {
        let name = stem(suite.kem);
        let part = randomness.part(&hex::encode(suite.suite_id()));
        let mut vectors = Vec::new();
        for mode in [BASE, PSK] {
            for info in [&b""[..], INFO] {
                vectors.push(make(primitives, &part, suite, mode, info)?);
            }
        }
        match files.iter_mut().find(|(file, _)| *file == name) {
            Some((_, file)) => file.extend(vectors),
            None => files.push((name, vectors)),
        }
    }
    Ok(files)
}

fn make(
    primitives: &dyn Primitives,
    randomness: &Randomness,
    suite: HpkeSuite,
    mode: u8,
    info: &[u8],
) -> Result<HpkeVector, Failure> {
    let kem = suite.kem;
    let (psk, psk_id) = match mode {
        PSK => (Some(randomness.bytes(PSK_LENGTHS.0)), Some(randomness.bytes(PSK_LENGTHS.1))),
        _ => (None, None),
    };
    let both = psk.as_deref().zip(psk_id.as_deref()).map(|(psk, psk_id)| Psk { psk, psk_id });
    let recipient = randomness.bytes(kem.private_key_len());
    let ephemeral = randomness.bytes(kem.randomness_len());

    let pair = primitives.derive_key_pair(kem, &recipient).map_err(Failure::of("ikmR"))?;
    let (enc, shared_secret) =
        primitives.encapsulate(kem, &pair.public, Some(&ephemeral)).map_err(Failure::of("ikmE"))?;
    let secrets = secrets(primitives, suite, &shared_secret, info, both)
        .map_err(Failure::of("shared_secret"))?;
    let (_, mut sender) = primitives
        .hpke_sender(suite, &pair.public, info, both, Some(&ephemeral))
        .map_err(Failure::of("pkRm"))?;

    let encryptions = encryptions(&mut *sender, randomness, &secrets.base_nonce)?;
    let exports = exports(&*sender, randomness)?;
    Ok(HpkeVector {
        mode,
        kem_id: kem.id(),
        kdf_id: suite.kdf.id(),
        aead_id: suite.aead.id(),
        info: info.into(),
        ikmE: ephemeral.into(),
        ikmR: recipient.into(),
        skRm: pair.private.into(),
        pkRm: pair.public.into(),
        psk: psk.map(Hex),
        psk_id: psk_id.map(Hex),
        enc: enc.into(),
        shared_secret: shared_secret.into(),
        suite_id: suite.suite_id().into(),
        key: secrets.key.into(),
        base_nonce: secrets.base_nonce.into(),
        exporter_secret: secrets.exporter_secret.into(),
        encryptions,
        exports,
    })
}

fn encryptions(
    sender: &mut dyn HpkeContext,
    randomness: &Randomness,
    base_nonce: &[u8],
) -> Result<Vec<Encryption>, Failure> {
    let mut encryptions = Vec::new();
    for (sequence, (aad, pt)) in (0..).zip(MESSAGES) {
        let (aad, pt) = (randomness.bytes(aad), randomness.bytes(pt));
        let ct = sender.seal(&aad, &pt).map_err(Failure::of("ct"))?.into();
        let nonce = nonce(base_nonce, sequence).into();
        encryptions.push(Encryption { aad: aad.into(), ct, nonce, pt: pt.into() });
    }
    Ok(encryptions)
}

fn exports(sender: &dyn HpkeContext, randomness: &Randomness) -> Result<Vec<Export>, Failure> {
    let mut exports = Vec::new();
    for (context, length) in EXPORTS {
        let context = randomness.bytes(context);
        let exported = sender.export(&context, length).map_err(Failure::of("exported_value"))?;
        let (exporter_context, exported_value) = (context.into(), exported.into());
        exports.push(Export { exporter_context, L: length, exported_value });
    }
    Ok(exports)
}

/// The distinct combinations of the post-quantum suites.
fn triples() -> Vec<HpkeSuite> {
    let mut triples = Vec::new();
    for suite in CipherSuite::all() {
        let triple = suite.hpke();
        if suite.confidentiality() != Protection::Classical && !triples.contains(&triple) {
            triples.push(triple);
        }
    }
    triples
}
