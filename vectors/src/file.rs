//! Files of vectors.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kinds::{Kind, recognise};

/// No file of vectors comes near this.
const MAX_BYTES: u64 = 256 << 20;

/// A file that has been read: a list of vectors of one kind.
#[derive(Clone, Debug)]
pub struct VectorFile {
    /// Where it is.
    pub path: PathBuf,
    /// The kind of all of its vectors.
    pub kind: &'static Kind,
    /// The vectors.
    pub vectors: Vec<Value>,
}

/// A file that is no file of vectors.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl FileError {
    pub(crate) fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl VectorFile {
    /// Reads a file and recognises it by what its vectors hold.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no list of objects, or holds no known kind.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let error = |reason: &dyn ToString| FileError::new(path, reason.to_string());
        let length = fs::metadata(path).map_err(|cause| error(&cause))?.len();
        if length > MAX_BYTES {
            return Err(error(&format!("{length} bytes are more than {MAX_BYTES}")));
        }
        let bytes = fs::read(path).map_err(|cause| error(&cause))?;
        Self::parse(path, &bytes)
    }

    /// The same for bytes that have been read.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let error = |reason: &dyn ToString| FileError::new(path, reason.to_string());
        let value = serde_json::from_slice(bytes).map_err(|cause| error(&cause))?;
        let Value::Array(vectors) = value else {
            return Err(error(&"expected a list of vectors ([...])"));
        };
        let first = vectors.first().ok_or_else(|| error(&"expected at least one vector"))?;
        let kind = recognise(first)
            .ok_or_else(|| error(&"[0]: expected the fields of a known kind of vector"))?;
        for (index, vector) in vectors.iter().enumerate() {
            if recognise(vector).map(|it| it.name) != Some(kind.name) {
                return Err(error(&format!("[{index}]: expected another {}", kind.name)));
            }
        }
        Ok(Self { path: path.to_owned(), kind, vectors })
    }
}

/// The JSON files of files and folders, sorted.
///
/// # Errors
///
/// A path that is not there, or a folder without any.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect(path, true, &mut files).map_err(|cause| FileError::new(path, cause))?;
        if files.len() == before {
            return Err(FileError::new(path, "expected a folder with .json files"));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> io::Result<()> {
    // A symbolic link below a folder is not followed, so there are no cycles.
    let kind = if named { fs::metadata(path)? } else { fs::symlink_metadata(path)? }.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), false, files)?;
        }
    } else if named || (kind.is_file() && path.extension().is_some_and(|it| it == "json")) {
        files.push(path.to_owned());
    }
    Ok(())
}
