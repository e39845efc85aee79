//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tls_codec::VLBytes;

use super::{
    BoxRecord, Mail, MailStore, PoolRecord, Room, StoreError, StoreResult, Usage, packages_cost,
};
use crate::Time;
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::wire::{Deposit, Kind, Pool, Taken};

/// Everything in memory, and gone with it.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    boxes: BTreeMap<BoxId, Kept>,
    total: u64,
}

#[derive(Debug)]
struct Kept {
    record: BoxRecord,
    mail: BTreeMap<EnvelopeId, Mail>,
    bytes: u64,
    pools: BTreeMap<u16, Packages>,
}

#[derive(Debug, Default)]
struct Packages {
    record: PoolRecord,
    one_time: BTreeMap<EnvelopeId, (Time, VLBytes)>,
    bytes: u64,
}

impl Packages {
    fn total(&self) -> u64 {
        self.bytes + self.record.bytes()
    }
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn kept(&mut self, id: &BoxId) -> StoreResult<&mut Kept> {
        self.boxes.get_mut(id).ok_or(StoreError::NoBox)
    }
}

impl MailStore for Memory {
    async fn boxes(&self) -> StoreResult<Vec<(BoxId, BoxRecord)>> {
        Ok(self.state().boxes.iter().map(|(id, kept)| (*id, kept.record.clone())).collect())
    }

    async fn find(&self, id: BoxId) -> StoreResult<Option<BoxRecord>> {
        Ok(self.state().boxes.get(&id).map(|kept| kept.record.clone()))
    }

    async fn write(&self, id: BoxId, record: BoxRecord) -> StoreResult<()> {
        let mut state = self.state();
        let kept = state.boxes.entry(id).or_insert_with(|| Kept {
            record: record.clone(),
            mail: BTreeMap::new(),
            bytes: 0,
            pools: BTreeMap::new(),
        });
        kept.record = record;
        Ok(())
    }

    async fn remove(&self, id: BoxId) -> StoreResult<()> {
        let mut state = self.state();
        if let Some(kept) = state.boxes.remove(&id) {
            let pools: u64 = kept.pools.values().map(Packages::total).sum();
            state.total -= kept.bytes + pools;
        }
        Ok(())
    }

    async fn put(&self, id: BoxId, mail: Vec<Mail>, room: Room) -> StoreResult<usize> {
        let mut state = self.state();
        let total = state.total;
        let kept = state.kept(&id)?;
        let mut new = BTreeMap::new();
        for mail in mail {
            if !kept.mail.contains_key(&mail.id) {
                new.insert(mail.id, mail);
            }
        }
        let cost: u64 = new.values().map(Mail::cost).sum();
        let count = (kept.mail.len() + new.len()) as u64;
        if !new.is_empty() {
            if count > room.count || kept.bytes + cost > room.bytes {
                return Err(StoreError::Quota);
            }
            if total + cost > room.total {
                return Err(StoreError::Full);
            }
        }
        let stored = new.len();
        kept.bytes += cost;
        kept.mail.append(&mut new);
        state.total += cost;
        Ok(stored)
    }

    async fn ids(&self, id: BoxId, since: Time) -> StoreResult<Vec<EnvelopeId>> {
        let mut state = self.state();
        let mail = state.kept(&id)?.mail.values();
        Ok(mail.filter(|mail| mail.at >= since).map(|mail| mail.id).collect())
    }

    async fn get(
        &self,
        id: BoxId,
        ids: Vec<EnvelopeId>,
        bytes: usize,
    ) -> StoreResult<Vec<Option<Mail>>> {
        let mut state = self.state();
        let kept = state.kept(&id)?;
        let (mut found, mut length) = (Vec::new(), 0);
        for id in ids {
            let mail = kept.mail.get(&id);
            length += mail.map_or(0, |mail| mail.bytes.len());
            if length > bytes && !found.is_empty() {
                break;
            }
            found.push(mail.cloned());
        }
        Ok(found)
    }

    async fn usage(&self, id: BoxId) -> StoreResult<Usage> {
        let mut state = self.state();
        let kept = state.kept(&id)?;
        Ok(Usage { count: kept.mail.len() as u64, bytes: kept.bytes })
    }

    async fn expire(&self, before: Time) -> StoreResult<usize> {
        let mut state = self.state();
        let (mut deleted, mut freed) = (0, 0);
        for kept in state.boxes.values_mut() {
            kept.mail.retain(|_, mail| {
                let old = mail.at < before;
                if old {
                    deleted += 1;
                    freed += mail.cost();
                    kept.bytes -= mail.cost();
                }
                !old
            });
        }
        state.total -= freed;
        Ok(deleted)
    }

    async fn deposit(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        let mut state = self.state();
        let total = state.total;
        let kept = state.kept(&id)?;
        let old = kept.pools.get(&deposit.suite);
        if old.is_none() && kept.pools.len() >= suites {
            return Err(StoreError::Quota);
        }
        let Some(record) = old.map(|pool| pool.record.clone()).unwrap_or_default().after(&deposit)
        else {
            return Ok(());
        };
        let (count, bytes, before) =
            old.map_or((0, 0, 0), |pool| (pool.one_time.len(), pool.bytes, pool.total()));
        let bytes = bytes + packages_cost(&deposit);
        let after = bytes + record.bytes();
        if (count + deposit.one_time.len()) as u64 > room.count || after > room.bytes {
            return Err(StoreError::Quota);
        }
        if total - before + after > room.total {
            return Err(StoreError::Full);
        }
        let pool = kept.pools.entry(deposit.suite).or_default();
        pool.record = record;
        for package in deposit.one_time.iter() {
            let name = EnvelopeId::of(package.as_slice());
            if pool.one_time.insert(name, (deposit.expires, package.clone())).is_none() {
                pool.bytes += package.as_slice().len() as u64 + super::OVERHEAD;
            }
        }
        let after = pool.total();
        state.total = total - before + after;
        Ok(())
    }

    async fn take(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        let mut state = self.state();
        let Some(pool) = state.kept(&id)?.pools.get_mut(&suite) else { return Ok(None) };
        let mut freed = 0;
        let mut taken = None;
        while !spare && taken.is_none() {
            let Some((_, (expires, package))) = pool.one_time.pop_first() else { break };
            freed += package.as_slice().len() as u64 + super::OVERHEAD;
            if now < expires {
                taken = Some(pool.record.taken(package, Kind::OneTime));
            }
        }
        pool.bytes -= freed;
        let taken = taken.or_else(|| pool.record.last_resort(now).map(|(taken, _)| taken));
        state.total -= freed;
        Ok(taken)
    }

    async fn pools(&self, id: BoxId) -> StoreResult<Vec<Pool>> {
        let mut state = self.state();
        let pools = state.kept(&id)?.pools.iter();
        let count = |pool: &Packages| u32::try_from(pool.one_time.len()).unwrap_or(u32::MAX);
        Ok(pools.map(|(suite, pool)| pool.record.pool(*suite, count(pool))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::store::conformance;

    #[tokio::test]
    async fn does_what_every_store_does() {
        conformance::check(&Memory::new()).await;
    }
}
