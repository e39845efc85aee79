//! Whatever is changed in a vector is noticed, but for what its format leaves open.

use std::collections::BTreeSet;
use std::ops::Range;

use openmls_trellis_crypto::KeyDerivation;
use serde_json::{Value, json};
use trellis_vectors::Failure;
use trellis_vectors::checker::{Checker, StackOnly};
use trellis_vectors::stack::mls_rs::MlsRs;

use crate::samples::{self, Sample};
use crate::{by_default, check};

/// How many digits of a string are changed, one at a time: all at either end, some between.
const EDGE: usize = 24;
const PLACES: usize = 24;

/// A value that may be another one without the vector being wrong.
struct Exception {
    kind: &'static str,
    /// The end of the path.
    path: &'static str,
    /// Which digits.
    places: Range<usize>,
}

const EXCEPTIONS: [Exception; 4] = [
    // The key for sender data comes from the first KDF.Nh bytes (RFC 9420, section 6.3.2).
    Exception { kind: "secret-tree", path: "/ciphertext", places: 64..usize::MAX },
    // What the Welcome has for another new member, whose private key is not in the vector: the
    // length of the list of secrets ends at digit 16, and its first entry is 1207 bytes long.
    Exception { kind: "welcome", path: "/welcome", places: 16..16 + 2 * 1207 },
    // Who sends a proposal decides about an Update alone (section 12.1); the sample is a Remove.
    Exception { kind: "tree-operations", path: "/proposal_sender", places: 0..1 },
    // Beside a Welcome whose GroupInfo has the tree in it, no other is looked at (12.4.3.3).
    Exception { kind: "passive-client", path: "/ratchet_tree", places: 0..1 },
];

impl Exception {
    fn covers(&self, kind: &str, change: &Change) -> bool {
        self.kind == kind && change.path.ends_with(self.path) && self.places.contains(&change.place)
    }
}

/// One value that is not what it was.
pub(crate) struct Change {
    /// The value's JSON pointer.
    pub(crate) path: String,
    /// Which digit, if it is a string of digits.
    pub(crate) place: usize,
    /// The vector with the change.
    pub(crate) vector: Value,
}

/// The paths of everything that is neither list nor object.
pub(crate) fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                leaves(value, &format!("{path}/{number}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, &format!("{path}/{name}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// With the lowest bit of a digit changed.
fn flipped(text: &str, place: usize) -> String {
    let digit = u8::from_str_radix(&text[place..=place], 16).unwrap() ^ 1;
    format!("{}{digit:x}{}", &text[..place], &text[place + 1..])
}

/// Other values for one, each with the digit that was changed.
fn others(value: &Value) -> Vec<(usize, Value)> {
    let is_hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
    match value {
        Value::Null => vec![(0, json!(0)), (0, json!("00"))],
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            vec![(0, json!(number ^ 1)), (0, json!(number + 0x100))]
        }
        Value::String(text) if text.is_empty() => vec![(0, json!("00"))],
        Value::String(text) if is_hex(text) => {
            let last = text.len() - 1;
            // Each digit of headers and tags, and some of what lies between; the middle among them.
            let between = (0..=PLACES).map(|part| part * last / PLACES);
            let places: BTreeSet<usize> = (0..EDGE.min(last))
                .chain(between)
                .chain(last.saturating_sub(EDGE)..=last)
                .collect();
            places.into_iter().map(|place| (place, json!(flipped(text, place)))).collect()
        }
        Value::String(text) => vec![(0, json!(format!("{text}x")))],
        other => panic!("no vector has {other}"),
    }
}

/// Each a small change to one value.
pub(crate) fn changes(vector: &Value) -> Vec<Change> {
    let mut paths = Vec::new();
    leaves(vector, "", &mut paths);
    let mut changes = Vec::new();
    for path in paths {
        for (place, other) in others(vector.pointer(&path).unwrap()) {
            let mut vector = vector.clone();
            *vector.pointer_mut(&path).unwrap() = other;
            changes.push(Change { path: path.clone(), place, vector });
        }
    }
    changes
}

/// The changes that a checker does not notice. A change to the number of the suite may make it
/// unknown; any other one must not have the vector skipped.
fn overlooked(checker: &dyn Checker, vector: &Value) -> Vec<Change> {
    let is_overlooked = |change: &Change| match check(checker, &change.vector) {
        Some(Ok(Ok(()))) => true,
        Some(Ok(Err(Failure::Skipped(_)))) => change.path != "/cipher_suite",
        _ => false,
    };
    changes(vector).into_iter().filter(is_overlooked).collect()
}

fn mls_rs() -> StackOnly {
    StackOnly { stack: Box::new(MlsRs::default()), derivation: KeyDerivation::HpkePq }
}

#[test]
fn no_field_is_overlooked() {
    let mut number = 0;
    let mut needed = [false; EXCEPTIONS.len()];
    let mut unexpected = Vec::new();
    let passive = samples::passive_clients();
    let [ours, mls_rs]: [&dyn Checker; 2] = [&by_default(), &mls_rs()];
    let all = samples::kinds_with_a_suite();
    let others = samples::without_a_suite();
    let with_ours = all.iter().chain(others.iter().filter(|it| it.name != "messages"));
    let cases = with_ours.map(|sample| (ours, sample)).chain(passive.iter().map(|it| (mls_rs, it)));
    for (checker, Sample { name, vector }) in cases {
        number += changes(vector).len();
        for change in overlooked(checker, vector) {
            let covers = |it: &Exception| it.covers(name, &change);
            let Some(exception) = EXCEPTIONS.iter().position(covers) else {
                let (Change { path, place, .. }, by) = (&change, checker.name());
                unexpected.push(format!("{name} {path} may have another digit {place}, by {by}"));
                continue;
            };
            needed[exception] = true;
        }
    }
    println!("{number} changes");
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(number > 10_000, "{number}");
    assert_eq!(needed, [true; EXCEPTIONS.len()], "an exception that is none");
}

/// This kind says nothing about what its structures hold, so only their bounds are checked.
#[test]
fn no_structure_may_be_longer_or_shorter() {
    let samples = samples::without_a_suite();
    let Sample { vector, .. } = samples.iter().find(|it| it.name == "messages").unwrap();
    for (field, value) in vector.as_object().unwrap() {
        let text = value.as_str().unwrap();
        for other in [&text[..text.len() - 2], &format!("{text}00"), ""] {
            let mut vector = vector.clone();
            vector[field] = json!(other);
            let result = check(&by_default(), &vector);
            assert!(matches!(result, Some(Ok(Err(_)))), "{field}: {result:?}");
        }
    }
}
