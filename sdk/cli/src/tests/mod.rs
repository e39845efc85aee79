//! Commands in this process, on a network in memory.

mod agent;
mod commands;
mod devices;
mod doctor;
mod messenger;

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use clap::Parser;
use serde_json::Value;
use trellis_sdk::store::{KeyCost, StoreOptions};
use trellis_sdk::transport::{Conditions, MemoryNetwork, MemoryTransport, Pending};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::network::{Connect, Connection, Control};
use crate::output::Output;
use crate::record::{NetworkStatus, Peer};
use crate::run;
use crate::world::{Input, World};

/// A directory of its own, which goes with the value, a network, and somebody's accounts.
struct Town {
    directory: PathBuf,
    network: MemoryNetwork,
}

/// What a command printed and how it ended.
#[derive(Debug)]
struct Done {
    lines: Vec<Value>,
    text: String,
    failure: Option<Failure>,
}

/// A control that takes a whole client off the network, since in memory peers have no names.
struct Switch(Arc<MemoryTransport>);

impl Control for Switch {
    fn status(&self) -> Pending<'_, NetworkStatus> {
        Box::pin(async { NetworkStatus { peer: "memory".to_owned(), ..NetworkStatus::default() } })
    }

    fn block(&self, _: Peer, blocked: bool) -> Pending<'_, Result<(), Failure>> {
        self.0.set_online(!blocked);
        Box::pin(async { Ok(()) })
    }
}

/// What several may write to and one reads.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Town {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("trellis-cli-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("passphrase"), "correct horse\nignored").unwrap();
        Self { directory, network: MemoryNetwork::new(Conditions::good()) }
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn connect(&self) -> Connect {
        let network = self.network.clone();
        Arc::new(move |_, _| {
            let transport = Arc::new(network.join());
            let control = Arc::new(Switch(Arc::clone(&transport)));
            Box::pin(async move { Ok(Connection { transport, control }) })
        })
    }

    fn world(&self, json: bool, paper: &Paper, input: Input) -> World {
        World {
            connect: self.connect(),
            store: StoreOptions::default().with_cost(KeyCost::for_tests()),
            output: Output::new(json, Box::new(paper.clone())),
            input,
            terminal: false,
            environment: |_| None,
        }
    }

    fn arguments(&self, who: &str, words: &[&str]) -> Arguments {
        let (store, passphrase) = (self.path(&format!("{who}.db")), self.path("passphrase"));
        let fixed = ["trellis", "--store", &store, "--passphrase-file", &passphrase];
        Arguments::try_parse_from(fixed.iter().chain(words)).unwrap()
    }

    /// Runs a command of somebody with standard input.
    async fn run_with(&self, who: &str, words: &[&str], input: &'static str) -> Done {
        let arguments = self.arguments(who, words);
        let (json, paper) = (arguments.common.json, Paper::default());
        let world = self.world(json, &paper, Box::new(input.as_bytes()));
        let failure = Box::pin(run::run(arguments, world)).await.err();
        let text = paper.text();
        let lines = if json {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        } else {
            Vec::new()
        };
        Done { lines, text, failure }
    }

    /// Runs a command of somebody, for programs.
    async fn json(&self, who: &str, words: &[&str]) -> Vec<Value> {
        let words: Vec<_> = ["--json"].iter().chain(words).copied().collect();
        let done = self.run_with(who, &words, "").await;
        assert!(done.failure.is_none(), "{words:?}: {:?}", done.failure);
        done.lines
    }

    /// Runs a command of somebody that fails, and returns code and exit code.
    async fn fails(&self, who: &str, words: &[&str]) -> (&'static str, u8) {
        let done = self.run_with(who, words, "").await;
        let failure = done.failure.unwrap_or_else(|| panic!("{words:?} does not fail"));
        (failure.code(), failure.exit_code())
    }

    /// A new account, and its address.
    async fn account(&self, who: &str) -> String {
        let lines = self.json(who, &["init"]).await;
        lines[0]["address"].as_str().unwrap().to_owned()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
