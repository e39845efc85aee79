//! What is said and was said.

use trellis_sdk::client::MAX_PAGE;
use trellis_sdk::{Group, Message};

use super::{Desk, HistoryArguments, SendArguments};
use crate::failure::Failure;
use crate::find;
use crate::record::{MessageRecord, Record};

impl Desk<'_> {
    pub(super) async fn send(&self, arguments: SendArguments) -> Result<(), Failure> {
        let SendArguments { group, text, reply, react, edit, delete, waiting } = arguments;
        let group = self.find(&group).await?;
        let text = text.unwrap_or_default();
        let message = if let Some(to) = reply {
            Message::reply(find::message(&group, &to).await?, text)
        } else if let Some(to) = react {
            Message::reaction(find::message(&group, &to).await?, text)
        } else if let Some(of) = edit {
            Message::edit(find::message(&group, &of).await?, text)
        } else if let Some(of) = delete {
            Message::delete(find::message(&group, &of).await?)
        } else {
            Message::text(text)
        };
        let sent = group.send(message).await?;
        self.follow_message(group.id(), &sent, waiting).await
    }

    pub(super) async fn history(&self, arguments: &HistoryArguments) -> Result<(), Failure> {
        let group = self.find(&arguments.group).await?;
        let page = group.history(None, arguments.limit.into()).await?;
        for entry in page.entries.iter().rev() {
            self.emit_message(entry)?;
        }
        Ok(())
    }

    pub(super) async fn search(
        &self,
        text: &str,
        group: Option<&str>,
        limit: u16,
    ) -> Result<(), Failure> {
        let found = match group {
            Some(group) => self.find(group).await?.search(text, limit.into()).await?,
            None => self.client.search(text, limit.into()).await?,
        };
        found.iter().try_for_each(|entry| self.emit_message(entry))
    }

    pub(super) async fn export(&self, group: Option<&str>) -> Result<(), Failure> {
        let groups = match group {
            Some(group) => vec![self.find(group).await?],
            None => self.client.groups().await?,
        };
        for group in groups {
            self.export_group(&group).await?;
        }
        Ok(())
    }

    /// Pages come the newest first and are printed the oldest first. Only the places where they begin
    /// are kept meanwhile, so a long history needs little memory.
    async fn export_group(&self, group: &Group) -> Result<(), Failure> {
        let mut starts = vec![None];
        while let Some(start) = starts.last().copied() {
            match group.history(start, MAX_PAGE).await?.older {
                Some(older) => starts.push(Some(older)),
                None => break,
            }
        }
        for start in starts.into_iter().rev() {
            for entry in group.history(start, MAX_PAGE).await?.entries.iter().rev() {
                self.emit_message(entry)?;
            }
        }
        Ok(())
    }

    fn emit_message(&self, entry: &trellis_sdk::client::Entry) -> Result<(), Failure> {
        self.emit(Record::Message(Box::new(MessageRecord::of(entry, self.client.address()))))
    }
}
