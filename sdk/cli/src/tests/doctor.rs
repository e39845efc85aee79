//! What is found when something is stuck, and when nothing is.

use serde_json::Value;

use super::Town;
use crate::failure::Failure;

fn codes(lines: &[Value]) -> Vec<&str> {
    let findings = lines.iter().filter(|line| line["type"] == "finding");
    findings.map(|line| line["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_waits_and_why() {
    let town = Town::new();
    town.account("alice").await;
    let bob = town.account("bob").await;
    town.json("alice", &["group", "create", "garden"]).await;
    let fine = town.json("alice", &["--offline", "doctor"]).await;
    assert_eq!(codes(&fine), ["offline", "account-keys", "classical-signatures"]);

    town.json("alice", &["--offline", "invite", "garden", &bob]).await;
    town.json("alice", &["--offline", "send", "garden", "anybody?"]).await;
    let stuck = town.json("alice", &["--offline", "doctor", "garden"]).await;
    assert!(codes(&stuck).contains(&"waits-for-network"), "{stuck:?}");
    assert!(codes(&stuck).contains(&"queued"), "{stuck:?}");
    assert!(stuck.iter().all(|line| line["text"].is_string() && line["level"].is_string()));

    // With a network, and nobody in it.
    let alone = town.json("alice", &["doctor"]).await;
    assert_eq!(alone[0]["type"], "network");
    assert!(codes(&alone).contains(&"no-peers"), "{alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_where_there_is_no_network() {
    let town = Town::new();
    town.account("alice").await;
    let paper = super::Paper::default();
    let mut world = town.world(true, &paper, Box::new(&b""[..]));
    world.connect = std::sync::Arc::new(|_, _| Box::pin(async { Err(Failure::NoNetwork) }));
    let arguments = town.arguments("alice", &["--json", "doctor"]);
    crate::run::run(arguments, world).await.unwrap();
    assert!(paper.text().contains("\"no-network\""), "{}", paper.text());
}
