//! From a passphrase to the key of a file.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use openmls_traits::random::OpenMlsRand;
use openmls_trellis_crypto::TrellisCrypto;
use zeroize::Zeroizing;

use super::StoreError;

/// How many bytes of salt there are: what SQLCipher keeps at the beginning of a file, in the clear.
pub(super) const SALT: usize = 16;

/// What opens a store.
#[derive(Clone)]
pub enum Key {
    /// Something that a person can remember. The bytes count: two spellings of one text in Unicode
    /// are two passphrases, so bring it to a normal form first.
    Passphrase(Zeroizing<String>),
    /// A key of full strength, say from the operating system's key store.
    Raw(Zeroizing<[u8; 32]>),
}

/// What it costs to try a passphrase.
///
/// The default is the second of the two settings that RFC 9106 recommends in section 4, Argon2id
/// with 3 passes over 64 MiB, because it also fits a phone. Where the RFC has 4 lanes, this has one:
/// the lanes are computed one after the other here, so that more of them would cost the owner as
/// much, and save time to an attacker who computes them side by side.
///
/// The cost is not written down in the file: it is part of the format, and who opens a store gives
/// the same as who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCost {
    memory: u32,
    passes: u32,
}

impl Default for KeyCost {
    fn default() -> Self {
        Self { memory: 64 << 10, passes: 3 }
    }
}

impl KeyCost {
    /// Next to nothing, for tests that open many stores. It protects no passphrase.
    #[must_use]
    pub const fn for_tests() -> Self {
        Self { memory: Params::MIN_M_COST, passes: Params::MIN_T_COST }
    }
}

impl Key {
    /// A passphrase.
    #[must_use]
    pub fn passphrase(text: &str) -> Self {
        Self::Passphrase(Zeroizing::new(text.to_owned()))
    }

    /// A key.
    #[must_use]
    pub fn raw(key: [u8; 32]) -> Self {
        Self::Raw(Zeroizing::new(key))
    }

    /// The key of the file with this salt, as SQLCipher reads it: with key and salt both given in
    /// hexadecimal it derives nothing itself.
    pub(super) fn for_file(
        &self,
        salt: &[u8; SALT],
        cost: KeyCost,
    ) -> Result<Zeroizing<String>, StoreError> {
        let key = match self {
            Self::Raw(key) => key.clone(),
            Self::Passphrase(passphrase) => stretch(passphrase.as_bytes(), salt, cost)?,
        };
        let mut text = Zeroizing::new(String::with_capacity(2 * (32 + SALT) + 3));
        text.push_str("x'");
        for byte in key.iter().chain(salt) {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
            }
        }
        text.push('\'');
        Ok(text)
    }
}

/// A salt for a new file.
pub(super) fn new_salt() -> Result<[u8; SALT], StoreError> {
    TrellisCrypto::default()
        .random_array()
        .map_err(|_| StoreError::Io(std::io::ErrorKind::Unsupported))
}

fn stretch(
    passphrase: &[u8],
    salt: &[u8; SALT],
    cost: KeyCost,
) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    // All of these errors say that the passphrase is longer than 4 GiB or the cost unheard of.
    let unusable = |_| StoreError::Memory;
    let params = Params::new(cost.memory, cost.passes, 1, Some(key.len())).map_err(unusable)?;
    // The memory leads to the key as quickly as the passphrase does not. Argon2 would free it as it
    // is.
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(params.block_count()).map_err(|_| StoreError::Memory)?;
    memory.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, salt, &mut *key, &mut memory[..])
        .map_err(unusable)?;
    Ok(key)
}

/// Says which kind of key it is, and nothing else.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase(..)",
            Self::Raw(_) => "Raw(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_and_its_salt_are_given_in_hexadecimal() {
        let text = Key::raw([0x5a; 32]).for_file(&[0x0f; SALT], KeyCost::default()).unwrap();
        assert_eq!(*text, format!("x'{}{}'", "5a".repeat(32), "0f".repeat(16)));
    }

    #[test]
    fn a_passphrase_gives_another_key_with_each_salt() {
        let key = Key::passphrase("correct horse");
        let of = |salt| key.for_file(&[salt; SALT], KeyCost::for_tests()).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1)[..66], of(2)[..66]);
        assert_ne!(
            of(1),
            Key::passphrase("other").for_file(&[1; SALT], KeyCost::for_tests()).unwrap()
        );
    }

    #[test]
    fn debug_prints_no_key() {
        assert_eq!(format!("{:?}", Key::passphrase("secret")), "Passphrase(..)");
        assert_eq!(format!("{:?}", Key::raw([1; 32])), "Raw(..)");
    }
}
