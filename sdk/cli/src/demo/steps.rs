//! The script: what happens in the demonstration, and what has to come of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use trellis_sdk::transport::Pending;

use super::cast::{Cast, is_text};
use crate::failure::Failure;

/// What a step has seen.
type Facts<'a> = Pending<'a, Result<Vec<String>, Failure>>;

/// A step.
pub struct Step {
    /// What it is called.
    pub title: &'static str,
    /// What happens.
    pub about: &'static str,
    /// Does it.
    pub play: for<'a> fn(&'a mut Cast) -> Facts<'a>,
}

/// Those who take part.
pub const MEMBERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
/// How long two sides of a cut network get to hear of each other, which they must not.
const SILENCE: Duration = Duration::from_secs(3);
/// How often all look at the network until they have met.
const LOOK: Duration = Duration::from_millis(100);
/// How many times they look: half a minute.
const LOOKS: usize = 300;

/// All of them, in order.
pub const ALL: &[Step] = &[
    Step {
        title: "Four people and a mailbox",
        about: "Five processes on this machine, each with an encrypted file of its own. There is no server.",
        play: |cast| Box::pin(open(cast)),
    },
    Step {
        title: "They find each other",
        about: "Each was told of one other. Every connection agrees on keys before anything is said.",
        play: |cast| Box::pin(meet(cast)),
    },
    Step {
        title: "Alice founds a group",
        about: "She invites the others by their addresses. Their devices answer with one-time keys.",
        play: |cast| Box::pin(found(cast)),
    },
    Step {
        title: "They talk",
        about: "Each says something, and everybody hears it.",
        play: |cast| Box::pin(talk(cast)),
    },
    Step {
        title: "Dave goes offline and comes back",
        about: "Three things are said while he is away. With a mailbox, nobody else is there when he is back.",
        play: |cast| Box::pin(away(cast)),
    },
    Step {
        title: "The network is cut in two",
        about: "Alice and Bob on one side, Carol and Dave on the other. Both sides rename the group.",
        play: |cast| Box::pin(cut(cast)),
    },
    Step {
        title: "The network heals",
        about: "Of two changes at the same time one comes first, and all compute the same answer to which.",
        play: |cast| Box::pin(heal(cast)),
    },
    Step {
        title: "Bob is removed",
        about: "From here on he reads nothing, though his process goes on listening.",
        play: |cast| Box::pin(remove(cast)),
    },
];

async fn open(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let mut facts = Vec::new();
    facts.push(match cast.start_mailbox().await? {
        true => "the mailbox is open; it will see neither contents nor names".to_owned(),
        false => "this build has no mailbox: members help each other".to_owned(),
    });
    for name in MEMBERS {
        cast.start(name).await?;
        let member = cast.member(name)?;
        let at = member.listening.first().cloned().unwrap_or_default();
        facts.push(format!("{name:5} is {}, at {at}", member.address));
    }
    Ok(facts)
}

async fn meet(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let mut facts = Vec::new();
    let mut names = Vec::new();
    for name in MEMBERS {
        names.push((name, cast.member(name)?.peer.clone()));
    }
    for name in MEMBERS {
        let known = await_peers(cast, name, &names).await?;
        for (other, exchange) in known {
            facts.push(format!("{name} and {other} agreed on keys with {exchange}"));
        }
    }
    Ok(facts)
}

/// Waits until a member is connected to all others that come after it, and says with which keys.
async fn await_peers(
    cast: &mut Cast,
    name: &'static str,
    names: &[(&'static str, String)],
) -> Result<Vec<(&'static str, String)>, Failure> {
    for _ in 0..LOOKS {
        let status = cast.status(name).await?;
        let exchange = |peer: &str| {
            let peers = status["peers"].as_array().into_iter().flatten();
            let found = peers.into_iter().find(|other| other["peer"] == peer);
            found.and_then(|other| other["key_exchange"].as_str().map(ToOwned::to_owned))
        };
        let later = names.iter().skip_while(|(other, _)| *other != name).skip(1);
        let found: Option<Vec<_>> =
            later.map(|(other, peer)| Some((*other, exchange(peer)?))).collect();
        if let Some(found) = found {
            return Ok(found);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::Demo(format!("{name} does not find all others")))
}

async fn found(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let founded = cast.ask("alice", &["group", "create", "garden"]).await?;
    let founded = founded.into_iter().next().unwrap_or_default();
    cast.group = founded["group"].as_str().unwrap_or_default().to_owned();
    let group = cast.group.clone();
    let mut words = vec!["invite".to_owned(), group.clone()];
    let mut places = Vec::new();
    for name in &MEMBERS[1..] {
        words.push(cast.member(name)?.address.clone());
        places.push((*name, cast.member(name)?.child.place()));
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let start = Instant::now();
    cast.ask("alice", &words).await?;
    let mut facts = Vec::new();
    for (name, place) in places {
        let child = &cast.member(name)?.child;
        let joined = child.until(place, "invitation", |line| line["event"] == "joined").await?;
        let waited = joined.at.saturating_duration_since(start).as_millis();
        facts.push(format!("{name} is in the group after {waited} ms"));
    }
    let everybody = |group: &Value| {
        let members = group["members"].as_array();
        members.is_some_and(|all| {
            all.len() == MEMBERS.len() && all.iter().all(|one| one["verified"] == true)
        })
    };
    for name in MEMBERS {
        cast.group_of(name, "four verified members", everybody).await?;
    }
    let security = &founded["security"];
    facts.push("all see four members, and know that each is who the address says".to_owned());
    facts.push(format!("suite {}", security["suite"].as_str().unwrap_or_default()));
    facts.push(format!(
        "weakest link: {}",
        security["weakest_link_text"].as_str().unwrap_or_default()
    ));
    // Carol may change things too, so that two can at the same time.
    let carol = cast.member("carol")?.address.clone();
    cast.ask("alice", &["role", &group, &carol, "admin"]).await?;
    cast.group_of("carol", "herself as admin", |group| group["role"] == "admin").await?;
    facts.push("alice has made carol an admin".to_owned());
    Ok(facts)
}

async fn talk(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let mut waited = Vec::new();
    let mut facts = Vec::new();
    for (name, said) in [
        ("alice", "frost tonight"),
        ("bob", "then I cover the beans"),
        ("carol", "wear gloves: 手袋 🧤"),
        ("dave", "soup is on me"),
    ] {
        let others: Vec<_> = MEMBERS.into_iter().filter(|other| *other != name).collect();
        waited.extend(cast.say(name, said, &others).await?);
        facts.push(format!("{name}: {said}"));
    }
    waited.sort_unstable();
    let median = waited.get(waited.len() / 2).copied().unwrap_or_default();
    let last = waited.last().copied().unwrap_or_default();
    let (median, last) = (median.as_millis(), last.as_millis());
    facts
        .push(format!("from one process to another: {median} ms in the middle, {last} ms at most"));
    Ok(facts)
}

async fn away(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let said = ["it is minus two now", "the beans are covered", "the soup was good"];
    let here = ["alice", "bob", "carol"];
    cast.stop("dave").await?;
    for (name, said) in here.into_iter().zip(said) {
        let others: Vec<_> = here.into_iter().filter(|other| *other != name).collect();
        cast.say(name, said, &others).await?;
    }
    let alone = cast.has_mailbox();
    if alone {
        // So that nobody but the mailbox can have told him.
        for name in here {
            cast.stop(name).await?;
        }
    }
    let start = Instant::now();
    cast.start("dave").await?;
    let started = start.elapsed();
    let mut last = started;
    for said in said {
        let child = &cast.member("dave")?.child;
        let heard = child.until(0, said, |line| is_text(line, said)).await?;
        last = last.max(heard.at.saturating_duration_since(start));
    }
    if alone {
        for name in here {
            cast.start(name).await?;
        }
    }
    let from = if alone { "the mailbox, all others being away" } else { "the others" };
    let (started, last) = (started.as_millis(), last.as_millis());
    Ok(vec![
        format!("dave has all three from {from}"),
        format!("his process took {started} ms to open, and {last} ms to know everything"),
    ])
}

/// The names that both sides give the group while they are apart.
const RENAMED: [(&str, &str); 2] = [("alice", "orchard"), ("carol", "meadow")];

async fn cut(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let (one, other) = (["alice", "bob"], ["carol", "dave"]);
    cast.cut(&one, &other, true).await?;
    let group = cast.group.clone();
    for (name, renamed) in RENAMED {
        cast.ask(name, &["group", "rename", "--", &group, renamed]).await?;
    }
    cast.say("bob", "can you hear us?", &["alice"]).await?;
    cast.say("dave", "hello? anybody?", &["carol"]).await?;
    for (name, renamed) in
        [("alice", "orchard"), ("bob", "orchard"), ("carol", "meadow"), ("dave", "meadow")]
    {
        cast.group_of(name, renamed, |group| group["name"] == renamed).await?;
    }
    tokio::time::sleep(SILENCE).await;
    for (name, said) in [("carol", "can you hear us?"), ("alice", "hello? anybody?")] {
        if cast.has_heard(name, said)? {
            return Err(Failure::Demo(format!("{name} hears the other side")));
        }
    }
    Ok(vec![
        "for alice and bob the group is called orchard, for carol and dave it is called meadow"
            .to_owned(),
        "nobody hears the other side".to_owned(),
    ])
}

async fn heal(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let mut places = Vec::new();
    for name in MEMBERS {
        places.push((name, cast.member(name)?.child.place()));
    }
    let start = Instant::now();
    cast.cut(&["alice", "bob"], &["carol", "dave"], false).await?;
    for (name, said) in [("carol", "can you hear us?"), ("alice", "hello? anybody?")] {
        cast.member(name)?.child.until(0, said, |line| is_text(line, said)).await?;
    }
    let told = start.elapsed().as_millis();
    let name = one_name(cast).await?;
    let agreed = start.elapsed().as_millis();
    let mut taken_back = 0;
    for (name, place) in places {
        let child = &cast.member(name)?.child;
        taken_back += child.count(place, |line| line["event"] == "rolled-back");
    }
    Ok(vec![
        format!("what was said on both sides has arrived after {told} ms"),
        format!("after {agreed} ms all call the group {name}"),
        format!(
            "{taken_back} times a member took a change back, and saw it made again after the other"
        ),
    ])
}

/// Waits until all call the group the same, and both changes are made for good where they were wished.
async fn one_name(cast: &mut Cast) -> Result<String, Failure> {
    let group = cast.group.clone();
    for _ in 0..LOOKS {
        let mut names = BTreeSet::new();
        for name in MEMBERS {
            let shown = cast.ask(name, &["group", "show", &group]).await?;
            names.extend(
                shown.iter().filter_map(|group| group["name"].as_str().map(ToOwned::to_owned)),
            );
        }
        let mut names = names.into_iter();
        if let (Some(name), None) = (names.next(), names.next()) {
            return Ok(name);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::Demo("the members do not agree".to_owned()))
}

async fn remove(cast: &mut Cast) -> Result<Vec<String>, Failure> {
    let (group, bob) = (cast.group.clone(), cast.member("bob")?.address.clone());
    let place = cast.member("bob")?.child.place();
    let start = Instant::now();
    cast.ask("alice", &["remove", &group, &bob]).await?;
    let left = |line: &Value| line["event"] == "left";
    let out = cast.member("bob")?.child.until(place, "removal", left).await?;
    let out = out.at.saturating_duration_since(start).as_millis();
    let three = |group: &Value| group["members"].as_array().is_some_and(|all| all.len() == 3);
    for name in ["alice", "carol", "dave"] {
        cast.group_of(name, "three members", three).await?;
    }
    let said = "he did not cover the beans";
    cast.say("alice", said, &["carol", "dave"]).await?;
    tokio::time::sleep(SILENCE).await;
    if cast.has_heard("bob", said)? {
        return Err(Failure::Demo("bob reads what is said without him".to_owned()));
    }
    Ok(vec![
        format!("bob is out after {out} ms, and knows it"),
        format!("alice: {said}"),
        "carol and dave have it; bob does not".to_owned(),
    ])
}
