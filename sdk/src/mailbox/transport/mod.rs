//! A transport that has things kept at mailboxes while its client is away.
//!
//! It is put around another transport, which carries the frames as well. For each topic that the client
//! wants to have [kept](Transport::keep) it opens a box at each mailbox, hands in what came there while
//! the client was away, in the order in which it came, and looks again now and then and after each
//! reconnect. What the client sent or heard meanwhile and a mailbox did not, it is given; and key packages
//! that the mailboxes lack are asked for and left there.

mod attendant;
mod recent;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use self::attendant::{Attendant, Order};
use self::recent::Recent;
use super::{BoxId, MailboxId};
use crate::mailbox::client::ClientError;
use crate::transport::{Deposit, Incoming, Keep, KeepFor, Pending, Transport, TransportError};
use crate::{Time, Topic};

/// How much that was kept waits to be read by the client.
const WAITING: usize = 16;

/// Where a mailbox is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxAt {
    /// Which one: a request for one is worth nothing at another.
    pub id: MailboxId,
    /// How the transport finds it, in words of its own.
    pub address: String,
}

/// How it stands with a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxStatus {
    /// Which one.
    pub at: MailboxAt,
    /// When a visit to it last went well.
    pub reached: Option<Time>,
    /// Why the last visit did not, if it did not.
    pub trouble: Option<ClientError>,
}

/// How it stands with all of them.
type Board = Arc<Mutex<Vec<MailboxStatus>>>;

/// A transport that reaches mailboxes.
pub trait Reach: Send + Sync {
    /// Carries a frame of at most [`MAX_FRAME`](super::wire::MAX_FRAME) bytes to a mailbox, and brings one
    /// back. What is at the other end has to be authenticated as that mailbox, and the way encrypted.
    fn reach<'a>(
        &'a self,
        at: &'a MailboxAt,
        frame: Vec<u8>,
    ) -> Pending<'a, Result<Vec<u8>, TransportError>>;

    /// The boxes of the client's account, `inbox` being its topic, which give key packages to strangers: to
    /// be made known by whoever can, see [`directory`](crate::directory).
    fn tell_boxes(&self, inbox: Topic, boxes: Vec<(MailboxAt, BoxId)>) -> Pending<'_, ()> {
        drop((inbox, boxes));
        Box::pin(std::future::ready(()))
    }
}

/// A transport whose client's topics are kept at mailboxes while it is away.
pub struct WithMailboxes<T> {
    inner: Arc<T>,
    orders: mpsc::UnboundedSender<Order>,
    kept: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
    recent: Arc<Mutex<Recent>>,
    board: Board,
}

impl<T: Transport + Reach + 'static> WithMailboxes<T> {
    /// Puts mailboxes beside a transport. It has to be called within a tokio runtime with a timer, in
    /// which it starts a task that ends when this is dropped.
    #[must_use]
    pub fn new(inner: Arc<T>, mailboxes: Vec<MailboxAt>) -> Self {
        let (orders, to_do) = mpsc::unbounded_channel();
        let (hand_in, kept) = mpsc::channel(WAITING);
        let recent = Arc::new(Mutex::new(Recent::default()));
        let attendant = Attendant::new(inner.clone(), mailboxes, to_do, hand_in, recent.clone());
        let board = attendant.board.clone();
        tokio::spawn(attendant.run());
        Self { inner, orders, kept: tokio::sync::Mutex::new(kept), recent, board }
    }

    /// How it stands with each mailbox.
    #[must_use]
    pub fn status(&self) -> Vec<MailboxStatus> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The transport inside.
    #[must_use]
    pub fn inner(&self) -> &Arc<T> {
        &self.inner
    }

    fn hold(&self, topic: &Topic, bytes: &[u8]) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).hold(topic, bytes);
    }

    fn order(&self, order: Order) {
        // Without the task the runtime has ended, and with it everything.
        let _ = self.orders.send(order);
    }
}

impl<T: Transport + Reach + 'static> Transport for WithMailboxes<T> {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.hold(&topic, &bytes);
        self.inner.publish(topic, bytes)
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.inner.subscribe(topic)
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.order(Order::Forget(topic));
        self.inner.unsubscribe(topic)
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.inner.ask(topic, question)
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.inner.answer(asker, answer)
    }

    fn keep(&self, keep: Keep) -> Pending<'_, Result<(), TransportError>> {
        self.order(Order::Keep(keep.clone()));
        self.inner.keep(keep)
    }

    fn keep_for(&self, others: KeepFor) -> Pending<'_, Result<(), TransportError>> {
        self.order(Order::KeepFor(others.clone()));
        self.inner.keep_for(others)
    }

    fn deposit(&self, deposit: Deposit) -> Pending<'_, Result<(), TransportError>> {
        self.order(Order::Deposit(deposit));
        Box::pin(std::future::ready(Ok(())))
    }

    fn announce(&self, record: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.inner.announce(record)
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            tokio::select! {
                next = self.inner.next() => {
                    match &next {
                        Some(Incoming::Message { topic, bytes }) => self.hold(topic, bytes),
                        Some(Incoming::Connected) => self.order(Order::Connected),
                        _ => {}
                    }
                    next
                }
                Some(kept) = kept.recv() => Some(kept),
            }
        })
    }
}
