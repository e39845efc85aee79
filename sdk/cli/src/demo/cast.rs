//! The members of the demonstration, and what one does with them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::child::Child;
use super::stage::{Part, Stage};
use crate::failure::Failure;

/// How often a child is asked for what no event tells.
const LOOK: Duration = Duration::from_millis(100);

/// The members.
pub struct Cast {
    stage: Box<dyn Stage>,
    timeout: Duration,
    members: BTreeMap<&'static str, Member>,
    mailbox: Option<Mailbox>,
    /// The group that all of it is about.
    pub group: String,
    /// What those sent who have gone.
    gone: u64,
}

/// A member that is running.
pub struct Member {
    /// Its process.
    pub child: Child,
    /// Its account.
    pub address: String,
    /// Its name on the network.
    pub peer: String,
    /// Where it takes connections.
    pub listening: Vec<String>,
}

impl Member {
    /// Starts a member, and waits until it takes connections.
    async fn start(stage: &dyn Stage, part: Part, timeout: Duration) -> Result<Self, Failure> {
        let name = part.name;
        let mut child = Child::new(name, stage.member(part).await?, timeout);
        let ready = child.until(0, "start", |line| line["type"] == "ready").await?.value;
        let address = text(&ready["address"]);
        let status = child.ask(&["status"]).await?.into_iter().next().unwrap_or_default();
        let (peer, listening) = (text(&status["peer"]), texts(&status["listening"]));
        if listening.is_empty() {
            return Err(Failure::Demo(format!("{name} takes no connections")));
        }
        Ok(Self { child, address, peer, listening })
    }
}

/// The mailbox.
struct Mailbox {
    child: Child,
    peer: String,
    listening: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

impl Cast {
    /// Nobody yet.
    pub fn new(stage: Box<dyn Stage>, timeout: Duration) -> Self {
        let (members, mailbox, group) = (BTreeMap::new(), None, String::new());
        Self { stage, timeout, members, mailbox, group, gone: 0 }
    }

    /// Starts the mailbox, if there is one here, and says whether there is.
    pub async fn start_mailbox(&mut self) -> Result<bool, Failure> {
        let Some(pipes) = self.stage.mailbox().await? else { return Ok(false) };
        let child = Child::new("the mailbox", pipes, self.timeout);
        let network = child.until(0, "start", |line| line["type"] == "network").await?.value;
        let (peer, listening) = (text(&network["peer"]), texts(&network["listening"]));
        self.mailbox = Some(Mailbox { child, peer, listening });
        Ok(true)
    }

    /// Whether there is a mailbox.
    pub fn has_mailbox(&self) -> bool {
        self.mailbox.is_some()
    }

    /// Starts a member, who is told of the mailbox and of one other.
    pub async fn start(&mut self, name: &'static str) -> Result<(), Failure> {
        self.start_all(&[name]).await
    }

    /// Starts members at the same time; all of them are told of the mailbox and of the one who is there
    /// already.
    pub async fn start_all(&mut self, names: &[&'static str]) -> Result<(), Failure> {
        let mailboxes = self.mailbox.as_ref().map(|mailbox| mailbox.listening.clone());
        let mailboxes = mailboxes.unwrap_or_default();
        let first = self.members.values().next().map(|member| member.listening.clone());
        let peers = first.unwrap_or_else(|| mailboxes.clone());
        let (stage, timeout) = (&*self.stage, self.timeout);
        let starting = names.iter().map(|name| {
            let part = Part { name, peers: peers.clone(), mailboxes: mailboxes.clone() };
            Member::start(stage, part, timeout)
        });
        let started = try_join_all(starting).await?;
        self.members.extend(names.iter().copied().zip(started));
        Ok(())
    }

    /// Closes a member.
    pub async fn stop(&mut self, name: &'static str) -> Result<(), Failure> {
        let sent = self.sent(name).await?;
        self.gone = self.gone.saturating_add(sent.unwrap_or_default());
        if let Some(member) = self.members.remove(name) {
            member.child.close().await;
        }
        Ok(())
    }

    /// Closes all.
    pub async fn dismiss(mut self) {
        let closing = std::mem::take(&mut self.members).into_values();
        let closing: Vec<_> = closing.map(|member| tokio::spawn(member.child.close())).collect();
        for closed in closing {
            // Whoever does not close is killed.
            let _ = closed.await;
        }
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.child.kill().await;
        }
    }

    /// A member that is running.
    pub fn member(&mut self, name: &'static str) -> Result<&mut Member, Failure> {
        let missing = || Failure::Demo(format!("{name} is not running"));
        self.members.get_mut(name).ok_or_else(missing)
    }

    /// The names of those that are running.
    pub fn names(&self) -> Vec<&'static str> {
        self.members.keys().copied().collect()
    }

    /// Has a member do something.
    pub async fn ask(&mut self, name: &'static str, words: &[&str]) -> Result<Vec<Value>, Failure> {
        self.member(name)?.child.ask(words).await
    }

    /// What a member says of the network.
    pub async fn status(&mut self, name: &'static str) -> Result<Value, Failure> {
        let records = self.ask(name, &["status"]).await?;
        records.into_iter().next().ok_or_else(|| Failure::Demo(format!("{name} has no network")))
    }

    async fn sent(&mut self, name: &'static str) -> Result<Option<u64>, Failure> {
        Ok(self.status(name).await?["sent"].as_u64())
    }

    /// How many bytes all have sent since the beginning; nothing if the network does not count them.
    pub async fn traffic(&mut self) -> Result<Option<u64>, Failure> {
        let mut sum = Some(self.gone);
        for name in self.names() {
            let sent = self.sent(name).await?;
            sum = sum.and_then(|sum| sum.checked_add(sent?));
        }
        Ok(sum)
    }

    /// Waits until a member sees the group as it should be.
    pub async fn group_of(
        &mut self,
        name: &'static str,
        what: &str,
        right: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let (group, end) = (self.group.clone(), Instant::now() + self.timeout);
        loop {
            let shown = self.ask(name, &["group", "show", &group]).await?;
            let shown = shown.into_iter().next().unwrap_or_default();
            if right(&shown) {
                return Ok(shown);
            }
            if Instant::now() > end {
                return Err(Failure::Demo(format!("{name} does not see {what}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A member says something, and all of some others hear it. It returns how long each waited.
    pub async fn say(
        &mut self,
        name: &'static str,
        said: &str,
        to: &[&'static str],
    ) -> Result<Vec<Duration>, Failure> {
        let group = self.group.clone();
        let mut places = Vec::new();
        for other in to {
            places.push((*other, self.member(other)?.child.place()));
        }
        let start = Instant::now();
        self.ask(name, &["send", "--", &group, said]).await?;
        let mut waited = Vec::new();
        for (other, place) in places {
            let heard = self.member(other)?.child.until(place, said, |line| is_text(line, said));
            waited.push(heard.await?.at.saturating_duration_since(start));
        }
        Ok(waited)
    }

    /// Whether a member has heard something since it was started.
    pub fn has_heard(&mut self, name: &'static str, said: &str) -> Result<bool, Failure> {
        Ok(self.member(name)?.child.count(0, |line| is_text(line, said)) > 0)
    }

    /// Cuts the network between two sides, or lets it heal. The mailbox is on the first side.
    pub async fn cut(
        &mut self,
        one: &[&'static str],
        other: &[&'static str],
        blocked: bool,
    ) -> Result<(), Failure> {
        let word = if blocked { "block" } else { "unblock" };
        let mailbox = self.mailbox.as_ref().map(|mailbox| mailbox.peer.clone());
        for (side, against, mailbox) in [(one, other, None), (other, one, mailbox)] {
            let mut peers = Vec::new();
            for name in against {
                peers.push(self.member(name)?.peer.clone());
            }
            peers.extend(mailbox);
            for name in side {
                for peer in &peers {
                    self.ask(name, &[word, peer]).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a line is a message that says this.
pub fn is_text(line: &Value, said: &str) -> bool {
    line["type"] == "message" && line["text"] == said
}
