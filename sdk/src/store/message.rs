//! The history of messages.

use std::fmt;

use rusqlite::{Connection, Row, params};

use super::record::sql_limit;
use super::transaction::execute;
use super::{Result, Store, StoreError, search};
use crate::{Address, DeviceId, GroupId, MessageId, Time};

/// A place in the history, in the order in which messages were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(i64);

/// A message in the history.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The group.
    pub group: GroupId,
    /// The message's name.
    pub id: MessageId,
    /// The author.
    pub author: Address,
    /// The device that the author wrote it on.
    pub device: DeviceId,
    /// The author's number for it.
    pub seq: u64,
    /// When it was written, by the author's clock.
    pub written: Time,
    /// When it was received.
    pub received: Time,
    /// Whether it is one's own.
    pub own: bool,
    /// How far it has come, as the engine writes it.
    pub delivery: Vec<u8>,
    /// What can be searched for in it.
    pub text: Option<String>,
    /// What it says, as the engine writes it.
    pub body: Vec<u8>,
}

/// Says which message it is, and not what it says.
impl fmt::Debug for MessageRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRow")
            .field("group", &self.group)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The columns, in the order in which [`from_row`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.position, m.group_id, m.id, m.author, m.device, m.seq, m.written, m.received,
                m.own, m.delivery, m.text, m.tail, m.body ",
            $rest
        )
    };
}

impl Store {
    /// Adds a message, unless the group's history has one of that name; says whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn message_insert(&mut self, message: &MessageRow) -> Result<bool> {
        const INSERT: &str = "INSERT INTO message (group_id, id, author, device, seq, written,
                received, own, delivery, text, tail, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
        self.write(|store| {
            let connection = &store.connection;
            let (text, tail) = kept(message.text.as_deref(), &message.body);
            // Numbers of 64 bits keep their bits; SQLite's have a sign.
            let inserted = execute(
                connection,
                INSERT,
                params![
                    message.group.as_ref(),
                    message.id.as_ref(),
                    message.author.as_ref(),
                    message.device.as_ref(),
                    message.seq.cast_signed(),
                    message.written.0.cast_signed(),
                    message.received.0.cast_signed(),
                    message.own,
                    message.delivery,
                    text,
                    tail,
                    message.body,
                ],
            )?;
            if inserted > 0 {
                index(connection, connection.last_insert_rowid(), message.text.as_deref())?;
            }
            Ok(inserted > 0)
        })
    }

    /// A message.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn message_get(&self, group: GroupId, id: MessageId) -> Result<Option<MessageRow>> {
        Ok(self.message_find(group, id)?.map(|(_, message)| message))
    }

    fn message_find(&self, group: GroupId, id: MessageId) -> Result<Option<(Cursor, MessageRow)>> {
        const GET: &str = select!("FROM message m WHERE m.group_id = ?1 AND m.id = ?2");
        let mut statement = self.connection.prepare_cached(GET)?;
        let mut rows = statement.query([group.as_ref(), id.as_ref()])?;
        rows.next()?.map(from_row).transpose()
    }

    /// Says how far a message has come; whether there is such a message is the result.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn message_update_delivery(
        &mut self,
        group: GroupId,
        id: MessageId,
        delivery: &[u8],
    ) -> Result<bool> {
        const UPDATE: &str = "UPDATE message SET delivery = ?3 WHERE group_id = ?1 AND id = ?2";
        self.write(|store| {
            let params = params![group.as_ref(), id.as_ref(), delivery];
            Ok(execute(&store.connection, UPDATE, params)? > 0)
        })
    }

    /// Replaces what a message says, as an edit does, or with no text and an empty body a deletion;
    /// whether there is such a message is the result.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] outside of a transaction, and those of the file.
    pub fn message_set_text(
        &mut self,
        group: GroupId,
        id: MessageId,
        text: Option<&str>,
        body: &[u8],
    ) -> Result<bool> {
        const SET: &str = "UPDATE message SET text = ?2, tail = ?3, body = ?4 WHERE position = ?1";
        self.write(|store| {
            let connection = &store.connection;
            let Some((Cursor(position), old)) = store.message_find(group, id)? else {
                return Ok(false);
            };
            unindex(connection, position, old.text.as_deref())?;
            let (kept, tail) = kept(text, body);
            execute(connection, SET, params![position, kept, tail, body])?;
            index(connection, position, text)?;
            Ok(true)
        })
    }

    /// The last messages of a group, or the last before a place; the last comes first.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn messages_before(
        &self,
        group: GroupId,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<(Cursor, MessageRow)>> {
        const BEFORE: &str = select!(
            "FROM message m WHERE m.group_id = ?1 AND m.position < ?2
            ORDER BY m.position DESC LIMIT ?3"
        );
        let before = before.map_or(i64::MAX, |cursor| cursor.0);
        let mut statement = self.connection.prepare_cached(BEFORE)?;
        let mut rows = statement.query(params![group.as_ref(), before, sql_limit(limit)])?;
        collect(&mut rows)
    }

    /// The last messages, of one group or of all, in which each word of `text` occurs or begins a
    /// word, in whatever case; the last comes first. Without a word in `text` there are none.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn messages_search(
        &self,
        group: Option<GroupId>,
        text: &str,
        limit: usize,
    ) -> Result<Vec<(Cursor, MessageRow)>> {
        const SEARCH: &str = select!(
            "FROM message_text JOIN message m ON m.position = message_text.rowid
            WHERE message_text MATCH ?1 AND (?2 IS NULL OR m.group_id = ?2)
            ORDER BY message_text.rowid DESC LIMIT ?3"
        );
        let Some(query) = search::query(text) else { return Ok(Vec::new()) };
        let group: Option<&[u8]> = group.as_ref().map(AsRef::as_ref);
        let mut statement = self.connection.prepare_cached(SEARCH)?;
        let mut rows = statement.query(params![query, group, sql_limit(limit)])?;
        collect(&mut rows)
    }

    /// How many messages a group's history has.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn messages_count(&self, group: GroupId) -> Result<u64> {
        const COUNT: &str = "SELECT count(*) FROM message WHERE group_id = ?1";
        let count: i64 =
            self.connection.prepare_cached(COUNT)?.query_row([group.as_ref()], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }
}

/// What is kept of a text beside the body: the text, or how much of the body's end it is. It would
/// fill as many pages again, and a page is what the disk writes.
fn kept<'a>(text: Option<&'a str>, body: &[u8]) -> (Option<&'a str>, Option<i64>) {
    match text {
        Some(text) if body.ends_with(text.as_bytes()) => (None, i64::try_from(text.len()).ok()),
        text => (text, None),
    }
}

/// The text of which that was kept.
fn text(text: Option<String>, tail: Option<i64>, body: &[u8]) -> Result<Option<String>> {
    let Some(tail) = tail else { return Ok(text) };
    let start = usize::try_from(tail).ok().and_then(|tail| body.len().checked_sub(tail));
    let text = start.and_then(|start| std::str::from_utf8(&body[start..]).ok());
    text.map(|text| Some(text.to_owned())).ok_or(StoreError::Damaged)
}

/// Enters the words of a text.
fn index(connection: &Connection, position: i64, text: Option<&str>) -> Result<()> {
    const INDEX: &str = "INSERT INTO message_text (rowid, text) VALUES (?1, ?2)";
    let Some(text) = text else { return Ok(()) };
    execute(connection, INDEX, params![position, search::indexed(text)]).map(drop)
}

/// Removes the words of a text. The index has no texts, and must be told which words those were.
fn unindex(connection: &Connection, position: i64, text: Option<&str>) -> Result<()> {
    const UNINDEX: &str =
        "INSERT INTO message_text (message_text, rowid, text) VALUES ('delete', ?1, ?2)";
    let Some(text) = text else { return Ok(()) };
    execute(connection, UNINDEX, params![position, search::indexed(text)]).map(drop)
}

fn collect(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<(Cursor, MessageRow)>> {
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(from_row(row)?);
    }
    Ok(messages)
}

fn from_row(row: &Row<'_>) -> Result<(Cursor, MessageRow)> {
    fn number(row: &Row<'_>, column: usize) -> Result<u64> {
        Ok(row.get::<_, i64>(column)?.cast_unsigned())
    }
    fn name<T>(row: &Row<'_>, column: usize, read: fn(&[u8]) -> Option<T>) -> Result<T> {
        let bytes = row.get_ref(column)?.as_blob().map_err(|_| StoreError::Damaged)?;
        read(bytes).ok_or(StoreError::Damaged)
    }
    let body: Vec<u8> = row.get(12)?;
    let message = MessageRow {
        group: name(row, 1, GroupId::from_slice)?,
        id: name(row, 2, MessageId::from_slice)?,
        author: name(row, 3, Address::from_slice)?,
        device: name(row, 4, DeviceId::from_slice)?,
        seq: number(row, 5)?,
        written: Time(number(row, 6)?),
        received: Time(number(row, 7)?),
        own: row.get(8)?,
        delivery: row.get(9)?,
        text: text(row.get(10)?, row.get(11)?, &body)?,
        body,
    };
    Ok((Cursor(row.get(0)?), message))
}
