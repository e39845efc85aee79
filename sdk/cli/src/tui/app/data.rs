//! What comes from the client.

use super::{App, Chat, Effect, MAX_EVENTS, Overlay, PAGE, Purpose};
use crate::record::{ErrorRecord, GroupRecord, MessageRecord, Record};
use crate::tui::fold::fold;

impl App {
    pub(super) fn groups(&mut self, groups: Vec<GroupRecord>) -> Vec<Effect> {
        let mut old = std::mem::take(&mut self.chats);
        let mut effects = Vec::new();
        for group in groups {
            match old.iter().position(|chat| chat.group.group == group.group) {
                Some(place) => {
                    let mut chat = old.swap_remove(place);
                    chat.group = group;
                    self.chats.push(chat);
                }
                None => {
                    effects.push(Effect::Chat(group.group.clone(), PAGE));
                    self.chats.push(Chat { group, limit: PAGE, ..Chat::default() });
                }
            }
        }
        // Those that are over come last.
        self.chats.sort_by_key(|chat| (!chat.group.active, chat.group.name.to_lowercase()));
        if self.shown().is_none() {
            self.current = self.chats.first().map(|chat| chat.group.group.clone());
        }
        if let Some(joined) = self.joined.take() {
            self.tell(self.describe(&joined), false);
        }
        effects
    }

    pub(super) fn chat(
        &mut self,
        group: GroupRecord,
        messages: &[MessageRecord],
        more: bool,
    ) -> Vec<Effect> {
        if let Some(chat) = self.chats.iter_mut().find(|chat| chat.group.group == group.group) {
            chat.lines = fold(messages);
            chat.group = group;
            chat.more = more;
        }
        Vec::new()
    }

    pub(super) fn happened(&mut self, record: Record) -> Vec<Effect> {
        let mut effects = Vec::new();
        let group = match &record {
            Record::Message(message) => {
                if self.current.as_ref() != Some(&message.group)
                    && matches!(message.kind, "text" | "reply" | "custom")
                    && let Some(chat) =
                        self.chats.iter_mut().find(|chat| chat.group.group == message.group)
                {
                    chat.unread += 1;
                }
                Some(message.group.clone())
            }
            Record::Change(change) => Some(change.group.clone()),
            Record::Event(event) => {
                if matches!(event.event, "joined" | "left" | "moved" | "missed") {
                    effects.push(Effect::Groups);
                }
                if event.event == "moved" && self.current == event.group {
                    self.current = event.to.clone();
                }
                event.group.clone()
            }
            _ => None,
        };
        match &record {
            Record::Event(event) if event.event == "missed" => {
                effects.extend(
                    self.chats
                        .iter()
                        .map(|chat| Effect::Chat(chat.group.group.clone(), chat.limit)),
                );
            }
            _ => {}
        }
        if let Some(group) = group {
            let chat = self.chats.iter().find(|chat| chat.group.group == group);
            let limit = chat.map_or(PAGE, |chat| chat.limit);
            effects.push(Effect::Chat(group, limit));
        }
        self.remember(record);
        effects
    }

    /// What is told about something that has happened: with the group's name, where there is one.
    pub fn describe(&self, record: &Record) -> String {
        let (group, text) = match record {
            Record::Event(event) => (event.group.as_ref(), event.sentence()),
            Record::Change(change) => (Some(&change.group), change.to_string()),
            other => (None, other.to_string()),
        };
        let chat = self.chats.iter().find(|chat| Some(&chat.group.group) == group);
        match (chat, group) {
            (Some(chat), _) => format!("{}: {text}", chat.group.title(20)),
            (None, Some(_)) => format!("a group: {text}"),
            (None, None) => text,
        }
    }

    /// Keeps what is worth to be read later; messages and their ways are seen where they belong.
    fn remember(&mut self, record: Record) {
        match &record {
            Record::Message(_) => return,
            Record::Event(event) if event.event == "delivery" => return,
            Record::Event(event)
                if matches!(event.event, "equivocation" | "revoked" | "trouble" | "split") =>
            {
                self.tell(self.describe(&record), true);
            }
            Record::Change(change) if change.status == "failed" => {
                self.tell(self.describe(&record), true);
            }
            // The groups are asked for, and with them comes its name.
            Record::Event(event) if event.event == "joined" => self.joined = Some(record.clone()),
            Record::Event(event) if event.event != "changed" || !event.what.is_empty() => {
                self.tell(self.describe(&record), false);
            }
            _ => {}
        }
        self.events.push_front(record);
        self.events.truncate(MAX_EVENTS);
    }

    pub(super) fn done(
        &mut self,
        purpose: Purpose,
        title: String,
        records: Vec<Record>,
        error: Option<ErrorRecord>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for record in &records {
            match record {
                Record::Group(group) => {
                    // A group that was just founded is what one wants to see.
                    self.current = Some(group.group.clone());
                    effects.push(Effect::Groups);
                }
                Record::Sent(sent) => {
                    let chat = self.chats.iter().find(|chat| chat.group.group == sent.group);
                    let limit = chat.map_or(PAGE, |chat| chat.limit);
                    effects.push(Effect::Chat(sent.group.clone(), limit));
                }
                _ => {}
            }
        }
        match (purpose, error) {
            (_, Some(error)) => self.tell(error.to_string(), true),
            (Purpose::Say, None) => {}
            (Purpose::Tell, None) => {
                if let Some(last) = records.last() {
                    let text = match last {
                        Record::Group(group) => format!("you are in {}", group.name),
                        other => other.to_string(),
                    };
                    self.tell(text, false);
                }
            }
            (Purpose::Read, None) => self.open(Overlay::Report(title, records)),
        }
        effects
    }
}
