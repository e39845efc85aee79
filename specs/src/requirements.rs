//! Whether each MUST of the drafts stands in `REQUIREMENTS.md` with a test that there is.

use std::collections::BTreeSet;

use crate::{Error, read};

const DRAFTS: [&str; 2] =
    ["specs/draft-trellis-mls-hybrid-kem-00.md", "specs/draft-trellis-mls-convergence-00.md"];
const MAP: &str = "specs/REQUIREMENTS.md";

/// The sentences of a draft that hold a MUST, each in one line.
fn sentences(markdown: &str) -> Vec<String> {
    let body = markdown.split_once("--- middle").map_or(markdown, |(_, body)| body);
    let mut paragraphs = vec![String::new()];
    let mut code = false;
    for line in body.lines() {
        let line = line.trim();
        let fence = line.starts_with("~~~");
        code ^= fence;
        let item = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
            || line.starts_with("- ")
            || line.starts_with("* ")
            || line.starts_with(": ");
        let apart =
            fence || line.is_empty() || line.starts_with(['#', '|']) || line.starts_with("{:");
        if apart || item {
            paragraphs.push(String::new());
        }
        if code || apart {
            continue;
        }
        let text = if item { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        if let Some(last) = paragraphs.last_mut() {
            last.push_str(text.trim());
            last.push(' ');
        }
    }
    paragraphs
        .iter()
        .filter(|paragraph| !paragraph.starts_with("The key words"))
        .flat_map(|paragraph| split(paragraph))
        .filter(|sentence| sentence.contains("MUST"))
        .collect()
}

/// At full stops that a capital follows, but for those of abbreviations.
fn split(paragraph: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let words: Vec<_> = paragraph.split_whitespace().collect();
    for (place, word) in words.iter().enumerate() {
        if let Some(last) = sentences.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
        let ends = word.ends_with('.') && !["e.g.", "i.e.", "etc."].contains(word);
        let begins =
            |next: &&str| next.starts_with(|c: char| c.is_uppercase() || "{`\"*".contains(c));
        if ends && words.get(place + 1).is_some_and(begins) {
            sentences.push(String::new());
        }
    }
    sentences
}

/// The rows of the map: a requirement, and its tests.
fn rows(map: &str) -> Vec<(String, Vec<String>)> {
    map.lines()
        .filter_map(|line| {
            let (requirement, tests) =
                line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | ")?;
            let tests = tests.split(", ").map(|test| test.trim_matches('`').to_string()).collect();
            requirement.contains("MUST").then(|| (requirement.to_string(), tests))
        })
        .collect()
}

/// Whether there is such a test: `FILE::NAME` in Rust, or a file that is one.
fn exists(test: &str) -> bool {
    match test.split_once("::") {
        Some((file, name)) => {
            read(file).is_ok_and(|source| source.contains(&format!("fn {name}(")))
        }
        None => read(test).is_ok(),
    }
}

/// What is wrong with the map, a line each.
pub(crate) fn faults() -> Result<Vec<String>, Error> {
    let rows = rows(&read(MAP)?);
    let mut faults = Vec::new();
    let mut stated = BTreeSet::new();
    for draft in DRAFTS {
        stated.extend(
            sentences(&read(draft)?).into_iter().map(|sentence| sentence.replace('|', "/")),
        );
    }
    let mapped: BTreeSet<_> = rows.iter().map(|(requirement, _)| requirement.clone()).collect();
    faults.extend(stated.difference(&mapped).map(|it| format!("without a test: {it}")));
    faults.extend(mapped.difference(&stated).map(|it| format!("in no draft: {it}")));
    for (requirement, tests) in &rows {
        for test in tests.iter().filter(|test| !exists(test)) {
            faults.push(format!("no test {test}: {requirement}"));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_found_in_paragraphs_and_lists_and_not_in_code() {
        let draft = "--- middle\n\nA client\nMUST go. It may stay, e.g. here. One {{x}} MUST NOT.\n\n\
                     1. A row\n   MUST be.\n\n~~~\nMUST\n~~~\n\nThe key words \"MUST\".\n";
        let found = sentences(draft);
        assert_eq!(found, ["A client MUST go.", "One {{x}} MUST NOT.", "A row MUST be."]);
    }

    #[test]
    fn rows_have_a_requirement_and_tests() {
        let map = "| Requirement | Tests |\n|---|---|\n| It MUST. | `a.rs::b`, `c.py` |\n";
        assert_eq!(rows(map), [("It MUST.".into(), vec!["a.rs::b".into(), "c.py".into()])]);
    }

    #[test]
    fn a_test_is_a_function_in_a_file() {
        assert!(exists("specs/src/requirements.rs::a_test_is_a_function_in_a_file"));
        assert!(!exists("specs/src/requirements.rs::another"));
        assert!(!exists("specs/src/nothing.rs"));
    }
}
