//! The mailbox itself: bytes in, bytes out.

mod packages;
mod requests;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::boxes::Boxes;
use super::capability::{BoxId, EnvelopeId, Grant, MailboxId, MailboxKeys};
use super::challenge::Challenges;
use super::error::MailboxError;
use super::limits::Limits;
use super::rate::Rates;
use super::store::{BoxRecord, Mail, MailStore, Room, StoreError};
use super::wire::{self, Answer, Ask, Hello, Kept};
use crate::{Span, Time, Topic};

/// How often one tick deletes some thousand envelopes because of their age.
const EXPIRIES: usize = 16;

/// A mailbox over a store.
///
/// It has no clock, no socket and no task: whoever runs it passes in what comes, with the time, and the
/// peer as the transport has authenticated it. All methods take `&self` and may be called at the same
/// time. Dropping a future that was not ready leaves what it was doing done or not done.
pub struct Service<S> {
    store: S,
    keys: MailboxKeys,
    challenges: Challenges,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    boxes: Boxes,
    peers: Rates<[u8; 16]>,
    arrivals: Rates<Topic>,
    takers: Rates<[u8; 16]>,
    takes: Rates<BoxId>,
    refreshed: Time,
    trouble: Option<MailboxError>,
}

impl<S: MailStore> Service<S> {
    /// A mailbox with what its store has.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn open(
        keys: MailboxKeys,
        limits: Limits,
        store: S,
        now: Time,
    ) -> Result<Self, StoreError> {
        let mut boxes = Boxes::default();
        for (id, record) in store.boxes().await? {
            boxes.insert(id, record);
        }
        let state = State {
            boxes,
            peers: Rates::new(limits.peer_requests, limits.peers),
            arrivals: Rates::new(limits.topic_arrivals, limits.total_topics),
            takers: Rates::new(limits.peer_takes, limits.peers),
            takes: Rates::new(limits.box_takes, limits.total_boxes),
            refreshed: now,
            trouble: None,
        };
        let challenges = Challenges::new(keys.challenges());
        Ok(Self { store, keys, challenges, limits, state: Mutex::new(state) })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> MailboxId {
        self.keys.id()
    }

    /// Its numbers.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// What it has to listen to.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        self.state().boxes.topics().copied().collect()
    }

    /// Another number than before if [`topics`](Self::topics) may have changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state().boxes.generation()
    }

    /// What keeps this mailbox from keeping anything, if something does: [`MailboxError::Full`] until
    /// something is stored again, [`MailboxError::Unavailable`] until the store answers. For whoever runs it.
    #[must_use]
    pub fn trouble(&self) -> Option<MailboxError> {
        self.state().trouble.clone()
    }

    /// Notes what became of something that was to be stored.
    fn stored<T>(&self, done: &Result<T, StoreError>) {
        match done {
            Ok(_) => self.state().trouble = None,
            Err(error) => self.failed(&error.clone().into()),
        }
    }

    fn failed(&self, error: &MailboxError) {
        if matches!(error, MailboxError::Full | MailboxError::Unavailable) {
            self.state().trouble = Some(error.clone());
        }
    }

    /// Answers a frame of a peer: always a frame, and never nothing.
    pub async fn handle(&self, now: Time, peer: &[u8], frame: &[u8]) -> Vec<u8> {
        let answer = self.answer(now, peer, frame).await.unwrap_or_else(|error| {
            tracing::debug!(code = error.code(), "a mailbox request was refused");
            if error == MailboxError::Unavailable {
                self.failed(&error);
            }
            Answer::Refused(error)
        });
        wire::encode(&answer).unwrap_or_else(|| {
            let refused = wire::encode(&Answer::Refused(MailboxError::TooLarge));
            refused.expect("a refusal is short")
        })
    }

    async fn answer(&self, now: Time, peer: &[u8], frame: &[u8]) -> Result<Answer, MailboxError> {
        let alias = self.challenges.alias(peer);
        self.state().peers.take(now, alias, 1).map_err(rate)?;
        match wire::decode(frame)? {
            Ask::Hello => Ok(Answer::Hello(Hello {
                mailbox: self.id(),
                challenge: self.challenges.current(now, peer),
                now,
            })),
            Ask::Take(take) => self.give(now, alias, &take).await.map(Answer::Taken),
            Ask::Signed(signed) => self.signed(now, peer, alias, &signed).await,
        }
    }

    /// An envelope has come on a topic. It is put into each box that keeps it, and the number of those is
    /// returned.
    ///
    /// # Errors
    ///
    /// [`MailboxError::Unavailable`] if a box could not be reached, and then it is to be said
    /// [again](Self::arrived_before) later. If no box took it: [`MailboxError::TooLarge`],
    /// [`MailboxError::Rate`], or why not.
    pub async fn arrived(
        &self,
        now: Time,
        topic: Topic,
        envelope: &[u8],
    ) -> Result<usize, MailboxError> {
        if self.keeping(now, &topic).is_empty() {
            return Ok(0);
        }
        self.check_length(envelope)?;
        self.state().arrivals.take(now, topic, 1).map_err(rate)?;
        self.arrived_before(now, topic, envelope).await
    }

    /// The same for an envelope that [`arrived`](Self::arrived) before, when the store did not answer: it is
    /// not counted again.
    ///
    /// # Errors
    ///
    /// Those of [`arrived`](Self::arrived).
    pub async fn arrived_before(
        &self,
        now: Time,
        topic: Topic,
        envelope: &[u8],
    ) -> Result<usize, MailboxError> {
        let id = EnvelopeId::of(envelope);
        let (mut kept, mut failed) = (0, Ok(0));
        for name in self.keeping(now, &topic) {
            let mail = Mail { id, topic, at: now, bytes: envelope.to_vec() };
            let put = self.store.put(name, vec![mail], self.room()).await;
            self.stored(&put);
            match put.map_err(MailboxError::from) {
                Ok(_) => kept += 1,
                Err(MailboxError::Unavailable) => return Err(MailboxError::Unavailable),
                Err(error) => {
                    if error == MailboxError::UnknownBox {
                        self.state().boxes.remove(&name);
                    }
                    failed = Err(error);
                }
            }
        }
        if kept > 0 { Ok(kept) } else { failed }
    }

    /// The boxes that keep a topic now.
    fn keeping(&self, now: Time, topic: &Topic) -> Vec<BoxId> {
        let state = self.state();
        let open = |id: &&BoxId| state.boxes.get(id).is_some_and(|record| now < record.expires);
        state.boxes.keeping(topic).iter().filter(open).copied().collect()
    }

    /// Where the boxes of this mailbox may be read, too: what a [`Session::replica`] is made of.
    ///
    /// [`Session::replica`]: super::client::Session::replica
    #[must_use]
    pub fn replicas(&self, now: Time) -> Vec<Grant> {
        let state = self.state();
        let grants = state.boxes.iter().flat_map(|(_, record)| record.replicas.iter());
        // Those to others are of processes with other secrets that use the same store.
        let ours = |grant: &&Grant| grant.to == self.id() && now < grant.until;
        grants.filter(ours).cloned().collect()
    }

    /// What this mailbox has of a box: what a catch-up with another mailbox begins from.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn known(&self, id: BoxId) -> Result<Vec<EnvelopeId>, MailboxError> {
        Ok(self.store.ids(id, Time(0)).await?)
    }

    /// Keeps what another mailbox had of a box, for as long as that would have: so nothing goes back
    /// and forth between two mailboxes for ever. Says how many were new.
    ///
    /// # Errors
    ///
    /// Those of [`arrived`](Self::arrived).
    pub async fn replicated(
        &self,
        now: Time,
        id: BoxId,
        kept: Vec<Kept>,
    ) -> Result<usize, MailboxError> {
        let record = self.record(now, id).await?;
        let oldest = now - self.limits.keep;
        let mut mail = Vec::new();
        for Kept { at, topic, envelope } in kept {
            let bytes = Vec::from(envelope);
            if at < oldest || !record.topics.contains(&topic) || self.check_length(&bytes).is_err()
            {
                continue;
            }
            mail.push(Mail { id: EnvelopeId::of(&bytes), topic, at: at.min(now), bytes });
        }
        let put = self.store.put(id, mail, self.room()).await;
        self.stored(&put);
        Ok(put?)
    }

    /// Time has passed: deletes what is over, and looks for what other processes did. To be called
    /// every second or so.
    ///
    /// # Errors
    ///
    /// Those of the store; it may be called again.
    pub async fn tick(&self, now: Time) -> Result<(), StoreError> {
        let done = self.look_after(now).await;
        match &done {
            // That it answers does not say that it has room.
            Ok(()) => {
                let mut state = self.state();
                state.trouble = state.trouble.take().filter(|was| *was == MailboxError::Full);
            }
            Err(error) => self.failed(&error.clone().into()),
        }
        done
    }

    async fn look_after(&self, now: Time) -> Result<(), StoreError> {
        let due = now.since(self.state().refreshed) >= self.limits.refresh;
        if due {
            self.refresh().await?;
            self.state().refreshed = now;
        }
        let over: Vec<_> = {
            let state = self.state();
            let over = state.boxes.iter().filter(|(_, record)| record.expires <= now);
            over.map(|(id, _)| *id).collect()
        };
        for id in over {
            // It may have been renewed at another process.
            match self.store.find(id).await? {
                Some(record) if now < record.expires => self.state().boxes.insert(id, record),
                Some(_) => {
                    self.store.remove(id).await?;
                    self.state().boxes.remove(&id);
                }
                None => self.state().boxes.remove(&id),
            }
        }
        for _ in 0..EXPIRIES {
            if self.store.expire(now - self.limits.keep).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let before: Vec<_> = self.state().boxes.iter().map(|(id, _)| *id).collect();
        let mut there = std::collections::HashSet::new();
        for (id, record) in self.store.boxes().await? {
            there.insert(id);
            self.state().boxes.insert(id, record);
        }
        for id in before.into_iter().filter(|id| !there.contains(id)) {
            // It may have been opened anew since.
            if self.store.find(id).await?.is_none() {
                self.state().boxes.remove(&id);
            }
        }
        Ok(())
    }

    /// A box that is open.
    async fn record(&self, now: Time, id: BoxId) -> Result<BoxRecord, MailboxError> {
        let found = self.store.find(id).await?;
        let mut state = self.state();
        match found {
            None => {
                state.boxes.remove(&id);
                Err(MailboxError::UnknownBox)
            }
            Some(record) if record.expires <= now => Err(MailboxError::Expired),
            Some(record) => {
                state.boxes.insert(id, record.clone());
                Ok(record)
            }
        }
    }

    fn check_length(&self, envelope: &[u8]) -> Result<(), MailboxError> {
        match envelope.len() {
            0 => Err(MailboxError::Malformed),
            length if length > self.limits.message => Err(MailboxError::TooLarge),
            _ => Ok(()),
        }
    }

    fn room(&self) -> Room {
        Room {
            count: self.limits.box_envelopes,
            bytes: self.limits.box_bytes,
            total: self.limits.total_bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever runs a mailbox gives its futures to other threads.
const _: () = {
    const fn is_send<T: Send>(_: &T) {}
    #[allow(dead_code, reason = "compiling it is the check")]
    fn check<S: MailStore>(service: &Service<S>) {
        is_send(&service.handle(Time(0), &[], &[]));
        is_send(&service.arrived(Time(0), Topic([0; 32]), &[]));
        is_send(&service.tick(Time(0)));
    }
};

/// Too often.
fn rate(wait: Span) -> MailboxError {
    MailboxError::Rate(u32::try_from(wait.0).unwrap_or(u32::MAX))
}
