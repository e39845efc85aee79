//! What happens.

use std::fmt;

use serde::Serialize;
use trellis_sdk::{Address, Changed, Event};

use super::{ChangeRecord, DeliveryRecord, Record, role_name, short, short_address};
use crate::text::clean_line;

/// Something that has happened. Which fields there are depends on `event`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventRecord {
    /// Its kind: `delivery`, `joined`, `changed`, `rolled-back`, `verified`, `equivocation`, `split`,
    /// `healed`, `left`, `moved`, `revoked`, `restored`, `missed`, `disconnected`, `trouble`,
    /// `other`.
    pub event: &'static str,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What is different.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what: Vec<What>,
    /// The message that has come further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryRecord>,
    /// The group that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many events were missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// The code of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

/// What is different in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct What {
    /// `added`, `removed`, `came-over`, `renamed`, `role`, `policy`, `moving`, `staying` or `other`.
    pub change: &'static str,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
}

impl What {
    fn of(changed: &Changed) -> Self {
        let about = |change, account: &Address| Self {
            change,
            account: Some(account.to_string()),
            ..Self::default()
        };
        match changed {
            Changed::Added(account, _) => about("added", account),
            Changed::Removed(account, _) => about("removed", account),
            Changed::CameOver(account, _) => about("came-over", account),
            Changed::Renamed(name) => {
                Self { change: "renamed", name: Some(name.clone()), ..Self::default() }
            }
            Changed::Role(account, role) => {
                Self { role: Some(role_name(*role)), ..about("role", account) }
            }
            Changed::Policy(_) => Self { change: "policy", ..Self::default() },
            Changed::Moving(_) => Self { change: "moving", ..Self::default() },
            Changed::Staying => Self { change: "staying", ..Self::default() },
            _ => Self { change: "other", ..Self::default() },
        }
    }
}

impl EventRecord {
    /// What an event says, or the record of a message or a change if that is what it is.
    pub fn of(event: &Event, me: Address) -> Record {
        let kind = |event| Self { event, ..Self::default() };
        let hex = |id: &[u8]| Some(hex::encode(id));
        let text = |account: &Address| Some(account.to_string());
        Record::Event(match event {
            Event::Message(received) => {
                return Record::Message(Box::new(super::MessageRecord::received(received, me)));
            }
            Event::Progress { group, change, what, status } => {
                return Record::Change(ChangeRecord::new(*group, *change, what, *status));
            }
            Event::Delivery { group, message, delivery } => Self {
                group: hex(&group.0),
                message: hex(&message.0),
                delivery: Some(DeliveryRecord::of(*delivery)),
                ..kind("delivery")
            },
            Event::Joined { group, by } => {
                Self { group: hex(&group.0), by: by.as_ref().and_then(text), ..kind("joined") }
            }
            Event::Changed { group, by, what, .. } => Self {
                group: hex(&group.0),
                by: text(by),
                what: what.iter().map(What::of).collect(),
                ..kind("changed")
            },
            Event::RolledBack { group, by, what } => Self {
                group: hex(&group.0),
                by: text(by),
                what: what.iter().map(What::of).collect(),
                ..kind("rolled-back")
            },
            Event::Verified { group, account } => {
                Self { group: hex(&group.0), account: text(account), ..kind("verified") }
            }
            Event::Equivocation { group, account } => {
                Self { group: hex(&group.0), account: text(account), ..kind("equivocation") }
            }
            Event::Split { group } => Self { group: hex(&group.0), ..kind("split") },
            Event::Healed { group } => Self { group: hex(&group.0), ..kind("healed") },
            Event::Left { group, by } => {
                Self { group: hex(&group.0), by: by.as_ref().and_then(text), ..kind("left") }
            }
            Event::Moved { from, to } => {
                Self { group: hex(&from.0), to: hex(&to.0), ..kind("moved") }
            }
            Event::Revoked => kind("revoked"),
            Event::Restored { group, account, .. } => {
                Self { group: hex(&group.0), account: text(account), ..kind("restored") }
            }
            Event::Missed(number) => Self { missed: Some(*number), ..kind("missed") },
            Event::Disconnected => kind("disconnected"),
            Event::Trouble { code } => Self { code: Some(code), ..kind("trouble") },
            _ => kind("other"),
        })
    }
}

impl fmt::Display for EventRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{} ", short(group))?;
        }
        f.write_str(&self.sentence())
    }
}

impl EventRecord {
    /// What has happened, for people, without the group.
    pub fn sentence(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_sentence(&mut text);
        text
    }

    fn write_sentence(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str(match self.event {
            "delivery" => "delivered",
            "joined" => "you are in this group",
            "changed" => "changed",
            "rolled-back" => "taken back for another change that came first",
            "verified" => "verified",
            "equivocation" => "WARNING: told members different things",
            "split" => "the group was in two parts; going over to the other",
            "healed" => "the group is one again",
            "left" => "you are out of this group",
            "moved" => "goes on with other cryptography",
            "revoked" => "this device was revoked by its account",
            "restored" => "came back with a new device",
            "missed" => "events were missed",
            "disconnected" => "the network is gone for good",
            "trouble" => "something could not be dealt with and is tried again",
            other => other,
        })?;
        if let Some(delivery) = &self.delivery {
            let message = self.message.as_deref().map(short).unwrap_or_default();
            write!(f, " {message} [{delivery}]")?;
        }
        if let Some(account) = &self.account {
            write!(f, ": {}", short_address(account))?;
        }
        for (place, what) in self.what.iter().enumerate() {
            write!(f, "{}{what}", if place == 0 { ": " } else { ", " })?;
        }
        if let Some(by) = &self.by {
            let how = if self.event == "joined" { ", brought in by" } else { " by" };
            write!(f, "{how} {}", short_address(by))?;
        }
        if let Some(to) = &self.to {
            write!(f, " as {}", short(to))?;
        }
        if let Some(missed) = self.missed {
            write!(f, ": {missed}")?;
        }
        self.code.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.change)?;
        if let Some(account) = &self.account {
            write!(f, " {}", short_address(account))?;
        }
        if let Some(name) = &self.name {
            write!(f, " to {}", clean_line(name, 60))?;
        }
        self.role.map_or(Ok(()), |role| write!(f, " {role}"))
    }
}
