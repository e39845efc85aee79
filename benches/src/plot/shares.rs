//! Where the time of operations goes.

use plotters::style::{RGBColor, WHITE};

use super::canvas::{Canvas, HEADER, Look, MARGIN, Point, Side, colour, width};
use super::scale::{Scale, is_drawable};
use super::subtitle::subtitle;
use crate::group::Operation;
use crate::report::data::{Report, Share};
use crate::report::markdown::units;
use crate::report::query::headline;

/// A panel for each.
const SUITES: [&str; 2] = ["row 2", "row 9"];

/// The pixels of the operations' names on the left.
const NAMES: i32 = 165;

/// The pixels of a bar, and of the total after it.
const BAR: i32 = 300;
const TOTAL: i32 = 88;

const ROW: i32 = 26;
const LEGEND: i32 = 34;
const ABOVE: i32 = 28;
const BELOW: i32 = 52;

/// The parts, from left to right: the name, the colour, that of figures on it, and how to tell it.
type Part = (&'static str, RGBColor, RGBColor, fn(&Share) -> f64);

const PARTS: [Part; 3] = [
    ("provider", colour::BLUE, WHITE, |share| share.provider),
    ("storage", colour::ORANGE, colour::TEXT, |share| share.storage),
    ("OpenMLS", colour::SKY, colour::TEXT, Share::open_mls),
];

const LIMIT: &str = "limit: the provider's primitives alone";

pub(super) fn draw(report: &Report, title: &'static str) -> Option<String> {
    let drawable = |share: &&Share| {
        SUITES.contains(&share.suite.as_str())
            && is_drawable(share.total)
            && PARTS.iter().all(|part| part.3(share).is_finite())
    };
    let members = headline(report.shares.iter().filter(drawable).map(|share| share.members))?;
    let share = |suite, operation| report.share(suite, members, operation).filter(drawable);
    let suites: Vec<&str> = SUITES
        .into_iter()
        .filter(|suite| Operation::ALL.iter().any(|&each| share(suite, each).is_some()))
        .collect();
    let operations: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|&operation| suites.iter().any(|suite| share(suite, operation).is_some()))
        .collect();

    let rows = i32::try_from(operations.len()).ok()? * ROW;
    // As wide as if there were all panels, so that title and subtitle fit.
    let columns = i32::try_from(SUITES.len()).ok()?;
    let size = (MARGIN + NAMES + columns * (BAR + TOTAL), HEADER + LEGEND + ABOVE + rows + BELOW);
    let what = format!("n = {members} · trellis native on one thread, medians");
    let svg = Canvas::svg(size, title, [&what, &subtitle(report)], |canvas| {
        legend(canvas);
        let top = HEADER + LEGEND + ABOVE;
        for (y, operation) in middles(top).zip(&operations) {
            canvas.text((MARGIN + NAMES - 10, y), operation.name(), Look::LABEL, Side::Right);
        }
        let mut left = MARGIN + NAMES;
        for suite in &suites {
            canvas.text((left, top - 16), suite, Look::HEADING, Side::Left);
            canvas.text((left + BAR + 8, top - 16), "total", Look::SMALL, Side::Left);
            axis(canvas, left, (top, top + rows));
            for (y, &operation) in middles(top).zip(&operations) {
                match share(suite, operation) {
                    Some(share) => bar(canvas, share, (left, y)),
                    None => canvas.label((left + 5, y), "not measured", Look::SMALL),
                }
            }
            left += BAR + TOTAL;
        }
    });
    Some(svg)
}

/// The middles of the rows.
fn middles(top: i32) -> impl Iterator<Item = i32> {
    (0..).map(move |index| top + index * ROW + ROW / 2)
}

fn legend(canvas: &Canvas<'_>) {
    let y = HEADER + 8;
    let mut x = MARGIN;
    for (name, colour, ..) in PARTS {
        canvas.bar((x, y - 7), (x + 14, y + 7), colour);
        canvas.text((x + 21, y), name, Look::LABEL, Side::Left);
        x += 21 + width(name, Look::LABEL) + 20;
    }
    marker(canvas, (x + 4, y));
    canvas.text((x + 15, y), LIMIT, Look::LABEL, Side::Left);
}

fn axis(canvas: &Canvas<'_>, left: i32, (top, bottom): Point) {
    let scale = Scale::linear((0.0, 100.0), (left, left + BAR));
    for percent in [0, 25, 50, 75, 100] {
        let x = scale.at(f64::from(percent));
        canvas.line(&[(x, top), (x, bottom + 4)], colour::GRID, 1);
        canvas.text((x, bottom + 16), &percent.to_string(), Look::SMALL, Side::Middle);
    }
    let middle = left + BAR / 2;
    canvas.text((middle, bottom + 36), "% of the operation's time", Look::SMALL, Side::Middle);
}

fn bar(canvas: &Canvas<'_>, share: &Share, (left, y): Point) {
    // Parts are medians of their own, and may come to a little more than the total.
    let sum: f64 = PARTS.iter().map(|part| part.3(share).max(0.0)).sum();
    let scale = Scale::linear((0.0, sum.max(share.total)), (left, left + BAR));
    let limit = Some(share.limit)
        .filter(|limit| is_drawable(*limit) && *limit <= share.total)
        .map(|limit| scale.at(limit));
    let mut start = 0.0;
    for (_, colour, figures, part) in PARTS {
        let part = part(share).max(0.0);
        let (from, to) = (scale.at(start), scale.at(start + part));
        start += part;
        if to > from {
            canvas.bar((from, y - 8), (to, y + 8), colour);
        }
        let (from, to) = beside((from, to), limit);
        let figure = units::percent(part, share.total);
        if to - from > width(&figure, Look::FIGURE) + 4 {
            let look = Look::FIGURE.coloured(figures);
            canvas.text(((from + to) / 2, y), &figure, look, Side::Middle);
        }
    }
    if let Some(x) = limit {
        marker(canvas, (x, y));
    }
    let total = units::time(share.total);
    canvas.text((left + BAR + 8, y), &total, Look::FIGURE, Side::Left);
}

/// The larger side of a part that a marker cuts.
fn beside((from, to): (i32, i32), marker: Option<i32>) -> (i32, i32) {
    const HALF: i32 = 3;
    match marker {
        Some(x) if from < x + HALF && x - HALF < to => {
            if x - from > to - x {
                (from, x - HALF)
            } else {
                (x + HALF, to)
            }
        }
        _ => (from, to),
    }
}

/// Where the limit is, on any colour.
fn marker(canvas: &Canvas<'_>, (x, y): Point) {
    canvas.bar((x - 3, y - 11), (x + 3, y + 11), WHITE);
    canvas.bar((x - 1, y - 11), (x + 1, y + 11), colour::TEXT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_beside_a_marker() {
        assert_eq!(beside((0, 100), None), (0, 100));
        assert_eq!(beside((0, 100), Some(120)), (0, 100));
        assert_eq!(beside((0, 100), Some(70)), (0, 67));
        assert_eq!(beside((0, 100), Some(30)), (33, 100));
        assert_eq!(beside((0, 100), Some(101)), (0, 98));
    }
}
