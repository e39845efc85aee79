//! A new device on its way to an account.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use openmls_trellis_crypto::TrellisCrypto;

use super::start::Setup;
use super::{Client, Error};
use crate::engine::Linking;
use crate::identity::{IdentityError, LinkRequest};
use crate::{Address, Time};

/// A device that waits to be made an account's; see [`Builder::link`](super::Builder::link).
///
/// Its request goes to the account's first device, and an approval comes back. Both may travel by any
/// way and in the open: whoever changes one is found out, the request by the comparison of codes and
/// the approval by its signatures.
pub struct NewDevice {
    linking: Mutex<Linking>,
    request: DeviceRequest,
    setup: Setup,
}

impl NewDevice {
    pub(super) fn new(linking: Linking, setup: Setup) -> Self {
        let request = DeviceRequest(linking.request().clone());
        Self { linking: Mutex::new(linking), request, setup }
    }

    /// What the first device has to approve.
    #[must_use]
    pub fn request(&self) -> &DeviceRequest {
        &self.request
    }

    /// Checks an approval, and tells whose device this one becomes by it. Nothing is done yet: ask
    /// the user whether this is the right account.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] if the approval is for another request, or not by an account,
    /// [`Error::Revoked`] if it was taken back, [`Error::Store`].
    pub fn account(&self, approval: &[u8]) -> Result<Address, Error> {
        let linking = self.linking.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(linking.account(approval)?)
    }

    /// Becomes a device of the account that approves. The account's other devices bring it into their
    /// groups by themselves; from there it reads what is said.
    ///
    /// # Errors
    ///
    /// Those of [`account`](Self::account), [`Error::NoRuntime`], [`Error::System`]. Nothing has
    /// happened then. A device that has a file can be opened with
    /// [`Builder::link`](super::Builder::link) again, one in memory is gone; so look at the approval
    /// with [`account`](Self::account) first.
    pub async fn finish(self, approval: &[u8]) -> Result<Client, Error> {
        let linking = self.linking.into_inner().unwrap_or_else(PoisonError::into_inner);
        let approval = approval.to_vec();
        let complete = move || Ok(linking.complete(Time::from_system(), &approval)?);
        self.setup.start(complete).await
    }
}

/// Says nothing about who asks.
impl fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDevice").finish_non_exhaustive()
    }
}

/// The request of a new device to become an account's. It is a text, with [`Display`](fmt::Display)
/// and [`FromStr`], of 6,185 characters: too long for a QR code, so it takes a file, a clipboard or a
/// local network.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceRequest(pub(super) LinkRequest);

impl DeviceRequest {
    /// Twenty digits in groups of five. Both devices show them, and the user says whether they are
    /// the same, before the first device approves: then nobody on the way has put a device of his own
    /// in the place of the user's.
    #[must_use]
    pub fn comparison_code(&self) -> String {
        self.0.comparison_code(&TrellisCrypto::default())
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text())
    }
}

impl FromStr for DeviceRequest {
    type Err = IdentityError;

    /// Reads the text, in lower or upper case, with space around it.
    fn from_str(text: &str) -> Result<Self, IdentityError> {
        LinkRequest::from_text(text.trim()).map(Self)
    }
}

/// Says nothing about who asks.
impl fmt::Debug for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRequest").finish_non_exhaustive()
    }
}
