//! Opening and creating.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use openmls_trellis_crypto::TrellisCrypto;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::key::{self, Key, KeyCost, SALT};
use super::lock::Lock;
use super::{Result, Store, StoreError, schema};

/// What SQLCipher 4 writes at a time.
pub(super) const PAGE: u64 = 4096;

/// What a SQLite database begins with that nobody encrypted.
const PLAIN: &[u8; SALT] = b"SQLite format 3\0";

/// How many statements are kept prepared: all that there are.
const STATEMENTS: usize = 64;

/// What makes a commit last and a deletion final; see the [module](super).
pub(super) const DURABILITY: &str = "
    PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
";

/// How to open a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreOptions {
    /// What it costs to try a passphrase.
    pub cost: KeyCost,
}

impl StoreOptions {
    /// With another cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: KeyCost) -> Self {
        self.cost = cost;
        self
    }
}

impl Store {
    /// Opens the store in a file, and creates it if there is none.
    ///
    /// Beside the file there is another whose name ends in `-lock`. It is empty and stays.
    ///
    /// # Errors
    ///
    /// All but those of transactions. The file is left as it was.
    pub fn open(path: impl AsRef<Path>, key: &Key, options: StoreOptions) -> Result<Self> {
        let place = Place::of(path.as_ref())?;
        let lock = Lock::of(&place)?;
        let salt = place.salt()?;
        let key = key.for_file(&salt, options.cost)?;
        if !place.file.exists() {
            create_private(&place.file)?;
            place.sync_directory()?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&place.file, flags)?;
        unlock(&connection, &key)?;
        connection.execute_batch(DURABILITY)?;
        Self::with(connection, Some(lock), options)
    }

    /// A store in memory, which is not encrypted and goes with the value. For tests and simulations.
    ///
    /// # Errors
    ///
    /// [`StoreError::Memory`].
    pub fn in_memory() -> Result<Self> {
        Self::memory(Connection::open_in_memory()?)
    }

    /// A store in this database in memory. What is deleted is written over as in a file.
    pub(super) fn memory(connection: Connection) -> Result<Self> {
        connection.execute_batch("PRAGMA secure_delete = ON;")?;
        Self::with(connection, None, StoreOptions::default())
    }

    /// A store in this database.
    pub(super) fn with(
        mut connection: Connection,
        lock: Option<Lock>,
        options: StoreOptions,
    ) -> Result<Self> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(
            "PRAGMA foreign_keys = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA trusted_schema = OFF;",
        )?;
        schema::migrate(&mut connection, schema::STEPS)?;
        Ok(Self {
            connection,
            _lock: lock,
            options,
            crypto: TrellisCrypto::default(),
            writes: 0,
            fail_in: None,
            stale: true,
        })
    }

    /// Limits the file to so many bytes, or no longer. A write that would exceed it fails with
    /// [`StoreError::Full`].
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn set_size_limit(&mut self, bytes: Option<u64>) -> Result<()> {
        let pages = bytes.map_or(u64::from(u32::MAX) - 1, |bytes| bytes / PAGE);
        // It answers with the number that holds, which is never less than the file has.
        self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }
}

/// Gives SQLCipher the key and tries it.
fn unlock(connection: &Connection, key: &str) -> Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let statement = Zeroizing::new(format!("PRAGMA key = \"{key}\""));
    connection.execute_batch(&statement)?;
    // It would write to the standard error output what is reported here. The first key of a process
    // turns that on, so it is turned off after it.
    connection.execute_batch(
        "PRAGMA cipher_log_level = NONE;
        PRAGMA cipher_compatibility = 4;
        PRAGMA locking_mode = EXCLUSIVE;",
    )?;
    let tried = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    tried.map_err(|error| match StoreError::from(error) {
        StoreError::Damaged => StoreError::WrongKeyOrDamaged,
        other => other,
    })
}

/// Where a store is.
pub(super) struct Place {
    /// The file, with no symbolic link on the way, so that there is one lock whatever the way.
    pub(super) file: PathBuf,
}

impl Place {
    pub(super) fn of(path: &Path) -> Result<Self> {
        if let Ok(file) = path.canonicalize() {
            return Ok(Self { file });
        }
        let name = path.file_name().ok_or(StoreError::Io(io::ErrorKind::InvalidFilename))?;
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        Ok(Self { file: directory.canonicalize()?.join(name) })
    }

    /// A file beside this one.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.file);
        name.push(suffix);
        name.into()
    }

    /// The salt at the beginning of the file, or a new one for a new file; an error if the file is
    /// something else.
    fn salt(&self) -> Result<[u8; SALT]> {
        let mut file = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return key::new_salt(),
            file => file?,
        };
        let length = file.metadata()?.len();
        if length == 0 {
            return key::new_salt();
        }
        let mut salt = [0; SALT];
        if length < PAGE {
            // A crash may have left part of the first page, and a journal that says so.
            return if self.has_journal() {
                key::new_salt()
            } else {
                Err(StoreError::NotADatabase)
            };
        }
        file.read_exact(&mut salt)?;
        if &salt == PLAIN {
            return Err(StoreError::NotEncrypted);
        }
        // A crash may also have left part of a page at the end.
        if length % PAGE != 0 && !self.has_journal() {
            return Err(StoreError::NotADatabase);
        }
        Ok(salt)
    }

    fn has_journal(&self) -> bool {
        fs::metadata(self.beside("-journal")).is_ok_and(|journal| journal.len() > 0)
    }

    /// Makes sure that the names in the directory are on the disk.
    pub(super) fn sync_directory(&self) -> Result<()> {
        // Elsewhere a directory can't be opened, and its names are written with the files.
        #[cfg(unix)]
        if let Some(directory) = self.file.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

/// Creates a file that only its owner can read.
pub(super) fn create_private(file: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    Ok(())
}
