//! Who is behind a leaf of a group.

use openmls::prelude::{BasicCredential, Credential, CredentialType, CredentialWithKey};
use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::TrellisSigner;

use super::codec::Reader;
use super::device::check_version;
use super::{IdentityError, VerifiedBinding};
use crate::{Address, DeviceId};

const VERSION: u8 = 1;
const WHAT: &str = "leaf identity";

/// Who a leaf says it is: the identity in its basic credential (RFC 9420, section 5.3). Whether it
/// is, [`check_leaf`] tells.
///
/// 65 bytes: version 1, the address, the device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIdentity {
    /// The account.
    pub address: Address,
    /// The device.
    pub device: DeviceId,
}

impl LeafIdentity {
    /// How many bytes it has.
    pub const LENGTH: usize = 1 + Address::LENGTH + DeviceId::LENGTH;

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut out = [0; Self::LENGTH];
        let (version, names) = out.split_at_mut(1);
        let (address, device) = names.split_at_mut(Address::LENGTH);
        version.copy_from_slice(&[VERSION]);
        address.copy_from_slice(&self.address.0);
        device.copy_from_slice(&self.device.0);
        out
    }

    /// Reads the bytes, of which there are neither more nor fewer.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`], [`IdentityError::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let malformed = IdentityError::malformed(WHAT);
        let mut reader = Reader::new(bytes);
        check_version(reader.u8(), VERSION, WHAT)?;
        let address = Address(reader.array().map_err(&malformed)?);
        let device = DeviceId(reader.array().map_err(&malformed)?);
        reader.finish().map_err(&malformed)?;
        Ok(Self { address, device })
    }

    /// The credential of a leaf with this identity, with the key that the leaf signs with.
    #[must_use]
    pub fn with_key(&self, signer: &TrellisSigner) -> CredentialWithKey {
        CredentialWithKey { credential: self.into(), signature_key: signer.public_key().into() }
    }
}

impl From<&LeafIdentity> for Credential {
    fn from(identity: &LeafIdentity) -> Self {
        BasicCredential::new(identity.encode().to_vec()).into()
    }
}

impl TryFrom<&Credential> for LeafIdentity {
    type Error = IdentityError;

    /// Only from a basic credential: others hold other things.
    fn try_from(credential: &Credential) -> Result<Self, IdentityError> {
        if credential.credential_type() != CredentialType::Basic {
            return Err(IdentityError::Malformed("credential"));
        }
        Self::decode(credential.serialized_content())
    }
}

/// How much is known about a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeafStatus {
    /// It is of the account that it names.
    Verified,
    /// The binding that would tell is not here yet.
    Unverified,
}

/// Checks who a leaf says it is, and the key that it signs with, against the binding of its device.
///
/// # Errors
///
/// [`IdentityError::WrongDevice`], [`IdentityError::WrongAccount`], [`IdentityError::WrongKey`].
pub fn check_leaf(
    identity: &LeafIdentity,
    scheme: SignatureScheme,
    key: &[u8],
    binding: Option<&VerifiedBinding>,
) -> Result<LeafStatus, IdentityError> {
    let Some(binding) = binding else {
        return Ok(LeafStatus::Unverified);
    };
    if identity.device != binding.device() {
        Err(IdentityError::WrongDevice)
    } else if identity.address != binding.address() {
        Err(IdentityError::WrongAccount)
    } else if !binding.covers(scheme, key) {
        Err(IdentityError::WrongKey)
    } else {
        Ok(LeafStatus::Verified)
    }
}
