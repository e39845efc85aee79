//! What the messenger has the client do: tasks beside the terminal, whose results come back as inputs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use trellis_sdk::client::MAX_PAGE;
use trellis_sdk::{Client, GroupId};

use super::app::{Effect, Input, Purpose};
use crate::account::Asking;
use crate::arguments::Common;
use crate::deeds::Request;
use crate::failure::Failure;
use crate::record::{ErrorRecord, EventRecord, GroupRecord, MessageRecord, Record};
use crate::run::Session;
use crate::world::World;

/// How often the network is looked at.
const STATUS: Duration = Duration::from_secs(2);
/// The shortest time between two readings of one group: a burst of messages is read at once.
const REST: Duration = Duration::from_millis(50);
/// How many commands wait for their turn at most.
const COMMANDS: usize = 64;

/// What runs beside the terminal; it ends when this is dropped.
pub struct Work {
    reading: Arc<Reading>,
    commands: mpsc::Sender<(Purpose, Vec<String>)>,
    inputs: mpsc::Sender<Input>,
    tasks: Vec<AbortHandle>,
}

/// What has to be read again.
#[derive(Default)]
struct Reading {
    wanted: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Default)]
struct Wanted {
    groups: bool,
    chats: BTreeMap<String, usize>,
}

impl Work {
    /// Starts it.
    pub fn start(
        session: Session,
        common: &Common,
        world: &World,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        let reading = Arc::new(Reading::default());
        let (commands, orders) = mpsc::channel(COMMANDS);
        let session = Arc::new(session);
        let asking = Asking { terminal: false, environment: world.environment };
        let mut work = Self { reading, commands, inputs, tasks: Vec::new() };
        let client = session.client.clone();
        work.spawn(hear(client.clone(), work.inputs.clone()));
        work.spawn(read(client, Arc::clone(&work.reading), work.inputs.clone()));
        work.spawn(watch(Arc::clone(&session), work.inputs.clone()));
        work.spawn(obey(session, common.clone(), asking, orders, work.inputs.clone()));
        work.carry_out(vec![Effect::Groups]);
        work
    }

    fn spawn(&mut self, task: impl Future<Output = Option<()>> + Send + 'static) {
        self.tasks.push(tokio::spawn(task).abort_handle());
    }

    /// Carries out what the messenger wants.
    pub fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let mut wanted = self.reading.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            match effect {
                Effect::Groups => wanted.groups = true,
                Effect::Chat(group, limit) => {
                    wanted.chats.insert(group, limit);
                }
                Effect::Do(purpose, words) => {
                    drop(wanted);
                    if self.commands.try_send((purpose, words)).is_err() {
                        let busy = ErrorRecord::of(&Failure::Sdk(trellis_sdk::Error::Busy));
                        let done = Input::Done(purpose, String::new(), Vec::new(), Some(busy));
                        // If there is no room for this either, the terminal is far behind anyway.
                        let _ = self.inputs.try_send(done);
                    }
                    continue;
                }
            }
            self.reading.changed.notify_one();
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Tells what happens.
async fn hear(client: Client, inputs: mpsc::Sender<Input>) -> Option<()> {
    let mut events = client.events();
    loop {
        let event = events.next().await?;
        inputs.send(Input::Happened(EventRecord::of(&event, client.address()))).await.ok()?;
    }
}

/// Looks at the network now and then.
async fn watch(session: Arc<Session>, inputs: mpsc::Sender<Input>) -> Option<()> {
    let control = &session.connection.as_ref()?.control;
    loop {
        inputs.send(Input::Network(control.status().await)).await.ok()?;
        tokio::time::sleep(STATUS).await;
    }
}

/// Does commands, one after the other.
async fn obey(
    session: Arc<Session>,
    common: Common,
    asking: Asking,
    mut orders: mpsc::Receiver<(Purpose, Vec<String>)>,
    inputs: mpsc::Sender<Input>,
) -> Option<()> {
    loop {
        let (purpose, words) = orders.recv().await?;
        let title = words.first().cloned().unwrap_or_default();
        let records = Mutex::new(Vec::new());
        let emit = |record: Record| {
            records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            Ok(())
        };
        let done = match Request::parse(words) {
            Ok(request) => {
                session.desk(&common, asking, &emit).perform(request.without_waiting()).await
            }
            Err(failure) => Err(failure),
        };
        let error = done.err().map(|failure| ErrorRecord::of(&failure));
        let records = records.into_inner().unwrap_or_else(PoisonError::into_inner);
        inputs.send(Input::Done(purpose, title, records, error)).await.ok()?;
    }
}

/// Reads what has to be read again.
async fn read(client: Client, reading: Arc<Reading>, inputs: mpsc::Sender<Input>) -> Option<()> {
    loop {
        reading.changed.notified().await;
        let wanted =
            std::mem::take(&mut *reading.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        let mut read = Vec::new();
        if wanted.groups {
            read.push(groups(&client).await);
        }
        for (group, limit) in wanted.chats {
            read.push(chat(&client, &group, limit).await);
        }
        for input in read {
            let input = input.unwrap_or_else(|failure| {
                let error = Some(ErrorRecord::of(&failure));
                Input::Done(Purpose::Tell, String::new(), Vec::new(), error)
            });
            inputs.send(input).await.ok()?;
        }
        tokio::time::sleep(REST).await;
    }
}

async fn groups(client: &Client) -> Result<Input, Failure> {
    let mut groups = Vec::new();
    for group in client.groups().await? {
        groups.push(GroupRecord::of(&group, client.address()).await?);
    }
    Ok(Input::Groups(groups))
}

async fn chat(client: &Client, group: &str, limit: usize) -> Result<Input, Failure> {
    let id = hex::decode(group).ok().and_then(|bytes| GroupId::from_slice(&bytes));
    let group = client.group(id.ok_or(trellis_sdk::Error::NoGroup)?);
    let record = GroupRecord::of(&group, client.address()).await?;
    let (mut messages, mut start) = (Vec::new(), None);
    let more = loop {
        let page = group.history(start, (limit - messages.len()).clamp(1, MAX_PAGE)).await?;
        let of = |entry| MessageRecord::of(entry, client.address());
        messages.extend(page.entries.iter().map(of));
        start = page.older;
        if start.is_none() || messages.len() >= limit {
            break start.is_some();
        }
    };
    messages.reverse();
    Ok(Input::Chat(Box::new(record), messages, more))
}
