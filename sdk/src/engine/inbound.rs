//! What comes in on the topic of a group.

use std::collections::BTreeSet;

use super::chain::Adoption;
use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event};
use super::law::{self, Objection};
use super::mls;
use super::records::Status;
use super::rule::{self, Claim, Class};
use super::talk::Matter;
use crate::wire::{self, Bundle, Kind, Opened};
use crate::{CommitHash, DeviceId, Span, StateId, Time};

/// How many envelopes under unknown keys are kept, and how many bytes of them.
const STASH: usize = 256;
const STASH_BYTES: usize = 4 << 20;
/// How many commits wait for something.
const PARKED: usize = 64;
/// How often the pause doubles after which bindings are asked for that a commit waits for.
const DOUBLED: u32 = 6;
/// How many commits of one member are applied at once, and how long it takes until one more may be.
const BURST: u64 = 8;
const REFILL: Span = Span::seconds(1);

/// What a commit of another is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// It is applied.
    Commit,
    /// It stands beside another of the same member, and is judged as evidence.
    Evidence,
}

/// A commit that waits.
pub(super) struct Parked {
    pub(super) bundle: Bundle,
    /// For the bindings of these devices, or for its member's turn.
    lacks: BTreeSet<DeviceId>,
    /// When it is considered again, or they are asked for, and how often they have been.
    again: Time,
    tries: u32,
}

impl Group {
    /// An envelope.
    pub(super) fn take(
        &mut self,
        core: &mut Core,
        now: Time,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        if self.record.status == Status::Out {
            return self.take_when_out(core, now, bytes);
        }
        let leaving = self.record.status == Status::Leaving;
        if leaving && self.take_if_ward(core, now, bytes)? {
            return Ok(());
        }
        let known = self.take_if_known(core, now, bytes)?;
        if known || self.take_if_ward(core, now, bytes)? || self.has_moved() {
            return Ok(());
        }
        let kept: usize = self.stash.iter().map(Vec::len).sum();
        if bytes.len() <= wire::MAX_ENVELOPE && kept + bytes.len() <= STASH_BYTES {
            self.stash.push_back(bytes.to_vec());
            if self.stash.len() > STASH {
                self.stash.pop_front();
            }
        }
        Ok(())
    }

    /// Tries again what could not be opened before.
    pub(super) fn retry_stash(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let within = std::mem::replace(&mut self.on_the_way, true);
        let mut tip = None;
        // Each that opens may bring the key of the next.
        while tip != Some(self.record.tip) && !self.stash.is_empty() {
            tip = Some(self.record.tip);
            for envelope in std::mem::take(&mut self.stash) {
                if !self.take_if_known(core, now, &envelope)? {
                    self.stash.push_back(envelope);
                }
            }
        }
        self.on_the_way = within;
        self.say_later(core, now)
    }

    /// Takes an envelope whose key is known; tells whether it is.
    fn take_if_known(
        &mut self,
        core: &mut Core,
        now: Time,
        bytes: &[u8],
    ) -> Result<bool, EngineError> {
        let topic = self.record.topic;
        let states = self.chain.iter().rev().filter(|state| state.record.inside == 1);
        let content = states.map(|state| (state.id, &state.record.keys.envelope));
        for (state, key) in content {
            if let Some(opened) = wire::open(&core.crypto, key, &topic, bytes) {
                self.take_opened(core, now, state, true, opened)?;
                return Ok(true);
            }
        }
        for past in self.past.values().rev() {
            if let Some(opened) = wire::open(&core.crypto, &past.record.beacon, &topic, bytes) {
                self.take_opened(core, now, past.id, false, opened)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was in an envelope under a key of a state, `content` if it is the one that is erased
    /// with the state.
    fn take_opened(
        &mut self,
        core: &mut Core,
        now: Time,
        state: StateId,
        content: bool,
        opened: Opened,
    ) -> Result<(), EngineError> {
        let Opened { kind, tip, payload } = opened;
        if kind != Kind::Part && !self.has_moved() {
            self.hint(core, now, &tip);
        }
        match (kind, content) {
            (Kind::Part, _) => {
                let Some(part) = wire::decode::<wire::Part>(&payload) else { return Ok(()) };
                let name = part.whole;
                match self.parts.add(part) {
                    Some((kind, payload)) if kind != Kind::Part && core.hash(&payload) == name => {
                        self.take_opened(core, now, state, content, Opened { kind, tip, payload })
                    }
                    _ => Ok(()),
                }
            }
            _ if self.has_moved() => self.take_after_move(core, now, state, kind, &payload),
            (Kind::Commit, true) => match wire::decode::<Bundle>(&payload) {
                Some(bundle) if bundle.parent == state => self.consider(core, now, bundle),
                _ => Ok(()),
            },
            (Kind::Application, true) => self.hear(core, now, state, &payload),
            (Kind::Tree, true) => {
                self.answers.remove(&Matter::Tree(state));
                Ok(())
            }
            (Kind::Beacon, false) => self.take_beacon(core, now, state, &payload),
            (Kind::Request, false) => self.take_request(core, now, state, &payload),
            (Kind::Leave, false) => self.take_leave(core, now, state, &payload),
            (Kind::Note, false) => self.take_note(core, now, state, &payload),
            (Kind::Rejoin, false) => self.take_rejoin(core, now, state, &payload),
            (Kind::Binding, false) => self.take_binding(core, now, &payload),
            _ => Ok(()),
        }
    }

    /// A commit on a state of the window: it is applied if it wins there.
    fn consider(&mut self, core: &mut Core, now: Time, bundle: Bundle) -> Result<(), EngineError> {
        let Some(place) = self.place(&bundle.parent) else { return Ok(()) };
        self.answers.retain(|matter, _| match matter {
            Matter::Commits(after) | Matter::Left(after, _) => *after != bundle.parent,
            _ => true,
        });
        let commit = CommitHash(core.hash(bundle.commit.as_slice()));
        let Some(class) = Class::from_number(bundle.class) else { return Ok(()) };
        let rank = mls::rank(&core.crypto, &self.chain[place].record.keys, bundle.leaf);
        let claim = Claim { class, rank, commit };
        if let Some(child) = self.chain.get(place + 1) {
            let Some(present) = self.claim(core, child) else { return Ok(()) };
            let of_one = child.record.origin.as_ref().is_some_and(|o| o.leaf == bundle.leaf);
            if present.commit == commit {
                return Ok(());
            }
            let claims = [present, claim.clone()];
            let Some(verdict) = rule::winner(&claims) else { return Ok(()) };
            let reason = verdict.losers.first().map(|(_, reason)| *reason);
            tracing::debug!(?reason, "two commits on one state");
            let wins = verdict.winner.commit == commit;
            // If it wins it may have to wait for its turn, and until then its parent may have become final.
            let evidence = Matter::Evidence(bundle.parent, commit);
            if of_one
                && (!wins
                    || self.has_to_wait(core, now, &bundle)?
                        && self.once_per(evidence, now, Span(u64::MAX)))
            {
                self.judge_only(core, now, &bundle)?;
            }
            if !wins {
                return Ok(());
            }
        }
        self.evaluate(core, now, bundle, claim)
    }

    /// Judges a commit that would win, and moves to its state if it is allowed.
    fn evaluate(
        &mut self,
        core: &mut Core,
        now: Time,
        bundle: Bundle,
        claim: Claim,
    ) -> Result<(), EngineError> {
        if self.parked.iter().any(|parked| parked.bundle == bundle) {
            return Ok(());
        }
        let parent = bundle.parent;
        if self.has_to_wait(core, now, &bundle)? {
            tracing::debug!(group = ?self.id, leaf = bundle.leaf, "a commit waits, since there were too many");
            self.park(now + REFILL, bundle, &[]);
            return Ok(());
        }
        let applied = self.apply(core, &bundle)?;
        let (child, facts) = match applied {
            Ok(applied) => applied,
            Err(Objection::Unknown(devices)) => {
                tracing::debug!(group = ?self.id, ?devices, "a commit waits for bindings");
                self.park(now + core.config.retry, bundle, &devices);
                return self.ask_for_bindings(core, now, &devices);
            }
            Err(objection) => {
                tracing::debug!(%objection, "a commit was refused");
                return Ok(());
            }
        };
        if facts.class != claim.class || facts.leaf != bundle.leaf {
            tracing::debug!("a commit that is not what it claims was refused");
            return Ok(());
        }
        self.may(Effort::Commit, &facts.by.device, now, true);
        let rival = self.place(&parent).and_then(|place| self.chain.get(place + 1));
        if let Some(rival) = rival
            && rival.record.origin.as_ref().is_some_and(|origin| origin.device == facts.by.device)
        {
            core.tell(Event::Equivocation { group: self.id, account: facts.by.address });
        }
        let device = facts.by.device;
        let envelopes = self.commit_envelopes(core, &bundle)?;
        let commit = claim.commit;
        self.adopt(core, now, Adoption { parent, commit, facts, child, envelopes })?;
        let tip = self.tip().id;
        self.heard(core, now, &device, &tip)
    }

    /// Applies a commit to a copy of its parent.
    #[allow(clippy::type_complexity)]
    fn apply(
        &mut self,
        core: &mut Core,
        bundle: &Bundle,
    ) -> Result<Result<(Option<mls::Snapshot>, law::Facts), Objection>, EngineError> {
        let parent = core.take(self.id, bundle.parent)?;
        let mut applied = parent.apply(bundle.commit.as_slice(), |proposed| {
            law::judge(&proposed, &|device| core.bindings().get(device).cloned())
        });
        // The bindings that it needs may be in the store.
        if let Err(Objection::Unknown(devices)) = &applied {
            let mut all = true;
            for device in devices.clone() {
                all &= core.binding(&device)?;
            }
            if all {
                applied = parent.apply(bundle.commit.as_slice(), |proposed| {
                    law::judge(&proposed, &|device| core.bindings().get(device).cloned())
                });
            }
        }
        core.give(self.id, bundle.parent, parent);
        Ok(applied)
    }

    /// Whether its committer has had too many commits applied.
    fn has_to_wait(
        &mut self,
        core: &mut Core,
        now: Time,
        bundle: &Bundle,
    ) -> Result<bool, EngineError> {
        let committer = self.device_at(core, &bundle.parent, bundle.leaf)?;
        Ok(committer.is_some_and(|device| !self.may(Effort::Commit, &device, now, false)))
    }

    /// Judges a commit that stands beside another of the same committer: it is evidence.
    fn judge_only(
        &mut self,
        core: &mut Core,
        now: Time,
        bundle: &Bundle,
    ) -> Result<(), EngineError> {
        let Some(device) = self.device_at(core, &bundle.parent, bundle.leaf)? else {
            return Ok(());
        };
        // Beside the allowance for commits: who uses that up does not hide evidence by it.
        if !self.may(Effort::Evidence, &device, now, true) {
            return Ok(());
        }
        match self.apply(core, bundle)? {
            Ok((_, facts)) => {
                core.tell(Event::Equivocation { group: self.id, account: facts.by.address });
            }
            Err(Objection::Unknown(devices)) => {
                self.park(now + core.config.retry, bundle.clone(), &devices);
                return self.ask_for_bindings(core, now, &devices);
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Whose leaf it is in a state of the window.
    fn device_at(
        &self,
        core: &mut Core,
        state: &StateId,
        leaf: u32,
    ) -> Result<Option<DeviceId>, EngineError> {
        if *state == self.tip().id {
            let seat = self.seats.iter().find(|seat| seat.leaf == leaf);
            return Ok(seat.map(|seat| seat.identity.device));
        }
        let roster = core.with(self.id, *state, |_, snapshot| Ok(snapshot.roster()))??;
        let seat = roster.into_iter().find(|seat| seat.leaf == leaf);
        Ok(seat.map(|seat| seat.identity.device))
    }

    /// Whether a member may have one more commit applied or judged now; counts it if it is.
    fn may(&mut self, effort: Effort, device: &DeviceId, now: Time, count: bool) -> bool {
        let (left, at) = self.allowance.entry((effort, *device)).or_insert((BURST, now));
        let refilled = now.since(*at).0 / REFILL.0;
        if refilled > 0 {
            *left = (*left + refilled).min(BURST);
            *at = *at + REFILL.times(refilled);
        }
        if *left == 0 {
            return false;
        }
        if count {
            *left -= 1;
        }
        true
    }

    fn park(&mut self, again: Time, bundle: Bundle, lacks: &[DeviceId]) {
        let there = self.parked.iter().any(|parked| parked.bundle == bundle);
        if !there && self.parked.len() < PARKED {
            let lacks = lacks.iter().copied().collect();
            self.parked.push(Parked { bundle, lacks, again, tries: 0 });
        }
    }

    /// Considers again what had to wait, and has what it lacked.
    pub(super) fn retry_parked(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        for mut parked in std::mem::take(&mut self.parked) {
            parked.lacks.retain(|device| !core.bindings().contains_key(device));
            if parked.lacks.is_empty() {
                self.consider(core, now, parked.bundle)?;
            } else {
                self.parked.push(parked);
            }
        }
        self.retry_stash(core, now)
    }

    /// The devices whose bindings commits wait for.
    pub(super) fn parked_lack(&self) -> BTreeSet<DeviceId> {
        self.parked.iter().flat_map(|parked| &parked.lacks).copied().collect()
    }

    /// When one of them is due.
    pub(super) fn parked_due(&self) -> Option<Time> {
        self.parked.iter().map(|parked| parked.again).min()
    }

    /// Asks again for what commits wait for: the answers may have been lost.
    pub(super) fn ask_for_parked(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let mut lacking = Vec::new();
        for parked in self.parked.iter_mut().filter(|parked| parked.again <= now) {
            parked.again = now + core.config.retry.times(1 << parked.tries.min(DOUBLED));
            parked.tries = parked.tries.saturating_add(1);
            lacking.extend(&parked.lacks);
        }
        self.ask_for_bindings(core, now, &lacking)
    }
}
