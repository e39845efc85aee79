//! The engine as a node: a store in memory, and randomness from the seed.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HashType;
use openmls_trellis_crypto::TrellisCrypto;

use super::node::{Node, Trouble, View};
use super::plan::Plan;
use crate::engine::inspect::Mark;
use crate::engine::malice::{Crime, Fork, Lie};
use crate::engine::{Config, Engine, EngineError, Intent, Linking, Outcome, Output};
use crate::message::{Message, Received};
use crate::store::{Store, StoreError};
use crate::wire::Kind;
use crate::{Address, DeviceId, GroupId, IntentId, MessageId, Span, StateId, Time, Topic};

/// OpenMLS compares the lifetimes of key packages with the system's clock, and a simulation must not
/// depend on that: 34 years, in seconds, before and after the virtual time.
const LIFETIME: (u64, u64) = (1 << 30, 1 << 30);

/// An account that nobody has online is given up soon, so that every intent comes to an end within
/// the time that a run has.
const PATIENCE: Span = Span::seconds(60);

/// More messages than a run has.
const ALL: usize = 1 << 20;

/// An engine with its store.
pub(crate) struct Real(Engine);

/// What an engine's error means here. Nothing that comes in from the network may lead to one, and
/// what a user wants only to those that say so.
fn trouble(error: EngineError) -> Trouble {
    match error {
        EngineError::Store(StoreError::FailPoint) => Trouble::Crashed,
        EngineError::NoGroup
        | EngineError::NotInGroup
        | EngineError::NotAllowed
        | EngineError::NoDevice
        | EngineError::NoAccountKeys
        | EngineError::Revoked
        | EngineError::NoMessage => Trouble::Refused(error.to_string()),
        _ => Trouble::Broken(error.to_string()),
    }
}

/// The seed of a node in one of its lives.
fn seed(plan: &Plan, number: usize, life: u64) -> Result<[u8; 32], Trouble> {
    let numbers = [plan.seed, number as u64, life].map(u64::to_be_bytes);
    let input = [&b"trellis simulator"[..], &numbers.concat()].concat();
    let digest = TrellisCrypto::default().hash(HashType::Sha2_256, &input);
    let digest = digest.ok().and_then(|digest| digest.try_into().ok());
    digest.ok_or_else(|| Trouble::Broken("there is no SHA-256".into()))
}

/// Cryptography with the randomness of a node in one of its lives.
fn crypto(plan: &Plan, number: usize, life: u64) -> Result<TrellisCrypto, Trouble> {
    let default = TrellisCrypto::default();
    let seed = seed(plan, number, life)?;
    Ok(TrellisCrypto::seeded(default.backend(), default.key_derivation(), seed))
}

fn config(plan: &Plan) -> Config {
    Config {
        suites: plan.suites(),
        lifetime: LIFETIME,
        patience: PATIENCE,
        // Several would be removed in an order of chance.
        removals: 1,
        ..Config::default()
    }
}

impl Node for Real {
    type Disk = Store;

    fn disk(_: &Plan, _: usize) -> Result<Store, Trouble> {
        Store::in_memory().map_err(|error| trouble(error.into()))
    }

    fn open(
        disk: Store,
        plan: &Plan,
        number: usize,
        life: u64,
        now: Time,
    ) -> Result<Self, Trouble> {
        let crypto = crypto(plan, number, life)?;
        Engine::open(disk, crypto, now, config(plan)).map(Self).map_err(trouble)
    }

    fn crash(self) -> Store {
        let mut store = self.0.into_store();
        store.fail_at(0);
        store
    }

    fn fail_at(&mut self, write: u64) {
        self.0.store_mut().fail_at(write);
    }

    fn address(&self) -> Address {
        self.0.address()
    }

    fn device(&self) -> DeviceId {
        self.0.device()
    }

    fn link(
        &mut self,
        now: Time,
        disk: Store,
        plan: &Plan,
        number: usize,
    ) -> Result<Self, Trouble> {
        let crypto = crypto(plan, number, 0)?;
        let linking = Linking::open(disk, crypto, config(plan)).map_err(trouble)?;
        let grant = self.0.approve_device(now, linking.request()).map_err(trouble)?;
        linking.complete(now, &grant).map(Self).map_err(trouble)
    }

    fn revoke(&mut self, now: Time, device: DeviceId) -> Result<(), Trouble> {
        self.0.revoke_device(now, device).map(drop).map_err(trouble)
    }

    fn groups(&self) -> Vec<GroupId> {
        self.0.groups()
    }

    fn found(&mut self, now: Time, name: &str, plan: &Plan) -> Result<GroupId, Trouble> {
        self.0.create_group(now, name, plan.suite, plan.policy.clone()).map_err(trouble)
    }

    fn intend(&mut self, now: Time, group: GroupId, intent: Intent) -> Result<IntentId, Trouble> {
        self.0.intend(now, group, intent).map_err(trouble)
    }

    fn say(&mut self, now: Time, group: GroupId, message: Message) -> Result<MessageId, Trouble> {
        self.0.send(now, group, message).map_err(trouble)
    }

    fn receive(&mut self, now: Time, topic: Topic, bytes: &[u8]) -> Result<(), Trouble> {
        self.0.receive(now, topic, bytes).map_err(trouble)
    }

    fn asked(
        &mut self,
        now: Time,
        asker: u64,
        topic: Topic,
        question: &[u8],
    ) -> Result<(), Trouble> {
        self.0.asked(now, asker, topic, question).map_err(trouble)
    }

    fn answered(&mut self, now: Time, answer: &[u8]) -> Result<(), Trouble> {
        self.0.answered(now, answer).map_err(trouble)
    }

    fn published(&mut self, _now: Time, ticket: u64) -> Result<(), Trouble> {
        self.0.published(ticket).map_err(trouble)
    }

    fn connected(&mut self, now: Time) -> Result<(), Trouble> {
        self.0.connected(now).map_err(trouble)
    }

    fn tick(&mut self, now: Time) -> Result<(), Trouble> {
        self.0.tick(now).map_err(trouble)
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    fn outputs(&mut self) -> Vec<Output> {
        self.0.outputs()
    }

    fn view(&mut self, now: Time, group: GroupId) -> Result<View, Trouble> {
        let view = self.0.view(now, group).map_err(trouble)?;
        let mut members: Vec<_> =
            view.members.iter().map(|member| (member.address, member.role)).collect();
        members.sort_unstable();
        let mut devices: Vec<_> = view.members.iter().map(|member| member.device).collect();
        devices.sort_unstable();
        Ok(View {
            group,
            suite: view.suite,
            state: view.state,
            epoch: view.epoch,
            name: view.name,
            active: view.active,
            members,
            devices,
            policy: view.policy,
        })
    }

    fn outcome(
        &mut self,
        now: Time,
        group: GroupId,
        intent: IntentId,
    ) -> Result<Option<Outcome>, Trouble> {
        self.0.outcome(now, group, intent).map_err(trouble)
    }

    fn history(&mut self, group: GroupId) -> Result<Vec<Received>, Trouble> {
        let history = self.0.history(group, None, ALL).map_err(trouble)?;
        Ok(history.into_iter().map(|(_, received)| received).collect())
    }

    fn states(&mut self, group: GroupId) -> Result<usize, Trouble> {
        let states = self.0.store_mut().states(group);
        Ok(states.map_err(|error| trouble(error.into()))?.len())
    }

    fn window(&self, group: GroupId) -> Result<Vec<StateId>, Trouble> {
        self.0.window(group).map_err(trouble)
    }

    fn marks(&mut self, group: GroupId, state: StateId) -> Result<Vec<Mark>, Trouble> {
        self.0.marks(group, state).map_err(trouble)
    }

    fn image(&self) -> Result<Vec<u8>, Trouble> {
        self.0.store().image().map_err(|error| trouble(error.into()))
    }

    fn is_erased(&self) -> bool {
        self.0.is_erased()
    }

    fn copy(&self) -> Result<Store, Trouble> {
        self.0.store().copy_to_memory().map_err(|error| trouble(error.into()))
    }

    fn rush(&mut self, now: Time, group: GroupId) -> Result<(), Trouble> {
        self.0.rush(now, group).map_err(trouble)
    }

    fn equivocate(&mut self, now: Time, group: GroupId) -> Result<Fork, Trouble> {
        self.0.equivocate(now, group).map_err(trouble)
    }

    fn commit_crime(
        &mut self,
        now: Time,
        group: GroupId,
        crime: Crime,
    ) -> Result<Option<StateId>, Trouble> {
        self.0.commit_crime(now, group, crime).map_err(trouble)
    }

    fn lie(
        &mut self,
        now: Time,
        group: GroupId,
        kind: Kind,
        lie: Lie,
        noise: &[u8],
    ) -> Result<(), Trouble> {
        self.0.lie(now, group, kind, lie, noise).map_err(trouble)
    }
}
