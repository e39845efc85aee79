//! Encoding: [`SecretBytes`] as a serde serialiser, so that what is encoded goes straight into the
//! buffer that is stored.

use serde::{Serialize, ser};

use super::{CodecError, Tag, octets::Octet};
use crate::storage::secret::SecretBytes;

impl SecretBytes {
    #[inline]
    fn tag(&mut self, tag: Tag) {
        self.push(tag as u8);
    }

    /// A tag and a varint: seven bits a byte, the lowest first, the top bit set in all but the last.
    #[inline]
    fn tagged_varint(&mut self, tag: Tag, mut value: u64) {
        self.tag(tag);
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    #[inline]
    pub(super) fn tagged_length(&mut self, tag: Tag, length: usize) {
        self.tagged_varint(tag, length as u64);
    }

    #[inline]
    fn tagged_slice(&mut self, tag: Tag, bytes: &[u8]) {
        self.tagged_length(tag, bytes.len());
        self.extend_from_slice(bytes);
    }

    #[inline]
    pub(super) fn fixed(&mut self, tag: Tag, bytes: &[u8]) {
        self.tag(tag);
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn signed(&mut self, value: i64) {
        self.tagged_varint(Tag::Signed, ((value << 1) ^ (value >> 63)) as u64);
    }
}

impl<'a> ser::Serializer for &'a mut SecretBytes {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), CodecError> {
        self.tag(if v { Tag::True } else { Tag::False });
        Ok(())
    }

    #[inline]
    fn serialize_i8(self, v: i8) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i16(self, v: i16) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i32(self, v: i32) -> Result<(), CodecError> {
        self.serialize_i64(v.into())
    }

    #[inline]
    fn serialize_i64(self, v: i64) -> Result<(), CodecError> {
        self.signed(v);
        Ok(())
    }

    fn serialize_i128(self, v: i128) -> Result<(), CodecError> {
        self.fixed(Tag::Signed128, &v.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_u8(self, v: u8) -> Result<(), CodecError> {
        self.fixed(Tag::Octet, &[v]);
        Ok(())
    }

    #[inline]
    fn serialize_u16(self, v: u16) -> Result<(), CodecError> {
        self.serialize_u64(v.into())
    }

    #[inline]
    fn serialize_u32(self, v: u32) -> Result<(), CodecError> {
        self.serialize_u64(v.into())
    }

    #[inline]
    fn serialize_u64(self, v: u64) -> Result<(), CodecError> {
        self.tagged_varint(Tag::Unsigned, v);
        Ok(())
    }

    fn serialize_u128(self, v: u128) -> Result<(), CodecError> {
        self.fixed(Tag::Unsigned128, &v.to_le_bytes());
        Ok(())
    }

    fn serialize_f32(self, v: f32) -> Result<(), CodecError> {
        self.fixed(Tag::Float32, &v.to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, v: f64) -> Result<(), CodecError> {
        self.fixed(Tag::Float64, &v.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, v: char) -> Result<(), CodecError> {
        self.tagged_varint(Tag::Char, u32::from(v).into());
        Ok(())
    }

    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), CodecError> {
        self.tagged_slice(Tag::Text, v.as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), CodecError> {
        self.tagged_slice(Tag::Bytes, v);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), CodecError> {
        self.tag(Tag::None);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        self.tag(Tag::Some);
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), CodecError> {
        self.tag(Tag::Unit);
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<(), CodecError> {
        self.tagged_varint(Tag::Variant, index.into());
        self.serialize_unit()
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.tagged_varint(Tag::Variant, index.into());
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'a>, CodecError> {
        Items::begin(self, Tag::Sequence, length)
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Items<'a>, CodecError> {
        Items::begin(self, Tag::Sequence, Some(length))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Items<'a>, CodecError> {
        Items::begin(self, Tag::Sequence, Some(length))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        length: usize,
    ) -> Result<Items<'a>, CodecError> {
        self.tagged_varint(Tag::Variant, index.into());
        Items::begin(self, Tag::Sequence, Some(length))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Items<'a>, CodecError> {
        Items::begin(self, Tag::Map, length)
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Items<'a>, CodecError> {
        Items::begin(self, Tag::Sequence, Some(length))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        length: usize,
    ) -> Result<Items<'a>, CodecError> {
        self.tagged_varint(Tag::Variant, index.into());
        Items::begin(self, Tag::Sequence, Some(length))
    }

    /// Where a `Vec<T>` comes in: the whole sequence at once, so that bytes can be packed.
    #[inline]
    fn collect_seq<I>(self, sequence: I) -> Result<(), CodecError>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let mut iterator = sequence.into_iter();
        let (length, upper) = iterator.size_hint();
        if upper != Some(length) {
            return Err(CodecError::UnreliableLength);
        }
        let first = iterator.next();
        if let Some(Ok(byte)) = first.as_ref().map(|item| item.serialize(Octet)) {
            return self.octets(byte, iterator, length);
        }
        let mut items = Items::begin(self, Tag::Sequence, Some(length))?;
        first.into_iter().chain(iterator).try_for_each(|item| items.item(&item))?;
        items.close()
    }
}

/// The parts of a compound value: they follow its count one after the other.
pub(crate) struct Items<'a> {
    out: &'a mut SecretBytes,
    /// How many are still to come. An iterator with a wrong length would otherwise be stored in a
    /// form that cannot be read.
    missing: usize,
}

impl<'a> Items<'a> {
    #[inline]
    fn begin(
        out: &'a mut SecretBytes,
        tag: Tag,
        length: Option<usize>,
    ) -> Result<Self, CodecError> {
        let missing = length.ok_or(CodecError::UnreliableLength)?;
        out.tagged_length(tag, missing);
        Ok(Self { out, missing })
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.missing = self.missing.checked_sub(1).ok_or(CodecError::UnreliableLength)?;
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn close(self) -> Result<(), CodecError> {
        if self.missing == 0 { Ok(()) } else { Err(CodecError::UnreliableLength) }
    }
}

/// Writes the traits for the compounds that are a sequence of values.
macro_rules! compound {
    ($( $name:ident :: $method:ident ( $($key:ty)? ) $(skipping $skip:ident)? ),* $(,)?) => {
        $(
            impl ser::$name for Items<'_> {
                type Ok = ();
                type Error = CodecError;

                #[inline]
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $(_name: $key,)?
                    value: &T,
                ) -> Result<(), CodecError> {
                    self.item(value)
                }

                $(
                    /// Fields have no names here, so one that is left out would shift the others.
                    fn $skip(&mut self, _name: &'static str) -> Result<(), CodecError> {
                        Err(CodecError::UnreliableLength)
                    }
                )?

                #[inline]
                fn end(self) -> Result<(), CodecError> {
                    self.close()
                }
            }
        )*
    };
}

compound! {
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str) skipping skip_field,
    SerializeStructVariant::serialize_field(&'static str) skipping skip_field,
}

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodecError> {
        self.item(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        value.serialize(&mut *self.out)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.close()
    }
}
