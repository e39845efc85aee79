//! A store for tests that can be out of reach, and never finishes what it deletes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

#[derive(Debug, Default)]
pub(crate) struct Fake {
    inner: Memory,
    /// Whether it does not answer who wants to have something kept.
    pub(crate) away: AtomicBool,
    /// How often somebody wanted that.
    pub(crate) puts: AtomicUsize,
    /// How often it was to delete what is old, and said that it has.
    pub(crate) expiries: AtomicUsize,
}

impl MailStore for Fake {
    async fn boxes(&self) -> StoreResult<Vec<(BoxId, BoxRecord)>> {
        self.inner.boxes().await
    }

    async fn find(&self, id: BoxId) -> StoreResult<Option<BoxRecord>> {
        self.inner.find(id).await
    }

    async fn write(&self, id: BoxId, record: BoxRecord) -> StoreResult<()> {
        self.inner.write(id, record).await
    }

    async fn remove(&self, id: BoxId) -> StoreResult<()> {
        self.inner.remove(id).await
    }

    async fn put(&self, id: BoxId, mail: Vec<Mail>, room: Room) -> StoreResult<usize> {
        self.puts.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable);
        }
        self.inner.put(id, mail, room).await
    }

    async fn ids(&self, id: BoxId, since: Time) -> StoreResult<Vec<EnvelopeId>> {
        self.inner.ids(id, since).await
    }

    async fn get(
        &self,
        id: BoxId,
        ids: Vec<EnvelopeId>,
        bytes: usize,
    ) -> StoreResult<Vec<Option<Mail>>> {
        self.inner.get(id, ids, bytes).await
    }

    async fn usage(&self, id: BoxId) -> StoreResult<Usage> {
        self.inner.usage(id).await
    }

    async fn expire(&self, _before: Time) -> StoreResult<usize> {
        self.expiries.fetch_add(1, Ordering::SeqCst);
        Ok(1)
    }

    async fn deposit(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        self.inner.deposit(id, deposit, suites, room).await
    }

    async fn take(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        self.inner.take(id, suite, now, spare).await
    }

    async fn pools(&self, id: BoxId) -> StoreResult<Vec<Pool>> {
        self.inner.pools(id).await
    }
}
