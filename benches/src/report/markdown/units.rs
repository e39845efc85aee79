//! Figures as text, in units that suit them.

use crate::summary::Summary;

/// What stands where nothing was measured.
pub(crate) const NOTHING: &str = "–";

/// Units of time, the microseconds in each, and what they end at. Those that would be rounded up to
/// a thousand go to the next.
const TIMES: [(&str, f64, f64); 3] =
    [("µs", 1.0, 999.5), ("ms", 1e3, 999.5), ("s", 1e6, f64::INFINITY)];

/// Units of size, likewise.
const SIZES: [(&str, f64, f64); 3] =
    [("B", 1.0, 999.5), ("kB", 1e3, 999.5), ("MB", 1e6, f64::INFINITY)];

/// Microseconds in a unit, with three digits.
pub(crate) fn time(microseconds: f64) -> String {
    let (name, factor) = unit(&TIMES, microseconds);
    format!("{} {name}", digits(microseconds / factor))
}

/// The median with the quartiles, all in the unit of the median.
pub(crate) fn spread(summary: &Summary) -> String {
    let (name, factor) = unit(&TIMES, summary.median);
    let [median, low, high] =
        [summary.median, summary.low, summary.high].map(|time| digits(time / factor));
    format!("{median} {name} ({low}–{high})")
}

/// Bytes in a unit, with three digits.
pub(crate) fn size(bytes: usize) -> String {
    let bytes = bytes as f64;
    let (name, factor) = unit(&SIZES, bytes);
    if factor == 1.0 {
        format!("{bytes} {name}")
    } else {
        format!("{} {name}", digits(bytes / factor))
    }
}

/// Bytes, exactly, with commas between thousands.
pub(crate) fn bytes(bytes: usize) -> String {
    let figures = bytes.to_string();
    let mut text = String::new();
    for (index, figure) in figures.chars().enumerate() {
        if index > 0 && (figures.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(figure);
    }
    text
}

/// Bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1}")
}

/// A ratio, with two decimals.
pub(crate) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// The ratio of two times, if there is one.
pub(crate) fn quotient(part: f64, whole: f64) -> String {
    if whole > 0.0 { ratio(part / whole) } else { NOTHING.to_owned() }
}

/// A part in percent of the whole.
pub(crate) fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.0} %", 100.0 * part / whole) } else { NOTHING.to_owned() }
}

/// Seconds, in hours and minutes.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// Words as a sentence lists them.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn unit(units: &[(&'static str, f64, f64)], value: f64) -> (&'static str, f64) {
    let fits = units.iter().find(|(_, factor, end)| value / factor < *end);
    let (name, factor, _) = fits.or(units.last()).expect("a table that is not empty");
    (name, *factor)
}

fn digits(value: f64) -> String {
    let decimals = match value {
        value if value < 0.9995 => 3,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (microseconds, text) in [
            (0.0, "0.000 µs"),
            (0.4567, "0.457 µs"),
            (0.9999, "1.00 µs"),
            (9.999, "10.0 µs"),
            (45.67, "45.7 µs"),
            (456.7, "457 µs"),
            (999.4, "999 µs"),
            (999.6, "1.00 ms"),
            (45_670.0, "45.7 ms"),
            (999_600.0, "1.00 s"),
            (4_567_000.0, "4.57 s"),
            (4_567_000_000.0, "4567 s"),
        ] {
            assert_eq!(time(microseconds), text);
        }
    }

    #[test]
    fn a_spread_has_the_unit_of_its_median() {
        let summary = Summary { median: 1100.0, low: 980.0, high: 12_000.0, turns: 9 };
        assert_eq!(spread(&summary), "1.10 ms (0.980–12.0)");
    }

    #[test]
    fn sizes() {
        for (count, exact, short) in [
            (0, "0", "0 B"),
            (278, "278", "278 B"),
            (1170, "1,170", "1.17 kB"),
            (999_999, "999,999", "1.00 MB"),
            (6_584_954, "6,584,954", "6.58 MB"),
        ] {
            assert_eq!(bytes(count), exact);
            assert_eq!(size(count), short);
        }
        assert_eq!(mebibytes(3 << 19), "1.5");
    }

    #[test]
    fn ratios_and_percent() {
        assert_eq!(quotient(1.0, 3.0), "0.33");
        assert_eq!(quotient(1.0, 0.0), NOTHING);
        assert_eq!(percent(1.0, 3.0), "33 %");
        assert_eq!(percent(0.0, 0.0), NOTHING);
    }

    #[test]
    fn durations() {
        assert_eq!(duration(12.3), "12 s");
        assert_eq!(duration(59.9), "1 min 0 s");
        assert_eq!(duration(3725.0), "1 h 2 min");
    }

    #[test]
    fn lists() {
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&words), "a, b and c");
        assert_eq!(list(&words[..1]), "a");
        assert_eq!(list(&[]), "");
    }
}
