//! How often somebody may do something: the generic cell rate algorithm, one number for each.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{Span, Time};

/// So many at once, and one more after each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once, after a rest.
    pub burst: u32,
    /// After how long there is another one.
    pub interval: Span,
}

/// Rates of at most so many keys.
pub(super) struct Rates<K> {
    rate: Rate,
    keys: usize,
    /// When a key will have rested.
    rested: HashMap<K, u64>,
}

impl<K: Hash + Eq + Copy> Rates<K> {
    pub(super) fn new(rate: Rate, keys: usize) -> Self {
        Self { rate, keys, rested: HashMap::new() }
    }

    /// Takes `count` at once, or says after how long they may be had. Nobody is refused for what others
    /// do: when there are too many keys, one of them is forgotten, which is to its advantage.
    pub(super) fn take(&mut self, now: Time, key: K, count: u32) -> Result<(), Span> {
        let interval = self.rate.interval.0.max(1);
        let most = interval.saturating_mul(u64::from(self.rate.burst));
        let cost = interval.saturating_mul(u64::from(count));
        let limit = now.0.saturating_add(most);
        if let Some(rested) = self.rested.get_mut(&key) {
            // A clock that was put back keeps nobody out for longer than a burst.
            *rested = limit.min(*rested);
        }
        let from = self.rested.get(&key).copied().unwrap_or(0).max(now.0);
        let to = from.saturating_add(cost);
        if to > limit {
            return Err(Span(to - limit));
        }
        if !self.rested.contains_key(&key) {
            self.make_room(now);
        }
        self.rested.insert(key, to);
        Ok(())
    }

    fn make_room(&mut self, now: Time) {
        if self.rested.len() < self.keys {
            return;
        }
        self.rested.retain(|_, rested| *rested > now.0);
        while self.rested.len() >= self.keys.max(1) {
            let Some(key) = self.rested.keys().next().copied() else { return };
            self.rested.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, interval: Span::millis(100) };

    #[test]
    fn a_burst_then_one_after_each_interval() {
        let mut rates = Rates::new(RATE, 10);
        let now = Time(1000);
        for _ in 0..3 {
            assert_eq!(rates.take(now, 1, 1), Ok(()));
        }
        assert_eq!(rates.take(now, 1, 1), Err(Span(100)));
        assert_eq!(rates.take(now, 2, 3), Ok(()));
        assert_eq!(rates.take(now + Span(100), 1, 1), Ok(()));
        assert_eq!(rates.take(now + Span(100), 1, 1), Err(Span(100)));
        assert_eq!(rates.take(now + Span(1000), 1, 3), Ok(()));
    }

    #[test]
    fn a_clock_may_be_put_back() {
        let mut rates = Rates::new(RATE, 10);
        assert_eq!(rates.take(Time(1_000_000), 1, 3), Ok(()));
        assert_eq!(rates.take(Time(1000), 1, 1), Err(Span(100)));
        assert_eq!(rates.take(Time(1100), 1, 1), Ok(()));
    }

    #[test]
    fn keys_are_bounded() {
        let mut rates = Rates::new(RATE, 10);
        for key in 0..1000 {
            assert_eq!(rates.take(Time(5), key, 1), Ok(()));
            assert!(rates.rested.len() <= 10);
        }
    }
}
