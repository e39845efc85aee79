//! Where everything is kept: one encrypted database per account.
//!
//! A [`Store`] holds three kinds of things: [records](Space) of the engine, opaque bytes under a
//! key; the states of groups, each a [`TrellisStorage`] of which only the changed parts are written;
//! and the history of messages, which can be paged through and searched.
//!
//! ```
//! use trellis_sdk::store::{Space, Store};
//!
//! let mut store = Store::in_memory()?;
//! store.begin()?;
//! store.put(Space::Setting, b"", b"name", b"Alice")?;
//! store.commit()?;
//! assert_eq!(store.get(Space::Setting, b"", b"name")?.unwrap().as_slice(), b"Alice");
//! # Ok::<(), trellis_sdk::store::StoreError>(())
//! ```
//!
//! # Transactions
//!
//! Writing happens between [`begin`](Store::begin) and [`commit`](Store::commit), and happens as a
//! whole or not at all: a write that fails takes the whole transaction back, and so does dropping
//! the store or the end of the process. What `commit` has confirmed survives a power failure.
//! A second opening of the same file fails with [`StoreError::InUse`], in this process or another;
//! the lock is the operating system's and ends with the process that holds it.
//!
//! # Encryption
//!
//! The file is SQLCipher's, version 4: AES-256-CBC with HMAC-SHA-512 for each page. The key comes
//! from Argon2id, see [`KeyCost`]. There is no way to tell a wrong passphrase from a damaged file,
//! for nothing in the file can be read without the key.
//!
//! In memory SQLCipher wipes its keys. To wipe everything else that SQLite frees
//! (`cipher_memory_security`) would make reading and writing four to six times slower, for the whole
//! process and for good, so it is off; then pages that were decrypted, and the statement that hands
//! over the key, are left to whoever gets the memory next.
//!
//! # Erasure
//!
//! Forward secrecy ends where an erased key can still be read in the file by somebody who gets the
//! file and the passphrase. So:
//!
//! - The journal is a rollback journal that is truncated with each commit (`journal_mode=TRUNCATE`,
//!   `synchronous=FULL`, which syncs the truncation too, so that a journal can't come back after a
//!   power failure and undo a commit that was told). A write-ahead log would need one sync for a
//!   commit and not four, but keeps the old and the new content of pages until it is written over;
//!   to end that after each step would cost those syncs again.
//! - `secure_delete` writes zeros over what is deleted, and over pages that fall free.
//! - When SQLite moves rows from page to page, `secure_delete` does not clear where they were, and a
//!   row that is deleted later may leave such a copy behind. [`Store::erase`] writes the tables that
//!   hold keys anew. Nothing that was deleted before it is in the file after it. The engine calls it
//!   when a state has become final.
//! - What a transaction wrote into pages that were free is not taken back with it: SQLite keeps no
//!   copy of such pages, since nobody reads them. So after a transaction was taken back, and the first
//!   time after opening, [`Store::erase`] clears them too.
//! - Parts of the ratchet tree are shared between states. They hold public keys only; an entry that
//!   may hold a secret is never shared.
//!
//! What a disk or a file system keeps of blocks that were written over is beyond this, and encrypted.
//!
//! [`TrellisStorage`]: openmls_trellis_crypto::TrellisStorage

mod backup;
mod chunk;
mod erase;
mod error;
#[cfg(feature = "simulator")]
mod image;
mod key;
mod lock;
mod message;
mod open;
mod record;
mod restore;
mod schema;
mod search;
mod snapshot;
mod transaction;

use std::fmt;

use openmls_trellis_crypto::TrellisCrypto;
use rusqlite::Connection;

use lock::Lock;

pub use error::StoreError;
pub use key::{Key, KeyCost};
pub use message::{Cursor, MessageRow};
pub use open::StoreOptions;
pub use record::{Record, Space};
pub use snapshot::SnapshotSize;

type Result<T> = std::result::Result<T, StoreError>;

/// The store of an account. See the [module](self) for what it promises.
pub struct Store {
    // The fields are dropped in this order, and the file has to be closed before the lock is given
    // up.
    connection: Connection,
    _lock: Option<Lock>,
    options: StoreOptions,
    crypto: TrellisCrypto,
    /// How many writes there were.
    writes: u64,
    /// How many writes from now the one is that has to fail.
    fail_in: Option<u64>,
    /// Whether free pages may hold what was taken back, now or in a run before.
    stale: bool,
}

/// Says nothing about what is stored or where.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("writes", &self.writes).finish_non_exhaustive()
    }
}
