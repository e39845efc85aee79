//! Samples, summed up.

use serde::{Deserialize, Serialize};

/// The samples of one measurement, in microseconds: the median, and the quartiles as spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
    /// How many samples there were.
    pub turns: usize,
}

impl Summary {
    /// Of these samples. `None` if there are none.
    #[must_use]
    pub fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |quarters: usize| {
            samples.get((samples.len() * quarters / 4).min(samples.len().checked_sub(1)?)).copied()
        };
        Some(Self { median: at(2)?, low: at(1)?, high: at(3)?, turns: samples.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_quartiles() {
        let summary = Summary::of((0..=100).rev().map(f64::from).collect()).unwrap();
        assert_eq!(summary, Summary { median: 50.0, low: 25.0, high: 75.0, turns: 101 });
        let one = Summary::of(vec![7.0]).unwrap();
        assert_eq!(one, Summary { median: 7.0, low: 7.0, high: 7.0, turns: 1 });
        assert_eq!(Summary::of(Vec::new()), None);
    }
}
