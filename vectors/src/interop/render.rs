//! The results as Markdown.

use std::fmt::Write as _;

use super::{Leader, Outcome, Results, Run, SCENARIOS};

/// What the matrices do not say: who is right where a stack departs from the standard.
const NOTES: &str = include_str!("../../interop/notes.md");

impl Results {
    /// The page.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::from(
            "# Live interoperability\n\n\
             Written by `cargo run --release -p trellis-vectors --bin interop`; do not edit.\n\n\
             Our side is OpenMLS 0.9 on `openmls_trellis_crypto`; in rows 3 to 5, marked with a \
             star, for which OpenMLS has no code point, it is mls-rs on our primitives. Each cell is a scenario, first \
             with our side founding the group, then with the peer founding it; each is played \
             with handshake messages encrypted and again with them in the clear. After every step \
             all members must have the same epoch, number of members, tree hash, confirmed \
             transcript hash, epoch authenticator and exported secret. Suites are named by their \
             row in draft-ietf-mls-pq-ciphersuites-06, or by code point where they have none.\n",
        );
        let mut sections: Vec<(&str, bool)> =
            self.runs.iter().map(|run| (run.peer.as_str(), run.unlabelled)).collect();
        sections.dedup();
        for (peer, unlabelled) in sections {
            let runs: Vec<&Run> = self
                .runs
                .iter()
                .filter(|run| run.peer == peer && run.unlabelled == unlabelled)
                .collect();
            let _ = write!(page, "\n{}", section(peer, unlabelled, &runs));
        }
        let _ = write!(page, "\n{NOTES}");
        page
    }
}

fn section(peer: &str, unlabelled: bool, runs: &[&Run]) -> String {
    let mut text = String::new();
    let stack = runs.first().map_or("", |run| run.stack.as_str());
    if unlabelled {
        let _ = writeln!(
            text,
            "## {peer} with the unlabelled derivation ({stack})\n\n\
             The negative run: the peer derives key pairs as SHAKE256(ikm, L) and we as drafted. \
             What derives no key pair on two sides must pass, everything else must fail. \
             `fail` below is as it must be; anything else is in capitals.\n",
        );
    } else {
        let _ = writeln!(text, "## {peer} ({stack})\n");
        let _ = writeln!(text, "{}", note(peer));
    }
    let names: Vec<String> = runs.iter().map(|run| name(run)).collect();
    let _ = writeln!(text, "| scenario | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(runs.len()));
    for scenario in &SCENARIOS {
        let cells: Vec<String> = runs.iter().map(|run| cell(run, scenario.name)).collect();
        let _ = writeln!(text, "| {} | {} |", scenario.name, cells.join(" | "));
    }
    let reasons = reasons(runs);
    if !reasons.is_empty() {
        let _ = writeln!(text, "\n{reasons}");
    }
    text
}

fn note(peer: &str) -> &'static str {
    match peer {
        "ts-mls" => {
            "With what it lacks put together from its own functions; the notes below say where.\n"
        }
        "ts-mls as published" => {
            "Without any of that; `FAIL` is explained by the notes below. Where the two directions \
             differ, the one that fails has ts-mls as sender of the commit or as joiner.\n"
        }
        _ => "",
    }
}

fn name(run: &Run) -> String {
    let star = if run.ours.starts_with("OpenMLS") { "" } else { "\\*" };
    let name =
        run.row.map_or_else(|| format!("{:#06x}", run.code_point), |row| format!("row {row}"));
    format!("{name}{star}")
}

fn cell(run: &Run, scenario: &str) -> String {
    let word = |leader: Leader| {
        let cell = run.cells.iter().find(|it| it.scenario == scenario && it.leader == leader);
        cell.map_or("not run", |cell| match (&cell.outcome, run.must_pass(cell)) {
            (Outcome::Passed, true) => "pass",
            (Outcome::Passed, false) => "PASS",
            (Outcome::Failed(_), true) => "FAIL",
            (Outcome::Failed(_), false) => "fail",
            (Outcome::NotOffered(_), _) => "-",
        })
    };
    match (word(Leader::Ours), word(Leader::Theirs)) {
        (ours, theirs) if ours == theirs => ours.to_owned(),
        (ours, theirs) => format!("{ours} / {theirs}"),
    }
}

/// Each different reason once, with the first cell that gave it and how many more did.
fn reasons(runs: &[&Run]) -> String {
    let mut seen: Vec<(String, String, usize)> = Vec::new();
    for run in runs {
        for cell in &run.cells {
            let (Outcome::Failed(reason) | Outcome::NotOffered(reason)) = &cell.outcome else {
                continue;
            };
            let reason = without_values(reason);
            match seen.iter_mut().find(|(it, ..)| *it == reason) {
                Some((.., more)) => *more += 1,
                None => {
                    let side = match cell.leader {
                        Leader::Ours => "we found",
                        Leader::Theirs => "they found",
                    };
                    let place = format!("{}, {}, {side}", name(run), cell.scenario);
                    seen.push((reason, place, 0));
                }
            }
        }
    }
    seen.iter().fold(String::new(), |mut text, (reason, place, more)| {
        let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = writeln!(text, "- {reason} ({place}{more})");
        text
    })
}

/// Values that differ between runs would make a reason of each.
fn without_values(reason: &str) -> String {
    let words = reason.split(' ').map(|word| {
        let bare = word.trim_end_matches(',');
        let is_value = bare.len() >= 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_value { format!("{}...{}", &bare[..8], &word[bare.len()..]) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
