//! Mailboxes as nodes of libp2p: how they are named and reached, and one that runs.
//!
//! The name of a mailbox and the name of its node are one key of Ed25519, so an address that ends with the
//! node's name says which mailbox is there, and the link proves it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use libp2p::identity::PublicKey;
use libp2p::multiaddr::Protocol;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::client::{CatchUp, ClientError, Session};
use super::store::MailStore;
use super::{BoxId, Grant, MailboxAt, MailboxError, MailboxId, MailboxKeys, Reach, Service};
use crate::directory::{BoxAt, MAX_ADDRESS, MAX_BOXES};
use crate::transport::libp2p::{Builder, Libp2p, Mailbox, Multiaddr, NodeError, PeerId};
use crate::transport::{Incoming, Pending, Transport, TransportError};
use crate::{Time, Topic};

/// How many envelopes that came in are stored at the same time; more wait, as far as the node has
/// [room](crate::transport::libp2p::Limits::unread) for what is not read.
const AT_ONCE: usize = 256;
/// For how long an envelope that came in is tried to be stored while the store does not answer: nobody
/// gives it again who may be away then. Ten times what a cluster needs to notice the loss of a node.
const HELD: Duration = Duration::from_secs(120);
/// How often.
const AGAIN: Duration = Duration::from_millis(500);
/// How often it is looked for what has expired.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks pass between two looks at other mailboxes.
const REPLICATE: u64 = 30;

/// Why something is not the address of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of a mailbox ends with the name of its node: /ip4/…/tcp/…/p2p/12D3Koo…")]
#[non_exhaustive]
pub struct AddressError;

impl MailboxAt {
    /// The mailbox at an address that ends with `/p2p/` and the name of its node.
    ///
    /// # Errors
    ///
    /// [`AddressError`], also if the name is not that of a key of Ed25519.
    pub fn at(address: &Multiaddr) -> Result<Self, AddressError> {
        let Some(Protocol::P2p(peer)) = address.iter().last() else { return Err(AddressError) };
        // The name of such a key is the key itself (libp2p specification, peer ids).
        let key = peer.as_ref();
        let key = (key.code() == 0).then(|| PublicKey::try_decode_protobuf(key.digest()));
        let key = key.and_then(Result::ok).and_then(|key| key.try_into_ed25519().ok());
        let id = MailboxId(key.ok_or(AddressError)?.to_bytes());
        Ok(Self { id, address: address.to_string() })
    }
}

impl Reach for Libp2p {
    fn reach<'a>(
        &'a self,
        at: &'a MailboxAt,
        frame: Vec<u8>,
    ) -> Pending<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let address: Multiaddr = at.address.parse().map_err(|_| TransportError::Offline)?;
            let Some(Protocol::P2p(peer)) = address.iter().last() else {
                return Err(TransportError::Offline);
            };
            // A name in an address of one's own making need not be that of the mailbox.
            if MailboxAt::at(&address).map(|named| named.id) != Ok(at.id) {
                return Err(TransportError::Offline);
            }
            let first = self.mailbox_request(peer, frame.clone()).await;
            let answer = match first {
                Err(NodeError::Unreachable) => {
                    self.dial(address).await.map_err(|_| TransportError::Offline)?;
                    self.mailbox_request(peer, frame).await
                }
                first => first,
            };
            answer.map_err(|error| match error {
                NodeError::Closed => TransportError::Closed,
                NodeError::TooLarge { length, .. } => TransportError::TooLarge { length },
                NodeError::Busy => TransportError::Busy,
                _ => TransportError::Offline,
            })
        })
    }

    fn tell_boxes(&self, inbox: Topic, boxes: Vec<(MailboxAt, BoxId)>) -> Pending<'_, ()> {
        Box::pin(async move {
            let place = |(at, id): (MailboxAt, BoxId)| {
                let address = at.address.parse::<Multiaddr>().ok()?.to_vec();
                let fits = address.len() <= MAX_ADDRESS;
                fits.then_some(BoxAt { address, mailbox: at.id.0, id: id.0 })
            };
            let boxes = boxes.into_iter().filter_map(place).take(MAX_BOXES).collect();
            if let Err(error) = self.publish_boxes(inbox, boxes).await {
                tracing::warn!(code = error.code(), "the boxes are not made known");
            }
        })
    }
}

/// What answers the frames that peers send.
struct Desk<S>(Arc<Service<S>>);

impl<S: MailStore + 'static> Mailbox for Desk<S> {
    fn serve(
        &self,
        peer: PeerId,
        request: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> {
        let service = self.0.clone();
        Box::pin(async move {
            let now = Time::from_system();
            Some(service.handle(now, &peer.to_bytes(), &request).await)
        })
    }
}

/// A mailbox that runs: listens to what its boxes keep, and answers those who ask.
pub struct MailboxNode<S> {
    service: Arc<Service<S>>,
    network: Libp2p,
    keys: MailboxKeys,
    others: Vec<MailboxAt>,
}

/// Has an envelope stored that came in. Nobody waits for an answer, so it is tried again for a while.
async fn keep<S: MailStore>(
    service: Arc<Service<S>>,
    (topic, bytes): (Topic, Vec<u8>),
    (held, again): (Duration, Duration),
) {
    let end = Instant::now() + held;
    let mut stored = service.arrived(Time::from_system(), topic, &bytes).await;
    while stored == Err(MailboxError::Unavailable) && Instant::now() < end {
        sleep(again).await;
        stored = service.arrived_before(Time::from_system(), topic, &bytes).await;
    }
    if let Err(error) = stored {
        tracing::debug!(code = error.code(), "an envelope was not kept");
    }
}

/// What is being stored at the same time.
#[derive(Default)]
struct Storing(JoinSet<()>);

impl Storing {
    /// Begins with something, and waits until there is room for something else.
    async fn begin(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(work);
        while self.0.try_join_next().is_some() {}
        if self.0.len() >= AT_ONCE {
            self.0.join_next().await;
        }
    }
}

impl<S: MailStore + 'static> MailboxNode<S> {
    /// Opens the node of a mailbox. `service` has to be that of the same `keys`; `others` are the mailboxes
    /// that its boxes may be [read at](Session::replicate) too.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::open`].
    pub async fn open(
        builder: Builder,
        keys: MailboxKeys,
        service: Service<S>,
        others: Vec<MailboxAt>,
    ) -> Result<Self, NodeError> {
        let service = Arc::new(service);
        let seed = <[u8; 32]>::try_from(&keys.node_seed()[..]).map_err(|_| NodeError::Address)?;
        let desk = Arc::new(Desk(service.clone()));
        let network = builder.identity(seed).mailbox(desk).open().await?;
        Ok(Self { service, network, keys, others })
    }

    /// The node.
    #[must_use]
    pub fn network(&self) -> &Libp2p {
        &self.network
    }

    /// The mailbox.
    #[must_use]
    pub fn service(&self) -> &Service<S> {
        &self.service
    }

    /// Works until the future is dropped or the node is closed.
    pub async fn run(&self) {
        // A store that does not answer keeps neither from going on.
        tokio::select! {
            () = self.receive() => {}
            () = self.look_after() => {}
        }
    }

    /// Has what comes in stored.
    async fn receive(&self) {
        let mut topics = BTreeSet::new();
        let mut generation = None;
        let mut storing = Storing::default();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if generation != Some(self.service.generation()) {
                generation = Some(self.service.generation());
                self.listen(&mut topics).await;
            }
            tokio::select! {
                incoming = self.network.next() => match incoming {
                    Some(Incoming::Message { topic, bytes }) => {
                        let kept = keep(self.service.clone(), (topic, bytes), (HELD, AGAIN));
                        storing.begin(kept).await;
                    }
                    Some(_) => {}
                    None => return,
                },
                _ = ticks.tick() => {}
            }
        }
    }

    /// Does what is due now and then, for ever.
    async fn look_after(&self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count: u64 = 0;
        loop {
            ticks.tick().await;
            count += 1;
            if let Err(error) = self.service.tick(Time::from_system()).await {
                tracing::warn!(code = error.code(), "the mailbox's store fails");
            }
            if count % REPLICATE == 1 {
                self.replicate().await;
            }
        }
    }

    /// Listens to the topics of the boxes, and to no others.
    async fn listen(&self, topics: &mut BTreeSet<Topic>) {
        let wanted: BTreeSet<_> = self.service.topics().into_iter().collect();
        for topic in topics.difference(&wanted) {
            let _ = self.network.unsubscribe(*topic).await;
        }
        let mut now = BTreeSet::new();
        for topic in wanted {
            if topics.contains(&topic) || self.network.subscribe(topic).await.is_ok() {
                now.insert(topic);
            }
        }
        *topics = now;
    }

    /// Gets what other mailboxes have of the boxes that may be read there.
    async fn replicate(&self) {
        for grant in self.service.replicas(Time::from_system()) {
            let Some(at) = self.others.iter().find(|other| other.id == grant.from) else {
                continue;
            };
            if let Err(error) = self.replicate_box(at, grant).await {
                tracing::debug!(code = error.code(), "a box could not be read at another mailbox");
            }
        }
    }

    async fn replicate_box(&self, at: &MailboxAt, grant: Grant) -> Result<(), ClientError> {
        let id = grant.box_id();
        let known = self.service.known(id).await?;
        let topics = self.service.topics();
        let mut session = Session::replica(self.keys.clone(), grant);
        let (mut catch_up, mut frame) =
            CatchUp::start(&mut session, topics, known, Time::default())?;
        loop {
            let answer = self.network.reach(at, frame).await;
            let progress = catch_up.step(&answer.map_err(|_| ClientError::Unreachable)?)?;
            let next = progress.next.clone();
            let kept = progress.into_kept();
            if !kept.is_empty() {
                self.service.replicated(Time::from_system(), id, kept).await?;
            }
            match next {
                Some(next) => frame = next,
                None => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::Ordering;

    use futures::FutureExt;

    use super::super::Limits;
    use super::super::list::List;
    use super::super::store::BoxRecord;
    use super::super::store::fake::Fake;
    use super::*;

    const TOPIC: Topic = Topic([1; 32]);
    const ID: BoxId = BoxId([2; 32]);

    /// With a box, and a store that does not answer.
    async fn service() -> Arc<Service<Fake>> {
        let record = BoxRecord {
            expires: Time(u64::MAX),
            opened_by: [1; 16],
            topics: List::new(vec![TOPIC]).unwrap(),
            replicas: List::default(),
        };
        let store = Fake::default();
        store.write(ID, record).await.unwrap();
        store.away.store(true, Ordering::SeqCst);
        let keys = MailboxKeys::from_secret(&[9; 32]);
        let service = Service::open(keys, Limits::default(), store, Time::from_system()).await;
        Arc::new(service.unwrap())
    }

    #[tokio::test]
    async fn what_comes_is_tried_for_a_while_if_the_store_does_not_answer() {
        let (held, again) = (Duration::from_secs(1), Duration::from_millis(50));
        let service = service().await;
        let begin = Instant::now();
        keep(service.clone(), (TOPIC, b"lost".to_vec()), (held, again)).await;
        assert!(begin.elapsed() >= held);
        let tries = service.store().puts.load(Ordering::SeqCst);
        assert!((2..=21).contains(&tries), "{tries}");

        let kept = keep(service.clone(), (TOPIC, b"kept".to_vec()), (HELD, again));
        let comes_back = async {
            sleep(again).await;
            service.store().away.store(false, Ordering::SeqCst);
        };
        tokio::join!(kept, comes_back);
        assert_eq!(service.store().usage(ID).await.unwrap().count, 1);
    }

    #[tokio::test]
    async fn no_more_is_taken_while_so_much_is_being_stored() {
        let mut storing = Storing::default();
        for _ in 1..AT_ONCE {
            assert!(storing.begin(pending()).now_or_never().is_some());
        }
        assert!(storing.begin(pending()).now_or_never().is_none());
    }
}
