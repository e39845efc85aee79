//! A transport that the program keeps a hand on.

use std::sync::Arc;

use super::{Deposit, Incoming, Keep, KeepFor, Pending, Transport, TransportError};
use crate::Topic;

/// A client takes its transport. Who wants to keep a hand on it, to take it offline or to read what it
/// measures, gives the client an `Arc` of it. Only one may wait in [`next`](Transport::next).
impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        (**self).publish(topic, bytes)
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        (**self).subscribe(topic)
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        (**self).unsubscribe(topic)
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        (**self).ask(topic, question)
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        (**self).answer(asker, answer)
    }

    fn keep(&self, keep: Keep) -> Pending<'_, Result<(), TransportError>> {
        (**self).keep(keep)
    }

    fn keep_for(&self, others: KeepFor) -> Pending<'_, Result<(), TransportError>> {
        (**self).keep_for(others)
    }

    fn deposit(&self, deposit: Deposit) -> Pending<'_, Result<(), TransportError>> {
        (**self).deposit(deposit)
    }

    fn announce(&self, record: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        (**self).announce(record)
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        (**self).next()
    }
}
