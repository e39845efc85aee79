//! A growable byte buffer that never leaves a copy of its content behind.
//!
//! `Zeroizing<Vec<u8>>` wipes a vector when it is dropped, but two things make it a poor buffer for
//! serialising secrets into. A push beyond the capacity lets the allocator move the bytes and free
//! the old block unwiped. And the vector's elements are wiped with one volatile write each, which
//! for a ratchet tree of half a megabyte costs more than serialising it. [`SecretBytes`] grows by
//! allocating, copying and wiping, and wipes in bulk.

use std::{borrow::Borrow, mem};

use zeroize::Zeroize;

/// The smallest capacity a growing buffer gets.
const MIN_CAPACITY: usize = 64;

/// Bytes that are wiped when they are dropped, shortened or moved to a larger allocation.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// An empty buffer with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// A copy of `bytes` in an allocation of exactly their size.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Takes over an allocation with what is in it.
    pub(crate) fn from_vec(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many bytes fit without growing.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Adds one byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.reserve(1);
        self.0.push(byte);
    }

    /// Adds a slice.
    #[inline]
    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Adds the bytes of an iterator. `expected` is how many it is going to yield: the room for
    /// them is made first, because `Vec` would grow by itself otherwise.
    #[inline]
    pub(crate) fn extend_expected(&mut self, expected: usize, bytes: impl Iterator<Item = u8>) {
        self.reserve(expected);
        self.0.extend(bytes);
    }

    /// Makes room for `additional` bytes.
    #[inline]
    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.0.capacity() - self.0.len() < additional {
            self.grow(additional);
        }
    }

    /// Moves the bytes to an allocation at least twice as large; dropping the old one wipes it.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) {
        let needed = self.0.len().saturating_add(additional);
        let doubled = self.0.capacity().saturating_mul(2);
        let mut larger = Self::with_capacity(needed.max(doubled).max(MIN_CAPACITY));
        larger.0.extend_from_slice(&self.0);
        *self = larger;
    }

    /// Removes the bytes in `start..end` and closes the gap; nothing happens if the range does not
    /// lie inside the buffer.
    pub(crate) fn cut(&mut self, start: usize, end: usize) {
        if start <= end && end <= self.0.len() {
            self.0.copy_within(end.., start);
            self.truncate(self.0.len() - (end - start));
        }
    }

    /// Shortens to `len` bytes and wipes the rest.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.0.get_mut(len..) {
            rest.zeroize();
            self.0.truncate(len);
        }
    }

    /// Wipes everything, the unused part of the allocation too, and keeps the allocation.
    pub(crate) fn wipe(&mut self) {
        // With no elements left the whole allocation counts as spare capacity, and that is what
        // `zeroize` fills in bulk; the elements of a vector it visits one by one.
        self.0.clear();
        self.0.zeroize();
    }

    /// The same bytes in an allocation that does not exceed them by more than a quarter.
    pub(crate) fn fitted(self) -> Self {
        if self.capacity() > self.len() + self.len() / 4 + MIN_CAPACITY {
            Self::copy_of(&self.0)
        } else {
            self
        }
    }

    /// Takes the bytes out and leaves an empty buffer.
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Lets a map with these keys be searched by a slice; both compare as byte strings.
impl Borrow<[u8]> for SecretBytes {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}
