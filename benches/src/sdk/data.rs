//! What a run found. `sdk.json` is this, and `SDK.md` is written from nothing else.

use serde::{Deserialize, Serialize};

use super::contest::{Step, Who};
use super::opening::What;
use crate::report::data::{Machine, Target, Version};
use crate::summary::Summary;

/// The figures of the SDK.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sdk {
    /// Whether the run was the short one.
    pub quick: bool,
    /// The day, in UTC.
    pub date: String,
    /// How long the run took.
    pub seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The versions of what was compared.
    pub versions: Vec<Version>,
    /// Messages and commits.
    pub timed: Vec<Timed>,
    /// What the store grows by.
    pub growth: Vec<Growth>,
    /// Opening.
    pub opening: Option<Opening>,
    /// Finding together.
    pub convergence: Vec<Convergence>,
    /// The goals.
    pub targets: Vec<Target>,
}

/// How long a step took someone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// How many members the group has.
    pub members: usize,
    /// What was done.
    pub step: Step,
    /// By whom.
    pub who: Who,
    /// How long it took.
    pub time: Summary,
}

/// What a store grows by, in bytes, in groups of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// How many members the group has.
    pub members: usize,
    /// How many messages there were.
    pub messages: u64,
    /// The sender's file, for each message.
    pub sent: f64,
    /// The receiver's file, for each message.
    pub received: f64,
    /// One state, if everything of it were written.
    pub copy: u64,
    /// How many commits were made that nobody heard of, so that all states were kept.
    pub commits: u64,
    /// What the first of them added to the snapshots.
    pub first: u64,
    /// What each added to the snapshots, on average.
    pub snapshot: f64,
    /// The founder's file after numbers of commits that the other followed.
    pub epochs: Vec<Kept>,
}

/// What is kept after a number of commits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// How many commits there were.
    pub commits: u64,
    /// The file without room for what was deleted, in bytes.
    pub bytes: u64,
    /// How many states are kept.
    pub states: usize,
    /// The bytes of their snapshots.
    pub snapshots: u64,
}

/// Opening a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// How many groups the account has.
    pub groups: usize,
    /// How many members each has.
    pub members: usize,
    /// How many messages there are in all of them together.
    pub messages: usize,
    /// The bytes of the file.
    pub file: u64,
    /// What was opened.
    pub times: Vec<OpeningTime>,
}

/// How long it took to open something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpeningTime {
    /// What.
    pub what: What,
    /// How long it took.
    pub time: Summary,
    /// By how much the resident size grew at most, in bytes; nothing where the system does not tell.
    pub memory: Option<u64>,
}

/// How a group found together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// How many clients.
    pub nodes: usize,
    /// In how many parts.
    pub parts: usize,
    /// How many commits each part was to make.
    pub commits: u64,
    /// How many each made.
    pub heights: Vec<u64>,
    /// How many virtual seconds they were apart.
    pub apart: f64,
    /// How many virtual seconds it took until all held the same state for good; nothing if they did
    /// not within hours.
    pub seconds: Option<f64>,
    /// Envelopes, questions and answers given to the network until then.
    pub messages: u64,
    /// Their bytes, once each.
    pub bytes: u64,
    /// Arrivals of them.
    pub arrivals: u64,
    /// Messages in a second afterwards, when there is nothing to do.
    pub idle: Option<f64>,
}

impl Sdk {
    /// How long a step took someone in a group of a size.
    #[must_use]
    pub fn time(&self, members: usize, step: Step, who: Who) -> Option<&Summary> {
        let found = self
            .timed
            .iter()
            .find(|timed| timed.members == members && timed.step == step && timed.who == who);
        found.map(|timed| &timed.time)
    }

    /// How many times as long as the quickest of those on raw OpenMLS the SDK takes at a step, by a
    /// part of the samples.
    fn ratio_of(&self, members: usize, step: Step, of: fn(&Summary) -> f64) -> Option<f64> {
        let others = Who::ALL.iter().filter(|who| **who != Who::Sdk);
        let times = others.filter_map(|who| Some(of(self.time(members, step.raw(), *who)?)));
        Some(of(self.time(members, step, Who::Sdk)?) / times.reduce(f64::min)?)
    }

    /// The ratio of the medians.
    #[must_use]
    pub fn ratio(&self, members: usize, step: Step) -> Option<f64> {
        self.ratio_of(members, step, |time| time.median)
    }

    /// The ratio of the lower quartiles, in which there is less of what the machine does besides.
    #[must_use]
    pub fn quiet_ratio(&self, members: usize, step: Step) -> Option<f64> {
        self.ratio_of(members, step, |time| time.low)
    }

    /// How long it took to open something.
    #[must_use]
    pub fn opened(&self, what: What) -> Option<&OpeningTime> {
        self.opening.as_ref()?.times.iter().find(|time| time.what == what)
    }
}
