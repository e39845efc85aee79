//! What happens, as users of a client are told.

use super::{ChangeStatus, Error, Wanted};
use crate::engine::{self, Changed};
use crate::message::{Delivery, Received};
use crate::{Address, DeviceId, GroupId, IntentId, MessageId, Time};

/// Something that has happened. It prints neither names of groups nor what is said, so it may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message of another member, or of another device of this account.
    Message(Received),
    /// A message of one's own has come further.
    Delivery {
        /// The group.
        group: GroupId,
        /// The message.
        message: MessageId,
        /// How far it has come.
        delivery: Delivery,
    },
    /// This client is in a group that it was not in before.
    Joined {
        /// The group.
        group: GroupId,
        /// Who invited it; nobody, if this client founded the group, or has come back into it.
        by: Option<Address>,
    },
    /// Somebody, maybe this client, has changed a group.
    Changed {
        /// The group.
        group: GroupId,
        /// Who did.
        by: Address,
        /// When it reached this client.
        at: Time,
        /// What is different now; nothing if only keys were renewed.
        what: Vec<Changed>,
    },
    /// What an earlier [`Changed`](Self::Changed) told holds no longer: two members had changed the
    /// group at the same moment, and the other change comes first. Whoever wanted this one makes it
    /// again if it still makes sense.
    RolledBack {
        /// The group.
        group: GroupId,
        /// Who had made the change.
        by: Address,
        /// What it had been.
        what: Vec<Changed>,
    },
    /// A change that this client wants has come further, or has fallen back.
    Progress {
        /// The group.
        group: GroupId,
        /// Which.
        change: IntentId,
        /// What it is to bring about.
        what: Wanted,
        /// How far it has come.
        status: ChangeStatus,
    },
    /// A member who was unverified is known to be who the address says.
    Verified {
        /// The group.
        group: GroupId,
        /// Who.
        account: Address,
    },
    /// A member told two parts of the group different things, which an honest client never does.
    Equivocation {
        /// The group.
        group: GroupId,
        /// Who.
        account: Address,
    },
    /// The group has been in two parts for long, and this client is in the smaller one. It is going
    /// over to the other.
    Split {
        /// The group.
        group: GroupId,
    },
    /// This client has come over.
    Healed {
        /// The group.
        group: GroupId,
    },
    /// This client is in the group no longer.
    Left {
        /// The group.
        group: GroupId,
        /// Who removed it; nobody, if it left.
        by: Option<Address>,
    },
    /// The group goes on as another one, with other cryptography.
    Moved {
        /// The group that ended.
        from: GroupId,
        /// The one that goes on.
        to: GroupId,
    },
    /// This device was revoked by its account, and takes part in nothing any more. What was said
    /// before stays readable. It is told again each time the client is opened.
    Revoked,
    /// A member lost a device and has come back with another. A client that may invite brings it in by
    /// itself.
    Restored {
        /// The group.
        group: GroupId,
        /// Whose device it is.
        account: Address,
        /// The new device.
        device: DeviceId,
    },
    /// Events were not read in time, and so many were dropped. They came before the next one. What
    /// they told can be read from the history and the groups.
    Missed(u64),
    /// The transport is closed for good. The client goes on without a network.
    Disconnected,
    /// Something that came in or was due could not be dealt with, because the store failed. The
    /// client tries again.
    Trouble {
        /// What [`Error::code`] says of it.
        code: &'static str,
    },
}

impl Event {
    /// What the engine tells, without what only it needs.
    pub(super) fn from_engine(event: engine::Event) -> Self {
        use engine::Event as Inner;
        match event {
            Inner::Message(received) => Self::Message(received),
            Inner::Delivery { group, message, delivery } => {
                Self::Delivery { group, message, delivery }
            }
            Inner::Joined { group, by } => Self::Joined { group, by },
            Inner::Changed { group, change } => {
                Self::Changed { group, by: change.by, at: change.at, what: change.what }
            }
            Inner::RolledBack { group, change } => {
                Self::RolledBack { group, by: change.by, what: change.what }
            }
            Inner::Intent { group, intent, what, outcome } => {
                Self::Progress { group, change: intent, what: what.into(), status: outcome.into() }
            }
            Inner::Verified { group, account } => Self::Verified { group, account },
            Inner::Equivocation { group, account } => Self::Equivocation { group, account },
            Inner::Split { group } => Self::Split { group },
            Inner::Healed { group } => Self::Healed { group },
            Inner::Out { group, by } => Self::Left { group, by },
            Inner::Migrated { from, to } => Self::Moved { from, to },
            Inner::Revoked => Self::Revoked,
            Inner::Restored { group, account, device } => Self::Restored { group, account, device },
        }
    }

    pub(super) fn trouble(error: &Error) -> Self {
        Self::Trouble { code: error.code() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_no_name_of_a_group() {
        let (group, by) = (GroupId([1; 32]), Address([2; 32]));
        let what = vec![Changed::Renamed("orchard".into())];
        let event = Event::Changed { group, by, at: Time(0), what };
        let shown = format!("{event:?}");
        assert!(shown.starts_with("Changed { group: GroupId:"), "{shown}");
        assert!(shown.contains("7 bytes") && !shown.contains("orchard"), "{shown}");
    }
}
