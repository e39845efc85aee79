//! Messages.

use std::fmt;

use serde::Serialize;
use trellis_sdk::client::Entry;
use trellis_sdk::message::Delivery;
use trellis_sdk::{Address, Message, MessageId, Received, Sent};

use super::{local_time, short, short_address};
use crate::text::clean;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MessageRecord {
    /// The group.
    pub group: String,
    /// The message, 32 hexadecimal digits.
    pub message: String,
    /// Who wrote it.
    pub author: String,
    /// Whether this account did.
    pub mine: bool,
    /// When it was written, in milliseconds since 1970, by the author's clock.
    pub written: u64,
    /// When it came, by the own clock.
    pub received: u64,
    /// `text`, `reply`, `reaction`, `edit`, `delete`, `receipt`, `custom` or `other`.
    pub kind: &'static str,
    /// The message that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The text, or the reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The messages that a receipt is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// The name of a custom message's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a custom message has, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// How far it has come, if this device has sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryRecord>,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum DeliveryRecord {
    /// In the file.
    Queued,
    /// The network has it.
    Sent,
    /// So many other devices have it.
    Reached {
        /// How many.
        devices: u32,
        /// Of how many.
        of: u32,
    },
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentRecord {
    /// The group.
    pub group: String,
    /// The message, 32 hexadecimal digits.
    pub message: String,
    /// How far it has come.
    pub delivery: DeliveryRecord,
}

fn id(id: &MessageId) -> String {
    hex::encode(id.0)
}

impl MessageRecord {
    /// A message of the history.
    pub fn of(entry: &Entry, me: Address) -> Self {
        let delivery = entry.delivery.map(DeliveryRecord::of);
        Self { delivery, ..Self::received(&entry.message, me) }
    }

    /// A message that came in.
    pub fn received(received: &Received, me: Address) -> Self {
        let record = Self {
            group: hex::encode(received.group.0),
            message: id(&received.id),
            author: received.author.to_string(),
            mine: received.author == me,
            written: received.written.0,
            received: received.received.0,
            ..Self::default()
        };
        let about = |kind, to: &MessageId, text: Option<&String>| Self {
            kind,
            to: Some(id(to)),
            text: text.cloned(),
            ..record.clone()
        };
        match &received.message {
            Message::Text(text) => Self { kind: "text", text: Some(text.clone()), ..record },
            Message::Reply(to, text) => about("reply", to, Some(text)),
            Message::Reaction(to, text) => about("reaction", to, Some(text)),
            Message::Edit(to, text) => about("edit", to, Some(text)),
            Message::Delete(to) => about("delete", to, None),
            Message::Receipt(seen) => {
                Self { kind: "receipt", seen: seen.iter().map(id).collect(), ..record }
            }
            Message::Custom(name, content) => Self {
                kind: "custom",
                name: Some(name.clone()),
                content: Some(hex::encode(content)),
                ..record
            },
            _ => Self { kind: "other", ..record },
        }
    }
}

impl DeliveryRecord {
    /// What the SDK says.
    pub fn of(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Queued => Self::Queued,
            Delivery::Reached { devices, of } => Self::Reached { devices, of },
            // What a later release knows of is beyond the file.
            _ => Self::Sent,
        }
    }

    /// Whether all others have it.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Reached { devices, of } if devices >= of)
    }
}

impl SentRecord {
    /// Where a message stands.
    pub fn of(group: trellis_sdk::GroupId, sent: &Sent) -> Self {
        Self {
            group: hex::encode(group.0),
            message: id(&sent.id),
            delivery: DeliveryRecord::of(sent.delivery()),
        }
    }
}

impl fmt::Display for MessageRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let author = if self.mine { "you".to_owned() } else { short_address(&self.author) };
        write!(f, "{} {} {author}", local_time(self.written), short(&self.message))?;
        let to = self.to.as_deref().map(short).unwrap_or_default();
        let text = self.text.as_deref().map(clean).unwrap_or_default();
        match self.kind {
            "text" => write!(f, ": {text}")?,
            "reply" => write!(f, " to {to}: {text}")?,
            "reaction" if text.is_empty() => write!(f, " takes a reaction to {to} back")?,
            "reaction" => write!(f, " reacts to {to}: {text}")?,
            "edit" => write!(f, " edits {to}: {text}")?,
            "delete" => f.write_str(" has deleted this")?,
            "receipt" => write!(f, " has seen {}", self.seen.len())?,
            kind => write!(f, " ({kind})")?,
        }
        self.delivery.map_or(Ok(()), |delivery| write!(f, "  [{delivery}]"))
    }
}

impl fmt::Display for DeliveryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queued => f.write_str("queued"),
            Self::Sent => f.write_str("sent"),
            Self::Reached { devices, of } => write!(f, "{devices}/{of}"),
        }
    }
}

impl fmt::Display for SentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} {}", short(&self.message), self.delivery)
    }
}
