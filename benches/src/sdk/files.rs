//! Files for the time of a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that is removed in the end, with what is in it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty one, where temporary files go on this machine.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("trellis-sdk-benches-{process}-{count}"));
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Self(folder)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it, which need not exist.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with a name that was not given before.
    pub(crate) fn unused(&self, name: &str) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.file(&format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A copy of a file.
    pub(crate) fn copy(&self, file: &Path) -> PathBuf {
        let copy = self.unused("copy");
        fs::copy(file, &copy).expect("a copy of a file");
        copy
    }
}

/// How many bytes a file has.
pub(crate) fn length(file: &Path) -> u64 {
    fs::metadata(file).expect("a file").len()
}

impl Drop for Folder {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}
