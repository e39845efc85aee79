//! How a mailbox uses a JetStream cluster.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::mailbox::store::{StoreError, StoreResult};

/// The longest name.
const MAX_NAME: usize = 64;

/// The numbers of a store. All processes of a mailbox have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JetStreamOptions {
    /// What the streams are called: letters, digits, `-` and `_`. "trellis".
    pub name: String,
    /// On how many nodes everything is. 3, of which one may be lost.
    pub replicas: usize,
    /// How long the cluster keeps envelopes; at least as long as
    /// [`Limits::keep`](crate::mailbox::Limits::keep). 31 days.
    pub keep: Duration,
    /// How many bytes of envelopes the cluster keeps for this mailbox, on each node; zero for as many as
    /// it will. Zero.
    pub envelope_bytes: u64,
    /// How many bytes of boxes and key packages. The cluster sets so much aside. 1 GiB.
    pub box_bytes: u64,
    /// For how long the cluster remembers what was published, to notice a second time. 2 minutes.
    pub duplicates: Duration,
    /// How long the cluster may take for an answer. 5 seconds.
    pub timeout: Duration,
    /// How often something is tried that the cluster did not answer. 3.
    pub tries: u32,
}

impl Default for JetStreamOptions {
    fn default() -> Self {
        Self {
            name: "trellis".into(),
            replicas: 3,
            keep: Duration::from_secs(31 * 24 * 3600),
            envelope_bytes: 0,
            box_bytes: 1 << 30,
            duplicates: Duration::from_secs(120),
            timeout: Duration::from_secs(5),
            tries: 3,
        }
    }
}

impl JetStreamOptions {
    pub(super) fn check(&self) -> StoreResult<()> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name =
            !self.name.is_empty() && self.name.len() <= MAX_NAME && self.name.chars().all(good);
        let wrong = [
            (!name, "its name is of 1 to 64 letters, digits, `-` and `_`"),
            (!(1..=5).contains(&self.replicas), "JetStream has 1 to 5 replicas"),
            (self.tries == 0, "each thing has to be tried once at least"),
        ];
        wrong
            .into_iter()
            .find(|(wrong, _)| *wrong)
            .map_or(Ok(()), |(_, why)| Err(StoreError::Options(why)))
    }

    /// The stream of envelopes. Each has a subject of its own; there is one message of each subject.
    pub(super) fn mail(&self) -> Config {
        Config {
            name: format!("{}-mail", self.name),
            subjects: vec![format!("{}.mail.>", self.name)],
            max_age: self.keep,
            max_bytes: bytes(self.envelope_bytes),
            ..self.stream()
        }
    }

    /// The stream of boxes and key packages.
    pub(super) fn boxes(&self) -> Config {
        Config {
            name: format!("{}-boxes", self.name),
            subjects: vec![format!("{}.box.>", self.name)],
            max_bytes: bytes(self.box_bytes),
            ..self.stream()
        }
    }

    fn stream(&self) -> Config {
        Config {
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            max_messages: -1,
            max_messages_per_subject: 1,
            max_consumers: -1,
            max_message_size: -1,
            num_replicas: self.replicas,
            duplicate_window: self.duplicates,
            ..Config::default()
        }
    }
}

/// What a stream that is there has to become, so that it keeps what this mailbox promises: longer-lived,
/// larger, on more nodes. Never less, since what is there was promised, too.
pub(super) fn grown(there: &Config, wanted: &Config) -> Option<Config> {
    let mut grown = there.clone();
    // Zero is for ever, and -1 without a bound.
    let for_ever = there.max_age.is_zero() || wanted.max_age.is_zero();
    grown.max_age = if for_ever { Duration::ZERO } else { there.max_age.max(wanted.max_age) };
    let unbounded = there.max_bytes < 0 || wanted.max_bytes < 0;
    grown.max_bytes = if unbounded { -1 } else { there.max_bytes.max(wanted.max_bytes) };
    grown.num_replicas = there.num_replicas.max(wanted.num_replicas);
    (grown != *there).then_some(grown)
}

/// As JetStream counts: -1 for all there are.
fn bytes(number: u64) -> i64 {
    if number == 0 { -1 } else { i64::try_from(number).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_is_refused() {
        assert!(JetStreamOptions::default().check().is_ok());
        for name in ["", "a.b", "a b", "*", &"a".repeat(MAX_NAME + 1)] {
            assert!(JetStreamOptions { name: name.into(), ..Default::default() }.check().is_err());
        }
        let longest = JetStreamOptions { name: "a".repeat(MAX_NAME), ..Default::default() };
        assert!(longest.check().is_ok());
        assert!(JetStreamOptions { replicas: 0, ..Default::default() }.check().is_err());
        assert!(JetStreamOptions { replicas: 6, ..Default::default() }.check().is_err());
    }

    #[test]
    fn a_stream_grows_and_never_shrinks() {
        let of = |days: u64, bytes: u64, replicas| {
            let keep = Duration::from_secs(days * 24 * 3600);
            let options =
                JetStreamOptions { keep, envelope_bytes: bytes, replicas, ..Default::default() };
            options.mail()
        };
        let there = of(7, 1000, 3);
        for wanted in [of(7, 1000, 3), of(1, 10, 1)] {
            assert_eq!(grown(&there, &wanted), None);
        }
        assert_eq!(grown(&there, &of(8, 10, 1)), Some(of(8, 1000, 3)));
        assert_eq!(grown(&there, &of(1, 2000, 1)), Some(of(7, 2000, 3)));
        assert_eq!(grown(&there, &of(1, 10, 5)), Some(of(7, 1000, 5)));
        assert_eq!(grown(&there, &of(0, 0, 3)), Some(of(0, 0, 3)));
        assert_eq!(grown(&of(0, 0, 3), &there), None);
    }
}
