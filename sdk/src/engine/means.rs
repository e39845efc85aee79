//! What an intent means in a state: it has happened, can't happen, waits, or goes into a commit.

use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event, Failure};
use super::mls;
use super::plan::{ADD_AT_ONCE, Wanted};
use super::records::{IntentBody, IntentStatus};
use super::stay;
use crate::policy::{Floor, Policy, Right, Role};
use crate::{Address, IntentId, Time};

/// By how much longer who was a member, or was to be one, is waited for.
const AGAIN: u64 = 2;

/// What an intent means in the newest state.
pub(super) enum Means {
    /// It is that way already.
    Happened,
    /// Something is missing for it.
    Wait,
    /// It can't happen.
    Never(Failure),
    /// It goes into the next commit.
    Commit,
}

impl Group {
    /// What an intent means in the newest state; if it is to be committed, adds it.
    pub(super) fn means(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let Some(intent) = self.intents.get(id).cloned() else { return Ok(Means::Wait) };
        let me = core.me.identity.address;
        let rules = &self.rules;
        let leaves = |address: &Address| -> Vec<u32> {
            let own = |seat: &&mls::Seat| seat.identity.address == *address;
            self.seats.iter().filter(own).map(|seat| seat.leaf).collect()
        };
        let in_group = |address: &Address| !leaves(address).is_empty();
        if let Some(successor) = &rules.successor {
            return Ok(match intent.intent {
                IntentBody::Migrate(suite) if suite == successor.suite => Means::Happened,
                // Who was to found the successor may never come back.
                IntentBody::Migrate(suite) if suite == self.record.suite => {
                    if rules.allows(&me, Right::Migrate) {
                        wanted.rules.successor = None;
                        Means::Commit
                    } else {
                        Means::Never(Failure::NotAllowed)
                    }
                }
                // Whoever founds the successor leaves him behind.
                IntentBody::Leave(upto) if self.others(core).next().is_some() => {
                    self.say_leave(core, now, upto)?;
                    Means::Wait
                }
                _ => Means::Wait,
            });
        }
        Ok(match &intent.intent {
            IntentBody::Invite(address) if *address == me => {
                return self.means_devices(core, now, id, wanted);
            }
            IntentBody::Invite(address) => {
                return self.means_invite(core, now, id, address, wanted);
            }
            IntentBody::AddDevice(_) => return self.means_devices(core, now, id, wanted),
            IntentBody::Remove(address) => {
                let lower = rules.role(address) < rules.role(&me);
                if !in_group(address) {
                    Means::Happened
                } else if !lower || !rules.allows(&me, Right::Remove) {
                    Means::Never(Failure::NotAllowed)
                } else {
                    // Those that there is no room for come with the next commit.
                    for leaf in leaves(address) {
                        wanted.remove(leaf);
                    }
                    Means::Commit
                }
            }
            IntentBody::RemoveDevice(device) => match self.seat(device) {
                None => Means::Happened,
                Some(seat)
                    if seat.identity.address == me
                        || rules.role(&seat.identity.address) < rules.role(&me)
                            && rules.allows(&me, Right::Remove) =>
                {
                    wanted.remove(seat.leaf);
                    Means::Commit
                }
                Some(_) => Means::Never(Failure::NotAllowed),
            },
            IntentBody::Leave(upto) => {
                let others: Vec<_> = self.others(core).map(|seat| seat.identity.address).collect();
                let owner = rules.role(&me) == Role::Owner
                    && !others.contains(&me)
                    && !rules.roles().any(|(address, role)| role == Role::Owner && address != me);
                if others.is_empty() {
                    self.set_intent(core, *id, IntentStatus::Done(self.tip().record.height))?;
                    core.tell(Event::Out { group: self.id, by: None });
                    self.go(core, now)?;
                    Means::Wait
                } else if owner {
                    Means::Never(Failure::LastOwner)
                } else {
                    self.say_leave(core, now, *upto)?;
                    Means::Wait
                }
            }
            IntentBody::Rename(name) => {
                let name = String::from_utf8_lossy(name.as_slice()).into_owned();
                if rules.name() == name {
                    Means::Happened
                } else if !rules.allows(&me, Right::Rename) {
                    Means::Never(Failure::NotAllowed)
                } else {
                    wanted.rules.set_name(&name);
                    Means::Commit
                }
            }
            IntentBody::SetRole(address, role) => {
                let old = rules.role(address);
                let allowed = rules.allows(&me, Right::SetRole)
                    && old.max(*role) <= rules.role(&me)
                    || *address == me && *role < old;
                let invited = self.intents.values().any(|other| {
                    other.intent == IntentBody::Invite(*address)
                        && other.status == IntentStatus::Open
                });
                if !in_group(address) {
                    if invited { Means::Wait } else { Means::Never(Failure::NoSuchMember) }
                } else if old == *role {
                    Means::Happened
                } else if !allowed {
                    Means::Never(Failure::NotAllowed)
                } else {
                    let before = wanted.rules.clone();
                    wanted.rules.set_role(*address, *role);
                    if wanted.rules.roles().any(|(_, role)| role == Role::Owner) {
                        Means::Commit
                    } else {
                        wanted.rules = before;
                        Means::Never(Failure::LastOwner)
                    }
                }
            }
            IntentBody::SetPolicy(policy) => {
                if rules.policy == *policy {
                    Means::Happened
                } else if !rules.allows(&me, Right::SetPolicy)
                    || !policy.floor.covers(rules.policy.floor)
                    || !Floor::of(self.suite()?).covers(policy.floor)
                {
                    Means::Never(Failure::NotAllowed)
                } else {
                    wanted.rules.policy = Policy::clone(policy);
                    Means::Commit
                }
            }
            IntentBody::Rotate => {
                wanted.rotate = true;
                Means::Commit
            }
            IntentBody::Migrate(suite) => {
                let Ok(suite) = (*suite).try_into() else {
                    return Ok(Means::Never(Failure::Suite));
                };
                return self.means_migrate(core, now, id, suite, wanted);
            }
        })
    }

    fn means_invite(
        &mut self,
        core: &mut Core,
        now: Time,
        id: &IntentId,
        address: &Address,
        wanted: &mut Wanted,
    ) -> Result<Means, EngineError> {
        let me = core.me.identity.address;
        let seats = || self.seats.iter().filter(|seat| seat.identity.address == *address);
        // Who leaves, or is removed by what was wanted before, comes in anew.
        let stays = |seat: &mls::Seat| !self.leaves(seat) && !wanted.removes(seat.leaf);
        if seats().any(stays) {
            return Ok(Means::Happened);
        } else if seats().next().is_some() {
            return Ok(Means::Wait);
        }
        if !self.rules.allows(&me, Right::Invite) {
            return Ok(Means::Never(Failure::NotAllowed));
        }
        let Some(intent) = self.intents.get(id) else { return Ok(Means::Wait) };
        let retry = core.config.retry;
        if intent.key_packages.is_empty() || intent.asked > 0 && now < intent.next {
            // Who was in before, or was to be, is waited for longer.
            let more = if intent.stays.is_empty() { 1 } else { AGAIN };
            let patience = core.config.patience.times(more);
            if now.since(intent.created) > patience && intent.key_packages.is_empty() {
                return Ok(Means::Never(Failure::NoKeyPackage));
            }
            if now >= intent.next {
                core.ask_key_package(address, self.record.suite, &intent.stays)?;
                if let Some(intent) = self.intents.get_mut(id) {
                    intent.asked = intent.asked.saturating_add(1);
                    intent.next = now + retry.times(1 << intent.asked.min(6));
                }
                self.save_intent(core, id)?;
            }
            let next = self.intents.get(id).map_or(now, |intent| intent.next);
            self.plan_at(next);
            return Ok(Means::Wait);
        }
        let suite = self.record.suite.try_into().map_err(|_| EngineError::Suite)?;
        let mut any = false;
        let packages = intent.key_packages.clone();
        for package in packages {
            let checked = mls::check_key_package(&core.crypto, suite, package.as_slice());
            let Ok((package, identity)) = checked else { continue };
            let here = self.seat(&identity.device).is_some();
            // Made before he said that he leaves.
            let old = self.leaves.get(&identity.device).is_some_and(|word| {
                stay::of(package.leaf_node()).is_none_or(|stay| stay <= word.leave.upto)
            });
            if here
                || old
                || wanted.devices.contains(&identity.device)
                || wanted.add.len() >= ADD_AT_ONCE
            {
                continue;
            }
            any = true;
            wanted.devices.push(identity.device);
            wanted.add.push(package);
        }
        if any {
            return Ok(Means::Commit);
        }
        // None of them is good any more, so others are needed.
        if let Some(intent) = self.intents.get_mut(id) {
            intent.use_up(core, self.id);
            intent.next = now + retry;
        }
        self.next_plan = Some(now + retry);
        Ok(Means::Wait)
    }
}
