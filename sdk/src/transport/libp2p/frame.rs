//! What is in a gossip message, a question and an answer, byte by byte. Numbers are big-endian.
//!
//! A gossip message begins with a byte that says what it is and 8 random ones: who publishes the same
//! again means it, and the gossip protocol passes nothing on twice.
//!
//! ```text
//! 0 || random[8] || message[]                            a message, up to the length of an envelope
//! 1 || random[8] || length[4] || hash[32] for each chunk   one that is to be fetched
//! ```
//!
//! On `/trellis/ask/1` goes one of these, and one byte comes back: 0 if it was taken, else 1.
//!
//! ```text
//! 0 || number[8] || topic[32] || question[]
//! 1 || number[8] || answer[]                             the number is that of the question
//! ```

use super::content::Manifest;
use super::limits::CHUNK;
use crate::Topic;
use crate::transport::MAX_MESSAGE;
use crate::wire::MAX_ENVELOPE;

/// The longest message that is gossiped as it is. What the engine makes is never longer.
pub(super) const MAX_WHOLE: usize = MAX_ENVELOPE;

/// What goes around a question.
pub(super) const ASK_HEADER: usize = 1 + 8 + Topic::LENGTH;

/// The byte that says that a question or an answer was taken.
pub(super) const TAKEN: &[u8] = &[0];
/// The byte that says that it was not.
pub(super) const NOT_TAKEN: &[u8] = &[1];

const WHOLE: u8 = 0;
const ANNOUNCEMENT: u8 = 1;
const QUESTION: u8 = 0;
const ANSWER: u8 = 1;

/// A gossip message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gossip {
    /// A message.
    Whole(Vec<u8>),
    /// One that is to be fetched.
    Announcement(Manifest),
}

impl Gossip {
    /// The bytes, with random ones that make this message another than the last.
    pub(super) fn encode(&self, random: [u8; 8]) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => [&[WHOLE], &random[..], bytes].concat(),
            Self::Announcement(manifest) => {
                let mut out =
                    [&[ANNOUNCEMENT], &random[..], &manifest.length.to_be_bytes()].concat();
                manifest.chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
                out
            }
        }
    }

    /// What the bytes mean; nothing if they are not exactly one such message. `content` is the longest
    /// content that may be announced.
    pub(super) fn decode(bytes: &[u8], content: usize) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (_random, rest) = rest.split_first_chunk::<8>()?;
        match *kind {
            WHOLE if rest.len() <= MAX_WHOLE => Some(Self::Whole(rest.to_vec())),
            ANNOUNCEMENT => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                let length = u32::from_be_bytes(*length);
                let whole = usize::try_from(length).ok().filter(|length| *length <= content)?;
                let (chunks, rest) = rest.as_chunks::<32>();
                // What is short has no business here: it would be a way around the limits of gossip.
                let fits = rest.is_empty() && chunks.len() == whole.div_ceil(CHUNK);
                (fits && whole > MAX_WHOLE)
                    .then(|| Self::Announcement(Manifest { length, chunks: chunks.to_vec() }))
            }
            _ => None,
        }
    }
}

/// What one peer asks another, or answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A question to whoever listens to a topic.
    Question {
        /// The number that answers are to bear.
        number: u64,
        /// Whom.
        topic: Topic,
        /// What.
        question: Vec<u8>,
    },
    /// An answer.
    Answer {
        /// The number of the question.
        number: u64,
        /// The answer.
        answer: Vec<u8>,
    },
}

impl Ask {
    /// The bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Question { number, topic, question } => {
                [&[QUESTION], &number.to_be_bytes()[..], &topic.0, question].concat()
            }
            Self::Answer { number, answer } => {
                [&[ANSWER], &number.to_be_bytes()[..], answer].concat()
            }
        }
    }

    /// What the bytes mean; nothing if they are neither.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        match *kind {
            QUESTION => {
                let (topic, question) = rest.split_first_chunk::<32>()?;
                let question = bounded(question)?;
                Some(Self::Question { number, topic: Topic(*topic), question })
            }
            ANSWER => Some(Self::Answer { number, answer: bounded(rest)? }),
            _ => None,
        }
    }
}

fn bounded(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() <= MAX_MESSAGE).then(|| bytes.to_vec())
}

/// A topic, as the gossip protocol writes it.
pub(super) fn topic_name(topic: &Topic) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    topic.0.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The topic of a name; nothing if it is none, or is written another way.
pub(super) fn topic_of(name: &str) -> Option<Topic> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = name.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect();
    Topic::from_slice(&bytes?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::limits::MAX_CONTENT;
    use super::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            (0_u8..3, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(kind, rest)| [
                &[kind][..],
                &rest
            ]
            .concat()),
        ]
    }

    proptest! {
        #[test]
        fn gossip_is_what_its_bytes_say(bytes in bytes()) {
            if let Some(gossip) = Gossip::decode(&bytes, MAX_CONTENT) {
                let random: [u8; 8] = bytes[1..9].try_into().unwrap();
                prop_assert_eq!(gossip.encode(random), bytes);
            }
        }

        #[test]
        fn messages_come_back(message in prop::collection::vec(any::<u8>(), 0..300), random: [u8; 8]) {
            let gossip = Gossip::Whole(message);
            prop_assert_eq!(Gossip::decode(&gossip.encode(random), 0), Some(gossip));
        }

        #[test]
        fn announcements_come_back(length in MAX_WHOLE + 1..=MAX_CONTENT, random: [u8; 8]) {
            let chunks = vec![[7; 32]; length.div_ceil(CHUNK)];
            let gossip = Gossip::Announcement(Manifest { length: length as u32, chunks });
            let bytes = gossip.encode(random);
            prop_assert!(bytes.len() <= super::super::Limits::default().gossip_frame);
            prop_assert_eq!(Gossip::decode(&bytes, MAX_CONTENT), Some(gossip));
            prop_assert_eq!(Gossip::decode(&bytes, length - 1), None);
            prop_assert_eq!(Gossip::decode(&bytes[..bytes.len() - 1], MAX_CONTENT), None);
            prop_assert_eq!(Gossip::decode(&[&bytes[..], &[0; 32]].concat(), MAX_CONTENT), None);
        }

        #[test]
        fn questions_are_what_their_bytes_say(bytes in bytes()) {
            if let Some(ask) = Ask::decode(&bytes) {
                prop_assert_eq!(ask.encode(), bytes);
            }
        }

        #[test]
        fn questions_come_back(number: u64, topic: [u8; 32], text in prop::collection::vec(any::<u8>(), 0..300)) {
            let answer = Ask::Answer { number, answer: text.clone() };
            let question = Ask::Question { number, topic: Topic(topic), question: text };
            prop_assert_eq!(Ask::decode(&question.encode()), Some(question));
            prop_assert_eq!(Ask::decode(&answer.encode()), Some(answer));
        }

        #[test]
        fn topics_come_back(topic: [u8; 32], name in "[0-9a-fA-F]{60,68}|.{0,70}") {
            prop_assert_eq!(topic_of(&topic_name(&Topic(topic))), Some(Topic(topic)));
            if let Some(topic) = topic_of(&name) {
                prop_assert_eq!(topic_name(&topic), name);
            }
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!((MAX_WHOLE, super::super::limits::ASK_FRAME), (34_844, 65_577));
        let long = |length| Gossip::Whole(vec![0; length]).encode([0; 8]);
        assert!(Gossip::decode(&long(MAX_WHOLE), MAX_CONTENT).is_some());
        assert!(Gossip::decode(&long(MAX_WHOLE + 1), MAX_CONTENT).is_none());
        let long = |length| Ask::Answer { number: 1, answer: vec![0; length] }.encode();
        assert!(Ask::decode(&long(MAX_MESSAGE)).is_some());
        assert!(Ask::decode(&long(MAX_MESSAGE + 1)).is_none());
    }
}
