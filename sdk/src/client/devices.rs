//! The devices of the account, and copies of what this one has.

use std::path::Path;

use super::worker::Work;
use super::{Client, DeviceRequest, Error};
use crate::DeviceId;
use crate::store::Key;

impl Client {
    /// The account's devices that this one knows, in no particular order, [itself](Self::device) among
    /// them; none that was revoked.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn devices(&self) -> Result<Vec<DeviceId>, Error> {
        self.desk().read("devices", |work| Ok(work.engine.devices()?)).await
    }

    /// Whether this device can approve and revoke others: it is the account's first one, or was
    /// restored from a backup of it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn has_account_keys(&self) -> Result<bool, Error> {
        self.desk().read("has account keys", |work| Ok(work.engine.has_account_keys()?)).await
    }

    /// Makes the device that asks one of this account. Let the user compare the
    /// [code](DeviceRequest::comparison_code) on both devices first; see
    /// [`Builder::link`](super::Builder::link) for all of it.
    ///
    /// What it returns goes to the new device, by whatever way. It is not secret, but says which
    /// devices the account has. To approve the same request again gives the same device.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccountKeys`] on another than the first device, [`Error::Identity`] if the request
    /// is not by who has its keys, [`Error::Revoked`] if that device or this one was revoked,
    /// [`Error::TooLarge`] for one device too many, [`Error::Busy`], [`Error::Store`],
    /// [`Error::Closed`].
    pub async fn approve_device(&self, request: &DeviceRequest) -> Result<Vec<u8>, Error> {
        let request = request.0.clone();
        let job = move |work: &mut Work| {
            let now = work.now();
            Ok(work.engine.approve_device(now, &request)?)
        };
        self.desk().write("approve device", job).await
    }

    /// Takes a device from the account, for good. The account's other devices put it out of their
    /// groups, and the device stops when it hears of it; until it is out of a group, it can read what
    /// is said there. If it comes back, it does so as a new device. Revoking it again tells the others
    /// again.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccountKeys`] on another than the first device, [`Error::NoDevice`] if it is not
    /// another device of this account, [`Error::Revoked`] if this one was revoked, [`Error::Busy`],
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn revoke_device(&self, device: &DeviceId) -> Result<(), Error> {
        let device = *device;
        let job = move |work: &mut Work| {
            let now = work.now();
            work.engine.revoke_device(now, device)?;
            Ok(())
        };
        self.desk().write("revoke device", job).await
    }

    /// Writes everything that this client has into another file, encrypted with a key of its own. A
    /// backup that was there before is replaced once the new one is whole.
    ///
    /// [`Builder::restore`](super::Builder::restore) goes on from it, as a new device. Never open a
    /// backup with [`Builder::open`](super::Builder::open) in the place of this client: two clients
    /// with the same keys would break both. With a passphrase, opening it costs as much as for this
    /// client's file.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn backup(&self, path: impl AsRef<Path>, key: impl Into<Key>) -> Result<(), Error> {
        let (path, key) = (path.as_ref().to_owned(), key.into());
        let job = move |work: &mut Work| Ok(work.engine.store_mut().backup(path, &key)?);
        self.desk().read("backup", job).await
    }
}
