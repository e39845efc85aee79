//! Finding out what one side has and the other has not, without listing everything: range-based set
//! reconciliation, Negentropy version 1 (crate `negentropy`).
//!
//! Each side has a set of [`EnvelopeId`]s. One begins, the other answers from its set and keeps nothing
//! between two messages, and after some rounds the first knows the difference in both directions.
//!
//! Negentropy orders its items by a time and then by their names. Here the time is always zero. No two
//! nodes have seen an envelope in the same second, and nothing in it says when it was made, for those
//! who can't open it; if one were to write its own time of arrival beside it, what both have would count
//! as missing on both sides, again and again. What the time would be good for, that only what is recent
//! has to be compared, [`Reconcile::since`](super::wire::Reconcile::since) does.

use std::collections::BTreeSet;

use negentropy::{Id, Negentropy, NegentropyStorageVector};

use super::capability::EnvelopeId;
use super::wire::MAX_FRAME;

/// After how many rounds it is given up. Sets of some millions need five.
pub const MAX_ROUNDS: u32 = 64;
/// After how many bytes from the other side it is given up, 48 MiB: the largest difference has 32.
pub const MAX_SYNC_BYTES: usize = 48 << 20;
/// The largest difference that is taken, in envelopes.
pub const MAX_DIFFERENCE: usize = 1 << 20;
/// How long a message of whoever begins is at most, about: 512 KiB.
pub const SYNC_BYTES: u64 = 512 << 10;
/// What the library takes at least as a limit of its messages.
const LEAST: u64 = 4096;

/// Why it came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The bytes are no message of reconciliation.
    #[error("the message of reconciliation is malformed")]
    Malformed,
    /// The other side speaks another version.
    #[error("the other side reconciles in another version")]
    UnsupportedVersion,
    /// More rounds, bytes or differences than there may be.
    #[error("the reconciliation does not end")]
    Unbounded,
}

impl SyncError {
    /// A name for programs. It stays the same from release to release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "sync-malformed",
            Self::UnsupportedVersion => "sync-version",
            Self::Unbounded => "sync-unbounded",
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

impl From<negentropy::Error> for SyncError {
    fn from(error: negentropy::Error) -> Self {
        match error {
            negentropy::Error::UnsupportedProtocolVersion => Self::UnsupportedVersion,
            _ => Self::Malformed,
        }
    }
}

/// What the sides do not have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Only this side has it.
    pub have: BTreeSet<EnvelopeId>,
    /// Only the other side has it.
    pub need: BTreeSet<EnvelopeId>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this, and hand in what is answered.
    Send(Vec<u8>),
    /// That is the difference.
    Done(Difference),
}

/// The side that begins.
pub struct SetSync {
    negentropy: Negentropy<'static, NegentropyStorageVector>,
    difference: Difference,
    rounds: u32,
    bytes: usize,
}

impl SetSync {
    /// Begins with what this side has, and gives the first message.
    ///
    /// # Errors
    ///
    /// None that a set could cause; those of the library.
    pub fn start(
        known: impl IntoIterator<Item = EnvelopeId>,
    ) -> Result<(Self, Vec<u8>), SyncError> {
        let mut negentropy = Negentropy::owned(items(known)?, SYNC_BYTES)?;
        let message = negentropy.initiate()?;
        let sync = Self { negentropy, difference: Difference::default(), rounds: 0, bytes: 0 };
        Ok((sync, message))
    }

    /// Takes what the other side answered.
    ///
    /// # Errors
    ///
    /// [`SyncError`]; it is over then.
    pub fn step(&mut self, message: &[u8]) -> Result<Next, SyncError> {
        self.rounds += 1;
        self.bytes = self.bytes.saturating_add(message.len());
        if self.rounds > MAX_ROUNDS || self.bytes > MAX_SYNC_BYTES || message.len() > MAX_FRAME {
            return Err(SyncError::Unbounded);
        }
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = self.negentropy.reconcile_with_ids(message, &mut have, &mut need)?;
        let name = |id: Id| EnvelopeId(id.to_bytes());
        self.difference.have.extend(have.into_iter().map(name));
        self.difference.need.extend(need.into_iter().map(name));
        if self.difference.need.len() > MAX_DIFFERENCE {
            return Err(SyncError::Unbounded);
        }
        Ok(match next {
            Some(message) => Next::Send(message),
            None => Next::Done(std::mem::take(&mut self.difference)),
        })
    }

    /// How many answers there have been.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds
    }
}

/// What the other side answers, in about `bytes`.
///
/// # Errors
///
/// [`SyncError::Malformed`].
pub fn respond(
    known: impl IntoIterator<Item = EnvelopeId>,
    message: &[u8],
    bytes: u64,
) -> Result<Vec<u8>, SyncError> {
    let limit = bytes.clamp(LEAST, MAX_FRAME as u64 - 1024);
    Ok(Negentropy::owned(items(known)?, limit)?.reconcile(message)?)
}

fn items(
    known: impl IntoIterator<Item = EnvelopeId>,
) -> Result<NegentropyStorageVector, SyncError> {
    let mut items = NegentropyStorageVector::new();
    for id in known {
        items.insert(0, Id::from_byte_array(id.0))?;
    }
    items.seal()?;
    Ok(items)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> EnvelopeId {
        EnvelopeId::of(&number.to_be_bytes())
    }

    fn set(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<EnvelopeId> {
        numbers.into_iter().map(id).collect()
    }

    /// The difference, and the rounds and bytes that it took.
    fn run(
        one: &BTreeSet<EnvelopeId>,
        other: &BTreeSet<EnvelopeId>,
        bytes: u64,
    ) -> (Difference, u32, usize) {
        let (mut sync, mut message) = SetSync::start(one.iter().copied()).unwrap();
        let mut sum = 0;
        loop {
            let answer = respond(other.iter().copied(), &message, bytes).unwrap();
            assert!(answer.len() < MAX_FRAME && message.len() < MAX_FRAME);
            sum += message.len() + answer.len();
            match sync.step(&answer).unwrap() {
                Next::Send(next) => message = next,
                Next::Done(difference) => return (difference, sync.rounds(), sum),
            }
        }
    }

    fn difference(one: &BTreeSet<EnvelopeId>, other: &BTreeSet<EnvelopeId>) -> Difference {
        Difference {
            have: one.difference(other).copied().collect(),
            need: other.difference(one).copied().collect(),
        }
    }

    #[test]
    fn ten_thousand_missed() {
        for (known, there) in [(0, 10_000), (10_000, 20_000), (20_000, 20_000), (19_990, 20_000)] {
            let (one, other) = (set(0..known), set(0..there));
            let (found, rounds, bytes) = run(&one, &other, SYNC_BYTES);
            assert_eq!(found, difference(&one, &other));
            println!("{} missed of {there}: {rounds} rounds, {bytes} bytes", there - known);
        }
    }

    #[test]
    fn an_answer_that_never_ends_is_cut_off() {
        let (mut sync, _) = SetSync::start(set(0..100)).unwrap();
        // Another fingerprint of everything, again and again.
        let answer = [&[0x61, 0, 0, 1][..], &[9; 16]].concat();
        for _ in 0..MAX_ROUNDS {
            assert!(matches!(sync.step(&answer), Ok(Next::Send(_))));
        }
        assert_eq!(sync.step(&answer), Err(SyncError::Unbounded));
    }

    #[test]
    fn an_answer_that_is_too_long_is_refused() {
        let (mut sync, _) = SetSync::start(set(0..100)).unwrap();
        assert_eq!(sync.step(&vec![0x61; MAX_FRAME + 1]), Err(SyncError::Unbounded));
    }

    #[test]
    fn answers_that_are_too_much_together_are_refused() {
        let (mut sync, _) = SetSync::start(set(0..100)).unwrap();
        // The same fingerprint of everything but for what is left out, with a long list of nothing.
        let mut answer = vec![0x61, 1, 32];
        answer.extend([0xFF; 32]);
        answer.push(1);
        answer.extend([9; 16]);
        answer.extend([0, 0, 0]);
        answer.resize(MAX_FRAME, 0);
        let mut sum = 0;
        let error = loop {
            sum += answer.len();
            if let Err(error) = sync.step(&answer) {
                break error;
            }
        };
        assert_eq!(error, SyncError::Unbounded);
        assert!(sum > MAX_SYNC_BYTES && sum <= MAX_SYNC_BYTES + MAX_FRAME, "{sum}");
    }

    #[test]
    fn a_difference_is_taken_up_to_a_size() {
        const IDS: usize = 32_000;
        let (mut sync, _) = SetSync::start(set(0..100)).unwrap();
        let mut named = 0;
        let error = loop {
            // Up to the last name these, and another fingerprint of what comes after: it goes on.
            let mut answer = vec![0x61, 1, 32];
            answer.extend([0xFF; 32]);
            answer.extend([2, 0x81, 0xFA, 0x00]);
            for number in named..named + IDS as u64 {
                answer.extend(id(1_000_000 + number).0);
            }
            answer.extend([0, 0, 1]);
            answer.extend([9; 16]);
            named += IDS as u64;
            match sync.step(&answer) {
                Ok(Next::Send(_)) => assert_eq!(sync.difference.need.len() as u64, named),
                Ok(Next::Done(_)) => panic!("it goes on"),
                Err(error) => break error,
            }
        };
        assert_eq!(error, SyncError::Unbounded);
        assert_eq!(named as usize, (MAX_DIFFERENCE / IDS + 1) * IDS);
    }

    #[test]
    fn messages_are_about_as_long_as_they_may_be() {
        for (bytes, most) in [(0, LEAST), (50_000, 50_000), (u64::MAX, MAX_FRAME as u64 - 1024)] {
            let (_, first) = SetSync::start([]).unwrap();
            let answer = respond(set(0..40_000), &first, bytes).unwrap().len() as u64;
            assert!((most - most / 2..=most).contains(&answer), "{answer} of {most}");
        }
    }

    #[test]
    fn whoever_begins_sends_about_as_much_as_it_may() {
        let known = set(0..40_000);
        let (mut sync, _) = SetSync::start(known.iter().copied()).unwrap();
        // Other fingerprints of some names each: that calls for all of them.
        let mut answer = vec![0x61];
        for name in known.iter().step_by(16) {
            answer.extend([1, 32]);
            answer.extend(name.0);
            answer.push(1);
            answer.extend([9; 16]);
        }
        let Ok(Next::Send(next)) = sync.step(&answer) else { panic!("it goes on") };
        assert!((SYNC_BYTES / 2..=SYNC_BYTES).contains(&(next.len() as u64)));
    }

    #[test]
    fn other_versions_are_told() {
        let (mut sync, _) = SetSync::start(set(0..100)).unwrap();
        assert_eq!(sync.step(&[0x62]), Err(SyncError::UnsupportedVersion));
        assert_eq!(sync.step(&[0x01]), Err(SyncError::Malformed));
        assert_eq!(sync.step(&[]), Err(SyncError::Malformed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn two_sets_end_equal(
            common in prop::collection::btree_set(any::<u64>(), 0..800),
            left in prop::collection::btree_set(any::<u64>(), 0..400),
            right in prop::collection::btree_set(any::<u64>(), 0..400),
            bytes in 0_u64..20_000,
        ) {
            let mut one = set(common.iter().chain(&left).copied());
            let mut other = set(common.iter().chain(&right).copied());
            let (found, _, _) = run(&one, &other, bytes);
            prop_assert_eq!(&found, &difference(&one, &other));
            one.extend(found.need);
            other.extend(found.have);
            prop_assert_eq!(one, other);
        }

        #[test]
        fn nothing_from_outside_panics(
            mut message in prop::collection::vec(any::<u8>(), 0..300),
            known in 0_u64..100,
        ) {
            let _ = respond(set(0..known), &message, 5000);
            if let Some(first) = message.first_mut() {
                *first = 0x61;
            }
            if let Ok(answer) = respond(set(0..known), &message, 5000) {
                prop_assert!(answer.len() <= 5000);
            }
            let (mut sync, _) = SetSync::start(set(0..known)).unwrap();
            let _ = sync.step(&message);
        }
    }
}
