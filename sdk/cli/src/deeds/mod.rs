//! What is done with an open client. A command, a line on the agent's standard input and a line that
//! begins with `/` in the messenger are all a [`Request`], so there is one way to do each thing.

mod devices;
mod doctor;
mod groups;
mod request;
mod talk;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use trellis_sdk::Client;

pub use request::{
    DeviceDeed, GroupDeed, HistoryArguments, Request, RoleName, SendArguments, Waiting, usage,
};

use crate::account::Asking;
use crate::failure::Failure;
use crate::network::Control;
use crate::record::{AccountRecord, Record};

/// Where records go while something is done.
pub type Emit<'a> = dyn Fn(Record) -> Result<(), Failure> + Send + Sync + 'a;

/// What a request is done with.
pub struct Desk<'a> {
    /// The client.
    pub client: &'a Client,
    /// A hand on the network, if there is one.
    pub control: Option<Arc<dyn Control>>,
    /// How long anything is waited for.
    pub timeout: Duration,
    /// Who can be asked for passphrases and confirmation.
    pub asking: Asking,
    /// Where records go.
    pub emit: &'a Emit<'a>,
}

impl Desk<'_> {
    /// Does what is asked for.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong. What was printed before holds.
    pub async fn perform(&self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Address => self.emit(Record::Account(AccountRecord::of(self.client))),
            Request::Group(deed) => self.group(deed).await,
            Request::Invite { group, accounts, waiting } => {
                self.invite(&group, &accounts, waiting).await
            }
            Request::Remove { group, member, waiting } => {
                self.remove(&group, &member, waiting).await
            }
            Request::Role { group, member, role, waiting } => {
                self.role(&group, &member, role, waiting).await
            }
            Request::Send(arguments) => self.send(arguments).await,
            Request::Change { group, change, waiting } => {
                self.change(&group, &change, waiting).await
            }
            Request::History(arguments) => self.history(&arguments).await,
            Request::Search { words, group, limit } => {
                self.search(&words.join(" "), group.as_deref(), limit).await
            }
            Request::Export { group } => self.export(group.as_deref()).await,
            Request::Backup { file, backup_passphrase_file } => {
                self.backup(&file, backup_passphrase_file.as_deref()).await
            }
            Request::Device(deed) => self.device(deed).await,
            Request::Doctor { group } => self.doctor(group.as_deref()).await,
        }
    }

    fn emit(&self, record: Record) -> Result<(), Failure> {
        (self.emit)(record)
    }
}
