//! What holders of a capability ask.

use tls_codec::VLBytes;

use super::{Service, rate};
use crate::Time;
use crate::mailbox::capability::{BoxId, EnvelopeId, Grant, is_signed, statement};
use crate::mailbox::error::MailboxError;
use crate::mailbox::list::List;
use crate::mailbox::store::{BoxRecord, Mail, MailStore};
use crate::mailbox::sync;
use crate::mailbox::wire::{
    self, Answer, Envelopes, Item, Kept, MAX_FRAME, MAX_ITEMS, MAX_REPLICAS, Open, Reconcile,
    Reconciled, Request, Signed, Signer, Status,
};

/// What a frame of envelopes needs for everything but their bytes.
const SLACK: usize = 64 << 10;

impl<S: MailStore> Service<S> {
    /// Checks who signed what, and does it.
    pub(super) async fn signed(
        &self,
        now: Time,
        peer: &[u8],
        alias: [u8; 16],
        signed: &Signed,
    ) -> Result<Answer, MailboxError> {
        if !self.challenges.is_fresh(now, peer, signed.challenge) {
            return Err(MailboxError::Stale(self.challenges.current(now, peer)));
        }
        let id = signed.by.box_id();
        let body = signed.body.as_slice();
        let said = statement(&self.id(), &id, signed.challenge, body);
        let (public, reads_only) = match &signed.by {
            Signer::Holder(holder) => (holder.0, false),
            Signer::Mailbox(grant) => (grant.to.0, true),
        };
        if !is_signed(&public, &said, &signed.signature) {
            return Err(MailboxError::Forbidden);
        }
        if let Signer::Mailbox(grant) = &signed.by
            && (grant.from != self.id() || !grant.is_valid(now))
        {
            return Err(MailboxError::Forbidden);
        }
        let request = wire::body(body)?;
        let reads = matches!(request, Request::Reconcile(_) | Request::Fetch(_) | Request::Status);
        if reads_only && !reads {
            return Err(MailboxError::Forbidden);
        }
        self.request(now, alias, id, request).await
    }

    async fn request(
        &self,
        now: Time,
        alias: [u8; 16],
        id: BoxId,
        request: Request,
    ) -> Result<Answer, MailboxError> {
        match request {
            Request::Open(open) => self.open_box(now, alias, id, open).await,
            Request::Renew(seconds) => {
                let mut record = self.record(now, id).await?;
                record.expires = self.limits.until(now, seconds);
                self.write(id, record).await
            }
            Request::Close => {
                self.record(now, id).await?;
                self.store.remove(id).await?;
                self.state().boxes.remove(&id);
                Ok(Answer::Closed)
            }
            Request::Status => {
                let record = self.record(now, id).await?;
                self.status(id, &record).await
            }
            Request::Store(items) => self.keep(now, id, items).await,
            Request::Reconcile(reconcile) => self.reconcile(now, alias, id, &reconcile).await,
            Request::Fetch(ids) => self.fetch(now, id, &ids).await,
            Request::Deposit(deposit) => self.deposit(now, id, deposit).await,
            Request::Pools => {
                self.record(now, id).await?;
                self.pools(id).await
            }
            Request::Replicate(grants) => self.replicate(now, id, grants).await,
        }
    }

    async fn open_box(
        &self,
        now: Time,
        alias: [u8; 16],
        id: BoxId,
        open: Open,
    ) -> Result<Answer, MailboxError> {
        let old = self.store.find(id).await?;
        let (until, opened_by, replicas) = old.map_or((Time(0), alias, List::default()), |old| {
            (old.expires, old.opened_by, old.replicas)
        });
        // Who needs it for less time takes nothing from others.
        let expires = self.limits.until(now, open.ttl).max(until);
        let mut record = BoxRecord { expires, opened_by, topics: open.topics, replicas };
        // Taken into account before it is written, so that two at once do not both get the last place.
        let before = {
            let mut state = self.state();
            // It may have been opened for this peer: then it counts as his from now on, if he has room.
            if state.boxes.has_room(&self.limits, &alias) {
                record.opened_by = alias;
            }
            state.boxes.admit(&self.limits, &id, &record)?;
            let before = state.boxes.get(&id).cloned();
            state.boxes.insert(id, record.clone());
            before
        };
        let written = self.write(id, record).await;
        if written.is_err() {
            let mut state = self.state();
            match before {
                Some(before) => state.boxes.insert(id, before),
                None => state.boxes.remove(&id),
            }
        }
        written
    }

    async fn write(&self, id: BoxId, record: BoxRecord) -> Result<Answer, MailboxError> {
        self.store.write(id, record.clone()).await?;
        self.state().boxes.insert(id, record.clone());
        self.status(id, &record).await
    }

    async fn status(&self, id: BoxId, record: &BoxRecord) -> Result<Answer, MailboxError> {
        let usage = self.store.usage(id).await?;
        Ok(Answer::Status(Status {
            expires: record.expires,
            envelopes: usage.count,
            bytes: usage.bytes,
            most_envelopes: self.limits.box_envelopes,
            most_bytes: self.limits.box_bytes,
            keeps: self.limits.keep.0,
        }))
    }

    async fn keep(
        &self,
        now: Time,
        id: BoxId,
        items: List<Item, MAX_ITEMS>,
    ) -> Result<Answer, MailboxError> {
        let record = self.record(now, id).await?;
        let mut mail = Vec::with_capacity(items.len());
        for Item { topic, envelope } in items.into_vec() {
            let bytes = Vec::from(envelope);
            self.check_length(&bytes)?;
            if !record.topics.contains(&topic) {
                return Err(MailboxError::Forbidden);
            }
            mail.push(Mail { id: EnvelopeId::of(&bytes), topic, at: now, bytes });
        }
        let put = self.store.put(id, mail, self.room()).await;
        self.stored(&put);
        Ok(Answer::Stored(u16::try_from(put?).unwrap_or(u16::MAX)))
    }

    async fn reconcile(
        &self,
        now: Time,
        alias: [u8; 16],
        id: BoxId,
        reconcile: &Reconcile,
    ) -> Result<Answer, MailboxError> {
        self.record(now, id).await?;
        let ids = self.store.ids(id, reconcile.since).await?;
        let more = u32::try_from(ids.len() / self.limits.request_ids.max(1)).unwrap_or(u32::MAX);
        // Never more than there can be at once.
        let more = more.min(self.limits.peer_requests.burst / 2);
        self.state().peers.take(now, alias, more).map_err(rate)?;
        let message = reconcile.message.as_slice();
        let answer = sync::respond(ids, message, self.limits.reconcile_bytes);
        let message = VLBytes::from(answer.map_err(|_| MailboxError::Malformed)?);
        Ok(Answer::Reconciled(Reconciled { now, message }))
    }

    async fn fetch(
        &self,
        now: Time,
        id: BoxId,
        ids: &[EnvelopeId],
    ) -> Result<Answer, MailboxError> {
        self.record(now, id).await?;
        let some = ids.iter().take(MAX_ITEMS).copied().collect();
        let bytes = self.limits.fetch_bytes.min(MAX_FRAME - SLACK);
        let found = self.store.get(id, some, bytes).await?;
        let answered = u16::try_from(found.len()).map_err(|_| MailboxError::TooLarge)?;
        let items = found.into_iter().flatten().map(|mail| Kept {
            at: mail.at,
            topic: mail.topic,
            envelope: mail.bytes.into(),
        });
        let items = List::new(items.collect()).ok_or(MailboxError::TooLarge)?;
        Ok(Answer::Envelopes(Envelopes { answered, items }))
    }

    async fn replicate(
        &self,
        now: Time,
        id: BoxId,
        grants: List<Grant, MAX_REPLICAS>,
    ) -> Result<Answer, MailboxError> {
        let mut record = self.record(now, id).await?;
        let fits = |grant: &Grant| {
            grant.to == self.id()
                && grant.from != self.id()
                && grant.box_id() == id
                && grant.is_valid(now)
        };
        if !grants.iter().all(fits) {
            return Err(MailboxError::Forbidden);
        }
        record.replicas = grants;
        self.write(id, record).await
    }
}
