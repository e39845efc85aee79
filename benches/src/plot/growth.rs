//! Time by the size of the group.

use super::canvas::{Canvas, HEADER, Look, MARGIN, Point, Side, colour, width};
use super::scale::{Scale, decades, is_drawable};
use super::subtitle::subtitle;
use crate::group::{Contender, Operation};
use crate::report::data::Report;
use crate::report::markdown::units;
use crate::report::query::members;

const SUITE: &str = "row 2";

/// A panel for each.
const OPERATIONS: [Operation; 4] =
    [Operation::Add, Operation::Join, Operation::UpdateFresh, Operation::ProcessFresh];

/// The pixels of the labels on the left.
const LABELS: i32 = 72;

const PANEL: Point = (220, 290);

/// The pixels between panels, where the last figures go.
const BETWEEN: i32 = 18;

const LEGEND: i32 = 34;
const ABOVE: i32 = 24;
const BELOW: i32 = 62;

/// Times by the number of members.
type Points = Vec<(f64, f64)>;

pub(super) fn draw(report: &Report, title: &'static str) -> Option<String> {
    let of_suite = report.groups.iter().filter(|group| group.suite == SUITE);
    let numbers = members(of_suite.map(|group| group.members));
    let points = |time: &dyn Fn(usize) -> Option<f64>| -> Points {
        let point = |&members: &usize| {
            let figure = f64::from(u32::try_from(members).ok()?);
            Some((figure, time(members).filter(|time| is_drawable(*time))?))
        };
        numbers.iter().filter_map(point).collect()
    };
    let panels: Vec<(Operation, Points, Points)> = OPERATIONS
        .into_iter()
        .map(|operation| {
            let native =
                |members| Some(report.time(SUITE, members, Contender::Native, operation)?.median);
            let published = |members| Some(report.published(SUITE, members, operation)?.1);
            (operation, points(&native), points(&published))
        })
        // One point does not grow.
        .filter(|(_, native, _)| native.len() > 1)
        .collect();

    let all = || panels.iter().flat_map(|(_, native, published)| native.iter().chain(published));
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        Some((all().map(of).reduce(f64::min)?, all().map(of).reduce(f64::max)?))
    };
    let (numbers, times) = (bounds(|point| point.0)?, bounds(|point| point.1)?);
    let ticks = Ticks { numbers, times: decades(times.0, times.1) };

    // As wide as if there were all panels, so that title and subtitle fit.
    let columns = i32::try_from(OPERATIONS.len()).ok()?;
    let size = (
        MARGIN + LABELS + columns * (PANEL.0 + BETWEEN),
        HEADER + LEGEND + ABOVE + PANEL.1 + BELOW,
    );
    let what = format!("{SUITE} · medians by number of members n, logarithmic axes");
    let svg = Canvas::svg(size, title, [&what, &subtitle(report)], |canvas| {
        legend(canvas, panels.iter().any(|(_, _, published)| !published.is_empty()));
        let top = HEADER + LEGEND + ABOVE;
        let mut left = MARGIN + LABELS;
        ticks.label(canvas, (left, top));
        for (operation, native, published) in &panels {
            canvas.text((left, top - 16), operation.name(), Look::HEADING, Side::Left);
            ticks.panel(canvas, (left, top), [native, published]);
            left += PANEL.0 + BETWEEN;
        }
    });
    Some(svg)
}

const NATIVE: &str = "trellis native";
const PUBLISHED: &str = "the faster published provider";

fn legend(canvas: &Canvas<'_>, published: bool) {
    const SAMPLE: i32 = 36;
    let y = HEADER + 8;
    let mut x = MARGIN;
    canvas.line(&[(x, y), (x + SAMPLE, y)], colour::BLUE, 2);
    canvas.dot((x + SAMPLE / 2, y), colour::BLUE);
    x += SAMPLE + 8;
    canvas.text((x, y), NATIVE, Look::LABEL, Side::Left);
    if published {
        x += width(NATIVE, Look::LABEL) + 24;
        canvas.dashed(&[(x, y), (x + SAMPLE, y)], colour::VERMILION, 2);
        canvas.dot((x + SAMPLE / 2, y), colour::VERMILION);
        canvas.text((x + SAMPLE + 8, y), PUBLISHED, Look::LABEL, Side::Left);
    }
}

/// The axes, which all panels share.
struct Ticks {
    numbers: (f64, f64),
    times: Vec<f64>,
}

impl Ticks {
    fn numbers(&self, left: i32) -> Scale {
        // The last figures stand beside the last points.
        Scale::logarithmic(self.numbers, (left + 14, left + PANEL.0 - 52))
    }

    fn times(&self, top: i32) -> Scale {
        let ends = (self.times[0], self.times[self.times.len() - 1]);
        Scale::logarithmic(ends, (top + PANEL.1, top))
    }

    /// The times, to the left of the first panel.
    fn label(&self, canvas: &Canvas<'_>, (left, top): Point) {
        let scale = self.times(top);
        for &time in &self.times {
            canvas.text((left - 8, scale.at(time)), &short(time), Look::SMALL, Side::Right);
        }
    }

    fn panel(&self, canvas: &Canvas<'_>, (left, top): Point, lines: [&Points; 2]) {
        let (numbers, times) = (self.numbers(left), self.times(top));
        let (right, bottom) = (left + PANEL.0, top + PANEL.1);
        for &time in &self.times {
            let y = times.at(time);
            canvas.line(&[(left, y), (right, y)], colour::GRID, 1);
        }
        let [native, published] = lines;
        let mut labels: Vec<f64> = native.iter().chain(published).map(|point| point.0).collect();
        labels.sort_by(f64::total_cmp);
        labels.dedup();
        for number in labels {
            let x = numbers.at(number);
            canvas.line(&[(x, top), (x, bottom)], colour::GRID, 1);
            canvas.text((x, bottom + 14), &number.to_string(), Look::SMALL, Side::Middle);
        }
        canvas.text(((left + right) / 2, bottom + 38), "members n", Look::SMALL, Side::Middle);

        let place = |points: &Points| -> Vec<Point> {
            points.iter().map(|&(number, time)| (numbers.at(number), times.at(time))).collect()
        };
        let (own, theirs) = (place(native), place(published));
        canvas.dashed(&theirs, colour::VERMILION, 2);
        canvas.line(&own, colour::BLUE, 2);
        for (points, colour) in [(&theirs, colour::VERMILION), (&own, colour::BLUE)] {
            for &point in points {
                canvas.dot(point, colour);
            }
        }

        let ends = own.last().zip(theirs.last());
        let heights = ends.map_or((0, 0), |(own, theirs)| apart(own.1, theirs.1));
        for (points, drawn, height, colour) in [
            (native, &own, heights.0, colour::BLUE),
            (published, &theirs, heights.1, colour::VERMILION),
        ] {
            let (Some(point), Some(&(x, y))) = (points.last(), drawn.last()) else { continue };
            let look = Look::FIGURE.coloured(colour).bold();
            canvas.label((x + 8, y + height), &units::time(point.1), look);
        }
    }
}

/// How far two figures at these heights have to move so that they do not overlap.
fn apart(one: i32, other: i32) -> (i32, i32) {
    const HEIGHT: i32 = 15;
    let missing = (HEIGHT - (one - other).abs()).max(0);
    let (more, less) = (missing - missing / 2, missing / 2);
    if one >= other { (more, -less) } else { (-more, less) }
}

/// A power of ten without decimals.
fn short(microseconds: f64) -> String {
    match microseconds {
        time if time < 1e3 => format!("{time} µs"),
        time if time < 1e6 => format!("{} ms", time / 1e3),
        time => format!("{} s", time / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_move_apart() {
        assert_eq!(apart(100, 150), (0, 0));
        for (one, other) in [(100, 100), (100, 104), (104, 100), (100, 93)] {
            let (first, second) = apart(one, other);
            assert_eq!(((one + first) - (other + second)).abs(), 15);
        }
    }

    #[test]
    fn round_times() {
        assert_eq!([10.0, 1e3, 1e5, 1e7].map(short), ["10 µs", "1 ms", "100 ms", "10 s"]);
    }
}
