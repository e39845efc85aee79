//! What users see of a group.

use std::fmt;

use openmls_traits::types::Ciphersuite;

use super::Engine;
use super::io::{EngineError, Intent, Outcome};
use super::records::Status;
use crate::message::{Message, Received};
use crate::policy::{Policy, Role};
use crate::store::Cursor;
use crate::{Address, DeviceId, GroupId, IntentId, StateId, Time};

/// A group.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupView {
    /// Its newest state.
    pub state: StateId,
    /// Its newest final state.
    pub finished: StateId,
    /// How many commits there have been.
    pub epoch: u64,
    /// Its name.
    pub name: String,
    /// Whether this client is in it.
    pub active: bool,
    /// Its cipher suite.
    pub suite: Ciphersuite,
    /// Its members in the order of their leaves.
    pub members: Vec<MemberView>,
    /// Its rules.
    pub policy: Policy,
}

/// Prints how long the name is and not the name.
impl fmt::Debug for GroupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupView")
            .field("state", &self.state)
            .field("finished", &self.finished)
            .field("epoch", &self.epoch)
            .field("name", &format_args!("{} bytes", self.name.len()))
            .field("active", &self.active)
            .field("suite", &self.suite)
            .field("members", &self.members)
            .field("policy", &self.policy)
            .finish()
    }
}

/// A device of a member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberView {
    /// The account.
    pub address: Address,
    /// The device.
    pub device: DeviceId,
    /// What the account may do.
    pub role: Role,
    /// Whether the device is known to be the account's.
    pub verified: bool,
    /// When it was last heard.
    pub heard: Option<Time>,
}

impl Engine {
    /// The groups that this client is or was in.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupId> {
        self.groups.keys().copied().collect()
    }

    /// What a group is like now.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], and those of the store.
    pub fn view(&mut self, now: Time, group: GroupId) -> Result<GroupView, EngineError> {
        let me = self.core.me.identity.device;
        self.in_group(now, group, |group, core| {
            let mut members = Vec::new();
            for seat in &group.seats {
                let device = seat.identity.device;
                let heard = group.peers.get(&device).map(|peer| peer.heard_at);
                members.push(MemberView {
                    address: seat.identity.address,
                    device,
                    role: group.rules.role(&seat.identity.address),
                    verified: device == me || core.binding(&device)?,
                    heard: heard.filter(|heard| *heard != Time::default()),
                });
            }
            Ok(GroupView {
                state: group.record.tip,
                finished: group.record.root,
                epoch: group.chain.last().map_or(0, |tip| tip.record.height),
                name: group.rules.name(),
                active: group.record.status == Status::Active,
                suite: group.record.suite.try_into().map_err(|_| EngineError::Suite)?,
                members,
                policy: group.rules.policy.clone(),
            })
        })
    }

    /// What became of an intent; nothing if it is long done.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], and those of the store.
    pub fn outcome(
        &mut self,
        now: Time,
        group: GroupId,
        intent: IntentId,
    ) -> Result<Option<Outcome>, EngineError> {
        self.in_group(now, group, |group, _| Ok(group.outcome(&intent)))
    }

    /// What an intent is.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], and those of the store.
    pub fn intent(
        &mut self,
        now: Time,
        group: GroupId,
        intent: IntentId,
    ) -> Result<Option<Intent>, EngineError> {
        let what = |group: &super::group::Group| group.intents.get(&intent)?.intent.intent();
        self.in_group(now, group, |group, _| Ok(what(group)))
    }

    /// What is wanted of a group and has neither come about for good nor failed.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoGroup`], and those of the store.
    pub fn open_intents(
        &mut self,
        now: Time,
        group: GroupId,
    ) -> Result<Vec<(IntentId, Intent, Outcome)>, EngineError> {
        self.in_group(now, group, |group, _| {
            let open = group.intents.iter().filter_map(|(id, intent)| {
                let outcome = intent.status.outcome();
                matches!(outcome, Outcome::Pending | Outcome::Applied)
                    .then(|| Some((*id, intent.intent.intent()?, outcome)))
                    .flatten()
            });
            Ok(open.collect())
        })
    }

    /// Messages of a group, the newest first, from before a place in its history on.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn history(
        &mut self,
        group: GroupId,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<(Cursor, Received)>, EngineError> {
        let rows = self.core.store.messages_before(group, before, limit)?;
        Ok(rows.into_iter().filter_map(|(cursor, row)| Some((cursor, received(row)?))).collect())
    }

    /// Messages that have a text in them, the newest first.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn search(
        &mut self,
        group: Option<GroupId>,
        text: &str,
        limit: usize,
    ) -> Result<Vec<(Cursor, Received)>, EngineError> {
        let rows = self.core.store.messages_search(group, text, limit)?;
        Ok(rows.into_iter().filter_map(|(cursor, row)| Some((cursor, received(row)?))).collect())
    }
}

fn received(row: crate::store::MessageRow) -> Option<Received> {
    Some(Received {
        group: row.group,
        id: row.id,
        author: row.author,
        device: row.device,
        written: row.written,
        received: row.received,
        message: Message::decode(&row.body).ok()?,
    })
}
