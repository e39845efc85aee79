//! The client: what an application uses.
//!
//! | | |
//! |---|---|
//! | [`Client`] | an account on this device: opens the file, founds and finds groups |
//! | [`NewDevice`] | a device that waits to become an account's |
//! | [`Group`] | who is in, what they may do, what is said |
//! | [`Events`] | what happens |
//! | [`Change`], [`Sent`] | what becomes of a change or a message |
//! | [`Security`] | what protects a group, and what does not |
//! | [`Error`] | what went wrong, for people and for programs |
//!
//! [`Client`] and [`Group`] are handles: cheap to clone, usable from every task. All of their work is
//! done in turn on one thread that the client has, on which the store lives as well, so a method that
//! returns has reached the disk. The work goes on while there is a handle, or until
//! [`Client::close`].
//!
//! Calls wait for their turn, so whoever calls in a loop is slowed down to what the disk and the
//! network take. When the network can't be reached, messages and changes are taken all the same, until
//! about a thousand things wait to be sent; then they are refused with [`Error::Busy`].
//!
//! A call whose future is dropped before it is ready has been carried out or has not.

mod builder;
mod carrier;
mod change;
mod desk;
mod devices;
mod error;
mod event;
mod events;
mod group;
mod history;
mod member;
mod new_device;
mod new_group;
mod security;
mod sent;
mod start;
mod suite;
mod wanted;
mod watches;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use builder::Builder;
pub use change::{Change, ChangeFailed, ChangeStatus};
pub use error::Error;
pub use event::Event;
pub use events::Events;
pub use group::Group;
pub use history::{Entry, MAX_PAGE, Page};
pub use member::{Member, MemberDevice};
pub use new_device::{DeviceRequest, NewDevice};
pub use new_group::NewGroup;
pub use security::{Exposure, Security, WeakestLink};
pub use sent::Sent;
pub use suite::Suite;
pub use wanted::Wanted;

use self::desk::Desk;
use self::events::{Audience, WAITING};
use crate::store::Key;
use crate::{Address, DeviceId, GroupId};

/// An account on this device.
///
/// A handle: clones are the same client. See the [module](self) for how it works.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    desk: Desk,
    address: Address,
    device: DeviceId,
    suite: Suite,
    classical: bool,
    audience: Arc<Audience>,
    /// The events since the beginning, until somebody takes them.
    first: Mutex<Option<Events>>,
}

impl Client {
    /// A client with an encrypted file. The key is a passphrase, as text, or a [`Key::raw`].
    ///
    /// ```no_run
    /// use trellis_sdk::Client;
    /// use trellis_sdk::transport::{Conditions, MemoryNetwork};
    ///
    /// # async fn example() -> Result<(), trellis_sdk::Error> {
    /// let network = MemoryNetwork::new(Conditions::perfect());
    /// let client =
    ///     Client::builder("alice.db", "a passphrase").transport(network.join()).open().await?;
    /// println!("my address is {}", client.address());
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(path: impl Into<PathBuf>, key: impl Into<Key>) -> Builder {
        Builder::file(path.into(), key.into())
    }

    /// A client that is gone when it is closed, for tests and demonstrations. What it has in memory
    /// is not encrypted.
    pub fn builder_in_memory() -> Builder {
        Builder::memory()
    }

    fn new(
        desk: Desk,
        address: Address,
        device: DeviceId,
        suite: Suite,
        classical: bool,
        audience: Arc<Audience>,
        first: Events,
    ) -> Self {
        let first = Mutex::new(Some(first));
        let inner = Inner { desk, address, device, suite, classical, audience, first };
        Self { inner: Arc::new(inner) }
    }

    /// The account. People give each other the text of it, and invite by it.
    #[must_use]
    pub fn address(&self) -> Address {
        self.inner.address
    }

    /// This device of the account.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.inner.device
    }

    /// Founds a group, with this account as its owner.
    ///
    /// ```no_run
    /// # use trellis_sdk::{Client, Policy, Role};
    /// # async fn example(client: Client) -> Result<(), trellis_sdk::Error> {
    /// let garden = client.create_group("garden").await?;
    ///
    /// let mut open = Policy::default();
    /// open.invite = Role::Member;
    /// let street = client.create_group("street").policy(open).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_group(&self, name: impl Into<String>) -> NewGroup {
        NewGroup::new(self.clone(), name.into())
    }

    /// The groups that this client is or was in.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`].
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        let groups = self.desk().read("groups", |work| Ok(work.engine.groups())).await?;
        Ok(groups.into_iter().map(|id| self.group(id)).collect())
    }

    /// A group by its name in events. Whether there is one, its methods tell.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Group {
        Group::new(self.clone(), id)
    }

    /// What happens from now on; the first call gets what happened since the client was opened.
    #[must_use]
    pub fn events(&self) -> Events {
        let first = self.inner.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| self.inner.audience.listen(WAITING))
    }

    /// Messages of all groups in which each word of `text` occurs or begins a word, the last first;
    /// at most `limit`, and at most [`MAX_PAGE`].
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn search(&self, text: &str, limit: usize) -> Result<Vec<Entry>, Error> {
        history::search(self, None, text, limit).await
    }

    /// Closes the client for all who have handles, and waits until its file and its transport are
    /// free. What waits to be sent is sent first, for up to five seconds and if the network can be
    /// reached; the rest is sent when the client is opened again.
    ///
    /// To drop all handles closes it as well, without waiting. Nothing is lost either way.
    pub async fn close(&self) {
        self.desk().close().await;
    }

    fn desk(&self) -> &Desk {
        &self.inner.desk
    }
}

/// Says which account, and nothing of it.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?}, {:?})", self.inner.address, self.inner.device)
    }
}
