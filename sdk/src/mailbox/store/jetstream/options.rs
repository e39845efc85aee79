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
        if name && (1..=5).contains(&self.replicas) && self.tries > 0 {
            return Ok(());
        }
        let what = "the options of JetStream can't be used";
        Err(StoreError::failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, what)))
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
        for name in ["", "a.b", "a b", "*", &"a".repeat(65)] {
            assert!(JetStreamOptions { name: name.into(), ..Default::default() }.check().is_err());
        }
        assert!(JetStreamOptions { replicas: 0, ..Default::default() }.check().is_err());
        assert!(JetStreamOptions { replicas: 6, ..Default::default() }.check().is_err());
    }
}
