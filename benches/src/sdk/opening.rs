//! Opening a client: that it does not load what it does not need.
//!
//! Each opening is in a process of its own, so that its memory can be told from that of others and
//! nothing is warm but the system's cache of the file.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use trellis_sdk::engine::Intent;
use trellis_sdk::store::MessageRow;
use trellis_sdk::{GroupId, Message, MessageId, Span, Time};

use super::data::{Opening, OpeningTime};
use super::files::{Folder, length};
use super::message::text;
use super::town::Town;
use super::{SUITE, in_file, in_memory, key, policy};
use crate::group::named;
use crate::report::alone::memory;
use crate::report::turns::Turns;
use crate::summary::Summary;

/// How much an account has.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Groups.
    pub groups: usize,
    /// Members of each.
    pub members: usize,
    /// Messages in all of them together.
    pub messages: usize,
}

named! {
    /// What is opened, and what is read then.
    What {
        /// An account without groups.
        Empty = "an account without groups",
        /// The account with groups.
        Full = "the account",
        /// The account with groups, of which each is looked at.
        Groups = "the account, and every group looked at",
        /// That, and all messages are read.
        Everything = "the account, and everything read",
    }
}

/// The flag with which the program calls itself.
pub const FLAG: &str = "--open";

/// What such a process tells.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Opened {
    seconds: f64,
    /// The resident size before, and the most from then on, in bytes.
    memory: Option<(u64, u64)>,
    /// What was seen, so that nobody measures nothing.
    groups: usize,
    members: usize,
    messages: usize,
}

/// How long the others have to come in, in virtual time.
const PATIENCE: Span = Span::seconds(600);

/// Makes such an account and opens it in turns.
pub(super) fn measure(account: &Account, folder: &Folder, turns: Turns) -> io::Result<Opening> {
    let now = Time::from_system();
    let empty = folder.file("empty");
    let store = in_memory(SUITE, now).into_store();
    store.backup(&empty, &key()).expect("a copy of the store");
    let full = folder.file("full");
    fill(account, &full);

    let mut opened: Vec<(What, Vec<Opened>)> =
        What::ALL.iter().map(|what| (*what, Vec::new())).collect();
    turns.each(|| {
        for (what, opened) in &mut opened {
            let file = if *what == What::Empty { &empty } else { &full };
            let one = spawn(*what, file)?;
            check(*what, account, &one);
            opened.push(one);
        }
        io::Result::Ok(())
    })?;
    let times = opened.into_iter().filter_map(|(what, opened)| {
        let growth = |one: &Opened| Some(one.memory?.1.saturating_sub(one.memory?.0) as f64);
        let memory = opened.iter().map(growth).collect::<Option<Vec<f64>>>();
        Some(OpeningTime {
            what,
            time: Summary::of(opened.iter().map(|one| one.seconds * 1e6).collect())?,
            memory: memory.and_then(Summary::of).map(|memory| memory.median as u64),
        })
    });
    Ok(Opening {
        groups: account.groups,
        members: account.members,
        messages: account.messages,
        file: length(&full),
        times: times.collect(),
    })
}

fn check(what: What, account: &Account, opened: &Opened) {
    let Account { groups, members, messages } = *account;
    let expected = match what {
        What::Empty => (0, 0, 0),
        What::Full => (groups, 0, 0),
        What::Groups => (groups, groups * members, 0),
        What::Everything => (groups, groups * members, messages),
    };
    let found = (opened.groups, opened.members, opened.messages);
    assert_eq!(found, expected, "groups, members and messages of {}", what.name());
}

/// Makes the account: it founds each group and invites all others at once. They come in and are not
/// heard of again.
fn fill(account: &Account, file: &Path) {
    let mut now = Time::from_system();
    let mut engine = in_memory(SUITE, now);
    for index in 0..account.groups {
        let mut town = Town::new(now);
        let me = town.join(engine);
        let name = format!("garden {index}");
        let group =
            town.engine(me).create_group(now, &name, SUITE, policy(SUITE)).expect("a new group");
        let others: Vec<_> =
            (1..account.members).map(|_| town.join(in_memory(SUITE, now))).collect();
        // What the others say to each other is no business of this account.
        town.only_through(me);
        for other in &others {
            let address = town.engine(*other).address();
            town.engine(me).intend(now, group, Intent::Invite(address)).expect("a member");
        }
        town.drain(me);
        let came = town.pass_until(Span::seconds(1), PATIENCE, |town| {
            others.iter().all(|other| !town.engine(*other).groups().is_empty())
        });
        came.expect("those who were invited come");
        // They say so, and it is not said again to them.
        town.pass(Span::seconds(30));
        write_history(&mut town, me, group, account, index);
        engine = town.leave(me);
        now = town.now;
    }
    engine.into_store().backup(file, &key()).expect("a copy of the store");
}

/// A group's part of the messages, as rows of the store: how they come in is another figure.
fn write_history(town: &mut Town, me: usize, group: GroupId, account: &Account, index: usize) {
    let now = town.now;
    let members = town.engine(me).view(now, group).expect("a group").members;
    let share = |groups: usize| groups * account.messages / account.groups;
    let store = town.engine(me).store_mut();
    store.begin().expect("a transaction");
    for number in share(index)..share(index + 1) {
        let member = &members[number % members.len()];
        let mut id = [0; MessageId::LENGTH];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let text = text(number as u64);
        let row = MessageRow {
            group,
            id: MessageId(id),
            author: member.address,
            device: member.device,
            seq: number as u64,
            written: now,
            received: now,
            own: false,
            delivery: Vec::new(),
            body: Message::text(text.as_str()).encode(),
            text: Some(text),
        };
        store.message_insert(&row).expect("a message");
    }
    store.commit().expect("a disk that takes it");
}

/// Opens in a process of its own.
fn spawn(what: What, file: &Path) -> io::Result<Opened> {
    let output = Command::new(std::env::current_exe()?)
        .args([FLAG, what.name()])
        .arg(file)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("opening {} failed: {}", what.name(), output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Opens, in the process that was started.
///
/// # Errors
///
/// If it does not know what it is asked for, or cannot tell the result.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let unknown = || io::Error::other(format!("{FLAG} takes what to open, and a file"));
    let [what, file] = arguments else { return Err(unknown()) };
    let what = What::ALL.iter().find(|known| known.name() == what).ok_or_else(unknown)?;
    serde_json::to_writer(io::stdout().lock(), &open(*what, Path::new(file)))?;
    Ok(())
}

fn open(what: What, file: &Path) -> Opened {
    let now = Time::from_system();
    let before = memory::begin();
    let start = Instant::now();
    let mut engine = in_file(file, now);
    let groups = engine.groups();
    let mut views = Vec::new();
    let mut history = Vec::new();
    if matches!(what, What::Groups | What::Everything) {
        views.extend(groups.iter().map(|group| engine.view(now, *group).expect("a group")));
    }
    if what == What::Everything {
        for group in &groups {
            history.extend(engine.history(*group, None, usize::MAX).expect("a history"));
        }
    }
    let time: Duration = start.elapsed();
    Opened {
        seconds: time.as_secs_f64(),
        memory: before.zip(memory::peak()),
        groups: groups.len(),
        members: views.iter().map(|view| view.members.len()).sum(),
        messages: history.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_there() {
        let folder = Folder::new();
        let account = Account { groups: 3, members: 4, messages: 10 };
        let file = folder.file("full");
        fill(&account, &file);
        for what in [What::Full, What::Groups, What::Everything] {
            check(what, &account, &open(what, &file));
        }
    }
}
