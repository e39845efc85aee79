//! A record: what a device says, signed.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use openmls_traits::types::{CryptoError, SignatureScheme};
use openmls_trellis_crypto::TrellisCrypto;

use super::{DirectoryError, place};
use crate::identity::codec::{Malformed, Reader, put_opaque};
use crate::identity::{Binding, DeviceKeys, DevicePublic, IdentityError};
use crate::{Address, DeviceId, Span, Time, Topic};

/// The longest record, in bytes: 16 KiB.
pub const MAX_RECORD: usize = 16 * 1024;
/// How many boxes a record names at most.
pub const MAX_BOXES: usize = 4;
/// The longest address of a mailbox, in bytes.
pub const MAX_ADDRESS: usize = 128;
/// How long a record holds that [`Record::sign`] makes: 24 hours. It is made again long before.
pub const LIFETIME: Span = Span::seconds(24 * 3600);
/// How long one may hold: 48 hours.
pub const MAX_LIFETIME: Span = Span::seconds(48 * 3600);
/// How far the clock of who made it may be ahead: 10 minutes.
pub const SKEW: Span = Span::seconds(600);

const VERSION: u8 = 1;
const LABEL: &[u8] = b"trellis directory record v1";
const CLASSICAL: SignatureScheme = SignatureScheme::ED25519;
/// The most bytes of the list of boxes: each with lengths of at most two bytes.
const MAX_LIST: usize = MAX_BOXES * (2 + MAX_ADDRESS + 32 + 32);
/// The longest signature of ML-DSA.
const MAX_SIGNATURE: usize = 4627;

/// A box that gives key packages, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct BoxAt {
    /// The address of the mailbox's node: a binary multiaddress with the name of its peer at the end, at
    /// most [`MAX_ADDRESS`] bytes.
    pub address: Vec<u8>,
    /// The mailbox: the bytes of its `MailboxId`.
    pub mailbox: [u8; 32],
    /// The box: the bytes of its `BoxId`.
    pub id: [u8; 32],
}

/// Prints nothing of itself.
impl std::fmt::Debug for BoxAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxAt(..)")
    }
}

/// The statement of a device where key packages of it are. It says nothing until
/// [`verify`](Self::verify) has.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    binding: Vec<u8>,
    bound: Binding,
    made: Time,
    expires: Time,
    boxes: Vec<BoxAt>,
    ed25519: [u8; 64],
    ml_dsa: Vec<u8>,
}

/// Prints nothing of the keys and places in it.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("boxes", &self.boxes.len()).finish_non_exhaustive()
    }
}

/// What a [`Record`] says whose signatures have been verified. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRecord {
    address: Address,
    device: DeviceId,
    made: Time,
    expires: Time,
    boxes: Vec<BoxAt>,
}

/// The scheme of ML-DSA that a device signs records with.
fn post_quantum(keys: &DevicePublic) -> Option<SignatureScheme> {
    let schemes = [SignatureScheme::MLDSA44, SignatureScheme::MLDSA65, SignatureScheme::MLDSA87];
    let keys = keys.keys().iter().map(|key| key.scheme());
    keys.filter(|scheme| schemes.contains(scheme)).min_by_key(|scheme| *scheme as u16)
}

/// What stands before the signatures.
fn content(binding: &[u8], made: Time, expires: Time, boxes: &[BoxAt]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_opaque(&mut out, binding);
    out.extend_from_slice(&made.0.to_be_bytes());
    out.extend_from_slice(&expires.0.to_be_bytes());
    let mut list = Vec::new();
    for at in boxes {
        put_opaque(&mut list, &at.address);
        list.extend_from_slice(&at.mailbox);
        list.extend_from_slice(&at.id);
    }
    put_opaque(&mut out, &list);
    out
}

fn statement(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + LABEL.len() + content.len());
    put_opaque(&mut out, LABEL);
    out.extend_from_slice(content);
    out
}

fn read_boxes(bytes: &[u8]) -> Result<Vec<BoxAt>, DirectoryError> {
    let (mut list, mut boxes) = (Reader::new(bytes), Vec::new());
    while !list.is_empty() {
        if boxes.len() == MAX_BOXES {
            return Err(DirectoryError::TooLarge);
        }
        let address = list.opaque(MAX_ADDRESS)?.to_vec();
        boxes.push(BoxAt { address, mailbox: list.array()?, id: list.array()? });
    }
    Ok(boxes)
}

impl From<Malformed> for DirectoryError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl Record {
    /// The record of a device, made now; it ends after [`LIFETIME`].
    ///
    /// # Errors
    ///
    /// [`DirectoryError::TooLarge`], [`DirectoryError::NoKey`] if the device has no key of Ed25519,
    /// [`DirectoryError::Identity`] if the binding is none, is another device's, or there is no
    /// randomness to be had.
    pub fn sign(
        keys: &DeviceKeys,
        binding: &[u8],
        boxes: Vec<BoxAt>,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        if boxes.len() > MAX_BOXES || boxes.iter().any(|at| at.address.len() > MAX_ADDRESS) {
            return Err(DirectoryError::TooLarge);
        }
        let bound = Binding::decode(binding)?;
        if bound.device() != keys.public() {
            return Err(IdentityError::WrongKey.into());
        }
        let (made, expires) = (now, now + LIFETIME);
        let said = statement(&content(binding, made, expires, &boxes));
        let sign = |scheme| {
            let signer = keys.signer(scheme).ok_or(DirectoryError::NoKey)?;
            let failed = |_| IdentityError::Crypto(CryptoError::SigningError);
            Ok::<_, DirectoryError>(signer.sign(&said).map_err(failed)?)
        };
        let ed25519 = sign(CLASSICAL)?.try_into().map_err(|_| DirectoryError::Malformed)?;
        let ml_dsa = post_quantum(keys.public()).map(sign).transpose()?.unwrap_or_default();
        let record =
            Self { binding: binding.to_vec(), bound, made, expires, boxes, ed25519, ml_dsa };
        let length = record.encode().len();
        if length > MAX_RECORD { Err(DirectoryError::TooLarge) } else { Ok(record) }
    }

    /// The bytes, as the table [above](super) says.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = content(&self.binding, self.made, self.expires, &self.boxes);
        out.extend_from_slice(&self.ed25519);
        put_opaque(&mut out, &self.ml_dsa);
        out
    }

    /// Reads a record; there must be nothing behind it.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::TooLarge`], [`DirectoryError::Version`], [`DirectoryError::Malformed`],
    /// [`DirectoryError::Identity`] for what is no binding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DirectoryError> {
        if bytes.len() > MAX_RECORD {
            return Err(DirectoryError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            VERSION => {}
            version => return Err(DirectoryError::Version(version)),
        }
        let binding = reader.opaque(Binding::MAX_LENGTH)?.to_vec();
        let (made, expires) = (Time(reader.u64()?), Time(reader.u64()?));
        let boxes = read_boxes(reader.opaque(MAX_LIST)?)?;
        let ed25519 = reader.array()?;
        let ml_dsa = reader.opaque(MAX_SIGNATURE)?.to_vec();
        reader.finish()?;
        let bound = Binding::decode(&binding)?;
        Ok(Self { binding, bound, made, expires, boxes, ed25519, ml_dsa })
    }

    /// When it was made, by the clock of its device: the later of two holds.
    #[must_use]
    pub fn made(&self) -> Time {
        self.made
    }

    /// The topic of the account that it says to be of.
    #[must_use]
    pub fn topic(&self, crypto: &TrellisCrypto) -> Topic {
        place::inbox(crypto, &self.bound.account().address(crypto))
    }

    /// The device that it says to be of.
    #[must_use]
    pub fn device(&self, crypto: &TrellisCrypto) -> DeviceId {
        self.bound.device_id(crypto)
    }

    /// Checks whether it holds now, by its own times.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::Lifetime`], [`DirectoryError::Future`], [`DirectoryError::Expired`].
    pub fn check_time(&self, now: Time) -> Result<(), DirectoryError> {
        if self.expires <= self.made || self.expires.since(self.made) > MAX_LIFETIME {
            return Err(DirectoryError::Lifetime);
        }
        if self.made.since(now) > SKEW {
            return Err(DirectoryError::Future);
        }
        if self.expires <= now { Err(DirectoryError::Expired) } else { Ok(()) }
    }

    /// Checks that the device says so, and that the account calls it its own.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::Signature`], [`DirectoryError::Identity`], [`DirectoryError::NoKey`].
    pub fn verify(&self, crypto: &TrellisCrypto) -> Result<VerifiedRecord, DirectoryError> {
        let keys = self.bound.device();
        let said = statement(&content(&self.binding, self.made, self.expires, &self.boxes));
        let key = |scheme| keys.keys().iter().find(|key| key.scheme() == scheme);
        let verify = |scheme, signature: &[u8]| {
            let key = key(scheme).ok_or(DirectoryError::NoKey)?;
            let verified = crypto.verify_signature(scheme, &said, key.key(), signature);
            verified.map_err(|_| DirectoryError::Signature)
        };
        // The cheapest first: who sends nonsense should cost little.
        verify(CLASSICAL, &self.ed25519)?;
        match post_quantum(keys) {
            Some(scheme) => verify(scheme, &self.ml_dsa)?,
            None if self.ml_dsa.is_empty() => {}
            None => return Err(DirectoryError::Malformed),
        }
        let bound = self.bound.verify(crypto)?;
        Ok(VerifiedRecord {
            address: bound.address(),
            device: bound.device(),
            made: self.made,
            expires: self.expires,
            boxes: self.boxes.clone(),
        })
    }
}

impl VerifiedRecord {
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

    /// When it was made.
    #[must_use]
    pub fn made(&self) -> Time {
        self.made
    }

    /// When it ends.
    #[must_use]
    pub fn expires(&self) -> Time {
        self.expires
    }

    /// Where the device's key packages are, the best place first.
    #[must_use]
    pub fn boxes(&self) -> &[BoxAt] {
        &self.boxes
    }
}
