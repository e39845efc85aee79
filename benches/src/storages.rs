//! The same groups over other storages, so that nobody takes storage for cryptography.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use openmls_basic_credential::SignatureKeyPair;
use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::RustCrypto;
use openmls_sqlite_storage::{Codec, Connection, SqliteStorageProvider};
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::Signer;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner, TrellisStorage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::group::contenders::{Field, basic_signer};
use crate::group::{Contender, Life, Maker, Tree};
use crate::suites::Suite;

/// A cryptography over a storage.
#[derive(Clone, Copy)]
pub struct Pairing {
    /// Whose cryptography and signer.
    pub crypto: Contender,
    /// The storage.
    pub storage: &'static str,
    life: fn(&Field<'_>, Tree) -> Box<dyn Life>,
}

impl Pairing {
    /// A group on it.
    #[must_use]
    pub fn life(&self, field: &Field<'_>, tree: Tree) -> Box<dyn Life> {
        (self.life)(field, tree)
    }
}

/// Ours over each storage, and RustCrypto's over the two in memory.
#[rustfmt::skip]
pub const PAIRINGS: [Pairing; 5] = [
    Pairing { crypto: Contender::Native,     storage: TRELLIS, life: |field, tree| field.of(ours(field.suite(), trellis), tree) },
    Pairing { crypto: Contender::Native,     storage: JSON,    life: |field, tree| field.of(ours(field.suite(), json), tree) },
    Pairing { crypto: Contender::Native,     storage: SQLITE,  life: |field, tree| field.of(ours(field.suite(), sqlite), tree) },
    Pairing { crypto: Contender::RustCrypto, storage: TRELLIS, life: |field, tree| field.of(theirs(field.suite(), trellis), tree) },
    Pairing { crypto: Contender::RustCrypto, storage: JSON,    life: |field, tree| field.of(theirs(field.suite(), json), tree) },
];

/// Makes members of a cryptography and a storage.
struct Mix<C, S, T> {
    suite: Suite,
    crypto: fn() -> C,
    signer: fn(Suite) -> (S, Vec<u8>),
    storage: fn() -> (T, Option<TemporaryFile>),
}

fn ours<T>(
    suite: Suite,
    storage: fn() -> (T, Option<TemporaryFile>),
) -> Mix<TrellisCrypto, TrellisSigner, T> {
    let signer = |suite: Suite| {
        let signer = TrellisSigner::generate(suite.open_mls()).expect("a signer");
        let public_key = signer.public_key().to_vec();
        (signer, public_key)
    };
    Mix { suite, crypto: TrellisCrypto::default, signer, storage }
}

fn theirs<T>(
    suite: Suite,
    storage: fn() -> (T, Option<TemporaryFile>),
) -> Mix<RustCrypto, SignatureKeyPair, T> {
    Mix { suite, crypto: RustCrypto::default, signer: basic_signer, storage }
}

impl<C, S, T> Maker for Mix<C, S, T>
where
    C: OpenMlsCrypto + OpenMlsRand + Send,
    S: Signer + Send,
    T: StorageProvider<CURRENT_VERSION> + Send,
{
    type Provider = Mixed<C, T>;
    type Signer = S;

    fn provider(&self) -> Mixed<C, T> {
        let (storage, file) = (self.storage)();
        Mixed { crypto: (self.crypto)(), storage, _file: file }
    }

    fn signer(&self) -> (S, Vec<u8>) {
        (self.signer)(self.suite)
    }
}

/// A provider of both.
struct Mixed<C, T> {
    crypto: C,
    storage: T,
    /// After the storage, so that it is closed before its file goes.
    _file: Option<TemporaryFile>,
}

impl<C, T> OpenMlsProvider for Mixed<C, T>
where
    C: OpenMlsCrypto + OpenMlsRand,
    T: StorageProvider<CURRENT_VERSION>,
{
    type CryptoProvider = C;
    type RandProvider = C;
    type StorageProvider = T;

    fn storage(&self) -> &T {
        &self.storage
    }

    fn crypto(&self) -> &C {
        &self.crypto
    }

    fn rand(&self) -> &C {
        &self.crypto
    }
}

const TRELLIS: &str = "trellis, in memory";
const JSON: &str = "openmls, in memory, JSON";
const SQLITE: &str = "openmls, SQLite file, JSON";

fn trellis() -> (TrellisStorage, Option<TemporaryFile>) {
    (TrellisStorage::default(), None)
}

fn json() -> (MemoryStorage, Option<TemporaryFile>) {
    (MemoryStorage::default(), None)
}

fn sqlite() -> (SqliteStorageProvider<Json, Connection>, Option<TemporaryFile>) {
    let file = TemporaryFile::new();
    let mut storage =
        SqliteStorageProvider::new(Connection::open(&file.0).expect("a database in a file"));
    storage.run_migrations().expect("an empty database");
    (storage, Some(file))
}

/// OpenMLS leaves the encoding of values to the user of its SQLite storage; its example has this.
#[derive(Default)]
pub(crate) struct Json;

impl Codec for Json {
    type Error = serde_json::Error;

    fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, Self::Error> {
        serde_json::to_vec(value)
    }

    fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Self::Error> {
        serde_json::from_slice(bytes)
    }
}

/// The path of a file that is removed in the end.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(format!("trellis-benches-{process}-{count}.db")))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = std::fs::remove_file(&self.0);
    }
}
