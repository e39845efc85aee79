//! The plots, shown.

use crate::plot::{self, FOLDER};
use crate::report::data::Report;

pub(super) fn render(report: &Report) -> String {
    let plots = plot::all(report);
    if plots.is_empty() {
        return String::new();
    }
    let images: Vec<String> = plots
        .iter()
        .map(|plot| format!("![{}]({FOLDER}/{})\n", plot.title, plot.file_name))
        .collect();
    format!("## Plots\n\n{}", images.join("\n"))
}
