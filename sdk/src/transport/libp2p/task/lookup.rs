//! Questions for key packages that nobody answers: the records of the account are looked up, and boxes
//! that they name are asked.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::super::NodeError;
use super::super::directory::address;
use super::mailbox::For;
use super::{Task, directory};
use crate::directory::{BoxAt, Found, SLOTS, VerifiedRecord, answers, key};
use crate::mailbox::client::{take, taken};
use crate::mailbox::{BoxId, wire::Kind};
use crate::transport::Incoming;
use crate::{DeviceId, Time, Topic};

/// How long somebody who listens has to answer before boxes are looked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// For how many questions records are looked up at a time; others wait.
const LOOKUPS: usize = 8;
/// Of how many devices of an account boxes are asked.
const DEVICES: usize = 8;

/// A search for the records of an account.
pub(super) struct Lookup {
    topic: Topic,
    suite: u16,
    found: Found,
    /// How many places are still looked at.
    looking: u8,
}

/// A device's boxes that are asked one after the other.
pub(super) struct Taking {
    question: u64,
    suite: u16,
    device: DeviceId,
    boxes: VecDeque<BoxAt>,
}

impl Task {
    pub(super) fn tick_lookups(&mut self, now: Instant) {
        let room = LOOKUPS.saturating_sub(self.lookups.len());
        if room == 0 || self.searches.nodes() == 0 {
            return;
        }
        let due = self.asks.iter_mut();
        let due = due.filter_map(|(number, ask)| Some((*number, ask.topic(), ask.lookup(now)?)));
        let due: Vec<_> = due.take(room).collect();
        for (number, topic, suite) in due {
            let lookup = Lookup { topic, suite, found: Found::default(), looking: SLOTS };
            self.lookups.insert(number, lookup);
            for slot in 0..SLOTS {
                let key = key(&self.crypto, &topic, slot);
                self.get_for(number, slot, key);
            }
        }
    }

    /// What is in one of the places of the account.
    pub(super) fn looked_up(&mut self, question: u64, slot: u8, values: &[Vec<u8>]) {
        let Some(lookup) = self.lookups.get_mut(&question) else { return };
        for value in values {
            let there = (&lookup.topic, slot);
            // It was judged when it came.
            let _ = lookup.found.take(&self.crypto, Time::from_system(), there, value);
        }
        lookup.looking = lookup.looking.saturating_sub(1);
        if lookup.looking > 0 {
            return;
        }
        let Some(lookup) = self.lookups.remove(&question) else { return };
        let own = self.own.as_ref().and_then(directory::Own::device);
        let records = lookup.found.into_latest().filter(|record| Some(record.device()) != own);
        let records: Vec<VerifiedRecord> = records.take(DEVICES).collect();
        self.log(|| debug!(topic = ?lookup.topic, devices = records.len(), "looked for boxes"));
        for record in records {
            let boxes = record.boxes().iter().cloned().collect();
            let (suite, device) = (lookup.suite, record.device());
            self.ask_box(Taking { question, suite, device, boxes });
        }
    }

    /// Asks the next box of a device, as long as nobody else has answered.
    fn ask_box(&mut self, mut taking: Taking) {
        if self.asks.get(&taking.question).is_none_or(super::ask::Ask::is_answered) {
            return;
        }
        while let Some(at) = taking.boxes.pop_front() {
            let Some((peer, place)) = address(&at).filter(|(peer, _)| *peer != self.me) else {
                continue;
            };
            if self.mailbox_requests.len() >= self.limits.mailbox_at_once {
                return;
            }
            let frame = take(BoxId(at.id), taking.suite);
            let mailbox = &mut self.swarm.behaviour_mut().mailbox;
            let id = mailbox.send_request_with_addresses(&peer, frame, vec![place]);
            self.mailbox_requests.insert(id, For::Question(Box::new(taking)));
            return;
        }
    }

    /// Hands in what a box gave as the answer of its device, or goes on to the next one.
    pub(super) fn box_answered(&mut self, taking: Taking, result: Result<Vec<u8>, NodeError>) {
        let given = result.ok().and_then(|frame| taken(&frame).ok());
        let answers = given.as_ref().and_then(|given| {
            let beside = given.beside.iter().map(|answer| answer.as_slice());
            answers(&self.crypto, &taking.device, given.package.as_slice(), beside).ok()
        });
        let (Some(given), Some(answers)) = (given, answers) else { return self.ask_box(taking) };
        let last_resort = given.kind == Kind::LastResort;
        self.log(|| debug!(last_resort, answers = answers.len(), "a box answered"));
        for answer in answers {
            self.inbox.put(Incoming::Answer { answer });
        }
    }
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;
    use openmls_trellis_crypto::TrellisCrypto;

    use super::super::super::{Libp2p, Multiaddr};
    use super::*;
    use crate::directory::{Record, choices, inbox};
    use crate::identity::{AccountKeys, DeviceKeys};
    use crate::wire::{self, Question};

    fn key_package() -> Vec<u8> {
        wire::encode(&Question::KeyPackage(7))
    }

    async fn task() -> (Libp2p, Task) {
        let (node, mut task, _) = Libp2p::builder().at_rest().await;
        task.searches.know(1);
        (node, task)
    }

    #[tokio::test]
    async fn boxes_are_looked_for_after_a_while_and_for_a_few_questions_at_a_time() {
        let (_node, mut task) = task().await;
        let before = Instant::now();
        for number in 0..3 * LOOKUPS {
            task.open(Topic([number as u8; 32]), key_package()).unwrap();
        }
        task.tick_lookups(before + PATIENCE - Duration::from_millis(1));
        assert_eq!(task.lookups.len(), 0);
        let due = Instant::now() + PATIENCE;
        task.tick_lookups(due);
        task.tick_lookups(due);
        assert_eq!(task.lookups.len(), LOOKUPS);
        let done = *task.lookups.keys().next().unwrap();
        (0..SLOTS).for_each(|slot| task.looked_up(done, slot, &[]));
        assert_eq!(task.lookups.len(), LOOKUPS - 1);
        // Others have their turn, and it none a second time.
        task.tick_lookups(due);
        assert_eq!(task.lookups.len(), LOOKUPS);
        assert!(!task.lookups.contains_key(&done));
    }

    #[tokio::test]
    async fn boxes_of_a_few_devices_of_an_account_are_asked() {
        let (_node, mut task) = task().await;
        let (crypto, now) = (TrellisCrypto::default(), Time::from_system());
        let account = AccountKeys::generate(&crypto).unwrap();
        let topic = inbox(&crypto, &account.public().address(&crypto));
        let mut there = vec![Vec::new(); usize::from(SLOTS)];
        for _ in 0..DEVICES + 3 {
            let keys = DeviceKeys::generate(&crypto, &[]).unwrap();
            let binding = account.bind(keys.public(), now).unwrap().encode();
            let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
            let address = address.with_p2p(PeerId::random()).unwrap().to_vec();
            let boxes = vec![BoxAt { address, mailbox: [1; 32], id: [2; 32] }];
            let record = Record::sign(&keys, &binding, boxes, now).unwrap();
            let slot = choices(&record.device(&crypto))[0];
            there[usize::from(slot)].push(record.encode());
        }
        task.open(topic, key_package()).unwrap();
        task.tick_lookups(Instant::now() + PATIENCE);
        let question = *task.lookups.keys().next().unwrap();
        for (slot, values) in (0..SLOTS).zip(&there) {
            assert!(task.mailbox_requests.is_empty());
            task.looked_up(question, slot, values);
        }
        assert_eq!(task.mailbox_requests.len(), DEVICES);
    }
}
