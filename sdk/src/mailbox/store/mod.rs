//! Where a mailbox keeps things: one trait, three stores.
//!
//! | | for | what was acknowledged survives |
//! |---|---|---|
//! | [`Memory`] | tests | nothing |
//! | [`Redb`] | one machine, the default | SIGKILL, loss of power |
//! | `JetStream` (feature `jetstream`) | several processes on one NATS cluster | the loss of a minority of nodes |
//!
//! The methods are asynchronous, because one of the stores is a network away; the embedded one has a
//! thread that writes, and answers when it has. Quotas are enforced here, in the transaction that
//! stores, and not by whoever calls.

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(feature = "jetstream")]
pub mod jetstream;
mod memory;
mod redb;

use std::future::Future;
use std::sync::Arc;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

pub use memory::Memory;
pub use redb::{Redb, RedbOptions};

use super::capability::{BoxId, EnvelopeId, Grant};
use super::list::List;
use super::wire::{Deposit, MAX_REPLICAS, MAX_TOPICS, Pool, Taken};
use crate::{Time, Topic};

/// What an envelope counts for beyond its bytes: names, times, and the store's own needs.
pub const OVERHEAD: u64 = 160;

/// A box without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct BoxRecord {
    /// When it ends.
    pub expires: Time,
    /// Who opened it: a name that says nothing without the mailbox's key.
    pub opened_by: [u8; 16],
    /// What it keeps.
    pub topics: List<Topic, MAX_TOPICS>,
    /// Where else it is kept.
    pub replicas: List<Grant, MAX_REPLICAS>,
}

/// An envelope that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its name.
    pub id: EnvelopeId,
    /// Where it came.
    pub topic: Topic,
    /// When it came.
    pub at: Time,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Mail {
    /// What it counts for.
    #[must_use]
    pub fn cost(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX).saturating_add(OVERHEAD)
    }
}

/// How much a box and the store may have after something was put into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many envelopes, or key packages.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many bytes in all boxes.
    pub total: u64,
}

/// How much a box has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many envelopes.
    pub count: u64,
    /// How many bytes they count for.
    pub bytes: u64,
}

/// Why a store did not do something.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such box.
    #[error("there is no such box")]
    NoBox,
    /// The box would have more than it may have.
    #[error("the box is full")]
    Quota,
    /// The store would have more than it may have.
    #[error("the store is full")]
    Full,
    /// There is no room on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// The store can't be reached now; whether it was done is not known.
    #[error("the store can't be reached")]
    Unavailable,
    /// The store can't be opened now, for a reason that whoever runs it can do something about.
    #[error("the store can't be opened: {0}")]
    NotOpened(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// What was set for the store can't be.
    #[error("the store can't be as it is to be: {0}")]
    Options(&'static str),
    /// The store is broken.
    #[error("the store failed: {0}")]
    Failed(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoBox => "no-box",
            Self::Quota => "quota",
            Self::Full => "full",
            Self::DiskFull => "disk-full",
            Self::Unavailable => "unavailable",
            Self::NotOpened(_) => "not-opened",
            Self::Options(_) => "options",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Quota | Self::Full | Self::DiskFull | Self::Unavailable | Self::NotOpened(_)
        )
    }

    pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// What a method of a store returns.
pub type StoreResult<T> = Result<T, StoreError>;

/// A store. When a method returns `Ok`, what it did is kept; when it returns an error other than
/// [`StoreError::Unavailable`], nothing was done. Futures may be dropped: then it was done or not.
pub trait MailStore: Send + Sync + 'static {
    /// All boxes.
    fn boxes(&self) -> impl Future<Output = StoreResult<Vec<(BoxId, BoxRecord)>>> + Send;

    /// One box.
    fn find(&self, id: BoxId) -> impl Future<Output = StoreResult<Option<BoxRecord>>> + Send;

    /// Writes a box, new or not. What is in it stays.
    fn write(&self, id: BoxId, record: BoxRecord) -> impl Future<Output = StoreResult<()>> + Send;

    /// Deletes a box and all that is in it.
    fn remove(&self, id: BoxId) -> impl Future<Output = StoreResult<()>> + Send;

    /// Keeps envelopes in a box, and says how many were new. Those that are there already stay as they
    /// are. Either all are kept or it is an error.
    fn put(
        &self,
        id: BoxId,
        mail: Vec<Mail>,
        room: Room,
    ) -> impl Future<Output = StoreResult<usize>> + Send;

    /// The names of what came to a box since; there may be older ones among them.
    fn ids(
        &self,
        id: BoxId,
        since: Time,
    ) -> impl Future<Output = StoreResult<Vec<EnvelopeId>>> + Send;

    /// Envelopes of a box in the order of `ids`, nothing for those that are not there, until they have
    /// `bytes` together: the first one always, then as many as fit. So it may be fewer than `ids`.
    fn get(
        &self,
        id: BoxId,
        ids: Vec<EnvelopeId>,
        bytes: usize,
    ) -> impl Future<Output = StoreResult<Vec<Option<Mail>>>> + Send;

    /// How much a box has.
    fn usage(&self, id: BoxId) -> impl Future<Output = StoreResult<Usage>> + Send;

    /// Deletes envelopes that came before a moment, at most some thousands at a time, and says how many
    /// it deleted; and, with no particular haste, gives their room back.
    fn expire(&self, before: Time) -> impl Future<Output = StoreResult<usize>> + Send;

    /// Keeps key packages, unless the serial number is one that was already seen.
    fn deposit(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Takes a key package out that is valid at `now`: one that nobody gets again, or, if there is none
    /// or `spare` says to save them, the last-resort one.
    fn take(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> impl Future<Output = StoreResult<Option<Taken>>> + Send;

    /// What key packages there are.
    fn pools(&self, id: BoxId) -> impl Future<Output = StoreResult<Vec<Pool>>> + Send;
}

/// What a box has of one suite beside its one-time key packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct PoolRecord {
    serial: u64,
    /// The last-resort key package.
    last: Option<LastPackage>,
    beside: List<VLBytes, { super::wire::MAX_BESIDE }>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct LastPackage {
    expires: Time,
    /// Whether somebody has got it, 1, or 0.
    used: u8,
    package: VLBytes,
}

impl PoolRecord {
    /// After a deposit; nothing if it was seen before.
    fn after(self, deposit: &Deposit) -> Option<Self> {
        if deposit.serial <= self.serial {
            return None;
        }
        let last = deposit.last_resort.clone().map(|package| LastPackage {
            expires: deposit.expires,
            used: 0,
            package,
        });
        Some(Self {
            serial: deposit.serial,
            last: last.or(self.last),
            beside: deposit.beside.clone(),
        })
    }

    /// What it has in bytes.
    fn bytes(&self) -> u64 {
        let last = self.last.iter().map(|last| last.package.as_slice().len());
        let beside = self.beside.iter().map(|answer| answer.as_slice().len());
        last.chain(beside).map(|length| length as u64 + OVERHEAD).sum()
    }

    /// The last-resort key package, if it is valid, and whether it is the first time.
    fn last_resort(&mut self, now: Time) -> Option<(Taken, bool)> {
        let last = self.last.as_mut().filter(|last| now < last.expires)?;
        let first = last.used == 0;
        last.used = 1;
        let package = last.package.clone();
        Some((self.taken(package, super::wire::Kind::LastResort), first))
    }

    fn taken(&self, package: VLBytes, kind: super::wire::Kind) -> Taken {
        Taken { package, kind, beside: self.beside.clone() }
    }

    fn pool(&self, suite: u16, one_time: u32) -> Pool {
        use super::wire::LastResort;
        let last_resort = match &self.last {
            None => LastResort::None,
            Some(last) if last.used == 0 => LastResort::Unused,
            Some(_) => LastResort::Used,
        };
        Pool { suite, serial: self.serial, one_time, last_resort }
    }
}

/// What one-time key packages count for.
fn packages_cost(deposit: &Deposit) -> u64 {
    deposit.one_time.iter().map(|package| package.as_slice().len() as u64 + OVERHEAD).sum()
}
