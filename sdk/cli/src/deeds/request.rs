//! What can be asked of an open client, as words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trellis_sdk::{Role, Suite};

use crate::failure::Failure;

/// What can be asked of an open client.
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Print the account's address, which others invite by
    Address,
    /// Found, list, show and change groups
    #[command(subcommand)]
    Group(GroupDeed),
    /// Bring accounts into a group
    Invite {
        /// The group
        group: String,
        /// Their addresses
        #[arg(required = true)]
        accounts: Vec<String>,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Put a member out of a group
    Remove {
        /// The group
        group: String,
        /// The member
        member: String,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Give a member another role
    Role {
        /// The group
        group: String,
        /// The member
        member: String,
        /// The role
        role: RoleName,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Say something
    Send(SendArguments),
    /// Print where a change stands
    Change {
        /// The group
        group: String,
        /// The change, as it was printed when it was asked for
        change: String,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Print the last messages of a group, the oldest of them first
    History(HistoryArguments),
    /// Print the messages in which all words occur or begin a word, the last first
    Search {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
        /// Only in this group
        #[arg(long)]
        group: Option<String>,
        /// So many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Print all messages, of one group or of all, as JSON lines, the oldest first
    Export {
        /// The group
        group: Option<String>,
    },
    /// Write everything into another file, encrypted with a passphrase of its own
    Backup {
        /// The file
        file: PathBuf,
        /// Read the backup's passphrase from a file, instead of TRELLIS_BACKUP_PASSPHRASE or the
        /// terminal
        #[arg(long, value_name = "FILE")]
        backup_passphrase_file: Option<PathBuf>,
    },
    /// Devices of the account
    #[command(subcommand)]
    Device(DeviceDeed),
    /// Print what can be reached, what is protected, and what is stuck and why
    Doctor {
        /// Only this group
        group: Option<String>,
    },
}

/// A request alone, without the name of a program and without options for all commands.
#[derive(Parser)]
#[command(name = "trellis", no_binary_name = true, disable_help_flag = true)]
struct Words {
    #[command(subcommand)]
    request: Request,
}

/// What is wrong with words, in one line: the rest of it is for a terminal.
pub fn usage(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    Failure::Usage(line.strip_prefix("error: ").unwrap_or(line).to_owned())
}

impl Request {
    /// Reads the words of a request, as they stand on the command line.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`].
    pub fn parse(words: Vec<String>) -> Result<Self, Failure> {
        let words = Words::try_parse_from(words).map_err(|error| usage(&error))?;
        Ok(words.request)
    }

    /// How long this waits, if it is something that waits.
    fn waiting(&mut self) -> Option<&mut Waiting> {
        match self {
            Self::Invite { waiting, .. }
            | Self::Remove { waiting, .. }
            | Self::Role { waiting, .. }
            | Self::Change { waiting, .. }
            | Self::Send(SendArguments { waiting, .. }) => Some(waiting),
            Self::Group(
                GroupDeed::Rename { waiting, .. }
                | GroupDeed::Migrate { waiting, .. }
                | GroupDeed::RotateKeys { waiting, .. }
                | GroupDeed::Leave { waiting, .. },
            ) => Some(waiting),
            _ => None,
        }
    }

    /// Whether it waits until something is done for good.
    pub fn waits(&mut self) -> bool {
        self.waiting().is_some_and(|waiting| waiting.wait)
    }

    /// Whether others have something to do with it.
    pub fn needs_network(&mut self) -> bool {
        let revokes = matches!(self, Self::Device(DeviceDeed::Revoke { .. }));
        let looks = matches!(self, Self::Change { waiting, .. } if !waiting.wait);
        let doctor = matches!(self, Self::Doctor { .. });
        doctor || revokes || (!looks && self.waiting().is_some_and(|waiting| !waiting.no_wait))
    }

    /// For a program that goes on running: nothing is waited for unless that is said.
    pub fn without_waiting(mut self) -> Self {
        if let Some(waiting) = self.waiting() {
            waiting.no_wait = !waiting.wait;
        }
        self
    }
}

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub enum GroupDeed {
    /// Found a group
    Create {
        /// Its name
        name: String,
        /// Its cryptography
        #[arg(long, default_value = "hybrid")]
        suite: SuiteName,
        /// Let all members invite, not only admins
        #[arg(long)]
        open: bool,
    },
    /// Print the groups
    List {
        /// Also those that this client is in no longer
        #[arg(long)]
        all: bool,
    },
    /// Print a group, with its members and what protects it
    Show {
        /// The group
        group: String,
    },
    /// Give a group another name
    Rename {
        /// The group
        group: String,
        /// The name
        name: String,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Move a group to stronger cryptography
    Migrate {
        /// The group
        group: String,
        /// The cryptography
        suite: SuiteName,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Replace this device's keys in a group, so that a thief of the old ones is locked out
    RotateKeys {
        /// The group
        group: String,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Leave a group
    Leave {
        /// The group
        group: String,
        /// How long to wait.
        #[command(flatten)]
        waiting: Waiting,
    },
}

/// What can be done with devices.
#[derive(Debug, Subcommand)]
pub enum DeviceDeed {
    /// Print the devices of the account
    List,
    /// Make a new device in a new file, and print its request, which the account's first device has to
    /// approve
    Request {
        /// Go on from a backup of a device that was not the account's first
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        /// Read the backup's passphrase from a file, instead of TRELLIS_BACKUP_PASSPHRASE or the
        /// terminal
        #[arg(long, value_name = "FILE", requires = "backup")]
        backup_passphrase_file: Option<PathBuf>,
    },
    /// On the account's first device: approve a request, and print the approval
    Approve {
        /// A file with the request
        file: PathBuf,
        /// The twenty digits that the new device shows; without it, you are asked to compare them
        #[arg(long)]
        code: Option<String>,
    },
    /// On the new device: become the account's, with its approval
    Finish {
        /// A file with the approval
        file: PathBuf,
        /// The account's address; without it, you are asked whether it is the right one
        #[arg(long)]
        account: Option<String>,
    },
    /// Take a device from the account, for good
    Revoke {
        /// The device
        device: String,
    },
}

/// How long a command waits for a change or a message.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Waiting {
    /// Wait until it can't be taken back, or until all members have the message
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Return as soon as it is in the file; it happens when trellis runs
    #[arg(long)]
    pub no_wait: bool,
}

/// The arguments of `send`.
#[derive(Debug, Args)]
pub struct SendArguments {
    /// The group
    pub group: String,
    /// The text; `-` reads it from standard input
    #[arg(required_unless_present = "delete", allow_hyphen_values = true)]
    pub text: Option<String>,
    /// In answer to this message
    #[arg(long, value_name = "MESSAGE", group = "about")]
    pub reply: Option<String>,
    /// As a reaction to this message; an empty one takes the last back
    #[arg(long, value_name = "MESSAGE", group = "about")]
    pub react: Option<String>,
    /// As the new text of this message of one's own
    #[arg(long, value_name = "MESSAGE", group = "about")]
    pub edit: Option<String>,
    /// Take this message of one's own back
    #[arg(long, value_name = "MESSAGE", group = "about", conflicts_with = "text")]
    pub delete: Option<String>,
    /// How long to wait.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// The arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// The group
    pub group: String,
    /// So many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub limit: u16,
}

/// A role, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Takes part
    Member,
    /// Invites and removes
    Admin,
    /// May do everything
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

/// The cryptography of a group, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SuiteName {
    /// ML-KEM-768 with X25519, and Ed25519
    Hybrid,
    /// ML-KEM-768 with X25519, and ML-DSA-44: larger messages, and nobody can pretend to be a member
    /// even with a quantum computer
    PqSignatures,
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::Hybrid => Self::Hybrid,
            SuiteName::PqSignatures => Self::HybridPostQuantumSignatures,
        }
    }
}
