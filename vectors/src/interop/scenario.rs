//! The scenarios.

use super::stage::{Member, Play, Stage, Trouble, agree, deliver, welcome};
use crate::Randomness;
use crate::stack::{Changes, Proposal, Received};

/// Something that members of two stacks do together.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name in the matrix.
    pub name: &'static str,
    /// Whether a key pair is derived on one side and used on the other, so that both must derive in
    /// the same way: paths (RFC 9420, section 7.4) and external commits (section 8.3).
    pub derives: bool,
    pub(super) play: fn(&mut Stage<'_>) -> Play,
}

/// Every scenario, in the order of the matrix.
pub static SCENARIOS: [Scenario; 15] = [
    Scenario { name: "create and join", derives: false, play: create_and_join },
    Scenario { name: "join with a path", derives: true, play: join_with_path },
    Scenario { name: "three members, two of one stack", derives: true, play: three },
    Scenario { name: "self-update by the founder", derives: true, play: update_by_leader },
    Scenario { name: "self-update by the joiner", derives: true, play: update_by_follower },
    Scenario { name: "add by the joiner", derives: false, play: add },
    Scenario { name: "remove by the founder", derives: true, play: remove },
    Scenario { name: "remove, and the place taken again", derives: true, play: remove_and_add },
    Scenario { name: "external PSK", derives: false, play: psk },
    Scenario { name: "proposals by reference", derives: true, play: by_reference },
    Scenario { name: "external join by the joiner's stack", derives: true, play: external_join },
    Scenario { name: "join a tree with unmerged leaves", derives: true, play: unmerged },
    Scenario { name: "messages both ways", derives: false, play: messages },
    Scenario { name: "messages out of order", derives: false, play: out_of_order },
    Scenario { name: "walk of 24 epochs", derives: true, play: walk },
];

fn changes() -> Changes {
    Changes::default()
}

fn pair(stage: &mut Stage<'_>) -> Result<Vec<Member>, Trouble> {
    let (founder, joiner) = (stage.leading("founder")?, stage.following("joiner")?);
    stage.found(founder, vec![joiner], false)
}

/// The founder and two members of the other stack.
fn trio(stage: &mut Stage<'_>) -> Result<Vec<Member>, Trouble> {
    let founder = stage.leading("founder")?;
    let others = vec![stage.following("joiner")?, stage.following("second joiner")?];
    stage.found(founder, others, false)
}

fn create_and_join(stage: &mut Stage<'_>) -> Play {
    pair(stage).map(drop)
}

fn join_with_path(stage: &mut Stage<'_>) -> Play {
    let (founder, joiner) = (stage.leading("founder")?, stage.following("joiner")?);
    let mut members = stage.found(founder, vec![joiner], false)?;
    stage.step = "add with a path";
    let mut third = stage.following("second joiner")?;
    let add = vec![third.client.key_package()?];
    let committed = members[0].client.commit(Changes { add, path: true, ..changes() })?;
    let commit = committed.commit.clone();
    stage.settle(&mut members, 0, &commit)?;
    stage.step = "join with a path secret";
    third.client.join(&welcome(committed)?, None)?;
    members.push(third);
    agree(&mut members)?;
    stage.step = "use of the path secret";
    update(stage, &mut members, 1)
}

fn update(stage: &mut Stage<'_>, members: &mut [Member], by: usize) -> Play {
    let committed = members[by].client.commit(Changes { path: true, ..changes() })?;
    stage.settle(members, by, &committed.commit)
}

fn three(stage: &mut Stage<'_>) -> Play {
    let mut members = trio(stage)?;
    for by in [1, 0, 2] {
        stage.step = "self-update of one of three";
        update(stage, &mut members, by)?;
    }
    talk(stage, &mut members)
}

fn update_by_leader(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    stage.step = "self-update";
    update(stage, &mut members, 0)?;
    use_keys(stage, &mut members)
}

fn update_by_follower(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    stage.step = "self-update";
    update(stage, &mut members, 1)?;
    use_keys(stage, &mut members)
}

/// Has the key of the node above two members used: a third one joins beside them and sends a path,
/// which is encrypted to that node alone. A receiver that derived another key pair than the sender,
/// and did not notice, cannot decrypt it.
fn use_keys(stage: &mut Stage<'_>, members: &mut Vec<Member>) -> Play {
    let third = stage.leading("later")?;
    join(stage, members, third)?;
    stage.step = "use of the derived key";
    update(stage, members, 2)
}

fn add(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    stage.step = "add by the joiner";
    let mut third = stage.leading("third")?;
    let add = vec![third.client.key_package()?];
    let committed = members[1].client.commit(Changes { add, ..changes() })?;
    let commit = committed.commit.clone();
    stage.settle(&mut members, 1, &commit)?;
    stage.step = "join";
    third.client.join(&welcome(committed)?, None)?;
    members.push(third);
    agree(&mut members)
}

fn remove(stage: &mut Stage<'_>) -> Play {
    let mut members = trio(stage)?;
    stage.step = "remove";
    let remove = vec![members[2].client.own_leaf()?];
    let committed = members[0].client.commit(Changes { remove, ..changes() })?;
    let mut removed = members.remove(2);
    stage.settle(&mut members, 0, &committed.commit)?;
    stage.step = "the removed member";
    // It must notice, or fail; what comes later it must not read.
    let _ = removed.client.process(&committed.commit);
    let later = members[0].client.send(b"without you")?;
    if removed.client.process(&later).is_ok() {
        return Err(Trouble::Failed("the removed member reads what comes later".into()));
    }
    deliver(&mut members, 0, &later, &Received::Application(b"without you".to_vec()))?;
    use_keys(stage, &mut members)?;
    talk(stage, &mut members)
}

fn remove_and_add(stage: &mut Stage<'_>) -> Play {
    let mut members = trio(stage)?;
    stage.step = "remove and add in one commit";
    let mut third = stage.leading("third")?;
    let (remove, add) = (vec![members[2].client.own_leaf()?], vec![third.client.key_package()?]);
    let committed = members[1].client.commit(Changes { remove, add, ..changes() })?;
    members.remove(2);
    let commit = committed.commit.clone();
    stage.settle(&mut members, 1, &commit)?;
    stage.step = "join";
    third.client.join(&welcome(committed)?, None)?;
    members.push(third);
    agree(&mut members)?;
    stage.step = "self-update thereafter";
    update(stage, &mut members, 2)
}

fn psk(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    for (by, name) in [(0, "psk 0"), (1, "psk 1")] {
        stage.step = "commit to an external PSK";
        for member in &mut members {
            member.client.add_psk(name.as_bytes(), &[7; 32])?;
        }
        let psk = vec![name.as_bytes().to_vec()];
        let committed = members[by].client.commit(Changes { psk, ..changes() })?;
        stage.settle(&mut members, by, &committed.commit)?;
    }
    stage.step = "join with an external PSK";
    let mut third = stage.following("third")?;
    for member in members.iter_mut().chain([&mut third]) {
        member.client.add_psk(b"psk 2", &[8; 32])?;
    }
    let (add, psk) = (vec![third.client.key_package()?], vec![b"psk 2".to_vec()]);
    let committed = members[0].client.commit(Changes { add, psk, ..changes() })?;
    let commit = committed.commit.clone();
    stage.settle(&mut members, 0, &commit)?;
    third.client.join(&welcome(committed)?, None)?;
    members.push(third);
    agree(&mut members)
}

fn by_reference(stage: &mut Stage<'_>) -> Play {
    let mut members = trio(stage)?;
    for (proposer, committer) in [(0, 1), (1, 0)] {
        stage.step = "proposal of an Add";
        let mut new = stage.following("new")?;
        let proposal = Proposal::Add(new.client.key_package()?);
        let message = members[proposer].client.propose(proposal)?;
        deliver(&mut members, proposer, &message, &Received::Proposal)?;
        stage.step = "commit to an Add by reference";
        let committed = members[committer].client.commit(changes())?;
        let commit = committed.commit.clone();
        stage.settle(&mut members, committer, &commit)?;
        new.client.join(&welcome(committed)?, None)?;
        members.push(new);
        agree(&mut members)?;

        stage.step = "proposal of a Remove";
        let leaf = members[3].client.own_leaf()?;
        let message = members[proposer].client.propose(Proposal::Remove(leaf))?;
        members.truncate(3);
        deliver(&mut members, proposer, &message, &Received::Proposal)?;
        stage.step = "commit to a Remove by reference";
        let committed = members[committer].client.commit(changes())?;
        stage.settle(&mut members, committer, &committed.commit)?;

        stage.step = "proposal of a PSK";
        for member in &mut members {
            member.client.add_psk(b"by reference", &[9; 32])?;
        }
        let message = members[proposer].client.propose(Proposal::Psk(b"by reference".to_vec()))?;
        deliver(&mut members, proposer, &message, &Received::Proposal)?;
        stage.step = "commit to a PSK by reference";
        let committed = members[committer].client.commit(changes())?;
        stage.settle(&mut members, committer, &committed.commit)?;
    }
    Ok(())
}

fn external_join(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    stage.step = "GroupInfo";
    let group_info = members[0].client.group_info()?;
    stage.step = "external commit";
    let mut third = stage.following("third")?;
    let commit = third.client.external_join(&group_info)?;
    members.push(third);
    stage.settle(&mut members, 2, &commit)?;
    stage.step = "self-update thereafter";
    update(stage, &mut members, 0)?;
    talk(stage, &mut members)
}

/// Parents above a leaf can have different unmerged leaves: one that was added without a path, after
/// which only another part of the tree was updated.
fn unmerged(stage: &mut Stage<'_>) -> Play {
    let names = ["m1", "m2", "m3", "m4", "m5", "m6"];
    let founder = stage.leading("founder")?;
    let others = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| if at % 2 == 0 { stage.following(name) } else { stage.leading(name) })
        .collect::<Result<Vec<_>, _>>()?;
    let mut members = stage.found(founder, others, false)?;
    stage.step = "update of the right half";
    update(stage, &mut members, 4)?;
    grow(stage, &mut members, "unmerged")?;
    stage.step = "update of the left half";
    update(stage, &mut members, 0)?;
    grow(stage, &mut members, "last")?;
    stage.step = "update by the last one";
    update(stage, &mut members, 8)
}

/// A member of the other stack is added without a path.
fn grow(stage: &mut Stage<'_>, members: &mut Vec<Member>, name: &'static str) -> Play {
    let new = stage.following(name)?;
    join(stage, members, new)
}

/// The founder adds a member without a path.
fn join(stage: &mut Stage<'_>, members: &mut Vec<Member>, mut new: Member) -> Play {
    stage.step = "add without a path";
    let add = vec![new.client.key_package()?];
    let committed = members[0].client.commit(Changes { add, ..changes() })?;
    let commit = committed.commit.clone();
    stage.settle(members, 0, &commit)?;
    stage.step = "join";
    new.client.join(&welcome(committed)?, None)?;
    members.push(new);
    agree(members)
}

fn talk(stage: &mut Stage<'_>, members: &mut [Member]) -> Play {
    stage.step = "message";
    for sender in 0..members.len() {
        let text = format!("from {}", members[sender].name).into_bytes();
        let message = members[sender].client.send(&text)?;
        deliver(members, sender, &message, &Received::Application(text))?;
    }
    Ok(())
}

fn messages(stage: &mut Stage<'_>) -> Play {
    let mut members = pair(stage)?;
    talk(stage, &mut members)?;
    stage.step = "an empty and a long message";
    for text in [Vec::new(), vec![0x5a; 65_000]] {
        for sender in [0, 1] {
            let message = members[sender].client.send(&text)?;
            deliver(&mut members, sender, &message, &Received::Application(text.clone()))?;
        }
    }
    Ok(())
}

/// Within a window of generations (RFC 9420, section 15.3).
fn out_of_order(stage: &mut Stage<'_>) -> Play {
    const ORDER: [usize; 8] = [5, 0, 7, 3, 1, 6, 4, 2];
    let mut members = pair(stage)?;
    for sender in [0, 1] {
        stage.step = "message out of order";
        let texts: Vec<Vec<u8>> = (0..ORDER.len() as u8).map(|number| vec![number; 10]).collect();
        let sent = texts
            .iter()
            .map(|text| members[sender].client.send(text))
            .collect::<Result<Vec<_>, _>>()?;
        for number in ORDER {
            let expected = Received::Application(texts[number].clone());
            deliver(&mut members, sender, &sent[number], &expected)?;
        }
        stage.step = "replay";
        if members[1 - sender].client.process(&sent[0]).is_ok() {
            return Err(Trouble::Failed("a message was taken twice".into()));
        }
    }
    Ok(())
}

/// Members of both stacks come, go, update and talk.
fn walk(stage: &mut Stage<'_>) -> Play {
    const NAMES: [&str; 24] = [
        "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10", "w11", "w12", "w13",
        "w14", "w15", "w16", "w17", "w18", "w19", "w20", "w21", "w22", "w23",
    ];
    let random = Randomness::new(b"interop walk");
    let mut members = pair(stage)?;
    for (epoch, name) in NAMES.into_iter().enumerate() {
        let by = random.below(members.len());
        let mut new = if epoch % 2 == 0 { stage.following(name)? } else { stage.leading(name)? };
        match random.below(4) {
            0 if members.len() < 6 => {
                stage.step = "external join in a walk";
                let host = &mut members[epoch % 2];
                let commit = new.client.external_join(&host.client.group_info()?)?;
                members.push(new);
                let last = members.len() - 1;
                stage.settle(&mut members, last, &commit)?;
            }
            1 if members.len() < 6 => {
                stage.step = "add in a walk";
                let add = vec![new.client.key_package()?];
                let path = random.below(2) == 0;
                let committed = members[by].client.commit(Changes { add, path, ..changes() })?;
                let commit = committed.commit.clone();
                stage.settle(&mut members, by, &commit)?;
                new.client.join(&welcome(committed)?, None)?;
                members.push(new);
                agree(&mut members)?;
            }
            2 if members.len() > 3 => {
                stage.step = "remove in a walk";
                let gone = (by + 1 + random.below(members.len() - 1)) % members.len();
                let remove = vec![members[gone].client.own_leaf()?];
                let committed = members[by].client.commit(Changes { remove, ..changes() })?;
                let committer = members[by].name;
                members.remove(gone);
                let by = members.iter().position(|it| it.name == committer).unwrap_or(0);
                stage.settle(&mut members, by, &committed.commit)?;
            }
            _ => {
                stage.step = "self-update in a walk";
                update(stage, &mut members, by)?;
            }
        }
    }
    talk(stage, &mut members)
}
