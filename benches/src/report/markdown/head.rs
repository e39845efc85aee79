//! What the report is, where it was made and how.

use super::table::{Table, escape};
use super::units;
use crate::report::data::Report;
use crate::suites::Suite;

const WHAT: &str = "\
How long groups of OpenMLS take on Trellis, with its native and its portable backend, and on what one
would take instead: OpenMLS's published providers on RustCrypto and on libcrux; and, beside them,
another stack. Each has the storage and the signer that its users have. This file and the plots are
written by

```sh
cargo run --release -p trellis-benches --bin report
```

which repeats it on your machine. `report.json` beside this file holds the same figures, unrounded.
";

const QUICK: &str = "\
> **This was a quick run** (`--quick`), with few turns and most of it left out. It shows that the report
> works; its figures are not to be quoted.
";

const HOW: &str = "\
The contenders take turns: each goes through its operations once, then the next does, and again from
the first. What the machine does besides, and a clock that drifts, so hit all of them. A figure is the
median of the turns, and the range behind it goes from the lower to the upper quartile. Messages are
timed many at a time, as they are short. A group of 1000 lives in a process of its own each time, and
has few turns.

Absolute times say little: they are of this machine, on this day. What holds are the ratios within the
run. A ratio is the median of the faster published provider over that of Trellis on the native backend
(above 1, Trellis is faster), unless it says otherwise.
";

pub(super) fn render(report: &Report) -> String {
    let mut parts = vec!["# Benchmarks\n".to_owned()];
    if report.quick {
        parts.push(QUICK.to_owned());
    }
    parts.push(WHAT.to_owned());
    parts.push("## Where and how\n".to_owned());
    parts.push(place(report));
    if !report.versions.is_empty() {
        parts.push(versions(report));
    }
    parts.push(HOW.to_owned());
    if report.suites().next().is_some() {
        parts.push("The suites, by the short names that they have here:\n".to_owned());
        parts.push(names(report));
    }
    parts.join("\n")
}

fn place(report: &Report) -> String {
    let machine = &report.machine;
    let mut table = Table::of_text(["", ""]);
    let rows = [
        ("day", format!("{} (UTC)", report.date)),
        ("duration", units::duration(report.seconds)),
        ("processor", machine.processor.clone()),
        ("cores", machine.cores.to_string()),
        ("extensions", machine.features.join(", ")),
        ("system", machine.system.clone()),
        ("compiler", machine.rustc.clone()),
    ];
    for (name, value) in rows {
        table.row([name, &escape(&value)]);
    }
    table.finish()
}

fn versions(report: &Report) -> String {
    let mut table = Table::of_text(["package", "version"]);
    for version in &report.versions {
        table.row([&escape(&version.package), &escape(&version.version)]);
    }
    table.finish()
}

fn names(report: &Report) -> String {
    let mut table = Table::of_text(["short name", "suite"]);
    for suite in report.suites() {
        let name = Suite::find(suite)
            .map_or(units::NOTHING.to_owned(), |known| format!("`{}`", known.name));
        table.row([&escape(suite), &name]);
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_quick_run_says_so_on_top() {
        let mut report = sample::empty();
        assert!(!render(&report).contains("quick"));
        report.quick = true;
        let text = render(&report);
        let line = text.lines().position(|line| line.contains("quick run"));
        assert_eq!(line, Some(2));
    }

    #[test]
    fn the_machine_is_named_as_it_is() {
        let mut report = sample::empty();
        report.machine.processor = "A | B".to_owned();
        assert!(render(&report).contains("| processor | A \\| B |"));
    }
}
