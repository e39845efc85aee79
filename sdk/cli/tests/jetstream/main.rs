//! Several mailbox processes over one NATS JetStream cluster, as an operator runs them: on loopback, with
//! servers that the tests start.
#![cfg(feature = "jetstream")]

mod nats;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use nats::Nats;
use program::{Home, Member, fails};

/// How many messages are sent; a mailbox is killed after the first third, a server after the second.
const MESSAGES: usize = 240;
/// How long between two of them.
const PACE: Duration = Duration::from_millis(15);
/// How long a member who comes back waits at least for what was kept.
const LOOK: Duration = Duration::from_secs(4);
/// How long the others need to hear that everybody is there: what is kept for them is kept under a secret
/// of a state that is final for them.
const SETTLE: Duration = Duration::from_secs(2);

fn is_event(line: &Value, event: &str) -> bool {
    line["type"] == "event" && line["event"] == event
}

/// The messages that the network has taken, by what was told of each.
fn taken(member: &Member) -> BTreeSet<String> {
    let took = |line: &Value| is_event(line, "delivery") && line["delivery"]["state"] != "queued";
    let lines = member.process.all(took);
    lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

/// Somebody comes in, and it can't be taken back any more.
fn join(alice: &mut Member, other: &Member) {
    alice.ask(&["invite", "--wait", "garden", &other.address]);
    other.process.until(0, "joining", |line| is_event(line, "joined"));
}

/// What a member has heard, and how often.
fn heard(member: &Member) -> BTreeMap<String, usize> {
    let mut heard = BTreeMap::new();
    for line in member.process.all(|line| line["type"] == "message") {
        *heard.entry(line["message"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    heard
}

/// A member who was away comes back, with nobody there but a mailbox, and has all of it once. What came
/// while the cluster looked for another leader is stored a few seconds later, so he may have to look again.
fn comes_back(home: &Home, name: &str, mailbox: &str, sent: &BTreeSet<String>) {
    let begin = std::time::Instant::now();
    let mut all = BTreeMap::<String, usize>::new();
    while !sent.iter().all(|message| all.contains_key(message)) {
        let lacks = sent.iter().filter(|message| !all.contains_key(*message)).count();
        assert!(begin.elapsed() < program::PATIENCE, "{name} lacks {lacks} of {}", sent.len());
        let member = home.member(name, &[mailbox]);
        let (look, mut before) = (std::time::Instant::now(), 0);
        while look.elapsed() < LOOK || heard(&member).len() > before {
            before = heard(&member).len();
            std::thread::sleep(Duration::from_millis(300));
        }
        for (message, times) in heard(&member) {
            *all.entry(message).or_default() += times;
        }
        member.close();
    }
    assert!(all.values().all(|times| *times == 1), "{name} hears something twice");
}

#[test]
fn a_mailbox_and_a_server_are_killed_under_load_and_nothing_is_lost() {
    let Some(server) = nats::program() else { return };
    let home = Home::new("load");
    let mut nats = Nats::start(server, &home.0, 3, Some("16G"));
    let names = ["one", "two", "three"];
    let mut mailboxes: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(number, name)| home.start_mailbox(name, &nats.urls(number), &[]))
        .collect();
    let addresses: Vec<_> = mailboxes.iter().map(|mailbox| mailbox.address.clone()).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();

    let mut alice = home.member("alice", &addresses);
    let others = ["bob", "carol"].map(|name| home.member(name, &addresses));
    alice.ask(&["group", "create", "garden"]);
    for other in &others {
        join(&mut alice, other);
    }
    std::thread::sleep(SETTLE);
    others.into_iter().for_each(Member::close);

    let mut sent = BTreeSet::new();
    for number in 0..MESSAGES {
        if number == MESSAGES / 3 {
            mailboxes[0].process.kill();
        }
        if number == 2 * MESSAGES / 3 {
            // The one that decides is the worst to lose.
            nats.kill(nats.leader("trellis-mail"));
        }
        let said = alice.ask(&["send", "garden", &format!("message {number}")]);
        sent.insert(said[0]["message"].as_str().unwrap().to_owned());
        std::thread::sleep(PACE);
    }
    let begin = std::time::Instant::now();
    while !sent.is_subset(&taken(&alice)) {
        assert!(begin.elapsed() < program::PATIENCE, "not all messages leave");
        std::thread::sleep(Duration::from_millis(50));
    }
    alice.close();

    // One reads at a process that was there all the time, the other at one that comes back after all of it.
    comes_back(&home, "bob", &mailboxes[1].address, &sent);
    mailboxes.remove(0);
    let back = home.start_mailbox("one", &nats.urls(1), &[]);
    drop(mailboxes);
    comes_back(&home, "carol", &back.address, &sent);
    println!("{} messages that the network had taken, all of them with both", sent.len());
}

#[test]
fn what_is_wrong_with_a_cluster_is_told() {
    let Some(server) = nats::program() else { return };
    let home = Home::new("wrong");
    let bare = Nats::start(server.clone(), &home.0.join("bare"), 1, None);
    let alone = Nats::start(server, &home.0.join("alone"), 1, Some("64M"));
    let told = |urls: &[String], words: &[&str]| {
        let (code, error) = fails(&mut home.mailbox("node", urls, words));
        let message = error["message"].as_str().unwrap_or_default().to_owned();
        (code, error["code"].clone(), error["retryable"].clone(), message)
    };
    let url = |text: &str| vec![text.to_owned()];

    let (code, name, retryable, message) = told(&url("http://127.0.0.1:1"), &[]);
    assert_eq!((code, name, retryable), (Some(2), json!("options"), json!(false)), "{message}");
    assert!(message.contains("nats://"), "{message}");
    for (urls, words, why) in [
        (url("nats://127.0.0.1:1"), &[][..], "no NATS server answers"),
        (bare.urls(0), &[], "no JetStream"),
        (alone.urls(0), &["--capacity", "1000000"], "is in no cluster"),
        (alone.urls(0), &["--replicas", "1"], "aside on each node for the stream trellis-"),
    ] {
        let begin = std::time::Instant::now();
        let (mut code, mut name, mut retryable, mut message) = told(&urls, words);
        // A server that has just begun is not there yet.
        while !message.contains(why) && begin.elapsed() < Duration::from_secs(10) {
            (code, name, retryable, message) = told(&urls, words);
        }
        assert!(message.contains(why), "{message}");
        assert_eq!((code, name, retryable), (Some(7), json!("not-opened"), json!(true)));
    }
}

#[test]
fn a_server_that_wants_a_password_gets_it_from_the_address() {
    let Some(server) = nats::program() else { return };
    let home = Home::new("password");
    let nats = Nats::guarded(server, &home.0, "frost@night");
    let with = |credentials: &str| -> Vec<String> {
        let urls = nats.urls(0).into_iter();
        urls.map(|url| url.replace("nats://", &format!("nats://{credentials}"))).collect()
    };
    let words = ["--replicas", "1"];
    drop(home.start_mailbox("node", &with("mailbox:frost%40night@"), &words));
    for wrong in ["", "mailbox:frost@", "other:frost%40night@"] {
        let (code, error) = fails(&mut home.mailbox("node", &with(wrong), &words));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("another name or password"), "{message}");
        assert!(!message.contains("frost"), "{message}");
        assert_eq!(code, Some(7));
    }
    // The same by the environment, which others on the machine do not see; the first address is nobody's.
    let url = with("mailbox:frost%40night@").remove(0);
    let mut command = home.mailbox("node", &[], &words);
    command.env("TRELLIS_NATS", format!("nats://127.0.0.1:1 {url}"));
    assert!(program::begins(command));
}

#[test]
fn a_full_and_a_lost_store_are_told_and_nothing_acknowledged_is_lost() {
    let Some(server) = nats::program() else { return };
    let home = Home::new("trouble");
    let mut nats = Nats::start(server, &home.0, 1, Some("16G"));
    let words = ["--replicas", "1", "--capacity", "400000"];
    let mailbox = home.start_mailbox("one", &nats.urls(0), &words);
    let mut alice = home.member("alice", &[&mailbox.address]);
    let finding = |code: &str, from: usize| {
        let right = |line: &Value| line["type"] == "finding" && line["code"] == code;
        mailbox.process.until(from, code, right)
    };

    // The store is lost and comes back.
    nats.kill(0);
    assert_eq!(finding("unavailable", 0)["level"], "bad");
    let place = mailbox.process.place();
    nats.begin(0);
    assert_eq!(finding("stores", place)["level"], "good");

    // It gets full.
    alice.ask(&["group", "create", "garden"]);
    let bob = home.member("bob", &[&mailbox.address]);
    join(&mut alice, &bob);
    std::thread::sleep(SETTLE);
    bob.close();
    let place = mailbox.process.place();
    let text = "frost ".repeat(1000);
    let send = |alice: &mut Member| {
        let said = alice.ask(&["send", "garden", &text]);
        said[0]["message"].as_str().unwrap().to_owned()
    };
    let mut sent: Vec<_> = (0..100).map(|_| send(&mut alice)).collect();
    assert_eq!(finding("full", place)["level"], "bad");

    // What was kept is there still, with nobody but the mailbox; and the rest when its author is.
    let address = mailbox.address.clone();
    let end = std::time::Instant::now() + program::PATIENCE;
    while taken(&alice).len() < sent.len() {
        assert!(std::time::Instant::now() < end, "not all messages leave");
        std::thread::sleep(Duration::from_millis(50));
    }
    alice.close();
    let bob = home.member("bob", &[&address]);
    let first = sent.remove(0);
    bob.process.until(0, "the first message", |line| line["message"] == first.as_str());
    let alice = home.member("alice", &[&address]);
    for message in &sent {
        bob.process.until(0, "the rest", |line| line["message"] == message.as_str());
    }
    drop(alice);
}
