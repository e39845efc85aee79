//! The text of an address: Bech32m (BIP 350), which finds every change of up to four characters.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::{
    CharError, CheckedHrpstring, CheckedHrpstringError, UncheckedHrpstringError,
};
use bech32::{Bech32m, Hrp};

use crate::Address;

/// What stands before the `1`.
const PREFIX: Hrp = Hrp::parse_unchecked("trellis");

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It does not begin as addresses do.
    #[error("an address begins with trellis1")]
    Prefix,
    /// It has upper and lower case letters.
    #[error("an address is in lower case, or all of it is in upper case")]
    MixedCase,
    /// It has a character that no address has.
    #[error("no address has the character {0:?}")]
    Character(char),
    /// A character is missing or there is one too many.
    #[error("an address has {} characters", Address::TEXT_LENGTH)]
    Length,
    /// It was mistyped or damaged.
    #[error("the address has a mistake somewhere: its checksum is wrong")]
    Checksum,
}

impl AddressError {
    /// A name for this error that never changes, for programs and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Prefix => "address-prefix",
            Self::MixedCase => "address-mixed-case",
            Self::Character(_) => "address-character",
            Self::Length => "address-length",
            Self::Checksum => "address-checksum",
        }
    }
}

impl Address {
    /// How many characters its text has: `trellis1`, 52 for the bytes, 6 for the checksum.
    pub const TEXT_LENGTH: usize = 66;
}

/// The text that people give each other: `trellis1…`, 66 characters in lower case.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32m, _>(f, PREFIX, &self.0).map_err(|_| fmt::Error)
    }
}

/// Reads what [`Display`](fmt::Display) writes, or the same in upper case, as QR codes have it.
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // The checksum promises nothing for long texts, and an error should name what is seen first.
        if !starts_with_prefix(text) {
            return Err(AddressError::Prefix);
        }
        if let Some(character) = text.chars().find(|character| !character.is_ascii_alphanumeric()) {
            return Err(AddressError::Character(character));
        }
        if text.len() != Self::TEXT_LENGTH {
            return Err(AddressError::Length);
        }
        let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| match error {
            CheckedHrpstringError::Parse(UncheckedHrpstringError::Char(CharError::MixedCase)) => {
                AddressError::MixedCase
            }
            CheckedHrpstringError::Parse(UncheckedHrpstringError::Char(
                CharError::InvalidChar(character),
            )) => AddressError::Character(character),
            CheckedHrpstringError::Parse(_) => AddressError::Prefix,
            _ => AddressError::Checksum,
        })?;
        if checked.hrp() != PREFIX {
            return Err(AddressError::Prefix);
        }
        // 52 characters have four bits more than 32 bytes, and these are zero. So an address has one
        // text and no other.
        let mut bytes = [0; Self::LENGTH];
        let mut decoded = checked.byte_iter();
        bytes.iter_mut().zip(&mut decoded).for_each(|(byte, next)| *byte = next);
        let address = Self(bytes);
        if text.eq_ignore_ascii_case(&address.to_string()) {
            Ok(address)
        } else {
            Err(AddressError::Checksum)
        }
    }
}

fn starts_with_prefix(text: &str) -> bool {
    let length = PREFIX.len();
    text.get(..length).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_str()))
        && text.as_bytes().get(length) == Some(&b'1')
}
