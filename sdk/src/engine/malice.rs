//! What a member can do that has an engine and does not keep to the protocol. It has all the keys
//! that a member has, signs with its own key, and nothing here helps it to more than that.
//!
//! Simulations drive it. What is published goes out like everything else.

use super::Engine;
use super::chain::Adoption;
use super::core::Core;
use super::group::Group;
use super::io::EngineError;
use super::law::Facts;
use super::mls::{Changes, Made};
use super::rule::Class;
use super::rules::Successor;
use super::stay;
use crate::policy::{Policy, Right, Role};
use crate::wire::{self, Beacon, Body, Bundle, Got, Kind, Note, Part, Rejoin, Request, Run};
use crate::{Address, CommitHash, DeviceId, GroupId, MessageId, StateId, Time, Topic};

/// A commit that breaks the rules of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crime {
    /// Makes itself an owner.
    Promotes,
    /// Takes all roles, so that there is no owner.
    Deposes,
    /// Gives a role to somebody who is not in the group.
    Appoints,
    /// Changes the rules without the right to.
    Relaxes,
    /// Removes somebody whom it may not remove.
    Removes,
    /// Removes several whom it may not remove, and makes itself an owner over them.
    Seizes,
    /// Sends the group to another topic.
    Abducts,
    /// Says that the group came from another.
    Adopts,
    /// Sends the group to a suite that protects nothing.
    Weakens,
    /// Calls an ordinary commit a removal, so that it goes first.
    Jumps,
    /// Says that another made the commit.
    Blames,
}

impl Crime {
    pub(crate) const ALL: [Self; 11] = [
        Self::Promotes,
        Self::Deposes,
        Self::Appoints,
        Self::Relaxes,
        Self::Removes,
        Self::Seizes,
        Self::Abducts,
        Self::Adopts,
        Self::Weakens,
        Self::Jumps,
        Self::Blames,
    ];
}

/// Two commits on one state, of one member.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    /// Where they belong.
    pub(crate) topic: Topic,
    pub(crate) parent: StateId,
    /// The state that each leads to.
    pub(crate) children: [StateId; 2],
    /// An envelope with each.
    pub(crate) envelopes: [Vec<u8>; 2],
}

/// In which way the content of an envelope is wrong that is sealed as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// It means nothing.
    Noise,
    /// It is as long as it can be, or comes in parts that do not fit together.
    Bulk,
    /// It is something true, cut off.
    Stump,
    /// It is well formed and false, signed where it has to be.
    Tale,
}

impl Lie {
    pub(crate) const ALL: [Self; 4] = [Self::Noise, Self::Bulk, Self::Stump, Self::Tale];
}

/// The kinds of envelopes, for lies of each.
pub(crate) const KINDS: [Kind; 10] = [
    Kind::Commit,
    Kind::Application,
    Kind::Leave,
    Kind::Beacon,
    Kind::Request,
    Kind::Part,
    Kind::Tree,
    Kind::Binding,
    Kind::Rejoin,
    Kind::Note,
];

/// Where in the group numbers come from that are too large.
const FAR: u64 = u64::MAX;

impl Engine {
    /// Commits a change of its own key at once, whoever's turn it is, and goes on from there.
    pub(crate) fn rush(&mut self, now: Time, group: GroupId) -> Result<(), EngineError> {
        self.in_group(now, group, |group, core| {
            let made = group.forge(core, now, Changes::default())?;
            let bundle = group.claimed(core, &made, Class::Ordinary)?;
            let envelopes = group.commit_envelopes(core, &bundle)?;
            for envelope in &envelopes {
                core.publish(group.record.topic, envelope.clone());
            }
            group.follow(core, now, made, envelopes)
        })
    }

    /// Makes two commits on the newest state and goes on from the first. It is for the caller to
    /// hand them out.
    pub(crate) fn equivocate(&mut self, now: Time, group: GroupId) -> Result<Fork, EngineError> {
        self.in_group(now, group, |group, core| {
            if !group.is_active() {
                return Err(EngineError::NotInGroup);
            }
            let parent = group.tip().id;
            let mut children = [parent; 2];
            let mut sealed = [Vec::new(), Vec::new()];
            let mut first = None;
            for (child, envelope) in children.iter_mut().zip(&mut sealed) {
                let made = group.forge(core, now, Changes::default())?;
                let bundle = group.claimed(core, &made, Class::Ordinary)?;
                let envelopes = group.commit_envelopes(core, &bundle)?;
                *child = made.child.keys()?.0;
                *envelope = envelopes.concat();
                first.get_or_insert((made, envelopes));
            }
            if let Some((made, envelopes)) = first {
                group.follow(core, now, made, envelopes)?;
            }
            Ok(Fork { topic: group.record.topic, parent, children, envelopes: sealed })
        })
    }

    /// Publishes a commit against the rules; tells the state that it would lead to. None, if what it
    /// does is allowed at the moment.
    pub(crate) fn commit_crime(
        &mut self,
        now: Time,
        group: GroupId,
        crime: Crime,
    ) -> Result<Option<StateId>, EngineError> {
        self.in_group(now, group, |group, core| {
            let Some(changes) = group.criminal(core, crime) else { return Ok(None) };
            let made = group.forge(core, now, changes)?;
            let removes = matches!(crime, Crime::Jumps | Crime::Removes | Crime::Seizes);
            let class = if removes { Class::Removal } else { Class::Ordinary };
            let mut bundle = group.claimed(core, &made, class)?;
            if crime == Crime::Blames {
                let other = group.others(core).next().map(|seat| seat.leaf);
                bundle.leaf = other.ok_or(EngineError::NotAllowed)?;
            }
            for envelope in group.commit_envelopes(core, &bundle)? {
                core.publish(group.record.topic, envelope);
            }
            Ok(Some(made.child.keys()?.0))
        })
    }

    /// Publishes an envelope that is sealed as it should be, and whose content is not what it
    /// should be.
    pub(crate) fn lie(
        &mut self,
        now: Time,
        group: GroupId,
        kind: Kind,
        lie: Lie,
        noise: &[u8],
    ) -> Result<(), EngineError> {
        let heard = self.core.store.messages_before(group, None, 1)?;
        let heard = heard.first().map(|(_, row)| row.id);
        self.in_group(now, group, |group, core| match lie {
            _ if !group.is_active() => Err(EngineError::NotInGroup),
            Lie::Noise => group.put(core, kind, noise),
            Lie::Bulk => group.bulk(core, kind, noise),
            Lie::Stump => group.stump(core, now, kind, noise),
            Lie::Tale => group.tale(core, now, kind, noise, heard),
        })
    }
}

impl Group {
    fn forge(&self, core: &mut Core, now: Time, changes: Changes) -> Result<Made, EngineError> {
        if !self.is_active() {
            return Err(EngineError::NotInGroup);
        }
        let leaf = self.leaf(core, now)?;
        Ok(core.with(self.id, self.tip().id, |_, parent| parent.commit(&leaf, changes))??)
    }

    /// The bundle of a commit on the newest state that says that it is of a class.
    fn claimed(&self, core: &Core, made: &Made, class: Class) -> Result<Bundle, EngineError> {
        Ok(Bundle {
            parent: self.tip().id,
            class: class as u8,
            leaf: self.own_leaf(core)?,
            commit: made.commit.clone().into(),
        })
    }

    fn own_leaf(&self, core: &Core) -> Result<u32, EngineError> {
        let seat = self.seat(&core.me.identity.device).ok_or(EngineError::NotInGroup)?;
        Ok(seat.leaf)
    }

    /// Goes on from a commit that changes nothing but its own key.
    fn follow(
        &mut self,
        core: &mut Core,
        now: Time,
        made: Made,
        envelopes: Vec<Vec<u8>>,
    ) -> Result<(), EngineError> {
        let parent = self.tip().id;
        let by = core.me.identity.clone();
        let leaf = self.own_leaf(core)?;
        let facts =
            Facts { leaf, by, class: Class::Ordinary, changes: Vec::new(), words: Vec::new() };
        let commit = CommitHash(core.hash(&made.commit));
        let child = Some(made.child);
        self.adopt(core, now, Adoption { parent, commit, facts, child, envelopes })
    }

    /// What a crime changes, if it is one now.
    fn criminal(&self, core: &Core, crime: Crime) -> Option<Changes> {
        let me = core.me.identity.address;
        let mine = self.rules.role(&me);
        let mut rules = self.rules.clone();
        // Those of the same role or a higher one, or everybody if it may remove nobody.
        let may = self.rules.allows(&me, Right::Remove);
        let mut protected: Vec<_> = self
            .others(core)
            .filter(|seat| seat.identity.address != me)
            .filter(|seat| !may || self.rules.role(&seat.identity.address) >= mine)
            .map(|seat| seat.leaf)
            .collect();
        match crime {
            Crime::Promotes if mine < Role::Owner => rules.set_role(me, Role::Owner),
            Crime::Deposes => {
                let all: Vec<_> = rules.roles().map(|(address, _)| address).collect();
                all.into_iter().for_each(|address| rules.set_role(address, Role::Member));
            }
            Crime::Appoints => rules.set_role(Address([0xa5; 32]), Role::Admin),
            Crime::Relaxes if !self.rules.allows(&me, Right::SetPolicy) => {
                rules.policy = Policy { set_policy: Role::Member, ..rules.policy };
            }
            Crime::Removes | Crime::Seizes if !protected.is_empty() => {
                // OpenMLS hands several out in an order of chance.
                protected.truncate(core.config.removals);
                let gone: Vec<_> = self
                    .seats
                    .iter()
                    .filter(|seat| protected.contains(&seat.leaf))
                    .map(|seat| seat.identity.address)
                    .collect();
                if crime == Crime::Seizes {
                    gone.into_iter().for_each(|address| rules.set_role(address, Role::Member));
                    rules.set_role(me, Role::Owner);
                }
                let rules = (rules != self.rules).then_some(rules);
                return Some(Changes { remove: protected, rules, ..Changes::default() });
            }
            Crime::Abducts => rules.topic.0[0] ^= 1,
            Crime::Adopts => rules.predecessors = vec![GroupId([0xa5; 32])],
            Crime::Weakens => {
                rules.successor = Some(Successor { group: GroupId([0xa5; 32]), suite: 0xffff });
            }
            Crime::Jumps | Crime::Blames => return Some(Changes::default()),
            _ => return None,
        }
        Some(Changes { rules: Some(rules), ..Changes::default() })
    }

    /// Publishes content under the key that belongs to its kind.
    fn put(&self, core: &mut Core, kind: Kind, payload: &[u8]) -> Result<(), EngineError> {
        if !self.is_active() {
            return Err(EngineError::NotInGroup);
        }
        let keys = &self.tip().record.keys;
        let content = matches!(kind, Kind::Commit | Kind::Application | Kind::Tree);
        let key = if content { &keys.envelope } else { &keys.beacon };
        for envelope in core.seal(key, &self.record.topic, self.tip().id, kind, payload)? {
            core.publish(self.record.topic, envelope);
        }
        Ok(())
    }

    fn bulk(&self, core: &mut Core, kind: Kind, noise: &[u8]) -> Result<(), EngineError> {
        let long: Vec<u8> = noise.iter().copied().cycle().take(3 * wire::MAX_PAYLOAD).collect();
        if kind != Kind::Part {
            // In parts that fit together: whoever puts them together has nothing of it.
            return self.put(core, kind, if noise.is_empty() { &[0] } else { &long });
        }
        let part = |kind, index, count, bytes: &[u8]| Part {
            kind,
            whole: core.hash(noise),
            index,
            count,
            bytes: bytes.to_vec().into(),
        };
        let parts = [
            part(Kind::Tree, 0, u16::MAX, noise),
            part(Kind::Tree, 7, 3, noise),
            part(Kind::Part, 0, 1, noise),
            part(Kind::Commit, 0, 0, noise),
            part(Kind::Commit, 1, 500, &long[..long.len().min(wire::MAX_PAYLOAD)]),
            part(Kind::Beacon, 0, 1, noise),
        ];
        for part in parts {
            self.put(core, Kind::Part, &wire::encode(&part))?;
        }
        Ok(())
    }

    /// Something that would be right if it had not been cut off.
    fn stump(
        &mut self,
        core: &mut Core,
        now: Time,
        kind: Kind,
        noise: &[u8],
    ) -> Result<(), EngineError> {
        let whole = match kind {
            Kind::Commit => {
                let made = self.forge(core, now, Changes::default())?;
                let mut bundle = self.claimed(core, &made, Class::Ordinary)?;
                // The bundle is whole and the commit in it is not.
                let half = made.commit.len() / 2;
                bundle.commit = made.commit[..half].to_vec().into();
                self.put(core, kind, &wire::encode(&bundle))?;
                wire::encode(&self.claimed(core, &made, Class::Ordinary)?)
            }
            Kind::Application => self.encrypted(core, now, noise)?,
            Kind::Leave => {
                let leaf = self.leaf(core, now)?;
                wire::encode(&stay::end(&leaf, self.id, 0)?)
            }
            Kind::Tree => core.with(self.id, self.tip().id, |_, snapshot| snapshot.tree())??,
            Kind::Binding => core.me.binding.clone(),
            _ => wire::encode(&Request::Commits(self.tip().id)),
        };
        self.put(core, kind, &whole[..whole.len() - 1 - whole.len() / 3])
    }

    /// Something that reads well, is signed where it has to be, and is not so.
    fn tale(
        &mut self,
        core: &mut Core,
        now: Time,
        kind: Kind,
        noise: &[u8],
        heard: Option<MessageId>,
    ) -> Result<(), EngineError> {
        if !self.is_active() {
            return Err(EngineError::NotInGroup);
        }
        let tip = self.tip().id;
        let key = self.beacon_key(&tip);
        let random = |core: &Core| core.random().map(StateId);
        let devices: Vec<DeviceId> = self.others(core).map(|seat| seat.identity.device).collect();
        let Some(victim) = devices.get(noise.len() % devices.len().max(1)).copied() else {
            return Ok(());
        };
        match kind {
            Kind::Commit => {
                // A commit that OpenMLS takes, with a changed bit in its middle.
                let made = self.forge(core, now, Changes::default())?;
                let mut bundle = self.claimed(core, &made, Class::Ordinary)?;
                let mut commit = made.commit.clone();
                let middle = commit.len() / 2;
                commit[middle] ^= 1;
                bundle.commit = commit.into();
                self.put(core, kind, &wire::encode(&bundle))?;
                bundle.commit = made.commit.into();
                bundle.leaf = u32::MAX;
                self.put(core, kind, &wire::encode(&bundle))
            }
            Kind::Application => {
                // The name of a message that another said, and numbers out of all proportion.
                let body = Body {
                    nonce: heard.unwrap_or(MessageId([0; 16])).0,
                    number: if noise.len().is_multiple_of(2) { FAR } else { self.record.sent + 2 },
                    written: Time(FAR),
                    message: noise.to_vec().into(),
                };
                let encrypted = self.encrypted(core, now, &wire::encode(&body))?;
                self.put(core, kind, &encrypted)
            }
            Kind::Beacon => {
                // States that nobody has, above ours or in their place.
                let mut chain = self.own_runs(self.root().record.height);
                let mut states = Vec::new();
                for _ in 0..1 + noise.len() % 64 {
                    states.push(random(core)?);
                }
                let above = noise.len().is_multiple_of(2);
                let top = self.tip().record.height + if above { states.len() as u64 } else { 0 };
                chain.insert(0, Run { top, states });
                if !above {
                    chain.truncate(1);
                }
                let got = devices.iter().map(|device| Got { device: *device, upto: FAR });
                let beacon = Beacon {
                    count: self.next_count(core)?,
                    sent: FAR,
                    window: noise.len() as u16,
                    chain,
                    got: got.collect(),
                };
                self.say(core, now, &key, kind, &beacon)
            }
            Kind::Request => {
                let from = [victim, core.me.identity.device][noise.len() % 2];
                for request in [
                    Request::Commits(random(core)?),
                    Request::Commits(self.root().id),
                    Request::Tree(tip),
                    Request::Bindings(vec![victim; 1000]),
                    Request::Messages(from, 0, FAR),
                    Request::Messages(from, FAR, 0),
                ] {
                    self.say(core, now, &key, kind, &request)?;
                }
                Ok(())
            }
            Kind::Rejoin => {
                let count = self.next_count(core)?;
                let side = vec![tip; noise.len() % 64];
                let rejoin = Rejoin { count, side, key_package: noise.to_vec().into() };
                self.say(core, now, &key, kind, &rejoin)
            }
            Kind::Note => {
                self.say(core, now, &key, kind, &Note::Floor(victim, FAR))?;
                self.say(core, now, &key, kind, &Note::NotAMember(victim))
            }
            Kind::Leave => {
                // The word of another, signed by us.
                let mut leave = stay::end(&self.leaf(core, now)?, self.id, FAR)?;
                leave.device = victim;
                self.put(core, kind, &wire::encode(&leave))
            }
            Kind::Part | Kind::Tree | Kind::Binding => self.put(core, kind, noise),
        }
    }

    /// Bytes as a message of MLS.
    fn encrypted(
        &mut self,
        core: &mut Core,
        now: Time,
        body: &[u8],
    ) -> Result<Vec<u8>, EngineError> {
        let leaf = self.leaf(core, now)?;
        let (group, tip) = (self.id, self.tip().id);
        core.with(group, tip, |core, snapshot| {
            let bytes = snapshot.encrypt(&leaf, body)?;
            Ok(core.store.state_update(group, tip, snapshot.storage()).map(|()| bytes))
        })??
        .map_err(EngineError::from)
    }
}
