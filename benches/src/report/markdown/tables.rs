//! Tables of candidates that do the same: HPKE and primitives.

use super::table::{Table, escape};
use super::units;
use crate::report::data::{self, Report, Row};

/// The section about HPKE.
pub(super) fn hpke(report: &Report) -> String {
    section("HPKE", &report.hpke)
}

/// The section about primitives.
pub(super) fn primitives(report: &Report) -> String {
    section("Primitives", &report.primitives)
}

fn section(title: &str, tables: &[data::Table]) -> String {
    if tables.iter().all(|table| table.rows.is_empty()) {
        return String::new();
    }
    let mut parts = vec![
        format!("## {title}\n"),
        "Medians, the fastest in bold; in brackets how many times as long the others take.\n"
            .to_owned(),
    ];
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        parts.push(format!("### {}\n", escape(&table.title)));
        if !table.note.is_empty() {
            // Notes are written as Markdown.
            parts.push(format!("{}\n", table.note));
        }
        parts.push(candidates(table));
    }
    parts.join("\n")
}

fn candidates(table: &data::Table) -> String {
    // Each once, as they come.
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in table.rows.iter().flat_map(|row| &row.times) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let headings = names.iter().map(|name| escape(name));
    let mut text = Table::new([String::new()].into_iter().chain(headings));
    for row in &table.rows {
        let cells = names.iter().map(|name| cell(row, name));
        text.row([escape(&row.operation)].into_iter().chain(cells));
    }
    text.finish()
}

fn cell(row: &Row, candidate: &str) -> String {
    let time = |(_, summary): &(String, crate::summary::Summary)| summary.median;
    let own = row.times.iter().find(|(name, _)| name == candidate).map(time);
    let fastest = row.times.iter().map(time).min_by(f64::total_cmp);
    match own.zip(fastest) {
        None => units::NOTHING.to_owned(),
        Some((own, fastest)) if own <= fastest => format!("**{}**", units::time(own)),
        Some((own, fastest)) => {
            format!("{} ({})", units::time(own), units::quotient(own, fastest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_fastest_is_bold_and_the_others_have_ratios() {
        let mut report = sample::empty();
        assert_eq!(hpke(&report), "");
        let row = |operation: &str, times: &[(&str, f64)]| Row {
            operation: operation.to_owned(),
            times: times
                .iter()
                .map(|(name, time)| ((*name).to_owned(), sample::summary(*time)))
                .collect(),
        };
        report.hpke = vec![data::Table {
            title: "X-Wing".to_owned(),
            note: String::new(),
            rows: vec![
                row("seal | open", &[("a", 20.0), ("b", 30.0)]),
                row("derive", &[("c", 0.5)]),
            ],
        }];
        let text = hpke(&report);
        for line in [
            "| | a | b | c |",
            "| seal \\| open | **20.0 µs** | 30.0 µs (1.50) | – |",
            "| derive | – | – | **0.500 µs** |",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} in {text}");
        }
    }
}
