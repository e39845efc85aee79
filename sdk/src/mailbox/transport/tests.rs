//! Clients that are away, and what mailboxes have for them.

use std::time::Duration;

use super::*;
use crate::mailbox::client::{ClientError, Session};
use crate::mailbox::store::{MailStore, Memory};
use crate::mailbox::{Capability, Limits, MailboxKeys, Service};
use crate::transport::{Conditions, KeepKind, MemoryNetwork, MemoryTransport};
use crate::{Client, Event, Message, Time};
use openmls_traits::types::Ciphersuite;

/// Those of which clients have keys, if nothing else is said.
const SUITES: [Ciphersuite; 2] = [
    Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
    Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44,
];

/// A network in memory with mailboxes that can be reached from everywhere on it.
#[derive(Clone)]
struct World {
    network: MemoryNetwork,
    mailboxes: Arc<Vec<Service<Memory>>>,
}

/// A client's way to it.
struct Way {
    transport: MemoryTransport,
    world: World,
}

impl World {
    async fn new(mailboxes: u8) -> Self {
        let mut services = Vec::new();
        for number in 0..mailboxes {
            let keys = MailboxKeys::from_secret(&[number; 32]);
            let now = Time::from_system();
            let service = Service::open(keys, Limits::default(), Memory::new(), now).await;
            services.push(service.unwrap());
        }
        let network = MemoryNetwork::new(Conditions::perfect());
        let world = Self { network, mailboxes: Arc::new(services) };
        world.listen();
        world
    }

    /// The mailboxes listen to what their boxes keep.
    fn listen(&self) {
        let (mailboxes, node) = (self.mailboxes.clone(), self.network.join());
        tokio::spawn(async move {
            loop {
                for topic in mailboxes.iter().flat_map(Service::topics) {
                    node.subscribe(topic).await.unwrap();
                }
                let next = tokio::time::timeout(Duration::from_millis(20), node.next()).await;
                let now = Time::from_system();
                match next {
                    Ok(Some(Incoming::Message { topic, bytes })) => {
                        for mailbox in mailboxes.iter() {
                            let _ = mailbox.arrived(now, topic, &bytes).await;
                        }
                    }
                    Ok(Some(Incoming::Question { asker, topic, question })) => {
                        for mailbox in mailboxes.iter() {
                            let stranger = asker.to_be_bytes();
                            let given = mailbox.asked(now, &stranger, topic, &question).await;
                            for answer in given.unwrap_or_default() {
                                node.answer(asker, answer).await.unwrap();
                            }
                        }
                    }
                    _ => {}
                }
            }
        });
    }

    /// How many envelopes the first mailbox has.
    async fn kept(&self) -> u64 {
        let store = self.mailboxes[0].store();
        let mut kept = 0;
        for (id, _) in store.boxes().await.unwrap() {
            kept += store.usage(id).await.unwrap().count;
        }
        kept
    }

    fn at(&self) -> Vec<MailboxAt> {
        let ids = self.mailboxes.iter().map(Service::id).enumerate();
        ids.map(|(number, id)| MailboxAt { id, address: number.to_string() }).collect()
    }

    fn join(&self) -> WithMailboxes<Way> {
        let way = Way { transport: self.network.join(), world: self.clone() };
        WithMailboxes::new(Arc::new(way), self.at())
    }
}

impl Reach for Way {
    fn reach<'a>(
        &'a self,
        at: &'a MailboxAt,
        frame: Vec<u8>,
    ) -> Pending<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let number: usize = at.address.parse().unwrap();
            let mailbox = &self.world.mailboxes[number];
            Ok(mailbox.handle(Time::from_system(), b"peer", &frame).await)
        })
    }
}

impl Transport for Way {
    fn publish(&self, topic: Topic, bytes: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.transport.publish(topic, bytes)
    }

    fn subscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.transport.subscribe(topic)
    }

    fn unsubscribe(&self, topic: Topic) -> Pending<'_, Result<(), TransportError>> {
        self.transport.unsubscribe(topic)
    }

    fn ask(&self, topic: Topic, question: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.transport.ask(topic, question)
    }

    fn answer(&self, asker: u64, answer: Vec<u8>) -> Pending<'_, Result<(), TransportError>> {
        self.transport.answer(asker, answer)
    }

    fn next(&self) -> Pending<'_, Option<Incoming>> {
        self.transport.next()
    }
}

async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("in vain: {what}");
}

/// The texts of a group's history, the first first.
async fn texts(group: &crate::Group) -> Vec<String> {
    let page = group.history(None, 200).await.unwrap();
    let text = |message: &Message| message.search_text().unwrap_or_default().to_owned();
    page.entries.iter().map(|entry| text(&entry.message.message)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_gets_what_was_said_also_if_nobody_else_is_there_any_more() {
    let world = World::new(1).await;
    let folder = std::env::temp_dir().join(format!("trellis-kept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("bob.db");
    let key = || crate::store::Key::raw([7; 32]);
    let alice = Client::builder_in_memory().transport(world.join()).open().await.unwrap();
    let bob = Client::builder(&file, key()).transport(world.join()).open().await.unwrap();
    let group = alice.create_group("garden").await.unwrap();
    let mut events = bob.events();
    group.invite(&bob.address()).await.unwrap();
    let joined = async {
        loop {
            if let Some(Event::Joined { group, .. }) = events.next().await {
                return group;
            }
        }
    };
    let id = tokio::time::timeout(Duration::from_secs(60), joined).await.unwrap();
    group.send(Message::text("before")).await.unwrap();
    until("bob has the first", async || texts(&bob.group(id)).await == ["before"]).await;
    until("the mailbox keeps the group", async || world.mailboxes[0].topics().len() == 3).await;
    bob.close().await;

    let before = world.kept().await;
    group.rename("orchard").await.unwrap();
    let mut said = vec!["before".to_owned()];
    for number in 0..20 {
        let text = format!("number {number}");
        group.send(Message::text(text.clone())).await.unwrap();
        said.push(text);
    }
    until("the mailbox has all, and nothing more comes", async || {
        let kept = world.kept().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        kept > before + 20 && world.kept().await == kept
    })
    .await;
    alice.close().await;

    let bob = Client::builder(&file, key()).transport(world.join()).open().await.unwrap();
    let group = bob.group(id);
    until("bob has all", async || texts(&group).await.len() == said.len()).await;
    let mut has = texts(&group).await;
    has.sort();
    said.sort();
    assert_eq!(has, said);
    assert_eq!(group.name().await.unwrap(), "orchard");
    bob.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_invited_while_he_is_away_comes_in_when_nobody_else_is_there() {
    let world = World::new(1).await;
    let folder = std::env::temp_dir().join(format!("trellis-invited-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("bob.db");
    let key = || crate::store::Key::raw([7; 32]);
    let store = world.mailboxes[0].store();
    let bob = Client::builder(&file, key()).transport(world.join()).open().await.unwrap();
    until("the mailbox has key packages", async || match store.boxes().await.unwrap().first() {
        Some((id, _)) => store.pools(*id).await.unwrap().len() == SUITES.len(),
        None => false,
    })
    .await;
    bob.close().await;

    let alice = Client::builder_in_memory().transport(world.join()).open().await.unwrap();
    let group = alice.create_group("garden").await.unwrap();
    group.invite(&bob.address()).await.unwrap().applied().await.unwrap();
    // The inboxes of both, the group's box of Alice, and that of whoever comes in by this invitation.
    until("a box is open for Bob", async || store.boxes().await.unwrap().len() == 4).await;
    group.send(Message::text("frost tonight")).await.unwrap().sent().await.unwrap();
    let before = world.kept().await;
    until("the mailbox has it", async || world.kept().await > before).await;
    alice.close().await;

    let bob = Client::builder(&file, key()).transport(world.join()).open().await.unwrap();
    let group = bob.group(group.id());
    until("Bob has what was said", async || {
        group.is_active().await.is_ok_and(|active| active)
            && texts(&group).await == ["frost tonight"]
    })
    .await;
    assert_eq!(group.members().await.unwrap().len(), 2);
    bob.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_get_key_packages_of_every_suite() {
    let world = World::new(2).await;
    let client = Client::builder_in_memory().transport(world.join()).open().await.unwrap();
    let mut asker: u64 = 0;
    until("both have some", async || {
        let mut all = true;
        for mailbox in world.mailboxes.iter() {
            for suite in SUITES {
                let question = question(suite);
                let topic = mailbox.topics().first().copied();
                let Some(topic) = topic else { return false };
                // One stranger gets few.
                asker += 1;
                let stranger = asker.to_be_bytes();
                let now = Time::from_system();
                let given = mailbox.asked(now, &stranger, topic, &question).await;
                all &= given.is_ok_and(|given| !given.is_empty());
            }
        }
        all
    })
    .await;
    client.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_does_not_read_waits_in_small_numbers() {
    const KEPT: u8 = 100;
    let world = World::new(1).await;
    let (mailbox, topic, secret) = (&world.mailboxes[0], Topic([7; 32]), [8; 32]);
    let mut session = Session::new(Capability::from_secret(&secret), mailbox.id());
    let carry = async |frame: Vec<u8>| {
        Ok::<_, ClientError>(mailbox.handle(Time::from_system(), b"peer", &frame).await)
    };
    session.open(vec![topic], 3600).unwrap().run(carry).await.unwrap();
    for number in 0..KEPT {
        assert_eq!(mailbox.arrived(Time::from_system(), topic, &[number]).await, Ok(1));
    }
    let client = world.join();
    let keep =
        Keep { topic, secret: secret.to_vec().into(), kind: KeepKind::Group, since: Time(0) };
    client.keep(keep).await.unwrap();
    let waiting = async || client.kept.lock().await.len();
    until("they are handed in", async || waiting().await == WAITING).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(waiting().await, WAITING);
    let mut read = 0;
    while read < KEPT {
        let next = tokio::time::timeout(Duration::from_secs(10), client.next()).await;
        read += u8::from(matches!(next.unwrap(), Some(Incoming::Message { .. })));
    }
}

fn question(suite: Ciphersuite) -> Vec<u8> {
    crate::wire::encode(&crate::wire::Question::KeyPackage(suite.into()))
}
