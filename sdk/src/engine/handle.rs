//! What handles on messages ask for.

use super::Engine;
use super::io::EngineError;
use crate::message::Delivery;
use crate::store::MessageRow;
use crate::{GroupId, MessageId};

impl Engine {
    /// How far a message of one's own has come.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoMessage`] if there is none or it is another's, and those of the store.
    pub fn delivery(&self, group: GroupId, message: MessageId) -> Result<Delivery, EngineError> {
        let row = self.core.store.message_get(group, message)?;
        row.as_ref().and_then(delivery_of).ok_or(EngineError::NoMessage)
    }
}

/// How far a message in the history has come, as `speak` has written it; nothing for that of another.
pub(crate) fn delivery_of(row: &MessageRow) -> Option<Delivery> {
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_be_bytes);
    row.own.then(|| match row.delivery.split_first() {
        Some((1, [])) => Some(Delivery::Sent),
        Some((2, numbers)) if numbers.len() == 8 => {
            Some(Delivery::Reached { devices: number(&numbers[..4])?, of: number(&numbers[4..])? })
        }
        _ => Some(Delivery::Queued),
    })?
}
