//! What was said.

use super::worker::Work;
use super::{Client, Error};
use crate::GroupId;
use crate::engine::handle;
use crate::message::{Delivery, Message, Received};
use crate::store::{Cursor, MessageRow};

/// The most messages of one page.
pub const MAX_PAGE: usize = 500;

/// A part of a group's history, the last message first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The messages. It may be fewer than were asked for although there are older ones, since those
    /// of a kind that this release does not know are left out.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there may be one.
    pub older: Option<Cursor>,
}

/// A message of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The message, with its author. One that was edited has its new text, and one that was deleted
    /// is a [`Message::Delete`] of itself.
    pub message: Received,
    /// How far it has come, if this device has sent it.
    pub delivery: Option<Delivery>,
}

impl Entry {
    fn new(row: MessageRow) -> Option<Self> {
        let delivery = handle::delivery_of(&row);
        let message = Message::decode(&row.body).ok()?;
        let message = Received {
            group: row.group,
            id: row.id,
            author: row.author,
            device: row.device,
            written: row.written,
            received: row.received,
            message,
        };
        Some(Self { message, delivery })
    }
}

pub(super) async fn page(
    client: &Client,
    group: GroupId,
    before: Option<Cursor>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.clamp(1, MAX_PAGE);
    let job = move |work: &mut Work| {
        let rows = work.engine.store_mut().messages_before(group, before, limit)?;
        let last = rows.last().map(|(cursor, _)| *cursor);
        let older = last.filter(|_| rows.len() == limit);
        let entries = rows.into_iter().filter_map(|(_, row)| Entry::new(row)).collect();
        Ok(Page { entries, older })
    };
    client.desk().read("history", job).await
}

pub(super) async fn search(
    client: &Client,
    group: Option<GroupId>,
    text: &str,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let (text, limit) = (text.to_owned(), limit.clamp(1, MAX_PAGE));
    let job = move |work: &mut Work| {
        let rows = work.engine.store_mut().messages_search(group, &text, limit)?;
        let entries = rows.into_iter().filter_map(|(_, row)| Entry::new(row));
        // What an edit says is found in the message that it is about.
        Ok(entries.filter(|entry| !matches!(entry.message.message, Message::Edit(..))).collect())
    };
    client.desk().read("search", job).await
}
