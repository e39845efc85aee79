//! What can go wrong, and which exit code says so.

use std::fmt::Write as _;
use std::io;

use trellis_sdk::transport::TransportError;
use trellis_sdk::transport::libp2p::NodeError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The SDK refused.
    #[error(transparent)]
    Sdk(#[from] trellis_sdk::Error),
    /// The transport refused.
    #[error("the network refused")]
    Transport(#[from] TransportError),
    /// The node on the network refused, or could not be opened.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The store of a mailbox failed.
    #[error("the mailbox's store: {0}")]
    Mailbox(#[source] trellis_sdk::mailbox::store::StoreError),
    /// Arguments that make no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no account at this place.
    #[error("there is no account in {0}; `trellis init` makes one")]
    NoStore(String),
    /// There is an account where a new one is to be.
    #[error("there is an account in {0} already")]
    StoreExists(String),
    /// No passphrase was given and nobody can be asked.
    #[error("no passphrase: set TRELLIS_PASSPHRASE, or give --passphrase-file")]
    NoPassphrase,
    /// What was named is not there.
    #[error("there is no {what} {name:?}")]
    NoMatch {
        /// A group, a member, a message.
        what: &'static str,
        /// What was looked for, without what a terminal would obey.
        name: String,
    },
    /// What was named is there more than once.
    #[error("there are {count} {what}s {name:?}; say more of the id")]
    Ambiguous {
        /// A group, a member, a message.
        what: &'static str,
        /// What was looked for.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// This build can't reach anybody.
    #[error("this build of trellis has no network; --offline does without")]
    NoNetwork,
    /// It took too long.
    #[error("not done within {seconds} s: {what}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// Somebody said no to a question.
    #[error("not confirmed: {0}")]
    NotConfirmed(&'static str),
    /// A file or the terminal failed.
    #[error("{what}: {error}")]
    Io {
        /// What was done.
        what: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A step of the demonstration did not happen as it has to.
    #[error("the demonstration stopped: {0}")]
    Demo(String),
}

/// The table of exit codes: the code, what it means, and the codes of errors that lead to it. What is
/// in no row is 1.
pub const EXITS: &[(u8, &str, &[&str])] = &[
    (0, "done", &[]),
    (1, "failed for another reason, which the message names", &[]),
    (
        2,
        "the arguments make no sense",
        &["usage", "no-passphrase", "not-confirmed", "ambiguous", "address", "options"],
    ),
    (3, "somebody else has the account's file open", &["in-use"]),
    (4, "the passphrase is wrong, or the file is damaged", &["wrong-key-or-damaged", "damaged"]),
    (
        5,
        "there is no such account, group, member, message, change or device",
        &[
            "no-store",
            "no-match",
            "no-group",
            "no-message",
            "no-change",
            "no-device",
            "change-no-such-member",
        ],
    ),
    (
        6,
        "it is not allowed",
        &[
            "not-allowed",
            "change-not-allowed",
            "change-last-owner",
            "change-suite",
            "suite",
            "not-in-group",
            "change-not-in-group",
            "change-moved",
            "no-account-keys",
            "not-linked",
            "linked",
            "revoked",
            "change-revoked",
        ],
    ),
    (
        7,
        "the network can't be reached",
        &[
            "no-network",
            "offline",
            "busy",
            "closed",
            "no-transport",
            "change-unreachable",
            "listen",
            "unreachable",
            "wrong-peer",
            "no-answer",
            "no-hybrid",
            "protocol",
            "handshake",
            "not-opened",
            "unavailable",
        ],
    ),
    (8, "not done in time; it goes on when trellis runs again", &["timeout"]),
    (
        9,
        "the file can't be written",
        &["full", "disk-full", "io", "exists", "store-exists", "newer-schema"],
    ),
];

/// What goes before the codes of [`EXITS`] that are about the format of something given.
const MALFORMED: [&str; 3] = ["address-", "message-", "identity-"];

/// The exit code for the code of an error.
pub fn exit_of(code: &str) -> u8 {
    if MALFORMED.iter().any(|prefix| code.starts_with(prefix)) || code == "too-large" {
        return 2;
    }
    EXITS.iter().find(|(_, _, codes)| codes.contains(&code)).map_or(1, |(exit, ..)| *exit)
}

/// The table as text, for `--help`.
pub fn exit_table() -> String {
    let mut text = String::from("Exit codes:\n");
    for (exit, meaning, _) in EXITS {
        let _ = writeln!(text, "  {exit}  {meaning}");
    }
    text
}

impl Failure {
    /// A name for programs. It stays the same from release to release.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sdk(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Node(error) => error.code(),
            Self::Mailbox(error) => error.code(),
            Self::Usage(_) => "usage",
            Self::NoStore(_) => "no-store",
            Self::StoreExists(_) => "store-exists",
            Self::NoPassphrase => "no-passphrase",
            Self::NoMatch { .. } => "no-match",
            Self::Ambiguous { .. } => "ambiguous",
            Self::NoNetwork => "no-network",
            Self::Timeout { .. } => "timeout",
            Self::NotConfirmed(_) => "not-confirmed",
            Self::Io { .. } => "io",
            Self::Demo(_) => "demo",
        }
    }

    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Sdk(error) => error.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
            Self::Node(error) => error.is_retryable(),
            Self::Mailbox(error) => error.is_retryable(),
            Self::Timeout { .. } | Self::Io { .. } => true,
            _ => false,
        }
    }

    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        exit_of(self.code())
    }

    /// The message with all its causes.
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.ends_with(&next) {
                let _ = write!(text, ": {next}");
            }
            cause = error.source();
        }
        text
    }

    /// Whether whoever read the output has gone, which is no reason to complain.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// A failure of the operating system.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

impl From<trellis_sdk::ChangeFailed> for Failure {
    fn from(failed: trellis_sdk::ChangeFailed) -> Self {
        Self::Sdk(failed.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_error_has_its_exit_code() {
        for (failure, code) in [
            (Failure::Usage(String::new()), 2),
            (Failure::NoStore(String::new()), 5),
            (Failure::NoNetwork, 7),
            (Failure::Timeout { what: "it", seconds: 1 }, 8),
            (Failure::Sdk(trellis_sdk::Error::NotAllowed), 6),
            (Failure::Sdk(trellis_sdk::Error::Closed), 7),
            (Failure::Sdk(trellis_sdk::store::StoreError::InUse.into()), 3),
            (Failure::Sdk(trellis_sdk::store::StoreError::WrongKeyOrDamaged.into()), 4),
            (Failure::Sdk(trellis_sdk::store::StoreError::Full.into()), 9),
            (Failure::Sdk(trellis_sdk::store::StoreError::NotADatabase.into()), 1),
            (trellis_sdk::ChangeFailed::LastOwner.into(), 6),
            (Failure::Transport(TransportError::Offline), 7),
            (NodeError::Listen(io::ErrorKind::AddrInUse.into()).into(), 7),
            (NodeError::Address.into(), 2),
        ] {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
        }
        assert_eq!(exit_of("address-checksum"), 2);
    }

    #[test]
    fn no_code_is_in_two_rows() {
        let mut all: Vec<_> = EXITS.iter().flat_map(|(_, _, codes)| codes.iter()).collect();
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
    }

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../README.md");
        for (exit, meaning, _) in EXITS {
            assert!(readme.contains(&format!("| {exit} | {meaning} |")), "{exit}");
        }
    }

    #[test]
    fn causes_are_told() {
        let failure = Failure::Sdk(trellis_sdk::store::StoreError::InUse.into());
        assert_eq!(failure.explain(), "the account's file could not be used: the store is in use");
    }
}
