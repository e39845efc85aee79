//! One command after another, as a script runs them.

use serde_json::{Value, json};

use super::Town;

/// The fields that an object has.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_once() {
    let town = Town::new();
    assert_eq!(town.fails("alice", &["address"]).await, ("no-store", 5));
    let address = town.account("alice").await;
    assert!(address.starts_with("trellis1") && address.len() == 66);
    let lines = town.json("alice", &["address"]).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(fields(&lines[0]), ["address", "device", "type"]);
    assert_eq!((&lines[0]["type"], &lines[0]["address"]), (&json!("account"), &json!(address)));
    assert_eq!(town.fails("alice", &["init"]).await, ("store-exists", 9));
    let text = town.run_with("alice", &["address"], "").await.text;
    assert_eq!(text, format!("{address}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_passphrase_has_to_be_there_and_right() {
    let town = Town::new();
    town.account("alice").await;
    std::fs::write(town.path("passphrase"), "wrong").unwrap();
    assert_eq!(town.fails("alice", &["address"]).await, ("wrong-key-or-damaged", 4));
    std::fs::write(town.path("passphrase"), "\n").unwrap();
    assert_eq!(town.fails("alice", &["address"]).await, ("usage", 2));
    std::fs::write(town.path("passphrase"), "x".repeat(5000)).unwrap();
    assert_eq!(town.fails("alice", &["address"]).await, ("usage", 2));
    std::fs::remove_file(town.path("passphrase")).unwrap();
    assert_eq!(town.fails("alice", &["address"]).await, ("io", 9));
    // Nobody sits at a terminal, and nothing is in the environment.
    let mut arguments = town.arguments("alice", &["address"]);
    arguments.common.passphrase_file = None;
    let world = town.world(false, &super::Paper::default(), Box::new(&b""[..]));
    let failure = crate::run::run(arguments, world).await.unwrap_err();
    assert_eq!((failure.code(), failure.exit_code()), ("no-passphrase", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_found_by_name_and_by_id() {
    let town = Town::new();
    let me = town.account("alice").await;
    let garden = town.json("alice", &["group", "create", "garden"]).await.remove(0);
    assert_eq!(fields(&garden), ["active", "group", "members", "name", "role", "security", "type"]);
    assert_eq!(garden["role"], "owner");
    assert_eq!(garden["members"][0]["address"], json!(me));
    assert_eq!(garden["security"]["confidentiality"], "hybrid");
    assert_eq!(garden["security"]["weakest_link"], "classical-signatures");
    let id = garden["group"].as_str().unwrap();
    for name in ["garden", &id[..6], &id[..6].to_uppercase(), id] {
        assert_eq!(town.json("alice", &["group", "show", name]).await[0]["group"], json!(id));
    }
    assert_eq!(town.fails("alice", &["group", "show", "orchard"]).await, ("no-match", 5));
    assert_eq!(town.fails("alice", &["group", "show", ""]).await, ("no-match", 5));
    // Whoever names a group after the id of another catches nothing.
    town.json("alice", &["group", "create", &id[..8]]).await;
    assert_eq!(town.fails("alice", &["send", &id[..8], "hi"]).await, ("ambiguous", 2));
    assert_eq!(town.json("alice", &["group", "list"]).await.len(), 2);

    let strong = ["group", "create", "street", "--suite", "pq-signatures", "--open"];
    let street = town.json("alice", &strong).await.remove(0);
    assert_eq!(street["security"]["weakest_link"], "transport");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wished_for_offline_waits_and_can_be_looked_at() {
    let town = Town::new();
    town.account("alice").await;
    let bob = town.account("bob").await;
    town.json("alice", &["group", "create", "garden"]).await;
    let invited = town.json("alice", &["--offline", "invite", "garden", &bob]).await.remove(0);
    assert_eq!(fields(&invited), ["change", "group", "status", "type", "what"]);
    assert_eq!(invited["status"], "pending");
    assert_eq!(invited["what"]["kind"], "invite");
    let id = invited["change"].as_str().unwrap();
    assert_eq!(town.json("alice", &["change", "garden", id]).await[0]["status"], "pending");
    let wait = ["--timeout", "1", "--offline", "change", "garden", id, "--wait"];
    assert_eq!(town.fails("alice", &wait).await, ("timeout", 8));
    assert_eq!(town.fails("alice", &["change", "garden", "00"]).await, ("no-match", 5));

    // Alone, a group is renamed at once, and its owner can't step down.
    let renamed = town.json("alice", &["group", "rename", "garden", "orchard", "--wait"]).await;
    assert_eq!(renamed[0]["status"], "done");
    assert_eq!(town.json("alice", &["group", "list"]).await[0]["name"], "orchard");
    let me = town.json("alice", &["address"]).await[0]["address"].as_str().unwrap().to_owned();
    let down = ["role", "orchard", &me, "member"];
    assert_eq!(town.fails("alice", &down).await, ("change-last-owner", 6));
    assert_eq!(
        town.fails("alice", &["invite", "orchard", "trellis1"]).await,
        ("address-length", 2)
    );
    assert_eq!(town.fails("alice", &["remove", "orchard", "qqqqqqq"]).await, ("no-match", 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_in_history_search_and_export() {
    let town = Town::new();
    town.account("alice").await;
    town.json("alice", &["group", "create", "garden"]).await;
    let mut sent = Vec::new();
    for text in ["frost tonight", "-5 degrees", "\u{1b}[31mred\u{202e}"] {
        let line = town.json("alice", &["send", "garden", text]).await.remove(0);
        assert_eq!(fields(&line), ["delivery", "group", "message", "type"]);
        sent.push(line["message"].as_str().unwrap().to_owned());
    }
    let done = town.run_with("alice", &["send", "garden", "-"], "from\nstandard input\n").await;
    assert!(done.failure.is_none());
    let edited = ["send", "garden", "frost tomorrow", "--edit", &sent[0][..8]];
    town.json("alice", &edited).await;
    town.json("alice", &["send", "garden", "👍", "--react", &sent[0]]).await;
    town.json("alice", &["send", "garden", "--delete", &sent[1]]).await;

    let history = town.json("alice", &["history", "garden"]).await;
    let texts: Vec<_> = history.iter().map(|line| line["text"].as_str()).collect();
    assert_eq!(history[0]["kind"], "text");
    assert_eq!(history[0]["mine"], true);
    assert_eq!(
        texts[..4],
        [Some("frost tomorrow"), None, Some("\u{1b}[31mred\u{202e}"), Some("from\nstandard input"),]
    );
    assert_eq!(history[1]["kind"], "delete");
    assert!(
        history.iter().any(|line| line["kind"] == "reaction" && line["to"] == sent[0].as_str())
    );
    assert_eq!(town.json("alice", &["history", "garden", "--limit", "1"]).await.len(), 1);

    let found = town.json("alice", &["search", "frost", "tomor"]).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["message"], sent[0].as_str());
    assert!(town.json("alice", &["search", "drought", "--group", "garden"]).await.is_empty());

    // An export is JSON without being asked for it, the oldest first, and complete.
    let export = town.run_with("alice", &["export"], "").await.text;
    let export: Vec<Value> =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(export, history);

    // A terminal gets nothing that it would obey.
    let text = town.run_with("alice", &["history", "garden"], "").await.text;
    assert!(text.contains("[31mred") && !text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    let raw = town.run_with("alice", &["--json", "history", "garden"], "").await.text;
    assert!(raw.contains("\\u001b[31mred\\u202e") && !raw.contains('\u{202e}'));

    let long = "frost ".repeat(20_000);
    assert_eq!(town.fails("alice", &["send", "garden", &long]).await, ("message-too-large", 2));
    assert_eq!(town.fails("alice", &["send", "garden", "x", "--edit", "0000"]).await.0, "no-match");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_meet_on_the_network() {
    let town = Town::new();
    town.account("alice").await;
    let bob = town.account("bob").await;
    let carol = town.account("carol").await;
    town.json("alice", &["group", "create", "garden"]).await;
    let listening = town.json("bob", &["listen", "--count", "1"]);
    let words = ["invite", "garden", &bob];
    let inviting = town.json("alice", &words);
    let (heard, invited) = tokio::join!(listening, inviting);
    assert_eq!((&heard[0]["type"], &heard[0]["event"]), (&json!("event"), &json!("joined")));
    assert_ne!(invited[0]["status"], "pending");

    let listening = town.json("bob", &["listen", "--messages", "--count", "1", "--for", "60"]);
    let sending = town.json("alice", &["send", "garden", "frost tonight", "--wait"]);
    let (heard, sent) = tokio::join!(listening, sending);
    assert_eq!(
        (&heard[0]["type"], &heard[0]["text"]),
        (&json!("message"), &json!("frost tonight"))
    );
    assert_eq!(sent[0]["delivery"], json!({"state": "reached", "devices": 1, "of": 1}));

    // Bob may not invite, and says so himself.
    assert_eq!(town.fails("bob", &["invite", "garden", &carol, "--wait"]).await.1, 6);
    // Alice removes him by the beginning of his address.
    let listening = town.json("bob", &["listen", "--for", "8", "--count", "3"]);
    let words = ["remove", "garden", &bob[..20], "--wait"];
    let removing = town.json("alice", &words);
    let (_, removed) = tokio::join!(listening, removing);
    assert_eq!(removed[0]["status"], "done");
    let members = &town.json("alice", &["group", "show", "garden"]).await[0]["members"];
    assert_eq!(members.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_open_once() {
    let town = Town::new();
    town.account("alice").await;
    let listening = town.json("alice", &["listen", "--for", "3"]);
    let other = async {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        town.fails("alice", &["address"]).await
    };
    let (_, failed) = tokio::join!(listening, other);
    assert_eq!(failed, ("in-use", 3));
}
