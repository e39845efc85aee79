//! Printing what happens.

use std::time::Duration;

use tokio::time::Instant;
use trellis_sdk::{Client, Event, GroupId};

use crate::arguments::Listen;
use crate::failure::Failure;
use crate::find;
use crate::record::{EventRecord, Record};
use crate::run::interrupted;
use crate::world::World;

/// How long this stays after the last event: whoever sent it wants to hear that it has arrived, which
/// the client says a little later, for several messages at once.
const LINGER: Duration = Duration::from_secs(1);

/// Prints what happens until it is enough, or somebody interrupts it.
pub async fn listen(client: &Client, world: &World, listen: &Listen) -> Result<(), Failure> {
    let mut events = client.events();
    let only = match &listen.group {
        Some(name) => Some(find::group(client, name).await?.id()),
        None => None,
    };
    let end = listen.duration.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let over = async {
        match end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    let stop = interrupted();
    tokio::pin!(over, stop);
    let mut left = listen.count.unwrap_or(u64::MAX);
    while left > 0 {
        let event = tokio::select! {
            event = events.next() => event,
            () = &mut over => return Ok(()),
            () = &mut stop => return Ok(()),
        };
        let Some(event) = event else { return Ok(()) };
        if only.is_some_and(|only| group_of(&event).is_some_and(|group| group != only)) {
            continue;
        }
        let record = EventRecord::of(&event, client.address());
        if listen.messages && !matches!(record, Record::Message(_)) {
            continue;
        }
        world.output.print(&record)?;
        left -= 1;
    }
    tokio::time::sleep(LINGER).await;
    Ok(())
}

/// Which group an event is about.
pub fn group_of(event: &Event) -> Option<GroupId> {
    match event {
        Event::Message(received) => Some(received.group),
        Event::Delivery { group, .. }
        | Event::Joined { group, .. }
        | Event::Changed { group, .. }
        | Event::RolledBack { group, .. }
        | Event::Progress { group, .. }
        | Event::Verified { group, .. }
        | Event::Equivocation { group, .. }
        | Event::Split { group }
        | Event::Healed { group }
        | Event::Left { group, .. }
        | Event::Restored { group, .. } => Some(*group),
        Event::Moved { from, .. } => Some(*from),
        _ => None,
    }
}
