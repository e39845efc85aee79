//! Group operations, by whoever can do them.

pub mod contenders;
pub mod full_tree;
mod mls_rs;
pub(crate) mod open_mls;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub(crate) use open_mls::Maker;
use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$attribute:meta])* $name:ident { $($(#[$docs:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$docs])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All, in the order of the tables.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in tables, plots and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What is timed.
    Operation {
        /// Make a key package and store its private part.
        KeyPackage = "key package",
        /// Add all others in one commit, merge it, and encode commit and Welcome.
        Add = "add all others",
        /// Decode the Welcome and join.
        Join = "join",
        /// Update the own leaf right after everyone was added: the path is encrypted to every leaf.
        UpdateFresh = "self-update, fresh tree",
        /// Decode and process that commit, and merge it.
        ProcessFresh = "process, fresh tree",
        /// Remove one member in that tree, merge, and encode the commit.
        Remove = "remove",
        /// Update the own leaf in a tree where everyone has committed: the path is encrypted to
        /// log2(n) nodes.
        UpdateFull = "self-update, full tree",
        /// Decode and process that commit, and merge it.
        ProcessFull = "process, full tree",
        /// Encrypt 1 KiB and encode.
        Send1KiB = "1 KiB sent",
        /// Decode and decrypt it.
        Receive1KiB = "1 KiB received",
        /// Encrypt 64 KiB and encode.
        Send64KiB = "64 KiB sent",
        /// Decode and decrypt it.
        Receive64KiB = "64 KiB received",
    }
}

named! {
    /// Who is compared, each with the storage and the signer that its users have.
    Contender {
        /// This provider on the native backend.
        Native = "trellis native",
        /// This provider on the portable backend.
        Portable = "trellis portable",
        /// OpenMLS's provider on RustCrypto.
        RustCrypto = "openmls_rust_crypto",
        /// OpenMLS's provider on libcrux.
        Libcrux = "openmls_libcrux_crypto",
        /// Another stack, on AWS-LC, with suites of its own that are merely near.
        MlsRs = "mls-rs with AWS-LC",
    }
}

/// One operation, done.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// What was done.
    pub operation: Operation,
    /// How many times in a row.
    pub repeats: u32,
    /// How long it took, once.
    pub time: Duration,
    /// The bytes that it sent, if it sends any.
    pub bytes: usize,
}

/// Watches a life. Closures that take what is done are observers, too.
pub trait Observer {
    /// An operation is about to begin.
    fn begin(&mut self) {}

    /// It is done. Says whether to go on.
    fn done(&mut self, done: Done) -> ControlFlow<()>;
}

impl<F: FnMut(Done) -> ControlFlow<()>> Observer for F {
    fn done(&mut self, done: Done) -> ControlFlow<()> {
        self(done)
    }
}

/// A group, ready to live as often as one likes.
pub trait Life: Send {
    /// Does the operations one after the other, until the observer has seen enough.
    fn live(&mut self, observer: &mut dyn Observer);
}

/// How long an operation takes in a life that ends with it.
pub fn time(life: &mut dyn Life, operation: Operation) -> Duration {
    let mut time = Duration::ZERO;
    life.live(&mut |done: Done| {
        if done.operation != operation {
            return ControlFlow::Continue(());
        }
        time = done.time;
        ControlFlow::Break(())
    });
    time
}

/// The state of the tree in which an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Everyone was added by one commit: no node above the leaves has a key but those of later
    /// commits.
    Fresh,
    /// Everyone has committed: every node has a key.
    Full,
}

impl Operation {
    /// In whose life it happens.
    #[must_use]
    pub const fn tree(self) -> Tree {
        match self {
            Self::UpdateFull | Self::ProcessFull => Tree::Full,
            _ => Tree::Fresh,
        }
    }
}

/// How many messages of 1 KiB are timed together; many, because signing with ML-DSA takes a random
/// number of rounds.
const SHORT_MESSAGES: u32 = 100;

/// How many messages of 64 KiB are timed together.
const LONG_MESSAGES: u32 = 20;

/// The two sizes of messages: what sends one, what receives it, its bytes, and how many are timed
/// together.
const MESSAGES: [(Operation, Operation, usize, u32); 2] = [
    (Operation::Send1KiB, Operation::Receive1KiB, 1 << 10, SHORT_MESSAGES),
    (Operation::Send64KiB, Operation::Receive64KiB, 1 << 16, LONG_MESSAGES),
];

/// Times operations for an observer.
struct Clock<'a>(&'a mut dyn Observer);

impl Clock<'_> {
    /// Does it once. `bytes` counts what it sends, after the clock has stopped.
    fn once<T>(
        &mut self,
        operation: Operation,
        act: impl FnOnce() -> T,
        bytes: impl FnOnce(&T) -> usize,
    ) -> ControlFlow<(), T> {
        self.0.begin();
        let start = Instant::now();
        let result = act();
        let time = start.elapsed();
        let bytes = bytes(&result);
        self.0.done(Done { operation, repeats: 1, time, bytes })?;
        ControlFlow::Continue(result)
    }

    /// Does it once for each input.
    fn each<I, T>(
        &mut self,
        operation: Operation,
        inputs: &[I],
        mut act: impl FnMut(&I) -> T,
        bytes: impl FnOnce(&T) -> usize,
    ) -> ControlFlow<(), Vec<T>> {
        self.0.begin();
        let start = Instant::now();
        let results: Vec<T> = inputs.iter().map(&mut act).collect();
        let time = start.elapsed();
        let repeats = u32::try_from(inputs.len()).expect("a few inputs");
        let bytes = results.first().map_or(0, bytes);
        self.0.done(Done { operation, repeats, time: time / repeats, bytes })?;
        ControlFlow::Continue(results)
    }

    /// Both operations in a full tree. Where the observer stops after the update, the receiver
    /// hears of it all the same, so that the two can go on.
    fn update_and_process(
        &mut self,
        update: impl FnOnce() -> Vec<u8>,
        mut process: impl FnMut(&[u8]),
    ) -> ControlFlow<()> {
        let mut commit = Vec::new();
        let keep = || {
            commit = update();
            commit.len()
        };
        let flow = self.once(Operation::UpdateFull, keep, |&bytes| bytes);
        if flow.is_break() {
            process(&commit);
            return ControlFlow::Break(());
        }
        self.once(Operation::ProcessFull, || process(&commit), |()| 0)
    }
}
