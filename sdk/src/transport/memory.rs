//! A network within one process, for tests, examples and demonstrations.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::network::{Action, Network, NodeId};
use super::{Conditions, Incoming, Pending, Transport, TransportError};
use crate::{Time, Topic};

/// How much one client leaves unread before more is lost.
const MAX_UNREAD: usize = 1 << 16;

/// A network within one process. Clones are the same network.
///
/// Delays are real, or those of tokio's clock if that is paused. It has to be used within a tokio
/// runtime that has its timer on.
#[derive(Clone)]
pub struct MemoryNetwork {
    shared: Arc<Shared>,
}

/// A client's access to a [`MemoryNetwork`]. Dropping it takes the client off the network.
pub struct MemoryTransport {
    shared: Arc<Shared>,
    node: NodeId,
    arrived: Arc<Notify>,
}

struct Shared {
    started: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    network: Network,
    clients: Vec<Client>,
    closed: bool,
}

struct Client {
    unread: VecDeque<Incoming>,
    arrived: Arc<Notify>,
}

impl MemoryNetwork {
    /// A network without clients. What gets lost is the same in every run that does the same.
    #[must_use]
    pub fn new(conditions: Conditions) -> Self {
        Self::seeded(0, conditions)
    }

    /// The same, where something else gets lost.
    #[must_use]
    pub fn seeded(seed: u64, conditions: Conditions) -> Self {
        let network = Network::new(seed, conditions);
        let inner = Mutex::new(Inner { network, clients: Vec::new(), closed: false });
        Self { shared: Arc::new(Shared { started: Instant::now(), inner }) }
    }

    /// A new client.
    #[must_use]
    pub fn join(&self) -> MemoryTransport {
        let now = self.shared.now();
        let arrived = Arc::new(Notify::new());
        let mut inner = self.shared.lock();
        let node = inner.network.join(now);
        inner.clients.push(Client { unread: VecDeque::new(), arrived: arrived.clone() });
        MemoryTransport { shared: self.shared.clone(), node, arrived }
    }

    /// What happens to messages from now on.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.shared.lock().network.set_conditions(conditions);
    }

    /// Splits the network: clients of different groups do not reach each other. Those in no group
    /// make one more.
    pub fn partition(&self, groups: &[&[&MemoryTransport]]) {
        let groups: Vec<Vec<_>> =
            groups.iter().map(|group| group.iter().map(|client| client.node).collect()).collect();
        self.shared.change(|now, network| network.partition(now, &groups));
    }

    /// Ends the partition.
    pub fn heal(&self) {
        self.shared.change(|now, network| network.heal(now));
    }

    /// Closes the network for good: [`next`](Transport::next) of every client returns nothing.
    pub fn close(&self) {
        let mut inner = self.shared.lock();
        inner.closed = true;
        inner.clients.iter().for_each(|client| client.arrived.notify_one());
    }
}

impl MemoryTransport {
    /// Takes the client off the network, or lets it back.
    pub fn set_online(&self, online: bool) {
        self.shared.change(|now, network| network.set_online(now, self.node, online));
    }

    fn act(&self, action: Action) -> Pending<'_, Result<(), TransportError>> {
        Box::pin(async move {
            let now = self.shared.now();
            let mut inner = self.shared.lock();
            if inner.closed {
                return Err(TransportError::Closed);
            }
            inner.network.send(now, self.node, action)?;
            inner.deliver(now);
            inner.wake();
            Ok(())
        })
    }
}

impl Shared {
    fn now(&self) -> Time {
        let elapsed = self.started.elapsed().as_millis();
        Time(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// No method leaves a half-done change when it panics, so what a panicking thread left is whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(Time, &mut Network)) {
        let now = self.now();
        let mut inner = self.lock();
        // What was due before the change arrives before it, whether or not somebody waited for it.
        inner.deliver(now);
        change(now, &mut inner.network);
        inner.deliver(now);
        inner.wake();
    }
}

impl Inner {
    /// Hands out what is due.
    fn deliver(&mut self, now: Time) {
        while let Some((node, incoming)) = self.network.pop(now) {
            let Some(client) = self.clients.get_mut(node.0) else { continue };
            if client.unread.len() < MAX_UNREAD {
                client.unread.push_back(incoming);
                client.arrived.notify_one();
            }
        }
    }

    /// Lets all who wait look when the next arrival is due: any of them can be the one whose timer
    /// hands out to the others.
    fn wake(&self) {
        self.clients.iter().for_each(|client| client.arrived.notify_one());
    }
}

impl Transport for MemoryTransport {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.act(Action::Publish { topic, bytes })
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.act(Action::Subscribe(topic))
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.act(Action::Unsubscribe(topic))
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.act(Action::Ask { topic, question })
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.act(Action::Answer { asker, answer })
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        Box::pin(async move {
            loop {
                let due = {
                    let now = self.shared.now();
                    let mut inner = self.shared.lock();
                    inner.deliver(now);
                    if let Some(incoming) = inner.clients[self.node.0].unread.pop_front() {
                        return Some(incoming);
                    }
                    if inner.closed {
                        return None;
                    }
                    inner.network.next_event_time()
                };
                match due {
                    Some(due) => {
                        let due = self.shared.started + std::time::Duration::from_millis(due.0);
                        tokio::select! {
                            () = self.arrived.notified() => {}
                            () = tokio::time::sleep_until(due) => {}
                        }
                    }
                    None => self.arrived.notified().await,
                }
            }
        })
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        inner.network.set_online(now, self.node, false);
        inner.network.forget(self.node);
        inner.clients[self.node.0].unread.clear();
    }
}

impl fmt::Debug for MemoryNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryNetwork({} clients)", self.shared.lock().clients.len())
    }
}

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryTransport({})", self.node.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_client_leaves_unread_is_bounded() {
        let network = MemoryNetwork::new(Conditions::perfect());
        let (one, other) = (network.join(), network.join());
        let topic = Topic([1; 32]);
        other.subscribe(topic).await.unwrap();
        for _ in 0..MAX_UNREAD + 100 {
            one.publish(topic, vec![1]).await.unwrap();
        }
        let inner = network.shared.lock();
        assert_eq!(inner.clients[other.node.0].unread.len(), MAX_UNREAD);
    }
}
