//! What can be reached, what is protected, and what is stuck and why.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use trellis_sdk::{ChangeStatus, Group, Message, Span, Time};

use super::Desk;
use crate::failure::Failure;
use crate::network::Control;
use crate::record::{
    ChangeRecord, DeliveryRecord, Finding, GroupRecord, Level, MailboxRecord, MemberRecord,
    NetworkStatus, Record,
};
use crate::text::count;

/// How long a member may be silent before it is worth a word: a day.
pub const STALE: Span = Span(24 * 3600 * 1000);
/// For how long mailboxes are waited for that have not been visited.
const VISITED: Duration = Duration::from_secs(5);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);
/// How much of a mailbox's address a line has room for.
const ADDRESS: usize = 120;
/// In how many of the last messages of a group those are looked for that have not arrived.
const LAST: usize = 200;

impl Desk<'_> {
    pub(super) async fn doctor(&self, group: Option<&str>) -> Result<(), Failure> {
        let status = match &self.control {
            Some(control) => Some(visited(&**control).await),
            None => None,
        };
        if let Some(status) = &status {
            self.emit(Record::Network(status.clone()))?;
        }
        self.find_all(network(status.as_ref()))?;
        self.find_all(status.iter().flat_map(|status| &status.mailboxes).map(mailbox).collect())?;
        self.find_all(self.account().await?)?;
        let groups = match group {
            Some(group) => vec![self.find(group).await?],
            None => self.client.groups().await?,
        };
        let reachable = status.is_some_and(|status| !status.peers.is_empty());
        for group in groups {
            let record = GroupRecord::of(&group, self.client.address()).await?;
            if !record.active {
                continue;
            }
            self.find_all(security(&record))?;
            let silent = members(&record, Time::from_system());
            let missing = !silent.is_empty();
            self.find_all(silent)?;
            self.find_all(changes(&group, &record, reachable, missing).await?)?;
            self.find_all(messages(&group, &record).await?)?;
        }
        Ok(())
    }

    fn find_all(&self, findings: Vec<Finding>) -> Result<(), Failure> {
        findings.into_iter().try_for_each(|finding| self.emit(Record::Finding(finding)))
    }

    async fn account(&self) -> Result<Vec<Finding>, Failure> {
        let devices = self.client.devices().await?.len();
        let (level, code, text) = if self.client.has_account_keys().await? {
            let text =
                format!("{}; this one approves and revokes others", count(devices, "device"));
            (Level::Good, "account-keys", format!("{text}. Keep a backup of it"))
        } else {
            let text = "this device can't approve or revoke others; the account's first one can";
            (Level::Note, "no-account-keys", text.to_owned())
        };
        Ok(vec![Finding { level, about: "device", code, group: None, text }])
    }
}

fn network(status: Option<&NetworkStatus>) -> Vec<Finding> {
    let finding = |level, code, text: String| {
        vec![Finding { level, about: "network", code, group: None, text }]
    };
    match status {
        None => finding(Level::Note, "offline", "not used: nobody can be reached now".to_owned()),
        Some(status) if status.peers.is_empty() => {
            let text = "nobody is connected: is anybody else running? --peer says where";
            finding(Level::Bad, "no-peers", text.to_owned())
        }
        Some(status) => {
            let number = count(status.peers.len(), "peer");
            finding(Level::Good, "connected", format!("connected with {number}"))
        }
    }
}

/// How the network is, when each mailbox has been visited or could not be, or after a while.
async fn visited(control: &dyn Control) -> NetworkStatus {
    let end = Instant::now() + VISITED;
    loop {
        let status = control.status().await;
        let untried =
            |mailbox: &MailboxRecord| mailbox.reached.is_none() && mailbox.trouble.is_none();
        if !status.mailboxes.iter().any(untried) || Instant::now() >= end {
            return status;
        }
        sleep(LOOK).await;
    }
}

fn mailbox(mailbox: &MailboxRecord) -> Finding {
    let (level, code, said) = match (&mailbox.trouble, mailbox.reached) {
        (Some(trouble), _) => (Level::Bad, "mailbox-trouble", trouble.clone()),
        (None, Some(reached)) => {
            let said = format!("visited {}", crate::record::local_time(reached));
            (Level::Good, "mailbox-visited", said)
        }
        (None, None) => (Level::Note, "mailbox-unvisited", "was not visited yet".to_owned()),
    };
    let at = crate::text::clean_line(&mailbox.mailbox, ADDRESS);
    Finding { level, about: "mailbox", code, group: None, text: format!("{at}: {said}") }
}

/// A finding about a group.
fn of(record: &GroupRecord, level: Level, about: &'static str, code: &'static str) -> Finding {
    Finding { level, about, code, group: Some(record.group.clone()), text: String::new() }
}

fn text(record: &GroupRecord, text: &str) -> String {
    format!("{:?}: {text}", crate::text::clean_line(&record.name, 40))
}

fn security(record: &GroupRecord) -> Vec<Finding> {
    let security = &record.security;
    let level = match security.weakest_link {
        "transport" => Level::Good,
        "classical-signatures" => Level::Note,
        _ => Level::Bad,
    };
    let (content, origin) = (&security.confidentiality, &security.authenticity);
    let link = &security.weakest_link_text;
    let said = format!("content {content}, origin {origin}; weakest link: {link}");
    let text = text(record, &said);
    vec![Finding { text, ..of(record, level, "security", security.weakest_link) }]
}

/// Those who are not heard, or of whom it is not known who they are.
fn members(record: &GroupRecord, now: Time) -> Vec<Finding> {
    let mut found = Vec::new();
    let about = |level, code, member: &MemberRecord, said: &str| {
        let said = format!("{} {said}", crate::record::short_address(&member.address));
        Finding { text: text(record, &said), ..of(record, level, "members", code) }
    };
    for member in record.members.iter().filter(|member| !member.me) {
        if !member.verified {
            let said = "is unverified: it may be somebody else until it is heard";
            found.push(about(Level::Bad, "unverified", member, said));
        }
        match member.heard {
            None => found.push(about(Level::Note, "never-heard", member, "was not heard yet")),
            Some(heard) if now.since(Time(heard)) > STALE => {
                let said = format!("was last heard {}", crate::record::local_time(heard));
                found.push(about(Level::Note, "silent", member, &said));
            }
            Some(_) => {}
        }
    }
    found
}

/// Changes that have not come about, and why.
async fn changes(
    group: &Group,
    record: &GroupRecord,
    reachable: bool,
    missing: bool,
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    for change in group.changes().await? {
        let change_record = ChangeRecord::of(&change);
        let (what, id) = (&change_record.what, crate::record::short(&change_record.change));
        let (level, code, why) = match (change.status(), reachable, missing) {
            (ChangeStatus::Pending, false, _) => {
                (Level::Bad, "waits-for-network", "waits: nobody can be reached")
            }
            (ChangeStatus::Pending, true, _) => {
                (Level::Note, "pending", "waits for its turn, or for whoever is invited to answer")
            }
            (_, _, true) => {
                (Level::Note, "not-final", "is made, and final when the silent members are heard")
            }
            _ => (Level::Good, "not-final", "is made, and will soon be final"),
        };
        let text = text(record, &format!("{what} (change {id}): {why}"));
        found.push(Finding { text, ..of(record, level, "changes", code) });
    }
    Ok(found)
}

/// Messages of one's own that not all others have.
async fn messages(group: &Group, record: &GroupRecord) -> Result<Vec<Finding>, Failure> {
    let (mut queued, mut under_way) = (0usize, 0usize);
    for entry in group.history(None, LAST).await?.entries {
        let silent = matches!(entry.message.message, Message::Receipt(_));
        match entry.delivery.map(DeliveryRecord::of) {
            Some(DeliveryRecord::Queued) if !silent => queued += 1,
            Some(delivery) if !silent && !delivery.is_complete() => under_way += 1,
            _ => {}
        }
    }
    let mut found = Vec::new();
    if queued > 0 {
        let text = text(record, &format!("waiting for the network: {}", count(queued, "message")));
        found.push(Finding { text, ..of(record, Level::Bad, "messages", "queued") });
    }
    if under_way > 0 && record.members.len() > 1 {
        let said = format!("not with everybody yet: {} of the last", count(under_way, "message"));
        let text = text(record, &said);
        found.push(Finding { text, ..of(record, Level::Note, "messages", "under-way") });
    }
    Ok(found)
}
