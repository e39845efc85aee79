//! The binary codec of the entries.
//!
//! A compact, self-describing [serde] format. It describes itself because OpenMLS's entities cannot
//! be read back otherwise: `MlsGroupJoinConfig` has a field that is deserialised as an untagged enum,
//! and the entities of the virtual clients draft hold `tls_codec`'s `VLByteVec`; both ask the
//! deserialiser what comes next, which postcard and bincode, for example, cannot answer. Here every
//! value begins with a [`Tag`]. The exception that keeps it compact and fast are the bytes of a
//! `Vec<u8>`, which serde hands over as a sequence of integers: they are packed behind one tag.
//!
//! | Value | Encoding after its tag |
//! |---|---|
//! | `()`, unit struct, `None`, `false`, `true` | nothing |
//! | `Some(v)` | v |
//! | `u8` | one byte |
//! | `u16`, `u32`, `u64` | varint |
//! | `i8`, `i16`, `i32`, `i64` | varint of the zigzag form |
//! | `u128`, `i128`, `f32`, `f64` | little endian |
//! | `char` | varint of its scalar value |
//! | string, byte string | varint length, bytes |
//! | sequence of nothing but `u8` | varint length, bytes |
//! | other sequence, tuple, struct | varint count, values |
//! | map | varint count, keys and values in turn |
//! | enum | varint index of the variant, value (unit, newtype's value, or sequence) |
//! | newtype struct | no tag: the value inside |
//!
//! A varint is a little-endian base 128 number of at most ten bytes. No encoding is the beginning
//! of another, so that encodings put one after the other stay distinct; the keys rely on it.

mod de;
mod octets;
mod ser;
#[cfg(test)]
mod tests;

use serde::{Serialize, de::DeserializeOwned};

use super::secret::SecretBytes;

/// How deeply values may be nested when they are read. Without a limit, a few kilobytes of hostile
/// input could exhaust the stack, which aborts the process.
const MAX_DEPTH: u8 = 96;

/// Appends the encoding of `value` to `out`.
///
/// After an error `out` holds a part of the encoding.
pub(crate) fn encode<T: Serialize + ?Sized>(
    value: &T,
    out: &mut SecretBytes,
) -> Result<(), CodecError> {
    value.serialize(out)
}

/// Reads a value that takes up the whole of `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut decoder = de::Decoder::new(bytes);
    let value = T::deserialize(&mut decoder)?;
    decoder.finish()?;
    Ok(value)
}

/// Why a value could not be encoded or decoded.
///
/// The messages that serde composes are left out: they quote what was read, and that may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The input ends inside a value.
    #[error("the input ends too early")]
    UnexpectedEnd,
    /// There is input left after the value, or after the last part of it that the type has.
    #[error("there is input left over")]
    TrailingBytes,
    /// A byte that stands for no kind of value, or for another kind than the type has here.
    #[error("a value of another kind was expected")]
    UnexpectedTag,
    /// A number is out of range, or not in its shortest form.
    #[error("a number is malformed")]
    InvalidNumber,
    /// A string is not UTF-8, or a character not a Unicode scalar value.
    #[error("text is malformed")]
    InvalidText,
    /// The values are nested too deeply.
    #[error("the values are nested too deeply")]
    TooDeep,
    /// A sequence or map did not say its length beforehand, or said another than it had.
    #[error("a sequence without a reliable length")]
    UnreliableLength,
    /// The type itself refused to be serialised, or to be made from what was read.
    #[error("the type rejects the value")]
    Rejected,
}

impl serde::ser::Error for CodecError {
    fn custom<T: std::fmt::Display>(_message: T) -> Self {
        Self::Rejected
    }
}

impl serde::de::Error for CodecError {
    fn custom<T: std::fmt::Display>(_message: T) -> Self {
        Self::Rejected
    }
}

/// Writes the constants of [`Tag`] and their reading.
macro_rules! tags {
    ($( $(#[$doc:meta])* $name:ident = $byte:literal ),+ $(,)?) => {
        /// The first byte of every value. The numbers are part of the stored format: they never
        /// change, and a retired one is not given away again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        enum Tag { $( $(#[$doc])* $name = $byte ),+ }

        impl Tag {
            #[inline]
            fn from_byte(byte: u8) -> Result<Self, CodecError> {
                match byte {
                    $( $byte => Ok(Self::$name), )+
                    _ => Err(CodecError::UnexpectedTag),
                }
            }
        }
    };
}

tags! {
    /// `()` and unit structs.
    Unit = 0x00,
    /// `false`.
    False = 0x01,
    /// `true`.
    True = 0x02,
    /// `None`.
    None = 0x03,
    /// `Some`.
    Some = 0x04,
    /// `u8`.
    Octet = 0x05,
    /// The wider unsigned integers.
    Unsigned = 0x06,
    /// The signed integers.
    Signed = 0x07,
    /// `u128`.
    Unsigned128 = 0x08,
    /// `i128`.
    Signed128 = 0x09,
    /// `f32`.
    Float32 = 0x0a,
    /// `f64`.
    Float64 = 0x0b,
    /// `char`.
    Char = 0x0c,
    /// Strings.
    Text = 0x0d,
    /// What is serialised as bytes.
    Bytes = 0x0e,
    /// A sequence that turned out to be nothing but `u8`.
    Octets = 0x0f,
    /// Sequences, tuples, structs.
    Sequence = 0x10,
    /// Maps.
    Map = 0x11,
    /// Enums.
    Variant = 0x12,
}
