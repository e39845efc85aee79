//! What one mailbox stores, and its memory.
//!
//! It is in a process of its own, so that its memory can be told from that of others.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use trellis_sdk::mailbox::client::{ClientError, Session};
use trellis_sdk::mailbox::store::{Redb, RedbOptions};
use trellis_sdk::mailbox::{Capability, Limits, MailboxKeys, Rate, Service};
use trellis_sdk::{Span, Time, Topic};

use super::data::Storage;
use super::{Outcome, failed, runtime};
use crate::report::alone::memory;
use crate::sdk::files::{Folder, length};

/// The flag with which the program calls itself.
pub const FLAG: &str = "--store";
/// The bytes of an envelope, about those of a message of 1 KiB.
const LENGTH: usize = 1300;
/// How many envelopes a box has at most here. The default limits allow 64 MiB.
const IN_A_BOX: u64 = 32_000;
/// Envelopes that arrive at the same time, as many as a mailbox's node lets.
const AT_ONCE: usize = 256;
/// For how long boxes are opened, in seconds.
const TTL: u32 = 24 * 3600;

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many envelopes, of which many arrive at the same time.
    pub envelopes: u64,
    /// How many one after the other, before.
    pub alone: u64,
    /// After which time it is given up.
    pub patience: Duration,
}

/// Stores in a process of its own.
pub(super) fn measure(load: Load) -> Outcome<Storage> {
    let folder = Folder::new();
    let output = Command::new(std::env::current_exe().map_err(|error| failed("storing")(&error))?)
        .arg(FLAG)
        .args([load.envelopes, load.alone, load.patience.as_secs()].map(|each| each.to_string()))
        .arg(folder.file("mailbox.redb"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed("storing")(&error))?;
    if !output.status.success() {
        return Err(format!("storing: {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed("storing")(&error))
}

/// Stores, in the process that was started.
///
/// # Errors
///
/// If it does not know what it is asked for, or storing fails.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let unknown = || io::Error::other(format!("{FLAG} takes three numbers and a file"));
    let [envelopes, alone, seconds, file] = arguments else { return Err(unknown()) };
    let number = |text: &String| text.parse::<u64>().map_err(|_| unknown());
    let load = Load {
        envelopes: number(envelopes)?,
        alone: number(alone)?,
        patience: Duration::from_secs(number(seconds)?),
    };
    let stored = runtime().block_on(store(load, Path::new(file))).map_err(io::Error::other)?;
    serde_json::to_writer(io::stdout().lock(), &stored)?;
    Ok(())
}

/// Opens the boxes, by the requests of those who would have them.
async fn boxes(service: &Service<Redb>, count: usize) -> Outcome<Vec<Topic>> {
    let mut topics = Vec::new();
    for index in 0..count {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&(index as u64 + 1).to_be_bytes());
        let topic = Topic(secret);
        let mut session = Session::new(Capability::from_secret(&secret), service.id());
        let open = session.open(vec![topic], TTL).map_err(|error| failed("a box")(&error))?;
        let carry = async |frame: Vec<u8>| {
            // A peer for each: one may have opened no more than 64.
            let answer = service.handle(Time::from_system(), &secret, &frame).await;
            Ok::<_, ClientError>(answer)
        };
        open.run(carry).await.map_err(|error| failed("a box")(&error))?;
        topics.push(topic);
    }
    Ok(topics)
}

/// An envelope like no other.
fn envelope(number: u64) -> Vec<u8> {
    let mut bytes = vec![0; LENGTH];
    // Compressing file systems would make a figure of zeros.
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for piece in bytes.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        piece.copy_from_slice(&state.to_be_bytes()[..piece.len()]);
    }
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

async fn arrive(service: &Service<Redb>, topic: Topic, number: u64) -> Outcome<()> {
    match service.arrived(Time::from_system(), topic, &envelope(number)).await {
        Ok(1) => Ok(()),
        Ok(boxes) => Err(format!("an envelope came into {boxes} boxes")),
        Err(error) => Err(failed("an envelope")(&error)),
    }
}

async fn store(load: Load, file: &Path) -> Outcome<Storage> {
    let before = memory::begin();
    let store = Redb::open(file, RedbOptions::default());
    let store = store.map_err(|error| failed("the store")(&error))?;
    let mut limits = Limits::default();
    // It is not days that pass here, but seconds.
    limits.topic_arrivals = Rate { burst: 10_000_000, interval: Span::millis(1) };
    let keys = MailboxKeys::from_secret(&[7; 32]);
    let service = Service::open(keys, limits, store, Time::from_system()).await;
    let service = Arc::new(service.map_err(|error| failed("the mailbox")(&error))?);
    let count = usize::try_from(load.envelopes.div_ceil(IN_A_BOX)).unwrap_or(usize::MAX);
    let topics = boxes(&service, count.max(8)).await?;
    let topic = |number: u64| topics[number as usize % topics.len()];

    let (start, mut single) = (Instant::now(), 0);
    while single < load.alone && start.elapsed() < load.patience {
        // Numbers that do not come again.
        arrive(&service, topic(single), u64::MAX - single).await?;
        single += 1;
    }
    let alone = single as f64 / start.elapsed().as_secs_f64();

    let (start, tenth) = (Instant::now(), (load.envelopes / 10).max(1));
    let (mut storing, mut stored, mut marks) = (JoinSet::new(), 0, Vec::new());
    let mut next = 0;
    loop {
        while storing.len() < AT_ONCE && next < load.envelopes && start.elapsed() < load.patience {
            let (service, topic, number) = (service.clone(), topic(next), next);
            storing.spawn(async move { arrive(&service, topic, number).await });
            next += 1;
        }
        let Some(done) = storing.join_next().await else { break };
        done.map_err(|error| failed("storing")(&error))??;
        stored += 1;
        if stored % tenth == 0 {
            marks.push(start.elapsed().as_secs_f64());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let first = marks.first().copied().unwrap_or(seconds);
    let last = match marks[..] {
        [.., before, last] => last - before,
        _ => seconds,
    };
    let ends = memory::peak().zip(memory::now());
    Ok(Storage {
        wanted: load.envelopes,
        stored,
        length: LENGTH,
        boxes: topics.len(),
        at_once: AT_ONCE,
        seconds,
        first_tenth: first,
        last_tenth: last,
        alone,
        memory: before.zip(ends).map(|(before, (peak, end))| (before, peak, end)),
        file: length(file),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_that_arrives_is_stored() {
        let folder = Folder::new();
        let load = Load { envelopes: 600, alone: 5, patience: Duration::from_secs(60) };
        let found = store(load, &folder.file("mailbox.redb")).await.unwrap();
        assert_eq!((found.wanted, found.stored), (600, 600));
        assert!(found.file > 600 * LENGTH as u64 && found.alone > 0.0, "{found:?}");
        assert!(found.first_tenth <= found.seconds && found.last_tenth > 0.0, "{found:?}");
    }

    #[test]
    fn no_envelope_is_another() {
        assert_ne!(envelope(1), envelope(2));
        assert_eq!(envelope(1), envelope(1));
        assert!(run(&[]).is_err());
    }
}
