//! The report's plots, as SVG.

mod canvas;
mod growth;
mod scale;
mod shares;
mod speed_up;
mod subtitle;
mod wire;

use crate::report::data::Report;

/// The folder of the plots, beside the report.
pub const FOLDER: &str = "plots";

/// A plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Its file's name, in [`FOLDER`].
    pub file_name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// The file's content.
    pub svg: String,
}

/// What draws a plot, if the report has anything to draw.
type Draw = fn(&Report, &'static str) -> Option<String>;

/// The plots, by file and title.
const PLOTS: [(&str, &str, Draw); 4] = [
    ("speed-up.svg", "Speed-up over the faster published provider", speed_up::draw),
    ("growth.svg", "Time by size of the group", growth::draw),
    ("wire.svg", "Bytes on the wire", wire::draw),
    ("shares.svg", "Where the time goes", shares::draw),
];

/// All plots of what this report measured.
#[must_use]
pub fn all(report: &Report) -> Vec<Plot> {
    PLOTS
        .into_iter()
        .filter_map(|(file_name, title, draw)| {
            Some(Plot { file_name, title, svg: draw(report, title)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Contender;
    use crate::report::markdown::sample;

    fn names(report: &Report) -> Vec<&'static str> {
        all(report).into_iter().map(|plot| plot.file_name).collect()
    }

    #[test]
    fn the_same_report_is_the_same_file() {
        let report = sample::full();
        assert_eq!(all(&report).len(), PLOTS.len());
        assert_eq!(all(&report), all(&report.clone()));
    }

    #[test]
    fn nothing_measured_nothing_drawn() {
        assert_eq!(all(&sample::empty()), []);
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let mut report = sample::full();
        report.groups.retain(|group| group.contender == Contender::Native);
        assert_eq!(names(&report), ["growth.svg", "wire.svg", "shares.svg"]);
        report.groups.retain(|group| group.members == 256);
        assert_eq!(names(&report), ["wire.svg", "shares.svg"]);
        report.sizes.clear();
        report.shares.retain(|share| share.suite == "row 9");
        assert_eq!(names(&report), ["shares.svg"]);
    }

    #[test]
    fn a_quick_report_has_its_own_size() {
        let mut report = sample::full();
        report.groups.retain(|group| group.members < 256 && group.suite == "row 2");
        report.sizes.retain(|size| size.members < 256);
        let plots = all(&report);
        assert!(plots[0].svg.contains("n = 32"));
        assert!(!plots[0].svg.contains("row 9"));
        assert!(plots[2].svg.contains("n = 32"));
    }

    #[test]
    fn figures_that_are_none_are_not_drawn() {
        for figure in [0.0, f64::NAN, f64::INFINITY, -1.0] {
            let mut report = sample::full();
            for group in &mut report.groups {
                group.time.median = figure;
            }
            for share in &mut report.shares {
                (share.total, share.limit) = (figure, figure);
            }
            for size in &mut report.sizes {
                size.bytes = 0;
            }
            assert_eq!(names(&report), [""; 0], "{figure}");
        }
    }

    #[test]
    fn names_from_outside_are_escaped() {
        let mut report = sample::full();
        report.machine.processor = "<script>&".to_owned();
        for plot in all(&report) {
            assert!(plot.svg.contains("&lt;script&gt;&amp;"));
            assert!(!plot.svg.contains("<script"));
        }
    }
}
