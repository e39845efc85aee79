//! What goes into the engine and what comes out.

use std::fmt;

use openmls_traits::types::Ciphersuite;

use crate::message::{Delivery, MessageError, Received};
use crate::policy::{Policy, Role};
use crate::transport::{Deposit, Keep, KeepFor};
use crate::{Address, DeviceId, GroupId, IntentId, MessageId, StateId, Time, Topic};

/// A change that a user wants. It is kept until it has happened, has become pointless, or has
/// failed for a reason that is told; a crash or a partition does not lose it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intent {
    /// Bring all devices of an account in; of the own account, those that are not in yet.
    Invite(Address),
    /// Bring one device in whose account is in the group: a new one of the own account, or one of
    /// another that came back from a backup. The account's revoked devices go out as it comes in,
    /// where the rules allow that.
    AddDevice(DeviceId),
    /// Put all devices of an account out.
    Remove(Address),
    /// Put one device of the own account out, because it was revoked.
    RemoveDevice(DeviceId),
    /// Go.
    Leave,
    /// Give the group another name.
    Rename(String),
    /// Give an account another role.
    SetRole(Address, Role),
    /// Give the group other rules.
    SetPolicy(Policy),
    /// Replace the own keys.
    Rotate,
    /// Move the group to another cipher suite; to the one that it has, call back a move that has
    /// been decided and does not come about.
    Migrate(Ciphersuite),
}

/// Prints how long a name is and not the name.
impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invite(account) => write!(f, "Invite({account:?})"),
            Self::AddDevice(device) => write!(f, "AddDevice({device:?})"),
            Self::Remove(account) => write!(f, "Remove({account:?})"),
            Self::RemoveDevice(device) => write!(f, "RemoveDevice({device:?})"),
            Self::Leave => f.write_str("Leave"),
            Self::Rename(name) => write!(f, "Rename({} bytes)", name.len()),
            Self::SetRole(account, role) => write!(f, "SetRole({account:?}, {role:?})"),
            Self::SetPolicy(policy) => write!(f, "SetPolicy({policy:?})"),
            Self::Rotate => f.write_str("Rotate"),
            Self::Migrate(suite) => write!(f, "Migrate({suite:?})"),
        }
    }
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is waiting for its turn, for a key package, or for the network.
    Pending,
    /// A commit with it is on the canonical chain, and may still be rolled back.
    Applied,
    /// It is in a final state, or the group is that way already.
    Done,
    /// It can't happen.
    Failed(Failure),
}

/// Why an intent can't happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The group's policy does not let this account do it.
    NotAllowed,
    /// This client was no longer in the group before it was certain.
    NotInGroup,
    /// No key package of the account could be got.
    NoKeyPackage,
    /// Members lack the suite, or the policy refuses it.
    Suite,
    /// It would leave the group without an owner.
    LastOwner,
    /// The group has moved to a successor. Leaving goes on there by itself.
    Migrated,
    /// The account is not in the group.
    NoSuchMember,
    /// The device was revoked by its account.
    Revoked,
    /// Another member called the move back, or his client did because nobody carried it out.
    CalledBack,
}

/// What the engine asks its caller to do. Everything that has to outlive a crash is in the store
/// already and is asked for again after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Give bytes to the transport. With a ticket, tell the engine when the transport has them.
    Publish {
        /// Where to.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
        /// To be handed to `Engine::published`.
        ticket: Option<u64>,
    },
    /// Listen to a topic from now on.
    Subscribe(Topic),
    /// Listen no longer.
    Unsubscribe(Topic),
    /// Ask whoever listens to a topic; each of them may answer.
    Ask {
        /// Whom.
        topic: Topic,
        /// What.
        question: Vec<u8>,
    },
    /// Answer a question.
    Answer {
        /// The number that came with the question.
        asker: u64,
        /// The answer.
        answer: Vec<u8>,
    },
    /// Have a topic kept while this device is away.
    Keep(Keep),
    /// Have a topic kept for others, who may be away.
    KeepFor(KeepFor),
    /// Leave key packages with who keeps them for this device.
    Deposit(Deposit),
    /// Put a record into the directory.
    Announce(Vec<u8>),
    /// Tell the user.
    Event(Event),
}

/// What a user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message of another member, or of another device of this account.
    Message(Received),
    /// What became of a message of one's own.
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
        /// Who invited it; nobody, if it founded the group, or has come back into it.
        by: Option<Address>,
    },
    /// A change of the group has been made, by whoever. It may still be rolled back.
    Changed {
        /// The group.
        group: GroupId,
        /// What.
        change: Change,
    },
    /// A change that had been reported has been taken back, because another came before it.
    RolledBack {
        /// The group.
        group: GroupId,
        /// What.
        change: Change,
    },
    /// What became of an intent of one's own.
    Intent {
        /// The group.
        group: GroupId,
        /// Which.
        intent: IntentId,
        /// What it is.
        what: Intent,
        /// What became of it.
        outcome: Outcome,
    },
    /// The keys of a member that was unverified are now known to be its account's.
    Verified {
        /// The group.
        group: GroupId,
        /// Whose.
        account: Address,
    },
    /// A member made two commits on one state, which an honest one never does.
    Equivocation {
        /// The group.
        group: GroupId,
        /// Who.
        account: Address,
    },
    /// The group has split for longer than the window, and this client is on the smaller side. It
    /// is going over.
    Split {
        /// The group.
        group: GroupId,
    },
    /// This client has come over.
    Healed {
        /// The group.
        group: GroupId,
    },
    /// This client is no longer in the group.
    Out {
        /// The group.
        group: GroupId,
        /// Who put it out; nobody, if it left.
        by: Option<Address>,
    },
    /// This device was revoked: it is no longer its account's and takes part in nothing any more. What
    /// was said before stays readable. It is told again each time the engine is opened.
    Revoked,
    /// A member lost its device and has come back with another. Who may invite brings it in, which
    /// this client does by itself if it is one of them.
    Restored {
        /// The group.
        group: GroupId,
        /// Whose device it is.
        account: Address,
        /// The new device.
        device: DeviceId,
    },
    /// The group goes on under another name, with another suite.
    Migrated {
        /// The group that ended.
        from: GroupId,
        /// The one that goes on.
        to: GroupId,
    },
}

/// What a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The account that made it.
    pub by: Address,
    /// The state it led to.
    pub state: StateId,
    /// When this client applied it.
    pub at: Time,
    /// What changed; empty if only keys did.
    pub what: Vec<Changed>,
}

/// One thing that a commit changed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changed {
    /// A device of an account came in.
    Added(Address, DeviceId),
    /// A device of an account was put out, or left.
    Removed(Address, DeviceId),
    /// A device came over from the other side of a split.
    CameOver(Address, DeviceId),
    /// The group has another name.
    Renamed(String),
    /// An account has another role.
    Role(Address, Role),
    /// The group has other rules.
    Policy(Policy),
    /// The group is about to move to a successor.
    Moving(GroupId),
    /// It is not.
    Staying,
}

/// Prints how long a name is and not the name.
impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(account, device) => write!(f, "Added({account:?}, {device:?})"),
            Self::Removed(account, device) => write!(f, "Removed({account:?}, {device:?})"),
            Self::CameOver(account, device) => write!(f, "CameOver({account:?}, {device:?})"),
            Self::Renamed(name) => write!(f, "Renamed({} bytes)", name.len()),
            Self::Role(account, role) => write!(f, "Role({account:?}, {role:?})"),
            Self::Policy(policy) => write!(f, "Policy({policy:?})"),
            Self::Moving(group) => write!(f, "Moving({group:?})"),
            Self::Staying => f.write_str("Staying"),
        }
    }
}

/// Why the engine could not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no such group.
    #[error("there is no such group")]
    NoGroup,
    /// This client is no longer in the group.
    #[error("this client is not in the group any more")]
    NotInGroup,
    /// What was given does not fit into the limits.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much it may have.
        limit: usize,
    },
    /// The group's rules do not let this account do it.
    #[error("the group's policy does not allow it")]
    NotAllowed,
    /// The account or device has no keys for this.
    #[error("this device has not been linked to an account yet")]
    NotLinked,
    /// The device has an account already, and can't be linked to one.
    #[error("this device has an account already")]
    Linked,
    /// This device does not have the account's keys.
    #[error(
        "only the account's first device, or what was restored from it, has the account's keys"
    )]
    NoAccountKeys,
    /// There is no such device, or it is this one, or another account's.
    #[error("that is not another device of this account")]
    NoDevice,
    /// A device was revoked, this one or the one that it is about.
    #[error("the device was revoked")]
    Revoked,
    /// Something about an account or a device is wrong.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// A message that does not exist, or is another's.
    #[error("there is no such message of one's own")]
    NoMessage,
    /// A message that breaks the limits.
    #[error("the message can't be sent")]
    Message(#[from] MessageError),
    /// A cipher suite that this client does not have.
    #[error("this client does not have the cipher suite")]
    Suite,
    /// The operating system gives no randomness.
    #[error("no randomness is to be had")]
    Randomness,
    /// OpenMLS refused.
    #[error("OpenMLS refused: {0}")]
    Mls(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_no_name_of_a_group() {
        let (group, by) = (GroupId([1; 32]), Address([2; 32]));
        let renamed = Changed::Renamed("orchard".into());
        let change =
            Change { by, state: StateId([3; 16]), at: Time(0), what: vec![renamed.clone()] };
        let event = Event::Changed { group, change };
        for shown in [
            format!("{:?}", Intent::Rename("orchard".into())),
            format!("{renamed:?}"),
            format!("{event:?}"),
            format!("{:?}", Output::Event(event.clone())),
        ] {
            assert!(shown.contains("7 bytes") && !shown.contains("orchard"), "{shown}");
        }
    }
}
