//! The store of one machine: one file, crash-safe, no server.
//!
//! What was answered is on the disk: the transaction was committed and synchronised before. So it
//! survives SIGKILL and, as far as the disk keeps its word, a loss of power. A full disk is an error that
//! leaves everything as it was; the store opens its file again and goes on when there is room.

mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};
use tokio::sync::{mpsc, oneshot};

use super::{BoxRecord, Mail, MailStore, PoolRecord, Room, StoreError, StoreResult, Usage};
use crate::Time;
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::wire::{Deposit, Pool, Taken};
use tables::{Definition, Tables};
use writer::{Done, Job, Opener, Shared};

/// How a file is used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedbOptions {
    /// How many bytes of the file stay in memory at most. 64 MiB.
    pub cache: usize,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { cache: 64 << 20 }
    }
}

/// A store in one file.
///
/// It has a thread that writes, and reads on the blocking threads of the tokio runtime that it is used
/// in. Dropping it waits until what was begun is written.
pub struct Redb {
    shared: Shared,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Redb {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if another process has it open, [`StoreError::Failed`] if it is no
    /// file of this store or can't be read, [`StoreError::DiskFull`].
    pub fn open(path: impl AsRef<Path>, options: RedbOptions) -> StoreResult<Self> {
        let path: PathBuf = path.as_ref().into();
        Self::start(Box::new(move || {
            let mut builder = Database::builder();
            builder.set_cache_size(options.cache).create(&path).map_err(error)
        }))
    }

    fn start(opener: Opener) -> StoreResult<Self> {
        let database = opener()?;
        // So that whoever reads finds all tables.
        let transaction = database.begin_write().map_err(error)?;
        drop(Tables::open(&transaction).map_err(error)?);
        transaction.commit().map_err(error)?;
        let shared: Shared = Arc::new(RwLock::new(Some(database)));
        let (jobs, waiting) = mpsc::channel(writer::WAITING);
        let theirs = shared.clone();
        let writer = std::thread::Builder::new()
            .name("trellis-mailbox".into())
            .spawn(move || writer::run(&theirs, &opener, waiting))
            .map_err(StoreError::failed)?;
        Ok(Self { shared, jobs: Some(jobs), writer: Some(writer) })
    }

    async fn change(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> StoreResult<Done> + Send + 'static,
    ) -> StoreResult<Done> {
        let (answer, done) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Unavailable)?;
        let job = Job { work: Box::new(work), answer };
        jobs.send(job).await.map_err(|_| StoreError::Unavailable)?;
        done.await.map_err(|_| StoreError::Unavailable)?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let shared = self.shared.clone();
        let read = move || {
            let database = shared.read().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_ref().ok_or(StoreError::Unavailable)?;
            work(&Reader(database.begin_read().map_err(error)?))
        };
        tokio::task::spawn_blocking(read).await.map_err(StoreError::failed)?
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A panic in there has been printed; there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Redb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redb(..)")
    }
}

struct Reader(redb::ReadTransaction);

impl Reader {
    fn table(
        &self,
        definition: Definition,
    ) -> StoreResult<ReadOnlyTable<&'static [u8], &'static [u8]>> {
        self.0.open_table(definition).map_err(error)
    }

    /// All that begins so, as `of` makes it.
    fn scan<T>(
        &self,
        definition: Definition,
        prefix: &[u8],
        mut of: impl FnMut(&[u8], &[u8]) -> StoreResult<Option<T>>,
    ) -> StoreResult<Vec<T>> {
        let (low, high) = tables::range(prefix);
        let table = self.table(definition)?;
        let mut all = Vec::new();
        for entry in table.range(low.as_slice()..=high.as_slice()).map_err(error)? {
            let (key, value) = entry.map_err(error)?;
            all.extend(of(key.value(), value.value())?);
        }
        Ok(all)
    }

    fn find(&self, id: &BoxId) -> StoreResult<Option<BoxRecord>> {
        let found = self.table(tables::BOXES)?.get(&id.0[..]).map_err(error)?;
        found.map(|found| tables::record(found.value())).transpose()
    }

    fn must_have(&self, id: &BoxId) -> StoreResult<()> {
        self.find(id)?.map(drop).ok_or(StoreError::NoBox)
    }
}

fn name(key: &[u8]) -> StoreResult<[u8; 32]> {
    key.last_chunk().copied().ok_or_else(|| broken("a key is short"))
}

impl MailStore for Redb {
    async fn boxes(&self) -> StoreResult<Vec<(BoxId, BoxRecord)>> {
        self.read(|reader| {
            reader.scan(tables::BOXES, &[], |key, value| {
                Ok(Some((BoxId(name(key)?), tables::record(value)?)))
            })
        })
        .await
    }

    async fn find(&self, id: BoxId) -> StoreResult<Option<BoxRecord>> {
        self.read(move |reader| reader.find(&id)).await
    }

    async fn write(&self, id: BoxId, record: BoxRecord) -> StoreResult<()> {
        let work = move |tables: &mut Tables<'_>| tables.write(&id, &record);
        self.change(move |tables| work(tables).map(|()| Done::Nothing)).await.map(drop)
    }

    async fn remove(&self, id: BoxId) -> StoreResult<()> {
        self.change(move |tables| tables.remove(&id).map(|()| Done::Nothing)).await.map(drop)
    }

    async fn put(&self, id: BoxId, mail: Vec<Mail>, room: Room) -> StoreResult<usize> {
        count(self.change(move |tables| tables.put(&id, &mail, room).map(Done::Count)).await?)
    }

    async fn ids(&self, id: BoxId, since: Time) -> StoreResult<Vec<EnvelopeId>> {
        self.read(move |reader| {
            reader.must_have(&id)?;
            reader.scan(tables::INDEX, &id.0, |key, value| {
                let (at, _) = tables::entry(value)?;
                Ok(if at >= since { Some(EnvelopeId(name(key)?)) } else { None })
            })
        })
        .await
    }

    async fn get(
        &self,
        id: BoxId,
        ids: Vec<EnvelopeId>,
        bytes: usize,
    ) -> StoreResult<Vec<Option<Mail>>> {
        self.read(move |reader| {
            reader.must_have(&id)?;
            let table = reader.table(tables::MAIL)?;
            let (mut all, mut length) = (Vec::new(), 0);
            for envelope in ids {
                let key = tables::key(&[&id.0, &envelope.0]);
                let found = table.get(key.as_slice()).map_err(error)?;
                let mail = found.map(|found| tables::mail(envelope, found.value())).transpose()?;
                length += mail.as_ref().map_or(0, |mail| mail.bytes.len());
                if length > bytes && !all.is_empty() {
                    break;
                }
                all.push(mail);
            }
            Ok(all)
        })
        .await
    }

    async fn usage(&self, id: BoxId) -> StoreResult<Usage> {
        self.read(move |reader| {
            reader.must_have(&id)?;
            tables::usage(reader.table(tables::USAGE)?.get(&id.0[..]).map_err(error)?)
        })
        .await
    }

    async fn expire(&self, before: Time) -> StoreResult<usize> {
        // Looking costs nothing, while an empty transaction synchronises the disk.
        let due = self.read(move |reader| {
            let table = reader.table(tables::AGE)?;
            let first = table.first().map_err(error)?;
            first.map_or(Ok(false), |(age, _)| Ok(tables::number(age.value())?.0 < before.0))
        });
        if !due.await? {
            return Ok(0);
        }
        count(self.change(move |tables| tables.expire(before).map(Done::Count)).await?)
    }

    async fn deposit(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        let work = move |tables: &mut Tables<'_>| tables.deposit(&id, &deposit, suites, room);
        self.change(move |tables| work(tables).map(|()| Done::Nothing)).await.map(drop)
    }

    async fn take(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        let work = move |tables: &mut Tables<'_>| tables.take(&id, suite, now, spare);
        match self.change(move |tables| work(tables).map(Done::Taken)).await? {
            Done::Taken(taken) => Ok(taken),
            Done::Nothing | Done::Count(_) => Err(broken("another answer")),
        }
    }

    async fn pools(&self, id: BoxId) -> StoreResult<Vec<Pool>> {
        self.read(move |reader| {
            reader.must_have(&id)?;
            let pools = reader.scan(tables::POOLS, &id.0, |key, value| {
                let suite = key.last_chunk().copied().ok_or_else(|| broken("a key is short"))?;
                Ok(Some((u16::from_be_bytes(suite), tables::record::<PoolRecord>(value)?)))
            })?;
            let counted = pools.into_iter().map(|(suite, pool)| {
                let prefix = tables::key(&[&id.0, &suite.to_be_bytes()]);
                let left = reader.scan(tables::PACKAGES, &prefix, |_, _| Ok(Some(())))?.len();
                Ok(pool.pool(suite, u32::try_from(left).unwrap_or(u32::MAX)))
            });
            counted.collect()
        })
        .await
    }
}

fn count(done: Done) -> StoreResult<usize> {
    match done {
        Done::Count(count) => Ok(count),
        Done::Nothing | Done::Taken(_) => Err(broken("another answer")),
    }
}

/// The file is not what it has to be.
fn broken(what: &'static str) -> StoreError {
    StoreError::failed(io::Error::new(io::ErrorKind::InvalidData, what))
}

fn error(error: impl Into<redb::Error>) -> StoreError {
    let full =
        [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
    match error.into() {
        redb::Error::Io(error) if full.contains(&error.kind()) => StoreError::DiskFull,
        // It failed before; the writer opens it again.
        redb::Error::PreviousIo | redb::Error::DatabaseAlreadyOpen => StoreError::Unavailable,
        error => StoreError::failed(error),
    }
}
