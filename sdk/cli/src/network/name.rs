//! The name of this node on the network, which others have in addresses and which has to stay.
//!
//! It is a file beside the account's, readable by its owner alone, and not in the encrypted one. It
//! belongs to the place and not to the account: a backup must not carry it to where a second node would
//! have the same name. And it protects nothing that is said: whoever copies it can answer in the place of
//! this node, and reads what any peer reads. Without it, the node gets a new name.
//!
//! While a node has a name, the file is locked, so there are no two of it on this machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use trellis_sdk::store::StoreError;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Bytes of a seed.
const SEED: usize = 32;

/// A node's name, for as long as this lives.
pub struct Name {
    /// What it comes from.
    pub seed: Zeroizing<[u8; SEED]>,
    /// Open, and so locked.
    pub lock: File,
}

impl Name {
    /// The name in a file; a new one, if there is no file.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let what = || path.display().to_string();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(path).map_err(Failure::io(what()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::Sdk(StoreError::InUse.into())),
            Err(TryLockError::Error(error)) => return Err(Failure::io(what())(error)),
        }
        // One more than there may be, so that a file that is too long is noticed.
        let mut kept = Zeroizing::new(Vec::with_capacity(SEED + 1));
        let read = (&lock).take(SEED as u64 + 1).read_to_end(&mut kept);
        read.map_err(Failure::io(what()))?;
        let mut seed = Zeroizing::new([0; SEED]);
        match kept.len() {
            0 => {
                getrandom::fill(&mut *seed)
                    .map_err(|_| Failure::Sdk(trellis_sdk::Error::Randomness))?;
                let written = lock.write_all(&*seed).and_then(|()| lock.sync_all());
                written.map_err(Failure::io(what()))?;
            }
            SEED => seed.copy_from_slice(&kept),
            _ => return Err(Failure::io(what())(ErrorKind::InvalidData.into())),
        }
        Ok(Self { seed, lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_and_is_had_once() {
        let directory = std::env::temp_dir().join(format!("trellis-name-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("node");
        let first = Name::open(&path).unwrap();
        assert_eq!(Name::open(&path).err().map(|failure| failure.exit_code()), Some(3));
        let seed = first.seed.clone();
        drop(first);
        assert_eq!(Name::open(&path).unwrap().seed, seed);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for wrong in [&[7; 31][..], &[7; 33]] {
            std::fs::write(&path, wrong).unwrap();
            assert_eq!(Name::open(&path).err().map(|failure| failure.code()), Some("io"));
        }
        std::fs::write(&path, []).unwrap();
        assert_ne!(Name::open(&path).unwrap().seed, seed);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
