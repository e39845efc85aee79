//! A group in memory: its chain of states and what surrounds it.
//!
//! Everything here is small. The MLS state of each state, which is not, is in a snapshot that is
//! loaded when it is needed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::core::Core;
use super::doubt::Parted;
use super::follow::Pointer;
use super::heal::{Split, Told};
use super::inbound::{Effort, Parked};
use super::io::{EngineError, Event};
use super::lead::{Follower, Straggler};
use super::mls::{Leaf, Seat};
use super::parts::Parts;
use super::past::Past;
use super::records::{
    GroupRecord, IntentRecord, LeaveRecord, PastRecord, PeerRecord, StateRecord, Status,
    WardRecord, WelcomeRecord,
};
use super::rules::GroupRules;
use super::speak::Hold;
use crate::store::Space;
use crate::wire::{self, Kind, Signed};
use crate::{DeviceId, GroupId, IntentId, StateId, Time};

/// A state of the window.
pub(super) struct State {
    pub(super) id: StateId,
    pub(super) record: StateRecord,
}

/// A group.
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) record: GroupRecord,
    /// From the newest final state to the newest.
    pub(super) chain: Vec<State>,
    /// By height, the window among them.
    pub(super) past: BTreeMap<u64, Past>,
    pub(super) peers: BTreeMap<DeviceId, PeerRecord>,
    pub(super) intents: BTreeMap<IntentId, IntentRecord>,
    pub(super) welcomes: BTreeMap<DeviceId, WelcomeRecord>,
    /// The words of devices that leave or have left.
    pub(super) leaves: BTreeMap<DeviceId, LeaveRecord>,
    /// States that were given up and that somebody came in by.
    pub(super) wards: BTreeMap<StateId, WardRecord>,
    /// Such a state, and who was heard in it last.
    pub(super) elsewhere: Option<(StateId, DeviceId)>,
    /// The members and the rules in the newest state that this client is in.
    pub(super) seats: Vec<Seat>,
    pub(super) rules: GroupRules,

    // What a restart may lose
    /// Envelopes under keys that are not known yet.
    pub(super) stash: VecDeque<Vec<u8>>,
    pub(super) parts: Parts,
    /// Commits that wait for a binding or for their member's turn.
    pub(super) parked: Vec<Parked>,
    /// Members whose bindings are not known, as of the last heartbeat.
    pub(super) unbound: BTreeSet<DeviceId>,
    /// Devices that want to come over, with their key packages.
    pub(super) rejoins: BTreeMap<DeviceId, (Time, Vec<u8>)>,
    /// Devices of the group before this one that want to follow.
    pub(super) followers: BTreeMap<DeviceId, Follower>,
    /// The own state, if another says that it is beyond it, until when its commits are waited for, and who
    /// says so.
    pub(super) stuck: Option<(StateId, Time, DeviceId)>,
    /// Devices that were heard here after the group moved.
    pub(super) stragglers: Vec<Straggler>,
    /// Since when those want to be brought along who were not added when it moved.
    pub(super) asking: BTreeMap<DeviceId, Time>,
    /// What devices said of where the group goes on.
    pub(super) pointers: BTreeMap<DeviceId, Pointer>,
    /// Other successors than the one that we are in, and since when they have been heard of.
    pub(super) rivals: BTreeMap<GroupId, Time>,
    /// Who has said, and was believed, that this device is no member, and in which state he was then.
    pub(super) refusers: BTreeMap<DeviceId, (u64, StateId)>,
    /// Whether this device has left where the group has moved to.
    pub(super) left_after: bool,
    /// Who knows that this device has left.
    pub(super) aware: BTreeSet<DeviceId>,
    /// Devices that came over of late.
    pub(super) came_over: BTreeMap<DeviceId, Time>,
    /// What to answer, and when.
    pub(super) answers: BTreeMap<super::talk::Matter, Time>,
    /// What has been asked for or sent again of late.
    pub(super) asked: BTreeMap<super::talk::Matter, Time>,
    /// How many more commits of each member are applied or judged: allowance and when it was reckoned.
    pub(super) allowance: BTreeMap<(Effort, DeviceId), (u64, Time)>,
    /// The last chain that each device told of, and the last that it told both sides of a split.
    pub(super) chains: BTreeMap<DeviceId, Told>,
    pub(super) votes: BTreeMap<DeviceId, Told>,
    pub(super) split: Option<Split>,
    /// In how many heartbeats those of another side have said that we are no member, or that our state was
    /// given up.
    pub(super) refused: u32,
    /// What others say where the chain that we were on and this one have parted.
    pub(super) told_parted: BTreeMap<DeviceId, Parted>,
    /// From which height on what was lost has been done again.
    pub(super) redone_from: Option<u64>,
    /// Who says of which of our states that it was given up.
    pub(super) given_up: BTreeSet<(StateId, DeviceId)>,
    /// What waits to be said again.
    pub(super) hold: Option<Hold>,
    /// Whether what waited for its key is being taken, so that the newest state may be one on the way.
    pub(super) on_the_way: bool,
    /// The numbers of own messages that were asked for on the way.
    pub(super) later: BTreeSet<u64>,
    pub(super) next_beacon: Time,
    pub(super) deep: u32,
    /// A state that another is in and that is not known here, when to ask, and how often we have.
    pub(super) behind: Option<(StateId, Time, u32)>,
    /// When anything was last heard from another.
    pub(super) heard_at: Time,
    /// Since when there is something to commit.
    pub(super) wanting: Option<Time>,
    pub(super) next_plan: Option<Time>,
}

impl Group {
    pub(super) fn new(id: GroupId, record: GroupRecord, rules: GroupRules, now: Time) -> Self {
        Self {
            id,
            record,
            chain: Vec::new(),
            past: BTreeMap::new(),
            peers: BTreeMap::new(),
            intents: BTreeMap::new(),
            welcomes: BTreeMap::new(),
            leaves: BTreeMap::new(),
            wards: BTreeMap::new(),
            elsewhere: None,
            seats: Vec::new(),
            rules,
            stash: VecDeque::new(),
            parts: Parts::default(),
            parked: Vec::new(),
            unbound: BTreeSet::new(),
            rejoins: BTreeMap::new(),
            followers: BTreeMap::new(),
            stuck: None,
            stragglers: Vec::new(),
            asking: BTreeMap::new(),
            pointers: BTreeMap::new(),
            rivals: BTreeMap::new(),
            refusers: BTreeMap::new(),
            left_after: false,
            aware: BTreeSet::new(),
            came_over: BTreeMap::new(),
            answers: BTreeMap::new(),
            asked: BTreeMap::new(),
            allowance: BTreeMap::new(),
            chains: BTreeMap::new(),
            votes: BTreeMap::new(),
            split: None,
            refused: 0,
            told_parted: BTreeMap::new(),
            redone_from: None,
            given_up: BTreeSet::new(),
            hold: None,
            on_the_way: false,
            later: BTreeSet::new(),
            next_beacon: now,
            deep: 0,
            behind: None,
            heard_at: Time::default(),
            wanting: None,
            next_plan: None,
        }
    }

    /// The group as it is in the store.
    pub(super) fn load(
        core: &mut Core,
        id: GroupId,
        record: GroupRecord,
        now: Time,
    ) -> Result<Self, EngineError> {
        let scan = |space| core.store.scan(space, &id.0);
        let mut states = BTreeMap::new();
        for (key, value) in scan(Space::State)? {
            if let (Some(state), Some(record)) =
                (StateId::from_slice(&key), wire::decode::<StateRecord>(&value))
            {
                states.insert(state, record);
            }
        }
        let mut past = BTreeMap::new();
        for (key, value) in scan(Space::BeaconKey)? {
            if let (Some(id), Some(record)) =
                (StateId::from_slice(&key), wire::decode::<PastRecord>(&value))
            {
                past.insert(record.height, Past { id, record });
            }
        }
        let mut peers = BTreeMap::new();
        for (key, value) in scan(Space::Peer)? {
            if let (Some(device), Some(peer)) = (DeviceId::from_slice(&key), wire::decode(&value)) {
                peers.insert(device, peer);
            }
        }
        let mut intents = BTreeMap::new();
        for (key, value) in scan(Space::Intent)? {
            if let (Some(intent), Some(record)) = (IntentId::from_slice(&key), wire::decode(&value))
            {
                intents.insert(intent, record);
            }
        }
        let mut welcomes = BTreeMap::new();
        for (key, value) in scan(Space::Welcome)? {
            if let (Some(device), Some(record)) = (DeviceId::from_slice(&key), wire::decode(&value))
            {
                welcomes.insert(device, record);
            }
        }
        let mut leaves = BTreeMap::new();
        for (key, value) in scan(Space::Leave)? {
            if let (Some(device), Some(record)) = (DeviceId::from_slice(&key), wire::decode(&value))
            {
                leaves.insert(device, record);
            }
        }
        let mut wards = BTreeMap::new();
        for (key, value) in scan(Space::Ward)? {
            if let (Some(state), Some(record)) = (StateId::from_slice(&key), wire::decode(&value)) {
                wards.insert(state, record);
            }
        }
        // The chain, from the newest state down to the final one.
        let mut chain = Vec::new();
        let mut next = Some(record.tip);
        while let Some((id, record)) = next.and_then(|id| states.remove_entry(&id)) {
            next = record.parent;
            chain.push(State { id, record });
        }
        chain.reverse();
        let rules =
            GroupRules::new(record.topic, "", crate::Policy::default(), core.me.identity.address);
        let mut group = Self::new(id, record, rules, now);
        group.next_beacon = core.soon(now, core.config.heartbeat)?;
        (group.chain, group.past, group.peers) = (chain, past, peers);
        (group.intents, group.welcomes, group.leaves) = (intents, welcomes, leaves);
        group.wards = wards;
        group.read_tip(core)?;
        group.next_plan = Some(now);
        Ok(group)
    }

    /// Brings members and rules up to the newest state that this client is in.
    pub(super) fn read_tip(&mut self, core: &mut Core) -> Result<(), EngineError> {
        let Some(state) = self.newest_inside() else { return Ok(()) };
        let read =
            core.with(self.id, state, |_, snapshot| Ok((snapshot.roster(), snapshot.rules()?)))?;
        (self.seats, self.rules) = read?;
        Ok(())
    }

    fn newest_inside(&self) -> Option<StateId> {
        self.chain.iter().rev().find(|state| state.record.inside == 1).map(|state| state.id)
    }

    // States

    pub(super) fn tip(&self) -> &State {
        self.chain.last().expect("a group has a state")
    }

    pub(super) fn root(&self) -> &State {
        self.chain.first().expect("a group has a state")
    }

    /// Where in the window a state is.
    pub(super) fn place(&self, state: &StateId) -> Option<usize> {
        self.chain.iter().position(|other| other.id == *state)
    }

    /// How high a state is that is or was on the chain, as far as is remembered.
    pub(super) fn height(&self, state: &StateId) -> Option<u64> {
        self.past.iter().rev().find(|(_, past)| past.id == *state).map(|(height, _)| *height)
    }

    pub(super) fn is_active(&self) -> bool {
        self.record.status == Status::Active
    }

    // Members

    pub(super) fn seat(&self, device: &DeviceId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.identity.device == *device)
    }

    /// The members but for this device.
    pub(super) fn others(&self, core: &Core) -> impl Iterator<Item = &Seat> {
        let me = core.me.identity.device;
        self.seats.iter().filter(move |seat| seat.identity.device != me)
    }

    // Writing

    pub(super) fn save(&self, core: &mut Core) -> Result<(), EngineError> {
        Ok(core.store.put(Space::Group, &[], &self.id.0, &wire::encode(&self.record))?)
    }

    pub(super) fn save_peer(&self, core: &mut Core, device: &DeviceId) -> Result<(), EngineError> {
        if let Some(peer) = self.peers.get(device) {
            core.store.put(Space::Peer, &self.id.0, &device.0, &wire::encode(peer))?;
        }
        Ok(())
    }

    pub(super) fn save_intent(&self, core: &mut Core, id: &IntentId) -> Result<(), EngineError> {
        if let Some(intent) = self.intents.get(id) {
            core.store.put(Space::Intent, &self.id.0, &id.0, &wire::encode(intent))?;
        }
        Ok(())
    }

    pub(super) fn save_welcome(&self, core: &mut Core, id: &DeviceId) -> Result<(), EngineError> {
        if let Some(welcome) = self.welcomes.get(id) {
            core.store.put(Space::Welcome, &self.id.0, &id.0, &wire::encode(welcome))?;
        }
        Ok(())
    }

    /// Changes where an intent stands, and tells if that is news.
    pub(super) fn set_intent(
        &mut self,
        core: &mut Core,
        id: IntentId,
        status: super::records::IntentStatus,
    ) -> Result<(), EngineError> {
        let Some(intent) = self.intents.get_mut(&id) else { return Ok(()) };
        let before = intent.status.outcome();
        tracing::debug!(group = ?self.id, intent = ?id, what = ?intent.intent, ?status, "an intent");
        intent.status = status;
        let (what, outcome) = (intent.intent.intent(), status.outcome());
        self.save_intent(core, &id)?;
        if outcome != before
            && let Some(what) = what
        {
            core.tell(Event::Intent { group: self.id, intent: id, what, outcome });
        }
        Ok(())
    }

    // Saying something

    /// The number of the next thing that this device signs.
    pub(super) fn next_count(&mut self, core: &mut Core) -> Result<u64, EngineError> {
        self.record.count += 1;
        self.save(core)?;
        Ok(self.record.count)
    }

    /// This device in this group.
    pub(super) fn leaf(&self, core: &Core, now: Time) -> Result<Leaf, EngineError> {
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        core.leaf(suite, now)
    }

    /// Publishes something signed under the beacon key of a state.
    pub(super) fn say<T: tls_codec::Serialize>(
        &self,
        core: &mut Core,
        now: Time,
        beacon: &[u8; 32],
        kind: Kind,
        body: &T,
    ) -> Result<(), EngineError> {
        let body = wire::encode(body);
        let leaf = self.leaf(core, now)?;
        let text = signed_text(kind, self.id, &body);
        let signature = openmls_traits::signatures::Signer::sign(&leaf.signer, &text)
            .map_err(|_| EngineError::Randomness)?;
        let signed = Signed {
            device: core.me.identity.device,
            body: body.into(),
            signature: signature.into(),
        };
        let payload = wire::encode(&signed);
        for envelope in core.seal(beacon, &self.record.topic, self.record.tip, kind, &payload)? {
            core.publish(self.record.topic, envelope);
        }
        Ok(())
    }
}

/// What a signature outside of MLS is over.
pub(super) fn signed_text(kind: Kind, group: GroupId, body: &[u8]) -> Vec<u8> {
    [&b"trellis signed v1"[..], &[kind as u8], &group.0, body].concat()
}
