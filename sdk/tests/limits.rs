//! LIMITS.md names every number that bounds what others can do, as it is in the code, and the tests of it.

#![cfg(feature = "libp2p")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const TABLES: &str = include_str!("../LIMITS.md");

/// Constants that bound nothing: units, and what stands for something in a frame.
const OTHER: [&str; 9] =
    ["KIB", "MIB", "VERSION", "WHOLE", "ANNOUNCEMENT", "QUESTION", "ANSWER", "ASK_HEADER", "MAX"];

/// Numbers without a test of their own, since they bound nothing that others can make this side do: how
/// work of its own is done in steps, on a clock or with a cluster.
const UNTESTED: [&str; 8] = [
    "libp2p::task::TICK",
    "node::TICK",
    "node::REPLICATE",
    "store::jetstream::AT_ONCE",
    "store::jetstream::READINGS",
    "store::jetstream::link::BATCH",
    "store::jetstream::link::FEW",
    "store::jetstream::packages::CONTENDED",
];

/// Numbers; of a time, milliseconds; of a rate, how much at once and then how much or how long.
type Value = Vec<u128>;

struct Row {
    value: Value,
    tests: Vec<String>,
}

/// The rows below a heading, by name.
fn table(heading: &str) -> BTreeMap<String, Row> {
    let section = TABLES.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, value, beyond, tests] = cells[..] else { panic!("four columns in {line}") };
        assert!(!beyond.is_empty(), "{line}");
        let tests = tests.split(',').filter(|test| test.trim() != "–");
        let tests = tests.map(|test| test.trim().trim_matches('`').to_owned()).collect();
        let row = Row { value: said(value), tests };
        assert!(rows.insert(name.trim_matches('`').to_owned(), row).is_none(), "{line}");
    }
    assert!(!rows.is_empty(), "{heading}");
    rows
}

/// What a default in a table means.
fn said(text: &str) -> Value {
    const UNITS: [(&str, u128); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("ms", 1),
        ("s", 1000),
        ("min", 60_000),
        ("h", 3_600_000),
        ("days", 86_400_000),
        ("ticks", 1),
    ];
    let part = |part: &str| {
        let mut words = part.split(' ').filter(|word| *word != "one" && *word != "more");
        let mut word = words.next().unwrap();
        if word == "after" {
            word = words.next().unwrap();
        }
        let number: u128 = word.replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
        let unit = words.next().and_then(|word| UNITS.iter().find(|(unit, _)| *unit == word));
        number * unit.map_or(1, |(_, factor)| *factor)
    };
    text.split(", ").map(part).collect()
}

/// The fields of a struct of limits, as `Debug` prints them.
fn fields(debug: &str) -> BTreeMap<String, Value> {
    let inner = debug.split_once('{').unwrap().1.trim_end_matches(['}', ' ']);
    let (mut depth, mut parts, mut part) = (0, Vec::new(), String::new());
    for letter in inner.chars() {
        depth += i32::from("{(".contains(letter)) - i32::from("})".contains(letter));
        if letter == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(letter);
        }
    }
    parts.push(part);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once(':').unwrap();
            (name.trim().to_owned(), printed(value.trim()))
        })
        .collect()
}

fn printed(value: &str) -> Value {
    if let Some(rate) = value.strip_prefix("Rate {") {
        let fields = rate.trim_end_matches('}').split(", ");
        return fields.flat_map(|field| printed(field.split_once(':').unwrap().1.trim())).collect();
    }
    if let Some(span) = value.strip_prefix("Span(") {
        return printed(span.trim_end_matches(')'));
    }
    match value.strip_suffix('s').map(|seconds| seconds.parse::<u128>()) {
        Some(Ok(seconds)) => vec![seconds * 1000],
        _ => vec![value.parse().unwrap_or_else(|_| panic!("a new kind of limit: {value}"))],
    }
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push(path);
        }
    }
}

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The constants in a folder of the sources that are numbers or times, with what they are set to.
fn constants(folder: &str) -> BTreeMap<String, String> {
    const KINDS: [&str; 8] = ["usize", "u8", "u16", "u32", "u64", "i64", "Duration", "Span"];
    let (base, mut found, mut paths) = (root("src").join(folder), BTreeMap::new(), Vec::new());
    files(&base, &mut paths);
    for path in paths {
        let inside = path.strip_prefix(&base).unwrap().with_extension("");
        let words: Vec<_> = inside.iter().map(|word| word.to_str().unwrap()).collect();
        if words.iter().any(|word| ["tests", "fuzzing", "conformance"].contains(word)) {
            continue;
        }
        let words = words.into_iter().filter(|word| *word != "mod").collect::<Vec<_>>();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for line in text.lines() {
            let line = line.trim_start();
            let after = line.split_once("const ").filter(|(before, _)| {
                before.is_empty() || (before.starts_with("pub") && before.ends_with(' '))
            });
            let Some((name, (kind, value))) = after.and_then(|(_, rest)| {
                let (name, rest) = rest.split_once(": ")?;
                Some((name, rest.split_once(" = ")?))
            }) else {
                continue;
            };
            if KINDS.contains(&kind) && !OTHER.contains(&name) {
                let name = [&words[..], &[name]].concat().join("::");
                found.insert(name, value.trim_end_matches(';').to_owned());
            }
        }
    }
    found
}

type Operator = (&'static str, fn(u128, u128) -> u128);

/// Those that bind least first.
const OPERATORS: [Operator; 3] =
    [(" << ", |a, b| a << b), (" + ", |a, b| a + b), (" * ", |a, b| a * b)];

/// What an expression comes to: numbers and names of other constants, with `+`, `*` and `<<`; a time in
/// milliseconds. Nothing, if it is another one.
fn value(text: &str, known: &BTreeMap<String, String>) -> Option<u128> {
    let text = text.trim();
    for (call, factor) in
        [("from_secs(", 1000), ("seconds(", 1000), ("from_millis(", 1), ("millis(", 1)]
    {
        let inner = text.strip_prefix("Duration::").or_else(|| text.strip_prefix("Span::"));
        if let Some(inner) = inner.and_then(|inner| inner.strip_prefix(call)) {
            return Some(value(inner.strip_suffix(')')?, known)? * factor);
        }
    }
    for (operator, apply) in OPERATORS {
        let outside = |(at, _): &(usize, &str)| {
            let before = &text[..*at];
            before.matches('(').count() == before.matches(')').count()
        };
        if let Some((at, _)) = text.rmatch_indices(operator).find(outside) {
            let (left, right) = (&text[..at], &text[at + operator.len()..]);
            return Some(apply(value(left, known)?, value(right, known)?));
        }
    }
    if let Some(inner) = text.strip_prefix('(') {
        return value(inner.strip_suffix(')')?, known);
    }
    if let Ok(number) = text.replace('_', "").parse() {
        return Some(number);
    }
    match text.rsplit("::").next()? {
        "KIB" => Some(1 << 10),
        "MIB" => Some(1 << 20),
        name => {
            let mut named =
                known.iter().filter(|(known, _)| known.rsplit("::").next() == Some(name));
            value(named.next()?.1, known)
        }
    }
}

/// Every function in the sources and the tests.
fn functions() -> BTreeSet<String> {
    let mut paths = Vec::new();
    files(&root("src"), &mut paths);
    files(&root("tests"), &mut paths);
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let names = |text: String| {
        let after = text.split("fn ").skip(1);
        let name = |rest: &str| rest.split(['(', '<']).next().unwrap_or_default().to_owned();
        after.map(name).collect::<Vec<_>>()
    };
    texts.flat_map(names).collect()
}

fn same<T>(what: &str, table: &BTreeMap<String, Row>, code: &BTreeMap<String, T>) {
    let (said, there): (BTreeSet<_>, BTreeSet<_>) = (table.keys().collect(), code.keys().collect());
    assert_eq!(said, there, "{what}");
}

#[test]
fn the_limits_are_those_of_the_code() {
    let network = format!("{:?}", trellis_sdk::transport::libp2p::Limits::default());
    let mailbox = format!("{:?}", trellis_sdk::mailbox::Limits::default());
    for (name, debug) in [("transport::libp2p", network), ("mailbox", mailbox)] {
        let heading = format!("Limits: `{name}::Limits`");
        let (rows, fields) = (table(&heading), fields(&debug));
        same(&heading, &rows, &fields);
        for (name, row) in &rows {
            assert_eq!(row.value, fields[name], "{name}");
            assert!(!row.tests.is_empty(), "{name}");
        }
    }
}

#[test]
fn the_fixed_numbers_are_those_of_the_code() {
    let folders = ["transport", "directory", "mailbox"];
    let all: BTreeMap<_, _> = folders.iter().flat_map(|folder| constants(folder)).collect();
    // What no row could be compared with.
    let mut unknown = Vec::new();
    for folder in folders {
        let heading = format!("Fixed numbers: `{folder}`");
        let (rows, code) = (table(&heading), constants(folder));
        same(&heading, &rows, &code);
        for (name, row) in &rows {
            match value(&code[name], &all) {
                // A number of seconds may be said as a time.
                Some(number) => assert!(
                    row.value == [number] || row.value == [number * 1000],
                    "{name} is {number}"
                ),
                None => unknown.push(name.clone()),
            }
            let untested = UNTESTED.iter().any(|begin| name.starts_with(begin));
            assert_eq!(row.tests.is_empty(), untested, "{name}");
        }
    }
    // They depend on the lengths of envelopes and topics.
    assert_eq!(unknown, ["libp2p::frame::MAX_WHOLE", "libp2p::limits::ASK_FRAME"]);
}

#[test]
fn each_test_that_is_named_is_there() {
    let functions = functions();
    for section in TABLES.split("\n## ").skip(1) {
        for (name, row) in table(section.lines().next().unwrap()) {
            for test in row.tests {
                assert!(functions.contains(&test), "{name}: no {test}");
            }
        }
    }
}
