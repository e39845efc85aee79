//! The account's file, and the passphrases that open it and its backups.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use trellis_sdk::store::Key;
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::failure::Failure;
use crate::world::World;

/// The name of the account's file in the platform's directory.
const FILE: &str = "account.db";
/// The most bytes of a passphrase.
const MAX_PASSPHRASE: u64 = 4096;

/// Where the account's file is.
pub fn store_path(common: &Common) -> Result<PathBuf, Failure> {
    if let Some(path) = &common.store {
        return Ok(path.clone());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        Failure::Usage("where is your home directory? --store names a file".to_owned())
    })?;
    Ok(strategy.data_dir().join("trellis").join(FILE))
}

/// Where the account's file is, if there is one.
pub fn existing_store(common: &Common) -> Result<PathBuf, Failure> {
    let path = store_path(common)?;
    if path.exists() { Ok(path) } else { Err(Failure::NoStore(path.display().to_string())) }
}

/// Where a new account's file is to be, with a directory that only its owner looks into.
pub fn new_store(common: &Common) -> Result<PathBuf, Failure> {
    let path = store_path(common)?;
    if path.exists() {
        return Err(Failure::StoreExists(path.display().to_string()));
    }
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(directory).map_err(Failure::io(directory.display().to_string()))?;
    }
    Ok(path)
}

/// A directory that only its owner looks into; one that is there stays as it is.
pub fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// The text of a file that should be short.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    let what = path.display().to_string();
    let file = std::fs::File::open(path).map_err(Failure::io(what.clone()))?;
    let mut text = String::new();
    file.take(limit + 1).read_to_string(&mut text).map_err(Failure::io(what.clone()))?;
    if text.len() as u64 > limit {
        return Err(Failure::Usage(format!("{what} is larger than {limit} bytes")));
    }
    Ok(text)
}

/// Which passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// That of the account's file.
    Store,
    /// That of a backup.
    Backup,
}

impl Secret {
    fn variable(self) -> &'static str {
        match self {
            Self::Store => "TRELLIS_PASSPHRASE",
            Self::Backup => "TRELLIS_BACKUP_PASSPHRASE",
        }
    }

    fn question(self) -> &'static str {
        match self {
            Self::Store => "Passphrase: ",
            Self::Backup => "Passphrase of the backup: ",
        }
    }
}

/// Who can be asked for passphrases and confirmation.
#[derive(Clone, Copy)]
pub struct Asking {
    /// Whether there is somebody at a terminal.
    pub terminal: bool,
    /// What the environment says.
    pub environment: fn(&str) -> Option<String>,
}

impl Asking {
    /// Whom this world has.
    pub fn of(world: &World) -> Self {
        Self { terminal: world.terminal, environment: world.environment }
    }

    /// A passphrase that exists.
    pub async fn key(self, secret: Secret, file: Option<&Path>) -> Result<Key, Failure> {
        match self.given(secret, file)? {
            Some(passphrase) => Ok(Key::Passphrase(passphrase)),
            None => Ok(Key::Passphrase(self.prompt(secret.question()).await?)),
        }
    }

    /// A new passphrase; at a terminal it is asked for twice.
    pub async fn new_key(self, secret: Secret, file: Option<&Path>) -> Result<Key, Failure> {
        if let Some(passphrase) = self.given(secret, file)? {
            return Ok(Key::Passphrase(passphrase));
        }
        let first = self.prompt(secret.question()).await?;
        let second = self.prompt("The same again: ").await?;
        if *first != *second {
            return Err(Failure::Usage("the passphrases differ".to_owned()));
        }
        Ok(Key::Passphrase(first))
    }

    /// Asks a question that has the answers yes and no.
    pub async fn confirm(self, question: String, otherwise: &'static str) -> Result<(), Failure> {
        if !self.terminal {
            return Err(Failure::NotConfirmed(otherwise));
        }
        let answer = aside(move || {
            eprint!("{question} [y/N] ");
            std::io::stderr().flush()?;
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer)?;
            Ok(answer)
        });
        match answer.await?.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::NotConfirmed(otherwise)),
        }
    }

    /// What a file or the environment says.
    fn given(
        self,
        secret: Secret,
        file: Option<&Path>,
    ) -> Result<Option<Zeroizing<String>>, Failure> {
        let passphrase = match file {
            Some(file) => {
                let text = Zeroizing::new(read_text(file, MAX_PASSPHRASE)?);
                let line = text.lines().next().unwrap_or_default();
                Some(Zeroizing::new(line.to_owned()))
            }
            None => (self.environment)(secret.variable()).map(Zeroizing::new),
        };
        match passphrase {
            Some(passphrase) if passphrase.is_empty() => {
                Err(Failure::Usage("an empty passphrase protects nothing".to_owned()))
            }
            other => Ok(other),
        }
    }

    async fn prompt(self, question: &'static str) -> Result<Zeroizing<String>, Failure> {
        if !self.terminal {
            return Err(Failure::NoPassphrase);
        }
        let passphrase = Zeroizing::new(aside(move || rpassword::prompt_password(question)).await?);
        if passphrase.is_empty() {
            return Err(Failure::Usage("an empty passphrase protects nothing".to_owned()));
        }
        Ok(passphrase)
    }
}

/// Waits for the terminal on a thread where waiting is allowed.
async fn aside<T: Send + 'static>(
    job: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let joined = tokio::task::spawn_blocking(job).await.map_err(std::io::Error::other);
    joined.and_then(|result| result).map_err(Failure::io("the terminal"))
}
