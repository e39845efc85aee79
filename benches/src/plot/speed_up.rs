//! How many times as fast the native backend is as the faster published provider.

use super::canvas::{Canvas, HEADER, Look, MARGIN, Point, Side, colour};
use super::scale::{Scale, steps};
use super::subtitle::subtitle;
use crate::group::{Contender, Operation};
use crate::report::data::Report;
use crate::report::markdown::units;
use crate::report::query::headline;
use crate::suites::Suite;

/// Panels beside each other.
const COLUMNS: usize = 4;

/// The pixels of the operations' names on the left.
const NAMES: i32 = 165;

/// The pixels of a panel, and those of it that are left for the figure after the longest bar.
const PANEL: i32 = 205;
const FIGURE: i32 = 45;

const ROW: i32 = 22;

/// The pixels above and below the bars of a panel.
const ABOVE: i32 = 44;
const BELOW: i32 = 40;

/// A suite and its ratios.
struct Panel<'a> {
    suite: &'a str,
    ratios: Vec<Option<f64>>,
}

pub(super) fn draw(report: &Report, title: &'static str) -> Option<String> {
    let members = headline(report.groups.iter().map(|group| group.members))?;
    let ratio = |suite, operation| {
        report.speed_up(suite, members, Contender::Native, operation).filter(|ratio| *ratio > 0.0)
    };
    let operations: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|&operation| report.suites().any(|suite| ratio(suite, operation).is_some()))
        .collect();
    let panels: Vec<Panel<'_>> = report
        .suites()
        .map(|suite| {
            let ratios = operations.iter().map(|&operation| ratio(suite, operation)).collect();
            Panel { suite, ratios }
        })
        .filter(|panel| panel.ratios.iter().any(Option::is_some))
        .collect();
    let most = panels.iter().flat_map(|panel| &panel.ratios).flatten().copied().reduce(f64::max)?;

    let height = i32::try_from(operations.len()).ok()? * ROW + ABOVE + BELOW;
    let rows = i32::try_from(panels.len().div_ceil(COLUMNS)).ok()?;
    // As wide as if there were four panels, so that title and subtitle fit.
    let columns = i32::try_from(COLUMNS).ok()?;
    let size = (MARGIN + NAMES + columns * PANEL, HEADER + rows * height);
    let what = format!(
        "n = {members} · how many times as fast trellis native is: median of the faster published \
         provider ÷ its own"
    );
    let svg = Canvas::svg(size, title, [&what, &subtitle(report)], |canvas| {
        let mut row = HEADER;
        for panels in panels.chunks(COLUMNS) {
            for (index, operation) in operations.iter().enumerate() {
                let at = (MARGIN + NAMES - 12, middle(row, index));
                canvas.text(at, operation.name(), Look::LABEL, Side::Right);
            }
            let mut left = MARGIN + NAMES;
            for panel in panels {
                panel.draw(canvas, (left, row), most);
                left += PANEL;
            }
            row += height;
        }
    });
    Some(svg)
}

/// The middle of a bar.
fn middle(panel: i32, index: usize) -> i32 {
    panel + ABOVE + ROW * i32::try_from(index).expect("a few operations") + ROW / 2
}

impl Panel<'_> {
    fn draw(&self, canvas: &Canvas<'_>, (left, top): Point, most: f64) {
        let ends = (left, left + PANEL - FIGURE);
        let scale = Scale::linear((0.0, most.max(1.0)), ends);
        let (first, last) = (top + ABOVE, middle(top, self.ratios.len()) - ROW / 2);

        canvas.text((left, top + 10), self.suite, Look::HEADING, Side::Left);
        if let Some(known) = Suite::find(self.suite) {
            canvas.text((left, top + 28), &parts(known.name), Look::SMALL, Side::Left);
        }
        for step in steps(most.max(1.0)).into_iter().filter(|step| *step <= most.max(1.0)) {
            let x = scale.at(step);
            canvas.line(&[(x, first), (x, last)], colour::GRID, 1);
            canvas.text((x, last + 12), &format!("{step}×"), Look::SMALL, Side::Middle);
        }
        for (index, ratio) in self.ratios.iter().enumerate() {
            let y = middle(top, index);
            let Some(ratio) = *ratio else {
                canvas.label((left + 5, y), "not measured", Look::SMALL);
                continue;
            };
            let colour = if ratio >= 1.0 { colour::BLUE } else { colour::VERMILION };
            let end = scale.at(ratio);
            canvas.bar((left, y - 7), (end, y + 7), colour);
            // A bar that ends before the line at 1 has its figure after it.
            let end = end.max(scale.at(1.0));
            canvas.label((end + 5, y), &units::ratio(ratio), Look::FIGURE);
        }
        let x = scale.at(1.0);
        canvas.line(&[(x, first - 3), (x, last + 3)], colour::TEXT, 1);
    }
}

/// The KEM and the signature of a suite.
fn parts(name: &str) -> String {
    match name.split('_').collect::<Vec<_>>()[..] {
        [_, _, kem, .., signature] => format!("{kem} · {signature}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::SUITES;

    #[test]
    fn kem_and_signature() {
        assert_eq!(parts(SUITES[2].name), "MLKEM768X25519 · Ed25519");
    }
}
