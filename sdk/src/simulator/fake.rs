//! An engine that is none, to test the simulator with: nodes keep a set of all that ever happened and
//! gossip it whole. It converges whatever the network does, and has one flaw if it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use openmls_traits::types::Ciphersuite;

use super::node::{Node, Trouble, View};
use super::plan::Plan;
use crate::engine::inspect::Mark;
use crate::engine::malice::{Crime, Fork, Lie};
use crate::engine::{Change, Event, Failure, Intent, Outcome, Output};
use crate::message::{Message, Received};
use crate::wire::Kind;
use crate::{
    Address, DeviceId, GroupId, IntentId, MessageId, Policy, Role, Span, StateId, Time, Topic,
};

/// None.
pub(super) const SOUND: u8 = 0;
/// A message of some steps is never told.
pub(super) const LOSES: u8 = 1;
/// A message that comes again is told again.
pub(super) const REPEATS: u8 = 2;
/// Messages are gone after a crash.
pub(super) const FORGETS: u8 = 3;
/// Renaming comes to no end.
pub(super) const DAWDLES: u8 = 4;
/// Node 1 does not see what node 2 calls the group.
pub(super) const DISAGREES: u8 = 5;
/// Those who were removed read on.
pub(super) const LEAKS: u8 = 6;
/// A key rotation is too much.
pub(super) const PANICS: u8 = 7;
/// A key rotation keeps the node busy for ever.
pub(super) const SPINS: u8 = 8;
/// An intent that was done is reported as failed after a crash.
pub(super) const LIES: u8 = 9;
/// Keys of earlier states stay in the store.
pub(super) const KEEPS: u8 = 10;
/// What the rules do not allow happens.
pub(super) const OBEYS: u8 = 11;

const GROUP: GroupId = GroupId([1; 32]);
const PERIOD: Span = Span::seconds(1);

/// When, by Lamport's clock; who; the how manieth of theirs.
type Key = (u64, usize, u64);

#[derive(Clone, Default)]
pub(super) struct Disk {
    number: usize,
    /// What happened, as text: a kind, and what belongs to it.
    happened: BTreeMap<Key, String>,
    heard: BTreeSet<Key>,
    count: u64,
    /// Own intents that are under way, and who has heard of each.
    under_way: BTreeMap<Key, BTreeSet<usize>>,
    done: Vec<IntentId>,
    /// The keys of all states, if they stay.
    keys: BTreeSet<Mark>,
}

pub(super) struct Fake<const FLAW: u8> {
    disk: Disk,
    next: Time,
    fail: u64,
    busy: bool,
    outputs: Vec<Output>,
}

fn address(node: usize) -> Address {
    Address([node as u8 + 1; 32])
}

fn node(address: Address) -> usize {
    usize::from(address.0[0]) - 1
}

fn device(node: usize) -> DeviceId {
    DeviceId([node as u8; 32])
}

/// A fake has one device for an account, nothing to erase, and knows nothing of commits.
fn never<T>() -> Result<T, Trouble> {
    Err(Trouble::Refused("a fake does not do that".into()))
}

fn id(key: Key) -> MessageId {
    let mut id = [0; 16];
    id[0] = key.1 as u8;
    // A second engine counts on where the first does, but at another time.
    id[1..5].copy_from_slice(&(key.0 as u32).to_be_bytes());
    id[5..13].copy_from_slice(&key.2.to_be_bytes());
    MessageId(id)
}

struct Fold {
    name: String,
    roster: BTreeMap<usize, Role>,
    state: u64,
}

impl Fold {
    fn state(&self) -> StateId {
        let mut state = [0; 16];
        state[..8].copy_from_slice(&self.state.to_be_bytes());
        StateId(state)
    }
}

/// The key of a state.
fn key_of(state: StateId) -> Mark {
    state.0.map(|byte| byte ^ 0x5a)
}

/// The state that a crime leads to.
fn crime_state() -> StateId {
    StateId([0xcc; 16])
}

impl<const FLAW: u8> Fake<FLAW> {
    fn fold(&self) -> Option<Fold> {
        let mut fold = Fold { name: String::new(), roster: BTreeMap::new(), state: 0 };
        for (key, what) in &self.disk.happened {
            if FLAW == DISAGREES
                && self.disk.number == 1
                && key.1 == 2
                && what.starts_with("rename ")
            {
                continue;
            }
            for byte in format!("{key:?} {what}").bytes() {
                fold.state = fold.state.wrapping_mul(31).wrapping_add(u64::from(byte));
            }
            let (kind, rest) = what.split_once(' ').unwrap_or((what, ""));
            let whom = rest.split(' ').next().and_then(|word| word.parse().ok());
            match (kind, whom) {
                ("found", _) => {
                    fold.name = rest.into();
                    fold.roster.insert(key.1, Role::Owner);
                }
                ("rename", _) => fold.name = rest.into(),
                ("invite", Some(whom)) => drop(fold.roster.entry(whom).or_insert(Role::Member)),
                ("remove", Some(whom)) => drop(fold.roster.remove(&whom)),
                ("role", Some(whom)) => {
                    if let Some(role) = fold.roster.get_mut(&whom) {
                        *role = match rest.split_once(' ') {
                            Some((_, "Owner")) => Role::Owner,
                            Some((_, "Admin")) => Role::Admin,
                            _ => Role::Member,
                        };
                    }
                }
                _ => {}
            }
        }
        (!self.disk.happened.is_empty()).then_some(fold)
    }

    fn active(&self) -> bool {
        self.fold().is_some_and(|fold| fold.roster.contains_key(&self.disk.number))
    }

    fn write(&mut self) -> Result<(), Trouble> {
        if self.fail > 0 {
            self.fail -= 1;
            if self.fail == 0 {
                return Err(Trouble::Crashed);
            }
        }
        Ok(())
    }

    fn add(&mut self, what: String) -> Result<Key, Trouble> {
        self.write()?;
        let last = self.disk.happened.keys().next_back().map_or(0, |key| key.0);
        self.disk.count += 1;
        let key = (last + 1, self.disk.number, self.disk.count);
        self.disk.happened.insert(key, what);
        self.changed();
        Ok(key)
    }

    fn changed(&mut self) {
        if let Some(fold) = self.fold().filter(|_| FLAW == KEEPS) {
            self.disk.keys.insert(key_of(fold.state()));
        }
        let event = Event::Healed { group: GROUP };
        self.outputs.push(Output::Event(event));
    }

    fn received(&self, key: Key, what: &str) -> Received {
        let text = what.splitn(3, ' ').nth(2).unwrap_or_default();
        Received {
            group: GROUP,
            id: id(key),
            author: address(key.1),
            device: device(key.1),
            written: Time(0),
            received: Time(0),
            message: Message::Text(text.into()),
        }
    }

    fn ended(&mut self, intent: IntentId, outcome: Outcome) {
        self.outputs.push(Output::Event(Event::Intent {
            group: GROUP,
            intent,
            what: Intent::Rotate,
            outcome,
        }));
    }

    /// Ends the intents that all members have heard of.
    fn end_intents(&mut self) {
        let Some(fold) = self.fold() else { return };
        let me = self.disk.number;
        let heard = |who: &BTreeSet<usize>| {
            fold.roster.keys().all(|member| *member == me || who.contains(member))
        };
        let done: Vec<_> =
            self.disk.under_way.iter().filter(|(_, who)| heard(who)).map(|(key, _)| *key).collect();
        for key in done {
            self.disk.under_way.remove(&key);
            let name = IntentId(id(key).0);
            self.ended(name, Outcome::Done);
            self.disk.done.push(name);
        }
    }

    fn gossip(&mut self) {
        let mut whom: BTreeSet<usize> = BTreeSet::new();
        let mut text = format!("{}\n", self.disk.number);
        for (key, what) in &self.disk.happened {
            let _ = writeln!(text, "{} {} {} {what}", key.0, key.1, key.2);
            whom.insert(key.1);
            whom.extend(what.strip_prefix("invite ").and_then(|whom| whom.parse::<usize>().ok()));
        }
        for whom in whom.into_iter().filter(|whom| *whom != self.disk.number) {
            let bytes = format!("{}\n{text}", checksum(&text)).into_bytes();
            self.outputs.push(Output::Publish {
                topic: Topic(address(whom).0),
                bytes,
                ticket: None,
            });
        }
    }
}

/// Stands for what authenticates envelopes.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(1, |sum, byte| sum.wrapping_mul(1_000_003).wrapping_add(u64::from(byte)))
}

fn parse(bytes: &[u8]) -> Option<(usize, Vec<(Key, String)>)> {
    let (sum, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    if sum != checksum(text).to_string() {
        return None;
    }
    let mut lines = text.lines();
    let from = lines.next()?.parse().ok()?;
    let mut all = Vec::new();
    for line in lines {
        let mut words = line.splitn(4, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let key = (number()?, usize::try_from(number()?).ok()?, number()?);
        all.push((key, words.next()?.to_owned()));
    }
    Some((from, all))
}

impl<const FLAW: u8> Node for Fake<FLAW> {
    type Disk = Disk;

    fn disk(_: &Plan, number: usize) -> Result<Disk, Trouble> {
        Ok(Disk { number, ..Disk::default() })
    }

    fn open(disk: Disk, _: &Plan, number: usize, life: u64, now: Time) -> Result<Self, Trouble> {
        let outputs = vec![Output::Subscribe(Topic(address(number).0))];
        let mut fake = Self { disk, next: now + PERIOD, fail: 0, busy: false, outputs };
        if FLAW == FORGETS && life > 0 {
            fake.disk.heard.clear();
        }
        if FLAW == LIES && life > 0 {
            for intent in fake.disk.done.clone() {
                fake.ended(intent, Outcome::Failed(Failure::NotAllowed));
            }
        }
        Ok(fake)
    }

    fn crash(self) -> Disk {
        self.disk
    }

    fn fail_at(&mut self, write: u64) {
        self.fail = write;
    }

    fn address(&self) -> Address {
        address(self.disk.number)
    }

    fn device(&self) -> DeviceId {
        device(self.disk.number)
    }

    fn link(&mut self, _: Time, _: Disk, _: &Plan, _: usize) -> Result<Self, Trouble> {
        never()
    }

    fn revoke(&mut self, _: Time, _: DeviceId) -> Result<(), Trouble> {
        never()
    }

    fn groups(&self) -> Vec<GroupId> {
        vec![GROUP]
    }

    fn found(&mut self, _: Time, name: &str, _: &Plan) -> Result<GroupId, Trouble> {
        self.add(format!("found {name}"))?;
        Ok(GROUP)
    }

    fn intend(&mut self, _: Time, _: GroupId, intent: Intent) -> Result<IntentId, Trouble> {
        let Some(fold) = self.fold().filter(|_| self.active()) else {
            return Err(Trouble::Refused("not in the group".into()));
        };
        let key = match intent {
            Intent::Invite(whom) => self.add(format!("invite {}", node(whom)))?,
            Intent::Remove(whom) => self.add(format!("remove {}", node(whom)))?,
            Intent::Leave => self.add(format!("remove {}", self.disk.number))?,
            Intent::Rename(ref name) => self.add(format!("rename {name}"))?,
            Intent::SetRole(whom, role) if fold.roster.contains_key(&node(whom)) => {
                self.add(format!("role {} {role:?}", node(whom)))?
            }
            Intent::SetPolicy(_) | Intent::Migrate(_) => return never(),
            Intent::Rotate if FLAW == PANICS => panic!("on purpose"),
            Intent::Rotate => {
                self.busy = FLAW == SPINS;
                self.add("rotate".into())?
            }
            _ => {
                let intent = IntentId([0; 16]);
                self.ended(intent, Outcome::Failed(Failure::NoSuchMember));
                return Ok(intent);
            }
        };
        let name = IntentId(id(key).0);
        let slow = FLAW == DAWDLES && matches!(intent, Intent::Rename(_));
        if !slow {
            self.disk.under_way.insert(key, BTreeSet::new());
        }
        Ok(name)
    }

    fn say(&mut self, _: Time, _: GroupId, message: Message) -> Result<MessageId, Trouble> {
        let Some(fold) = self.fold().filter(|_| self.active()) else {
            return Err(Trouble::Refused("not in the group".into()));
        };
        let Message::Text(text) = message else { return Err(Trouble::Broken("a text".into())) };
        let readers: Vec<_> = fold.roster.keys().map(usize::to_string).collect();
        let key = self.add(format!("say {} {text}", readers.join(",")))?;
        self.disk.heard.insert(key);
        Ok(id(key))
    }

    fn receive(&mut self, _: Time, _: Topic, bytes: &[u8]) -> Result<(), Trouble> {
        let Some((from, all)) = parse(bytes) else { return Ok(()) };
        self.write()?;
        let mut changed = false;
        for (key, what) in all {
            if let Some(who) = self.disk.under_way.get_mut(&key) {
                who.insert(from);
            }
            let new = self.disk.happened.insert(key, what.clone()).is_none();
            let mut words = what.splitn(3, ' ');
            let me = self.disk.number.to_string();
            let mine = words.next() == Some("say")
                && key.1 != self.disk.number
                && (FLAW == LEAKS
                    || words.next().is_some_and(|readers| readers.split(',').any(|who| who == me)));
            let lost = FLAW == LOSES && key.2 % 2 == 0;
            if mine && !lost && (new || FLAW == REPEATS) {
                self.disk.heard.insert(key);
                let received = self.received(key, &what);
                self.outputs.push(Output::Event(Event::Message(received)));
            }
            if new && what == "crime" {
                let (by, state) = (address(key.1), crime_state());
                let change = Change { by, state, at: Time(0), what: Vec::new() };
                self.outputs.push(Output::Event(Event::Changed { group: GROUP, change }));
            }
            changed |= new;
        }
        if changed {
            self.changed();
        }
        self.end_intents();
        Ok(())
    }

    fn asked(&mut self, _: Time, _: u64, _: Topic, _: &[u8]) -> Result<(), Trouble> {
        Ok(())
    }

    fn answered(&mut self, _: Time, _: &[u8]) -> Result<(), Trouble> {
        Ok(())
    }

    fn published(&mut self, _: Time, _: u64) -> Result<(), Trouble> {
        Ok(())
    }

    fn connected(&mut self, _: Time) -> Result<(), Trouble> {
        Ok(())
    }

    fn tick(&mut self, now: Time) -> Result<(), Trouble> {
        self.next = now + PERIOD;
        self.end_intents();
        self.gossip();
        Ok(())
    }

    fn deadline(&self) -> Option<Time> {
        Some(if self.busy { Time(0) } else { self.next })
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn view(&mut self, _: Time, _: GroupId) -> Result<View, Trouble> {
        let Some(fold) = self.fold() else { return Err(Trouble::Refused("no group".into())) };
        let devices = fold.roster.keys().map(|node| device(*node)).collect();
        Ok(View {
            group: GROUP,
            suite: Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
            devices,
            state: fold.state(),
            epoch: self.disk.happened.len() as u64,
            name: fold.name,
            active: fold.roster.contains_key(&self.disk.number),
            members: fold.roster.iter().map(|(node, role)| (address(*node), *role)).collect(),
            policy: Policy::default(),
        })
    }

    fn outcome(&mut self, _: Time, _: GroupId, _: IntentId) -> Result<Option<Outcome>, Trouble> {
        Ok(None)
    }

    fn history(&mut self, _: GroupId) -> Result<Vec<Received>, Trouble> {
        let heard = self.disk.heard.iter();
        Ok(heard.map(|key| self.received(*key, &self.disk.happened[key])).collect())
    }

    fn states(&mut self, _: GroupId) -> Result<usize, Trouble> {
        Ok(0)
    }

    fn window(&self, _: GroupId) -> Result<Vec<StateId>, Trouble> {
        Ok(self.fold().filter(|_| FLAW == KEEPS).map(|fold| fold.state()).into_iter().collect())
    }

    fn marks(&mut self, _: GroupId, state: StateId) -> Result<Vec<Mark>, Trouble> {
        Ok(vec![key_of(state)])
    }

    fn image(&self) -> Result<Vec<u8>, Trouble> {
        Ok(self.disk.keys.iter().flatten().copied().collect())
    }

    fn is_erased(&self) -> bool {
        true
    }

    fn copy(&self) -> Result<Disk, Trouble> {
        Ok(self.disk.clone())
    }

    fn rush(&mut self, _: Time, _: GroupId) -> Result<(), Trouble> {
        never()
    }

    fn equivocate(&mut self, _: Time, _: GroupId) -> Result<Fork, Trouble> {
        never()
    }

    fn commit_crime(&mut self, _: Time, _: GroupId, _: Crime) -> Result<Option<StateId>, Trouble> {
        if FLAW == OBEYS {
            self.add("crime".into())?;
        }
        Ok(Some(crime_state()))
    }

    fn lie(&mut self, _: Time, _: GroupId, _: Kind, _: Lie, _: &[u8]) -> Result<(), Trouble> {
        never()
    }
}
