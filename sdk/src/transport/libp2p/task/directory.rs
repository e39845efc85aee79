//! The record of this node's client: asked for in time, and put into one of its places.
//!
//! The client is asked for a record when its boxes change and again every [`RENEW`]. Then the places of its
//! device are looked at, so that no other device's is taken, and the record goes into one of them.

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
/// How long after the client was asked, or storing failed, it is asked again.
const RETRY: Duration = Duration::from_secs(30);

/// What this node says of its client's key packages.
pub(super) struct Own {
    boxes: Boxes,
    /// When the client is asked for a record.
    next: Instant,
    /// The one that it gave last, while a place is looked for.
    record: Option<Vec<u8>>,
    device: Option<DeviceId>,
    found: Found,
    /// How many places are still looked at.
    looking: usize,
    stored: bool,
}

impl Own {
    /// Whether the directory has the record.
    pub(super) const fn is_there(&self) -> bool {
        self.stored
    }

    pub(super) fn device(&self) -> Option<DeviceId> {
        self.device
    }
}

impl Task {
    pub(super) fn publish_boxes(&mut self, boxes: Boxes) {
        let next = Instant::now();
        let device = self.own.as_ref().and_then(Own::device);
        let found = Found::default();
        let own = Own { boxes, next, record: None, device, found, looking: 0, stored: false };
        self.own = Some(own);
    }

    /// Takes a record of the client, and looks for its place. One that was not asked for is dropped.
    pub(super) fn announce(&mut self, bytes: Vec<u8>) {
        let Some(own) = self.own.as_mut() else { return };
        let Ok(record) = Record::decode(&bytes) else { return };
        let topic = own.boxes.topic;
        if own.looking > 0 || record.topic(&self.crypto) != topic {
            return;
        }
        let device = record.device(&self.crypto);
        (own.device, own.record, own.found) = (Some(device), Some(bytes), Found::default());
        own.looking = CHOICES;
        for slot in choices(&device) {
            let key = key(&self.crypto, &topic, slot);
            self.get_own(slot, key);
        }
    }

    /// What is in one of the places of the client's device.
    pub(super) fn own_found(&mut self, slot: u8, values: &[Vec<u8>]) {
        // What was looked for in vain, for boxes that have changed since, does not count.
        let Some(own) = self.own.as_mut().filter(|own| own.looking > 0) else { return };
        for value in values {
            let there = (&own.boxes.topic, slot);
            let taken = own.found.take(&self.crypto, Time::from_system(), there, value);
            debug_assert!(taken.is_ok(), "it was judged when it came");
        }
        own.looking -= 1;
        if own.looking > 0 {
            return;
        }
        let (Some(device), Some(record)) = (own.device, own.record.take()) else { return };
        let slot =
            place(&device, |slot| own.found.others(slot, &device), own.found.slot_of(&device));
        let key = key(&self.crypto, &own.boxes.topic, slot);
        self.put_own(slot, key, record);
    }

    /// Nodes of the table have the record, or none does.
    pub(super) fn own_placed(&mut self, stored: bool) {
        let Some(own) = self.own.as_mut() else { return };
        own.stored = stored;
        own.next = Instant::now() + if stored { RENEW } else { RETRY };
        self.log(|| debug!(stored, "record of the own key packages"));
    }

    pub(super) fn tick_directory(&mut self, now: Instant) {
        let reachable = self.searches.nodes() > 0;
        let Some(own) = self.own.as_mut().filter(|own| reachable && own.next <= now) else {
            return;
        };
        own.next = now + RETRY;
        own.looking = 0;
        // If it is lost, the client is asked again.
        self.inbox.put(Incoming::Boxes(own.boxes.clone()));
    }
}
