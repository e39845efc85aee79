//! The network, and what `doctor` finds.

use std::fmt;

use serde::Serialize;

use crate::text::clean_line;

/// How much of what a peer says of itself a line has room for.
const ADDRESS: usize = 120;

/// A peer's name on the network: what `block` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Peer(pub String);

/// Who is connected, and what has travelled since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NetworkStatus {
    /// The own name on the network, which says nothing of the account.
    pub peer: String,
    /// Where connections are taken.
    pub listening: Vec<String>,
    /// Where others can reach this node, as far as that is known.
    pub external: Vec<String>,
    /// Who is connected.
    pub peers: Vec<PeerRecord>,
    /// Whether connections without post-quantum protection are refused.
    pub requires_hybrid: bool,
    /// The mailboxes that are used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mailboxes: Vec<MailboxRecord>,
    /// Bytes that came in, of everything, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// Bytes that went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
}

/// A peer that is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerRecord {
    /// Its name on the network.
    pub peer: Peer,
    /// What the keys of the connection were agreed with.
    pub key_exchange: String,
    /// Whether the connection goes through a relay, which reads nothing.
    pub relayed: bool,
}

/// A mailbox that is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailboxRecord {
    /// Where it is.
    pub mailbox: String,
    /// When a visit to it last went well, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
    /// Why the last visit did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Good,
    /// To be known.
    Note,
    /// To be looked after.
    Bad,
}

/// What `doctor` has found, or a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about: `network`, `group`, `security`, `members`, `changes`, `messages`, `device`,
    /// `mailbox`.
    pub about: &'static str,
    /// What stays the same from release to release.
    pub code: &'static str,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// For people.
    pub text: String,
}

impl fmt::Display for NetworkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::count(self.peers.len(), "peer"))?;
        if let (Some(received), Some(sent)) = (self.received, self.sent) {
            write!(f, ", {received} bytes received, {sent} sent")?;
        }
        if !self.requires_hybrid {
            f.write_str(", connections without post-quantum protection are taken")?;
        }
        for at in &self.listening {
            write!(f, "\n  listening on {}", clean_line(at, ADDRESS))?;
        }
        for at in &self.external {
            write!(f, "\n  can be reached at {}", clean_line(at, ADDRESS))?;
        }
        for mailbox in &self.mailboxes {
            write!(f, "\n  mailbox at {}", clean_line(&mailbox.mailbox, ADDRESS))?;
        }
        for peer in &self.peers {
            let exchange = clean_line(&peer.key_exchange, ADDRESS);
            write!(f, "\n  {} by {exchange}", clean_line(&peer.peer.0, ADDRESS))?;
            f.write_str(if peer.relayed { ", through a relay" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Good => "  ok  ",
            Level::Note => " note ",
            Level::Bad => " BAD  ",
        })?;
        write!(f, "{:9} {}", self.about, crate::text::clean(&self.text))
    }
}
