//! The record of this node's client: asked for in time, and put into one of its places.
//!
//! The client is asked for a record when its boxes change and again every [`RENEW`]. Then the places of its
//! device are looked at, so that no other device's is taken; the record goes into one of them, and is
//! looked for there, because nodes of the table do not say whether they took it.

use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::Task;
use crate::directory::{CHOICES, Found, Record, choices, key, place};
use crate::transport::{Boxes, Incoming};
use crate::{DeviceId, Time};

/// How long after a record was stored the client is asked for the next one: a sixth of the time for
/// which it holds.
const RENEW: Duration = Duration::from_secs(4 * 3600);
/// How long after the client was asked in vain, or storing has failed, it is asked again.
const RETRY: Duration = Duration::from_secs(30);

/// How far a record has come.
enum Stage {
    /// None is under way.
    Rest,
    /// So many places are still looked at.
    Look { left: usize, made: Time, record: Vec<u8>, found: Found },
    /// It goes to a place, and is then looked for there.
    Store {
        slot: u8,
        /// When it was made: nodes that lie may give one of before.
        made: Time,
    },
}

/// What this node says of its client's key packages.
pub(super) struct Own {
    boxes: Boxes,
    /// When the client is asked for a record.
    next: Instant,
    device: Option<DeviceId>,
    stage: Stage,
    /// Grows with each record: what was found out for another one does not count.
    round: u32,
    stored: bool,
}

impl Own {
    /// Whether the directory has the record.
    pub(super) const fn is_there(&self) -> bool {
        self.stored
    }

    pub(super) const fn device(&self) -> Option<DeviceId> {
        self.device
    }
}

impl Task {
    pub(super) fn publish_boxes(&mut self, boxes: Boxes) {
        let before = self.own.take();
        let (device, round) = before.map_or((None, 0), |own| (own.device, own.round));
        let (next, stage, round) = (Instant::now(), Stage::Rest, round.wrapping_add(1));
        self.own = Some(Own { boxes, next, device, stage, round, stored: false });
    }

    /// Takes a record of the client, and looks for its place. One that was not asked for is dropped.
    pub(super) fn announce(&mut self, bytes: Vec<u8>) {
        let Some(own) = self.own.as_mut() else { return };
        let Ok(record) = Record::decode(&bytes) else { return };
        let topic = own.boxes.topic;
        if !matches!(own.stage, Stage::Rest) || record.topic(&self.crypto) != topic {
            return;
        }
        let device = record.device(&self.crypto);
        own.device = Some(device);
        own.round = own.round.wrapping_add(1);
        let (left, made, found) = (CHOICES, record.made(), Found::default());
        own.stage = Stage::Look { left, made, record: bytes, found };
        let round = own.round;
        for slot in choices(&device) {
            let key = key(&self.crypto, &topic, slot);
            self.get_own(round, slot, key);
        }
    }

    /// What is in one of the places of the client's device.
    pub(super) fn own_found(&mut self, round: u32, slot: u8, values: &[Vec<u8>]) {
        let Some(own) = self.own.as_mut().filter(|own| own.round == round) else { return };
        let (topic, Some(device)) = (own.boxes.topic, own.device) else { return };
        let take = |found: &mut Found| {
            for value in values {
                // It was judged when it came.
                let _ = found.take(&self.crypto, Time::from_system(), (&topic, slot), value);
            }
        };
        match &mut own.stage {
            Stage::Rest => {}
            Stage::Look { left, made, record, found } => {
                take(found);
                *left -= 1;
                if *left > 0 {
                    return;
                }
                let slot =
                    place(&device, |slot| found.others(slot, &device), found.slot_of(&device));
                let (record, made) = (std::mem::take(record), *made);
                own.stage = Stage::Store { slot, made };
                let key = key(&self.crypto, &topic, slot);
                self.put_own(round, slot, key, record);
            }
            Stage::Store { made, .. } => {
                let (made, mut found) = (*made, Found::default());
                take(&mut found);
                let mut latest = found.into_latest();
                let there = latest.any(|it| it.device() == device && it.made() >= made);
                self.own_stored(there);
            }
        }
    }

    /// Nodes of the table were given the record, or there are none.
    pub(super) fn own_placed(&mut self, round: u32, given: bool) {
        let Some(own) = self.own.as_ref().filter(|own| own.round == round) else { return };
        let Stage::Store { slot, .. } = own.stage else { return };
        if given {
            let key = key(&self.crypto, &own.boxes.topic, slot);
            self.get_own(round, slot, key);
        } else {
            self.own_stored(false);
        }
    }

    fn own_stored(&mut self, stored: bool) {
        let Some(own) = self.own.as_mut() else { return };
        (own.stage, own.stored) = (Stage::Rest, stored);
        own.next = Instant::now() + if stored { RENEW } else { RETRY };
        self.log(|| debug!(stored, "record of the own key packages"));
    }

    pub(super) fn tick_directory(&mut self, now: Instant) {
        let reachable = self.searches.nodes() > 0;
        let Some(own) = self.own.as_mut().filter(|own| reachable && own.next <= now) else {
            return;
        };
        own.next = now + RETRY;
        if matches!(own.stage, Stage::Rest) {
            // If it is lost, the client is asked again.
            self.inbox.put(Incoming::Boxes(own.boxes.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Libp2p;
    use super::*;
    use crate::Topic;
    use crate::directory::LIFETIME;

    const MOMENT: Duration = Duration::from_millis(1);

    /// Whether the client was asked for a record.
    async fn asked(node: &Libp2p) -> bool {
        let unread = node.unread.lock().await.try_recv().ok();
        unread.is_some_and(|unread| matches!(unread.incoming, Incoming::Boxes(_)))
    }

    #[tokio::test]
    async fn the_client_is_asked_for_a_record_in_time_and_no_more_often() {
        let (node, mut task, _) = Libp2p::builder().at_rest().await;
        let start = Instant::now();
        task.publish_boxes(Boxes { topic: Topic([1; 32]), boxes: Vec::new() });
        task.tick_directory(start + RETRY);
        assert!(!asked(&node).await, "there is no table");
        task.searches.know(1);
        let start = Instant::now();
        task.tick_directory(start);
        assert!(asked(&node).await);
        // In vain.
        task.tick_directory(start + RETRY - MOMENT);
        assert!(!asked(&node).await);
        task.tick_directory(start + RETRY);
        assert!(asked(&node).await);
        for (stored, pause) in [(false, RETRY), (true, RENEW)] {
            let before = Instant::now();
            task.own_stored(stored);
            task.tick_directory(before + pause - MOMENT);
            assert!(!asked(&node).await);
            task.tick_directory(Instant::now() + pause);
            assert!(asked(&node).await);
        }
        // A record is renewed before it ends, also if that fails a few times.
        assert_eq!(RENEW.as_millis() * 6, LIFETIME.0.into());
    }
}
