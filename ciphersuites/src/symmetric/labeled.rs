//! The labelled derivations of HPKE (RFC 9180, section 4; draft-ietf-hpke-hpke, section 4).

use crate::Error;
use crate::backend::{Hash, Xof};

const VERSION: &[u8] = b"HPKE-v1";

/// A two-stage function bound to a `suite_id`.
#[derive(Clone, Copy)]
pub(crate) struct Labeled<'a> {
    pub(crate) hash: &'static dyn Hash,
    pub(crate) suite_id: &'a [u8],
}

impl Labeled<'_> {
    /// `LabeledExtract(salt, label, ikm)`; `out` has the length of the hash.
    pub(crate) fn extract(&self, salt: &[u8], label: &[u8], ikm: &[u8], out: &mut [u8]) {
        self.hash.hmac(salt, &[VERSION, self.suite_id, label, ikm], out);
    }

    /// `LabeledExpand(prk, label, info, L)` with `L = out.len()`; `info` is a list of parts.
    pub(crate) fn expand(
        &self,
        prk: &[u8],
        label: &[u8],
        info: [&[u8]; 2],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let length = u16::try_from(out.len()).map_err(|_| Error::OutputTooLong)?.to_be_bytes();
        self.hash.expand(prk, &[&length, VERSION, self.suite_id, label, info[0], info[1]], out)
    }
}

/// `LabeledDerive(ikm, label, context, L)` of a one-stage function, `L = out.len()`;
/// `ikm` and `context` are lists of parts.
pub(crate) fn labeled_derive(
    xof: &dyn Xof,
    suite_id: &[u8],
    ikm: &[&[u8]],
    label: &[u8],
    context: &[&[u8]],
    out: &mut [u8],
) -> Result<(), Error> {
    let length = u16::try_from(out.len()).map_err(|_| Error::OutputTooLong)?.to_be_bytes();
    let label_length = length_prefix(label)?;
    let middle: [&[u8]; 5] = [VERSION, suite_id, &label_length, label, &length];
    let parts: Vec<&[u8]> = ikm.iter().chain(&middle).chain(context).copied().collect();
    xof.digest(&parts, out);
    Ok(())
}

/// `I2OSP(len(x), 2)`, the first half of `lengthPrefixed(x)`.
pub(crate) fn length_prefix(x: &[u8]) -> Result<[u8; 2], Error> {
    u16::try_from(x.len()).map(u16::to_be_bytes).map_err(|_| Error::InputTooLong)
}
