//! From the records of a history to what is shown: reactions, edits and deletions are not lines of
//! their own, but part of the message that they are about.

use std::collections::{BTreeMap, HashMap};

use crate::record::{DeliveryRecord, MessageRecord};

/// A message as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Whether this account did.
    pub mine: bool,
    /// When, in milliseconds since 1970.
    pub written: u64,
    /// What it says; nothing if it was deleted.
    pub text: Option<String>,
    /// Who wrote the message that it answers, and what that says, as far as it is known.
    pub reply: Option<(Option<String>, String)>,
    /// The reactions, with how many there are of each.
    pub reactions: Vec<(String, usize)>,
    /// Whether it is not as it was first said.
    pub edited: bool,
    /// How far it has come, if this device has sent it.
    pub delivery: Option<DeliveryRecord>,
}

/// Folds a history, the oldest message first.
pub fn fold(messages: &[MessageRecord]) -> Vec<Line> {
    let by_id: HashMap<&str, &MessageRecord> =
        messages.iter().map(|message| (message.message.as_str(), message)).collect();
    let mut reactions: HashMap<&str, BTreeMap<&str, &str>> = HashMap::new();
    let mut edited: HashMap<&str, &str> = HashMap::new();
    for message in messages {
        let Some(to) = message.to.as_deref() else { continue };
        match message.kind {
            "reaction" => {
                // The last one of each member counts.
                let text = message.text.as_deref().unwrap_or_default();
                reactions.entry(to).or_default().insert(&message.author, text);
            }
            "edit" => {
                edited.insert(to, &message.author);
            }
            _ => {}
        }
    }
    let line = |message: &MessageRecord| {
        let id = message.message.as_str();
        let text = match message.kind {
            "text" | "reply" => message.text.clone(),
            "delete" => None,
            "custom" => Some(format!("({})", message.name.as_deref().unwrap_or("custom"))),
            _ => Some("(of a kind that this release does not know)".to_owned()),
        };
        let reply = message.to.as_deref().filter(|_| message.kind == "reply").map(|to| {
            let about = by_id.get(to);
            let text = about.and_then(|about| about.text.clone());
            (about.map(|about| about.author.clone()), text.unwrap_or_else(|| "…".to_owned()))
        });
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in reactions.get(id).into_iter().flat_map(BTreeMap::values) {
            *counts.entry(text).or_default() += usize::from(!text.is_empty());
        }
        let reactions = counts.into_iter().filter(|(_, count)| *count > 0);
        Line {
            id: id.to_owned(),
            author: message.author.clone(),
            mine: message.mine,
            written: message.written,
            text,
            reply,
            reactions: reactions.map(|(text, count)| (text.to_owned(), count)).collect(),
            edited: edited.get(id).is_some_and(|author| *author == message.author),
            delivery: message.delivery,
        }
    };
    let shown = |message: &&MessageRecord| match message.kind {
        "reaction" | "edit" | "receipt" => false,
        // The message itself, as what is left of it; the order to delete it is another.
        "delete" => message.to.as_deref() == Some(&message.message),
        _ => true,
    };
    messages.iter().filter(shown).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, author: &str, kind: &'static str, to: &str, text: &str) -> MessageRecord {
        MessageRecord {
            message: id.to_owned(),
            author: author.to_owned(),
            kind,
            to: (!to.is_empty()).then(|| to.to_owned()),
            text: (kind != "delete").then(|| text.to_owned()),
            ..MessageRecord::default()
        }
    }

    #[test]
    fn what_is_about_a_message_is_part_of_it() {
        let lines = fold(&[
            message("1", "alice", "text", "", "frost tomorrow"),
            message("2", "bob", "reply", "1", "oh no"),
            message("3", "alice", "edit", "1", "frost tomorrow"),
            message("4", "bob", "reaction", "1", "👍"),
            message("5", "carol", "reaction", "1", "👍"),
            message("6", "bob", "reaction", "1", "👎"),
            message("7", "carol", "reaction", "2", "x"),
            message("8", "carol", "reaction", "2", ""),
            message("9", "bob", "delete", "9", ""),
            message("a", "bob", "delete", "9", ""),
            message("b", "bob", "reply", "elsewhere", "yes"),
            message("c", "mallory", "edit", "2", "not mine"),
            message("d", "bob", "receipt", "", ""),
        ]);
        let ids: Vec<_> = lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "9", "b"]);
        assert!(lines[0].edited && !lines[1].edited);
        assert_eq!(lines[0].reactions, [("👍".to_owned(), 1), ("👎".to_owned(), 1)]);
        assert!(lines[1].reactions.is_empty());
        assert_eq!(lines[1].reply, Some((Some("alice".into()), "frost tomorrow".into())));
        assert_eq!(lines[2].text, None);
        assert_eq!(lines[3].reply, Some((None, "…".into())));
    }
}
