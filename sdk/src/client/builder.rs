//! Opening a client.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openmls_trellis_crypto::TrellisCrypto;

use super::start::{Setup, aside};
use super::{Client, Error, NewDevice, Suite};
use crate::Time;
use crate::engine::{Engine, EngineError, Linking};
use crate::store::{Key, Store, StoreError, StoreOptions};
use crate::transport::Transport;

/// How to open a [`Client`].
///
/// | | |
/// |---|---|
/// | [`open`](Self::open) | a client that is there, or a new account |
/// | [`link`](Self::link) | a new device of an account that is on another device |
/// | [`restore`](Self::restore) | a new device of an account, from a backup of its first device |
/// | [`link_with_backup`](Self::link_with_backup) | the same, from a backup of another device |
#[must_use = "nothing is opened before `open`"]
pub struct Builder {
    place: Place,
    transport: Connection,
    options: StoreOptions,
    suite: Suite,
    classical: bool,
}

/// Where a client keeps what it has.
enum Place {
    File(PathBuf, Key),
    Memory,
}

impl Place {
    fn open(&self, options: StoreOptions) -> Result<Store, StoreError> {
        match self {
            Self::File(path, key) => Store::open(path, key, options),
            Self::Memory => Store::in_memory(),
        }
    }
}

/// How a client reaches others.
enum Connection {
    Missing,
    Offline,
    To(Arc<dyn Transport>),
}

impl Builder {
    fn new(place: Place) -> Self {
        Self {
            place,
            transport: Connection::Missing,
            options: StoreOptions::default(),
            suite: Suite::default(),
            classical: false,
        }
    }

    pub(super) fn file(path: PathBuf, key: Key) -> Self {
        Self::new(Place::File(path, key))
    }

    pub(super) fn memory() -> Self {
        Self::new(Place::Memory)
    }

    /// How to reach others. The client has the transport for itself; whoever wants to keep a hand on
    /// it gives an [`Arc`] of it.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Connection::To(Arc::new(transport));
        self
    }

    /// Do without a network: what is there can be read, and what is wanted waits until the client is
    /// opened with a transport.
    pub fn offline(mut self) -> Self {
        self.transport = Connection::Offline;
        self
    }

    /// Which cryptography the groups have that this client founds, if nothing else is said. It takes
    /// part in groups of every [`Suite`].
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// Also take part in groups without any protection from quantum computers: accept invitations to
    /// them, and found them where
    /// [`NewGroup::classical_without_post_quantum_protection`](super::NewGroup::classical_without_post_quantum_protection)
    /// says so. Whoever records what is said in such a group can read it later.
    ///
    /// It is for groups that are to move to something better, with
    /// [`Group::migrate`](super::Group::migrate).
    pub fn allow_classical_without_post_quantum_protection(mut self) -> Self {
        self.classical = true;
        self
    }

    /// How the file is opened, and a backup if there is one; the cost of a passphrase is said here.
    pub fn store_options(mut self, options: StoreOptions) -> Self {
        self.options = options;
        self
    }

    /// Opens the client; if there is no file, it makes one with a new account.
    ///
    /// It has to be called within a tokio runtime that has its timer on. There it starts two tasks
    /// that use the transport. Everything else happens on a thread of the client's own.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] for a wrong passphrase, a file that is no store or is in use by another
    /// client, and the like; [`Error::NotLinked`] if the file is that of a device that waits for its
    /// approval, which [`link`](Self::link) opens; [`Error::NoTransport`], [`Error::NoRuntime`],
    /// [`Error::System`], [`Error::Randomness`].
    pub async fn open(self) -> Result<Client, Error> {
        let (place, options, setup) = self.split()?;
        let config = setup.config();
        let open = move || {
            let (store, crypto) = (place.open(options)?, TrellisCrypto::default());
            Ok(Engine::open(store, crypto, Time::from_system(), config)?)
        };
        setup.start(open).await
    }

    /// Makes a new device for an account that is on another device. It becomes a client when the
    /// account's first device has approved it; until then the file can be closed, and opened again
    /// with this method: the request stays the same.
    ///
    /// ```
    /// use trellis_sdk::Client;
    /// use trellis_sdk::client::DeviceRequest;
    /// # use trellis_sdk::transport::{Conditions, MemoryNetwork};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), trellis_sdk::Error> {
    /// # let network = MemoryNetwork::new(Conditions::good());
    /// # let phone = Client::builder_in_memory().transport(network.join()).open().await?;
    /// // On the laptop.
    /// let laptop = Client::builder_in_memory().transport(network.join()).link().await?;
    /// let text = laptop.request().to_string();
    /// println!("{}", laptop.request().comparison_code());
    ///
    /// // On the phone, which has got the text somehow.
    /// let request: DeviceRequest = text.parse()?;
    /// println!("Does the other device show {}?", request.comparison_code());
    /// let approval = phone.approve_device(&request).await?;
    ///
    /// // On the laptop, which has got the approval somehow.
    /// println!("Is this your address? {}", laptop.account(&approval)?);
    /// let laptop = laptop.finish(&approval).await?;
    /// assert_eq!(laptop.address(), phone.address());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`Error::Linked`] if the file has an account.
    pub async fn link(self) -> Result<NewDevice, Error> {
        let (place, options, setup) = self.split()?;
        let config = setup.config();
        let open = move || {
            let store = place.open(options)?;
            Ok(Linking::open(store, TrellisCrypto::default(), config)?)
        };
        Ok(NewDevice::new(aside(open).await?, setup))
    }

    /// Goes on from a [backup](Client::backup) of the account's first device, as a new device in a new
    /// file; the device that the backup is of is revoked. `key` is the backup's, and the backup stays
    /// as it is.
    ///
    /// The account and the history are there. The groups are known, and the client is in none of them
    /// until a member who may invite, or another device of the account, has brought it in, which they
    /// do by themselves when they hear of it; then there is an [`Event::Joined`](super::Event::Joined).
    /// What was said in between does not come back. In a group where nobody else may invite, the
    /// others get an [`Event::Restored`](super::Event::Restored) and can do no more.
    ///
    /// Do it once for a loss. From then on the file is opened with [`open`](Self::open).
    ///
    /// ```no_run
    /// # use trellis_sdk::Client;
    /// # async fn example(transport: trellis_sdk::transport::MemoryTransport)
    /// # -> Result<(), trellis_sdk::Error> {
    /// let client = Client::builder("alice.db", "a passphrase")
    ///     .transport(transport)
    ///     .restore("alice.backup", "the backup's passphrase")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), which may be about the backup; [`Error::NoAccountKeys`] if the
    /// backup is not of the first device, then [`link_with_backup`](Self::link_with_backup) is what
    /// helps; [`StoreError::Exists`] if there is something at the path of the client;
    /// [`Error::NotLinked`] if the backup is of a device without an account; [`Error::NoFile`] for a
    /// client in memory. There is no file then.
    pub async fn restore(
        self,
        backup: impl AsRef<Path>,
        key: impl Into<Key>,
    ) -> Result<Client, Error> {
        let (place, options, setup) = self.split()?;
        let (config, backup) = (setup.config(), (backup.as_ref().to_owned(), key.into()));
        let restore = move || {
            let (crypto, now) = (TrellisCrypto::default(), Time::from_system());
            let store = copy(&place, options, &backup, |store| {
                Ok(Engine::restore(store, crypto.clone(), now, config.clone())?.into_store())
            })?;
            Ok(Engine::open(store, crypto, now, config)?)
        };
        setup.start(restore).await
    }

    /// Makes a new device with the history of a backup of a device that was not the account's first.
    /// The account's keys are not in the backup, so the first device has to approve, as for
    /// [`link`](Self::link). The lost device stays in the account until the first one
    /// [revokes](Client::revoke_device) it.
    ///
    /// # Errors
    ///
    /// Those of [`restore`](Self::restore), and [`Error::Linked`] if the backup has the account's
    /// keys, then that is what helps.
    pub async fn link_with_backup(
        self,
        backup: impl AsRef<Path>,
        key: impl Into<Key>,
    ) -> Result<NewDevice, Error> {
        let (place, options, setup) = self.split()?;
        let (config, backup) = (setup.config(), (backup.as_ref().to_owned(), key.into()));
        let restore = move || {
            let (crypto, now) = (TrellisCrypto::default(), Time::from_system());
            let store = copy(&place, options, &backup, |store| {
                Ok(Linking::restore(store, crypto.clone(), now, config.clone())?.into_store())
            })?;
            Ok(Linking::open(store, crypto, config)?)
        };
        Ok(NewDevice::new(aside(restore).await?, setup))
    }

    fn split(self) -> Result<(Place, StoreOptions, Setup), Error> {
        let Self { place, transport, options, suite, classical } = self;
        let transport = match transport {
            Connection::Missing => return Err(Error::NoTransport),
            Connection::Offline => None,
            Connection::To(transport) => Some(transport),
        };
        Ok((place, options, Setup { transport, suite, classical }))
    }
}

/// A store made of a backup.
fn copy(
    place: &Place,
    options: StoreOptions,
    (backup, backup_key): &(PathBuf, Key),
    prepare: impl FnOnce(Store) -> Result<Store, EngineError>,
) -> Result<Store, Error> {
    let Place::File(path, key) = place else { return Err(Error::NoFile) };
    Ok(Store::from_backup(path, key, options, (backup, backup_key), prepare)?)
}

/// Says nothing about where or with which key.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("suite", &self.suite)
            .field("classical", &self.classical)
            .finish_non_exhaustive()
    }
}

/// A passphrase.
impl From<&str> for Key {
    fn from(passphrase: &str) -> Self {
        Self::passphrase(passphrase)
    }
}

/// A passphrase.
impl From<String> for Key {
    fn from(passphrase: String) -> Self {
        Self::Passphrase(passphrase.into())
    }
}
