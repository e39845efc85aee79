//! What the commands show: lines on standard output, progress on standard error.

use std::fmt::Display;
use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// Prints a line. A reader that has gone away ends the output, not the work.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// A progress bar, which shows only if standard error is a terminal.
#[must_use]
pub fn progress(length: u64, of: &str) -> ProgressBar {
    let template = format!("{{bar:30}} {{pos}}/{{len}} {of}, {{eta}} left {{wide_msg}}");
    let style =
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
