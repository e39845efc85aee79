//! What members say to each other.
//!
//! A message is encoded in the presentation language of TLS (RFC 8446, section 3), with vectors whose
//! length has a variable size (RFC 9420, section 2.1.2):
//!
//! ```text
//! struct {
//!     uint8 type;
//!     select (type) {
//!         case 1: opaque text<V>;                              /* Text */
//!         case 2: MessageId to; opaque text<V>;                /* Reply */
//!         case 3: MessageId to; opaque reaction<V>;            /* Reaction */
//!         case 4: MessageId to; opaque text<V>;                /* Edit */
//!         case 5: MessageId to;                                /* Delete */
//!         case 6: MessageId seen<V>;                           /* Receipt */
//!         case 7: opaque name<V>; opaque content<V>;           /* Custom */
//!     };
//! } Message;
//! ```
//!
//! Texts are UTF-8. The limits hold on both sides: what breaks one is neither sent nor read.

use std::fmt;

use crate::identity::codec::{Malformed, Reader, put_opaque};
use crate::{Address, DeviceId, GroupId, MessageId, Time};

/// The most bytes of a text.
pub const MAX_TEXT: usize = 64 * 1024;
/// The most bytes of a reaction: an emoji made of many, or a word.
pub const MAX_REACTION: usize = 64;
/// The most messages of one receipt, which has at least one.
pub const MAX_RECEIPT: usize = 256;
/// The most bytes of the name of a custom type, which has at least one: `a` to `z`, `0` to `9`, `.`,
/// `-` and `/`.
pub const MAX_CUSTOM_NAME: usize = 64;
/// The most bytes of a custom message.
pub const MAX_CUSTOM: usize = 1 << 20;
/// The most bytes of an encoded message: a type, then name and content of a custom one with their
/// lengths.
pub const MAX_ENCODED: usize = 1 + 2 + MAX_CUSTOM_NAME + 4 + MAX_CUSTOM;

/// The numbers of the types, which never change.
const TEXT: u8 = 1;
const REPLY: u8 = 2;
const REACTION: u8 = 3;
const EDIT: u8 = 4;
const DELETE: u8 = 5;
const RECEIPT: u8 = 6;
const CUSTOM: u8 = 7;

/// Something to say to a group.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// A text.
    Text(String),
    /// A text in answer to a message.
    Reply(MessageId, String),
    /// A reaction to a message; an empty one takes back the last.
    Reaction(MessageId, String),
    /// A new text for a message of one's own.
    Edit(MessageId, String),
    /// Take back a message of one's own.
    Delete(MessageId),
    /// Messages that a person has seen.
    Receipt(Vec<MessageId>),
    /// What an application defines: a name of its own for the type, and bytes.
    Custom(String, Vec<u8>),
}

/// Why a message can't be sent or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The bytes are no message.
    #[error("bytes that are no message")]
    Malformed,
    /// The message has a type that is not known here: its author's program is newer.
    #[error("a message of the type {0}, which is not known here")]
    Unknown(u8),
    /// A text is not UTF-8.
    #[error("a {0} that is not UTF-8")]
    NotText(&'static str),
    /// Something has more bytes, or a receipt more messages, than the limit.
    #[error("a {what} larger than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much it may have.
        limit: usize,
    },
    /// The name of a custom type is empty or has characters that it may not have.
    #[error("a name of a custom type that is not made of a-z, 0-9, '.', '-' and '/'")]
    Name,
    /// A receipt is for no message.
    #[error("a receipt for no message")]
    EmptyReceipt,
}

impl MessageError {
    /// A name for this error that never changes, for programs and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "message-malformed",
            Self::Unknown(_) => "message-unknown",
            Self::NotText(_) => "message-not-text",
            Self::TooLarge { .. } => "message-too-large",
            Self::Name => "message-name",
            Self::EmptyReceipt => "message-empty-receipt",
        }
    }
}

impl From<Malformed> for MessageError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl Message {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A text in answer to a message.
    #[must_use]
    pub fn reply(to: MessageId, text: impl Into<String>) -> Self {
        Self::Reply(to, text.into())
    }

    /// A reaction to a message; an empty one takes back the last.
    #[must_use]
    pub fn reaction(to: MessageId, reaction: impl Into<String>) -> Self {
        Self::Reaction(to, reaction.into())
    }

    /// A new text for a message of one's own.
    #[must_use]
    pub fn edit(of: MessageId, text: impl Into<String>) -> Self {
        Self::Edit(of, text.into())
    }

    /// Take back a message of one's own.
    #[must_use]
    pub fn delete(of: MessageId) -> Self {
        Self::Delete(of)
    }

    /// Messages that a person has seen.
    #[must_use]
    pub fn receipt(seen: impl IntoIterator<Item = MessageId>) -> Self {
        Self::Receipt(seen.into_iter().collect())
    }

    /// What an application defines: a name of its own for the type, and bytes.
    #[must_use]
    pub fn custom(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::Custom(name.into(), content.into())
    }

    /// What a search looks through, if there is something.
    #[must_use]
    pub fn search_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Reply(_, text) | Self::Edit(_, text) => Some(text),
            Self::Reaction(..) | Self::Delete(_) | Self::Receipt(_) | Self::Custom(..) => None,
        }
    }

    /// Whether this may be sent: it is within the limits, so others will read it.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLarge`], [`MessageError::Name`], [`MessageError::EmptyReceipt`].
    pub fn check(&self) -> Result<(), MessageError> {
        match self {
            Self::Text(text) | Self::Reply(_, text) | Self::Edit(_, text) => {
                within("text", text.len(), MAX_TEXT)
            }
            Self::Reaction(_, reaction) => within("reaction", reaction.len(), MAX_REACTION),
            Self::Delete(_) => Ok(()),
            Self::Receipt(seen) if seen.is_empty() => Err(MessageError::EmptyReceipt),
            Self::Receipt(seen) => within("receipt", seen.len(), MAX_RECEIPT),
            Self::Custom(name, content) => {
                within("name of a custom type", name.len(), MAX_CUSTOM_NAME)?;
                let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'/');
                if name.is_empty() || !name.bytes().all(allowed) {
                    return Err(MessageError::Name);
                }
                within("custom message", content.len(), MAX_CUSTOM)
            }
        }
    }

    /// The bytes, at most [`MAX_ENCODED`] if [`check`](Self::check) finds nothing. Others do not read
    /// a message that it finds something in.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let with_id = |number, id: &MessageId| [&[number], &id.0[..]].concat();
        let (mut out, last) = match self {
            Self::Text(text) => (vec![TEXT], text.as_bytes()),
            Self::Reply(to, text) => (with_id(REPLY, to), text.as_bytes()),
            Self::Reaction(to, reaction) => (with_id(REACTION, to), reaction.as_bytes()),
            Self::Edit(of, text) => (with_id(EDIT, of), text.as_bytes()),
            Self::Delete(of) => return with_id(DELETE, of),
            Self::Receipt(seen) => {
                let mut out = vec![RECEIPT];
                put_opaque(&mut out, &seen.iter().flat_map(|id| id.0).collect::<Vec<_>>());
                return out;
            }
            Self::Custom(name, content) => {
                let mut out = vec![CUSTOM];
                put_opaque(&mut out, name.as_bytes());
                (out, &content[..])
            }
        };
        put_opaque(&mut out, last);
        out
    }

    /// Reads a message; there must be nothing behind it, and it must be within the limits.
    ///
    /// # Errors
    ///
    /// Every [`MessageError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut reader = Reader::new(bytes);
        let number = reader.u8()?;
        let message = match number {
            TEXT => Self::Text(text(&mut reader, "text", MAX_TEXT)?),
            REPLY => Self::Reply(id(&mut reader)?, text(&mut reader, "text", MAX_TEXT)?),
            REACTION => {
                Self::Reaction(id(&mut reader)?, text(&mut reader, "reaction", MAX_REACTION)?)
            }
            EDIT => Self::Edit(id(&mut reader)?, text(&mut reader, "text", MAX_TEXT)?),
            DELETE => Self::Delete(id(&mut reader)?),
            RECEIPT => {
                let (seen, []) = reader.opaque(usize::MAX)?.as_chunks() else {
                    return Err(MessageError::Malformed);
                };
                within("receipt", seen.len(), MAX_RECEIPT)?;
                Self::Receipt(seen.iter().copied().map(MessageId).collect())
            }
            CUSTOM => Self::Custom(
                text(&mut reader, "name of a custom type", MAX_CUSTOM_NAME)?,
                opaque(&mut reader, "custom message", MAX_CUSTOM)?.to_vec(),
            ),
            unknown => return Err(MessageError::Unknown(unknown)),
        };
        reader.finish()?;
        message.check()?;
        Ok(message)
    }
}

fn within(what: &'static str, length: usize, limit: usize) -> Result<(), MessageError> {
    if length > limit { Err(MessageError::TooLarge { what, limit }) } else { Ok(()) }
}

fn id(reader: &mut Reader<'_>) -> Result<MessageId, MessageError> {
    Ok(MessageId(reader.array()?))
}

fn opaque<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
    limit: usize,
) -> Result<&'a [u8], MessageError> {
    // Nothing is copied yet, so that what is too long can be told from what is cut off.
    let bytes = reader.opaque(usize::MAX)?;
    within(what, bytes.len(), limit)?;
    Ok(bytes)
}

fn text(reader: &mut Reader<'_>, what: &'static str, limit: usize) -> Result<String, MessageError> {
    let bytes = opaque(reader, what, limit)?;
    Ok(str::from_utf8(bytes).map_err(|_| MessageError::NotText(what))?.to_owned())
}

/// Prints how long a message is and nothing of what it says.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Reply(to, text) => write!(f, "Reply({to:?}, {} bytes)", text.len()),
            Self::Reaction(to, text) => write!(f, "Reaction({to:?}, {} bytes)", text.len()),
            Self::Edit(of, text) => write!(f, "Edit({of:?}, {} bytes)", text.len()),
            Self::Delete(of) => write!(f, "Delete({of:?})"),
            Self::Receipt(seen) => write!(f, "Receipt({} messages)", seen.len()),
            Self::Custom(name, content) => {
                write!(f, "Custom({} bytes, {} bytes)", name.len(), content.len())
            }
        }
    }
}

/// A message in a group's history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The group.
    pub group: GroupId,
    /// The message's name, chosen by its author.
    pub id: MessageId,
    /// The author.
    pub author: Address,
    /// The device that the author wrote it on.
    pub device: DeviceId,
    /// When the author wrote it, by the author's clock.
    pub written: Time,
    /// When this client got it, by its own.
    pub received: Time,
    /// What it says.
    pub message: Message,
}

/// How far a message of one's own has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// In the store; the transport does not have it yet.
    Queued,
    /// The transport has it.
    Sent,
    /// So many of the other devices have said that they have it.
    Reached {
        /// How many have.
        devices: u32,
        /// How many there are.
        of: u32,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: MessageId = MessageId([7; 16]);

    fn any_message() -> impl Strategy<Value = Message> {
        let id = || any::<[u8; 16]>().prop_map(MessageId);
        prop_oneof![
            ".{0,300}".prop_map(Message::Text),
            (id(), ".{0,300}").prop_map(|(to, text)| Message::Reply(to, text)),
            (id(), ".{0,16}").prop_map(|(to, text)| Message::Reaction(to, text)),
            (id(), ".{0,300}").prop_map(|(of, text)| Message::Edit(of, text)),
            id().prop_map(Message::Delete),
            prop::collection::vec(id(), 1..=MAX_RECEIPT).prop_map(Message::Receipt),
            ("[a-z0-9./-]{1,64}", prop::collection::vec(any::<u8>(), 0..20_000))
                .prop_map(|(name, content)| Message::Custom(name, content)),
        ]
    }

    #[test]
    fn encodings_are_what_the_document_says() {
        let id = [7; 16];
        for (message, expected) in [
            (Message::text("hi"), [&[1, 2][..], b"hi"].concat()),
            (Message::reply(ID, "hi"), [&[2][..], &id, &[2], b"hi"].concat()),
            (Message::reaction(ID, ""), [&[3][..], &id, &[0]].concat()),
            (Message::edit(ID, "hi"), [&[4][..], &id, &[2], b"hi"].concat()),
            (Message::delete(ID), [&[5][..], &id].concat()),
            (Message::receipt([ID]), [&[6, 16][..], &id].concat()),
            (Message::custom("a/b", [9]), [&[7, 3][..], b"a/b", &[1, 9]].concat()),
        ] {
            assert_eq!(message.encode(), expected);
            assert_eq!(Message::decode(&expected), Ok(message));
        }
    }

    #[test]
    fn limits_hold_in_both_directions() {
        let large = |what, limit| Err(MessageError::TooLarge { what, limit });
        let ids = |number| Message::receipt([ID].repeat(number));
        let long = |length| "a".repeat(length);
        for (message, expected) in [
            (Message::text(long(MAX_TEXT)), Ok(())),
            (Message::text(long(MAX_TEXT + 1)), large("text", MAX_TEXT)),
            (Message::reply(ID, long(MAX_TEXT + 1)), large("text", MAX_TEXT)),
            (Message::edit(ID, long(MAX_TEXT + 1)), large("text", MAX_TEXT)),
            (Message::reaction(ID, long(MAX_REACTION)), Ok(())),
            (Message::reaction(ID, long(MAX_REACTION + 1)), large("reaction", MAX_REACTION)),
            (ids(MAX_RECEIPT), Ok(())),
            (ids(MAX_RECEIPT + 1), large("receipt", MAX_RECEIPT)),
            (ids(0), Err(MessageError::EmptyReceipt)),
            (Message::custom(long(MAX_CUSTOM_NAME), vec![0; MAX_CUSTOM]), Ok(())),
            (Message::custom("a", vec![0; MAX_CUSTOM + 1]), large("custom message", MAX_CUSTOM)),
            (
                Message::custom(long(MAX_CUSTOM_NAME + 1), []),
                large("name of a custom type", MAX_CUSTOM_NAME),
            ),
            (Message::custom("", []), Err(MessageError::Name)),
            (Message::custom("A", []), Err(MessageError::Name)),
            (Message::custom("a_b", []), Err(MessageError::Name)),
            (Message::custom("ä", []), Err(MessageError::Name)),
        ] {
            assert_eq!(message.check(), expected);
            assert_eq!(Message::decode(&message.encode()).map(drop), expected);
            assert!(expected.is_err() || message.encode().len() <= MAX_ENCODED);
        }
        let largest = Message::custom(long(MAX_CUSTOM_NAME), vec![0; MAX_CUSTOM]);
        assert_eq!(largest.encode().len(), MAX_ENCODED);
    }

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        for (bytes, expected) in [
            (&[][..], MessageError::Malformed),
            (&[0, 0], MessageError::Unknown(0)),
            (&[8], MessageError::Unknown(8)),
            (&[255, 1, 2], MessageError::Unknown(255)),
            (&[1, 2, b'a'], MessageError::Malformed),
            (&[1, 1, b'a', b'b'], MessageError::Malformed),
            (&[1, 0x40, 1, b'a'], MessageError::Malformed),
            (&[1, 1, 0xFF], MessageError::NotText("text")),
            (&[5, 1, 2, 3], MessageError::Malformed),
            (&[6, 3, 1, 2, 3], MessageError::Malformed),
            (&[7, 1, b'!', 0], MessageError::Name),
        ] {
            assert_eq!(Message::decode(bytes), Err(expected), "{bytes:?}");
        }
    }

    #[test]
    fn debug_says_nothing_of_what_is_said() {
        for message in [
            Message::text("frost"),
            Message::reply(ID, "frost"),
            Message::reaction(ID, "frost"),
            Message::edit(ID, "frost"),
            Message::custom("frost", b"frost".to_vec()),
        ] {
            let shown = format!("{message:?}");
            assert!(shown.contains("5 bytes") && !shown.contains("frost"), "{shown}");
        }
    }

    #[test]
    fn texts_are_searched_and_nothing_else() {
        assert_eq!(Message::text("frost").search_text(), Some("frost"));
        assert_eq!(Message::reply(ID, "frost").search_text(), Some("frost"));
        assert_eq!(Message::edit(ID, "frost").search_text(), Some("frost"));
        assert_eq!(Message::reaction(ID, "frost").search_text(), None);
        assert_eq!(Message::custom("frost", []).search_text(), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(message in any_message()) {
            prop_assert_eq!(message.check(), Ok(()));
            prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn bytes_are_refused_or_the_encoding_of_what_they_say(
            number in 0_u8..10,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [&[number], &bytes[..]].concat();
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }

        #[test]
        fn a_changed_message_is_refused_or_the_encoding_of_what_it_says(
            message in any_message(),
            place: prop::sample::Index,
            change in 1_u8..,
        ) {
            let mut bytes = message.encode();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            if let Ok(changed) = Message::decode(&bytes) {
                prop_assert!(changed != message);
                prop_assert_eq!(changed.encode(), bytes);
            }
        }
    }
}
