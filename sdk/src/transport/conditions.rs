//! How good a network in memory is.

use super::random::Random;
use crate::Span;

/// A probability, in thousandths. Whole numbers, so that a schedule is the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u16);

impl Chance {
    /// Never.
    pub const NEVER: Self = Self(0);

    /// So many times in a thousand; more than a thousand is always.
    #[must_use]
    pub const fn per_mille(number: u16) -> Self {
        Self(if number > 1000 { 1000 } else { number })
    }

    /// How many times in a thousand.
    #[must_use]
    pub const fn as_per_mille(self) -> u16 {
        self.0
    }

    /// Tosses the coin. It takes one number from the generator whatever the chance is, so that a
    /// changed chance does not shift everything else that is drawn.
    pub(crate) fn happens(self, random: &mut Random) -> bool {
        random.below(1000) < u64::from(self.0)
    }
}

/// What happens to a message on its way from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// How long a message takes at least.
    pub latency: Span,
    /// How much longer it can take; every length up to here is as likely. Above the time between
    /// two messages, they change their order.
    pub jitter: Span,
    /// How often a message gets stuck on the way.
    pub straggling: Chance,
    /// How much longer still it then can take.
    pub straggle: Span,
    /// How often a message gets lost.
    pub loss: Chance,
    /// How often a message arrives twice. The copies are late and get lost on their own.
    pub duplication: Chance,
    /// How often a node that could not reach all others is told when it can.
    pub notice: Chance,
}

impl Conditions {
    /// At once, in order, and always.
    #[must_use]
    pub const fn perfect() -> Self {
        Self {
            latency: Span(0),
            jitter: Span(0),
            straggling: Chance::NEVER,
            straggle: Span(0),
            loss: Chance::NEVER,
            duplication: Chance::NEVER,
            notice: Chance::per_mille(1000),
        }
    }

    /// The internet on a good day: 20 to 60 ms, and nothing lost.
    #[must_use]
    pub const fn good() -> Self {
        Self { latency: Span(20), jitter: Span(40), ..Self::perfect() }
    }

    /// Crowded radio: slow, out of order, one in ten lost and one in ten twice.
    #[must_use]
    pub const fn poor() -> Self {
        Self {
            latency: Span(50),
            jitter: Span(500),
            straggling: Chance::per_mille(50),
            straggle: Span::seconds(5),
            loss: Chance::per_mille(100),
            duplication: Chance::per_mille(100),
            notice: Chance::per_mille(500),
        }
    }

    /// How long one copy takes. It draws the same number of times whatever the conditions are.
    pub(super) fn delay(&self, random: &mut Random) -> Span {
        let jitter = random.below(self.jitter.0.saturating_add(1));
        let stuck = self.straggling.happens(random);
        let straggle = random.below(self.straggle.0.saturating_add(1));
        let late = if stuck { straggle } else { 0 };
        Span(self.latency.0.saturating_add(jitter).saturating_add(late))
    }
}
