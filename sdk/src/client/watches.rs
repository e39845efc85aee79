//! Who waits for what becomes of changes and messages.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::{Change, ChangeStatus, Event, Sent, Wanted};
use crate::message::Delivery;
use crate::{GroupId, IntentId, MessageId};

/// After how many new entries those are looked for that nobody waits for.
const SWEEP: usize = 256;

/// A table of what is waited for. Entries go when nobody has a handle any more.
#[derive(Default)]
pub(super) struct Watches {
    changes: BTreeMap<IntentId, watch::Sender<ChangeStatus>>,
    messages: BTreeMap<(GroupId, MessageId), watch::Sender<Delivery>>,
    added: usize,
}

impl Watches {
    /// A handle for a change that now stands at `status`.
    pub(super) fn change(
        &mut self,
        group: GroupId,
        (id, what): (IntentId, Wanted),
        status: ChangeStatus,
    ) -> Change {
        self.sweep();
        let sender = self.changes.entry(id).or_insert_with(|| watch::Sender::new(status));
        Change::new(group, id, what, sender.subscribe())
    }

    /// A handle for a message that now stands at `delivery`.
    pub(super) fn message(&mut self, group: GroupId, id: MessageId, delivery: Delivery) -> Sent {
        self.sweep();
        let entry = self.messages.entry((group, id));
        Sent::new(id, entry.or_insert_with(|| watch::Sender::new(delivery)).subscribe())
    }

    /// Tells those who wait what an event says.
    pub(super) fn see(&self, event: &Event) {
        match event {
            Event::Progress { change, status, .. } => {
                if let Some(sender) = self.changes.get(change) {
                    sender.send_replace(*status);
                }
            }
            Event::Delivery { group, message, delivery } => {
                if let Some(sender) = self.messages.get(&(*group, *message)) {
                    sender.send_replace(*delivery);
                }
            }
            _ => {}
        }
    }

    fn sweep(&mut self) {
        self.added += 1;
        if self.added >= SWEEP {
            self.added = 0;
            self.changes.retain(|_, sender| sender.receiver_count() > 0);
            self.messages.retain(|_, sender| sender.receiver_count() > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_nobody_waits_for_go() {
        let mut watches = Watches::default();
        let group = GroupId([0; 32]);
        let kept = watches.message(group, MessageId([255; 16]), Delivery::Queued);
        for number in 0..2 * SWEEP as u64 {
            let name = [number.to_be_bytes(); 2].concat().try_into().unwrap();
            watches.change(group, (IntentId(name), Wanted::Leave), ChangeStatus::Pending);
        }
        assert!(watches.changes.len() <= SWEEP);
        assert_eq!(watches.messages.len(), 1);
        let (message, delivery) = (kept.id, Delivery::Sent);
        watches.see(&Event::Delivery { group, message, delivery });
        assert_eq!(kept.delivery(), Delivery::Sent);
    }
}
