//! What a client wants of a group.

use std::fmt;

use openmls_traits::types::Ciphersuite;

use crate::engine::Intent;
use crate::{Address, DeviceId, Policy, Role};

/// What a [`Change`](super::Change) is to bring about.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// An account comes in, with all its devices.
    Invite(Address),
    /// An account goes out.
    Remove(Address),
    /// This account goes.
    Leave,
    /// The group has another name.
    Rename(String),
    /// An account has another role.
    SetRole(Address, Role),
    /// The group has other rules.
    SetPolicy(Policy),
    /// This device has new keys.
    RotateKeys,
    /// The group moves to another cipher suite.
    Migrate(Ciphersuite),
    /// A device comes in whose account is there. The client wants this by itself.
    AddDevice(DeviceId),
    /// A device of this account goes out, because it was revoked. The client wants this by itself.
    RemoveDevice(DeviceId),
}

impl From<Intent> for Wanted {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Invite(account) => Self::Invite(account),
            Intent::AddDevice(device) => Self::AddDevice(device),
            Intent::Remove(account) => Self::Remove(account),
            Intent::RemoveDevice(device) => Self::RemoveDevice(device),
            Intent::Leave => Self::Leave,
            Intent::Rename(name) => Self::Rename(name),
            Intent::SetRole(account, role) => Self::SetRole(account, role),
            Intent::SetPolicy(policy) => Self::SetPolicy(policy),
            Intent::Rotate => Self::RotateKeys,
            Intent::Migrate(suite) => Self::Migrate(suite),
        }
    }
}

/// Prints how long a name is and not the name.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invite(account) => write!(f, "Invite({account:?})"),
            Self::Remove(account) => write!(f, "Remove({account:?})"),
            Self::Leave => f.write_str("Leave"),
            Self::Rename(name) => write!(f, "Rename({} bytes)", name.len()),
            Self::SetRole(account, role) => write!(f, "SetRole({account:?}, {role:?})"),
            Self::SetPolicy(policy) => write!(f, "SetPolicy({policy:?})"),
            Self::RotateKeys => f.write_str("RotateKeys"),
            Self::Migrate(suite) => write!(f, "Migrate({suite:?})"),
            Self::AddDevice(device) => write!(f, "AddDevice({device:?})"),
            Self::RemoveDevice(device) => write!(f, "RemoveDevice({device:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_printed() {
        let wanted = Wanted::from(Intent::Rename("the garden behind the house".into()));
        assert_eq!(format!("{wanted:?}"), "Rename(27 bytes)");
    }
}
