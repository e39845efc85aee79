//! The progress bar: on standard error, and only if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

pub(super) fn bar(length: u64, of: &str) -> ProgressBar {
    let template = format!("{{bar:30}} {{pos}}/{{len}} {of}, {{eta}} left {{wide_msg}}");
    let style =
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
