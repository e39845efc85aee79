//! Key packages in a cluster.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use tls_codec::VLBytes;

use super::link::Published;
use super::{JetStream, broken, bytes, hex, record};
use crate::Time;
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::store::{
    OVERHEAD, PoolRecord, Room, StoreError, StoreResult, Usage, packages_cost,
};
use crate::mailbox::wire::{Deposit, Kind, Pool, Taken};

const EXPIRES: &str = "Trellis-Expires";
const LENGTH: &str = "Trellis-Length";
/// How often something is tried that others do at the same time.
const CONTENDED: usize = 32;

impl JetStream {
    fn pool_subject(&self, id: &BoxId, suite: u16) -> String {
        format!("{}.box.pool.{}.{suite}", self.name, hex(&id.0))
    }

    fn packages_subject(&self, id: &BoxId, suite: u16) -> String {
        format!("{}.box.once.{}.{suite}", self.name, hex(&id.0))
    }

    /// What is there of a suite, with its number in the stream; zero if there is nothing.
    async fn pool(&self, id: &BoxId, suite: u16) -> StoreResult<Option<(u64, PoolRecord)>> {
        let Some(found) = self.boxes.last(&self.pool_subject(id, suite)).await? else {
            return Ok(None);
        };
        let pool = record(&found.payload).ok_or_else(|| broken("a pool can't be read"))?;
        Ok(Some((found.sequence, pool)))
    }

    /// How many one-time key packages there are.
    async fn packages(&self, id: &BoxId, suite: u16) -> StoreResult<Usage> {
        let all = format!("{}.*", self.packages_subject(id, suite));
        let mut usage = Usage::default();
        self.boxes
            .read(&all, 1, true, |message| {
                let length = message.headers.and_then(|headers| headers.get(LENGTH));
                let length = length.and_then(|length| length.as_str().parse::<u64>().ok());
                usage.count += 1;
                usage.bytes += length.unwrap_or(0).saturating_add(OVERHEAD);
                Ok(())
            })
            .await?;
        Ok(usage)
    }

    pub(super) async fn put_packages(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        let usage = self.packages(&id, deposit.suite).await?;
        let cost = packages_cost(&deposit);
        // First the serial number: if this is interrupted then, some key packages are missing, but
        // none is put there a second time.
        let (mut taken_in, mut tried) = (false, false);
        for _ in 0..CONTENDED {
            let old = self.pool(&id, deposit.suite).await?;
            if old.is_none() && self.count_packages(id).await?.len() >= suites {
                return Err(StoreError::Quota);
            }
            let (sequence, pool) = old.unwrap_or_default();
            if tried && pool.serial == deposit.serial {
                // It was written, and the answer lost.
                taken_in = true;
                break;
            }
            let Some(pool) = pool.after(&deposit) else { return Ok(()) };
            let after = usage.bytes + cost + pool.bytes();
            if usage.count + deposit.one_time.len() as u64 > room.count || after > room.bytes {
                return Err(StoreError::Quota);
            }
            if self.index().total() + after > room.total {
                return Err(StoreError::Full);
            }
            let subject = self.pool_subject(&id, deposit.suite);
            let headers = HeaderMap::new();
            tried = true;
            let published =
                self.boxes.publish(&subject, &headers, sequence, &bytes(&pool)?).await?;
            if matches!(published, Published::New(_)) {
                taken_in = true;
                break;
            }
        }
        if !taken_in {
            return Err(StoreError::Unavailable);
        }
        for package in deposit.one_time.iter() {
            let package = package.as_slice();
            let name = hex(&EnvelopeId::of(package).0);
            let subject = format!("{}.{name}", self.packages_subject(&id, deposit.suite));
            let mut headers = HeaderMap::new();
            headers.insert(EXPIRES, deposit.expires.0.to_string());
            headers.insert(LENGTH, package.len().to_string());
            // By its name it is noticed also when it was stored, given away and deleted, and the answer
            // to the first try was lost.
            self.boxes.publish_once(&subject, &headers, &subject, package).await?;
        }
        Ok(())
    }

    pub(super) async fn take_package(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        let Some((_, pool)) = self.pool(&id, suite).await? else { return Ok(None) };
        if !spare && let Some(package) = self.one_time(&id, suite, now).await? {
            return Ok(Some(pool.taken(package, Kind::OneTime)));
        }
        self.last_resort(id, suite, now).await
    }

    /// Takes out the first one-time key package that is valid.
    async fn one_time(&self, id: &BoxId, suite: u16, now: Time) -> StoreResult<Option<VLBytes>> {
        let all = format!("{}.*", self.packages_subject(id, suite));
        let mut from = 1;
        loop {
            let Some(found) = self.boxes.first(&all, from).await? else { return Ok(None) };
            from = found.sequence + 1;
            // Whoever deletes it has it.
            match self.boxes.delete(found.sequence).await {
                Ok(true) if now < expires(&found) => {
                    return Ok(Some(found.payload.to_vec().into()));
                }
                Ok(_) => {}
                // Without an answer it may be deleted, and by whomever: nobody gets it from here.
                Err(error) => return Err(error),
            }
        }
    }

    async fn last_resort(&self, id: BoxId, suite: u16, now: Time) -> StoreResult<Option<Taken>> {
        for _ in 0..CONTENDED {
            let Some((sequence, mut pool)) = self.pool(&id, suite).await? else { return Ok(None) };
            let Some((taken, first)) = pool.last_resort(now) else { return Ok(None) };
            if !first {
                return Ok(Some(taken));
            }
            let (subject, headers) = (self.pool_subject(&id, suite), HeaderMap::new());
            let marked = self.boxes.publish(&subject, &headers, sequence, &bytes(&pool)?).await?;
            if matches!(marked, Published::New(_)) {
                return Ok(Some(taken));
            }
        }
        Err(StoreError::Unavailable)
    }

    pub(super) async fn count_packages(&self, id: BoxId) -> StoreResult<Vec<Pool>> {
        let all = format!("{}.box.pool.{}.*", self.name, hex(&id.0));
        let mut pools = Vec::new();
        self.boxes
            .read(&all, 1, false, |message| {
                let suite = message.subject.rsplit('.').next().and_then(|suite| suite.parse().ok());
                pools.extend(suite.zip(record::<PoolRecord>(message.payload)));
                Ok(())
            })
            .await?;
        let mut counted = Vec::new();
        for (suite, pool) in pools {
            let all = format!("{}.*", self.packages_subject(&id, suite));
            let left = self.boxes.count(&all).await?;
            counted.push(pool.pool(suite, u32::try_from(left).unwrap_or(u32::MAX)));
        }
        Ok(counted)
    }
}

fn expires(message: &StreamMessage) -> Time {
    let expires = message.headers.get(EXPIRES).and_then(|expires| expires.as_str().parse().ok());
    Time(expires.unwrap_or(0))
}
