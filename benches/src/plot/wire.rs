//! Bytes on the wire, by what is sent and by suite.

use plotters::style::RGBColor;

use super::canvas::{Canvas, HEADER, Look, MARGIN, Point, Side, colour};
use super::scale::{Scale, decades};
use super::subtitle::subtitle;
use crate::group::Operation;
use crate::report::data::Report;
use crate::report::markdown::units;
use crate::report::query::{headline, suites};

/// What is sent, with the operation that sends it.
const SENT: [(&str, Operation, RGBColor); 5] = [
    ("key package", Operation::KeyPackage, colour::GREEN),
    ("commit and Welcome that add all others", Operation::Add, colour::BLUE),
    ("update commit, fresh tree", Operation::UpdateFresh, colour::VERMILION),
    ("update commit, full tree", Operation::UpdateFull, colour::ORANGE),
    ("message of 1 KiB", Operation::Send1KiB, colour::PURPLE),
];

/// The pixels of the suites' names, of the axis, and of what stands after the longest bar.
const NAMES: i32 = 90;
const AXIS: i32 = 740;
const FIGURE: i32 = 90;

const ROW: i32 = 16;

/// The pixels that a heading takes, with the space before it.
const HEADING: i32 = 32;

const BELOW: i32 = 56;

/// What is sent, its colour, and the bytes by suite.
type Group<'a> = (&'static str, RGBColor, Vec<(&'a str, usize)>);

pub(super) fn draw(report: &Report, title: &'static str) -> Option<String> {
    let drawable = || report.sizes.iter().filter(|size| size.bytes > 0);
    let members = headline(drawable().map(|size| size.members))?;
    let suites = suites(drawable().map(|size| size.suite.as_str()));
    let groups: Vec<Group<'_>> = SENT
        .into_iter()
        .map(|(name, operation, colour)| {
            let bytes = |suite: &&'_ str| report.size(suite, members, operation);
            let sizes = suites.iter().filter_map(|suite| Some((*suite, bytes(suite)?)));
            (name, colour, sizes.filter(|(_, bytes)| *bytes > 0).collect())
        })
        .filter(|(_, _, sizes): &Group<'_>| !sizes.is_empty())
        .collect();
    let all = || groups.iter().flat_map(|(_, _, sizes)| sizes).map(|&(_, bytes)| figure(bytes));
    let (least, most) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
    let ticks = decades(least, most);

    let rows: usize = groups.iter().map(|(_, _, sizes)| sizes.len()).sum();
    let count = |number: usize| i32::try_from(number).ok();
    let height = count(rows)? * ROW + count(groups.len())? * HEADING;
    let size = (MARGIN + NAMES + AXIS + FIGURE + MARGIN, HEADER + height + BELOW);
    let what = format!("n = {members} · bytes of framed MLSMessages, logarithmic axis");
    let svg = Canvas::svg(size, title, [&what, &subtitle(report)], |canvas| {
        let left = MARGIN + NAMES;
        let scale = Scale::logarithmic((ticks[0], ticks[ticks.len() - 1]), (left, left + AXIS));
        axis(canvas, &scale, &ticks, (HEADER, HEADER + height));
        let mut top = HEADER;
        for group in &groups {
            top = draw_group(canvas, &scale, group, (left, top));
        }
    });
    Some(svg)
}

fn axis(canvas: &Canvas<'_>, scale: &Scale, ticks: &[f64], (top, bottom): Point) {
    for &tick in ticks {
        let x = scale.at(tick);
        canvas.line(&[(x, top), (x, bottom + 8)], colour::GRID, 1);
        canvas.text((x, bottom + 20), &short(tick), Look::SMALL, Side::Middle);
    }
    let middle = MARGIN + NAMES + AXIS / 2;
    canvas.text((middle, bottom + 42), "bytes (1 kB = 1000 B)", Look::SMALL, Side::Middle);
}

/// Draws a group of bars, and says where the next one begins.
fn draw_group(
    canvas: &Canvas<'_>,
    scale: &Scale,
    (name, colour, sizes): &Group<'_>,
    (left, top): Point,
) -> i32 {
    let heading = top + HEADING - 12;
    canvas.label((left + 4, heading), name, Look::HEADING);
    let mut y = top + HEADING;
    for &(suite, bytes) in sizes {
        let (middle, end) = (y + ROW / 2, scale.at(figure(bytes)));
        canvas.text((left - 8, middle), suite, Look::FIGURE, Side::Right);
        canvas.bar((left, middle - 5), (end, middle + 5), *colour);
        canvas.label((end + 6, middle), &units::size(bytes), Look::FIGURE);
        y += ROW;
    }
    y
}

fn figure(bytes: usize) -> f64 {
    bytes as f64
}

/// A power of ten without decimals.
fn short(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1e3 => format!("{bytes} B"),
        bytes if bytes < 1e6 => format!("{} kB", bytes / 1e3),
        bytes => format!("{} MB", bytes / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_sizes() {
        assert_eq!([1.0, 1e3, 1e5, 1e7].map(short), ["1 B", "1 kB", "100 kB", "10 MB"]);
    }
}
