//! The agent: commands by the line.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader, DuplexStream};

use super::{Paper, Town};
use crate::agent::MAX_LINE;

/// An agent that runs beside the test.
pub(super) struct Agent {
    input: DuplexStream,
    paper: Paper,
    read: usize,
    running: tokio::task::JoinHandle<Result<(), crate::failure::Failure>>,
}

impl Agent {
    pub(super) fn start(town: &Town, who: &str, words: &[&str]) -> Self {
        let (input, theirs) = tokio::io::duplex(1 << 20);
        let paper = Paper::default();
        let arguments = town.arguments(who, words);
        let world = town.world(true, &paper, Box::new(BufReader::new(theirs)));
        let running = tokio::spawn(crate::run::run(arguments, world));
        Self { input, paper, read: 0, running }
    }

    async fn say(&mut self, line: &str) {
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    /// The next line that is as it should be; those before it are passed over.
    pub(super) async fn until(&mut self, right: impl Fn(&Value) -> bool) -> Value {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.paper.text();
            let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
            for line in whole.lines().skip(self.read) {
                self.read += 1;
                let value: Value = serde_json::from_str(line).unwrap();
                if right(&value) {
                    return value;
                }
            }
            assert!(tokio::time::Instant::now() < end, "it takes too long: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn ask(&mut self, id: u64, words: &[&str]) -> Value {
        self.say(&json!({"id": id, "args": words}).to_string()).await;
        self.until(|line| line["type"] == "end" && line["re"] == id).await
    }

    /// Ends the input; the agent closes.
    pub(super) async fn end(self) {
        drop(self.input);
        self.running.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_talk() {
    let town = Town::new();
    town.account("alice").await;
    let bob_address = town.account("bob").await;
    let mut alice = Agent::start(&town, "alice", &["agent"]);
    let mut bob = Agent::start(&town, "bob", &["agent"]);
    let ready = bob.until(|line| line["type"] == "ready").await;
    assert_eq!(ready["address"], json!(bob_address));

    assert_eq!(alice.ask(1, &["group", "create", "garden"]).await["ok"], true);
    assert_eq!(alice.ask(2, &["invite", "garden", &bob_address]).await["ok"], true);
    let joined = bob.until(|line| line["event"] == "joined").await;
    let group = joined["group"].as_str().unwrap().to_owned();

    let words = ["send", "garden", "frost\ntonight", "--wait"];
    alice.say(&json!({"id": "a name", "args": words}).to_string()).await;
    let message = bob.until(|line| line["type"] == "message").await;
    assert_eq!((&message["text"], &message["mine"]), (&json!("frost\ntonight"), &json!(false)));
    let sent = alice.until(|line| line["type"] == "sent" && line["re"] == "a name").await;
    assert_eq!(sent["delivery"]["state"], "reached");
    alice.until(|line| line["type"] == "end" && line["re"] == "a name").await;

    let words = ["send", &group, "-no", "--reply", message["message"].as_str().unwrap()];
    assert_eq!(bob.ask(3, &words).await["ok"], true);
    let reply = alice.until(|line| line["type"] == "message").await;
    assert_eq!((&reply["kind"], &reply["text"]), (&json!("reply"), &json!("-no")));
    alice.end().await;
    bob.end().await;
    // What was said is in the file.
    assert_eq!(town.json("alice", &["history", "garden"]).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_answered_and_the_next_line_counts() {
    let town = Town::new();
    town.account("alice").await;
    let mut agent = Agent::start(&town, "alice", &["agent"]);
    for (line, code, exit) in [
        ("nonsense", "usage", 2),
        ("[]", "usage", 2),
        (r#"{"id": 1}"#, "usage", 2),
        (r#"{"id": 1, "args": ["fly"]}"#, "usage", 2),
        (r#"{"id": 1, "args": ["send"], "more": 1}"#, "usage", 2),
        (r#"{"id": 1, "args": ["--help"]}"#, "usage", 2),
        (r#"{"id": 1, "args": ["group", "show", "nowhere"]}"#, "no-match", 5),
        (r#"{"id": 1, "args": ["status"]}"#, "usage", 2),
        (r#"{"id": 1, "args": ["backup", "/nonexistent/x"]}"#, "no-passphrase", 2),
    ] {
        agent.say(line).await;
        let end = agent.until(|line| line["type"] == "end").await;
        assert_eq!((&end["ok"], &end["error"]["code"]), (&json!(false), &json!(code)), "{line}");
        assert_eq!(end["error"]["exit"], exit, "{line}");
    }
    agent.say("").await;
    assert_eq!(agent.ask(2, &["address"]).await["ok"], true);
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_end_ends_the_agent() {
    let town = Town::new();
    town.account("alice").await;
    let mut agent = Agent::start(&town, "alice", &["agent"]);
    let long = "x".repeat(usize::try_from(MAX_LINE).unwrap() + 1);
    agent.input.write_all(long.as_bytes()).await.unwrap();
    let failure = agent.running.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), "usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_cuts_the_network_and_lets_it_heal() {
    let town = Town::new();
    town.account("alice").await;
    let bob_address = town.account("bob").await;
    let mut alice = Agent::start(&town, "alice", &["agent"]);
    let mut bob = Agent::start(&town, "bob", &["agent", "--admin"]);
    alice.ask(1, &["group", "create", "garden"]).await;
    alice.ask(2, &["invite", "garden", &bob_address]).await;
    bob.until(|line| line["event"] == "joined").await;
    let status = bob.say(r#"{"id": 3, "args": ["status"]}"#);
    status.await;
    let status = bob.until(|line| line["re"] == 3).await;
    assert_eq!((&status["type"], &status["peer"]), (&json!("network"), &json!("memory")));
    assert_eq!(bob.ask(4, &["block", "all"]).await["ok"], true);
    alice.ask(5, &["send", "garden", "are you there?"]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!bob.paper.text().contains("are you there?"));
    assert_eq!(bob.ask(6, &["unblock", "all"]).await["ok"], true);
    bob.until(|line| line["text"] == "are you there?").await;
    alice.end().await;
    bob.end().await;
}
