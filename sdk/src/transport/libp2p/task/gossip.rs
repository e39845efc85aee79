//! Messages: what the client publishes, and what comes in.

use std::collections::{HashSet, VecDeque};

use libp2p::PeerId;
use libp2p::gossipsub::{Event, IdentTopic, MessageAcceptance, MessageId, PublishError, TopicHash};
use tokio::time::Instant;
use tracing::{debug, trace};

use super::super::content::Manifest;
use super::super::frame::{Gossip, MAX_WHOLE, topic_name, topic_of};
use super::Task;
use super::table::Interest;
use crate::Topic;
use crate::transport::{Incoming, MAX_SUBSCRIPTIONS, TransportError};

/// A message that waits for somebody who listens to its topic.
pub(super) struct Held {
    topic: Topic,
    frame: Vec<u8>,
    until: Instant,
}

impl Held {
    pub(super) const fn topic(&self) -> Topic {
        self.topic
    }
}

impl Task {
    /// Gives a message to the network. One that nobody listens for waits, while those who do are
    /// looked for.
    pub(super) fn publish(&mut self, topic: Topic, bytes: Vec<u8>) -> Result<(), TransportError> {
        if self.peers.is_empty() {
            return Err(TransportError::Offline);
        }
        let mut random = [0; 8];
        trellis_ciphersuites::random::fill(&mut random).map_err(|_| TransportError::Busy)?;
        let gossip = if bytes.len() <= MAX_WHOLE {
            Gossip::Whole(bytes)
        } else {
            Gossip::Announcement(self.keep(&bytes)?)
        };
        let frame = gossip.encode(random);
        if self.listeners.get(&topic).is_none_or(HashSet::is_empty) {
            return self.hold(topic, frame);
        }
        self.spread(topic, frame)
    }

    /// Keeps content for those who are going to fetch it.
    fn keep(&mut self, content: &[u8]) -> Result<Manifest, TransportError> {
        let too_large = TransportError::TooLarge { length: content.len() };
        if content.len() > self.limits.content.min(self.limits.chunk_store) {
            return Err(too_large);
        }
        let (manifest, pieces) = Manifest::of(content).ok_or(too_large)?;
        let now = Instant::now();
        for (hash, piece) in manifest.chunks.iter().zip(pieces) {
            self.chunks.insert(now, *hash, piece);
        }
        Ok(manifest)
    }

    fn spread(&mut self, topic: Topic, frame: Vec<u8>) -> Result<(), TransportError> {
        let name = TopicHash::from_raw(topic_name(&topic));
        match self.swarm.behaviour_mut().gossip.publish(name, frame.clone()) {
            // The random bytes make no two messages the same.
            Ok(_) | Err(PublishError::Duplicate) => Ok(()),
            Err(PublishError::NoPeersSubscribedToTopic) => self.hold(topic, frame),
            Err(PublishError::MessageTooLarge) => {
                Err(TransportError::TooLarge { length: frame.len() })
            }
            Err(error) => {
                self.log(|| debug!(%error, peers = self.peers.len(), "a message was not taken"));
                Err(TransportError::Busy)
            }
        }
    }

    fn hold(&mut self, topic: Topic, frame: Vec<u8>) -> Result<(), TransportError> {
        if self.held_bytes.saturating_add(frame.len()) > self.limits.held {
            return Err(TransportError::Busy);
        }
        self.held_bytes += frame.len();
        let until = Instant::now() + self.limits.held_lifetime;
        self.held.push_back(Held { topic, frame, until });
        self.seek(topic);
        Ok(())
    }

    /// Gives what waited to those who listen now.
    fn release(&mut self, topic: Topic) {
        let (due, rest): (VecDeque<_>, _) =
            self.held.drain(..).partition(|held| held.topic == topic);
        self.held = rest;
        self.held_bytes -= due.iter().map(|held| held.frame.len()).sum::<usize>();
        for held in due {
            let result = self.spread(held.topic, held.frame);
            self.log(|| trace!(?topic, sent = result.is_ok(), "somebody listens"));
        }
    }

    pub(super) fn subscribe(&mut self, topic: Topic) -> Result<(), TransportError> {
        if self.topics.contains_key(&topic) {
            return Ok(());
        }
        if self.topics.len() >= MAX_SUBSCRIPTIONS {
            return Err(TransportError::TooManySubscriptions);
        }
        let name = IdentTopic::new(topic_name(&topic));
        let subscribed = self.swarm.behaviour_mut().gossip.subscribe(&name);
        subscribed.map_err(|_| TransportError::Busy)?;
        self.topics.insert(topic, Interest::new(Instant::now()));
        self.provide(topic);
        let listening = self.listeners.get(&topic).into_iter().flatten();
        let listening: Vec<PeerId> = listening.copied().collect();
        listening.iter().for_each(|peer| self.remember(*peer));
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, topic: Topic) {
        if self.topics.remove(&topic).is_some() {
            let name = IdentTopic::new(topic_name(&topic));
            self.swarm.behaviour_mut().gossip.unsubscribe(&name);
            self.stop_providing(&topic);
        }
    }

    pub(super) fn gossiped(&mut self, event: Event) {
        match event {
            Event::Message { propagation_source, message_id, message } => {
                let acceptance = self.take(propagation_source, &message.topic, &message.data);
                self.judge(&message_id, &propagation_source, acceptance);
            }
            Event::Subscribed { peer_id, topic, .. } => {
                let Some(topic) = topic_of(topic.as_str()) else { return };
                self.listens(peer_id, topic);
            }
            Event::Unsubscribed { peer_id, topic } => {
                let Some(topic) = topic_of(topic.as_str()) else { return };
                self.listens_no_more(&peer_id, &topic);
            }
            Event::SlowPeer { failed_messages, .. } => {
                self.log(|| {
                    debug!(?failed_messages, "a peer reads too slowly, and misses messages")
                });
            }
            _ => {}
        }
    }

    fn listens(&mut self, peer: PeerId, topic: Topic) {
        let listeners = self.listeners.entry(topic).or_default();
        let few = listeners.len() < self.limits.mesh_low;
        let new = listeners.insert(peer);
        if self.topics.contains_key(&topic) {
            self.remember(peer);
            if new && few {
                // Who has been alone on a topic, or nearly, says where it stands.
                self.notify();
            }
        }
        self.release(topic);
        self.ask_newcomer(peer, topic);
    }

    pub(super) fn listens_no_more(&mut self, peer: &PeerId, topic: &Topic) {
        if let Some(listeners) = self.listeners.get_mut(topic) {
            listeners.remove(peer);
            if listeners.is_empty() {
                self.listeners.remove(topic);
            }
        }
    }

    /// What becomes of a message. One that is refused for too much is not passed on.
    fn take(&mut self, from: PeerId, topic: &TopicHash, data: &[u8]) -> MessageAcceptance {
        let now = Instant::now();
        let Some(topic) = topic_of(topic.as_str()) else { return MessageAcceptance::Reject };
        let verdict = self.flood.message(now, &self.limits, from, topic, data.len());
        if !self.passes(from, verdict) {
            return MessageAcceptance::Ignore;
        }
        let content = self.limits.content;
        match Gossip::decode(data, content) {
            None => {
                self.malformed(from);
                MessageAcceptance::Reject
            }
            // It is on its way still, for a topic that was left.
            Some(_) if !self.topics.contains_key(&topic) => MessageAcceptance::Ignore,
            Some(Gossip::Whole(bytes)) => {
                self.deliver(topic, bytes);
                MessageAcceptance::Accept
            }
            Some(Gossip::Announcement(manifest)) => {
                let (chunks, limits) = (&self.chunks, &self.limits);
                let there = self.fetches.announced(now, topic, manifest, from, chunks, limits);
                if let Some((topic, content)) = there {
                    self.deliver(topic, content);
                }
                self.fetch(now);
                MessageAcceptance::Accept
            }
        }
    }

    pub(super) fn deliver(&mut self, topic: Topic, bytes: Vec<u8>) {
        let length = bytes.len();
        let taken = self.inbox.put(Incoming::Message { topic, bytes });
        self.log(|| trace!(?topic, bytes = length, taken, "message"));
    }

    fn judge(&mut self, id: &MessageId, from: &PeerId, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(id, from, acceptance);
    }

    pub(super) fn tick_gossip(&mut self, now: Instant) {
        while let Some(held) = self.held.front()
            && held.until <= now
        {
            let Some(held) = self.held.pop_front() else { return };
            self.held_bytes -= held.frame.len();
            let topic = held.topic;
            self.log(|| debug!(?topic, "nobody came who listens"));
        }
    }
}
