//! A transport that counts what goes through it, and takes aside what is bare.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use trellis_sdk::Topic;
use trellis_sdk::transport::libp2p::Libp2p;
use trellis_sdk::transport::{Deposit, Incoming, Keep, Pending, Transport, TransportError};

/// The topic of messages that are no client's.
pub(super) const BARE: Topic = Topic([0xba; 32]);

/// What went through a transport.
#[derive(Debug, Default)]
pub(super) struct Tally {
    envelopes: AtomicU64,
    published: AtomicU64,
    lengths: Mutex<BTreeMap<usize, u64>>,
    asked: AtomicU64,
    arrived: AtomicU64,
}

/// The same at a moment, for one host or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Envelopes published.
    pub(super) envelopes: u64,
    /// Their bytes.
    pub(super) published: u64,
    /// Bytes of questions and answers given to the network.
    pub(super) asked: u64,
    /// Bytes of messages that came in.
    pub(super) arrived: u64,
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            envelopes: of(&self.envelopes),
            published: of(&self.published),
            asked: of(&self.asked),
            arrived: of(&self.arrived),
        }
    }

    /// How often each length of an envelope was seen since it was asked last.
    pub(super) fn lengths(&self) -> Lengths {
        Lengths(std::mem::take(&mut self.lengths.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn sent(&self, length: usize) {
        self.envelopes.fetch_add(1, Ordering::Relaxed);
        self.published.fetch_add(length as u64, Ordering::Relaxed);
        let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        *lengths.entry(length).or_default() += 1;
    }
}

/// How often each length of an envelope was seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lengths(BTreeMap<usize, u64>);

impl Lengths {
    /// The longest.
    pub(super) fn longest(&self) -> usize {
        self.0.keys().next_back().copied().unwrap_or_default()
    }

    /// The one of the envelopes that hold a text: of those that are long enough the most frequent, and of
    /// several the shortest. Others are bindings, trees and commits.
    pub(super) fn holding(&self, text: usize) -> usize {
        let long = self.0.range(text..);
        long.max_by_key(|(length, count)| (**count, std::cmp::Reverse(**length)))
            .map(|(length, _)| *length)
            .unwrap_or_default()
    }
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            envelopes: self.envelopes + other.envelopes,
            published: self.published + other.published,
            asked: self.asked + other.asked,
            arrived: self.arrived + other.arrived,
        }
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self {
            envelopes: self.envelopes - before.envelopes,
            published: self.published - before.published,
            asked: self.asked - before.asked,
            arrived: self.arrived - before.arrived,
        }
    }
}

/// A node that counts.
pub(super) struct Counted {
    inner: Arc<Libp2p>,
    tally: Arc<Tally>,
    bare: mpsc::UnboundedSender<Vec<u8>>,
}

impl Counted {
    /// Around a node, with the other end of what is taken aside.
    pub(super) fn new(
        inner: Arc<Libp2p>,
        tally: Arc<Tally>,
    ) -> (Self, mpsc::UnboundedReceiver<Vec<u8>>) {
        let (bare, taken) = mpsc::unbounded_channel();
        (Self { inner, tally, bare }, taken)
    }
}

impl Transport for Counted {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.tally.sent(bytes.len());
        self.inner.publish(topic, bytes)
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.inner.subscribe(topic)
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.inner.unsubscribe(topic)
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.tally.asked.fetch_add(question.len() as u64, Ordering::Relaxed);
        self.inner.ask(topic, question)
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.tally.asked.fetch_add(answer.len() as u64, Ordering::Relaxed);
        self.inner.answer(asker, answer)
    }

    fn keep(&self, keep: Keep) -> Pending<'_, Result<(), TransportError>> {
        self.inner.keep(keep)
    }

    fn deposit(&self, deposit: Deposit) -> Pending<'_, Result<(), TransportError>> {
        self.inner.deposit(deposit)
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        Box::pin(async move {
            loop {
                match self.inner.next().await? {
                    Incoming::Message { topic, bytes } if topic == BARE => {
                        // Who does not measure bare messages does not read them.
                        let _ = self.bare.send(bytes);
                    }
                    incoming => {
                        if let Incoming::Message { bytes, .. } = &incoming {
                            self.tally.arrived.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        }
                        return Some(incoming);
                    }
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_text_is_not_what_is_longest() {
        let tally = Tally::default();
        for length in [300, 300, 300, 1308, 6940, 1308] {
            tally.sent(length);
        }
        let lengths = tally.lengths();
        assert_eq!((lengths.holding(1024), lengths.longest()), (1308, 6940));
        tally.sent(6940);
        tally.sent(1308);
        assert_eq!(tally.lengths().holding(1024), 1308);
        assert_eq!(tally.lengths().holding(1024), 0);
    }
}
