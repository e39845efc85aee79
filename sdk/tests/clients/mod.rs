//! What tests of the client share: clients on a network in memory, and waiting.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trellis_sdk::store::{KeyCost, StoreOptions};
use trellis_sdk::transport::{Conditions, MemoryNetwork, MemoryTransport};
use trellis_sdk::{Client, Error, Event, Events, Group, Message};

pub const PASSPHRASE: &str = "correct horse battery staple";

/// A directory of its own, which goes with the value.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("trellis-client-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn cheap() -> StoreOptions {
    StoreOptions::default().with_cost(KeyCost::for_tests())
}

pub fn network() -> MemoryNetwork {
    MemoryNetwork::new(Conditions::good())
}

pub async fn open(network: &MemoryNetwork) -> Client {
    Client::builder_in_memory().transport(network.join()).open().await.unwrap()
}

pub async fn open_file(path: &Path, network: &MemoryNetwork) -> Result<Client, Error> {
    let builder = Client::builder(path, PASSPHRASE).store_options(cheap());
    builder.transport(network.join()).open().await
}

/// A client whose transport the test keeps a hand on.
pub async fn open_held(network: &MemoryNetwork) -> (Client, Arc<MemoryTransport>) {
    let transport = Arc::new(network.join());
    let client = Client::builder_in_memory().transport(transport.clone()).open().await.unwrap();
    (client, transport)
}

/// What should have happened within a minute and a half.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(90), future).await.expect("it takes too long")
}

/// Waits until a question has the answer yes.
pub async fn until<F: Future<Output = bool>>(question: impl Fn() -> F) {
    soon(async {
        while !question().await {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
}

/// Waits for an event of a kind.
pub async fn event<T>(events: &mut Events, kind: impl Fn(Event) -> Option<T>) -> T {
    soon(async {
        loop {
            let next = events.next().await.expect("the client is open");
            if let Some(found) = kind(next) {
                return found;
            }
        }
    })
    .await
}

/// A group of the first client that all others are in.
pub async fn found(clients: &[&Client]) -> Vec<Group> {
    let (founder, others) = clients.split_first().unwrap();
    let group = founder.create_group("garden").await.unwrap();
    let others: Vec<_> = others.iter().map(|client| client.address()).collect();
    for change in group.invite_all(&others).await.unwrap() {
        soon(change.done()).await.unwrap();
    }
    clients.iter().map(|client| client.group(group.id())).collect()
}

pub async fn texts(group: &Group) -> Vec<String> {
    let page = group.history(None, 500).await.unwrap();
    let text = |entry: trellis_sdk::client::Entry| match entry.message.message {
        Message::Text(text) | Message::Reply(_, text) => Some(text),
        _ => None,
    };
    page.entries.into_iter().rev().filter_map(text).collect()
}
