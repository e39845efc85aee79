//! What stands under a plot's title, below what it shows.

use crate::report::data::Report;

/// Longer names of processors are cut.
const LONGEST: usize = 80;

/// Where and when a report was made.
pub(super) fn subtitle(report: &Report) -> String {
    let machine = &report.machine;
    let processor = match machine.processor.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", machine.processor[..end].trim_end()),
        None => machine.processor.clone(),
    };
    let quick = if report.quick { " · quick run" } else { "" };
    format!("{processor}, {} cores · {}{quick}", machine.cores, report.date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::markdown::sample;

    #[test]
    fn where_and_when() {
        let mut report = sample::empty();
        assert_eq!(subtitle(&report), "Made-up Processor @ 2.10GHz, 2 cores · 2026-01-02");
        report.quick = true;
        report.machine.processor = "ü".repeat(100);
        let cut = format!("{}…, 2 cores · 2026-01-02 · quick run", "ü".repeat(80));
        assert_eq!(subtitle(&report), cut);
    }
}
