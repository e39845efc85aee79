//! A new device on its way to an account.
//!
//! The device makes its keys and a [`LinkRequest`]; both are in the store before anybody sees the
//! request, so that whenever the grant comes, the keys that it is for are there. It has no account
//! until then, and no engine.

use std::fmt;

use openmls_trellis_crypto::TrellisCrypto;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::{DEVICES, MAX_DEVICES, MAX_REVOCATIONS, new_keys, restore, revocations_of};
use crate::engine::Engine;
use crate::engine::core::Config;
use crate::engine::io::EngineError;
use crate::identity::{
    Binding, DeviceKeys, IdentityError, LinkRequest, Revocation, VerifiedBinding,
    VerifiedRevocation,
};
use crate::store::{Space, Store};
use crate::{Address, Time, wire};

/// The longest grant that is looked at.
const MAX_GRANT: usize =
    64 + MAX_DEVICES * (Binding::MAX_LENGTH + 4) + MAX_REVOCATIONS * (Revocation::LENGTH + 4);
const VERSION: u8 = 1;
const WHAT: &str = "grant";

/// Where in [`Space::Device`] the request is, and in [`Space::Account`] whom it has to be granted by.
const REQUEST: &[u8] = b"request";
const ACCOUNT: &[u8] = b"address";

/// What the first device gives to a new one: the new one's binding, those of the account's other
/// devices, the first's own among them, and the account's revocations. All of it is signed by the
/// account, and nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(super) struct Grant {
    version: u8,
    binding: VLBytes,
    devices: Vec<VLBytes>,
    revocations: Vec<VLBytes>,
}

impl Grant {
    pub(super) fn new(binding: VLBytes, devices: Vec<VLBytes>, revocations: Vec<VLBytes>) -> Self {
        Self { version: VERSION, binding, devices, revocations }
    }
}

/// A grant that has been verified, each statement with its bytes.
struct Granted {
    own: (VerifiedBinding, Vec<u8>),
    devices: Vec<(VerifiedBinding, Vec<u8>)>,
    revocations: Vec<(VerifiedRevocation, Vec<u8>)>,
}

/// A device that waits for being made an account's.
///
/// ```
/// use openmls_trellis_crypto::TrellisCrypto;
/// use trellis_sdk::Time;
/// use trellis_sdk::engine::{Config, Engine, Linking};
/// use trellis_sdk::identity::LinkRequest;
/// use trellis_sdk::store::Store;
///
/// let (crypto, now) = (TrellisCrypto::default(), Time::from_system());
/// let mut phone =
///     Engine::open(Store::in_memory()?, crypto.clone(), now, Config::default())?;
///
/// let laptop = Linking::open(Store::in_memory()?, crypto, Config::default())?;
/// let request = LinkRequest::from_text(&laptop.request().text())?;
/// println!("compare {}", laptop.comparison_code());
///
/// let grant = phone.approve_device(now, &request)?;
/// println!("this is to be a device of {}", laptop.account(&grant)?);
/// let laptop = laptop.complete(now, &grant)?;
/// assert_eq!(laptop.address(), phone.address());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Linking {
    store: Store,
    crypto: TrellisCrypto,
    config: Config,
    request: LinkRequest,
}

impl Linking {
    /// Whether a store is that of a device that waits for a grant: then it is opened with
    /// [`Linking::open`] and not with [`Engine::open`].
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn is_pending(store: &Store) -> Result<bool, EngineError> {
        let granted = store.get(Space::Device, &[], b"binding")?.is_some();
        Ok(!granted && store.get(Space::Device, &[], REQUEST)?.is_some())
    }

    /// A new device on a new store, or one that was waiting already: it asks with the same request.
    ///
    /// # Errors
    ///
    /// [`EngineError::Linked`] if the device has an account already, and those of the store.
    pub fn open(
        mut store: Store,
        crypto: TrellisCrypto,
        config: Config,
    ) -> Result<Self, EngineError> {
        if store.get(Space::Device, &[], b"binding")?.is_some() {
            return Err(EngineError::Linked);
        }
        let request = match store.get(Space::Device, &[], REQUEST)? {
            Some(request) => LinkRequest::decode(&request)?,
            None => store.transaction(|store| ask(store, &crypto, &config))?,
        };
        Ok(Self { store, crypto, config, request })
    }

    /// A new device with the history of a backup, for an account whose keys are not in the backup:
    /// its first device has to approve. Nothing else of the backup is gone on with; see
    /// [`Engine::restore`].
    ///
    /// # Errors
    ///
    /// [`EngineError::NotLinked`] if the backup is of a device without an account,
    /// [`EngineError::Linked`] if it has the account's keys, and those of the store.
    pub fn restore(
        mut store: Store,
        crypto: TrellisCrypto,
        now: Time,
        config: Config,
    ) -> Result<Self, EngineError> {
        let request = store.transaction(|store| {
            // Who has the account's keys needs nobody's approval, and they must not get lost here.
            if store.get(Space::Account, &[], b"keys")?.is_some() {
                return Err(EngineError::Linked);
            }
            let old = restore::old_binding(store, &crypto)?;
            restore::drop_secrets(store, now)?;
            store.delete(Space::Device, &[], b"binding")?;
            store.put(Space::Account, &[], ACCOUNT, &old.0.address().0)?;
            store.put(Space::Binding, &[], &old.0.device().0, &old.1)?;
            ask(store, &crypto, &config)
        })?;
        store.erase()?;
        Ok(Self { store, crypto, config, request })
    }

    /// What the first device has to approve: its bytes or its text go there, by whatever way.
    #[must_use]
    pub fn request(&self) -> &LinkRequest {
        &self.request
    }

    /// The digits that the first device has to show as well.
    #[must_use]
    pub fn comparison_code(&self) -> String {
        self.request.comparison_code(&self.crypto)
    }

    /// Checks a grant, and tells whose device this one becomes by it. Whether that is the right
    /// account the user has to say.
    ///
    /// # Errors
    ///
    /// [`EngineError::Identity`] if the grant is for another request or not by an account,
    /// [`EngineError::Revoked`] if it was taken back.
    pub fn account(&self, grant: &[u8]) -> Result<Address, EngineError> {
        Ok(self.check(grant)?.own.0.address())
    }

    /// Becomes a device of the account that grants it.
    ///
    /// # Errors
    ///
    /// As for [`account`](Self::account), and those of the store. The store is then as it was, and
    /// can be opened again.
    pub fn complete(mut self, now: Time, grant: &[u8]) -> Result<Engine, EngineError> {
        let granted = self.check(grant)?;
        self.store.transaction(|store| keep(store, &granted))?;
        let mut engine = Engine::open(self.store, self.crypto, now, self.config)?;
        engine.step(Engine::announce)?;
        Ok(engine)
    }

    /// The store, to close it.
    #[must_use]
    pub fn into_store(self) -> Store {
        self.store
    }

    fn check(&self, grant: &[u8]) -> Result<Granted, EngineError> {
        let crypto = &self.crypto;
        let malformed = EngineError::Identity(IdentityError::Malformed(WHAT));
        if grant.len() > MAX_GRANT {
            return Err(malformed);
        }
        let Some(grant) = wire::decode::<Grant>(grant) else { return Err(malformed) };
        let version = grant.version;
        if version != VERSION {
            return Err(IdentityError::Version { what: WHAT, version }.into());
        }
        if grant.devices.len() > MAX_DEVICES || grant.revocations.len() > MAX_REVOCATIONS {
            return Err(malformed);
        }
        let bytes = grant.binding.as_slice();
        let own = Binding::decode(bytes)?.accept_for(crypto, &self.request)?;
        let address = own.address();
        let expected = self.store.get(Space::Account, &[], ACCOUNT)?;
        if expected.is_some_and(|expected| *expected != address.0) {
            return Err(IdentityError::WrongAccount.into());
        }
        let mut granted =
            Granted { own: (own, bytes.to_vec()), devices: Vec::new(), revocations: Vec::new() };
        for bytes in &grant.devices {
            let binding = Binding::decode(bytes.as_slice())?.verify(crypto)?;
            if binding.address() != address {
                return Err(IdentityError::WrongAccount.into());
            }
            granted.devices.push((binding, bytes.as_slice().to_vec()));
        }
        for bytes in &grant.revocations {
            let revocation = Revocation::decode(bytes.as_slice())?.verify(crypto)?;
            if revocation.address() != address {
                return Err(IdentityError::WrongAccount.into());
            }
            if revocation.device() == granted.own.0.device() {
                return Err(EngineError::Revoked);
            }
            granted.revocations.push((revocation, bytes.as_slice().to_vec()));
        }
        Ok(granted)
    }
}

/// Says nothing about who asks.
impl fmt::Debug for Linking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linking").finish_non_exhaustive()
    }
}

/// Makes the keys of a device and its request, and keeps both.
fn ask(
    store: &mut Store,
    crypto: &TrellisCrypto,
    config: &Config,
) -> Result<LinkRequest, EngineError> {
    let keys: DeviceKeys = new_keys(crypto, config)?;
    let request = LinkRequest::new(crypto, &keys)?;
    store.put(Space::Device, &[], b"keys", &keys.encode())?;
    store.put(Space::Device, &[], REQUEST, &request.encode())?;
    Ok(request)
}

/// Keeps what was granted.
fn keep(store: &mut Store, granted: &Granted) -> Result<(), EngineError> {
    let (own, bytes) = &granted.own;
    store.put(Space::Device, &[], b"binding", bytes)?;
    store.delete(Space::Device, &[], REQUEST)?;
    store.delete(Space::Account, &[], ACCOUNT)?;
    let revoked = |device| granted.revocations.iter().any(|(gone, _)| gone.device() == device);
    for (binding, bytes) in &granted.devices {
        let device = binding.device();
        store.put(Space::Binding, &[], &device.0, bytes)?;
        if device != own.device() && !revoked(device) {
            store.put(Space::Account, DEVICES, &device.0, &[])?;
        }
    }
    let scope = revocations_of(&own.address());
    for (revocation, bytes) in &granted.revocations {
        store.put(Space::Account, &scope, &revocation.device().0, bytes)?;
        store.delete(Space::Account, DEVICES, &revocation.device().0)?;
    }
    Ok(())
}
