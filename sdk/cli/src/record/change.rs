//! Changes that were asked for.

use std::fmt;

use serde::Serialize;
use trellis_sdk::{Change, ChangeStatus, GroupId, IntentId, Wanted};

use super::{WantedRecord, short};

/// A change that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeRecord {
    /// The group.
    pub group: String,
    /// The change, 32 hexadecimal digits.
    pub change: String,
    /// What it is to bring about.
    pub what: WantedRecord,
    /// `pending`, `applied`, `done` or `failed`.
    pub status: &'static str,
    /// Why it failed, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

impl ChangeRecord {
    /// Where a change stands.
    pub fn of(change: &Change) -> Self {
        Self::new(change.group(), change.id(), change.what(), change.status())
    }

    /// Where a change stands that an event tells of.
    pub fn new(group: GroupId, change: IntentId, what: &Wanted, status: ChangeStatus) -> Self {
        let (status, code) = match status {
            ChangeStatus::Applied => ("applied", None),
            ChangeStatus::Done => ("done", None),
            ChangeStatus::Failed(failed) => ("failed", Some(failed.code())),
            _ => ("pending", None),
        };
        let (group, change) = (hex::encode(group.0), hex::encode(change.0));
        Self { group, change, what: WantedRecord::of(what), status, code }
    }
}

impl fmt::Display for ChangeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.status {
            "applied" => "made; another change at the same moment may still come first",
            "done" => "made for good",
            "failed" => "failed",
            _ => "waits; it goes on whenever trellis runs",
        };
        write!(f, "{} ({}): {meaning}", self.what, short(&self.change))?;
        self.code.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}
