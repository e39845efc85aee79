//! Key packages: asked for, given, and kept until they are used.

use super::Engine;
use super::core::Core;
use super::io::{EngineError, Intent, Output};
use super::mls;
use super::records::{IntentBody, IntentRecord, IntentStatus, KeyPackageRecord};
use super::rules::BEFORE;
use super::stay;
use crate::identity::Binding;
use crate::store::Space;
use crate::wire::{self, Answer, Question, Stay};
use crate::{Address, DeviceId, GroupId, Span, Time};

/// How many key packages wait to be used at most; the oldest goes.
const KEY_PACKAGES: usize = 256;
/// How many key packages are given away within [`GIVING`].
const GIVEN: u32 = 32;
const GIVING: Span = Span::seconds(10);
/// How many stays one question names.
const STAYS: usize = 64;

/// What was wanted before and came to nothing, with the stays that it led to.
pub(super) struct Wish {
    pub(super) intent: Intent,
    pub(super) stays: Vec<Stay>,
}

impl Wish {
    /// The same as an intent, if it is about who is in the group.
    pub(super) fn of(core: &Core, group: GroupId, intent: &IntentRecord) -> Option<Self> {
        let wish = intent.intent.about_members()?;
        let mut intent = intent.clone();
        intent.use_up(core, group);
        Some(Self { intent: wish, stays: intent.stays })
    }
}

impl IntentRecord {
    /// The key packages may have led in: others are needed now, from those who have not left since.
    pub(super) fn use_up(&mut self, core: &Core, group: GroupId) {
        for package in std::mem::take(&mut self.key_packages) {
            let Some(suite) = mls::suite_of(package.as_slice()) else { continue };
            let checked = mls::check_key_package(&core.crypto, suite, package.as_slice());
            let Ok((package, identity)) = checked else { continue };
            let Some(number) = stay::of(package.leaf_node()) else { continue };
            let stay = core.stay(group, &identity.device, number);
            self.stays.retain(|other| other.name != stay.name);
            self.stays.push(stay);
        }
        self.stays.drain(..self.stays.len().saturating_sub(STAYS));
    }
}

impl Core {
    /// A stay of a device in a group, as questions name it.
    pub(super) fn stay(&self, group: GroupId, device: &DeviceId, number: u64) -> Stay {
        let text = [&b"trellis stay v1"[..], &group.0, &device.0].concat();
        let mut name = [0; 16];
        name.copy_from_slice(&self.hash(&text)[..16]);
        Stay { name, number }
    }

    /// What is answered with a key package.
    pub(super) fn key_package_answer(&self, key_package: Vec<u8>) -> Vec<u8> {
        let binding = self.me.binding.clone();
        wire::encode(&Answer::KeyPackage(key_package.into(), binding.into()))
    }

    /// Asks an account's devices for key packages, but for those that have ended one of these stays.
    pub(super) fn ask_key_package(
        &mut self,
        address: &Address,
        suite: u16,
        stays: &[Stay],
    ) -> Result<(), EngineError> {
        let topic = self.inbox(address);
        let question = if stays.is_empty() {
            Question::KeyPackage(suite)
        } else {
            Question::Again(suite, stays[..stays.len().min(STAYS)].to_vec())
        };
        self.outputs.push(Output::Ask { topic, question: wire::encode(&question) });
        Ok(())
    }
}

impl Engine {
    /// Gives a key package to whoever asks on the topic of this account.
    pub(super) fn give_key_package(
        &mut self,
        now: Time,
        asker: u64,
        question: &[u8],
    ) -> Result<(), EngineError> {
        let suite = match wire::decode(question) {
            _ if self.devices.revoked => return Ok(()),
            Some(Question::KeyPackage(suite)) => suite,
            Some(Question::Again(suite, stays)) => {
                if stays.len() > STAYS || self.has_ended(now, &stays)? {
                    return Ok(());
                }
                suite
            }
            Some(Question::Account) if self.may_give(now) => return self.tell_account(asker),
            _ => return Ok(()),
        };
        let Ok(suite) = suite.try_into() else { return Ok(()) };
        if !self.core.config.suites.contains(&suite) || !self.may_give(now) {
            return Ok(());
        }
        let core = &mut self.core;
        let key_package = core.key_package(now, suite)?;
        let answer = core.key_package_answer(key_package);
        core.outputs.push(Output::Answer { asker, answer });
        self.tell_revocations(asker)?;
        self.limit_key_packages()
    }

    /// Whether this device has left the group of one of these stays since, or what came after that group.
    fn has_ended(&mut self, now: Time, stays: &[Stay]) -> Result<bool, EngineError> {
        let me = self.core.me.identity.device;
        let groups: Vec<_> = self.groups.keys().copied().collect();
        for group in groups {
            let name = self.core.stay(group, &me, 0).name;
            let Some(stay) = stays.iter().find(|stay| stay.name == name) else { continue };
            let mut next = Some(group);
            for _ in 0..=BEFORE {
                let Some(group) = next else { break };
                let known = self.with_group(now, group, |group, _| {
                    let to = group.record.moved.as_ref().map(|moved| moved.to);
                    // It may have come in again since.
                    let last = group.seat(&me).and_then(|seat| seat.stay);
                    Ok((group.left_upto().filter(|left| Some(*left) >= last), to))
                })?;
                let (left, to) = known.unwrap_or_default();
                if left >= Some(stay.number) {
                    return Ok(true);
                }
                next = to;
            }
        }
        Ok(false)
    }

    fn may_give(&mut self, now: Time) -> bool {
        if now.since(self.given.1) > GIVING {
            self.given = (0, now);
        }
        self.given.0 += 1;
        self.given.0 <= GIVEN
    }

    pub(super) fn limit_key_packages(&mut self) -> Result<(), EngineError> {
        self.key_packages += 1;
        if self.key_packages <= KEY_PACKAGES {
            return Ok(());
        }
        let lasting = self.core.last_resorts()?;
        let store = &mut self.core.store;
        let mut all: Vec<_> = store
            .scan(Space::KeyPackage, &[])?
            .into_iter()
            .filter(|(key, _)| !lasting.contains(key))
            .filter_map(|(key, value)| {
                Some((wire::decode::<KeyPackageRecord>(&value)?.created, key))
            })
            .collect();
        all.sort_unstable();
        for (_, key) in all.iter().take(all.len().saturating_sub(KEY_PACKAGES)) {
            store.delete(Space::KeyPackage, &[], key)?;
        }
        self.key_packages = all.len().min(KEY_PACKAGES);
        Ok(())
    }

    /// A key package of somebody, for the intents that wait for one.
    pub(super) fn take_answer(&mut self, now: Time, answer: &[u8]) -> Result<(), EngineError> {
        let (package, binding) = match wire::decode(answer) {
            _ if self.devices.revoked => return Ok(()),
            Some(Answer::KeyPackage(package, binding)) => (package, binding),
            Some(Answer::Binding(bytes)) => return self.meet(now, bytes.as_slice(), false),
            Some(Answer::Revocation(bytes)) => return self.take_revocation(now, bytes.as_slice()),
            None => return Ok(()),
        };
        let verified = Binding::decode(binding.as_slice())
            .ok()
            .and_then(|binding| binding.verify(&self.core.crypto).ok());
        let Some(verified) = verified else { return Ok(()) };
        let address = verified.address();
        // A question to the own account may come back, and a revoked device may answer any.
        if verified.device() == self.core.me.identity.device
            || self.core.is_revoked(&address, &verified.device())?
        {
            return Ok(());
        }
        let waiting = self.groups_with_wishes();
        for id in waiting {
            self.with_group(now, id, |group, core| {
                // The group's suite, or the one that it is going to move to.
                let Some(suite) = mls::suite_of(package.as_slice()) else { return Ok(()) };
                let checked = mls::check_key_package(&core.crypto, suite, package.as_slice());
                let Ok((package_in, identity)) = checked else { return Ok(()) };
                let key = package_in.leaf_node().signature_key().as_slice();
                let fits = crate::identity::check_leaf(
                    &identity,
                    suite.signature_algorithm(),
                    key,
                    Some(&verified),
                );
                if fits.is_err() {
                    return Ok(());
                }
                if group.record.suite == u16::from(suite) {
                    group.take_absent(now, (&address, &identity.device), package.as_slice());
                }
                let wanting: Vec<_> = group
                    .intents
                    .iter()
                    .filter(|(_, intent)| {
                        let wants = match intent.intent {
                            IntentBody::Migrate(to) => {
                                to == u16::from(suite) && group.seat(&identity.device).is_some()
                            }
                            ref body => {
                                group.record.suite == u16::from(suite)
                                    && body.brings(&address, &identity.device)
                            }
                        };
                        intent.status == IntentStatus::Open && wants
                    })
                    .map(|(id, _)| *id)
                    .collect();
                for id in wanting {
                    core.learn_binding(binding.as_slice())?;
                    let Some(intent) = group.intents.get_mut(&id) else { continue };
                    let same_device = intent.key_packages.iter().any(|known| {
                        mls::check_key_package(&core.crypto, suite, known.as_slice())
                            .is_ok_and(|(_, other)| other.device == identity.device)
                    });
                    if same_device || intent.key_packages.len() >= super::MAX_PACKAGES {
                        continue;
                    }
                    if intent.key_packages.is_empty() {
                        // Other devices of the account may answer too.
                        intent.next = now + Span(core.config.retry.0 / 2);
                    }
                    intent.key_packages.push(package.clone());
                    let next = intent.next;
                    group.plan_at(next);
                    group.save_intent(core, &id)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
