//! From figures to pixels.

/// An axis: where figures lie between two pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    figures: (f64, f64),
    pixels: (i32, i32),
    logarithmic: bool,
}

impl Scale {
    /// Equal steps for equal differences.
    pub(super) fn linear(figures: (f64, f64), pixels: (i32, i32)) -> Self {
        Self { figures, pixels, logarithmic: false }
    }

    /// Equal steps for equal ratios. The figures have to be above zero.
    pub(super) fn logarithmic(figures: (f64, f64), pixels: (i32, i32)) -> Self {
        Self { figures, pixels, logarithmic: true }
    }

    /// Where a figure lies; what is outside lies at the end.
    pub(super) fn at(&self, figure: f64) -> i32 {
        let of = |figure: f64| if self.logarithmic { figure.ln() } else { figure };
        let (from, to) = (of(self.figures.0), of(self.figures.1));
        let part = ((of(figure) - from) / (to - from)).clamp(0.0, 1.0);
        let (low, high) = (f64::from(self.pixels.0), f64::from(self.pixels.1));
        (low + part * (high - low)).round() as i32
    }
}

/// Whether a figure can be drawn on a logarithmic axis.
pub(super) fn is_drawable(figure: f64) -> bool {
    figure.is_finite() && figure > 0.0
}

/// Round steps from 0 to at least `most`, few enough to be told apart.
pub(super) fn steps(most: f64) -> Vec<f64> {
    const MOST_STEPS: f64 = 5.0;
    let magnitude = 10_f64.powf((most / MOST_STEPS).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * magnitude)
        .into_iter()
        .find(|step| most / step <= MOST_STEPS)
        .unwrap_or(10.0 * magnitude);
    (0..=8).map(|index| f64::from(index) * step).take_while(|at| at - step < most).collect()
}

/// Powers of ten from at most `least` to at least `most`, two of them or more.
pub(super) fn decades(least: f64, most: f64) -> Vec<f64> {
    let [first, last] =
        [least.log10().floor(), most.log10().ceil()].map(|exponent| exponent as i32);
    (first..=last.max(first + 1)).map(|exponent| 10_f64.powi(exponent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_to_pixels() {
        let linear = Scale::linear((0.0, 10.0), (100, 200));
        assert_eq!([0.0, 5.0, 10.0, 20.0].map(|figure| linear.at(figure)), [100, 150, 200, 200]);
        let down = Scale::logarithmic((1.0, 100.0), (200, 100));
        assert_eq!([1.0, 10.0, 100.0, 0.1].map(|figure| down.at(figure)), [200, 150, 100, 200]);
    }

    #[test]
    fn round_steps() {
        assert_eq!(steps(4.4), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(steps(7.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(steps(23.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(steps(1.0).last(), Some(&1.0));
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(decades(20.0, 900.0), [10.0, 100.0, 1000.0]);
        assert_eq!(decades(10.0, 10.0), [10.0, 100.0]);
        assert_eq!(decades(0.5, 2.0), [0.1, 1.0, 10.0]);
    }
}
