//! Where a scenario plays: members of two stacks, and what they must agree on.

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::CipherSuite;

use super::Leader;
use crate::stack::{Client, Committed, Received, Settings, Stack, StackError, State, Wire};

/// Why a scenario did not come to its end.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Failed(String),
    NotOffered(String),
}

impl From<StackError> for Trouble {
    fn from(error: StackError) -> Self {
        match error {
            StackError::Failed(reason) => Self::Failed(reason),
            StackError::NotOffered(what) => Self::NotOffered(what),
        }
    }
}

pub(super) type Play = Result<(), Trouble>;

/// A member, with the name that reports use.
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) client: Box<dyn Client>,
}

pub(super) struct Stage<'a> {
    pub(super) ours: &'a dyn Stack,
    pub(super) peer: &'a dyn Stack,
    pub(super) suite: CipherSuite,
    pub(super) code_point: u16,
    pub(super) peer_derivation: KeyDerivation,
    pub(super) leader: Leader,
    pub(super) wire: Wire,
    /// What is being done, for reports.
    pub(super) step: &'static str,
}

impl Stage<'_> {
    fn client(&self, ours: bool, name: &'static str) -> Result<Member, Trouble> {
        let settings = Settings {
            suite: self.suite,
            code_point: self.code_point,
            derivation: if ours { KeyDerivation::HpkePq } else { self.peer_derivation },
            identity: name.as_bytes().to_vec(),
            wire: self.wire,
        };
        let stack = if ours { self.ours } else { self.peer };
        Ok(Member { name, client: stack.client(&settings)? })
    }

    /// A client of the stack that founds the group.
    pub(super) fn leading(&self, name: &'static str) -> Result<Member, Trouble> {
        self.client(self.leader == Leader::Ours, name)
    }

    /// A client of the other stack.
    pub(super) fn following(&self, name: &'static str) -> Result<Member, Trouble> {
        self.client(self.leader == Leader::Theirs, name)
    }

    /// A group of the leader, which adds the others in one commit.
    pub(super) fn found(
        &mut self,
        mut leader: Member,
        mut others: Vec<Member>,
        path: bool,
    ) -> Result<Vec<Member>, Trouble> {
        self.step = "create";
        leader.client.create(b"trellis interop")?;
        self.step = "key package";
        let add = others.iter_mut().map(|it| it.client.key_package()).collect::<Result<_, _>>()?;
        self.step = "add";
        let committed =
            leader.client.commit(crate::stack::Changes { add, path, ..Default::default() })?;
        let welcome = welcome(committed)?;
        self.step = "join";
        for other in &mut others {
            other.client.join(&welcome, None)?;
        }
        let mut members: Vec<Member> = [leader].into_iter().chain(others).collect();
        agree(&mut members)?;
        Ok(members)
    }

    /// Gives a commit of one member to the others, after which all agree.
    pub(super) fn settle(
        &mut self,
        members: &mut [Member],
        committer: usize,
        commit: &[u8],
    ) -> Play {
        deliver(members, committer, commit, &Received::Commit)?;
        agree(members)
    }
}

pub(super) fn welcome(committed: Committed) -> Result<Vec<u8>, Trouble> {
    committed.welcome.ok_or_else(|| Trouble::Failed("there is no Welcome".into()))
}

/// Gives a message to everyone but its sender.
pub(super) fn deliver(
    members: &mut [Member],
    sender: usize,
    message: &[u8],
    expected: &Received,
) -> Play {
    for (index, member) in members.iter_mut().enumerate() {
        if index == sender {
            continue;
        }
        let received = member
            .client
            .process(message)
            .map_err(|error| Trouble::Failed(format!("{} cannot process: {error}", member.name)))?;
        if received != *expected {
            let reason = format!("{} expected {expected:?}, got {received:?}", member.name);
            return Err(Trouble::Failed(reason));
        }
    }
    Ok(())
}

/// Everyone has the same epoch, secrets and view of the group; the first value that differs.
pub(super) fn agree(members: &mut [Member]) -> Play {
    let mut first: Option<(&'static str, State, Vec<u8>)> = None;
    for member in members {
        let state = member.client.state()?;
        let exported = member.client.export("interop", b"context", 48)?;
        let Some((name, wanted, secret)) = &first else {
            first = Some((member.name, state, exported));
            continue;
        };
        let rows: [(&str, String, String); 6] = [
            ("epoch", wanted.epoch.to_string(), state.epoch.to_string()),
            ("members", wanted.members.to_string(), state.members.to_string()),
            ("tree hash", hex::encode(&wanted.tree_hash), hex::encode(&state.tree_hash)),
            (
                "confirmed transcript hash",
                hex::encode(&wanted.confirmed_transcript_hash),
                hex::encode(&state.confirmed_transcript_hash),
            ),
            (
                "epoch authenticator",
                hex::encode(&wanted.epoch_authenticator),
                hex::encode(&state.epoch_authenticator),
            ),
            ("exported secret", hex::encode(secret), hex::encode(&exported)),
        ];
        for (what, left, right) in rows {
            if left != right {
                let reason = format!("{what}: {name} has {left}, {} has {right}", member.name);
                return Err(Trouble::Failed(reason));
            }
        }
    }
    Ok(())
}
