//! Revocations: an account says that a device is no longer its own.

use openmls_trellis_crypto::TrellisCrypto;

use super::account::{Signatures, labelled};
use super::codec::Reader;
use super::device::check_version;
use super::{AccountKeys, AccountPublic, IdentityError, VerifiedBinding};
use crate::{Address, DeviceId, Time};

const VERSION: u8 = 1;
const LABEL: &str = "trellis device revocation v1";
const WHAT: &str = "device revocation";

/// The statement of an account that a device is no longer its own. It is for good: a device that
/// comes back does so with new keys.
///
/// 5398 bytes:
///
/// | bytes | content |
/// |---|---|
/// | 1 | version, 1 |
/// | 32 | Ed25519 key of the account |
/// | 1952 | ML-DSA-65 key of the account |
/// | 32 | the device |
/// | 8 | when it was made, in milliseconds since the Unix epoch |
/// | 64 | signature of the Ed25519 key |
/// | 3309 | signature of the ML-DSA-65 key |
///
/// Both keys sign `opaque label<V> = "trellis device revocation v1"`, then all that stands before
/// the signatures. The keys are in it so that it can be checked by who does not have the binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    account: AccountPublic,
    device: DeviceId,
    at: Time,
    signatures: Signatures,
}

/// What is signed, without its label.
fn content(account: &AccountPublic, device: DeviceId, at: Time) -> Vec<u8> {
    let mut out = vec![VERSION];
    account.write(&mut out);
    out.extend_from_slice(&device.0);
    out.extend_from_slice(&at.0.to_be_bytes());
    out
}

impl AccountKeys {
    /// Says that a device is no longer this account's.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Crypto`] if there is no randomness to be had.
    pub fn revoke(&self, device: DeviceId, now: Time) -> Result<Revocation, IdentityError> {
        let account = self.public().clone();
        let signatures = self.sign(&labelled(LABEL, &content(&account, device, now)))?;
        Ok(Revocation { account, device, at: now, signatures })
    }
}

impl Revocation {
    /// How many bytes it has.
    pub const LENGTH: usize = 1 + AccountPublic::LENGTH + DeviceId::LENGTH + 8 + Signatures::LENGTH;

    /// The bytes, as the table says.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = content(&self.account, self.device, self.at);
        self.signatures.write(&mut out);
        out
    }

    /// Reads a revocation; there must be nothing behind it. It says nothing until
    /// [`verify`](Self::verify) has.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`], [`IdentityError::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let malformed = IdentityError::malformed(WHAT);
        let mut reader = Reader::new(bytes);
        check_version(reader.u8(), VERSION, WHAT)?;
        let account = AccountPublic::read(&mut reader).map_err(&malformed)?;
        let device = DeviceId(reader.array().map_err(&malformed)?);
        let at = Time(reader.u64().map_err(&malformed)?);
        let signatures = Signatures::read(&mut reader).map_err(&malformed)?;
        reader.finish().map_err(&malformed)?;
        Ok(Self { account, device, at, signatures })
    }

    /// Checks that the account says so with both keys.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Signature`].
    pub fn verify(&self, crypto: &TrellisCrypto) -> Result<VerifiedRevocation, IdentityError> {
        let content = content(&self.account, self.device, self.at);
        if !self.account.verify(crypto, &labelled(LABEL, &content), &self.signatures) {
            return Err(IdentityError::Signature(WHAT));
        }
        let address = self.account.address(crypto);
        Ok(VerifiedRevocation { address, device: self.device, at: self.at })
    }
}

/// What a [`Revocation`] says whose signatures have been verified. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRevocation {
    address: Address,
    device: DeviceId,
    at: Time,
}

impl VerifiedRevocation {
    /// The account that says so.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The device. Any account can name any device: [`revokes`](Self::revokes) tells whether it had
    /// a say.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// When the account said so, by its clock.
    #[must_use]
    pub fn at(&self) -> Time {
        self.at
    }

    /// Whether this ends the binding: it is of the same account and the same device.
    #[must_use]
    pub fn revokes(&self, binding: &VerifiedBinding) -> bool {
        self.address == binding.address() && self.device == binding.device()
    }
}
