//! From `send` to `Event::Message` on another host, beside a bare gossip message of the same size.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use trellis_sdk::transport::libp2p::Libp2p;
use trellis_sdk::transport::{Incoming, Transport};
use trellis_sdk::{Event, Group};

use super::counted::BARE;
use super::data::{Carrier, Latency, Tail};
use super::host::{self, Hosts, Kind, PLAIN};
use super::{Outcome, PAYLOAD, failed, message, number, within};
use crate::report::turns::Turns;
use crate::sdk::files::Folder;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long two clients may take to find together.
const GATHER: Duration = Duration::from_secs(60);
/// Messages before the first that counts.
const WARM: u64 = 5;

/// Two clients in a group: one speaks and the other listens.
struct Pair {
    hosts: Hosts,
    speaker: Group,
    heard: mpsc::UnboundedReceiver<(u64, Instant)>,
}

impl Pair {
    async fn open(kind: Kind<'_>) -> Outcome<Self> {
        let hosts = Hosts::open(2, kind).await?;
        let mut events = hosts.all[1].client.events();
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let now = Instant::now();
                if let Event::Message(received) = event
                    && let Some(number) = number(&received.message)
                    && tell.send((number, now)).is_err()
                {
                    return;
                }
            }
        });
        let (groups, _) = hosts.gather(GATHER).await.map_err(|(_, error)| error)?;
        let speaker = groups.into_iter().next().ok_or("no group")?;
        Ok(Self { hosts, speaker, heard })
    }

    /// One message, in microseconds.
    async fn say(&mut self, said: u64) -> Outcome<f64> {
        let start = Instant::now();
        let sent = self.speaker.send(message(said)).await;
        sent.map_err(|error| failed("sending")(&error))?;
        let heard = async {
            while let Some((number, at)) = self.heard.recv().await {
                if number == said {
                    return Ok(at);
                }
            }
            Err("the client is closed".to_owned())
        };
        let at = within(PATIENCE, "a message", heard).await??;
        Ok(at.duration_since(start).as_secs_f64() * 1e6)
    }
}

/// One bare message, in microseconds. Like the client, who listens does so in a task.
async fn bare(
    one: &Libp2p,
    heard: &mut mpsc::UnboundedReceiver<Instant>,
    length: usize,
) -> Outcome<f64> {
    let bytes = vec![0x5a; length];
    let start = Instant::now();
    one.publish(BARE, bytes).await.map_err(|error| failed("publishing")(&error))?;
    let at = within(PATIENCE, "a bare message", heard.recv()).await?;
    Ok(at.ok_or("the node is closed")?.duration_since(start).as_secs_f64() * 1e6)
}

/// Two nodes that are connected, of which the other listens.
async fn nodes() -> Outcome<(Libp2p, mpsc::UnboundedReceiver<Instant>)> {
    let (one, other) = (host::node().await?, host::node().await?);
    host::link(&one, &other).await?;
    other.subscribe(BARE).await.map_err(|error| failed("listening")(&error))?;
    one.subscribe(BARE).await.map_err(|error| failed("listening")(&error))?;
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(incoming) = other.next().await {
            let now = Instant::now();
            if matches!(incoming, Incoming::Message { .. }) && tell.send(now).is_err() {
                return;
            }
        }
    });
    Ok((one, heard))
}

/// Measures in turns.
pub(super) async fn measure(turns: Turns) -> Outcome<Latency> {
    let folder = Folder::new();
    let place = folder.path().to_owned();
    let mut files = Pair::open(Kind { folder: Some(&place), ..PLAIN }).await?;
    let mut memory = Pair::open(PLAIN).await?;
    let (one, mut heard) = nodes().await?;

    let mut envelope = 0;
    for warm in 0..WARM {
        memory.hosts.lengths();
        files.say(warm).await?;
        memory.say(warm).await?;
        envelope = memory.hosts.lengths().holding(PAYLOAD);
        bare(&one, &mut heard, envelope).await?;
    }
    let mut samples: [Vec<f64>; 3] = Default::default();
    let start = Instant::now();
    for turn in 0..turns.most {
        if turn >= turns.least && start.elapsed() >= turns.time {
            break;
        }
        let said = WARM + turn as u64;
        samples[0].push(files.say(said).await?);
        samples[1].push(memory.say(said).await?);
        samples[2].push(bare(&one, &mut heard, envelope).await?);
    }
    let carriers = Carrier::ALL.iter().copied().zip(samples);
    let times = carriers.filter_map(|(who, samples)| Some((who, Tail::of(samples)?))).collect();
    files.hosts.close().await;
    memory.hosts.close().await;
    Ok(Latency { payload: PAYLOAD, envelope, times })
}
