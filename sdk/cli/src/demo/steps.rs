//! The script: what happens in the demonstration, and what has to come of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use trellis_sdk::transport::Pending;

use super::cast::{Cast, is_text};
use crate::failure::Failure;
use crate::record::short_address;
use crate::text::{bytes, span};

/// What a step has seen: for people, and the same for programs.
#[derive(Default)]
pub struct Seen {
    /// For people, a line each.
    pub facts: Vec<String>,
    /// For programs.
    pub values: Map<String, Value>,
}

impl Seen {
    fn fact(&mut self, text: impl Into<String>) {
        self.facts.push(text.into());
    }

    fn value(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }
}

/// What the function of a step returns.
type Play<'a> = Pending<'a, Result<Seen, Failure>>;

/// A step.
pub struct Step {
    /// What it is called for programs.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What happens.
    pub about: &'static str,
    /// Does it.
    pub play: for<'a> fn(&'a mut Cast) -> Play<'a>,
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
        name: "open",
        title: "Four people on one machine",
        about: "Each is a process with an account of its own, in an encrypted file of its own. Nobody \
                has to trust a server: the mailbox keeps sealed envelopes for who is away.",
        play: |cast| Box::pin(open(cast)),
    },
    Step {
        name: "connect",
        title: "They connect",
        about: "Bob, Carol and Dave were told where Alice is. Before anything is said, both ends of a \
                connection agree on keys, and know that no other node is in between.",
        play: |cast| Box::pin(connect(cast)),
    },
    Step {
        name: "found",
        title: "Alice founds a group and invites the others",
        about: "She knows their addresses. Their devices answer with keys that are used once. Whoever \
                is in the group finds the others of the group.",
        play: |cast| Box::pin(found(cast)),
    },
    Step {
        name: "talk",
        title: "They talk",
        about: "Each says something, and all others hear it.",
        play: |cast| Box::pin(talk(cast)),
    },
    Step {
        name: "away",
        title: "Dave is away, and comes back",
        about: "Three things are said while he is away. He gets them when he is back.",
        play: |cast| Box::pin(away(cast)),
    },
    Step {
        name: "cut",
        title: "The network is cut in two",
        about: "Alice and Bob are on one side, Carol and Dave on the other. On both sides somebody \
                speaks, and somebody renames the group.",
        play: |cast| Box::pin(cut(cast)),
    },
    Step {
        name: "heal",
        title: "The network heals",
        about: "Two changes were made at the same time. All compute which of them comes first; the \
                other one is taken back, and made again after it.",
        play: |cast| Box::pin(heal(cast)),
    },
    Step {
        name: "remove",
        title: "Alice removes Bob",
        about: "From here on he reads nothing, though his process goes on listening.",
        play: |cast| Box::pin(remove(cast)),
    },
];

/// The one that the others are told of.
const FIRST: &str = "alice";
/// The others.
const OTHERS: [&str; 3] = ["bob", "carol", "dave"];

async fn open(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let mailbox = cast.start_mailbox().await?;
    cast.start(FIRST).await?;
    cast.start_all(&OTHERS).await?;
    for name in MEMBERS {
        let member = cast.member(name)?;
        let process = member.child.process();
        let process = process.map_or_else(String::new, |id| format!(", process {id}"));
        let at = member.listening.first().map_or("", String::as_str);
        let (address, at) = (short_address(&member.address), place(at));
        seen.fact(format!("{name:5} is {address}{process}, at {at}"));
    }
    if mailbox {
        seen.fact("a mailbox, which keeps what is said for those who are away, unread");
    }
    seen.value("members", MEMBERS.len());
    seen.value("mailbox", mailbox);
    Ok(seen)
}

/// Host and port of an address on the network; what is none of this form stays as it is.
fn place(address: &str) -> String {
    let mut parts = address.split('/').skip(2);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some("tcp"), Some(port)) => format!("{host}:{port}"),
        _ => address.to_owned(),
    }
}

async fn connect(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let pairs = OTHERS.map(|name| (name, FIRST));
    let exchanges = await_links(cast, &pairs).await?;
    for ((name, other), exchange) in pairs.iter().zip(&exchanges) {
        seen.fact(format!("{name:5} and {other} have agreed on keys by {exchange}"));
    }
    if let Some(sent) = cast.traffic().await? {
        seen.fact(format!("all have sent {} since they started", bytes(sent)));
    }
    seen.value("key_exchanges", exchanges);
    Ok(seen)
}

/// Waits until pairs of members are connected, and says how each agreed on keys.
async fn await_links(
    cast: &mut Cast,
    pairs: &[(&'static str, &'static str)],
) -> Result<Vec<String>, Failure> {
    let mut exchanges = Vec::new();
    for (name, other) in pairs {
        let peer = cast.member(other)?.peer.clone();
        let mut looks = 0;
        exchanges.push(loop {
            let status = cast.status(name).await?;
            let mut peers = status["peers"].as_array().into_iter().flatten();
            if let Some(found) = peers.find(|found| found["peer"] == peer) {
                break found["key_exchange"].as_str().unwrap_or_default().to_owned();
            }
            looks += 1;
            if looks > LOOKS {
                return Err(Failure::Demo(format!("{name} does not find {other}")));
            }
            tokio::time::sleep(LOOK).await;
        });
    }
    Ok(exchanges)
}

async fn found(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let founded = cast.ask(FIRST, &["group", "create", "garden"]).await?;
    let founded = founded.into_iter().next().unwrap_or_default();
    cast.group = founded["group"].as_str().unwrap_or_default().to_owned();
    let group = cast.group.clone();
    let mut words = vec!["invite".to_owned(), group.clone()];
    let mut places = Vec::new();
    for name in OTHERS {
        words.push(cast.member(name)?.address.clone());
        places.push((name, cast.member(name)?.child.place()));
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let start = Instant::now();
    cast.ask(FIRST, &words).await?;
    for (name, place) in places {
        let child = &cast.member(name)?.child;
        let joined = child.until(place, "invitation", |line| line["event"] == "joined").await?;
        let waited = span(joined.at.saturating_duration_since(start));
        seen.fact(format!("{name:5} is in the group after {waited}"));
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
    seen.fact("all see four members, each proven to be who the address says");
    let pairs = [("bob", "carol"), ("bob", "dave"), ("carol", "dave")];
    let exchanges = await_links(cast, &pairs).await?;
    let same = exchanges.iter().collect::<BTreeSet<_>>().into_iter();
    let same = same.map(String::as_str).collect::<Vec<_>>().join(", ");
    let met = span(start.elapsed());
    seen.fact(format!("bob, carol and dave have found each other after {met}, too:"));
    seen.fact(format!("six connections, all by {same}"));
    let security = &founded["security"];
    let security = |name: &str| security[name].as_str().unwrap_or_default();
    seen.fact(format!("the group's cipher suite is {}", security("suite")));
    seen.fact(format!("its weakest link: {}", security("weakest_link_text")));
    seen.value("key_exchanges", exchanges);
    seen.value("suite", security("suite"));
    // Carol may change things too, so that two can at the same time.
    let carol = cast.member("carol")?.address.clone();
    cast.ask(FIRST, &["role", &group, &carol, "admin"]).await?;
    cast.group_of("carol", "herself as admin", |group| group["role"] == "admin").await?;
    seen.fact("carol is made an admin, who may change the group as well");
    Ok(seen)
}

async fn talk(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let before = cast.traffic().await?;
    let (mut waited, mut length) = (Vec::new(), 0);
    for (name, said) in [
        ("alice", "frost tonight"),
        ("bob", "then I cover the beans"),
        ("carol", "wear gloves: 手袋 🧤"),
        ("dave", "soup is on me"),
    ] {
        let others: Vec<_> = MEMBERS.into_iter().filter(|other| *other != name).collect();
        waited.extend(cast.say(name, said, &others).await?);
        length += said.len();
        seen.fact(format!("{name:5}: {said}"));
    }
    let after = cast.traffic().await?;
    waited.sort_unstable();
    let median = waited.get(waited.len() / 2).copied().unwrap_or_default();
    let last = waited.last().copied().unwrap_or_default();
    seen.fact(format!(
        "from one process to another in {} (median; at most {})",
        span(median),
        span(last)
    ));
    if let Some(sent) = after.and_then(|after| after.checked_sub(before?)) {
        let length = u64::try_from(length).unwrap_or_default();
        seen.fact(format!("{} of text were {} on the wire", bytes(length), bytes(sent)));
    }
    seen.value("deliveries", waited.len());
    seen.value("median_micros", micros(median));
    seen.value("longest_micros", micros(last));
    Ok(seen)
}

async fn away(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let said = ["it is minus two now", "the beans are covered", "the soup was good"];
    let here = ["alice", "bob", "carol"];
    cast.stop("dave").await?;
    seen.fact("dave's process has ended");
    for (name, said) in here.into_iter().zip(said) {
        let others: Vec<_> = here.into_iter().filter(|other| *other != name).collect();
        cast.say(name, said, &others).await?;
        seen.fact(format!("{name:5}: {said}"));
    }
    let alone = cast.has_mailbox();
    if alone {
        // So that nobody but the mailbox can have told him.
        for name in here {
            cast.stop(name).await?;
        }
        seen.fact("the others leave as well, so that nobody is there but the mailbox");
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
        cast.start_all(&here).await?;
    }
    // He was told of one of them, and has to know the others before that one is cut off.
    await_links(cast, &here.map(|name| ("dave", name))).await?;
    let met = span(start.elapsed());
    let from = if alone { "the mailbox" } else { "the others" };
    let (started, last) = (span(started), span(last));
    seen.fact(format!("dave's process is open again after {started}"));
    seen.fact(format!("he has all three from {from} after {last}"));
    seen.fact(format!("he is connected with all of them again after {met}"));
    seen.value("missed", said.len());
    seen.value("from_mailbox", alone);
    Ok(seen)
}

/// The names that both sides give the group while they are apart.
const RENAMED: [(&str, &str); 2] = [("alice", "orchard"), ("carol", "meadow")];
/// What is said on both sides, by whom, and who hears it when the network has healed.
const SAID: [(&str, &str, &str, &str); 2] =
    [("bob", "can you hear us?", "alice", "carol"), ("dave", "hello? anybody?", "carol", "alice")];

async fn cut(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let (one, other) = (["alice", "bob"], ["carol", "dave"]);
    cast.cut(&one, &other, true).await?;
    let group = cast.group.clone();
    for (name, renamed) in RENAMED {
        cast.ask(name, &["group", "rename", "--", &group, renamed]).await?;
    }
    for (name, said, near, _) in SAID {
        cast.say(name, said, &[near]).await?;
        seen.fact(format!("{name:5}: {said}"));
    }
    for (name, renamed) in
        [("alice", "orchard"), ("bob", "orchard"), ("carol", "meadow"), ("dave", "meadow")]
    {
        cast.group_of(name, renamed, |group| group["name"] == renamed).await?;
    }
    tokio::time::sleep(SILENCE).await;
    for (_, said, _, far) in SAID {
        if cast.has_heard(far, said)? {
            return Err(Failure::Demo(format!("{far} hears the other side")));
        }
    }
    seen.fact("alice and bob call the group orchard; carol and dave call it meadow");
    seen.fact(format!("for {} nobody hears the other side", span(SILENCE)));
    Ok(seen)
}

async fn heal(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let mut places = Vec::new();
    for name in MEMBERS {
        places.push((name, cast.member(name)?.child.place()));
    }
    let start = Instant::now();
    cast.cut(&["alice", "bob"], &["carol", "dave"], false).await?;
    for (_, said, _, far) in SAID {
        cast.member(far)?.child.until(0, said, |line| is_text(line, said)).await?;
    }
    let told = span(start.elapsed());
    let name = one_name(cast).await?;
    let agreed = span(start.elapsed());
    let mut taken_back = BTreeSet::new();
    for (name, place) in places {
        let child = &cast.member(name)?.child;
        if child.count(place, |line| line["event"] == "rolled-back") > 0 {
            taken_back.insert(name);
        }
    }
    seen.fact(format!("what was said on one side is heard on the other after {told}"));
    seen.fact(format!("after {agreed} all four call the group {name}"));
    if !taken_back.is_empty() {
        let names = taken_back.iter().copied().collect::<Vec<_>>().join(" and ");
        seen.fact(format!("{names} took a change back on the way"));
    }
    seen.value("agreed", MEMBERS.len());
    seen.value("name", name);
    Ok(seen)
}

/// Waits until all call the group by one of the new names, and all by the same.
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
        if let (Some(name), None) = (names.next(), names.next())
            && RENAMED.iter().any(|(_, renamed)| *renamed == name)
        {
            return Ok(name);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::Demo("the members do not agree".to_owned()))
}

async fn remove(cast: &mut Cast) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let (group, bob) = (cast.group.clone(), cast.member("bob")?.address.clone());
    let place = cast.member("bob")?.child.place();
    let start = Instant::now();
    cast.ask("alice", &["remove", &group, &bob]).await?;
    let left = |line: &Value| line["event"] == "left";
    let out = cast.member("bob")?.child.until(place, "removal", left).await?;
    seen.fact(format!("bob is out after {}", span(out.at.saturating_duration_since(start))));
    let three = |group: &Value| group["members"].as_array().is_some_and(|all| all.len() == 3);
    for name in ["alice", "carol", "dave"] {
        cast.group_of(name, "three members", three).await?;
    }
    let said = "he did not cover the beans";
    cast.say("alice", said, &["carol", "dave"]).await?;
    seen.fact(format!("alice: {said}"));
    tokio::time::sleep(SILENCE).await;
    let read = cast.ask("bob", &["history", &group]).await?;
    let reads = read.iter().filter(|line| is_text(line, said)).count();
    if reads > 0 || cast.has_heard("bob", said)? {
        return Err(Failure::Demo("bob reads what is said without him".to_owned()));
    }
    seen.fact("carol and dave have it; bob does not, neither as it came nor in his file");
    seen.value("read_by_removed", reads);
    Ok(seen)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_fits_into_a_terminal() {
        for step in ALL {
            assert!(step.title.len() < 70 && !step.about.contains("  "), "{}", step.name);
        }
        assert_eq!(place("/ip4/127.0.0.1/tcp/1/p2p/12D3"), "127.0.0.1:1");
        assert_eq!(place("memory"), "memory");
    }
}
