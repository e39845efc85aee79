//! What a process in a namespace does: it reads lines, and answers each with one.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime;
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::{Libp2p, Limits, Rate};
use trellis_sdk::{Client, Group, Message, Policy, Role, Topic};

use crate::host::{DONE, FAILED, ROLE};
use crate::{air, attackers};

/// The directory into which each host logs, if it is given.
const LOGS: &str = "TRELLIS_NETNS_LOGS";

/// Serves until nobody is left who could say anything.
pub fn serve() {
    let Ok(role) = std::env::var(ROLE) else { return };
    if let Some(directory) = std::env::var_os(LOGS) {
        log_into(Path::new(&directory), &role);
    }
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let (mut node, mut air) = (Node::default(), air::Inside::default());
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        let result = match role.as_str() {
            "air" => air.told(&words),
            "attackers" => attackers::told(&runtime, &words),
            _ => runtime.block_on(node.told(&words)),
        };
        let (word, text) = match &result {
            Ok(text) => (DONE, text),
            Err(error) => (FAILED, error),
        };
        // The harness may have begun a line.
        let mut output = io::stdout().lock();
        write!(output, "\n{word} {text}\n").unwrap();
        output.flush().unwrap();
    }
    std::process::exit(0);
}

/// Writes down what happens, for who looks for the cause of a failure.
fn log_into(directory: &Path, role: &str) {
    let name = format!("{role}-{}.log", std::process::id());
    let file = File::create(directory.join(name)).unwrap();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .init();
}

/// A node, and maybe a client.
#[derive(Default)]
struct Node {
    network: Option<Arc<Libp2p>>,
    client: Option<Client>,
}

type Answer<T> = Result<T, String>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Node {
    async fn told(&mut self, words: &[&str]) -> Answer<String> {
        match words {
            ["open", options @ ..] => self.open(options).await,
            ["client"] => {
                let network = self.network()?.clone();
                let client = Client::builder_in_memory().transport(network).open().await;
                let client = client.map_err(text)?;
                let address = client.address().to_string();
                self.client = Some(client);
                Ok(address)
            }
            ["status", what] => self.status(what).await,
            ["subscribe", topic] => {
                self.network()?.subscribe(parse(topic)?).await.map_err(text)?;
                Ok(String::new())
            }
            ["flood", seconds, length, topics @ ..] => self.flood(seconds, length, topics),
            ["found", name] => {
                let mut policy = Policy::default();
                policy.rename = Role::Member;
                let group = self.client()?.create_group(*name).policy(policy);
                group.await.map_err(text)?;
                Ok(String::new())
            }
            ["invite", addresses @ ..] => {
                let addresses: Vec<_> =
                    addresses.iter().map(|address| address.parse().unwrap()).collect();
                self.group().await?.invite_all(&addresses).await.map_err(text)?;
                Ok(String::new())
            }
            ["members"] => match self.group().await {
                Ok(group) => Ok(group.members().await.map_err(text)?.len().to_string()),
                Err(_) => Ok("0".into()),
            },
            ["rename", name] => {
                self.group().await?.rename(*name).await.map_err(text)?;
                Ok(String::new())
            }
            ["name"] => self.group().await?.name().await.map_err(text),
            ["send", message] => {
                let message = Message::text(*message);
                self.group().await?.send(message).await.map_err(text)?;
                Ok(String::new())
            }
            ["burst", count, length] => {
                let (count, length): (usize, usize) =
                    (count.parse().map_err(text)?, length.parse().map_err(text)?);
                for _ in 0..count {
                    let message = Message::text("x".repeat(length));
                    self.group().await?.send(message).await.map_err(text)?;
                }
                Ok(String::new())
            }
            ["texts"] => self.texts().await,
            _ => Err("unknown".into()),
        }
    }

    fn network(&self) -> Answer<&Arc<Libp2p>> {
        self.network.as_ref().ok_or_else(|| "no node".into())
    }

    fn client(&self) -> Answer<&Client> {
        self.client.as_ref().ok_or_else(|| "no client".into())
    }

    /// The group that the client is in; there is one.
    async fn group(&self) -> Answer<Group> {
        let groups = self.client()?.groups().await.map_err(text)?;
        groups.into_iter().next().ok_or_else(|| "no group".into())
    }

    async fn open(&mut self, options: &[&str]) -> Answer<String> {
        let mut builder = Libp2p::builder().mdns(false);
        let mut limits = Limits::default();
        for option in options {
            builder = match option.split_once('=').unwrap_or((option, "")) {
                ("mdns", _) => builder.mdns(true),
                ("seed", number) => builder.identity([number.parse().map_err(text)?; 32]),
                ("serve", _) => builder.serve(true),
                ("announce", _) => builder.announce_listening(true),
                ("listen", address) => builder.listen(address.parse().map_err(text)?),
                ("bootstrap", address) => builder.bootstrap(address.parse().map_err(text)?),
                ("unread", bytes) => {
                    limits.unread = bytes.parse().map_err(text)?;
                    builder
                }
                ("patient", _) => {
                    limits.faults_per_peer = Rate::new(u32::MAX, u32::MAX);
                    builder
                }
                ("gossip-kib", rate) => {
                    let rate = rate.parse().map_err(text)?;
                    limits.gossip_kib_per_peer = Rate::new(2 * rate, rate);
                    builder
                }
                _ => return Err(format!("unknown option {option}")),
            };
        }
        let network = builder.limits(limits).open().await.map_err(text)?;
        let status = network.status().await.map_err(text)?;
        self.network = Some(Arc::new(network));
        let reachable = |address: &&trellis_sdk::transport::libp2p::Multiaddr| {
            let text = address.to_string();
            text.starts_with("/ip4/") && !text.starts_with("/ip4/127.")
        };
        let address = status.listening.iter().find(reachable).map(ToString::to_string);
        Ok(format!("{} {}", status.peer, address.unwrap_or_default()))
    }

    async fn status(&self, what: &str) -> Answer<String> {
        let status = self.network()?.status().await.map_err(text)?;
        let words: Vec<String> = match what {
            "links" => {
                let kind = |relayed| if relayed { "relayed" } else { "direct" };
                let link = status.links.iter();
                link.map(|link| format!("{}={}", link.peer, kind(link.relayed))).collect()
            }
            "external" => status.external.iter().map(ToString::to_string).collect(),
            "table" => vec![status.table.to_string()],
            "topics" => status.topics.iter().map(|(topic, _)| print(topic)).collect(),
            _ => return Err("unknown".into()),
        };
        Ok(words.join(" "))
    }

    /// Publishes as much as it can for some seconds.
    fn flood(&self, seconds: &str, length: &str, topics: &[&str]) -> Answer<String> {
        let network = self.network()?.clone();
        let length: usize = length.parse().map_err(text)?;
        let topics: Vec<Topic> = topics.iter().map(|topic| parse(topic)).collect::<Answer<_>>()?;
        let end = Instant::now() + Duration::from_secs(seconds.parse().map_err(text)?);
        tokio::spawn(async move {
            for (number, topic) in topics.iter().cycle().enumerate() {
                let mut bytes = vec![7; length];
                bytes[..8].copy_from_slice(&number.to_be_bytes());
                if network.publish(*topic, bytes).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                if Instant::now() > end {
                    return;
                }
            }
        });
        Ok(String::new())
    }

    /// Everything that was said, in the order of the history.
    async fn texts(&self) -> Answer<String> {
        let Ok(group) = self.group().await else { return Ok(String::new()) };
        let (mut texts, mut before) = (Vec::new(), None);
        loop {
            let page = group.history(before, 500).await.map_err(text)?;
            for entry in page.entries {
                if let Message::Text(text) = entry.message.message {
                    texts.push(text);
                }
            }
            before = page.older;
            if before.is_none() {
                return Ok(texts.join(" "));
            }
        }
    }
}

fn print(topic: &Topic) -> String {
    topic.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn parse(text: &str) -> Answer<Topic> {
    let byte = |at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    bytes.and_then(|bytes| Topic::from_slice(&bytes)).ok_or_else(|| "no topic".into())
}
