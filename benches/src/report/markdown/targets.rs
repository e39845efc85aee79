//! The targets, and where the time goes for those that were missed.

use super::table::{Table, escape};
use super::{profile, units};
use crate::report::data::{Bound, Report, Target};

pub(super) fn render(report: &Report) -> String {
    if report.targets.is_empty() {
        return String::new();
    }
    let profile = profile::render(report);
    let targets = section("## Targets", &report.targets);
    if profile.is_empty() { targets } else { [targets, profile].join("\n") }
}

/// The targets under a heading, by their groups; nothing if there are none.
pub(crate) fn section(heading: &str, targets: &[Target]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let mut parts = vec![format!("{heading}\n"), count(&targets.iter().collect::<Vec<_>>())];
    for group in groups(targets) {
        parts.push(format!("### {}\n", escape(group)));
        parts.extend(of_group(targets.iter().filter(|target| target.group == group)));
    }
    parts.join("\n")
}

/// Groups with more targets than this show those that were missed, and the others behind a line to
/// click on.
const LARGE: usize = 14;

fn of_group<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<String> {
    let targets: Vec<&Target> = targets.collect();
    if targets.len() <= LARGE {
        return vec![table(&targets)];
    }
    let mut parts = vec![count(&targets)];
    let (missed, others): (Vec<&Target>, Vec<&Target>) =
        targets.into_iter().partition(|target| target.is_met() == Some(false));
    if !missed.is_empty() {
        parts.push(table(&missed));
    }
    if !others.is_empty() {
        parts.push(format!("<details><summary>the other {}</summary>\n", others.len()));
        parts.push(table(&others));
        parts.push("</details>\n".to_owned());
    }
    parts
}

/// Each group once, as they come.
fn groups(targets: &[Target]) -> Vec<&str> {
    let mut groups: Vec<&str> = Vec::new();
    for target in targets {
        if !groups.contains(&target.group.as_str()) {
            groups.push(&target.group);
        }
    }
    groups
}

fn count(targets: &[&Target]) -> String {
    let count = |met| targets.iter().filter(|target| target.is_met() == met).count();
    let parts: Vec<String> = [(Some(true), "met"), (Some(false), "missed"), (None, "not measured")]
        .into_iter()
        .map(|(met, name)| (count(met), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    format!("{} in all: {}.\n", targets.len(), units::list(&parts))
}

fn table(targets: &[&Target]) -> String {
    let figures = |column| matches!(column, 1 | 2);
    let mut table = Table::aligned(["", "target", "measured", ""], figures);
    for target in targets {
        let (bound, measured) = (bound(target.bound), measured(target));
        table.row([escape(&target.what), bound, measured, verdict(target).to_owned()]);
    }
    table.finish()
}

fn verdict(target: &Target) -> &'static str {
    match target.is_met() {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "not measured",
    }
}

/// A bound, with its sign.
pub(super) fn bound(bound: Bound) -> String {
    match bound {
        Bound::AtLeast(bound) => format!("≥ {}", units::ratio(bound)),
        Bound::AtMost(bound) => format!("≤ {}", units::ratio(bound)),
    }
}

/// What was measured, with as many decimals as it takes to see whether the target was met.
pub(super) fn measured(target: &Target) -> String {
    let Some(measured) = target.measured else { return units::NOTHING.to_owned() };
    let is_plain = |text: &str| {
        let shown = Target { measured: text.parse().ok(), ..target.clone() };
        shown.is_met() == target.is_met()
    };
    let decimals = 2..8_usize;
    decimals
        .map(|decimals| format!("{measured:.decimals$}"))
        .find(|text| is_plain(text))
        .unwrap_or_else(|| measured.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn lines(report: &Report) -> Vec<String> {
        render(report).lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_target_is_met_missed_or_not_measured() {
        let mut report = sample::empty();
        report.targets = sample::targets();
        let lines = lines(&report);
        for line in [
            "5 in all: 2 met, 2 missed and 1 not measured.",
            "### linear growth",
            "| key package | ≥ 2.00 | 2.84 | met |",
            "| join | ≥ 1.50 | – | not measured |",
            "| row 2: join, 1000 to 256 | ≤ 1.20 | 1.31 | **missed** |",
        ] {
            assert!(lines.iter().any(|each| each == line), "{line} in {lines:#?}");
        }
    }

    #[test]
    fn rounding_does_not_hide_a_miss() {
        let mut report = sample::empty();
        report.targets = sample::targets();
        let line = "| join | ≥ 1.50 | 1.4999 | **missed** |";
        assert!(lines(&report).iter().any(|each| each == line));
    }

    #[test]
    fn a_large_group_shows_what_was_missed() {
        let mut report = sample::empty();
        report.targets = sample::targets().into_iter().cycle().take(30).collect();
        for target in &mut report.targets {
            target.group = "portable".to_owned();
        }
        let text = render(&report);
        assert_eq!(text.matches("30 in all: 12 met, 12 missed and 6 not measured.").count(), 2);
        let (shown, hidden) = text.split_once("<details><summary>the other 18</summary>").unwrap();
        assert_eq!(
            (shown.matches("**missed**").count(), shown.matches("| met |").count()),
            (12, 0)
        );
        assert_eq!(
            (hidden.matches("**missed**").count(), hidden.matches("| met |").count()),
            (0, 12)
        );
    }

    #[test]
    fn figures_that_are_none_are_shown_all_the_same() {
        for figure in [f64::NAN, f64::INFINITY] {
            let target = Target { measured: Some(figure), ..sample::targets()[0].clone() };
            assert!(!measured(&target).is_empty());
        }
    }

    #[test]
    fn no_targets_no_section() {
        assert_eq!(render(&sample::empty()), "");
    }
}
