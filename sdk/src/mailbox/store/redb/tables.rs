//! What is in the file, and what is done to it within one transaction.
//!
//! | table | key | value |
//! |---|---|---|
//! | `boxes` | box (32) | a [`BoxRecord`] |
//! | `mail` | box, envelope (32) | when it came (8), topic (32), the envelope |
//! | `index` | box, envelope | when it came (8), how long it is (4) |
//! | `age` | when it came (8), box, envelope | nothing |
//! | `usage` | box | how many envelopes (8), their bytes (8) |
//! | `total` | nothing | all bytes (8) |
//! | `pools` | box, suite (2) | a [`PoolRecord`] |
//! | `packages` | box, suite, hash (32) | until when (8), the key package |
//!
//! Every operation looks first and writes then: one that refuses has written nothing, so that others
//! may share its transaction.

use std::collections::BTreeMap;

use redb::{AccessGuard, ReadableTable, Table, TableDefinition, TableError, WriteTransaction};
use tls_codec::{DeserializeBytes, Serialize, VLBytes};

use super::broken;
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::store::{
    BoxRecord, Mail, OVERHEAD, PoolRecord, Room, StoreError, StoreResult, Usage, packages_cost,
};
use crate::mailbox::wire::{Deposit, Kind, Taken};
use crate::{Time, Topic};

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Open<'t> = Table<'t, &'static [u8], &'static [u8]>;

pub(super) const BOXES: Definition = TableDefinition::new("boxes");
pub(super) const MAIL: Definition = TableDefinition::new("mail");
pub(super) const INDEX: Definition = TableDefinition::new("index");
pub(super) const AGE: Definition = TableDefinition::new("age");
pub(super) const USAGE: Definition = TableDefinition::new("usage");
const TOTAL: Definition = TableDefinition::new("total");
pub(super) const POOLS: Definition = TableDefinition::new("pools");
pub(super) const PACKAGES: Definition = TableDefinition::new("packages");

/// How many envelopes one transaction deletes because of their age.
pub(super) const EXPIRED: usize = 4096;

/// All tables within a transaction.
pub(super) struct Tables<'t> {
    boxes: Open<'t>,
    mail: Open<'t>,
    index: Open<'t>,
    age: Open<'t>,
    usage: Open<'t>,
    total: Open<'t>,
    pools: Open<'t>,
    packages: Open<'t>,
}

/// All keys that begin so.
pub(super) fn range(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let high = [prefix, &[0xFF; 80][..]].concat();
    (prefix.to_vec(), high)
}

pub(super) fn key(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The number in the first bytes, and the rest.
pub(super) fn number(bytes: &[u8]) -> StoreResult<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk().ok_or_else(|| broken("a number is missing"))?;
    Ok((u64::from_be_bytes(*number), rest))
}

/// When something came, and how long it is.
pub(super) fn entry(bytes: &[u8]) -> StoreResult<(Time, u64)> {
    let (at, rest) = number(bytes)?;
    let length = rest.try_into().map_err(|_| broken("an entry has another length"))?;
    Ok((Time(at), u32::from_be_bytes(length).into()))
}

/// An envelope as it is kept.
pub(super) fn mail(id: EnvelopeId, value: &[u8]) -> StoreResult<Mail> {
    let (at, rest) = number(value)?;
    let (topic, bytes) = rest.split_first_chunk().ok_or_else(|| broken("a topic is missing"))?;
    Ok(Mail { id, topic: Topic(*topic), at: Time(at), bytes: bytes.to_vec() })
}

pub(super) fn usage(bytes: Option<AccessGuard<'_, &'static [u8]>>) -> StoreResult<Usage> {
    let Some(bytes) = bytes else { return Ok(Usage::default()) };
    let (count, rest) = number(bytes.value())?;
    Ok(Usage { count, bytes: number(rest)?.0 })
}

/// What a record of ours is.
pub(super) fn record<T: DeserializeBytes>(bytes: &[u8]) -> StoreResult<T> {
    T::tls_deserialize_exact_bytes(bytes).map_err(|_| broken("a record can't be read"))
}

fn bytes<T: Serialize>(value: &T) -> StoreResult<Vec<u8>> {
    value.tls_serialize_detached().map_err(StoreError::failed)
}

fn put(table: &mut Open<'_>, key: &[u8], value: &[u8]) -> StoreResult<()> {
    table.insert(key, value).map_err(super::error)?;
    Ok(())
}

fn delete(table: &mut Open<'_>, key: &[u8]) -> StoreResult<()> {
    table.remove(key).map_err(super::error)?;
    Ok(())
}

/// The keys that begin so, at most so many, with what `of` makes of their values.
fn scan<T>(
    table: &Open<'_>,
    prefix: &[u8],
    most: usize,
    of: impl Fn(&[u8]) -> StoreResult<T>,
) -> StoreResult<Vec<(Vec<u8>, T)>> {
    let (low, high) = range(prefix);
    let found = table.range(low.as_slice()..=high.as_slice()).map_err(super::error)?;
    found
        .take(most)
        .map(|entry| {
            let (key, value) = entry.map_err(super::error)?;
            Ok((key.value().to_vec(), of(value.value())?))
        })
        .collect()
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        let open = |definition: Definition| transaction.open_table(definition);
        Ok(Self {
            boxes: open(BOXES)?,
            mail: open(MAIL)?,
            index: open(INDEX)?,
            age: open(AGE)?,
            usage: open(USAGE)?,
            total: open(TOTAL)?,
            pools: open(POOLS)?,
            packages: open(PACKAGES)?,
        })
    }

    fn must_have(&self, id: &BoxId) -> StoreResult<()> {
        let found = self.boxes.get(&id.0[..]).map_err(super::error)?;
        found.map(drop).ok_or(StoreError::NoBox)
    }

    fn total(&self) -> StoreResult<u64> {
        let total = self.total.get(&[][..]).map_err(super::error)?;
        total.map_or(Ok(0), |total| Ok(number(total.value())?.0))
    }

    fn set_total(&mut self, total: u64) -> StoreResult<()> {
        put(&mut self.total, &[], &total.to_be_bytes())
    }

    fn usage(&self, id: &BoxId) -> StoreResult<Usage> {
        usage(self.usage.get(&id.0[..]).map_err(super::error)?)
    }

    fn set_usage(&mut self, id: &BoxId, usage: Usage) -> StoreResult<()> {
        let value = key(&[&usage.count.to_be_bytes(), &usage.bytes.to_be_bytes()]);
        put(&mut self.usage, &id.0, &value)
    }

    pub(super) fn write(&mut self, id: &BoxId, record: &BoxRecord) -> StoreResult<()> {
        put(&mut self.boxes, &id.0, &bytes(record)?)
    }

    pub(super) fn remove(&mut self, id: &BoxId) -> StoreResult<()> {
        let mut freed = self.usage(id)?.bytes;
        for (key, (at, _)) in scan(&self.index, &id.0, usize::MAX, entry)? {
            delete(&mut self.age, &[&at.0.to_be_bytes(), &key[..]].concat())?;
            delete(&mut self.mail, &key)?;
            delete(&mut self.index, &key)?;
        }
        let length = |bytes: &[u8]| Ok(bytes.len() as u64 - 8 + OVERHEAD);
        for (key, cost) in scan(&self.packages, &id.0, usize::MAX, length)? {
            freed += cost;
            delete(&mut self.packages, &key)?;
        }
        for (key, pool) in scan(&self.pools, &id.0, usize::MAX, record::<PoolRecord>)? {
            freed += pool.bytes();
            delete(&mut self.pools, &key)?;
        }
        delete(&mut self.usage, &id.0)?;
        delete(&mut self.boxes, &id.0)?;
        let total = self.total()?.saturating_sub(freed);
        self.set_total(total)
    }

    pub(super) fn put(&mut self, id: &BoxId, mail: &[Mail], room: Room) -> StoreResult<usize> {
        self.must_have(id)?;
        let mut new = BTreeMap::new();
        for mail in mail {
            let key = key(&[&id.0, &mail.id.0]);
            if self.index.get(key.as_slice()).map_err(super::error)?.is_none() {
                new.insert(key, mail);
            }
        }
        if new.is_empty() {
            return Ok(0);
        }
        let cost: u64 = new.values().map(|mail| mail.cost()).sum();
        let (mut usage, total) = (self.usage(id)?, self.total()? + cost);
        usage.count += new.len() as u64;
        usage.bytes += cost;
        if usage.count > room.count || usage.bytes > room.bytes {
            return Err(StoreError::Quota);
        }
        if total > room.total {
            return Err(StoreError::Full);
        }
        for (key, mail) in &new {
            let at = mail.at.0.to_be_bytes();
            let length = u32::try_from(mail.bytes.len()).map_err(|_| StoreError::Quota)?;
            put(&mut self.mail, key, &[&at[..], &mail.topic.0, &mail.bytes].concat())?;
            put(&mut self.index, key, &[&at[..], &length.to_be_bytes()].concat())?;
            put(&mut self.age, &[&at[..], key].concat(), &[])?;
        }
        self.set_usage(id, usage)?;
        self.set_total(total)?;
        Ok(new.len())
    }

    pub(super) fn expire(&mut self, before: Time) -> StoreResult<usize> {
        let until = before.0.to_be_bytes();
        let old: Vec<Vec<u8>> = self
            .age
            .range::<&[u8]>(..&until[..])
            .map_err(super::error)?
            .take(EXPIRED)
            .map(|entry| Ok(entry.map_err(super::error)?.0.value().to_vec()))
            .collect::<StoreResult<_>>()?;
        let mut freed: BTreeMap<BoxId, Usage> = BTreeMap::new();
        for age in &old {
            let (_, key) = number(age)?;
            let found = self.index.remove(key).map_err(super::error)?;
            let (_, length) =
                found.map_or(Err(broken("no entry")), |found| entry(found.value()))?;
            let id = key.first_chunk().ok_or_else(|| broken("a key is short"))?;
            let freed = freed.entry(BoxId(*id)).or_default();
            freed.count += 1;
            freed.bytes += length + OVERHEAD;
            delete(&mut self.mail, key)?;
            delete(&mut self.age, age)?;
        }
        let mut total = self.total()?;
        for (id, freed) in freed {
            let mut usage = self.usage(&id)?;
            usage.count = usage.count.saturating_sub(freed.count);
            usage.bytes = usage.bytes.saturating_sub(freed.bytes);
            self.set_usage(&id, usage)?;
            total = total.saturating_sub(freed.bytes);
        }
        self.set_total(total)?;
        Ok(old.len())
    }

    pub(super) fn deposit(
        &mut self,
        id: &BoxId,
        deposit: &Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        self.must_have(id)?;
        let pool = key(&[&id.0, &deposit.suite.to_be_bytes()]);
        let old = match self.pools.get(pool.as_slice()).map_err(super::error)? {
            Some(found) => Some(record::<PoolRecord>(found.value())?),
            None => None,
        };
        if old.is_none() && scan(&self.pools, &id.0, suites, |_| Ok(()))?.len() >= suites {
            return Err(StoreError::Quota);
        }
        let before = old.as_ref().map_or(0, PoolRecord::bytes);
        let Some(new) = old.unwrap_or_default().after(deposit) else { return Ok(()) };
        let length = |bytes: &[u8]| Ok(bytes.len() as u64 - 8 + OVERHEAD);
        let there = scan(&self.packages, &pool, usize::MAX, length)?;
        let bytes_there: u64 = there.iter().map(|(_, cost)| cost).sum();
        let cost = packages_cost(deposit);
        let count = (there.len() + deposit.one_time.len()) as u64;
        if count > room.count || bytes_there + cost + new.bytes() > room.bytes {
            return Err(StoreError::Quota);
        }
        let mut total = self.total()?.saturating_sub(before) + new.bytes();
        if total + cost > room.total {
            return Err(StoreError::Full);
        }
        for package in deposit.one_time.iter() {
            let package = package.as_slice();
            let key = key(&[&pool, &EnvelopeId::of(package).0]);
            let value = [&deposit.expires.0.to_be_bytes()[..], package].concat();
            let known = self.packages.insert(key.as_slice(), value.as_slice());
            if known.map_err(super::error)?.is_none() {
                total += package.len() as u64 + OVERHEAD;
            }
        }
        put(&mut self.pools, &pool, &bytes(&new)?)?;
        self.set_total(total)
    }

    pub(super) fn take(
        &mut self,
        id: &BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        self.must_have(id)?;
        let pool = key(&[&id.0, &suite.to_be_bytes()]);
        let mut state = match self.pools.get(pool.as_slice()).map_err(super::error)? {
            Some(found) => record::<PoolRecord>(found.value())?,
            None => return Ok(None),
        };
        if !spare && let Some(package) = self.one_time(&pool, now)? {
            return Ok(Some(state.taken(package, Kind::OneTime)));
        }
        let Some((taken, first)) = state.last_resort(now) else { return Ok(None) };
        if first {
            put(&mut self.pools, &pool, &bytes(&state)?)?;
        }
        Ok(Some(taken))
    }

    /// Takes out the first one-time key package that is valid.
    fn one_time(&mut self, pool: &[u8], now: Time) -> StoreResult<Option<VLBytes>> {
        let mut total = self.total()?;
        loop {
            let first = scan(&self.packages, pool, 1, |value| Ok(value.to_vec()))?.pop();
            let Some((key, value)) = first else { return Ok(None) };
            let (expires, package) = number(&value)?;
            delete(&mut self.packages, &key)?;
            total = total.saturating_sub(package.len() as u64 + OVERHEAD);
            self.set_total(total)?;
            if now < Time(expires) {
                return Ok(Some(VLBytes::from(package.to_vec())));
            }
        }
    }
}
