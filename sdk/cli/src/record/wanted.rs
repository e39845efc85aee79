//! What a change is to bring about.

use std::fmt;

use serde::Serialize;
use trellis_sdk::{Address, Wanted};

use super::{role_name, short, short_address};
use crate::text::clean_line;

/// What a change is to bring about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WantedRecord {
    /// `invite`, `remove`, `leave`, `rename`, `role`, `policy`, `rotate`, `migrate`, `add-device`,
    /// `remove-device` or `other`.
    pub kind: &'static str,
    /// The account that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The device that it is about, 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The new name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new role of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// The new cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
}

impl WantedRecord {
    pub fn of(wanted: &Wanted) -> Self {
        let kind = |kind| Self { kind, ..Self::default() };
        let about =
            |what, account: &Address| Self { account: Some(account.to_string()), ..kind(what) };
        match wanted {
            Wanted::Invite(account) => about("invite", account),
            Wanted::Remove(account) => about("remove", account),
            Wanted::Leave => kind("leave"),
            Wanted::Rename(name) => Self { name: Some(name.clone()), ..kind("rename") },
            Wanted::SetRole(account, role) => {
                Self { role: Some(role_name(*role)), ..about("role", account) }
            }
            Wanted::SetPolicy(_) => kind("policy"),
            Wanted::RotateKeys => kind("rotate"),
            Wanted::Migrate(suite) => Self { suite: Some(format!("{suite:?}")), ..kind("migrate") },
            Wanted::AddDevice(device) => {
                Self { device: Some(hex::encode(device.0)), ..kind("add-device") }
            }
            Wanted::RemoveDevice(device) => {
                Self { device: Some(hex::encode(device.0)), ..kind("remove-device") }
            }
            _ => kind("other"),
        }
    }
}

impl fmt::Display for WantedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            "policy" => "set the policy",
            "role" => "set the role of",
            "rotate" => "rotate the keys",
            "migrate" => "migrate to",
            "add-device" => "add the device",
            "remove-device" => "remove the device",
            "other" => "a change",
            other => other,
        })?;
        if let Some(account) = &self.account {
            write!(f, " {}", short_address(account))?;
        }
        if let Some(device) = &self.device {
            write!(f, " {}", short(device))?;
        }
        if let Some(name) = &self.name {
            write!(f, " to {}", clean_line(name, 60))?;
        }
        if let Some(role) = self.role {
            write!(f, " to {role}")?;
        }
        self.suite.as_ref().map_or(Ok(()), |suite| write!(f, " {suite}"))
    }
}

#[cfg(test)]
mod tests {
    use trellis_sdk::DeviceId;

    use super::*;

    #[test]
    fn a_change_is_told_in_words_and_in_fields() {
        for (wanted, text, json) in [
            (Wanted::Leave, "leave", r#"{"kind":"leave"}"#),
            (Wanted::RotateKeys, "rotate the keys", r#"{"kind":"rotate"}"#),
            (
                Wanted::Rename("orchard\u{1b}[2J".into()),
                "rename to orchard[2J",
                "{\"kind\":\"rename\",\"name\":\"orchard\\u001b[2J\"}",
            ),
        ] {
            let record = WantedRecord::of(&wanted);
            assert_eq!(record.to_string(), text);
            assert_eq!(serde_json::to_string(&record).unwrap(), json);
        }
        let device = WantedRecord::of(&Wanted::AddDevice(DeviceId([0xab; 32])));
        assert_eq!(device.device.as_deref(), Some("ab".repeat(32).as_str()));
        assert!(device.to_string().starts_with("add the device abab"));
    }
}
