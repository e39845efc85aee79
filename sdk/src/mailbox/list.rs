//! Lists whose length is bounded where they are read.

use std::io::Write;
use std::ops::Deref;

use tls_codec::{DeserializeBytes, Error, Serialize, Size};

/// At most `MAX` items; on the wire their number in two bytes, then the items. A number above `MAX` is
/// refused before anything is read, and room is made only for what has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// The most items.
    pub const MAX: usize = {
        assert!(MAX <= u16::MAX as usize);
        MAX
    };

    /// The items; nothing if there are more than `MAX`.
    #[must_use]
    pub fn new(items: Vec<T>) -> Option<Self> {
        (items.len() <= Self::MAX).then_some(Self(items))
    }

    /// The items.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Size, const MAX: usize> Size for List<T, MAX> {
    fn tls_serialized_len(&self) -> usize {
        2 + self.0.iter().map(Size::tls_serialized_len).sum::<usize>()
    }
}

impl<T: Serialize, const MAX: usize> Serialize for List<T, MAX> {
    fn tls_serialize<W: Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let count = u16::try_from(self.0.len()).map_err(|_| Error::InvalidVectorLength)?;
        let mut written = count.tls_serialize(writer)?;
        for item in &self.0 {
            written += item.tls_serialize(writer)?;
        }
        Ok(written)
    }
}

impl<T: DeserializeBytes, const MAX: usize> DeserializeBytes for List<T, MAX> {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (count, mut rest) = u16::tls_deserialize_bytes(bytes)?;
        if usize::from(count) > Self::MAX {
            return Err(Error::InvalidVectorLength);
        }
        let mut items = Vec::new();
        for _ in 0..count {
            let (item, left) = T::tls_deserialize_bytes(rest)?;
            items.push(item);
            rest = left;
        }
        Ok((Self(items), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_lists_are_refused() {
        assert!(List::<u8, 2>::new(vec![1; 3]).is_none());
        let three = List::<u8, 3>::new(vec![1; 3]).unwrap().tls_serialize_detached().unwrap();
        assert_eq!(three, [0, 3, 1, 1, 1]);
        assert!(List::<u8, 3>::tls_deserialize_exact_bytes(&three).is_ok());
        assert!(List::<u8, 2>::tls_deserialize_exact_bytes(&three).is_err());
        // A number without the items.
        assert!(List::<u8, 65_535>::tls_deserialize_exact_bytes(&[0xFF, 0xFF, 1]).is_err());
    }
}
