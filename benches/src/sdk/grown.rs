//! Groups of the SDK in which everyone has committed, so that the ratchet tree has all its nodes.

use std::path::PathBuf;

use trellis_sdk::engine::{Engine, Intent};
use trellis_sdk::{GroupId, Span, Time};

use super::files::Folder;
use super::town::Town;
use super::{SUITE, in_file, in_memory, key, policy};

/// A group of which two members are at hand. The others came in one after the other, replaced their
/// keys, and have not been heard of since.
pub(super) struct Grown {
    pub(super) group: GroupId,
    pub(super) members: usize,
    now: Time,
    founder: PathBuf,
    second: PathBuf,
}

/// Two members of such a group, each on a file of its own.
pub(super) struct Pair {
    pub(super) town: Town,
    pub(super) group: GroupId,
    /// Their files, in the order of their places in the town.
    pub(super) files: [PathBuf; 2],
}

/// The founder's place in the town.
pub(super) const FOUNDER: usize = 0;
/// The other's.
pub(super) const SECOND: usize = 1;

/// How long anything here may take, in virtual time.
const PATIENCE: Span = Span::seconds(600);
const LOOK: Span = Span::millis(100);

impl Grown {
    /// A group of so many members, in files in this folder.
    pub(super) fn new(members: usize, folder: &Folder) -> Self {
        let now = Time::from_system();
        let mut town = Town::new(now);
        let founder = town.join(in_memory(SUITE, now));
        let group = town
            .engine(founder)
            .create_group(now, "garden", SUITE, policy(SUITE))
            .expect("a new group");
        let second = bring_in(&mut town, group, founder);
        for _ in 2..members {
            let newcomer = bring_in(&mut town, group, founder);
            drop(town.leave(newcomer));
        }
        // Everyone follows, and what is final is made so.
        rotate(&mut town, group, founder, &[founder, second]);
        town.pass(Span::seconds(60));

        let now = town.now;
        let save = |engine: Engine, name: &str| {
            let file = folder.file(&format!("{name}-{members}"));
            engine.into_store().backup(&file, &key()).expect("a copy of the store");
            file
        };
        let second = save(town.leave(second), "second");
        let founder = save(town.leave(founder), "founder");
        Self { group, members, now, founder, second }
    }

    /// Both members, on new copies of their files.
    pub(super) fn pair(&self, folder: &Folder) -> Pair {
        let files = [folder.copy(&self.founder), folder.copy(&self.second)];
        let mut town = Town::new(self.now);
        for file in &files {
            town.join(in_file(file, self.now));
        }
        town.pass(Span::seconds(60));
        Pair { town, group: self.group, files }
    }
}

/// The newest state's number, as a client has it.
pub(super) fn epoch(town: &mut Town, who: usize, group: GroupId) -> Option<u64> {
    let now = town.now;
    let view = town.engine(who).view(now, group);
    town.drain(who);
    let view = view.ok()?;
    view.active.then_some(view.epoch)
}

/// Has a member replace its keys, and waits until these have followed.
pub(super) fn rotate(town: &mut Town, group: GroupId, who: usize, followers: &[usize]) {
    let now = town.now;
    let next = epoch(town, who, group).expect("a member") + 1;
    town.engine(who).intend(now, group, Intent::Rotate).expect("a member");
    town.drain(who);
    let done = town.pass_until(LOOK, PATIENCE, |town| {
        followers.iter().all(|follower| epoch(town, *follower, group) >= Some(next))
    });
    done.expect("a commit that all follow");
}

/// Invites a new account, which replaces its keys when it is in.
fn bring_in(town: &mut Town, group: GroupId, founder: usize) -> usize {
    let now = town.now;
    let newcomer = town.join(in_memory(SUITE, now));
    let address = town.engine(newcomer).address();
    town.engine(founder).intend(now, group, Intent::Invite(address)).expect("a member");
    town.drain(founder);
    let came = town.pass_until(LOOK, PATIENCE, |town| epoch(town, newcomer, group).is_some());
    came.expect("somebody who was invited comes");
    rotate(town, group, newcomer, &[newcomer, founder]);
    newcomer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_members_are_in_the_same_state() {
        let folder = Folder::new();
        let grown = Grown::new(5, &folder);
        for _ in 0..2 {
            let mut pair = grown.pair(&folder);
            let now = pair.town.now;
            let views =
                [FOUNDER, SECOND].map(|who| pair.town.engine(who).view(now, grown.group).unwrap());
            assert_eq!(views[0].state, views[1].state);
            assert_eq!(views[0].members.len(), 5);
            rotate(&mut pair.town, grown.group, FOUNDER, &[FOUNDER, SECOND]);
        }
    }
}
