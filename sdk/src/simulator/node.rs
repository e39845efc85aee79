//! What the simulator needs of an engine.

use std::fmt;

use openmls_traits::types::Ciphersuite;

use super::plan::Plan;
use crate::engine::inspect::Mark;
use crate::engine::malice::{Crime, Fork, Lie};
use crate::engine::{Intent, Outcome, Output};
use crate::message::{Message, Received};
use crate::wire::Kind;
use crate::{Address, DeviceId, GroupId, IntentId, MessageId, Policy, Role, StateId, Time, Topic};

/// Why a call of an engine did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The write that was ordered to fail: the node has crashed.
    Crashed,
    /// The engine refuses what its user wants, and says why.
    Refused(String),
    /// What must not happen, whatever comes in.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crashed => f.write_str("crashed"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Broken(why) => write!(f, "broken: {why}"),
        }
    }
}

/// A group as a node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) group: GroupId,
    pub(crate) suite: Ciphersuite,
    pub(crate) state: StateId,
    pub(crate) epoch: u64,
    pub(crate) name: String,
    /// Whether the node believes that it is a member.
    pub(crate) active: bool,
    /// In an order of their own, that of the addresses.
    pub(crate) members: Vec<(Address, Role)>,
    /// In an order of their own.
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) policy: Policy,
}

impl View {
    pub(crate) fn role(&self, account: Address) -> Option<Role> {
        self.members.iter().find(|(address, _)| *address == account).map(|(_, role)| *role)
    }

    pub(crate) fn has(&self, device: DeviceId) -> bool {
        self.devices.contains(&device)
    }
}

/// An engine with its store. Each node is a device, at first the only one of an account of its own.
pub(crate) trait Node: Sized {
    /// What outlives a crash.
    type Disk;

    /// The store of a new device.
    fn disk(plan: &Plan, number: usize) -> Result<Self::Disk, Trouble>;

    /// Starts, or resumes whatever is in the store. `life` counts the starts, and randomness must
    /// depend on it: a node that draws the same again after a crash uses a nonce twice.
    fn open(
        disk: Self::Disk,
        plan: &Plan,
        number: usize,
        life: u64,
        now: Time,
    ) -> Result<Self, Trouble>;

    /// Ends without a warning: what was committed stays.
    fn crash(self) -> Self::Disk;

    /// Lets the `write`th write from now fail.
    fn fail_at(&mut self, write: u64);

    fn address(&self) -> Address;
    fn device(&self) -> DeviceId;
    /// Makes a node on a new store another device of this account.
    fn link(
        &mut self,
        now: Time,
        disk: Self::Disk,
        plan: &Plan,
        number: usize,
    ) -> Result<Self, Trouble>;
    /// Takes another device from the account.
    fn revoke(&mut self, now: Time, device: DeviceId) -> Result<(), Trouble>;
    /// The groups that the node is or was in.
    fn groups(&self) -> Vec<GroupId>;
    fn found(&mut self, now: Time, name: &str, plan: &Plan) -> Result<GroupId, Trouble>;
    fn intend(&mut self, now: Time, group: GroupId, intent: Intent) -> Result<IntentId, Trouble>;
    fn say(&mut self, now: Time, group: GroupId, message: Message) -> Result<MessageId, Trouble>;
    fn receive(&mut self, now: Time, topic: Topic, bytes: &[u8]) -> Result<(), Trouble>;
    fn asked(
        &mut self,
        now: Time,
        asker: u64,
        topic: Topic,
        question: &[u8],
    ) -> Result<(), Trouble>;
    fn answered(&mut self, now: Time, answer: &[u8]) -> Result<(), Trouble>;
    fn published(&mut self, now: Time, ticket: u64) -> Result<(), Trouble>;
    /// The network can be reached again.
    fn connected(&mut self, now: Time) -> Result<(), Trouble>;
    fn tick(&mut self, now: Time) -> Result<(), Trouble>;
    fn deadline(&self) -> Option<Time>;
    fn outputs(&mut self) -> Vec<Output>;
    fn view(&mut self, now: Time, group: GroupId) -> Result<View, Trouble>;
    /// What became of an intent; nothing if it is long done.
    fn outcome(
        &mut self,
        now: Time,
        group: GroupId,
        intent: IntentId,
    ) -> Result<Option<Outcome>, Trouble>;
    /// All messages that the node has.
    fn history(&mut self, group: GroupId) -> Result<Vec<Received>, Trouble>;
    /// How many states the node holds keys of.
    fn states(&mut self, group: GroupId) -> Result<usize, Trouble>;

    // What no user sees

    /// The states whose keys the node holds, the oldest first.
    fn window(&self, group: GroupId) -> Result<Vec<StateId>, Trouble>;
    /// Bytes by which the keys of a state are known.
    fn marks(&mut self, group: GroupId, state: StateId) -> Result<Vec<Mark>, Trouble>;
    /// Every byte of the store.
    fn image(&self) -> Result<Vec<u8>, Trouble>;
    /// Whether nothing has been deleted that is still to be written over.
    fn is_erased(&self) -> bool;
    /// What is in the store, for a second node that goes its own way.
    fn copy(&self) -> Result<Self::Disk, Trouble>;

    // What no honest node does

    /// Commits at once.
    fn rush(&mut self, now: Time, group: GroupId) -> Result<(), Trouble>;
    /// Makes two commits on one state.
    fn equivocate(&mut self, now: Time, group: GroupId) -> Result<Fork, Trouble>;
    /// Commits what is not allowed; tells the state that must not come about.
    fn commit_crime(
        &mut self,
        now: Time,
        group: GroupId,
        crime: Crime,
    ) -> Result<Option<StateId>, Trouble>;
    /// Says something wrong in an envelope that is right.
    fn lie(
        &mut self,
        now: Time,
        group: GroupId,
        kind: Kind,
        lie: Lie,
        noise: &[u8],
    ) -> Result<(), Trouble>;
}
