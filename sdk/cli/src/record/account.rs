//! The account and its devices.

use std::fmt;

use serde::Serialize;

/// This account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRecord {
    /// What people invite it by.
    pub address: String,
    /// This device, 64 hexadecimal digits.
    pub device: String,
}

impl AccountRecord {
    /// The account of a client.
    pub fn of(client: &trellis_sdk::Client) -> Self {
        Self { address: client.address().to_string(), device: hex::encode(client.device().0) }
    }
}

impl fmt::Display for AccountRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// A device of this account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRecord {
    /// The device, 64 hexadecimal digits.
    pub device: String,
    /// Whether it is this one.
    pub this: bool,
    /// Whether this device can approve and revoke others; told of this one alone.
    pub account_keys: Option<bool>,
}

impl fmt::Display for DeviceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.device)?;
        if self.this {
            f.write_str("  this device")?;
        }
        if self.account_keys == Some(true) {
            f.write_str(", approves and revokes others")?;
        }
        Ok(())
    }
}

/// A request of a new device to become an account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRequestRecord {
    /// Twenty digits that the other device has to show as well.
    pub code: String,
    /// What the account's first device approves.
    pub request: String,
}

impl fmt::Display for DeviceRequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request)
    }
}

/// An approval of a new device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalRecord {
    /// What the new device finishes with, in hexadecimal digits.
    pub approval: String,
}

impl fmt::Display for ApprovalRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.approval)
    }
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRecord {
    /// What it is: `backup`.
    pub what: &'static str,
    /// Where it is.
    pub path: String,
}

impl fmt::Display for FileRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} written to {}", self.what, crate::text::clean(&self.path))
    }
}
