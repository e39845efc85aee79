//! Where the members of the demonstration live: processes of this program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncWrite, BufReader};
use tokio::process::{Child as Process, Command};
use trellis_sdk::transport::Pending;

use crate::failure::Failure;
use crate::world::Input;

/// Where connections are taken: any free port on loopback.
const LOOPBACK: &str = "/ip4/127.0.0.1/tcp/0";
/// What all are started with: nobody else is to take part, and all reach each other where they listen.
const NETWORK: [&str; 4] = ["--no-mdns", "--announce", "--listen", LOOPBACK];
/// How often the directory is tried to be removed: a process that is killed may still write.
const REMOVALS: u32 = 10;
/// How long between two times.
const REMOVAL: Duration = Duration::from_millis(50);

/// The ends of a child's standard input and output.
pub struct Pipes {
    /// What it reads.
    pub to: Box<dyn AsyncWrite + Send + Sync + Unpin>,
    /// What it prints.
    pub from: Input,
    /// What it complains.
    pub complaints: Option<Input>,
    /// The process, which ends when this is dropped.
    pub process: Option<Process>,
}

/// Whom to start.
#[derive(Clone, Debug)]
pub struct Part {
    /// The name, which is that of the store as well.
    pub name: &'static str,
    /// Whom to connect to.
    pub peers: Vec<String>,
    /// Which mailboxes to use.
    pub mailboxes: Vec<String>,
}

/// Where members live. In tests they are in this process, on a network in memory.
pub trait Stage: Send + Sync {
    /// Starts a member; the first time, with a new account.
    fn member(&self, part: Part) -> Pending<'_, Result<Pipes, Failure>>;

    /// Starts the mailbox, if there is one here.
    fn mailbox(&self) -> Pending<'_, Result<Option<Pipes>, Failure>>;
}

/// Processes of this program, with stores in a directory that goes with this.
pub struct Processes {
    directory: PathBuf,
    program: PathBuf,
    passphrase: String,
}

impl Processes {
    /// An empty stage.
    pub fn new() -> Result<Self, Failure> {
        let random = || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes)
                .map_err(|_| Failure::Sdk(trellis_sdk::Error::Randomness))?;
            Ok::<_, Failure>(hex::encode(bytes))
        };
        let directory = std::env::temp_dir().join(format!("trellis-demo-{}", random()?));
        let what = directory.display().to_string();
        crate::account::make_directory(&directory).map_err(Failure::io(what))?;
        let program = std::env::current_exe().map_err(Failure::io("this program"))?;
        Ok(Self { directory, program, passphrase: random()? })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        crate::network::VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        // Nothing that is set for the user's own account is for these.
        command
            .env_remove("TRELLIS_STORE")
            .env("TRELLIS_PASSPHRASE", &self.passphrase)
            .args(words)
            .arg("--json")
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn init(&self, store: &Path) -> Result<(), Failure> {
        let mut command = self.command(&["init"]);
        let output = command
            .arg("--store")
            .arg(store)
            .output()
            .await
            .map_err(Failure::io("trellis init"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::Demo(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
    }
}

fn pipes(mut command: Command) -> Result<Pipes, Failure> {
    let mut process = command.spawn().map_err(Failure::io("starting trellis"))?;
    let (to, from, complaints) =
        (process.stdin.take(), process.stdout.take(), process.stderr.take());
    match (to, from) {
        (Some(to), Some(from)) => Ok(Pipes {
            to: Box::new(to),
            from: Box::new(BufReader::new(from)),
            complaints: complaints.map(|from| Box::new(BufReader::new(from)) as Input),
            process: Some(process),
        }),
        _ => Err(Failure::Demo("a process without standard input and output".to_owned())),
    }
}

impl Stage for Processes {
    fn member(&self, part: Part) -> Pending<'_, Result<Pipes, Failure>> {
        Box::pin(async move {
            let store = self.directory.join(format!("{}.db", part.name));
            if !store.exists() {
                self.init(&store).await?;
            }
            let mut command = self.command(&["agent", "--admin"]);
            command.args(NETWORK).arg("--store").arg(store);
            if part.peers.is_empty() {
                // Whom the others are told of tells them who listens where.
                command.arg("--serve");
            }
            for peer in &part.peers {
                command.arg("--peer").arg(peer);
            }
            for mailbox in &part.mailboxes {
                command.arg("--mailbox").arg(mailbox);
            }
            pipes(command)
        })
    }

    fn mailbox(&self) -> Pending<'_, Result<Option<Pipes>, Failure>> {
        Box::pin(async move {
            let mut command = self.command(&["mailbox"]);
            command.args(NETWORK).arg("--serve");
            pipes(command).map(Some)
        })
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match std::fs::remove_dir_all(&self.directory) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(REMOVAL);
                }
                _ => return,
            }
        }
        // What is left is in the system's temporary directory, and encrypted.
    }
}
