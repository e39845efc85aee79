//! Messages a second through groups, beside bare gossip on the same nodes.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::Libp2p;
use trellis_sdk::{Error, Event, Events, Group};

use super::counted::BARE;
use super::data::{Flow, Through};
use super::host::{Hosts, PLAIN};
use super::{PAYLOAD, message, number};
use crate::summary::Summary;

/// How many messages are under way at a time. A bare message that meets a full queue is lost for good.
const WINDOW: usize = 32;
/// How long after the network had enough something is said again.
const REST: Duration = Duration::from_millis(20);
/// How long nodes may take to hear what the others listen to.
const LISTEN: Duration = Duration::from_secs(30);

/// A group, and what goes through it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Its members, each a host of its own.
    pub members: usize,
    /// How often messages go through, in turns with bare ones.
    pub rounds: usize,
    /// How many each time.
    pub messages: u64,
    /// How long the group may take to come together.
    pub gather: Duration,
    /// How long a round may take.
    pub round: Duration,
}

/// Who says things, in a round of the SDK or a bare one.
enum Voices {
    Members(Vec<Group>),
    Nodes(Vec<Arc<Libp2p>>, usize),
}

impl Voices {
    /// The member whose turn it is says a number, in a task.
    fn say(&self, said: u64) {
        match self {
            Self::Members(groups) => {
                let group = groups[said as usize % groups.len()].clone();
                tokio::spawn(async move {
                    while let Err(Error::Busy) = group.send(message(said)).await {
                        sleep(REST).await;
                    }
                });
            }
            Self::Nodes(nodes, length) => {
                let (node, length) = (nodes[said as usize % nodes.len()].clone(), *length);
                tokio::spawn(async move {
                    let mut bytes = vec![0x5a; length.max(8)];
                    bytes[..8].copy_from_slice(&said.to_be_bytes());
                    // What is lost is seen by who listens.
                    let _ = node.publish(BARE, bytes).await;
                });
            }
        }
    }
}

/// What is heard: who heard which number.
type Heard = mpsc::UnboundedReceiver<(usize, u64)>;

/// Says these numbers, so many at a time, until all others have heard them or it is too late. Tells how
/// many were heard.
async fn round(
    voices: &Voices,
    heard: &mut Heard,
    numbers: Range<u64>,
    others: usize,
    patience: Duration,
) -> u64 {
    let deadline = Instant::now() + patience;
    let mut waiting: HashMap<u64, HashSet<usize>> = HashMap::new();
    let (mut next, mut arrived) = (numbers.start, 0);
    loop {
        while waiting.len() < WINDOW && next < numbers.end {
            voices.say(next);
            waiting.insert(next, HashSet::new());
            next += 1;
        }
        if waiting.is_empty() {
            return arrived;
        }
        let Ok(Some((who, number))) = timeout_at(deadline, heard.recv()).await else {
            return arrived;
        };
        let Some(by) = waiting.get_mut(&number) else { continue };
        arrived += u64::from(by.insert(who));
        if by.len() >= others {
            waiting.remove(&number);
        }
    }
}

async fn listen(who: usize, mut events: Events, tell: mpsc::UnboundedSender<(usize, u64)>) {
    while let Some(event) = events.next().await {
        if let Event::Message(received) = event
            && let Some(number) = number(&received.message)
            && tell.send((who, number)).is_err()
        {
            return;
        }
    }
}

async fn listen_bare(
    who: usize,
    mut bare: mpsc::UnboundedReceiver<Vec<u8>>,
    tell: mpsc::UnboundedSender<(usize, u64)>,
) {
    while let Some(bytes) = bare.recv().await {
        let Some(number) = bytes.first_chunk() else { continue };
        if tell.send((who, u64::from_be_bytes(*number))).is_err() {
            return;
        }
    }
}

/// Rounds, summed up.
#[derive(Default)]
struct Rounds {
    each: Vec<f64>,
    arrived: u64,
    expected: u64,
}

impl Rounds {
    async fn add(&mut self, size: &Size, index: usize, voices: &Voices, heard: &mut Heard) -> bool {
        // Numbers that are no round's but this one's.
        let start = index as u64 * size.messages;
        let (others, begun) = (size.members - 1, Instant::now());
        let numbers = start..start + size.messages;
        let arrived = round(voices, heard, numbers, others, size.round).await;
        let expected = size.messages * others as u64;
        (self.arrived, self.expected) = (self.arrived + arrived, self.expected + expected);
        let whole = arrived == expected;
        if whole {
            self.each.push(begun.elapsed().as_secs_f64() * 1e6 / size.messages as f64);
        }
        whole
    }

    fn flow(self) -> Option<Flow> {
        let Self { each, arrived, expected } = self;
        (expected > 0).then(|| Flow { each: Summary::of(each), arrived, expected })
    }
}

/// Measures one size; what was wrong comes with it.
pub(super) async fn measure(size: Size) -> (Through, Option<String>) {
    let Size { members, .. } = size;
    let mut through = Through { window: WINDOW, ..Through::nothing(members) };
    let mut hosts = match Hosts::open(members, PLAIN).await {
        Ok(hosts) => hosts,
        Err(error) => return (through, Some(error)),
    };
    let (tell, mut heard) = mpsc::unbounded_channel();
    let (tell_bare, mut heard_bare) = mpsc::unbounded_channel();
    for (who, host) in hosts.all.iter_mut().enumerate() {
        tokio::spawn(listen(who, host.client.events(), tell.clone()));
        if let Some(bare) = host.bare.take() {
            tokio::spawn(listen_bare(who, bare, tell_bare.clone()));
        }
    }
    let groups = match hosts.gather(size.gather).await {
        Ok((groups, seconds)) => {
            (through.joined, through.gathered) = (members, Some(seconds));
            groups
        }
        Err((joined, error)) => {
            through.joined = joined;
            hosts.close().await;
            return (through, Some(error));
        }
    };
    let mut wrong = hosts.listen_bare(LISTEN).await.err();
    hosts.lengths();
    let voices = Voices::Members(groups);
    let nodes: Vec<_> = hosts.all.iter().map(|host| host.node.clone()).collect();
    // What acknowledges the invitations is through, and the first message shows how long they are.
    let first = round(&voices, &mut heard, 0..1, members - 1, size.round).await;
    let length = hosts.lengths().holding(PAYLOAD);
    if first < members as u64 - 1 {
        wrong = Some(format!("the first message reached {first} of {}", members - 1));
    }
    let bare = Voices::Nodes(nodes, length);
    let (mut sdk_rounds, mut bare_rounds) = (Rounds::default(), Rounds::default());
    for index in 1..=size.rounds {
        let whole = sdk_rounds.add(&size, index, &voices, &mut heard).await;
        bare_rounds.add(&size, index, &bare, &mut heard_bare).await;
        if !whole {
            wrong = Some(format!("a round was not through within {} s", size.round.as_secs()));
            break;
        }
    }
    (through.sdk, through.bare) = (sdk_rounds.flow(), bare_rounds.flow());
    hosts.close().await;
    (through, wrong)
}
