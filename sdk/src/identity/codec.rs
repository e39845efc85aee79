//! Reading and writing in the presentation language of TLS (RFC 8446, section 3), with vectors whose
//! length has a variable size (RFC 9420, section 2.1.2).

/// The bytes are not what they have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What is still to be read. Nothing is copied, so nothing is allocated for a length that lies.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// `opaque<V>` of at most `limit` bytes.
    pub(crate) fn opaque(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        let first = self.u8()?;
        // The two upper bits tell the size of the length, the rest is its beginning.
        let (more, least) = match first >> 6 {
            0 => (0, 0),
            1 => (1, 1 << 6),
            2 => (3, 1 << 14),
            _ => return Err(Malformed),
        };
        let length = self
            .take(more)?
            .iter()
            .fold(usize::from(first & 0x3F), |length, byte| length << 8 | usize::from(*byte));
        // A length in more bytes than it needs is an error.
        if length < least || length > limit { Err(Malformed) } else { self.take(length) }
    }

    /// There must be nothing left.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Writes `opaque<V>`: the length in as few bytes as it takes, then the bytes, of which there are
/// fewer than 2^30.
pub(crate) fn put_opaque(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    match length {
        0..0x40 => out.push(length as u8),
        0x40..0x4000 => out.extend_from_slice(&(length as u16 | 0x4000).to_be_bytes()),
        _ => out.extend_from_slice(&(length as u32 | 0x8000_0000).to_be_bytes()),
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_written_and_read_as_the_standard_says() {
        for (length, head) in [
            (0, &[0x00][..]),
            (63, &[0x3F]),
            (64, &[0x40, 0x40]),
            (16_383, &[0x7F, 0xFF]),
            (16_384, &[0x80, 0x00, 0x40, 0x00]),
        ] {
            let mut out = Vec::new();
            put_opaque(&mut out, &vec![7; length]);
            assert_eq!(out[..head.len()], *head);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.opaque(length), Ok(&vec![7; length][..]));
            assert_eq!(reader.finish(), Ok(()));
            assert_eq!(Reader::new(&out).opaque(length.wrapping_sub(1)).is_ok(), length == 0);
        }
    }

    #[test]
    fn lengths_that_take_too_many_bytes_are_refused() {
        for bytes in [&[0x40, 0x01, 0][..], &[0x80, 0, 0, 1, 0], &[0x80, 0, 0x3F, 0xFF], &[0xC0]] {
            assert_eq!(Reader::new(bytes).opaque(1 << 20), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
            let mut out = Vec::new();
            put_opaque(&mut out, &bytes);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.opaque(1 << 20), Ok(&bytes[..]));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..20), limit: usize) {
            let _ = Reader::new(&bytes).opaque(limit);
        }
    }
}
