//! Bindings: an account says that a device is its own.

use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::TrellisCrypto;

use super::account::{Signatures, labelled, sha256};
use super::codec::Reader;
use super::device::{MAX_LIST, check_version};
use super::{AccountKeys, AccountPublic, DevicePublic, IdentityError, LinkRequest};
use crate::{Address, DeviceId, Time};

const VERSION: u8 = 1;
const LABEL: &str = "trellis device binding v1";
const WHAT: &str = "device binding";

/// The statement of an account that a device with these keys is its own. Anybody may see it.
///
/// | bytes | content |
/// |---|---|
/// | 1 | version, 1 |
/// | 32 | Ed25519 key of the account |
/// | 1952 | ML-DSA-65 key of the account |
/// | 36 or more | keys of the device: `struct { uint16 scheme; opaque key<V>; } DeviceKey; DeviceKey keys<V>` |
/// | 8 | when it was made, in milliseconds since the Unix epoch |
/// | 64 | signature of the Ed25519 key |
/// | 3309 | signature of the ML-DSA-65 key |
///
/// Both keys sign `opaque label<V> = "trellis device binding v1"`, then all that stands before the
/// signatures. With Ed25519 alone these are 5402 bytes, with ML-DSA-44, 65 and 87 beside it 11,271.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    account: AccountPublic,
    device: DevicePublic,
    created: Time,
    signatures: Signatures,
}

/// What is signed, without its label.
fn content(account: &AccountPublic, device: &DevicePublic, created: Time) -> Vec<u8> {
    let mut out = vec![VERSION];
    account.write(&mut out);
    device.write(&mut out);
    out.extend_from_slice(&created.0.to_be_bytes());
    out
}

impl AccountKeys {
    /// Says that a device with these keys is this account's.
    ///
    /// For a device elsewhere, [`approve`](Self::approve) checks first that it has the keys.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Crypto`] if there is no randomness to be had.
    pub fn bind(&self, device: &DevicePublic, now: Time) -> Result<Binding, IdentityError> {
        let account = self.public().clone();
        let statement = labelled(LABEL, &content(&account, device, now));
        let signatures = self.sign(&statement)?;
        Ok(Binding { account, device: device.clone(), created: now, signatures })
    }

    /// Says that the device that asks is this account's.
    ///
    /// Whether it is, the user has to say: show the [code](LinkRequest::comparison_code) first.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Signature`] if the device has not all of the keys that it names,
    /// [`IdentityError::Crypto`] if there is no randomness to be had.
    pub fn approve(
        &self,
        crypto: &TrellisCrypto,
        request: &LinkRequest,
        now: Time,
    ) -> Result<Binding, IdentityError> {
        request.verify(crypto)?;
        self.bind(request.device(), now)
    }
}

impl Binding {
    /// The most bytes that it has: 11,373, with the four longest keys.
    pub const MAX_LENGTH: usize = 1 + AccountPublic::LENGTH + 2 + MAX_LIST + 8 + Signatures::LENGTH;

    /// The bytes, as the table says.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = content(&self.account, &self.device, self.created);
        self.signatures.write(&mut out);
        out
    }

    /// Reads a binding; there must be nothing behind it. It says nothing until
    /// [`verify`](Self::verify) has.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`], [`IdentityError::Version`], [`IdentityError::Scheme`],
    /// [`IdentityError::KeyCount`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let malformed = IdentityError::malformed(WHAT);
        let mut reader = Reader::new(bytes);
        check_version(reader.u8(), VERSION, WHAT)?;
        let account = AccountPublic::read(&mut reader).map_err(&malformed)?;
        let device = DevicePublic::read(&mut reader, WHAT)?;
        let created = Time(reader.u64().map_err(&malformed)?);
        let signatures = Signatures::read(&mut reader).map_err(&malformed)?;
        reader.finish().map_err(&malformed)?;
        Ok(Self { account, device, created, signatures })
    }

    /// The name of the device: SHA-256 of the encoding.
    #[must_use]
    pub fn device_id(&self, crypto: &TrellisCrypto) -> DeviceId {
        DeviceId(sha256(crypto, &self.encode()))
    }

    /// The account that it says to be of.
    pub(crate) fn account(&self) -> &AccountPublic {
        &self.account
    }

    /// The keys of the device.
    pub(crate) fn device(&self) -> &DevicePublic {
        &self.device
    }

    /// Checks that the account says so with both keys.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Signature`].
    pub fn verify(&self, crypto: &TrellisCrypto) -> Result<VerifiedBinding, IdentityError> {
        let content = content(&self.account, &self.device, self.created);
        if !self.account.verify(crypto, &labelled(LABEL, &content), &self.signatures) {
            return Err(IdentityError::Signature(WHAT));
        }
        Ok(VerifiedBinding {
            address: self.account.address(crypto),
            device: self.device_id(crypto),
            keys: self.device.clone(),
            created: self.created,
        })
    }

    /// Checks that this is what the device asked for. Its user has to say whether the account is the
    /// right one: show its [address](VerifiedBinding::address).
    ///
    /// # Errors
    ///
    /// [`IdentityError::OtherRequest`], [`IdentityError::Signature`].
    pub fn accept_for(
        &self,
        crypto: &TrellisCrypto,
        request: &LinkRequest,
    ) -> Result<VerifiedBinding, IdentityError> {
        if self.device != *request.device() {
            return Err(IdentityError::OtherRequest);
        }
        self.verify(crypto)
    }
}

/// What a [`Binding`] says whose signatures have been verified. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBinding {
    address: Address,
    device: DeviceId,
    keys: DevicePublic,
    created: Time,
}

impl VerifiedBinding {
    /// The account.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The keys of the device.
    #[must_use]
    pub fn keys(&self) -> &DevicePublic {
        &self.keys
    }

    /// When the account said so, by its clock.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// Whether this key is one of the device's.
    #[must_use]
    pub fn covers(&self, scheme: SignatureScheme, key: &[u8]) -> bool {
        self.keys.covers(scheme, key)
    }
}
