//! The whole storage as one byte string, and back.
//!
//! All numbers are big endian.
//!
//! | Bytes | Content |
//! |---|---|
//! | 8 | magic number, `TrellisS` |
//! | 2 | format, 1: the layout of this table, the keys of `label.rs`, the values of `codec` |
//! | 8 | number of entries |
//! | for each entry: | |
//! | 8 | length of the key |
//! | 8 | length of the value |
//! | … | key |
//! | … | value |
//!
//! The keys ascend strictly, so that equal storages have equal exports.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{
    TrellisStorage,
    error::{ImportError, StorageError},
    kv::Store,
    secret::SecretBytes,
};

const MAGIC: [u8; 8] = *b"TrellisS";
const FORMAT: u16 = 1;
const HEADER: usize = MAGIC.len() + size_of::<u16>() + size_of::<u64>();
const ENTRY_HEADER: usize = 2 * size_of::<u64>();

impl TrellisStorage {
    /// Everything that is stored, in a versioned binary format.
    ///
    /// Equal storages have equal exports. The export contains all secrets in the clear and nothing
    /// that protects it from being changed: encrypt and authenticate it before it leaves the
    /// process. Restoring an old export brings back keys that MLS had deleted for forward secrecy,
    /// and a group that continues from it would use the same keys again for other messages.
    #[must_use]
    pub fn export(&self) -> Zeroizing<Vec<u8>> {
        let entries = self.store.read();
        let content: usize =
            entries.iter().map(|(key, value)| ENTRY_HEADER + key.len() + value.len()).sum();
        // The exact size, because growing would leave unwiped copies behind.
        let mut out = Zeroizing::new(Vec::with_capacity(HEADER + content));
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&(entries.len() as u64).to_be_bytes());
        for (key, value) in entries.iter() {
            out.extend_from_slice(&(key.len() as u64).to_be_bytes());
            out.extend_from_slice(&(value.len() as u64).to_be_bytes());
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        out
    }

    /// A storage with the content of an [export](Self::export).
    ///
    /// The input may be anything: what is no export gives an error, and no more memory is used than
    /// for a copy of the input. Whether the entries are of use to OpenMLS shows when they are read.
    ///
    /// # Errors
    ///
    /// [`StorageError::Import`] with the reason.
    pub fn import(export: &[u8]) -> Result<Self, StorageError> {
        let mut input = Input(export);
        if input.array()? != MAGIC {
            return Err(ImportError::Magic.into());
        }
        let format = u16::from_be_bytes(input.array()?);
        if format != FORMAT {
            return Err(ImportError::Format(format).into());
        }
        let count = u64::from_be_bytes(input.array()?);
        let mut entries = BTreeMap::new();
        let mut previous: Option<&[u8]> = None;
        for _ in 0..count {
            let key_length = u64::from_be_bytes(input.array()?);
            let value_length = u64::from_be_bytes(input.array()?);
            let key = input.slice(key_length)?;
            let value = input.slice(value_length)?;
            match previous {
                Some(previous) if previous == key => return Err(ImportError::DuplicateKey.into()),
                Some(previous) if previous > key => return Err(ImportError::Unsorted.into()),
                _ => previous = Some(key),
            }
            entries.insert(SecretBytes::copy_of(key), SecretBytes::copy_of(value));
        }
        if !input.0.is_empty() {
            return Err(ImportError::TrailingBytes.into());
        }
        Ok(Self { store: Store::new(entries) })
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(ImportError::Truncated)?;
        self.0 = rest;
        Ok(*array)
    }

    fn slice(&mut self, length: u64) -> Result<&'a [u8], ImportError> {
        let (slice, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.0.split_at_checked(length))
            .ok_or(ImportError::Truncated)?;
        self.0 = rest;
        Ok(slice)
    }
}
