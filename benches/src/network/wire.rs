//! Bytes on the wire, for each message and each commit.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use trellis_sdk::Group;

use super::data::{Bytes, Wire};
use super::host::{Hosts, Kind, PLAIN};
use super::{Outcome, PAYLOAD, failed, message, within};

/// How long a group may take to come together, or a commit to stand.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two messages.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it is waited for what comes after the last: acknowledgements and beacons.
const QUIET: Duration = Duration::from_secs(3);

/// What is said in a group.
#[derive(Clone, Copy, Debug)]
pub struct Conversation {
    /// How many members it has.
    pub members: usize,
    /// How many messages are sent, ten a second.
    pub messages: u64,
    /// How many commits are made, one after the other stands.
    pub commits: u64,
}

/// Counts both, all sockets through proxies.
pub(super) async fn measure(what: Conversation) -> Outcome<Wire> {
    let hosts = Hosts::open(what.members, Kind { metered: true, ..PLAIN }).await?;
    let (groups, _) = hosts.gather(PATIENCE).await.map_err(|(_, error)| error)?;
    let founder = groups.first().ok_or("no group")?;
    // What follows a group's coming together.
    sleep(2 * QUIET).await;
    let (sockets, start) = (hosts.sockets(), Instant::now());
    sleep(QUIET).await;
    let idle = (hosts.sockets() - sockets) as f64 / start.elapsed().as_secs_f64();

    let say = async |number| say(founder, number).await;
    let mut message = count(&hosts, what.messages, idle, say).await?;
    message.envelope = hosts.lengths().holding(PAYLOAD) as u64;
    let rotate = async |_| rotate(founder).await;
    let mut commit = count(&hosts, what.commits, idle, rotate).await?;
    commit.envelope = hosts.lengths().longest() as u64;
    if !hosts.are_all_counted().await? {
        return Err("hosts have made links that are not counted".to_owned());
    }
    hosts.close().await;
    Ok(Wire { members: what.members, payload: PAYLOAD, message, commit, idle })
}

async fn say(group: &Group, number: u64) -> Outcome<()> {
    group.send(message(number)).await.map_err(|error| failed("sending")(&error))?;
    sleep(PAUSE).await;
    Ok(())
}

async fn rotate(group: &Group) -> Outcome<()> {
    let change = group.rotate_keys().await.map_err(|error| failed("a commit")(&error))?;
    let done = within(PATIENCE, "a commit", change.done()).await?;
    done.map_err(|error| failed("a commit")(&error))
}

/// Does something so often, and counts what went through, but for the length of the envelopes.
async fn count(
    hosts: &Hosts,
    times: u64,
    idle: f64,
    mut one: impl AsyncFnMut(u64) -> Outcome<()>,
) -> Outcome<Bytes> {
    hosts.lengths();
    let (before, sockets, start) = (hosts.counts(), hosts.sockets(), Instant::now());
    for number in 0..times {
        one(number).await?;
    }
    sleep(QUIET).await;
    let counts = hosts.counts().since(before);
    let carried = (hosts.sockets() - sockets) as f64 - idle * start.elapsed().as_secs_f64();
    let each = |bytes: f64| bytes / times.max(1) as f64;
    Ok(Bytes {
        count: times,
        envelope: 0,
        envelopes: each(counts.envelopes as f64),
        published: each(counts.published as f64),
        asked: each(counts.asked as f64),
        arrived: each(counts.arrived as f64),
        sockets: each(carried.max(0.0)),
    })
}
