//! The thread that writes: everything that waits goes into one transaction, so that many share one
//! synchronisation of the disk, and is answered after it.

use std::sync::{Arc, PoisonError, RwLock};

use redb::Database;
use tokio::sync::{mpsc, oneshot};

use super::tables::Tables;
use crate::mailbox::store::{StoreError, StoreResult};
use crate::mailbox::wire::Taken;

/// How many wait at most; who comes then waits himself.
pub(super) const WAITING: usize = 1024;
/// How many share a transaction at most.
pub(super) const BATCH: usize = 256;

/// The database, unless it could not be opened again after a failure.
pub(super) type Shared = Arc<RwLock<Option<Database>>>;
/// Opens it.
pub(super) type Opener = Box<dyn Fn() -> StoreResult<Database> + Send>;

/// What is done within a transaction.
type Work = Box<dyn FnOnce(&mut Tables<'_>) -> StoreResult<Done> + Send>;

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Done {
    Nothing,
    Count(usize),
    Taken(Option<Taken>),
}

pub(super) struct Job {
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<StoreResult<Done>>,
}

/// Works until nobody can send any more.
pub(super) fn run(shared: &Shared, opener: &Opener, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::new();
    while jobs.blocking_recv_many(&mut waiting, BATCH) > 0 {
        let (works, answers): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|job| (job.work, job.answer)).unzip();
        let results = match transaction(shared, works) {
            Ok(results) => results,
            Err(error) => {
                reopen(shared, opener);
                vec![Err(error); answers.len()]
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // Who does not wait any more does not mind.
            let _ = answer.send(result);
        }
    }
}

/// All of them and what came of each, or none of them.
fn transaction(shared: &Shared, works: Vec<Work>) -> StoreResult<Vec<StoreResult<Done>>> {
    let database = shared.read().unwrap_or_else(PoisonError::into_inner);
    let database = database.as_ref().ok_or(StoreError::Unavailable)?;
    let transaction = database.begin_write().map_err(super::error)?;
    let mut results = Vec::with_capacity(works.len());
    {
        let mut tables = Tables::open(&transaction).map_err(super::error)?;
        for work in works {
            let result = work(&mut tables);
            if let Err(
                error @ (StoreError::DiskFull | StoreError::Unavailable | StoreError::Failed(_)),
            ) = result
            {
                return Err(error);
            }
            results.push(result);
        }
    }
    transaction.commit().map_err(super::error)?;
    Ok(results)
}

/// After it failed to write once, the library does nothing more with an open database, since it does not
/// know what is on the disk. It finds out by opening it.
fn reopen(shared: &Shared, opener: &Opener) {
    let mut database = shared.write().unwrap_or_else(PoisonError::into_inner);
    *database = None;
    match opener() {
        Ok(opened) => *database = Some(opened),
        Err(error) => tracing::error!(code = error.code(), "the mailbox's store can't be opened"),
    }
}
