//! Raw OpenMLS: our cryptography over OpenMLS's SQLite storage, in a database of SQLCipher with the
//! settings of the SDK's store. It keeps what OpenMLS wants kept and nothing else: no history, no
//! states to go back to, nothing to send again after a crash.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use openmls::prelude::*;
use openmls_sqlite_storage::{Codec, Connection, SqliteStorageProvider};
use openmls_traits::OpenMlsProvider;
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner};

use super::contest::{Contestant, Step, Tell};
use super::files::Folder;
use super::{RAW_KEY, SUITE};
use crate::group::open_mls::{self, Member};

/// What the SDK's store says to SQLite, see the documentation of `trellis_sdk::store`.
const SETTINGS: &str = "
    PRAGMA cipher_compatibility = 4;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = TRUNCATE;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
";

/// How many statements the SDK's store keeps prepared.
const STATEMENTS: usize = 64;

type Storage<C> = SqliteStorageProvider<C, Rc<Connection>>;
type User<C> = Member<Provider<C>, TrellisSigner>;

struct Provider<C: Codec> {
    crypto: TrellisCrypto,
    storage: Storage<C>,
}

impl<C: Codec> OpenMlsProvider for Provider<C> {
    type CryptoProvider = TrellisCrypto;
    type RandProvider = TrellisCrypto;
    type StorageProvider = Storage<C>;

    fn storage(&self) -> &Storage<C> {
        &self.storage
    }

    fn crypto(&self) -> &TrellisCrypto {
        &self.crypto
    }

    fn rand(&self) -> &TrellisCrypto {
        &self.crypto
    }
}

/// What becomes of the calls that OpenMLS makes in one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// They are one transaction.
    Together,
    /// Each is one, as when nobody thinks of it.
    Each,
}

/// Two members of a group, each on a file of its own.
pub(super) struct Raw<C: Codec> {
    sender: Side<C>,
    receiver: Side<C>,
}

struct Side<C: Codec> {
    user: User<C>,
    group: MlsGroup,
    connection: Rc<Connection>,
    writing: Writing,
}

impl<C: Codec> Raw<C> {
    /// The group of a GroupInfo, with two more members; without one, these two are all.
    pub(super) fn new(folder: &Folder, group_info: Option<&[u8]>, writing: Writing) -> Self {
        let (one, connection) = user::<C>("sender", &folder.unused("raw"));
        let group = match group_info {
            Some(info) => open_mls::external_join(SUITE, &one, info).0,
            None => open_mls::found(SUITE, &one),
        };
        let mut sender = Side { user: one, group, connection, writing };
        let (other, connection) = user::<C>("receiver", &folder.unused("raw"));
        let info = open_mls::export(&sender.group, &sender.user);
        let (group, commit) = open_mls::external_join(SUITE, &other, &info);
        open_mls::process(&mut sender.group, sender.user.provider(), &commit);
        Self { sender, receiver: Side { user: other, group, connection, writing } }
    }
}

impl<C: Codec> Side<C> {
    /// How long it takes to do something and to have it on the disk.
    fn timed<T>(&mut self, action: impl FnOnce(&mut MlsGroup, &User<C>) -> T) -> (T, Duration) {
        let transaction = |statement| -> rusqlite::Result<()> {
            if self.writing == Writing::Together {
                self.connection.prepare_cached(statement)?.execute(())?;
            }
            Ok(())
        };
        let start = Instant::now();
        transaction("BEGIN IMMEDIATE").expect("a transaction");
        let done = action(&mut self.group, &self.user);
        transaction("COMMIT").expect("a disk that takes it");
        (done, start.elapsed())
    }
}

impl<C: Codec> Contestant for Raw<C> {
    fn message(&mut self, text: &str, tell: Tell<'_>) {
        let (sent, time) = self.sender.timed(|group, user| {
            let sent = group.create_message(user.provider(), user.signer(), text.as_bytes());
            sent.expect("a message").to_bytes().expect("a message")
        });
        tell(Step::Sent, time);
        let (received, time) = self.receiver.timed(|group, user| {
            let message = open_mls::message(&sent);
            group.process_message(user.provider(), message).expect("a text").into_content()
        });
        tell(Step::Received, time);
        let ProcessedMessageContent::ApplicationMessage(received) = received else {
            panic!("no text")
        };
        assert_eq!(received.into_bytes(), text.as_bytes());
    }

    fn commit(&mut self, tell: Tell<'_>) {
        let (commit, time) = self.sender.timed(open_mls::update);
        tell(Step::Made, time);
        let ((), time) =
            self.receiver.timed(|group, user| open_mls::process(group, user.provider(), &commit));
        tell(Step::Applied, time);
        assert_eq!(self.sender.group.epoch(), self.receiver.group.epoch());
    }
}

/// A user with an empty database in a file.
fn user<C: Codec>(name: &str, file: &Path) -> (User<C>, Rc<Connection>) {
    let mut connection = open(file).expect("a database in a file");
    SqliteStorageProvider::<C, _>::new(&mut connection).run_migrations().expect("empty tables");
    let connection = Rc::new(connection);
    let storage = SqliteStorageProvider::new(Rc::clone(&connection));
    let provider = Provider { crypto: TrellisCrypto::default(), storage };
    let signer = TrellisSigner::generate(SUITE).expect("a signer");
    let public_key = signer.public_key().to_vec();
    (Member::new(name, provider, signer, public_key), connection)
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    let key: String = RAW_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\""))?;
    connection.execute_batch(SETTINGS)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::super::contest::Cbor;
    use super::*;

    #[test]
    fn the_file_is_encrypted_and_has_the_settings() {
        let folder = Folder::new();
        let file = folder.unused("raw");
        let (_, connection) = user::<Cbor>("user", &file);
        let setting = |name: &str| -> String {
            let pragma = format!("PRAGMA {name}");
            let value =
                connection.query_row(&pragma, [], |row| row.get::<_, rusqlite::types::Value>(0));
            match value.unwrap() {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            }
        };
        assert_eq!(setting("journal_mode"), "truncate");
        assert_eq!(setting("synchronous"), "2");
        assert_eq!(setting("secure_delete"), "1");
        assert_ne!(&std::fs::read(&file).unwrap()[..15], b"SQLite format 3");
    }

    #[test]
    fn two_members_talk_and_commit() {
        let folder = Folder::new();
        for writing in [Writing::Together, Writing::Each] {
            let mut raw = Raw::<Cbor>::new(&folder, None, writing);
            let mut steps = Vec::new();
            raw.message("frost tonight", &mut |step, _| steps.push(step));
            raw.commit(&mut |step, _| steps.push(step));
            raw.message("cover the figs", &mut |_, _| ());
            assert_eq!(steps, [Step::Sent, Step::Received, Step::Made, Step::Applied]);
        }
    }
}
