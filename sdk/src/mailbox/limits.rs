//! How much a mailbox does for whom.

use super::rate::Rate;
use super::wire::MAX_FRAME;
use crate::transport::{MAX_MESSAGE, MAX_SUBSCRIPTIONS};
use crate::{Span, Time};

/// The numbers of a mailbox. Each bounds what strangers can make it do or keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest envelope or key package in bytes: what a transport carries.
    pub message: usize,
    /// How many bytes of envelopes a box keeps, each counted with
    /// [`OVERHEAD`](super::store::OVERHEAD). 64 MiB.
    pub box_bytes: u64,
    /// How many envelopes a box keeps. 50,000.
    pub box_envelopes: u64,
    /// How many topics a box keeps, at most [`MAX_TOPICS`](super::wire::MAX_TOPICS). 64.
    pub box_topics: usize,
    /// For how long a box is opened or renewed at most. 30 days.
    pub box_ttl: Span,
    /// How long an envelope is kept. 30 days.
    pub keep: Span,
    /// How many bytes there are in all: envelopes and key packages. 8 GiB.
    pub total_bytes: u64,
    /// How many boxes there are in all. 65,536.
    pub total_boxes: usize,
    /// How many topics there are in all, since the mailbox has to listen to each. 4096.
    pub total_topics: usize,
    /// How many boxes may keep the same topic, since each keeps what comes for itself. 64.
    pub topic_boxes: usize,
    /// How many boxes one peer may have opened. 64.
    pub peer_boxes: usize,
    /// How often one peer may ask. 200 at once, 50 a second.
    pub peer_requests: Rate,
    /// How many peers' rates are remembered. 16,384.
    pub peers: usize,
    /// How many envelopes that come by themselves are taken on one topic. 2000 at once, 100 a second.
    pub topic_arrivals: Rate,
    /// How many envelopes are compared for one request; for each so many more, another one is counted.
    /// 2000.
    pub request_ids: usize,
    /// How many bytes of ids one message of reconciliation has, about. 512 KiB.
    pub reconcile_bytes: u64,
    /// How many bytes of envelopes one answer has, about. 960 KiB.
    pub fetch_bytes: usize,
    /// How many one-time key packages of one cipher suite a box has. 256.
    pub pool_packages: usize,
    /// For how many cipher suites a box has key packages. 8.
    pub pool_suites: usize,
    /// How many bytes of key packages of one cipher suite a box has. 8 MiB.
    pub pool_bytes: u64,
    /// How many key packages one stranger gets. 10 at once, one more after 6 seconds.
    pub peer_takes: Rate,
    /// How many one-time key packages a box gives; who comes after gets the last-resort one, so that
    /// strangers can't use up what is there. 64 at once, one more after 5 seconds.
    pub box_takes: Rate,
    /// How often [`tick`](super::Service::tick) looks for boxes that other processes have opened or
    /// closed. 10 seconds.
    pub refresh: Span,
    /// How many answers one question on a topic gets: from so many boxes. 8.
    pub answers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let days = |days: u64| Span::seconds(days * 24 * 3600);
        Self {
            message: MAX_MESSAGE,
            box_bytes: 64 << 20,
            box_envelopes: 50_000,
            box_topics: super::wire::MAX_TOPICS,
            box_ttl: days(30),
            keep: days(30),
            total_bytes: 8 << 30,
            total_boxes: 65_536,
            total_topics: MAX_SUBSCRIPTIONS,
            topic_boxes: 64,
            peer_boxes: 64,
            peer_requests: Rate { burst: 200, interval: Span::millis(20) },
            peers: 16_384,
            topic_arrivals: Rate { burst: 2000, interval: Span::millis(10) },
            request_ids: 2000,
            reconcile_bytes: 512 << 10,
            fetch_bytes: MAX_FRAME - (64 << 10),
            pool_packages: 256,
            pool_suites: 8,
            pool_bytes: 8 << 20,
            peer_takes: Rate { burst: 10, interval: Span::seconds(6) },
            box_takes: Rate { burst: 64, interval: Span::seconds(5) },
            refresh: Span::seconds(10),
            answers: 8,
        }
    }
}

impl Limits {
    /// When a box ends that is to be kept for so many seconds from now on.
    pub(super) fn until(&self, now: Time, seconds: u32) -> Time {
        now + Span::seconds(seconds.into()).min(self.box_ttl)
    }
}
