//! A client for programs: commands come in on standard input and replies and events go out on standard
//! output, a JSON object a line. The README has the format.
//!
//! Commands are the words of the command line, so there is nothing else to learn. Each is done before
//! the next one begins, and none waits for others, since whoever keeps running sees what happens as
//! events; one with `--wait` is done beside the others, and its end comes when it comes.

use std::ffi::OsString;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::account::Asking;
use crate::arguments::{Agent, Common};
use crate::deeds::{Request, usage};
use crate::failure::Failure;
use crate::output::Output;
use crate::record::{AccountRecord, ErrorRecord, EventRecord, Peer, Record};
use crate::run::{Session, interrupted, read_line};
use crate::world::World;

/// The most bytes of a line: a text of 64 KiB in which every byte is an escape of six.
pub const MAX_LINE: u64 = 512 * 1024;
/// How many commands with `--wait` are under way at most. Further ones fail as `busy`.
pub const MAX_WAITING: usize = 64;

/// A line of input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// What comes back with the replies, a number or a string or whatever.
    #[serde(default)]
    id: serde_json::Value,
    /// The words of the command, as on the command line.
    args: Vec<String>,
}

/// What a line can ask for.
#[derive(Debug, Parser)]
#[command(name = "agent", no_binary_name = true, disable_help_flag = true)]
struct Words {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    #[command(flatten)]
    Request(Request),
    /// Who is connected, and what has travelled
    Status,
    /// Refuse all connections with a peer
    Block {
        /// Its name on the network
        peer: String,
    },
    /// Take connections with a peer again
    Unblock {
        /// Its name on the network
        peer: String,
    },
}

/// What goes out first.
#[derive(Serialize)]
struct Ready {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    account: AccountRecord,
}

/// A record that belongs to a command.
#[derive(Serialize)]
struct Reply<'a> {
    #[serde(flatten)]
    record: &'a Record,
    re: &'a serde_json::Value,
}

/// The last line for a command.
#[derive(Serialize)]
struct End<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    re: &'a serde_json::Value,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
}

/// What all commands of an agent share.
struct Office {
    session: Session,
    common: Common,
    asking: Asking,
    output: Output,
    admin: bool,
}

/// Takes commands until the input ends or somebody interrupts it.
pub async fn run(
    session: Session,
    common: &Common,
    world: World,
    agent: &Agent,
) -> Result<(), Failure> {
    // Nobody can be asked: standard input belongs to the commands.
    let asking = Asking { terminal: false, environment: world.environment };
    let World { output, mut input, .. } = world;
    let account = AccountRecord::of(&session.client);
    let mut events = session.client.events();
    let me = session.client.address();
    output.json(&Ready { kind: "ready", account })?;
    let admin = agent.admin;
    let office =
        Arc::new(Office { session, common: common.clone(), asking, output: output.clone(), admin });
    let telling = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            output.json(&EventRecord::of(&event, me))?;
        }
        Ok::<_, Failure>(())
    });
    let done = tokio::select! {
        done = office.serve(&mut input) => done,
        () = interrupted() => Ok(()),
        // Whoever reads has gone, or the client was closed.
        told = telling => told.unwrap_or(Ok(())),
    };
    done
}

impl Office {
    async fn serve(self: &Arc<Self>, input: &mut crate::world::Input) -> Result<(), Failure> {
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        let mut waiting = JoinSet::new();
        while let Some(line) = read_line(input, MAX_LINE).await? {
            while waiting.try_join_next().is_some() {}
            if line.is_empty() {
                continue;
            }
            let (id, mut command) = read(&line);
            let waits = match &mut command {
                Ok(AgentCommand::Request(request)) => request.waits(),
                _ => false,
            };
            if !waits {
                self.answer(&id, command).await?;
            } else if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                let office = Arc::clone(self);
                waiting.spawn(async move {
                    let _place = place;
                    office.answer(&id, command).await
                });
            } else {
                self.answer(&id, Err(Failure::Sdk(trellis_sdk::Error::Busy))).await?;
            }
        }
        while let Some(done) = waiting.join_next().await {
            done.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Does a command. An error is that the output is gone; that of the command is printed.
    async fn answer(
        &self,
        id: &serde_json::Value,
        command: Result<AgentCommand, Failure>,
    ) -> Result<(), Failure> {
        let done = match command {
            Ok(command) => self.perform(id, command).await,
            Err(failure) => Err(failure),
        };
        let error = done.as_ref().err().map(ErrorRecord::of);
        self.output.json(&End { kind: "end", re: id, ok: done.is_ok(), error })
    }

    async fn perform(&self, id: &serde_json::Value, command: AgentCommand) -> Result<(), Failure> {
        let emit = |record: Record| self.output.json(&Reply { record: &record, re: id });
        let request = match command {
            AgentCommand::Request(request) => request.without_waiting(),
            _ if !self.admin => {
                let text = "this is about the network, which takes --admin";
                return Err(Failure::Usage(text.to_owned()));
            }
            command => {
                let connection = self.session.connection.as_ref().ok_or(Failure::NoNetwork)?;
                let control = &connection.control;
                return match command {
                    AgentCommand::Block { peer } => control.block(Peer(peer), true).await,
                    AgentCommand::Unblock { peer } => control.block(Peer(peer), false).await,
                    _ => emit(Record::Network(control.status().await)),
                };
            }
        };
        self.session.desk(&self.common, self.asking, &emit).perform(request).await
    }
}

/// The id of a line, and what it asks for.
fn read(line: &str) -> (serde_json::Value, Result<AgentCommand, Failure>) {
    match serde_json::from_str::<Line>(line) {
        Ok(Line { id, args }) => {
            let words = args.into_iter().map(OsString::from);
            let words = Words::try_parse_from(words);
            (id, words.map(|words| words.command).map_err(|error| usage(&error)))
        }
        Err(error) => {
            let text = format!("not a JSON object with id and args: {error}");
            (serde_json::Value::Null, Err(Failure::Usage(text)))
        }
    }
}
