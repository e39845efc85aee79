//! Waiting for changes and messages, and not for ever.

use std::future::Future;
use std::time::Duration;

use trellis_sdk::{Change, ChangeStatus, GroupId, Sent};

use super::{Desk, Waiting};
use crate::failure::Failure;
use crate::record::{ChangeRecord, Record, SentRecord};

impl Desk<'_> {
    /// Waits for something as long as this desk waits.
    pub(super) async fn within<T>(
        &self,
        what: &'static str,
        future: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let seconds = self.timeout.as_secs();
        let late = |_| Failure::Timeout { what, seconds };
        tokio::time::timeout(self.timeout, future).await.map_err(late)?
    }

    /// Without a network nothing more happens to what is in the file.
    fn is_pointless(&self, waiting: Waiting) -> bool {
        waiting.no_wait || (self.control.is_none() && !waiting.wait)
    }

    /// Waits for a change as long as it is asked for, and prints where it stands, also if it takes too
    /// long. `linger` is how long others need after the change is made.
    pub(super) async fn follow(
        &self,
        change: &Change,
        waiting: Waiting,
        linger: Duration,
    ) -> Result<(), Failure> {
        let waited = if self.is_pointless(waiting) {
            Ok(())
        } else if waiting.wait {
            let done = async { Ok(change.done().await?) };
            self.within("the change can still be taken back", done).await
        } else {
            let applied = async { Ok(change.applied().await?) };
            let applied = self.within("the change is not made yet", applied).await;
            if applied.is_ok() && change.status() != ChangeStatus::Done {
                // Too early is no failure: what has not left yet leaves the next time.
                let _ = tokio::time::timeout(linger, change.done()).await;
            }
            applied
        };
        self.emit(Record::Change(ChangeRecord::of(change)))?;
        // What waits for no network may have failed at once.
        if let (Ok(()), ChangeStatus::Failed(failed)) = (&waited, change.status()) {
            return Err(failed.into());
        }
        waited
    }

    /// The same for a message.
    pub(super) async fn follow_message(
        &self,
        group: GroupId,
        sent: &Sent,
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let waited = if self.is_pointless(waiting) {
            Ok(())
        } else if waiting.wait {
            let delivered = async { Ok(sent.delivered().await?) };
            self.within("not all members have the message yet", delivered).await
        } else {
            self.within("the network has not taken the message", async { Ok(sent.sent().await?) })
                .await
        };
        self.emit(Record::Sent(SentRecord::of(group, sent)))?;
        waited
    }
}
