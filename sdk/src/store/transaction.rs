//! Beginning and ending, and failures that are ordered.

use rusqlite::Connection;

use super::{Result, Store, StoreError};

impl Store {
    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::InTransaction`] if there is one.
    pub fn begin(&mut self) -> Result<()> {
        if !self.connection.is_autocommit() {
            return Err(StoreError::InTransaction);
        }
        self.run("BEGIN IMMEDIATE")
    }

    /// Makes what was written since [`begin`](Self::begin) last. If it fails, nothing of it does;
    /// with the exception of an ordered failure after the commit, see [`fail_at`](Self::fail_at).
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTransaction`] if there is none, and what may befall a disk.
    pub fn commit(&mut self) -> Result<()> {
        self.write(|_| Ok(()))?;
        if let Err(error) = self.run("COMMIT") {
            self.stale = true;
            self.rollback();
            return Err(error);
        }
        self.count()
    }

    /// Takes back what was written since [`begin`](Self::begin). Does nothing if there is no
    /// transaction, as after a write that failed.
    ///
    /// A [`TrellisStorage`](openmls_trellis_crypto::TrellisStorage) that was written in between does
    /// not go back; load it again.
    pub fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            self.stale = true;
            // It fails only if SQLite has rolled back by itself.
            let _ = self.run("ROLLBACK");
        }
    }

    /// Does something in a transaction, which is committed if it succeeds and taken back if not.
    ///
    /// # Errors
    ///
    /// Those of what is done, and of [`begin`](Self::begin) and [`commit`](Self::commit).
    pub fn transaction<T, E: From<StoreError>>(
        &mut self,
        what: impl FnOnce(&mut Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.begin()?;
        match what(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// Whether there is a transaction.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Lets the `n`th write from now fail with [`StoreError::FailPoint`], once; 0 takes the order
    /// back. With it tests see what a crash at that point leaves.
    ///
    /// Every put, delete, or other write is one, whether or not it changes anything, and a commit is
    /// two: one before it is done and one after. Only what fails at the latter has happened
    /// nevertheless, as when a process dies before it hears of its success.
    pub fn fail_at(&mut self, n: u64) {
        self.fail_in = (n > 0).then_some(n);
    }

    /// How many writes there were, counted as [`fail_at`](Self::fail_at) does.
    #[must_use]
    pub fn writes_so_far(&self) -> u64 {
        self.writes
    }

    /// Does one write. If it fails the transaction is taken back, because it may be half done.
    pub(super) fn write<T>(&mut self, what: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        if self.connection.is_autocommit() {
            return Err(StoreError::NoTransaction);
        }
        let outcome = self.count().and_then(|()| what(self));
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }

    /// Counts a write, and fails if this is the one that has to.
    fn count(&mut self) -> Result<()> {
        self.writes += 1;
        self.fail_in = match self.fail_in {
            Some(1) => {
                self.fail_in = None;
                return Err(StoreError::FailPoint);
            }
            left => left.map(|left| left - 1),
        };
        Ok(())
    }

    fn run(&self, statement: &str) -> Result<()> {
        execute(&self.connection, statement, ())?;
        Ok(())
    }
}

/// Executes a statement that is kept prepared, and says how many rows it changed.
pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    params: impl rusqlite::Params,
) -> Result<usize> {
    Ok(connection.prepare_cached(statement)?.execute(params)?)
}
