//! Sequences of bytes: finding out that a sequence is one, and packing it.
//!
//! serde hands over a `Vec<u8>` like any other sequence, and on stable Rust there is no way to ask
//! for the type of its items. So each is serialised with [`Octet`], which takes a `u8` and nothing
//! else. The question costs nothing: for a `Vec<u8>` the compiler sees that the answer is always yes,
//! and what is left of the loop that asks is a copy of the slice.

use serde::{
    Serialize,
    ser::{self, Impossible},
};

use super::{CodecError, Tag};
use crate::storage::secret::SecretBytes;

impl SecretBytes {
    /// A sequence whose first item is the byte `first`; `rest` are the others.
    ///
    /// As long as all are bytes, they are packed. If not, the items that are none are encoded apart
    /// and the sequence is put together again. That never happens with derived implementations:
    /// the items of a `Vec<T>` are all of one type. It may with an untagged enum.
    #[inline]
    pub(super) fn octets<I>(&mut self, first: u8, rest: I, length: usize) -> Result<(), CodecError>
    where
        I: Iterator,
        I::Item: Serialize,
    {
        let beginning = self.len();
        self.tagged_length(Tag::Octets, length);
        let content = self.len();
        let mut exceptions = Exceptions::default();
        self.reserve(length);
        self.push(first);
        // `extend` over a slice's iterator is a plain copy; a loop that looked for the first
        // exception and stopped there would not be.
        self.extend_expected(
            length.saturating_sub(1),
            rest.enumerate().map(|(index, item)| {
                item.serialize(Octet).unwrap_or_else(|NotAnOctet| exceptions.note(index + 1, &item))
            }),
        );
        if self.len() - content != length {
            return Err(CodecError::UnreliableLength);
        }
        if exceptions.items.is_empty() {
            return Ok(());
        }
        let packed = Self::copy_of(self.as_slice().get(content..).unwrap_or_default());
        self.truncate(beginning);
        self.tagged_length(Tag::Sequence, length);
        exceptions.merge(packed.as_slice(), self)
    }
}

/// The items of a sequence that began with a `u8` and turned out to have others too.
#[derive(Default)]
struct Exceptions {
    items: Vec<(usize, Result<SecretBytes, CodecError>)>,
}

impl Exceptions {
    /// Encodes the item apart; what is returned takes its place in the packed sequence.
    #[cold]
    fn note<T: Serialize>(&mut self, index: usize, item: &T) -> u8 {
        let mut encoded = SecretBytes::default();
        let result = item.serialize(&mut encoded);
        self.items.push((index, result.map(|()| encoded)));
        0
    }

    /// Writes the items one by one, the exceptions in their places.
    fn merge(self, packed: &[u8], out: &mut SecretBytes) -> Result<(), CodecError> {
        let mut exceptions = self.items.into_iter().peekable();
        for (index, byte) in packed.iter().enumerate() {
            match exceptions.next_if(|(position, _)| *position == index) {
                Some((_, encoded)) => out.extend_from_slice(encoded?.as_slice()),
                None => out.fixed(Tag::Octet, &[*byte]),
            }
        }
        Ok(())
    }
}

/// Serialises a `u8` into itself.
pub(super) struct Octet;

/// The value was not a `u8`.
#[derive(Debug, thiserror::Error)]
#[error("not a u8")]
pub(super) struct NotAnOctet;

impl ser::Error for NotAnOctet {
    fn custom<T: std::fmt::Display>(_message: T) -> Self {
        Self
    }
}

/// Writes the methods that refuse.
macro_rules! refuse {
    ($( $name:ident ( $($argument:ty),* ) -> $ok:ty; )*) => {
        $(
            #[inline]
            fn $name(self, $(_: $argument),*) -> Result<$ok, NotAnOctet> {
                Err(NotAnOctet)
            }
        )*
    };
}

type Never = Impossible<u8, NotAnOctet>;

impl ser::Serializer for Octet {
    type Ok = u8;
    type Error = NotAnOctet;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    #[inline]
    fn serialize_u8(self, v: u8) -> Result<u8, NotAnOctet> {
        Ok(v)
    }

    /// A newtype struct has no tag of its own, so one around a `u8` is a `u8`.
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<u8, NotAnOctet> {
        value.serialize(self)
    }

    refuse! {
        serialize_bool(bool) -> u8;
        serialize_i8(i8) -> u8;
        serialize_i16(i16) -> u8;
        serialize_i32(i32) -> u8;
        serialize_i64(i64) -> u8;
        serialize_i128(i128) -> u8;
        serialize_u16(u16) -> u8;
        serialize_u32(u32) -> u8;
        serialize_u64(u64) -> u8;
        serialize_u128(u128) -> u8;
        serialize_f32(f32) -> u8;
        serialize_f64(f64) -> u8;
        serialize_char(char) -> u8;
        serialize_str(&str) -> u8;
        serialize_bytes(&[u8]) -> u8;
        serialize_none() -> u8;
        serialize_unit() -> u8;
        serialize_unit_struct(&'static str) -> u8;
        serialize_unit_variant(&'static str, u32, &'static str) -> u8;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, _value: &T) -> Result<u8, NotAnOctet> {
        Err(NotAnOctet)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<u8, NotAnOctet> {
        Err(NotAnOctet)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
