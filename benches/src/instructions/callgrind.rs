//! Runs an operation under valgrind and reads the count.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use super::operations::{MEASURED, Operation};
use super::surroundings::Platform;

/// Fewer instructions than any operation has: nothing was counted.
const TOO_FEW: u64 = 1000;

/// Why there is no count.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a process.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The program did not succeed.
    #[error("the operation failed under valgrind:\n{0}")]
    Failed(String),
    /// The program did not say where it runs.
    #[error("the program did not say where it runs: {0}")]
    Platform(#[from] serde_json::Error),
    /// Not what callgrind writes.
    #[error("callgrind's file holds no count of instructions")]
    NoCount,
    /// The function to count was not called, or its name not found.
    #[error("callgrind did not find the function to count")]
    NotFound,
}

/// Counts in a program.
#[derive(Debug)]
pub struct Callgrind {
    program: PathBuf,
    directory: Directory,
}

impl Callgrind {
    /// Counts in this program.
    ///
    /// # Errors
    ///
    /// If there is no place for temporary files.
    pub fn new(program: PathBuf) -> Result<Self, Error> {
        Ok(Self { program, directory: Directory::new()? })
    }

    /// The instructions of an operation, and where it ran. The program sees one thread and an
    /// environment without anything that changes from machine to machine but the path.
    ///
    /// # Errors
    ///
    /// If valgrind or the operation fail, or nothing was counted.
    pub fn count(&self, operation: Operation) -> Result<(u64, Platform), Error> {
        let file = self.directory.0.join(operation.name);
        let output = Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={MEASURED}"))
            // A percent sign stands for something in this argument, and may be in a path.
            .arg(format!("--callgrind-out-file={}", operation.name))
            .arg(&self.program)
            .args(["--run", operation.name])
            .current_dir(&self.directory.0)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("RAYON_NUM_THREADS", "1")
            .output()?;
        if !output.status.success() {
            return Err(Error::Failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let platform = serde_json::from_slice(&output.stdout)?;
        match instructions(&fs::read_to_string(file)?).ok_or(Error::NoCount)? {
            ..TOO_FEW => Err(Error::NotFound),
            count => Ok((count, platform)),
        }
    }
}

/// The count in callgrind's file: in the line of totals, the column that the line of events calls
/// `Ir`, instructions read.
fn instructions(file: &str) -> Option<u64> {
    let line = |key| file.lines().find_map(|line| line.strip_prefix(key));
    let column = line("events:")?.split_whitespace().position(|event| event == "Ir")?;
    let totals = line("totals:").or_else(|| line("summary:"))?;
    totals.split_whitespace().nth(column)?.parse().ok()
}

/// A folder of this process alone, removed in the end.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("trellis-instructions-{}", std::process::id()));
        create(&path)?;
        Ok(Self(path))
    }
}

/// Fails if it is there already, so that nobody else can have made it.
fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left behind is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\n\
        positions: line\nevents: Ir\nsummary: 12345\n\n\nfn=(1) a\n0 12000\n\ntotals: 12345\n";

    #[test]
    fn the_count_is_in_the_line_of_totals() {
        assert_eq!(instructions(FILE), Some(12345));
        assert_eq!(instructions(&FILE.replace("totals", "other")), Some(12345));
    }

    #[test]
    fn the_column_is_that_of_the_instructions() {
        assert_eq!(instructions("events: Dr Ir Dw\ntotals: 7 8 9\n"), Some(8));
    }

    #[test]
    fn what_is_no_count_gives_none() {
        for file in [
            "",
            "events: Ir\n",
            "totals: 5\n",
            "events: Dr\ntotals: 5\n",
            "events: Dr Ir\ntotals: 5\n",
            "events: Ir\ntotals: many\n",
        ] {
            assert_eq!(instructions(file), None, "{file}");
        }
    }

    #[test]
    fn the_folder_is_removed() {
        let directory = Directory::new().unwrap();
        let path = directory.0.clone();
        fs::write(path.join("file"), "content").unwrap();
        drop(directory);
        assert!(!path.exists());
    }
}
