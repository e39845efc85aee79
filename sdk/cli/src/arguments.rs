//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::deeds::Request;
use crate::failure::exit_table;
use crate::network::NetworkOptions;

/// How long a command waits if nothing is said, in seconds.
pub const DEFAULT_TIMEOUT: u64 = 60;
/// The longest wait that can be asked for, in seconds: a week.
const MAX_TIMEOUT: u64 = 7 * 24 * 3600;

/// A messenger for the terminal and for scripts: post-quantum group chat without a server.
///
/// Without a command, trellis opens the messenger. Groups are named by their name or the beginning of
/// their id, members by the beginning of their address.
#[derive(Debug, Parser)]
#[command(name = "trellis", bin_name = "trellis", version, after_long_help = exit_table(), max_term_width = 100)]
pub struct Arguments {
    /// What holds for all commands.
    #[command(flatten)]
    pub common: Common,
    /// What is to be done; the messenger, if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What holds for all commands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options for all commands")]
pub struct Common {
    /// The account's file; where the platform keeps data, if nothing is said
    #[arg(long, global = true, env = "TRELLIS_STORE", value_name = "FILE", hide_env_values = true)]
    pub store: Option<PathBuf>,
    /// Read the passphrase from the first line of a file, instead of TRELLIS_PASSPHRASE or the
    /// terminal
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Wait so many seconds at most
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT,
        value_parser = clap::value_parser!(u64).range(1..=MAX_TIMEOUT))]
    pub timeout: u64,
    /// Use no network: what is wanted stays in the file, and happens when trellis runs with one
    #[arg(long, global = true)]
    pub offline: bool,
    /// How others are reached.
    #[command(flatten)]
    pub network: NetworkOptions,
}

impl Common {
    /// How long a command waits.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new account
    Init,
    /// What is done with an open account.
    #[command(flatten)]
    Request(Request),
    /// Print what happens, until it is interrupted
    Listen(Listen),
    /// Read commands on standard input, one JSON object a line, and print replies and events
    Agent(Agent),
    /// Go on from a backup, as a new device in a new file
    Restore(Restore),
    /// Keep envelopes for members who are offline
    Mailbox(crate::network::MailboxOptions),
    /// Watch four members and a mailbox on this machine, step by step
    Demo(Demo),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command into a directory
    Man {
        /// The directory
        directory: Option<PathBuf>,
    },
}

/// The arguments of `listen`.
#[derive(Debug, Default, Args)]
pub struct Listen {
    /// Only what happens in this group
    #[arg(long)]
    pub group: Option<String>,
    /// Only messages
    #[arg(long)]
    pub messages: bool,
    /// Stop after so many; without it, only --for or an interrupt ends it
    #[arg(long, value_name = "NUMBER")]
    pub count: Option<u64>,
    /// Stop after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub duration: Option<u64>,
}

/// The arguments of `agent`.
#[derive(Debug, Default, Args)]
pub struct Agent {
    /// Also take commands that are about the network: status, block, unblock
    #[arg(long)]
    pub admin: bool,
}

/// The arguments of `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    pub backup: PathBuf,
    /// Read the backup's passphrase from a file, instead of TRELLIS_BACKUP_PASSPHRASE or the terminal
    #[arg(long, value_name = "FILE")]
    pub backup_passphrase_file: Option<PathBuf>,
}

/// The arguments of `demo`.
#[derive(Debug, Default, Args)]
pub struct Demo {
    /// Go on at once after each step, without time to read
    #[arg(long)]
    pub fast: bool,
    /// Only tell what would happen
    #[arg(long)]
    pub script: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        for line in ["trellis --json --store a group list", "trellis group list --json --store a"] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert!(arguments.common.json);
            assert_eq!(arguments.common.store, Some("a".into()));
        }
        assert!(Arguments::try_parse_from(["trellis"]).unwrap().command.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "trellis nothing",
            "trellis --timeout 0 address",
            "trellis --timeout 99999999 address",
            "trellis --peer",
            "trellis role garden trellis1 emperor",
            "trellis send garden",
            "trellis send garden hi --edit 01 --reply 02",
            "trellis invite garden",
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn no_argument_takes_a_passphrase() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(!name.contains("passphrase") || name.ends_with("_file"), "{name}");
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Arguments::command());
    }
}
