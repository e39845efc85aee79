//! What is printed: one kind of record for each thing that there is to say. Names and shapes of the
//! JSON are in the README and stay as they are; further fields may come. As text, what others wrote is
//! clean.

mod account;
mod change;
mod event;
mod group;
mod message;
mod network;
mod step;
mod wanted;

use std::fmt;

use serde::Serialize;

pub use account::{AccountRecord, ApprovalRecord, DeviceRecord, DeviceRequestRecord, FileRecord};
pub use change::ChangeRecord;
pub use event::EventRecord;
#[cfg(test)]
pub use group::SecurityRecord;
pub use group::{GroupRecord, MemberRecord, role_name};
pub use message::{DeliveryRecord, MessageRecord, SentRecord};
pub use network::{Finding, Level, MailboxRecord, NetworkStatus, Peer, PeerRecord};
pub use step::StepRecord;
pub use wanted::WantedRecord;

use crate::failure::Failure;

/// A line of output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Record {
    /// This account.
    Account(AccountRecord),
    /// A group.
    Group(Box<GroupRecord>),
    /// A message.
    Message(Box<MessageRecord>),
    /// A message that was sent.
    Sent(SentRecord),
    /// A change that was asked for.
    Change(ChangeRecord),
    /// Something that has happened, other than a message.
    Event(EventRecord),
    /// A device of this account.
    Device(DeviceRecord),
    /// A request of a new device.
    DeviceRequest(DeviceRequestRecord),
    /// An approval of a new device.
    Approval(ApprovalRecord),
    /// A file that was written.
    File(FileRecord),
    /// The network.
    Network(NetworkStatus),
    /// What `doctor` has found.
    Finding(Finding),
    /// A step of the demonstration.
    Step(StepRecord),
    /// A failure.
    Error(ErrorRecord),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record: &dyn fmt::Display = match self {
            Self::Account(record) => record,
            Self::Group(record) => record,
            Self::Message(record) => record,
            Self::Sent(record) => record,
            Self::Change(record) => record,
            Self::Event(record) => record,
            Self::Device(record) => record,
            Self::DeviceRequest(record) => record,
            Self::Approval(record) => record,
            Self::File(record) => record,
            Self::Network(record) => record,
            Self::Finding(record) => record,
            Self::Step(record) => record,
            Self::Error(record) => record,
        };
        record.fmt(f)
    }
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorRecord {
    /// What stays the same from release to release.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Whether the same may succeed later.
    pub retryable: bool,
    /// What a process with this failure ends with.
    pub exit: u8,
}

impl ErrorRecord {
    /// What a failure says.
    pub fn of(failure: &Failure) -> Self {
        Self {
            code: failure.code(),
            message: failure.explain(),
            retryable: failure.is_retryable(),
            exit: failure.exit_code(),
        }
    }
}

impl fmt::Display for ErrorRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", crate::text::clean(&self.message), self.code)
    }
}

/// The beginning of an identifier, enough for people to tell one from another.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The beginning of an address, with what all have in common.
pub fn short_address(address: &str) -> String {
    format!("{}…", address.get(..16).unwrap_or(address))
}

/// A moment as the user's clock shows it.
pub fn local_time(millis: u64) -> String {
    time_in(millis, "%Y-%m-%d %H:%M:%S", &jiff::tz::TimeZone::system())
}

/// A moment in a format of `strftime`; a question mark for a number that is no moment.
pub fn time_in(millis: u64, format: &str, zone: &jiff::tz::TimeZone) -> String {
    let moment = i64::try_from(millis).ok();
    let moment = moment.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    moment.map_or_else(
        || "?".to_owned(),
        |moment| moment.to_zoned_datetime(zone.clone()).strftime(format).to_string(),
    )
}
