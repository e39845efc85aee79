//! What can happen in a plan: plain data.

use std::fmt;

use crate::engine::malice::{Crime, Lie};
use crate::wire::Kind;
use crate::{Role, Span, Time};

/// A step. One that makes no sense at its moment does nothing, so that any subset of the steps of a
/// plan is a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its place in the plan that the seed gave.
    pub(crate) number: usize,
    pub(crate) at: Time,
    pub(crate) what: What,
}

/// What happens in a step. Nodes go by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Say {
        who: usize,
    },
    Invite {
        who: usize,
        whom: usize,
    },
    Remove {
        who: usize,
        whom: usize,
    },
    Leave {
        who: usize,
    },
    Rename {
        who: usize,
    },
    SetRole {
        who: usize,
        whom: usize,
        role: Role,
    },
    Rotate {
        who: usize,
    },
    SetPolicy {
        who: usize,
        limits: Limits,
    },
    /// Moves the group to the other suite, or back to the first.
    Migrate {
        who: usize,
        away: bool,
    },
    /// The account gets one more device. It is a node like any other, with a number after all others.
    Link {
        who: usize,
    },
    /// The account loses the device that it got last.
    Revoke {
        who: usize,
    },
    /// Nodes reach those of the same number.
    Partition {
        sides: Vec<usize>,
    },
    Heal,
    /// At the `write`th write from now, or at once if that is zero; the node is away for `rest`.
    Crash {
        who: usize,
        write: u64,
        rest: Span,
    },
    /// The malicious node does something.
    Deed(Deed),
}

impl What {
    /// Who does it, if it is somebody.
    pub(crate) fn actor(&self) -> Option<usize> {
        match self {
            Self::Say { who }
            | Self::Invite { who, .. }
            | Self::Remove { who, .. }
            | Self::Leave { who }
            | Self::Rename { who }
            | Self::SetRole { who, .. }
            | Self::Rotate { who }
            | Self::SetPolicy { who, .. }
            | Self::Migrate { who, .. }
            | Self::Link { who }
            | Self::Revoke { who }
            | Self::Crash { who, .. } => Some(*who),
            Self::Partition { .. } | Self::Heal | Self::Deed(_) => None,
        }
    }
}

/// What a history changes in the rules of a group: nothing that would make it useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) depth: u16,
    pub(crate) horizon: Span,
    /// Whether plain members may do almost everything.
    pub(crate) open: bool,
}

/// What a malicious node does that an honest one never would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Publishes envelopes again that it has seen, of whomever.
    Replay { count: usize },
    /// Publishes what nobody can read.
    Garbage { count: usize, length: usize },
    /// Publishes envelopes that it has seen, each with a bit changed.
    Damage { count: usize },
    /// Sends what is longer than any message.
    Oversized,
    /// Keeps what its engine publishes for so long, or only what others have to have.
    Withhold { span: Span, commits: bool },
    /// Answers all questions with bytes that mean nothing, for so long.
    FalseAnswers { span: Span },
    /// Asks everybody the same many times.
    Pester { count: usize },
    /// Commits whenever it can, so many times, with a pause in between.
    Flood { count: usize, pause: Span },
    /// Makes two commits on one state. Who is told which: the first, the second, or both.
    Equivocate { told: Vec<u8> },
    /// Commits what the group's rules do not allow.
    Commit { crime: Crime },
    /// Publishes what every member can open, and what is not what it should be.
    Lie { kind: Kind, lie: Lie, length: usize, count: usize },
    /// Starts a second engine from a copy of its store. It hears what the first hears or nothing at
    /// all, and only some nodes hear it.
    Twin { hears: bool, heard_by: Vec<bool> },
    /// The second engine commits and speaks.
    Haunt { count: usize },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {:>3} at {}: {}", self.number, Moment(self.at), self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say { who } => write!(f, "n{who} says something"),
            Self::Invite { who, whom } => write!(f, "n{who} invites n{whom}"),
            Self::Remove { who, whom } => write!(f, "n{who} removes n{whom}"),
            Self::Leave { who } => write!(f, "n{who} leaves"),
            Self::Rename { who } => write!(f, "n{who} renames the group"),
            Self::SetRole { who, whom, role } => write!(f, "n{who} makes n{whom} {role:?}"),
            Self::Rotate { who } => write!(f, "n{who} rotates its keys"),
            Self::SetPolicy { who, limits } => write!(f, "n{who} changes the rules to {limits:?}"),
            Self::Migrate { who, away: true } => write!(f, "n{who} moves the group"),
            Self::Migrate { who, .. } => write!(f, "n{who} moves the group back"),
            Self::Link { who } => write!(f, "n{who} links a device"),
            Self::Revoke { who } => write!(f, "n{who} revokes a device"),
            Self::Partition { sides } => {
                let sides: Vec<_> = sides.iter().map(usize::to_string).collect();
                write!(f, "the network splits: the nodes are on sides {}", sides.join(" "))
            }
            Self::Heal => write!(f, "the network heals"),
            Self::Crash { who, write: 0, rest } => {
                write!(f, "n{who} crashes, for {}", Moment(Time(rest.0)))
            }
            Self::Crash { who, write, rest } => {
                write!(f, "n{who} crashes at its {write}th write, for {}", Moment(Time(rest.0)))
            }
            Self::Deed(deed) => write!(f, "the malicious node: {deed:?}"),
        }
    }
}

/// Virtual time, in seconds.
pub(crate) struct Moment(pub(crate) Time);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0.0 / 1000, self.0.0 % 1000)
    }
}
