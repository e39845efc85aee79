//! The whole script, with members in this process and a network in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use tokio::io::BufReader;
use trellis_sdk::store::{KeyCost, StoreOptions};
use trellis_sdk::transport::{Conditions, MemoryNetwork, MemoryTransport, Pending};

use super::cast::Cast;
use super::stage::{Part, Pipes, Stage};
use super::{play, steps};
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::network::{Connection, Control};
use crate::output::Output;
use crate::record::{NetworkStatus, Peer, PeerRecord};
use crate::run::run;
use crate::world::World;

/// A network in memory in which members block each other by name.
#[derive(Clone)]
struct Board {
    network: MemoryNetwork,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    members: BTreeMap<String, Arc<MemoryTransport>>,
    blocked: BTreeSet<(String, String)>,
}

impl Inner {
    fn is_cut(&self, one: &str, other: &str) -> bool {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        self.blocked.contains(&pair(one, other)) || self.blocked.contains(&pair(other, one))
    }

    /// Those who can reach each other, directly or through others.
    fn sides(&self) -> Vec<Vec<&MemoryTransport>> {
        let mut left: BTreeSet<&String> = self.members.keys().collect();
        let mut sides = Vec::new();
        while let Some(first) = left.pop_first() {
            let (mut side, mut new) = (vec![first], vec![first]);
            while let Some(next) = new.pop() {
                let reached: Vec<_> =
                    left.iter().copied().filter(|other| !self.is_cut(next, other)).collect();
                for other in reached {
                    left.remove(other);
                    side.push(other);
                    new.push(other);
                }
            }
            sides.push(side.into_iter().map(|name| &*self.members[name]).collect());
        }
        sides
    }
}

struct Seat {
    name: String,
    board: Board,
}

impl Control for Seat {
    fn status(&self) -> Pending<'_, NetworkStatus> {
        Box::pin(async {
            let inner = self.board.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let others = inner
                .members
                .keys()
                .filter(|other| **other != self.name && !inner.is_cut(&self.name, other));
            let peers = others.map(|other| PeerRecord {
                peer: Peer(other.clone()),
                relayed: false,
                key_exchange: "nothing, within one process".to_owned(),
            });
            NetworkStatus {
                peer: self.name.clone(),
                listening: vec!["memory".to_owned()],
                peers: peers.collect(),
                ..NetworkStatus::default()
            }
        })
    }

    fn block(&self, peer: Peer, blocked: bool) -> Pending<'_, Result<(), Failure>> {
        Box::pin(async move {
            let mut inner = self.board.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let pair = (self.name.clone(), peer.0);
            if blocked {
                inner.blocked.insert(pair);
            } else {
                inner.blocked.remove(&pair);
            }
            let sides = inner.sides();
            let sides: Vec<&[&MemoryTransport]> = sides.iter().map(Vec::as_slice).collect();
            self.board.network.partition(&sides);
            Ok(())
        })
    }
}

/// Members in this process.
struct Tasks {
    board: Board,
    directory: std::path::PathBuf,
}

impl Tasks {
    fn arguments(&self, part: &Part, words: &[&str]) -> Arguments {
        let store = self.directory.join(format!("{}.db", part.name)).display().to_string();
        let passphrase = self.directory.join("passphrase").display().to_string();
        let fixed = ["trellis", "--json", "--store", &store, "--passphrase-file", &passphrase];
        Arguments::try_parse_from(fixed.iter().chain(words)).unwrap()
    }

    fn world(&self, name: &str, output: Output, input: crate::world::Input) -> World {
        let (board, name) = (self.board.clone(), name.to_owned());
        World {
            connect: Arc::new(move |_, _| {
                let transport = Arc::new(board.network.join());
                let mut inner = board.inner.lock().unwrap_or_else(PoisonError::into_inner);
                inner.members.insert(name.clone(), Arc::clone(&transport));
                drop(inner);
                let control = Arc::new(Seat { name: name.clone(), board: board.clone() });
                Box::pin(async move { Ok(Connection { transport, control }) })
            }),
            store: StoreOptions::default().with_cost(KeyCost::for_tests()),
            output,
            input,
            terminal: false,
            environment: |_| None,
        }
    }
}

impl Stage for Tasks {
    fn member(&self, part: Part) -> Pending<'_, Result<Pipes, Failure>> {
        Box::pin(async move {
            if !self.directory.join(format!("{}.db", part.name)).exists() {
                let quiet = Output::new(true, Box::new(std::io::sink()));
                let init = self.arguments(&part, &["init"]);
                Box::pin(run(init, self.world(part.name, quiet, Box::new(&b""[..])))).await?;
            }
            let (to, theirs) = tokio::io::duplex(1 << 20);
            let (sender, from) = tokio::io::duplex(1 << 20);
            let writer = tokio_writer(sender);
            let input = Box::new(BufReader::new(theirs));
            let world = self.world(part.name, Output::new(true, writer), input);
            let arguments = self.arguments(&part, &["agent", "--admin"]);
            let (board, name) = (self.board.clone(), part.name);
            tokio::spawn(async move {
                run(arguments, world).await.unwrap();
                // Who has gone is on no side any more.
                board.inner.lock().unwrap_or_else(PoisonError::into_inner).members.remove(name);
            });
            let from = Box::new(BufReader::new(from));
            Ok(Pipes { to: Box::new(to), from, complaints: None, process: None })
        })
    }

    fn mailbox(&self) -> Pending<'_, Result<Option<Pipes>, Failure>> {
        Box::pin(async { Ok(None) })
    }
}

/// Writes from threads into what a task reads.
fn tokio_writer(mut to: tokio::io::DuplexStream) -> Box<dyn std::io::Write + Send> {
    use tokio::io::AsyncWriteExt;
    struct Writer(tokio::sync::mpsc::UnboundedSender<Vec<u8>>);
    impl std::io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(bytes) = receiver.recv().await {
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    Box::new(Writer(sender))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_script_comes_true() {
    let directory = std::env::temp_dir().join(format!("trellis-demo-test-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("passphrase"), "correct horse").unwrap();
    let network = MemoryNetwork::new(Conditions::good());
    let board = Board { network, inner: Arc::default() };
    let stage = Tasks { board, directory: directory.clone() };
    let paper = Arc::new(Mutex::new(Vec::new()));
    let mut cast = Cast::new(Box::new(stage), Duration::from_secs(60));
    let output = Output::new(true, Box::new(Sheet(Arc::clone(&paper))));
    let played = play(&mut cast, &output, Duration::ZERO).await;
    cast.dismiss().await;
    std::fs::remove_dir_all(&directory).unwrap();
    let text = String::from_utf8(paper.lock().unwrap().clone()).unwrap();
    println!("{text}");
    played.unwrap();
    let steps: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(steps.len(), steps::ALL.len());
    for (number, step) in steps.iter().enumerate() {
        assert_eq!((&step["type"], &step["step"]), (&"step".into(), &(number + 1).into()));
        assert!(!step["facts"].as_array().unwrap().is_empty());
    }
}

struct Sheet(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
