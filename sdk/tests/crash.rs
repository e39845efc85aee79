//! A client that is stopped at any moment goes on from a whole state, and what it had told its user
//! is still true.

mod town;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use town::{Town, policy};
use trellis_sdk::engine::{Event, Intent};
use trellis_sdk::message::{Delivery, Message};
use trellis_sdk::store::{Key, Store, StoreOptions};
use trellis_sdk::{GroupId, Policy, Role, Span, Time};

/// Says which directory a child works in, and that it is one.
const CHILD: &str = "TRELLIS_CRASH_CHILD";
/// What a child prints when it has opened its stores.
const READY: &str = "at work";
const NODES: usize = 3;

// At every write

/// A little of everything that writes.
fn scenario(town: &mut Town) -> Option<GroupId> {
    let now = town.now;
    let group =
        town.call(0, |engine| engine.create_group(now, "garden", town::CLASSICAL, policy()))?;
    let other = town.engine(1).address();
    let third = town.engine(2).address();
    town.call(0, |engine| engine.intend(now, group, Intent::Invite(other)));
    town.pass(Span::seconds(10));
    for node in 0..2 {
        let now = town.now;
        town.call(node, |engine| engine.send(now, group, Message::text(format!("from {node}"))));
    }
    let now = town.now;
    town.call(0, |engine| engine.intend(now, group, Intent::Invite(third)));
    town.call(0, |engine| engine.intend(now, group, Intent::SetRole(other, Role::Admin)));
    town.pass(Span::seconds(20));
    let now = town.now;
    town.call(1, |engine| engine.intend(now, group, Intent::Rename("orchard".into())));
    town.call(2, |engine| engine.intend(now, group, Intent::Rotate));
    town.call(2, |engine| engine.send(now, group, Message::text("from 2")));
    town.pass(Span::seconds(40));
    Some(group)
}

fn writes(node: usize) -> u64 {
    let mut town = Town::new(NODES);
    let before = town.engine(node).store_mut().writes_so_far();
    scenario(&mut town).unwrap();
    town.engine(node).store_mut().writes_so_far() - before
}

/// What was told is in the history, and those who are in the group agree.
fn check(town: &mut Town, group: GroupId) {
    town.pass(Span::seconds(120));
    let now = town.now;
    let mut states = BTreeSet::new();
    let mut members = 0;
    for node in 0..NODES {
        let Ok(view) = town.engine(node).view(now, group) else { continue };
        if view.active {
            states.insert(view.state);
            members = members.max(view.members.len());
        }
        let texts = town.texts(node, group);
        let once: BTreeSet<_> = texts.iter().collect();
        assert_eq!(once.len(), texts.len(), "node {node} has a message twice");
        for event in &town.nodes[node].events {
            if let Event::Message(message) = event
                && let Message::Text(text) = &message.message
            {
                assert!(texts.contains(text), "node {node} forgot {text:?}");
            }
        }
    }
    assert_eq!(states.len(), 1, "the members do not agree");
    assert!(members >= 1);
    // Everyone can still speak.
    for node in 0..NODES {
        if town.engine(node).view(now, group).is_ok_and(|view| view.active) {
            town.say(node, group, &format!("{node} is well"));
        }
    }
    town.pass(Span::seconds(30));
    let texts = town.texts(0, group);
    assert!(texts.iter().any(|text| text == "0 is well"));
}

/// Fails at some of the writes of a node: every one whose number is `offset` modulo `step`.
fn fail_at_writes(node: usize, offset: u64, step: u64) {
    let all = writes(node);
    assert!(all > 100, "the scenario writes only {all} times");
    let mut crashes = 0;
    for number in (offset..all).step_by(usize::try_from(step).unwrap()) {
        let mut town = Town::new(NODES);
        town.engine(node).store_mut().fail_at(number + 1);
        let group = scenario(&mut town);
        crashes += town.crashes;
        if let Some(group) = group {
            check(&mut town, group);
        }
    }
    assert!(crashes > 0);
}

#[test]
fn a_failure_at_one_write_in_seventeen() {
    for node in 0..NODES {
        fail_at_writes(node, 3, 17);
    }
}

/// `cargo test --release -p trellis-sdk --test crash -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn a_failure_at_every_write() {
    for node in 0..NODES {
        fail_at_writes(node, 0, 1);
    }
}

// At any moment

fn stores(directory: &Path) -> Vec<Store> {
    (0..NODES)
        .map(|node| {
            let path = directory.join(format!("{node}.db"));
            let key = Key::raw([u8::try_from(node).unwrap(); 32]);
            Store::open(path, &key, StoreOptions::default()).unwrap()
        })
        .collect()
}

/// What the child does until it is killed: talk and change things, and print what it was told.
#[test]
#[ignore = "the other half of a_kill_at_any_moment"]
fn child() {
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let now = Time::from_system();
    let mut town = Town::with(stores(&directory), now);
    let group = match town.engine(0).groups().first() {
        Some(group) => *group,
        None => town.found(),
    };
    let mut out = std::io::stdout();
    writeln!(out, "{READY}").unwrap();
    let mut number = 0_u64;
    loop {
        number += 1;
        for node in 0..NODES {
            let now = town.now;
            if town.engine(node).view(now, group).is_ok_and(|view| view.active) {
                town.say(node, group, &format!("{now:?} {node} {number}"));
                if number.is_multiple_of(3) {
                    town.intend(node, group, Intent::Rotate);
                }
            }
        }
        if number.is_multiple_of(5) {
            town.intend(0, group, Intent::SetPolicy(changed(number)));
        }
        town.pass(Span::millis(700));
        for node in 0..NODES {
            for event in std::mem::take(&mut town.nodes[node].events) {
                let told = match event {
                    Event::Message(message) => message.id,
                    Event::Delivery { message, delivery: Delivery::Sent, .. } => message,
                    _ => continue,
                };
                let id: String = told.0.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(out, "told {node} {id}").unwrap();
            }
        }
        out.flush().unwrap();
    }
}

fn changed(number: u64) -> Policy {
    let mut policy = policy();
    policy.depth = u16::try_from(number % 7 + 3).unwrap();
    policy
}

/// Starts the child, kills it after a while, and gives what it had told. The while begins at the
/// start, or when the child has opened its stores and is at work.
fn kill_after(directory: &Path, time: Duration, at_work: bool) -> Vec<(usize, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let (ready, is_ready) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines
            .inspect(|line| {
                if line.ends_with(READY) {
                    let _ = ready.send(());
                }
            })
            .filter_map(|line| {
                let (node, id) = line.strip_prefix("told ")?.split_once(' ')?;
                Some((node.parse().ok()?, id.to_owned()))
            })
            .filter(|(_, id)| id.len() == 32)
            .collect::<Vec<(usize, String)>>()
    });
    if at_work {
        is_ready.recv_timeout(Duration::from_secs(60)).expect("the child opens its stores");
    }
    std::thread::sleep(time);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn kill_rounds(rounds: u64) {
    let directory = std::env::temp_dir().join(format!("trellis-crash-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut told = BTreeSet::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let start = Instant::now();
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let time = Duration::from_millis(20 + (seed >> 33) % 300);
        told.extend(kill_after(&directory, time, round % 2 == 1));
        // Looking at all of it each time would take longer than the rounds.
        if round % 25 != 24 && round + 1 != rounds {
            let mut town = Town::with(stores(&directory), Time::from_system());
            let now = town.now;
            for node in 0..NODES {
                for group in town.engine(node).groups() {
                    town.engine(node).view(now, group).unwrap();
                }
            }
            continue;
        }
        let mut town = Town::with(stores(&directory), Time::from_system());
        let Some(group) = town.engine(0).groups().first().copied() else { continue };
        town.pass(Span::seconds(120));
        town.agree(group, &[0, 1, 2]);
        for node in 0..NODES {
            let history = town.engine(node).history(group, None, 1_000_000).unwrap();
            let ids: BTreeSet<String> = history
                .iter()
                .map(|(_, m)| m.id.0.iter().map(|byte| format!("{byte:02x}")).collect())
                .collect();
            assert_eq!(ids.len(), history.len(), "node {node} has a message twice");
            for (_, id) in told.iter().filter(|(whose, _)| *whose == node) {
                assert!(ids.contains(id), "round {round}: node {node} forgot {id}");
            }
        }
    }
    println!("{rounds} rounds, {} things told, {:?}", told.len(), start.elapsed());
    assert!(told.len() > 10);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_kill_at_any_moment() {
    kill_rounds(30);
}

/// `cargo test --release -p trellis-sdk --test crash -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn a_kill_at_any_moment_five_hundred_times() {
    kill_rounds(500);
}
