//! Key packages: asked for, given, and kept until they are used.

use super::Engine;
use super::core::Core;
use super::io::{EngineError, Output};
use super::mls;
use super::records::{IntentBody, IntentStatus, KeyPackageRecord};
use crate::identity::Binding;
use crate::store::Space;
use crate::wire::{self, Answer, Question};
use crate::{Address, GroupId, Span, Time};

/// How many key packages wait to be used at most; the oldest goes.
const KEY_PACKAGES: usize = 256;
/// How many key packages are given away within [`GIVING`].
const GIVEN: u32 = 32;
const GIVING: Span = Span::seconds(10);
impl Core {
    /// Asks an account's devices for key packages.
    pub(super) fn ask_key_package(
        &mut self,
        address: &Address,
        suite: u16,
    ) -> Result<(), EngineError> {
        let topic = self.inbox(address);
        let question = wire::encode(&Question::KeyPackage(suite));
        self.outputs.push(Output::Ask { topic, question });
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
            Some(Question::Account) if self.may_give(now) => return self.tell_account(asker),
            _ => return Ok(()),
        };
        let Ok(suite) = suite.try_into() else { return Ok(()) };
        if !self.core.config.suites.contains(&suite) || !self.may_give(now) {
            return Ok(());
        }
        let core = &mut self.core;
        let key_package = core.key_package(now, suite)?;
        let binding = core.me.binding.clone();
        let answer = wire::encode(&Answer::KeyPackage(key_package.into(), binding.into()));
        core.outputs.push(Output::Answer { asker, answer });
        self.tell_revocations(asker)?;
        self.limit_key_packages()
    }

    fn may_give(&mut self, now: Time) -> bool {
        if now.since(self.given.1) > GIVING {
            self.given = (0, now);
        }
        self.given.0 += 1;
        self.given.0 <= GIVEN
    }

    fn limit_key_packages(&mut self) -> Result<(), EngineError> {
        self.key_packages += 1;
        if self.key_packages <= KEY_PACKAGES {
            return Ok(());
        }
        let store = &mut self.core.store;
        let mut all: Vec<_> = store
            .scan(Space::KeyPackage, &[])?
            .into_iter()
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
        let waiting: Vec<GroupId> = self.groups_with_intents();
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
