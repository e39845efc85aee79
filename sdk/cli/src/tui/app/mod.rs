//! The state of the messenger. An [`Input`] goes in, [`Effect`]s come out; there is no clock, no
//! terminal and no client here.

mod data;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crossterm::event::KeyEvent;

use super::composer::Composer;
use super::fold::Line;
use crate::record::{ErrorRecord, GroupRecord, MessageRecord, NetworkStatus, Record};

/// How many messages of a group are loaded at first, and how many more when one scrolls up.
pub const PAGE: usize = 200;
/// How many are loaded at most.
pub const MAX_LOADED: usize = 5000;
/// How many events are kept to be read.
const MAX_EVENTS: usize = 500;

/// The state.
pub struct App {
    /// This account's address.
    pub me: String,
    /// The groups, those that this client is in first.
    pub chats: Vec<Chat>,
    /// Which of them is shown, by its id.
    pub current: Option<String>,
    /// Where keys go.
    pub focus: Focus,
    /// What is read over the rest.
    pub overlay: Option<Overlay>,
    /// How many lines of it are above its window.
    pub offset: usize,
    /// What is being written.
    pub composer: Composer,
    /// What becomes of it.
    pub mode: Mode,
    /// What has happened, the last first.
    pub events: VecDeque<Record>,
    /// What was said about the last thing that was done.
    pub notice: Option<Notice>,
    /// That this client is in a group whose name it does not know yet.
    joined: Option<Record>,
    /// The network, as far as it is known.
    pub network: Network,
    /// The zone of the user's clock.
    pub zone: jiff::tz::TimeZone,
    /// Whether there are colours.
    pub colour: bool,
    /// Whether this is the end.
    pub over: bool,
}

/// A group, and what was said in it.
#[derive(Clone, Debug, Default)]
pub struct Chat {
    /// The group.
    pub group: GroupRecord,
    /// Its messages, the oldest first.
    pub lines: Vec<Line>,
    /// How many are loaded at most.
    pub limit: usize,
    /// Whether there are older ones.
    pub more: bool,
    /// How many came while another group was shown.
    pub unread: usize,
    /// Which message is chosen, by its id.
    pub chosen: Option<String>,
    /// How many lines are below the window.
    pub scroll: usize,
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// To the input line.
    Composer,
    /// To the messages.
    Messages,
    /// To the groups.
    Groups,
}

/// What becomes of what is written. The messages are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is said.
    Say,
    /// It answers a message.
    Reply(String),
    /// It takes the place of a message.
    Edit(String),
    /// It is a reaction to a message.
    React(String),
}

/// What is read over the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// The members.
    Members,
    /// What protects the group.
    Security,
    /// What has happened.
    Events,
    /// What a command has printed.
    Report(String, Vec<Record>),
    /// A question, and what is done if the answer is yes.
    Question(&'static str, Vec<String>),
}

/// What was said about the last thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// The network, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// It is not used.
    Offline,
    /// Nobody has looked yet.
    Unknown,
    /// So it was when somebody looked last.
    Status(NetworkStatus),
}

/// Why a command is done, which says where its records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Something is said: what comes of it is seen in the history.
    Say,
    /// What it prints is told in a line.
    Tell,
    /// What it prints is read over the rest.
    Read,
}

/// What goes in.
#[derive(Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// Text that was pasted.
    Paste(String),
    /// Something else about the terminal: it is drawn again.
    Redraw,
    /// The groups.
    Groups(Vec<GroupRecord>),
    /// A group and its last messages, the oldest first, and whether there are older ones.
    Chat(Box<GroupRecord>, Vec<MessageRecord>, bool),
    /// Something that has happened.
    Happened(Record),
    /// What a command has printed, and how it ended.
    Done(Purpose, String, Vec<Record>, Option<ErrorRecord>),
    /// The network.
    Network(NetworkStatus),
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the groups.
    Groups,
    /// Read a group and so many of its messages.
    Chat(String, usize),
    /// Do a command.
    Do(Purpose, Vec<String>),
}

impl App {
    /// A state in which nothing is known yet.
    pub fn new(me: String, network: Network, zone: jiff::tz::TimeZone, colour: bool) -> Self {
        Self {
            me,
            chats: Vec::new(),
            current: None,
            focus: Focus::Composer,
            overlay: None,
            offset: 0,
            composer: Composer::default(),
            mode: Mode::Say,
            events: VecDeque::new(),
            notice: None,
            joined: None,
            network,
            zone,
            colour,
            over: false,
        }
    }

    /// Takes what goes in, and says what is to be done.
    pub fn take(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => self.paste(&text),
            Input::Redraw => Vec::new(),
            Input::Groups(groups) => self.groups(groups),
            Input::Chat(group, messages, more) => self.chat(*group, &messages, more),
            Input::Happened(record) => self.happened(record),
            Input::Done(purpose, title, records, error) => {
                self.done(purpose, title, records, error)
            }
            Input::Network(status) => {
                self.network = Network::Status(status);
                Vec::new()
            }
        }
    }

    /// The group that is shown.
    pub fn shown(&self) -> Option<&Chat> {
        let current = self.current.as_ref()?;
        self.chats.iter().find(|chat| chat.group.group == *current)
    }

    fn shown_mut(&mut self) -> Option<&mut Chat> {
        let current = self.current.as_ref()?;
        self.chats.iter_mut().find(|chat| chat.group.group == *current)
    }

    /// Undoes scrolling beyond the oldest message.
    pub fn limit_scroll(&mut self, limit: usize) {
        if let Some(chat) = self.shown_mut() {
            chat.scroll = chat.scroll.min(limit);
        }
    }

    fn tell(&mut self, text: impl Into<String>, bad: bool) {
        self.notice = Some(Notice { text: crate::text::clean_line(&text.into(), 300), bad });
    }

    fn open(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay);
        self.offset = 0;
    }
}

/// What people call an account: the letters in which addresses differ.
pub fn nickname(address: &str) -> &str {
    let letters = address.strip_prefix("trellis1").unwrap_or(address);
    letters.get(..8).unwrap_or(letters)
}
