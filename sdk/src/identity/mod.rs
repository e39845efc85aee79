//! Accounts and their devices.
//!
//! An *account* is a pair of signature keys, Ed25519 and ML-DSA-65. What an account says holds only
//! if both keys signed it, so it takes breaking both to forge it. Its [`Address`](crate::Address) is
//! a hash of both public keys; people give each other its text, `trellis1…`, which has a checksum.
//!
//! A *device* has keys of its own, one for each signature scheme of the groups that it is in. A
//! [`Binding`] is the account's statement that a device is its own; the name of a device is the hash
//! of its binding. A leaf of a group carries a [`LeafIdentity`], the account and the device, and
//! [`check_leaf`] compares it with the binding.
//!
//! ```
//! use openmls_traits::types::SignatureScheme;
//! use openmls_trellis_crypto::TrellisCrypto;
//! use trellis_sdk::Time;
//! use trellis_sdk::identity::{AccountKeys, Binding, DeviceKeys, LinkRequest};
//!
//! let crypto = TrellisCrypto::default();
//! let account = AccountKeys::generate(&crypto)?;
//! println!("my address is {}", account.public().address(&crypto));
//!
//! // The second device asks, and shows the code.
//! let laptop = DeviceKeys::generate(&crypto, &[SignatureScheme::MLDSA44])?;
//! let request = LinkRequest::new(&crypto, &laptop)?;
//! println!("compare {}", request.comparison_code(&crypto));
//!
//! // The first one shows the same code, and approves once its user has said that it is the same.
//! let received = LinkRequest::from_text(&request.text())?;
//! println!("compare {}", received.comparison_code(&crypto));
//! let binding = account.approve(&crypto, &received, Time::from_system())?;
//!
//! // The second device now is the account's.
//! let binding = Binding::decode(&binding.encode())?;
//! let verified = binding.accept_for(&crypto, &request)?;
//! assert_eq!(verified.address(), account.public().address(&crypto));
//! # Ok::<(), trellis_sdk::identity::IdentityError>(())
//! ```

mod account;
mod address;
mod binding;
pub(crate) mod codec;
mod device;
mod error;
mod leaf;
mod link;
mod revocation;

pub use account::{AccountKeys, AccountPublic};
pub use address::AddressError;
pub use binding::{Binding, VerifiedBinding};
pub use device::{DeviceKey, DeviceKeys, DevicePublic};
pub use error::IdentityError;
pub use leaf::{LeafIdentity, LeafStatus, check_leaf};
pub use link::LinkRequest;
pub use revocation::{Revocation, VerifiedRevocation};
