//! What the engine keeps in the store, as it is written there.

use std::fmt;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::io::{Changed, Failure, Intent, Outcome};
use super::mls::StateKeys;
use crate::policy::{Floor, Policy, Role};
use crate::wire::{Leave, Stay};
use crate::{Address, CommitHash, DeviceId, GroupId, MessageId, StateId, Time, Topic};

macro_rules! records {
    ($( $(#[$attribute:meta])* $name:ident $body:tt )+) => { $(
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
        pub(super) struct $name $body

        /// Some records hold keys, so none prints what it holds.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+ };
}

/// Whether this client takes part in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(super) enum Status {
    /// It does.
    Active = 0,
    /// It was put out, or left; the commit that did it may still be rolled back.
    Leaving = 1,
    /// It does not.
    Out = 2,
    /// Nobody does: the group goes on under another name.
    Moved = 3,
}

records! {
    /// A group.
    GroupRecord {
        pub(super) status: Status,
        pub(super) suite: u16,
        pub(super) topic: Topic,
        /// The newest final state.
        pub(super) root: StateId,
        /// The newest state.
        pub(super) tip: StateId,
        /// The device that brought this one in.
        pub(super) inviter: Option<DeviceId>,
        /// How many messages this device has sent.
        pub(super) sent: u64,
        /// How many beacons and the like.
        pub(super) count: u64,
        /// When the status last changed.
        pub(super) since: Time,
        pub(super) moved: Option<MovedRecord>,
        /// The successors that commits have named of late, also if they were called back: who founded one did
        /// not know that.
        pub(super) named: Vec<GroupId>,
        /// A successor that this device has asked to be added to.
        pub(super) following: Option<Following>,
        /// The groups in whose histories messages of this one may be: those that came together in it, and
        /// those that it goes on as.
        pub(super) kin: Vec<GroupId>,
        /// Up to which height the states that are remembered may not be on this side.
        pub(super) doubt: Option<u64>,
        /// 1 if this device is out by a move that it has given up, and wants to be in again.
        pub(super) back: u8,
        /// The right to what others keep of the group for this device.
        pub(super) kept: [u8; 32],
    }

    /// Where a group goes on.
    MovedRecord {
        pub(super) to: GroupId,
        pub(super) suite: u16,
        /// The highest state of the old group that those who moved it have been in too.
        pub(super) fork: u64,
        /// The last of this device's stays in the old group.
        pub(super) stay: u64,
        /// Who was in the old group.
        pub(super) members: Vec<DeviceId>,
        /// Who of them is to be brought along.
        pub(super) late: Vec<DeviceId>,
        /// Who was more than a member.
        pub(super) roles: Vec<RoleRecord>,
        /// The weakest successor that the old group would have had.
        pub(super) least: Floor,
    }

    /// A successor that a device follows to.
    Following {
        pub(super) to: GroupId,
        /// The highest state of the old group that its members have been in too.
        pub(super) fork: u64,
        /// How often it has asked.
        pub(super) asked: u32,
    }

    /// What an account was.
    RoleRecord {
        pub(super) address: Address,
        pub(super) role: Role,
    }

    /// A state of the window.
    StateRecord {
        pub(super) height: u64,
        pub(super) parent: Option<StateId>,
        /// When this client adopted it.
        pub(super) born: Time,
        pub(super) keys: StateKeys,
        pub(super) origin: Option<Origin>,
        /// Whether there is a snapshot: not of a state that this client is not in.
        pub(super) inside: u8,
    }

    /// The commit that led to a state.
    Origin {
        pub(super) commit: CommitHash,
        pub(super) class: u8,
        pub(super) leaf: u32,
        pub(super) by: Address,
        pub(super) device: DeviceId,
        pub(super) changes: Vec<ChangeRecord>,
    }

    /// A state that was on the chain, for finding together again.
    PastRecord {
        pub(super) height: u64,
        pub(super) beacon: [u8; 32],
        /// Who came in with the commit that led to it, and who went.
        pub(super) came: Vec<DeviceId>,
        pub(super) went: Vec<DeviceId>,
        /// Whether somebody, this device or another, has no state before it.
        pub(super) entry: u8,
    }

    /// A state that was given up and that somebody came in by.
    WardRecord {
        pub(super) since: Time,
        pub(super) beacon: [u8; 32],
    }

    /// A word of a device that it leaves.
    LeaveRecord {
        pub(super) heard: Time,
        pub(super) leave: Leave,
    }

    /// The envelopes with the commit that led to a state, for those who are behind.
    Archive {
        pub(super) envelopes: Vec<VLBytes>,
    }

    /// Another device in a group.
    PeerRecord {
        pub(super) address: Address,
        pub(super) signature_key: VLBytes,
        /// The newest state that it was heard in, as far as it is on the chain.
        pub(super) heard: Option<StateId>,
        pub(super) heard_at: Time,
        pub(super) count: u64,
        /// Up to which number its messages are here, and which are beyond.
        pub(super) upto: u64,
        pub(super) beyond: Vec<u64>,
        /// How many messages it says that it has sent.
        pub(super) sent: u64,
        /// Up to which number it has ours, and how many we had sent when it came in.
        pub(super) acked: u64,
        pub(super) floor: u64,
    }

    /// A message of one's own, by its number.
    SentRecord {
        pub(super) nonce: [u8; 16],
        /// The group in whose history it is: this one, or one before it.
        pub(super) group: GroupId,
        pub(super) state: StateId,
        pub(super) height: u64,
    }

    /// An intent.
    IntentRecord {
        pub(super) intent: IntentBody,
        pub(super) status: IntentStatus,
        pub(super) created: Time,
        /// Among the intents of this client in the group: what was wanted first happens first.
        pub(super) order: u64,
        /// Key packages that were got for it.
        pub(super) key_packages: Vec<VLBytes>,
        /// The stays that it led to, or was about to, before what came of it was given up.
        pub(super) stays: Vec<Stay>,
        pub(super) asked: u16,
        pub(super) next: Time,
    }

    /// A Welcome that has to reach a device.
    WelcomeRecord {
        pub(super) device: DeviceId,
        pub(super) address: Address,
        pub(super) state: StateId,
        pub(super) height: u64,
        pub(super) bytes: VLBytes,
        pub(super) next: Time,
        pub(super) tries: u16,
        /// The ratchet tree, in envelopes.
        pub(super) tree: Vec<VLBytes>,
    }

    /// A Welcome that has been received, until the ratchet tree has.
    JoinRecord {
        pub(super) welcome: VLBytes,
        pub(super) key_package: VLBytes,
        pub(super) created: Time,
        pub(super) tries: u16,
        pub(super) next: Time,
    }

    /// Bytes for the transport.
    OutboxRecord {
        pub(super) topic: Topic,
        pub(super) bytes: VLBytes,
        pub(super) message: Option<InGroup>,
    }

    /// A message in a group.
    InGroup {
        pub(super) group: GroupId,
        pub(super) message: MessageId,
    }

    /// A key package of one's own, with the private keys.
    KeyPackageRecord {
        pub(super) created: Time,
        pub(super) storage: VLBytes,
    }

    /// The last-resort key package of a suite.
    LastResortRecord {
        /// Its reference.
        pub(super) reference: VLBytes,
        /// What is answered with it.
        pub(super) answer: VLBytes,
        pub(super) created: Time,
        /// 1 if somebody has been brought in with it.
        pub(super) used: u8,
        /// Those before it, which Welcomes may still be under way for.
        pub(super) before: Vec<PastResort>,
    }

    /// A last-resort key package that is given no more.
    PastResort {
        pub(super) reference: VLBytes,
        /// When another took its place.
        pub(super) since: Time,
    }
}

impl GroupRecord {
    /// A group that this device is in from now on.
    pub(super) fn new(suite: u16, topic: Topic, inviter: Option<DeviceId>, now: Time) -> Self {
        let none = StateId([0; StateId::LENGTH]);
        Self {
            status: Status::Active,
            suite,
            topic,
            root: none,
            tip: none,
            inviter,
            sent: 0,
            count: 0,
            since: now,
            moved: None,
            following: None,
            named: Vec::new(),
            kin: Vec::new(),
            doubt: None,
            back: 0,
            kept: [0; 32],
        }
    }
}

impl PeerRecord {
    /// Whether anything was ever heard of it in the group.
    pub(super) fn was_heard(&self) -> bool {
        self.heard_at > Time::default()
    }
}

impl MovedRecord {
    /// What an account was in the old group.
    pub(super) fn role(&self, account: &Address) -> Role {
        let role = self.roles.iter().find(|role| role.address == *account);
        role.map_or(Role::Member, |role| role.role)
    }

    /// What another successor has to protect against.
    pub(super) fn floor(&self) -> Floor {
        self.suite.try_into().map_or(Floor::CLASSICAL, Floor::kept_after).join(self.least)
    }
}

/// Where an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(super) enum IntentStatus {
    /// It has not happened on the chain.
    #[tls_codec(discriminant = 0)]
    Open,
    /// It has, by this state.
    #[tls_codec(discriminant = 1)]
    At(StateId, u64),
    /// By this state, which is final.
    #[tls_codec(discriminant = 2)]
    Done(u64),
    /// It can't, for this reason.
    #[tls_codec(discriminant = 3)]
    Failed(u8),
}

/// The reasons why intents fail, by their numbers in the store.
const FAILURES: [Failure; 9] = [
    Failure::NotAllowed,
    Failure::NotInGroup,
    Failure::NoKeyPackage,
    Failure::Suite,
    Failure::LastOwner,
    Failure::Migrated,
    Failure::NoSuchMember,
    Failure::Revoked,
    Failure::CalledBack,
];

impl IntentStatus {
    pub(super) fn failed(failure: Failure) -> Self {
        let number = FAILURES.iter().position(|other| *other == failure).unwrap_or_default();
        Self::Failed(u8::try_from(number).unwrap_or_default())
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Open => Outcome::Pending,
            Self::At(..) => Outcome::Applied,
            Self::Done(_) => Outcome::Done,
            Self::Failed(number) => Outcome::Failed(
                FAILURES.get(usize::from(number)).copied().unwrap_or(Failure::NotAllowed),
            ),
        }
    }
}

/// An [`Intent`] in the store.
#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(super) enum IntentBody {
    #[tls_codec(discriminant = 0)]
    Invite(Address),
    #[tls_codec(discriminant = 1)]
    Remove(Address),
    #[tls_codec(discriminant = 2)]
    RemoveDevice(DeviceId),
    /// With the number of the last leaf that this device had made then.
    #[tls_codec(discriminant = 3)]
    Leave(u64),
    #[tls_codec(discriminant = 4)]
    Rename(VLBytes),
    #[tls_codec(discriminant = 5)]
    SetRole(Address, Role),
    #[tls_codec(discriminant = 6)]
    SetPolicy(Policy),
    #[tls_codec(discriminant = 7)]
    Rotate,
    #[tls_codec(discriminant = 8)]
    Migrate(u16),
    #[tls_codec(discriminant = 9)]
    AddDevice(DeviceId),
}

impl IntentBody {
    /// The same, if it is about who is in the group, which is to be so in a successor too.
    pub(super) fn about_members(&self) -> Option<Intent> {
        let intent = self.intent()?;
        let about = matches!(
            intent,
            Intent::Invite(_) | Intent::AddDevice(_) | Intent::Remove(_) | Intent::RemoveDevice(_)
        );
        about.then_some(intent)
    }

    /// The same, as users know it; nothing if it is about a suite that this version does not know.
    pub(super) fn intent(&self) -> Option<Intent> {
        Some(match self {
            Self::Invite(address) => Intent::Invite(*address),
            Self::AddDevice(device) => Intent::AddDevice(*device),
            Self::Remove(address) => Intent::Remove(*address),
            Self::RemoveDevice(device) => Intent::RemoveDevice(*device),
            Self::Leave(_) => Intent::Leave,
            Self::Rename(name) => {
                Intent::Rename(String::from_utf8_lossy(name.as_slice()).into_owned())
            }
            Self::SetRole(address, role) => Intent::SetRole(*address, *role),
            Self::SetPolicy(policy) => Intent::SetPolicy(policy.clone()),
            Self::Rotate => Intent::Rotate,
            Self::Migrate(suite) => Intent::Migrate((*suite).try_into().ok()?),
        })
    }
}

impl From<Intent> for IntentBody {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Invite(address) => Self::Invite(address),
            Intent::Remove(address) => Self::Remove(address),
            Intent::RemoveDevice(device) => Self::RemoveDevice(device),
            Intent::Leave => Self::Leave(0),
            Intent::Rename(name) => Self::Rename(name.into_bytes().into()),
            Intent::SetRole(address, role) => Self::SetRole(address, role),
            Intent::SetPolicy(policy) => Self::SetPolicy(policy),
            Intent::Rotate => Self::Rotate,
            Intent::Migrate(suite) => Self::Migrate(suite.into()),
            Intent::AddDevice(device) => Self::AddDevice(device),
        }
    }
}

/// There may be a name in it.
impl fmt::Debug for IntentBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invite(account) => write!(f, "Invite({account:?})"),
            Self::Remove(account) => write!(f, "Remove({account:?})"),
            Self::RemoveDevice(device) => write!(f, "RemoveDevice({device:?})"),
            Self::Leave(upto) => write!(f, "Leave({upto})"),
            Self::Rename(name) => write!(f, "Rename({} bytes)", name.as_slice().len()),
            Self::SetRole(account, role) => write!(f, "SetRole({account:?}, {role:?})"),
            Self::SetPolicy(_) => f.write_str("SetPolicy"),
            Self::Rotate => f.write_str("Rotate"),
            Self::Migrate(suite) => write!(f, "Migrate({suite})"),
            Self::AddDevice(device) => write!(f, "AddDevice({device:?})"),
        }
    }
}

/// A [`Changed`] in the store.
#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub(super) enum ChangeRecord {
    #[tls_codec(discriminant = 0)]
    Added(Address, DeviceId),
    #[tls_codec(discriminant = 1)]
    Removed(Address, DeviceId),
    #[tls_codec(discriminant = 2)]
    CameOver(Address, DeviceId),
    #[tls_codec(discriminant = 3)]
    Renamed(VLBytes),
    #[tls_codec(discriminant = 4)]
    Role(Address, Role),
    #[tls_codec(discriminant = 5)]
    Policy(Policy),
    #[tls_codec(discriminant = 6)]
    Moving(GroupId),
    #[tls_codec(discriminant = 7)]
    Staying,
}

/// There may be a name in it.
impl fmt::Debug for ChangeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeRecord")
    }
}

impl From<&Changed> for ChangeRecord {
    fn from(changed: &Changed) -> Self {
        match changed {
            Changed::Added(address, device) => Self::Added(*address, *device),
            Changed::Removed(address, device) => Self::Removed(*address, *device),
            Changed::CameOver(address, device) => Self::CameOver(*address, *device),
            Changed::Renamed(name) => Self::Renamed(name.clone().into_bytes().into()),
            Changed::Role(address, role) => Self::Role(*address, *role),
            Changed::Policy(policy) => Self::Policy(policy.clone()),
            Changed::Moving(group) => Self::Moving(*group),
            Changed::Staying => Self::Staying,
        }
    }
}

impl From<&ChangeRecord> for Changed {
    fn from(record: &ChangeRecord) -> Self {
        match record {
            ChangeRecord::Added(address, device) => Self::Added(*address, *device),
            ChangeRecord::Removed(address, device) => Self::Removed(*address, *device),
            ChangeRecord::CameOver(address, device) => Self::CameOver(*address, *device),
            ChangeRecord::Renamed(name) => {
                Self::Renamed(String::from_utf8_lossy(name.as_slice()).into_owned())
            }
            ChangeRecord::Role(address, role) => Self::Role(*address, *role),
            ChangeRecord::Policy(policy) => Self::Policy(policy.clone()),
            ChangeRecord::Moving(group) => Self::Moving(*group),
            ChangeRecord::Staying => Self::Staying,
        }
    }
}
