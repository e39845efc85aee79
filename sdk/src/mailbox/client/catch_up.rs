//! Finding out what was missed, and getting it.

use std::collections::{BTreeSet, HashSet};

use super::call::{Call, Step};
use super::error::ClientError;
use super::session::Session;
use crate::mailbox::capability::EnvelopeId;
use crate::mailbox::list::List;
use crate::mailbox::sync::{Next, SetSync};
use crate::mailbox::wire::{Answer, Envelopes, Kept, MAX_ITEMS, Reconcile, Reconciled, Request};
use crate::{Time, Topic};

/// What one answer brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Envelopes that were missing, with their topics; each is what its name says.
    pub envelopes: Vec<(Topic, Vec<u8>)>,
    /// When they came to the mailbox, in the same order.
    pub at: Vec<Time>,
    /// What to send next; nothing when it is done.
    pub next: Option<Vec<u8>>,
}

impl Progress {
    /// The same for [`Service::replicated`](crate::mailbox::Service::replicated).
    #[must_use]
    pub fn into_kept(self) -> Vec<Kept> {
        let envelopes = self.envelopes.into_iter().zip(self.at);
        envelopes
            .map(|((topic, envelope), at)| Kept { at, topic, envelope: envelope.into() })
            .collect()
    }
}

/// What a catch-up came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many messages of reconciliation were answered.
    pub rounds: u32,
    /// How many envelopes the mailbox said to have and this side had not.
    pub missed: usize,
    /// Of those, how many it did not give: they expired meanwhile, or it lied.
    pub absent: usize,
    /// What the mailbox has not, and may be given with [`Session::store`].
    pub unknown_there: BTreeSet<EnvelopeId>,
    /// The mailbox's time when it began: the next catch-up may begin from there.
    pub since: Time,
}

/// A catch-up that is being made. Whatever a mailbox answers, it ends.
pub struct CatchUp<'s> {
    call: Call<'s, Answer>,
    topics: BTreeSet<Topic>,
    known: HashSet<EnvelopeId>,
    sync: SetSync,
    from: Time,
    began: bool,
    missing: Vec<EnvelopeId>,
    /// The ids that were asked for last.
    asked: Vec<EnvelopeId>,
    /// How many are asked for at a time: about as many as one answer has room for, since the others have to
    /// be named again.
    at_once: usize,
    summary: Summary,
}

impl<'s> CatchUp<'s> {
    /// Begins, and gives the first frame.
    ///
    /// `topics` are those of the box, and `known` what this side has of them. `since` is the
    /// [`Summary::since`] of a catch-up that ended, less what clocks and deliveries may be apart, or zero;
    /// of what came before, the mailbox need not speak.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn start(
        session: &'s mut Session,
        topics: impl IntoIterator<Item = Topic>,
        known: impl IntoIterator<Item = EnvelopeId>,
        since: Time,
    ) -> Result<(Self, Vec<u8>), ClientError> {
        let known: HashSet<_> = known.into_iter().collect();
        let (sync, message) = SetSync::start(known.iter().copied())?;
        let request = Request::Reconcile(Reconcile { since, message: message.into() });
        let call = Call::new(session, request, Some);
        let frame = call.frame()?;
        let catch_up = Self {
            call,
            topics: topics.into_iter().collect(),
            known,
            sync,
            from: since,
            began: false,
            missing: Vec::new(),
            asked: Vec::new(),
            at_once: MAX_ITEMS,
            summary: Summary::default(),
        };
        Ok((catch_up, frame))
    }

    /// Takes what was answered.
    ///
    /// # Errors
    ///
    /// [`ClientError`]. If the mailbox refused and it is retryable, [`frame`](Self::frame) may be sent
    /// again; otherwise it is over. What came before is good.
    pub fn step(&mut self, frame: &[u8]) -> Result<Progress, ClientError> {
        match self.call.step(frame)? {
            Step::Send(next) => Ok(Progress { next: Some(next), ..Progress::default() }),
            Step::Done(Answer::Reconciled(said)) if self.asked.is_empty() => self.reconciled(&said),
            Step::Done(Answer::Envelopes(said)) if !self.asked.is_empty() => self.fetched(said),
            Step::Done(_) => Err(ClientError::BadAnswer),
        }
    }

    /// The frame that was sent last: to be sent again, after the time that it says, if the mailbox refused
    /// it because of its [rate](crate::mailbox::MailboxError::Rate).
    ///
    /// # Errors
    ///
    /// As [`Call::frame`].
    pub fn frame(&self) -> Result<Vec<u8>, ClientError> {
        self.call.frame()
    }

    /// What it came to, as far as it has come.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    fn reconciled(&mut self, said: &Reconciled) -> Result<Progress, ClientError> {
        if !self.began {
            self.began = true;
            self.summary.since = said.now;
        }
        let next = self.sync.step(said.message.as_slice())?;
        self.summary.rounds = self.sync.rounds();
        match next {
            Next::Send(message) => {
                let reconcile = Reconcile { since: self.from, message: message.into() };
                let next = self.call.next(Request::Reconcile(reconcile))?;
                Ok(Progress { next: Some(next), ..Progress::default() })
            }
            Next::Done(difference) => {
                // Something that is known may be missing from a set that begins later.
                let need = difference.need.into_iter().filter(|id| !self.known.contains(id));
                self.missing = need.collect();
                self.missing.reverse();
                self.summary.missed = self.missing.len();
                self.summary.unknown_there = difference.have;
                Ok(Progress { next: self.fetch()?, ..Progress::default() })
            }
        }
    }

    fn fetch(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let rest = self.missing.len().saturating_sub(self.at_once);
        self.asked = self.missing.split_off(rest);
        self.asked.reverse();
        if self.asked.is_empty() {
            return Ok(None);
        }
        let ids = List::new(self.asked.clone()).ok_or(ClientError::TooLarge)?;
        self.call.next(Request::Fetch(ids)).map(Some)
    }

    fn fetched(&mut self, said: Envelopes) -> Result<Progress, ClientError> {
        let answered = usize::from(said.answered);
        if answered == 0 || answered > self.asked.len() {
            return Err(ClientError::BadAnswer);
        }
        let again = self.asked.split_off(answered);
        let room = if again.is_empty() { self.at_once * 2 } else { answered + answered / 8 + 1 };
        self.at_once = room.min(MAX_ITEMS);
        let mut awaited: HashSet<_> = std::mem::take(&mut self.asked).into_iter().collect();
        let mut progress = Progress::default();
        for Kept { at, topic, envelope } in said.items.into_vec() {
            let bytes = Vec::from(envelope);
            // What was not asked for, or is not what it is called, is no answer.
            if !awaited.remove(&EnvelopeId::of(&bytes)) || !self.topics.contains(&topic) {
                return Err(ClientError::BadAnswer);
            }
            progress.envelopes.push((topic, bytes));
            progress.at.push(at);
        }
        self.summary.absent += awaited.len();
        self.missing.extend(again.into_iter().rev());
        progress.next = self.fetch()?;
        Ok(progress)
    }
}
