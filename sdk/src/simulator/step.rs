//! What can happen in a plan: plain data.

use std::fmt;

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
    /// Keeps what its engine publishes for so long.
    Withhold { span: Span },
    /// Answers all questions with bytes that mean nothing, for so long.
    FalseAnswers { span: Span },
    /// Asks everybody the same many times.
    Pester { count: usize },
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
