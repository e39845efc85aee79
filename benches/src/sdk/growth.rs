//! What messages and epochs add to the store, in bytes.

use trellis_sdk::engine::Intent;
use trellis_sdk::store::SnapshotSize;
use trellis_sdk::{Message, Span};

use super::data::{Growth, Kept};
use super::files::{Folder, length};
use super::grown::{FOUNDER, Grown, Pair, SECOND, epoch, rotate};
use super::message::text;
use super::{SUITE, policy};

/// How much is done to see growth.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Messages.
    pub messages: u64,
    /// Commits that nobody hears of.
    pub unheard: u64,
    /// After which numbers of commits the file is measured.
    pub epochs: &'static [u64],
}

/// Growth in groups of one size.
pub(super) fn measure(grown: &Grown, folder: &Folder, extent: &Extent) -> Growth {
    let [sent, received] = messages(&mut grown.pair(folder), extent.messages);
    let snapshots = snapshots(&mut grown.pair(folder), extent.unheard);
    Growth {
        members: grown.members,
        messages: extent.messages,
        sent,
        received,
        copy: snapshots.copy,
        commits: extent.unheard,
        snapshot: snapshots.each,
        first: snapshots.first,
        epochs: epochs(&mut grown.pair(folder), extent.epochs),
    }
}

/// Bytes of the file for each message, by the sender and by the receiver.
fn messages(pair: &mut Pair, count: u64) -> [f64; 2] {
    let before = compact(pair);
    for number in 0..count {
        let now = pair.town.now;
        let message = Message::text(text(number));
        pair.town.engine(FOUNDER).send(now, pair.group, message).expect("a message");
        pair.town.drain(FOUNDER);
        pair.town.pass(Span::millis(500));
    }
    pair.town.pass(Span::seconds(60));
    let group = pair.group;
    let known = pair.town.engine(SECOND).store_mut().messages_count(group).expect("a history");
    assert_eq!(known, count, "all have come");
    let after = compact(pair);
    [0, 1].map(|who| (after[who] as f64 - before[who] as f64) / count as f64)
}

/// What states take.
struct Snapshots {
    /// One state, if everything of it were written.
    copy: u64,
    /// What the first commit adds.
    first: u64,
    /// What each adds, on average.
    each: f64,
}

/// Nobody hears of these commits, so nothing becomes final and every state is kept.
fn snapshots(pair: &mut Pair, count: u64) -> Snapshots {
    let group = pair.group;
    drop(pair.town.leave(SECOND));
    let size = |pair: &mut Pair| -> SnapshotSize {
        pair.town.engine(FOUNDER).store_mut().snapshot_size().expect("a store")
    };
    let states =
        |pair: &mut Pair| pair.town.engine(FOUNDER).store_mut().states(group).expect("a store");
    // Until the oldest state is the one that the other was last heard in.
    for _ in 0..=policy(SUITE).depth {
        rotate(&mut pair.town, group, FOUNDER, &[FOUNDER]);
    }
    let begin = states(pair).len() as u64;
    let before = size(pair);
    let mut first = 0;
    for number in 0..count {
        rotate(&mut pair.town, group, FOUNDER, &[FOUNDER]);
        if number == 0 {
            first = size(pair).bytes.saturating_sub(before.bytes);
        }
    }
    let names = states(pair);
    assert_eq!(names.len() as u64, begin + count, "every state is kept");
    let each = size(pair).bytes.saturating_sub(before.bytes) as f64 / count as f64;
    let newest = *names.last().expect("a state");
    let store = pair.town.engine(FOUNDER).store_mut();
    let storage = store.state_load(group, newest).expect("a store").expect("a state");
    let copy =
        storage.entries().iter().map(|entry| entry.key.len() + entry.value.len()).sum::<usize>();
    Snapshots { copy: copy as u64, first, each }
}

/// The founder's file after so many commits that the other follows.
fn epochs(pair: &mut Pair, at: &[u64]) -> Vec<Kept> {
    let mut kept = Vec::new();
    let mut done = 0;
    for &commits in at {
        while done < commits {
            // A user's wish each, so that what is remembered of wishes is in it.
            let now = pair.town.now;
            let next = epoch(&mut pair.town, FOUNDER, pair.group).expect("a member") + 1;
            let group = pair.group;
            pair.town.engine(FOUNDER).intend(now, group, Intent::Rotate).expect("a member");
            pair.town.drain(FOUNDER);
            let both = |town: &mut super::town::Town| {
                [FOUNDER, SECOND].iter().all(|who| epoch(town, *who, group) >= Some(next))
            };
            pair.town
                .pass_until(Span::millis(500), Span::seconds(600), both)
                .expect("a commit that both follow");
            pair.town.pass(Span::seconds(10));
            done += 1;
        }
        let [bytes, _] = compact(pair);
        let group = pair.group;
        let store = pair.town.engine(FOUNDER).store_mut();
        let states = store.states(group).expect("a store").len();
        let snapshots = store.snapshot_size().expect("a store").bytes;
        kept.push(Kept { commits, bytes, states, snapshots });
    }
    kept
}

/// How long both files are without the room of what was deleted.
fn compact(pair: &mut Pair) -> [u64; 2] {
    for who in [FOUNDER, SECOND] {
        pair.town.engine(who).store_mut().compact().expect("a disk that takes it");
    }
    [0, 1].map(|who| length(&pair.files[who]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_shares_what_did_not_change() {
        let folder = Folder::new();
        let grown = Grown::new(12, &folder);
        let extent = Extent { messages: 20, unheard: 4, epochs: &[0, 3] };
        let growth = measure(&grown, &folder, &extent);
        assert!(growth.sent > 1024.0 && growth.received > 1024.0, "{growth:?}");
        assert!(growth.snapshot < growth.copy as f64, "{growth:?}");
        assert_eq!(growth.epochs.len(), 2);
    }
}
