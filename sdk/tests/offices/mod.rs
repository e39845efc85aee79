//! What tests of the directory share: a mailbox that serves the table, and devices without an engine.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use openmls_trellis_crypto::TrellisCrypto;
use trellis_sdk::directory::{self, BoxAt, Record};
use trellis_sdk::identity::{AccountKeys, Binding, DeviceKeys};
use trellis_sdk::mailbox::client::{ClientError, Session};
use trellis_sdk::mailbox::store::Memory;
use trellis_sdk::mailbox::wire::Deposit;
use trellis_sdk::mailbox::{Capability, Limits, List, MailboxKeys, Service};
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::{Libp2p, Mailbox, PeerId, Records};
use trellis_sdk::{DeviceId, Span, Time, Topic};

use crate::nodes::{self, address, answer, builder, notice, settled, soon};

pub const SUITE: u16 = 0x004d;

/// A mailbox on a node that serves the table, too.
#[derive(Clone)]
pub struct Office {
    pub service: Arc<Service<Memory>>,
    pub node: Arc<Libp2p>,
}

struct Desk(Arc<Service<Memory>>);

impl Mailbox for Desk {
    fn serve(
        &self,
        peer: PeerId,
        request: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> {
        let service = self.0.clone();
        Box::pin(async move {
            Some(service.handle(Time::from_system(), &peer.to_bytes(), &request).await)
        })
    }
}

pub async fn office() -> Office {
    let keys = MailboxKeys::from_secret(&[1; 32]);
    let now = Time::from_system();
    let service = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let service = Arc::new(service);
    let node = builder().serve(true).mailbox(Arc::new(Desk(service.clone()))).open().await.unwrap();
    Office { service, node: Arc::new(node) }
}

impl Office {
    pub async fn at(&self, session: &Session) -> BoxAt {
        let address = address(&self.node).await.to_vec();
        BoxAt { address, mailbox: self.service.id().0, id: session.box_id().0 }
    }

    pub fn session(&self, secret: &[u8; 32]) -> Session {
        Session::new(Capability::from_secret(secret), self.service.id())
    }

    /// A node that begins with this one and knows the table.
    pub async fn guest(&self) -> Libp2p {
        let guest = builder().bootstrap(address(&self.node).await).open().await.unwrap();
        notice(&guest).await;
        settled(&guest, |status| status.table > 0).await;
        guest
    }
}

/// A frame to the mailbox, by a node.
pub async fn carry(node: &Libp2p, office: &Office, frame: Vec<u8>) -> Result<Vec<u8>, ClientError> {
    Ok(soon(node.mailbox_request(office.node.peer(), frame)).await.expect("the mailbox answers"))
}

pub fn items<const M: usize>(items: Vec<Vec<u8>>) -> List<tls_codec::VLBytes, M> {
    List::new(items.into_iter().map(Into::into).collect()).unwrap()
}

/// An account's device without an engine.
pub struct Keys {
    pub crypto: TrellisCrypto,
    pub account: AccountKeys,
    pub keys: DeviceKeys,
    pub binding: Vec<u8>,
}

/// The same with a node.
pub struct Device {
    pub keys: Keys,
    pub node: Libp2p,
}

impl std::ops::Deref for Device {
    type Target = Keys;

    fn deref(&self) -> &Keys {
        &self.keys
    }
}

impl Keys {
    pub fn of(account: Option<AccountKeys>) -> Self {
        let crypto = TrellisCrypto::default();
        let account = account.unwrap_or_else(|| AccountKeys::generate(&crypto).unwrap());
        let keys = DeviceKeys::generate(&crypto, &[]).unwrap();
        let binding = account.bind(keys.public(), Time::from_system()).unwrap().encode();
        Self { crypto, account, keys, binding }
    }

    pub fn topic(&self) -> Topic {
        directory::inbox(&self.crypto, &self.account.public().address(&self.crypto))
    }

    /// What it would answer, with something in place of a key package.
    pub fn package(&self, text: &[u8]) -> Vec<u8> {
        let mut out = vec![1, text.len() as u8];
        out.extend_from_slice(text);
        let length = self.binding.len() as u16 | 0x4000;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.binding);
        out
    }

    pub fn record(&self, boxes: Vec<BoxAt>, now: Time) -> Vec<u8> {
        Record::sign(&self.keys, &self.binding, boxes, now).unwrap().encode()
    }

    pub fn id(&self) -> DeviceId {
        Binding::decode(&self.binding).unwrap().device_id(&self.crypto)
    }
}

impl Device {
    pub async fn of(office: &Office, account: Option<AccountKeys>) -> Self {
        Self { keys: Keys::of(account), node: office.guest().await }
    }

    /// Leaves key packages at a mailbox.
    pub async fn deposit(
        &self,
        office: &Office,
        secret: [u8; 32],
        one_time: Vec<Vec<u8>>,
        last_resort: Option<Vec<u8>>,
    ) -> Session {
        let mut session = office.session(&secret);
        let carry = |frame| carry(&self.node, office, frame);
        session.open(vec![self.topic()], 3600).unwrap().run(carry).await.unwrap();
        let expires = Time::from_system() + Span::seconds(3600);
        let (one_time, beside) = (items(one_time), items(vec![b"nonsense".to_vec()]));
        let last_resort = last_resort.map(Into::into);
        let serial = 1;
        let deposit = Deposit { suite: SUITE, serial, expires, one_time, last_resort, beside };
        session.deposit(deposit).run(carry).await.unwrap();
        session
    }

    /// Publishes where they are.
    pub async fn publish(&self, boxes: Vec<BoxAt>) {
        self.node.publish_boxes(self.topic(), boxes.clone()).await.unwrap();
        let wanted = nodes::boxes(&self.node).await;
        assert_eq!((wanted.topic, &wanted.boxes), (self.topic(), &boxes));
        self.node.announce(self.record(wanted.boxes, Time::from_system())).await.unwrap();
        settled(&self.node, |status| status.announced).await;
    }
}

pub fn key_package() -> Vec<u8> {
    [&[1][..], &SUITE.to_be_bytes()].concat()
}

/// Asks as an inviter does, and returns what is answered.
pub async fn ask(node: &Libp2p, topic: Topic) -> Vec<u8> {
    node.ask(topic, key_package()).await.unwrap();
    answer(node).await
}

/// Takes everything that nodes of the table give.
pub struct Anything;

impl Records for Anything {
    fn accept(&self, _: &[u8], _: &[u8], _: Option<&[u8]>) -> bool {
        true
    }
}
