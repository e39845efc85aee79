//! The key schedule of HPKE, written out on plain primitives: `KeySchedule` of RFC 9180, section 5.1
//! for the two-stage functions, `CombineSecrets` with one stage of draft-ietf-hpke-hpke, section 5.1 for
//! SHAKE (draft-ietf-hpke-pq, section 5).

use shake::{ExtendableOutput, Shake128, Shake256, Update, XofReader};
use trellis_ciphersuites::hpke::HpkeSuite;
use trellis_ciphersuites::symmetric::{HashAlgorithm, KdfAlgorithm};

use crate::{Primitives, Psk, Refusal};

/// What a context is made of.
pub(super) struct Secrets {
    pub(super) key: Vec<u8>,
    pub(super) base_nonce: Vec<u8>,
    pub(super) exporter_secret: Vec<u8>,
}

/// How a KDF works.
enum Stages {
    Two(HashAlgorithm),
    One(fn(&[u8], &mut [u8])),
}

fn stages(kdf: KdfAlgorithm) -> Stages {
    match kdf {
        KdfAlgorithm::HkdfSha256 => Stages::Two(HashAlgorithm::Sha256),
        KdfAlgorithm::HkdfSha384 => Stages::Two(HashAlgorithm::Sha384),
        KdfAlgorithm::HkdfSha512 => Stages::Two(HashAlgorithm::Sha512),
        KdfAlgorithm::Shake128 => Stages::One(xof::<Shake128>),
        KdfAlgorithm::Shake256 => Stages::One(xof::<Shake256>),
    }
}

fn xof<X: Default + Update + ExtendableOutput>(input: &[u8], out: &mut [u8]) {
    let mut state = X::default();
    state.update(input);
    state.finalize_xof().read(out);
}

/// Key, base nonce and exporter secret of a shared secret.
pub(super) fn secrets(
    primitives: &dyn Primitives,
    suite: HpkeSuite,
    shared_secret: &[u8],
    info: &[u8],
    psk: Option<Psk<'_>>,
) -> Result<Secrets, Refusal> {
    let mode = u8::from(psk.is_some());
    let Psk { psk, psk_id } = psk.unwrap_or(Psk { psk: b"", psk_id: b"" });
    let (nk, nn, nh) = (suite.aead.key_len(), suite.aead.nonce_len(), suite.kdf.len());
    match stages(suite.kdf) {
        Stages::Two(hash) => {
            let suite_id = suite.suite_id();
            let kdf = TwoStage { primitives, hash, suite_id };
            let psk_id_hash = kdf.extract(b"", b"psk_id_hash", psk_id)?;
            let info_hash = kdf.extract(b"", b"info_hash", info)?;
            let context = [&[mode], &psk_id_hash[..], &info_hash].concat();
            let secret = kdf.extract(shared_secret, b"secret", psk)?;
            Ok(Secrets {
                key: kdf.expand(&secret, b"key", &context, nk)?,
                base_nonce: kdf.expand(&secret, b"base_nonce", &context, nn)?,
                exporter_secret: kdf.expand(&secret, b"exp", &context, nh)?,
            })
        }
        Stages::One(xof) => {
            let ikm = [prefixed(psk)?, prefixed(shared_secret)?].concat();
            let context = [vec![mode], prefixed(psk_id)?, prefixed(info)?].concat();
            let length = nk + nn + nh;
            let label = [&b"HPKE-v1"[..], &suite.suite_id(), &prefixed(b"secret")?].concat();
            let input = [&ikm[..], &label, &two_bytes(length)?, &context].concat();
            let mut key = vec![0; length];
            xof(&input, &mut key);
            let exporter_secret = key.split_off(nk + nn);
            let base_nonce = key.split_off(nk);
            Ok(Secrets { key, base_nonce, exporter_secret })
        }
    }
}

/// The nonce of a sequence number (RFC 9180, section 5.2, `ComputeNonce`).
pub(super) fn nonce(base: &[u8], sequence: u64) -> Vec<u8> {
    let mut nonce = base.to_vec();
    nonce.iter_mut().rev().zip(sequence.to_le_bytes()).for_each(|(byte, number)| *byte ^= number);
    nonce
}

/// `LabeledExtract` and `LabeledExpand` (RFC 9180, section 4).
struct TwoStage<'a> {
    primitives: &'a dyn Primitives,
    hash: HashAlgorithm,
    suite_id: [u8; 10],
}

impl TwoStage<'_> {
    fn extract(&self, salt: &[u8], label: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Refusal> {
        let labeled = [&b"HPKE-v1"[..], &self.suite_id, label, ikm].concat();
        self.primitives.extract(self.hash, salt, &labeled)
    }

    /// Nothing is expanded where nothing is wanted: the key of the export-only AEAD.
    fn expand(
        &self,
        prk: &[u8],
        label: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Refusal> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let number = two_bytes(length)?;
        let labeled = [&number, &b"HPKE-v1"[..], &self.suite_id, label, info].concat();
        self.primitives.expand(self.hash, prk, &labeled, length)
    }
}

/// `I2OSP(number, 2)`.
fn two_bytes(number: usize) -> Result<[u8; 2], Refusal> {
    u16::try_from(number).map(u16::to_be_bytes).map_err(|_| Refusal::Invalid("input-too-long"))
}

/// `lengthPrefixed(x)` of draft-ietf-hpke-hpke, section 4.
fn prefixed(x: &[u8]) -> Result<Vec<u8>, Refusal> {
    Ok([&two_bytes(x.len())?, x].concat())
}
