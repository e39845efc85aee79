//! The SDK and raw OpenMLS, in turns.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use openmls_sqlite_storage::Codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trellis_sdk::engine::{Event, Intent, Output};
use trellis_sdk::{Message, Span, Topic};

use super::data::Timed;
use super::files::Folder;
use super::grown::{FOUNDER, Grown, Pair, SECOND, epoch};
use super::raw::{Raw, Writing};
use crate::group::contenders::Ours;
use crate::group::{named, open_mls};
use crate::report::turns::Turns;
use crate::storages::Json;
use crate::suites::Suite;
use crate::summary::Summary;

named! {
    /// What is timed.
    Step {
        /// Encrypt a text of 1 KiB, have it on the disk and hand it to the transport.
        Sent = "1 KiB sent",
        /// That, and write down that the transport has taken it.
        SentAndTaken = "1 KiB sent, and noted that the transport has it",
        /// Decrypt such a text, have it on the disk and tell it.
        Received = "1 KiB received",
        /// Replace the own keys, have the new state on the disk and hand the commit to the transport.
        Made = "commit made",
        /// That, and write down that the transport has taken it.
        MadeAndTaken = "commit made, and noted that the transport has it",
        /// Process that commit and have the new state on the disk.
        Applied = "commit applied",
        /// Write over the places of keys that were deleted; once for many commits.
        Erased = "deleted keys written over, once in 30 s",
    }
}

impl Step {
    /// What raw OpenMLS does instead.
    #[must_use]
    pub const fn raw(self) -> Self {
        match self {
            Self::SentAndTaken => Self::Sent,
            Self::MadeAndTaken | Self::Erased => Self::Made,
            other => other,
        }
    }
}

named! {
    /// Who is timed.
    Who {
        /// The SDK.
        Sdk = "trellis-sdk",
        /// OpenMLS on SQLCipher, its values as CBOR.
        Cbor = "OpenMLS, CBOR",
        /// OpenMLS on SQLCipher, its values as JSON, as in its examples.
        Json = "OpenMLS, JSON",
        /// The same without a transaction around the calls that belong together.
        JsonEach = "OpenMLS, JSON, no transaction",
    }
}

/// Takes how long a step took.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Step, Duration);

/// Two members of a group, of which one says or changes something and the other takes it.
pub(super) trait Contestant {
    /// Sends a text and receives it.
    fn message(&mut self, text: &str, tell: Tell<'_>);
    /// Makes a commit and applies it.
    fn commit(&mut self, tell: Tell<'_>);
}

/// Everyone, in groups of one size.
pub(super) fn contestants(grown: &Grown, folder: &Folder) -> Vec<(Who, Box<dyn Contestant>)> {
    let suite = Suite::find("row 2").expect("a suite of the report");
    let before = grown.members - 2;
    let info = (before > 0).then(|| open_mls::grow(suite.open_mls(), &Ours::native(suite), before));
    let info = info.as_deref();
    vec![
        (Who::Sdk, Box::new(grown.pair(folder))),
        (Who::Cbor, Box::new(Raw::<Cbor>::new(folder, info, Writing::Together))),
        (Who::Json, Box::new(Raw::<Json>::new(folder, info, Writing::Together))),
        (Who::JsonEach, Box::new(Raw::<Json>::new(folder, info, Writing::Each))),
    ]
}

/// Has everyone do something in turns. Each has done it once before, so that nothing is cold.
pub(super) fn in_turns(
    grown: &Grown,
    folder: &Folder,
    turns: Turns,
    act: impl Fn(&mut dyn Contestant, Tell<'_>),
) -> Vec<Timed> {
    let mut contestants = contestants(grown, folder);
    for (_, contestant) in &mut contestants {
        act(&mut **contestant, &mut |_, _| ());
    }
    let mut samples: BTreeMap<(Step, Who), Vec<f64>> = BTreeMap::new();
    let Ok(()) = turns.each(|| {
        for (who, contestant) in &mut contestants {
            act(&mut **contestant, &mut |step, time| {
                samples.entry((step, *who)).or_default().push(time.as_secs_f64() * 1e6);
            });
        }
        Ok::<_, Infallible>(())
    });
    let timed = |((step, who), samples)| {
        Some(Timed { members: grown.members, step, who, time: Summary::of(samples)? })
    };
    samples.into_iter().filter_map(timed).collect()
}

/// How long what is said and heard has to be acknowledged, between turns.
const BREATH: Span = Span::seconds(20);

impl Contestant for Pair {
    fn message(&mut self, text: &str, tell: Tell<'_>) {
        let (town, group) = (&mut self.town, self.group);
        let now = town.now;

        let sender = town.engine(FOUNDER);
        let start = Instant::now();
        sender.send(now, group, Message::text(text)).expect("a message");
        let outputs = sender.outputs();
        let sent = start.elapsed();
        tell(Step::Sent, sent);
        let taken = self.taken(FOUNDER, &outputs);
        tell(Step::SentAndTaken, sent + taken);

        let receiver = self.town.engine(SECOND);
        let start = Instant::now();
        for (topic, bytes) in envelopes(&outputs) {
            receiver.receive(now, *topic, bytes).expect("a step");
        }
        let outputs = receiver.outputs();
        tell(Step::Received, start.elapsed());
        let told = outputs.iter().any(|output| match output {
            Output::Event(Event::Message(received)) => received.message == Message::text(text),
            _ => false,
        });
        assert!(told, "the text comes out");
        self.go_on(outputs);
    }

    fn commit(&mut self, tell: Tell<'_>) {
        let group = self.group;
        let before = epoch(&mut self.town, FOUNDER, group);

        let now = self.town.now;
        let engine = self.town.engine(FOUNDER);
        let start = Instant::now();
        engine.intend(now, group, Intent::Rotate).expect("a member");
        let mut made = start.elapsed();
        let mut outputs = engine.outputs();
        while envelopes(&outputs).next().is_none() {
            let (more, time) = self.wake(FOUNDER);
            outputs.extend(more);
            made += time;
        }
        tell(Step::Made, made);
        let taken = self.taken(FOUNDER, &outputs);
        tell(Step::MadeAndTaken, made + taken);

        let now = self.town.now;
        let engine = self.town.engine(SECOND);
        let start = Instant::now();
        for (topic, bytes) in envelopes(&outputs) {
            engine.receive(now, *topic, bytes).expect("a step");
        }
        let mut outputs = engine.outputs();
        let mut applied = start.elapsed();
        let changed = |output: &Output| matches!(output, Output::Event(Event::Changed { .. }));
        while !outputs.iter().any(changed) {
            let (more, time) = self.wake(SECOND);
            outputs.extend(more);
            applied += time;
        }
        tell(Step::Applied, applied);

        let store = self.town.engine(FOUNDER).store_mut();
        let start = Instant::now();
        store.erase().expect("a disk that takes it");
        tell(Step::Erased, start.elapsed());

        self.go_on(outputs);
        let after = [FOUNDER, SECOND].map(|who| epoch(&mut self.town, who, group));
        assert_eq!(after, [before.map(|epoch| epoch + 1); 2], "one commit, followed by both");
    }
}

impl Pair {
    /// Tells a client that the transport has what it asked to publish for sure.
    fn taken(&mut self, who: usize, outputs: &[Output]) -> Duration {
        let engine = self.town.engine(who);
        let start = Instant::now();
        for output in outputs {
            if let Output::Publish { ticket: Some(ticket), .. } = output {
                engine.published(*ticket).expect("a step");
            }
        }
        start.elapsed()
    }

    /// Lets the next thing happen that a client waits with.
    fn wake(&mut self, who: usize) -> (Vec<Output>, Duration) {
        let due = self.town.engine(who).deadline().expect("a client that waits for something");
        self.town.now = self.town.now.max(due);
        let now = self.town.now;
        let engine = self.town.engine(who);
        let start = Instant::now();
        engine.tick(now).expect("a step");
        let outputs = engine.outputs();
        (outputs, start.elapsed())
    }

    /// Whatever else the clients have to say to each other, unmeasured.
    fn go_on(&mut self, outputs: Vec<Output>) {
        self.town.carry(SECOND, outputs);
        self.town.drain(SECOND);
        self.town.drain(FOUNDER);
        self.town.pass(BREATH);
    }
}

/// What must reach the others: commits and messages, and not what may get lost.
fn envelopes(outputs: &[Output]) -> impl Iterator<Item = (&Topic, &[u8])> {
    outputs.iter().filter_map(|output| match output {
        Output::Publish { topic, bytes, ticket: Some(_) } => Some((topic, bytes.as_slice())),
        _ => None,
    })
}

/// A shorter encoding that also describes itself, which OpenMLS's join configuration needs.
#[derive(Default)]
pub(super) struct Cbor;

/// What CBOR could not be written or read for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CborError(String);

impl Codec for Cbor {
    type Error = CborError;

    fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, CborError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).map_err(|error| CborError(error.to_string()))?;
        Ok(bytes)
    }

    fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
        ciborium::from_reader(bytes).map_err(|error| CborError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_does_every_step() {
        let folder = Folder::new();
        let grown = Grown::new(4, &folder);
        for (who, mut contestant) in contestants(&grown, &folder) {
            let mut steps = Vec::new();
            let mut tell = |step, _| steps.push(step);
            for _ in 0..2 {
                contestant.message("frost tonight", &mut tell);
                contestant.commit(&mut tell);
            }
            let all: Vec<Step> = if who == Who::Sdk {
                Step::ALL.to_vec()
            } else {
                Step::ALL.iter().copied().filter(|step| step.raw() == *step).collect()
            };
            assert_eq!(steps, [all.clone(), all].concat(), "{}", who.name());
        }
    }
}
