//! Making groups for a passive client to follow.

use std::sync::Arc;

use super::{Epoch, ExternalPsk, PassiveClient};
use trellis_ciphersuites::Backend;

use crate::Randomness;
use crate::generate::Scale;
use crate::mls::Suite;
use crate::stack::open_mls::{OpenMls, OpenMlsClient};
use crate::stack::{Changes, Client, Committed, Proposal, Settings, StackError, Wire};

/// A group with all of its members. The first client is the one that vectors are about; it never
/// sends.
struct Group<'a> {
    suite: &'a Suite<'a>,
    stack: OpenMls,
    random: Randomness,
    clients: Vec<OpenMlsClient>,
    /// How many clients there have been, which names them.
    named: usize,
    psks: Vec<ExternalPsk>,
    vector: Option<PassiveClient>,
}

/// How the passive client is invited.
#[derive(Clone, Copy)]
struct Invitation {
    /// How many pre-shared keys the commit uses.
    psks: usize,
    /// Whether the commit has a path.
    path: bool,
    /// Whether the tree comes in the Welcome or beside it.
    tree_inside: bool,
}

const PLAIN: Invitation = Invitation { psks: 0, path: false, tree_inside: true };

/// What happens in an epoch.
#[derive(Clone, Copy, Debug)]
enum Step {
    Path,
    Add,
    Remove,
    Update,
    Psk,
    ExternalJoin,
    AddAndRemove,
}

impl<'a> Group<'a> {
    /// A group of `members` and the passive client, which is invited last.
    fn new(
        suite: &'a Suite<'a>,
        seed: &Randomness,
        members: usize,
        invitation: Invitation,
    ) -> Result<Self, StackError> {
        let stack =
            OpenMls { seed: Some(Arc::new(seed.part("clients"))), backend: Backend::portable() };
        let random = seed.part("choices");
        let mut group = Self {
            suite,
            stack,
            random,
            clients: Vec::new(),
            named: 0,
            psks: Vec::new(),
            vector: None,
        };
        let mut passive = group.client(Wire::Private)?;
        let (key_package, keys) = passive.own_key_package()?;

        let group_id = group.random.bytes(16);
        let mut creator = group.client(Wire::Private)?;
        creator.create(&group_id)?;
        let mut others = Vec::new();
        for _ in 1..members {
            let other = group.client(group.next_wire())?;
            others.push(other);
        }
        if !others.is_empty() {
            let add =
                others.iter_mut().map(OpenMlsClient::key_package).collect::<Result<_, _>>()?;
            let committed = creator.commit(Changes { add, path: true, ..Changes::default() })?;
            let welcome = expect_welcome(committed)?.1;
            for other in &mut others {
                other.join(&welcome, None)?;
            }
        }

        let psk = (0..invitation.psks)
            .map(|number| {
                let psk = group.new_psk(&format!("psk {number}"));
                (psk.psk_id.0.clone(), psk)
            })
            .collect::<Vec<_>>();
        for (_, psk) in &psk {
            for client in others.iter_mut().chain([&mut passive, &mut creator]) {
                client.add_psk(&psk.psk_id, &psk.psk)?;
            }
        }
        creator.tree_in_welcome(invitation.tree_inside)?;
        let changes = Changes {
            add: vec![key_package.clone()],
            psk: psk.iter().map(|(psk_id, _)| psk_id.clone()).collect(),
            path: invitation.path,
            ..Changes::default()
        };
        let (commit, welcome) = expect_welcome(creator.commit(changes)?)?;
        creator.tree_in_welcome(true)?;
        for other in &mut others {
            other.process(&commit)?;
        }
        let tree = (!invitation.tree_inside).then(|| creator.ratchet_tree()).transpose()?;
        passive.join(&welcome, tree.as_deref())?;
        let initial = passive.state()?;
        if initial != creator.state()? {
            return Err(StackError::Failed("creator and passive client disagree".into()));
        }
        group.psks = psk.into_iter().map(|(_, psk)| psk).collect();
        group.clients = [passive, creator].into_iter().chain(others).collect();
        group.vector = Some(PassiveClient {
            cipher_suite: suite.code_point,
            external_psks: Vec::new(),
            key_package: key_package.into(),
            signature_priv: keys.signature_priv.into(),
            encryption_priv: keys.encryption_priv.into(),
            init_priv: keys.init_priv.into(),
            welcome: welcome.into(),
            ratchet_tree: tree.map(Into::into),
            initial_epoch_authenticator: initial.epoch_authenticator.into(),
            epochs: Vec::new(),
        });
        Ok(group)
    }

    /// Every other client sends its handshake messages in the clear.
    fn next_wire(&self) -> Wire {
        if self.named.is_multiple_of(2) { Wire::Public } else { Wire::Private }
    }

    fn client(&mut self, wire: Wire) -> Result<OpenMlsClient, StackError> {
        let settings = Settings {
            suite: self.suite.suite,
            code_point: self.suite.code_point,
            derivation: Default::default(),
            identity: format!("client {}", self.named).into_bytes(),
            wire,
        };
        self.named += 1;
        let mut client = self.stack.own_client(&settings)?;
        for psk in &self.psks {
            client.add_psk(&psk.psk_id, &psk.psk)?;
        }
        Ok(client)
    }

    fn new_psk(&self, name: &str) -> ExternalPsk {
        ExternalPsk { psk_id: name.as_bytes().into(), psk: self.random.bytes(32).into() }
    }

    /// Any client but the passive one, and but one that is not wanted.
    fn someone(&self, but: Option<usize>) -> usize {
        loop {
            let chosen = 1 + self.random.below(self.clients.len() - 1);
            if Some(chosen) != but {
                return chosen;
            }
        }
    }

    /// One epoch, in which all but what `step` says stays as it was. `by_reference` sends the
    /// proposal on its own before the commit, by another member than the committer where there is
    /// one.
    fn step(&mut self, step: Step, by_reference: bool) -> Result<(), StackError> {
        let committer = self.someone(None);
        let others = self.clients.len() > 2;
        let removes = matches!(step, Step::Remove | Step::AddAndRemove);
        // With two clients that send, the one who is not removed does both.
        let alone = !others || (removes && self.clients.len() == 3);
        let proposer = if alone { committer } else { self.someone(Some(committer)) };
        let mut joining = Vec::new();
        let mut removed = None;
        let mut changes = Changes::default();
        let mut proposals = Vec::new();

        if removes {
            // Neither proposer nor committer, so that everyone who sends stays.
            removed = (1..self.clients.len()).find(|it| ![committer, proposer].contains(it));
        }
        match step {
            Step::ExternalJoin => return self.external_join(),
            Step::Path => changes.path = true,
            Step::Update if others => proposals.push(self.clients[proposer].propose_update()?),
            Step::Update => changes.path = true,
            Step::Add | Step::AddAndRemove => {
                let mut client = self.client(self.next_wire())?;
                changes.add.push(client.key_package()?);
                joining.push(client);
            }
            Step::Psk => {
                let psk = self.new_psk(&format!("psk {}", self.psks.len()));
                for client in &mut self.clients {
                    client.add_psk(&psk.psk_id, &psk.psk)?;
                }
                changes.psk.push(psk.psk_id.0.clone());
                self.psks.push(psk);
            }
            Step::Remove => {}
        }
        if let Some(removed) = removed {
            changes.remove.push(self.clients[removed].own_leaf()?);
        }
        if by_reference {
            let Changes { add, remove, psk, .. } = &mut changes;
            let all = add
                .drain(..)
                .map(Proposal::Add)
                .chain(remove.drain(..).map(Proposal::Remove))
                .chain(psk.drain(..).map(Proposal::Psk));
            for proposal in all {
                proposals.push(self.clients[proposer].propose(proposal)?);
            }
        }
        for message in &proposals {
            self.deliver(proposer, message)?;
        }
        let Committed { commit, welcome } = self.clients[committer].commit(changes)?;
        self.deliver(committer, &commit)?;
        if let Some(removed) = removed {
            self.clients.remove(removed);
        }
        for mut client in joining {
            let welcome = welcome.as_ref();
            client.join(welcome.ok_or(StackError::Failed("no Welcome".into()))?, None)?;
            self.clients.push(client);
        }
        self.close(proposals, commit)
    }

    fn external_join(&mut self) -> Result<(), StackError> {
        let host = self.someone(None);
        let group_info = self.clients[host].group_info()?;
        let mut client = self.client(self.next_wire())?;
        let commit = client.external_join(&group_info)?;
        self.clients.push(client);
        self.deliver(self.clients.len() - 1, &commit)?;
        self.close(Vec::new(), commit)
    }

    fn deliver(&mut self, sender: usize, message: &[u8]) -> Result<(), StackError> {
        for (index, client) in self.clients.iter_mut().enumerate() {
            if index != sender {
                client.process(message)?;
            }
        }
        Ok(())
    }

    /// All must agree at the end of an epoch.
    fn close(&mut self, proposals: Vec<Vec<u8>>, commit: Vec<u8>) -> Result<(), StackError> {
        let state = self.clients[0].state()?;
        for client in &mut self.clients {
            if client.state()? != state {
                return Err(StackError::Failed("members disagree".into()));
            }
        }
        if let Some(vector) = &mut self.vector {
            vector.epochs.push(Epoch {
                proposals: proposals.into_iter().map(Into::into).collect(),
                commit: commit.into(),
                epoch_authenticator: state.epoch_authenticator.into(),
            });
        }
        Ok(())
    }

    fn finish(self) -> Result<PassiveClient, StackError> {
        let Self { psks, vector, .. } = self;
        let vector = vector.ok_or(StackError::Failed("the group was never founded".into()))?;
        Ok(PassiveClient { external_psks: psks, ..vector })
    }
}

fn expect_welcome(committed: Committed) -> Result<(Vec<u8>, Vec<u8>), StackError> {
    let welcome = committed.welcome.ok_or(StackError::Failed("no Welcome".into()))?;
    Ok((committed.commit, welcome))
}

/// Joins with and without pre-shared keys, path and a tree beside the Welcome.
pub fn welcome(
    suite: &Suite<'_>,
    seed: &Randomness,
    scale: Scale,
) -> Result<Vec<PassiveClient>, StackError> {
    let invitations = [
        PLAIN,
        Invitation { psks: 1, path: true, tree_inside: false },
        Invitation { psks: 2, ..PLAIN },
        Invitation { path: true, tree_inside: false, ..PLAIN },
    ];
    let taken = if scale.is_short(suite) { 2 } else { invitations.len() };
    invitations
        .into_iter()
        .take(taken)
        .enumerate()
        .map(|(number, invitation)| {
            let seed = seed.part(&format!("welcome {number}"));
            Group::new(suite, &seed, 2, invitation)?.finish()
        })
        .collect()
}

/// One commit of each sort, with proposals by value and by reference. Each has a group of its own,
/// unless the suite gets less: then those by value share one, and those by reference another.
pub fn handling_commit(
    suite: &Suite<'_>,
    seed: &Randomness,
    scale: Scale,
) -> Result<Vec<PassiveClient>, StackError> {
    use Step::{Add, AddAndRemove, ExternalJoin, Path, Psk, Remove, Update};
    const BY_VALUE: [Step; 6] = [Path, Psk, Add, Remove, ExternalJoin, AddAndRemove];
    const BY_REFERENCE: [Step; 5] = [Update, Psk, Add, Remove, AddAndRemove];
    let scenes = [(&BY_VALUE[..], false), (&BY_REFERENCE[..], true)].into_iter();
    let scenes: Vec<(&[Step], bool)> = if scale.is_short(suite) {
        scenes.collect()
    } else {
        scenes.flat_map(|(steps, by)| steps.chunks(1).map(move |step| (step, by))).collect()
    };
    scenes
        .into_iter()
        .enumerate()
        .map(|(number, (steps, by_reference))| {
            let seed = seed.part(&format!("handling commit {number}"));
            let mut group = Group::new(suite, &seed, 2, PLAIN)?;
            steps.iter().try_for_each(|&step| group.step(step, by_reference))?;
            group.finish()
        })
        .collect()
}

/// The least and the most clients of a walk, the passive one among them.
const CLIENTS: std::ops::RangeInclusive<usize> = 3..=4;

/// How often each step is tried, of 100 times. Commits without a path are more frequent than in
/// life, because they are short.
const STEPS: [(Step, usize); 7] = [
    (Step::Psk, 72),
    (Step::Add, 8),
    (Step::Remove, 7),
    (Step::Path, 4),
    (Step::Update, 4),
    (Step::ExternalJoin, 2),
    (Step::AddAndRemove, 3),
];

/// The same where leaves take kilobytes.
const SHORT_STEPS: [(Step, usize); 7] = [
    (Step::Psk, 86),
    (Step::Add, 4),
    (Step::Remove, 4),
    (Step::Path, 2),
    (Step::Update, 2),
    (Step::ExternalJoin, 1),
    (Step::AddAndRemove, 1),
];

/// A long walk: each step once, then as they fall.
pub fn random(
    suite: &Suite<'_>,
    seed: &Randomness,
    scale: Scale,
) -> Result<Vec<PassiveClient>, StackError> {
    use Step::{Add, AddAndRemove, ExternalJoin, Path, Psk, Remove, Update};
    let steps = if scale.is_short(suite) { &SHORT_STEPS } else { &STEPS };
    let mut group = Group::new(suite, &seed.part("random"), 2, PLAIN)?;
    let mut first = [Add, Remove, Update, Psk, ExternalJoin, AddAndRemove, Path].into_iter();
    let mut done = 0;
    while done < scale.epochs() {
        let drawn = draw(steps, group.random.below(100));
        let by_reference = group.random.below(3) == 0;
        let step = first.next().unwrap_or(drawn);
        let clients = group.clients.len();
        let fits = match step {
            Add | ExternalJoin => clients < *CLIENTS.end(),
            Remove | AddAndRemove => clients > *CLIENTS.start(),
            Path | Update | Psk => true,
        };
        if fits {
            group.step(step, by_reference)?;
            done += 1;
        }
    }
    Ok(vec![group.finish()?])
}

/// The step in whose share a number below 100 falls.
fn draw(steps: &[(Step, usize)], number: usize) -> Step {
    let mut end = 0;
    let chosen = steps.iter().find(|(_, weight)| {
        end += weight;
        number < end
    });
    chosen.map_or(Step::Psk, |(step, _)| *step)
}
