//! What a node of the table decides of a record that it is given.

use openmls_trellis_crypto::TrellisCrypto;

use super::place::{choices, key};
use super::{DirectoryError, Record, VerifiedRecord};
use crate::Time;

/// Whether a value is a record that belongs under a key of the table, and is to replace the one that is
/// kept there, if there is one. The same one again is good as long as it holds.
///
/// What costs least is looked at first. `kept` has been judged before, when it came.
///
/// # Errors
///
/// [`DirectoryError`].
pub fn judge(
    crypto: &TrellisCrypto,
    now: Time,
    place: &[u8],
    value: &[u8],
    kept: Option<&[u8]>,
) -> Result<(), DirectoryError> {
    let record = Record::decode(value)?;
    record.check_time(now)?;
    check_place(crypto, &record, place)?;
    if let Some(kept) = kept {
        if kept == value {
            return Ok(());
        }
        if let Ok(kept) = Record::decode(kept)
            && kept.check_time(now).is_ok()
        {
            if kept.device(crypto) != record.device(crypto) {
                return Err(DirectoryError::Occupied);
            }
            if record.made() <= kept.made() {
                return Err(DirectoryError::Stale);
            }
        }
    }
    record.verify(crypto).map(drop)
}

fn check_place(
    crypto: &TrellisCrypto,
    record: &Record,
    place: &[u8],
) -> Result<(), DirectoryError> {
    let topic = record.topic(crypto);
    let slots = choices(&record.device(crypto));
    let there = slots.iter().any(|slot| key(crypto, &topic, *slot) == place);
    if there { Ok(()) } else { Err(DirectoryError::Place) }
}

/// A record that was found under a key of the table, if it is one that holds there.
pub(super) fn found(
    crypto: &TrellisCrypto,
    now: Time,
    place: &[u8],
    value: &[u8],
) -> Result<VerifiedRecord, DirectoryError> {
    let record = Record::decode(value)?;
    record.check_time(now)?;
    check_place(crypto, &record, place)?;
    record.verify(crypto)
}
