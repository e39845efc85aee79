//! Lives in turns: A B A B.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::group::{Done, Life, Operation};
use crate::summary::Summary;

/// How many turns there are: as many as fit into the time, within bounds.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
    /// No turn begins after this time, once there were the least.
    pub time: Duration,
}

impl Turns {
    /// Calls `turn` as often as that.
    ///
    /// # Errors
    ///
    /// That of the first turn that fails.
    pub fn each<E>(self, mut turn: impl FnMut() -> Result<(), E>) -> Result<(), E> {
        let start = Instant::now();
        for done in 0..self.most {
            if done >= self.least && start.elapsed() >= self.time {
                break;
            }
            turn()?;
        }
        Ok(())
    }
}

/// Each life once, one after the other, then again. `report` takes each operation with the index
/// of its life.
pub fn in_turns(lives: &mut [Box<dyn Life>], turns: Turns, mut report: impl FnMut(usize, Done)) {
    let turn = || {
        for (index, life) in lives.iter_mut().enumerate() {
            life.live(&mut |done: Done| {
                report(index, done);
                ControlFlow::Continue(())
            });
        }
        Ok::<_, std::convert::Infallible>(())
    };
    let Ok(()) = turns.each(turn);
}

/// What was done by whom, summed up.
#[derive(Debug)]
pub struct Tally<K> {
    samples: BTreeMap<(K, Operation), Vec<f64>>,
    bytes: BTreeMap<(K, Operation), usize>,
}

impl<K: Ord> Default for Tally<K> {
    fn default() -> Self {
        Self { samples: BTreeMap::new(), bytes: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Tally<K> {
    /// Adds what was done.
    pub fn add(&mut self, who: K, done: Done) {
        let key = (who, done.operation);
        self.samples.entry(key).or_default().push(done.time.as_secs_f64() * 1e6);
        if done.bytes > 0 {
            self.bytes.insert(key, done.bytes);
        }
    }

    /// The bytes that an operation of this one last sent.
    pub fn bytes(&self, who: K) -> impl Iterator<Item = (Operation, usize)> {
        let sent = self.bytes.iter().filter(move |((sender, _), _)| *sender == who);
        sent.map(|((_, operation), bytes)| (*operation, *bytes))
    }

    /// The times.
    pub fn times(self) -> impl Iterator<Item = ((K, Operation), Summary)> {
        self.samples.into_iter().filter_map(|(key, samples)| Some((key, Summary::of(samples)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A life of one operation that counts how often it was lived.
    struct Counting(u32);

    impl Life for Counting {
        fn live(&mut self, observer: &mut dyn crate::group::Observer) {
            self.0 += 1;
            let time = Duration::from_micros(self.0.into());
            let done = Done { operation: Operation::Join, repeats: 1, time, bytes: 0 };
            let _ = observer.done(done);
        }
    }

    #[test]
    fn lives_take_turns_and_each_has_its_samples() {
        let turns = Turns { least: 3, most: 5, time: Duration::ZERO };
        let mut lives: Vec<Box<dyn Life>> = vec![Box::new(Counting(0)), Box::new(Counting(10))];
        let (mut order, mut tally) = (Vec::new(), Tally::default());
        in_turns(&mut lives, turns, |life, done| {
            order.push(life);
            tally.add(life, done);
        });
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
        let medians: Vec<_> = tally.times().map(|(key, time)| (key, time.median)).collect();
        assert_eq!(medians, [((0, Operation::Join), 2.0), ((1, Operation::Join), 12.0)]);
    }

    #[test]
    fn no_more_turns_than_the_most() {
        let turns = Turns { least: 0, most: 4, time: Duration::from_secs(60) };
        let mut count = 0;
        let Ok(()) = turns.each(|| {
            count += 1;
            Ok::<_, std::convert::Infallible>(())
        });
        assert_eq!(count, 4);
    }
}
