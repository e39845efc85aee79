//! Decoding: what comes next is in the tag, so nearly every question of a type is answered by
//! looking at it: most of what serde may ask for is forwarded to `deserialize_any`.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};

use super::{CodecError, MAX_DEPTH, Tag};

/// The rest of the input.
pub(super) struct Decoder<'de> {
    input: &'de [u8],
    /// How many more levels may be opened.
    depth: u8,
}

impl<'de> Decoder<'de> {
    pub(super) fn new(input: &'de [u8]) -> Self {
        Self { input, depth: MAX_DEPTH }
    }

    /// Succeeds if nothing is left.
    pub(super) fn finish(self) -> Result<(), CodecError> {
        if self.input.is_empty() { Ok(()) } else { Err(CodecError::TrailingBytes) }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.input.split_first().ok_or(CodecError::UnexpectedEnd)?;
        self.input = rest;
        Ok(*first)
    }

    #[inline]
    fn tag(&mut self) -> Result<Tag, CodecError> {
        Tag::from_byte(self.byte()?)
    }

    #[inline]
    fn slice(&mut self, length: usize) -> Result<&'de [u8], CodecError> {
        let (slice, rest) = self.input.split_at_checked(length).ok_or(CodecError::UnexpectedEnd)?;
        self.input = rest;
        Ok(slice)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (array, rest) = self.input.split_first_chunk().ok_or(CodecError::UnexpectedEnd)?;
        self.input = rest;
        Ok(*array)
    }

    /// Only the shortest form of a number is accepted, so that a value has one encoding.
    #[inline]
    fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits != (bits << shift) >> shift || (byte == 0 && shift > 0) {
                return Err(CodecError::InvalidNumber);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::InvalidNumber)
    }

    /// The length of something of which each part takes a byte at least. A length that the input
    /// cannot hold is refused here, before anything is allocated for it.
    #[inline]
    fn length(&mut self) -> Result<usize, CodecError> {
        let length = usize::try_from(self.varint()?).map_err(|_| CodecError::UnexpectedEnd)?;
        if length > self.input.len() {
            return Err(CodecError::UnexpectedEnd);
        }
        Ok(length)
    }

    #[inline]
    fn bytes(&mut self) -> Result<&'de [u8], CodecError> {
        let length = self.length()?;
        self.slice(length)
    }

    fn text(&mut self) -> Result<&'de str, CodecError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| CodecError::InvalidText)
    }

    fn character(&mut self) -> Result<char, CodecError> {
        let scalar = u32::try_from(self.varint()?).map_err(|_| CodecError::InvalidText)?;
        char::from_u32(scalar).ok_or(CodecError::InvalidText)
    }

    fn variant(&mut self) -> Result<u32, CodecError> {
        u32::try_from(self.varint()?).map_err(|_| CodecError::InvalidNumber)
    }

    /// Runs `inside` one level deeper.
    #[inline]
    fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        self.depth = self.depth.checked_sub(1).ok_or(CodecError::TooDeep)?;
        let value = inside(self)?;
        self.depth += 1;
        Ok(value)
    }

    /// Reads the items of a sequence or the entries of a map, and makes sure all were wanted.
    #[inline]
    fn items<T>(
        &mut self,
        visit: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        let left = self.length()?;
        self.nested(|decoder| {
            let mut items = Items { decoder, left };
            let value = visit(&mut items)?;
            if items.left == 0 { Ok(value) } else { Err(CodecError::TrailingBytes) }
        })
    }

    /// A packed sequence, byte by byte.
    #[inline]
    fn octets<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        let mut octets = Octets(self.bytes()?.iter());
        let value = visitor.visit_seq(&mut octets)?;
        if octets.0.len() == 0 { Ok(value) } else { Err(CodecError::TrailingBytes) }
    }
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = CodecError;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.tag()? {
            Tag::Unit => visitor.visit_unit(),
            Tag::False => visitor.visit_bool(false),
            Tag::True => visitor.visit_bool(true),
            Tag::None => visitor.visit_none(),
            Tag::Some => self.nested(|decoder| visitor.visit_some(decoder)),
            Tag::Octet => visitor.visit_u8(self.byte()?),
            Tag::Unsigned => visitor.visit_u64(self.varint()?),
            Tag::Signed => {
                let zigzag = self.varint()?;
                visitor.visit_i64((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
            }
            Tag::Unsigned128 => visitor.visit_u128(u128::from_le_bytes(self.array()?)),
            Tag::Signed128 => visitor.visit_i128(i128::from_le_bytes(self.array()?)),
            Tag::Float32 => visitor.visit_f32(f32::from_le_bytes(self.array()?)),
            Tag::Float64 => visitor.visit_f64(f64::from_le_bytes(self.array()?)),
            Tag::Char => visitor.visit_char(self.character()?),
            Tag::Text => visitor.visit_borrowed_str(self.text()?),
            Tag::Bytes => visitor.visit_borrowed_bytes(self.bytes()?),
            Tag::Octets => self.octets(visitor),
            Tag::Sequence => self.items(|items| visitor.visit_seq(items)),
            Tag::Map => self.items(|items| visitor.visit_map(items)),
            Tag::Variant => {
                let index = self.variant()?;
                self.nested(|decoder| visitor.visit_enum(Variant { decoder, index }))
            }
        }
    }

    /// Newtype structs have no tag.
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What is left of a packed sequence.
struct Octets<'de>(std::slice::Iter<'de, u8>);

impl<'de> SeqAccess<'de> for Octets<'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CodecError> {
        match self.0.next() {
            Some(byte) => seed.deserialize(Octet(*byte)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// A byte of a packed sequence. Not serde's own deserialiser of a `u8`: the byte may be in a newtype.
struct Octet(u8);

impl<'de> Deserializer<'de> for Octet {
    type Error = CodecError;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_u8(self.0)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What is left of a sequence or a map.
struct Items<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
}

impl<'de> Items<'_, 'de> {
    #[inline]
    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CodecError> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                seed.deserialize(&mut *self.decoder).map(Some)
            }
            None => Ok(None),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CodecError> {
        self.next(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, CodecError> {
        self.next(seed)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, CodecError> {
        seed.deserialize(&mut *self.decoder)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant of which the index is known and the value comes next.
struct Variant<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    index: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), CodecError> {
        let variant = seed.deserialize(self.index.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn unit_variant(self) -> Result<(), CodecError> {
        match self.decoder.tag()? {
            Tag::Unit => Ok(()),
            _ => Err(CodecError::UnexpectedTag),
        }
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, CodecError> {
        seed.deserialize(self.decoder)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.decoder.deserialize_any(visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.decoder.deserialize_any(visitor)
    }
}
