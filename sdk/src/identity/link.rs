//! Linking: a device asks to become an account's.

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Hrp, NoChecksum};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::Signer;
use openmls_traits::types::CryptoError;
use openmls_trellis_crypto::TrellisCrypto;

use super::account::{labelled, sha256};
use super::codec::{Reader, put_opaque};
use super::device::{check_version, scheme_sizes};
use super::{DeviceKeys, DevicePublic, IdentityError};

const VERSION: u8 = 1;
const LABEL: &str = "trellis link request v1";
const CODE_LABEL: &str = "trellis link code v1";
const WHAT: &str = "link request";
const NONCE: usize = 16;

/// What stands before the `1` of the text.
const PREFIX: Hrp = Hrp::parse_unchecked("trellislink");
/// The longest text that is looked at: eight characters for five bytes, of which there are at most
/// 16.5 KB.
const MAX_TEXT: usize = 27 * 1024;

/// The request of a device to become an account's.
///
/// | bytes | content |
/// |---|---|
/// | 1 | version, 1 |
/// | 36 or more | keys of the device, as in a [`Binding`](super::Binding) |
/// | 16 | random bytes |
/// | 66 or more | for each key, in their order, `opaque signature<V>` |
///
/// Each key signs `opaque label<V> = "trellis link request v1"`, then all that stands before the
/// signatures: so nobody asks with keys that are not his. With Ed25519 alone these are 119 bytes, with
/// ML-DSA-44, 65 and 87 beside it 16,350.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkRequest {
    device: DevicePublic,
    nonce: [u8; NONCE],
    proofs: Vec<Vec<u8>>,
}

/// What is signed, without its label.
fn content(device: &DevicePublic, nonce: &[u8; NONCE]) -> Vec<u8> {
    let mut out = vec![VERSION];
    device.write(&mut out);
    out.extend_from_slice(nonce);
    out
}

impl LinkRequest {
    /// Asks with the keys of this device.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Crypto`] if there is no randomness to be had.
    pub fn new(crypto: &TrellisCrypto, keys: &DeviceKeys) -> Result<Self, IdentityError> {
        let nonce = crypto
            .random_array()
            .map_err(|_| IdentityError::Crypto(CryptoError::InsufficientRandomness))?;
        let statement = labelled(LABEL, &content(keys.public(), &nonce));
        let proofs = keys
            .signers()
            .map(|signer| signer.sign(&statement))
            .collect::<Result<_, _>>()
            .map_err(|_| IdentityError::Crypto(CryptoError::SigningError))?;
        Ok(Self { device: keys.public().clone(), nonce, proofs })
    }

    /// The keys of the device that asks.
    #[must_use]
    pub fn device(&self) -> &DevicePublic {
        &self.device
    }

    /// The bytes, as the table says.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = content(&self.device, &self.nonce);
        for proof in &self.proofs {
            put_opaque(&mut out, proof);
        }
        out
    }

    /// Reads a request; there must be nothing behind it.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`], [`IdentityError::Version`], [`IdentityError::Scheme`],
    /// [`IdentityError::KeyCount`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let malformed = IdentityError::malformed(WHAT);
        let mut reader = Reader::new(bytes);
        check_version(reader.u8(), VERSION, WHAT)?;
        let device = DevicePublic::read(&mut reader, WHAT)?;
        let nonce = reader.array().map_err(&malformed)?;
        let mut proofs = Vec::new();
        for key in device.keys() {
            let limit = scheme_sizes(key.scheme())?.signature_len();
            proofs.push(reader.opaque(limit).map_err(&malformed)?.to_vec());
        }
        reader.finish().map_err(&malformed)?;
        Ok(Self { device, nonce, proofs })
    }

    /// Checks that who asks has the keys.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Signature`].
    pub fn verify(&self, crypto: &TrellisCrypto) -> Result<(), IdentityError> {
        let statement = labelled(LABEL, &content(&self.device, &self.nonce));
        for (key, proof) in self.device.keys().iter().zip(&self.proofs) {
            crypto
                .verify_signature(key.scheme(), &statement, key.key(), proof)
                .map_err(|_| IdentityError::Signature(WHAT))?;
        }
        Ok(())
    }

    /// The request as text, to be copied or shown as a QR code: the bytes in the alphabet of Bech32,
    /// without its checksum, since the signatures tell whether it is whole. With a key of Ed25519
    /// alone it has 203 characters; with ML-DSA it is too long for a QR code.
    #[must_use]
    pub fn text(&self) -> String {
        bech32::encode_lower::<NoChecksum>(PREFIX, &self.encode())
            .expect("there is no limit without a checksum")
    }

    /// Reads what [`text`](Self::text) wrote, in lower or upper case.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    pub fn from_text(text: &str) -> Result<Self, IdentityError> {
        let malformed = IdentityError::Malformed(WHAT);
        if text.len() > MAX_TEXT {
            return Err(malformed);
        }
        let checked = CheckedHrpstring::new::<NoChecksum>(text).map_err(|_| malformed)?;
        let request = Self::decode(&checked.byte_iter().collect::<Vec<_>>())?;
        // A request has one text and no other.
        if text.eq_ignore_ascii_case(&request.text()) { Ok(request) } else { Err(malformed) }
    }

    /// Twenty digits in groups of five, to be compared by eye between the device that asks and the
    /// one that approves: SHA-256 of `opaque label<V> = "trellis link code v1"` and what the keys
    /// signed, the first 16 bytes as a number modulo 10^20.
    ///
    /// It is this long because somebody in between may try keys of his own until their code is the
    /// same. He can do so ahead, as codes depend on nothing but a request: with nine digits a table
    /// of all codes would be made in seconds. A request that was scanned from the other screen needs
    /// no comparison.
    #[must_use]
    pub fn comparison_code(&self, crypto: &TrellisCrypto) -> String {
        let digest = sha256(crypto, &labelled(CODE_LABEL, &content(&self.device, &self.nonce)));
        let number =
            digest[..16].iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
        let digits = format!("{:020}", number % 10_u128.pow(20));
        let [a, b, c, d] = [0, 5, 10, 15].map(|start| &digits[start..start + 5]);
        format!("{a} {b} {c} {d}")
    }
}

impl fmt::Debug for LinkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkRequest({:?})", self.device)
    }
}
