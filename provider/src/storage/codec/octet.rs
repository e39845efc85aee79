//! A serialiser that takes a `u8` and nothing else.
//!
//! serde gives no other way, on stable Rust, to find out that the items of a sequence are bytes.
//! The question costs nothing: for a `Vec<u8>` the compiler sees that the answer is always yes, and
//! what is left of the loop that asks is a copy of the slice.

use serde::{
    Serialize,
    ser::{self, Impossible},
};

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
