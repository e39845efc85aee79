//! Questions to whoever listens to a topic, and answers.
//!
//! A question goes straight to peers that listen, and to others as they turn up, for as long as it is
//! open. An answer comes back as a request of its own, so that there can be several; it bears the
//! random number of the question, and counts only from a peer that was asked.

use std::collections::HashMap;

use libp2p::PeerId;
use libp2p::request_response::{Event, Message};
use tokio::time::Instant;
use tracing::trace;

use super::super::flood::Deed;
use super::super::frame::{self, NOT_TAKEN, TAKEN};
use super::Task;
use super::lookup::PATIENCE;
use crate::Topic;
use crate::directory::wanted;
use crate::transport::{Incoming, TransportError};

/// Of all open questions of others, one in so many may be of the same peer.
const SHARE: usize = 8;

/// A question of this node.
pub(super) struct Ask {
    topic: Topic,
    question: Vec<u8>,
    /// Who was asked, and how often each has answered.
    asked: HashMap<PeerId, usize>,
    until: Instant,
    /// The cipher suite that a box is asked for, and when.
    lookup: Option<(Instant, u16)>,
    answered: bool,
}

impl Ask {
    pub(super) const fn topic(&self) -> Topic {
        self.topic
    }

    /// The suite, if it is time to look for a box, since nobody has answered. It is said once.
    pub(super) fn lookup(&mut self, now: Instant) -> Option<u16> {
        if self.answered {
            self.lookup = None;
        }
        self.lookup.take_if(|(at, _)| *at <= now).map(|(_, suite)| suite)
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.answered
    }
}

/// A question of another node.
pub(super) struct Question {
    peer: PeerId,
    number: u64,
    until: Instant,
}

impl Task {
    pub(super) fn ask(&mut self, topic: Topic, question: Vec<u8>) -> Result<(), TransportError> {
        if self.peers.is_empty() {
            return Err(TransportError::Offline);
        }
        self.open(topic, question)
    }

    /// Asks those who listen, and those who will.
    pub(super) fn open(&mut self, topic: Topic, question: Vec<u8>) -> Result<(), TransportError> {
        if self.asks.len() >= self.limits.questions {
            return Err(TransportError::Busy);
        }
        let mut number = [0; 8];
        trellis_ciphersuites::random::fill(&mut number).map_err(|_| TransportError::Busy)?;
        let number = u64::from_be_bytes(number);
        let now = Instant::now();
        let until = now + self.limits.question_lifetime;
        let lookup = wanted(&question).map(|suite| (now + PATIENCE, suite));
        let asked = HashMap::new();
        let ask = Ask { topic, question, asked, until, lookup, answered: false };
        self.asks.insert(number, ask);
        let listening = self.listeners.get(&topic).into_iter().flatten();
        let listening: Vec<PeerId> = listening.copied().collect();
        for peer in listening {
            self.put_question(peer, number);
        }
        // Others may listen who are not connected.
        self.seek(topic);
        Ok(())
    }

    /// Asks a peer that has begun to listen what is open on its topic.
    pub(super) fn ask_newcomer(&mut self, peer: PeerId, topic: Topic) {
        let open = self.asks.iter().filter(|(_, ask)| ask.topic == topic);
        let open: Vec<u64> = open.map(|(number, _)| *number).collect();
        open.into_iter().for_each(|number| self.put_question(peer, number));
    }

    fn put_question(&mut self, peer: PeerId, number: u64) {
        let Some(ask) = self.asks.get_mut(&number) else { return };
        if ask.asked.len() >= self.limits.ask || ask.asked.contains_key(&peer) {
            return;
        }
        ask.asked.insert(peer, 0);
        let (topic, question) = (ask.topic, ask.question.clone());
        let request = frame::Ask::Question { number, topic, question }.encode();
        self.swarm.behaviour_mut().ask.send_request(&peer, request);
    }

    pub(super) fn answer(&mut self, asker: u64, answer: Vec<u8>) {
        let Some(question) = self.questions.get(&asker) else { return };
        let (peer, number) = (question.peer, question.number);
        let request = frame::Ask::Answer { number, answer }.encode();
        self.swarm.behaviour_mut().ask.send_request(&peer, request);
    }

    pub(super) fn ask_event(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        let Event::Message { peer, message: Message::Request { request, channel, .. }, .. } = event
        else {
            return;
        };
        let verdict = self.flood.deed(Instant::now(), &self.limits, peer, Deed::Question);
        let taken = self.passes(peer, verdict) && self.take_ask(peer, &request);
        let response = if taken { TAKEN } else { NOT_TAKEN };
        // The peer may be gone.
        let _ = self.swarm.behaviour_mut().ask.send_response(channel, response.to_vec());
    }

    fn take_ask(&mut self, peer: PeerId, request: &[u8]) -> bool {
        match frame::Ask::decode(request) {
            None => {
                self.malformed(peer);
                false
            }
            Some(frame::Ask::Question { number, topic, question }) => {
                // One peer alone must not keep others from asking.
                let most = self.limits.questions;
                let same = self.questions.values().filter(|open| open.peer == peer).count();
                let full = self.questions.len() >= most || same >= most.div_ceil(SHARE);
                if !self.topics.contains_key(&topic) || full {
                    return false;
                }
                self.asked += 1;
                let asker = self.asked;
                let until = Instant::now() + self.limits.question_lifetime;
                self.log(|| trace!(?topic, bytes = question.len(), "question"));
                let taken = self.inbox.put(Incoming::Question { asker, topic, question });
                if taken {
                    self.questions.insert(asker, Question { peer, number, until });
                }
                taken
            }
            Some(frame::Ask::Answer { number, answer }) => {
                let Some(ask) = self.asks.get_mut(&number) else { return false };
                match ask.asked.get_mut(&peer) {
                    Some(answers) if *answers < self.limits.answers => {
                        *answers += 1;
                        ask.answered = true;
                        self.log(|| trace!(bytes = answer.len(), "answer"));
                        self.inbox.put(Incoming::Answer { answer })
                    }
                    _ => false,
                }
            }
        }
    }

    pub(super) fn tick_asks(&mut self, now: Instant) {
        self.asks.retain(|_, ask| ask.until > now);
        self.questions.retain(|_, question| question.until > now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::super::{Libp2p, Limits};
    use super::*;

    const TOPIC: Topic = Topic([1; 32]);

    async fn task(limits: Limits) -> (Libp2p, Task) {
        let (node, task, _) = Libp2p::builder().limits(limits).at_rest().await;
        (node, task)
    }

    #[tokio::test]
    async fn one_peer_has_a_share_of_the_open_questions() {
        let (_node, mut task) = task(Limits { questions: 4 * SHARE, ..Limits::default() }).await;
        task.subscribe(TOPIC).unwrap();
        let mut taken = |peer, number| {
            let question = frame::Ask::Question { number, topic: TOPIC, question: vec![1] };
            task.take_ask(peer, &question.encode())
        };
        let greedy = PeerId::random();
        assert_eq!((0..50).filter(|number| taken(greedy, *number)).count(), 4);
        // And all of them together have no more than all.
        let others = (0..50).filter(|number| taken(PeerId::random(), *number)).count();
        assert_eq!(others, 4 * SHARE - 4);
        task.tick_asks(Instant::now() + task.limits.question_lifetime);
        assert!(task.questions.is_empty());
    }

    #[tokio::test]
    async fn so_many_are_asked_and_each_answers_so_often() {
        let (_node, mut task) = task(Limits { ask: 2, answers: 3, ..Limits::default() }).await;
        let peers = [(); 5].map(|()| PeerId::random());
        task.listeners.insert(TOPIC, HashSet::from(peers));
        task.open(TOPIC, vec![1]).unwrap();
        peers.iter().for_each(|peer| task.ask_newcomer(*peer, TOPIC));
        let (number, ask) = task.asks.iter().next().unwrap();
        let (number, asked) = (*number, ask.asked.clone());
        assert_eq!(asked.len(), 2);
        let answer = frame::Ask::Answer { number, answer: vec![2] }.encode();
        for peer in peers {
            let taken = (0..10).filter(|_| task.take_ask(peer, &answer)).count();
            assert_eq!(taken, if asked.contains_key(&peer) { 3 } else { 0 });
        }
        let other = frame::Ask::Answer { number: number ^ 1, answer: vec![2] }.encode();
        assert!(!task.take_ask(peers[0], &other));
    }
}
