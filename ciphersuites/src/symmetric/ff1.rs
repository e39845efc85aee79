//! FF1 with AES-128 on 32-bit numbers (NIST SP 800-38G): the small-space permutation of
//! draft-ietf-mls-virtual-clients.
//!
//! Radix 2, 32 digits, an empty tweak. The digits of a number are the bits of its big-endian bytes,
//! from the least significant bit of the first byte on; that is the order of OpenMLS, and the draft
//! leaves it open.

use aes::Aes128;
use fpe::ff1::{BinaryNumeralString, FF1};

use crate::Error;

/// The number that `number` is permuted to.
///
/// # Errors
///
/// None with these parameters, which the library checks all the same: [`Error::Unsupported`].
pub fn encrypt(key: &[u8; 16], number: u32) -> Result<u32, Error> {
    permute(key, number, |ff1, digits| ff1.encrypt(&[], digits))
}

/// The number that is permuted to `number`.
///
/// # Errors
///
/// As [`encrypt`].
pub fn decrypt(key: &[u8; 16], number: u32) -> Result<u32, Error> {
    permute(key, number, |ff1, digits| ff1.decrypt(&[], digits))
}

fn permute<E>(
    key: &[u8; 16],
    number: u32,
    operation: impl FnOnce(&FF1<Aes128>, &BinaryNumeralString) -> Result<BinaryNumeralString, E>,
) -> Result<u32, Error> {
    let ff1 = FF1::<Aes128>::new(key, 2).map_err(|_| Error::Unsupported)?;
    let digits = BinaryNumeralString::from_bytes_le(&number.to_be_bytes());
    let permuted = operation(&ff1, &digits).map_err(|_| Error::Unsupported)?;
    let bytes = permuted.to_bytes_le().try_into().map_err(|_| Error::Unsupported)?;
    Ok(u32::from_be_bytes(bytes))
}
