//! Whatever is changed in a vector is noticed.

use std::ops::Range;

use serde_json::{Value, json};
use trellis_vectors::Trellis;

use crate::{FILES, File};

/// Fields that say nothing to check.
const UNCHECKED: [&str; 2] = ["comment", "hpke_error"];

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

fn is_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// With the lowest bit of a digit changed.
fn flipped(text: &str, position: usize) -> String {
    let digit = u8::from_str_radix(&text[position..=position], 16).unwrap() ^ 1;
    format!("{}{digit:x}{}", &text[..position], &text[position + 1..])
}

/// Which digits of a value have a say. Of MLKEM768-P256's randomness only the first candidate scalar
/// does. Of an ML-KEM seed `d ‖ z` it is `d`, but `z` where a ciphertext is rejected implicitly
/// (FIPS 203, algorithm 18: the secret is `J(z ‖ c)`).
fn looked_at(vector: &Value, path: &str, text: &str) -> Range<usize> {
    const M_AND_ONE_SCALAR: usize = 2 * (32 + 32);
    const D: usize = 2 * 32;
    let pure = vector["kem_id"] == 0x0041 || vector["kem_id"] == 0x0042;
    match path {
        "/ikmE" | "/randomness" if vector["kem_id"] == 0x0050 => 0..M_AND_ONE_SCALAR,
        "/private_key" if pure && is_rejected(vector) => D..text.len(),
        "/private_key" if pure && vector["operation"] != "derive" => 0..D,
        _ => 0..text.len(),
    }
}

/// Whether ML-KEM rejects implicitly.
fn is_rejected(vector: &Value) -> bool {
    vector["comment"].as_str().is_some_and(|comment| comment.contains("ML-KEM ciphertext"))
}

/// Each a small change to one value that must not be overlooked.
pub(crate) fn changes(vector: &Value) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    leaves(vector, "", &mut paths);
    paths.retain(|path| !UNCHECKED.iter().any(|name| path.ends_with(&format!("/{name}"))));
    let mut changes = Vec::new();
    for path in paths {
        let others = match vector.pointer(&path).unwrap() {
            // What is refused is refused with another bit, too.
            Value::String(text) if is_hex(text) && vector.get("error").is_some() => vec![],
            Value::String(text) if text.is_empty() => vec![json!("00")],
            Value::String(text) if is_hex(text) => {
                let Range { start, end } = looked_at(vector, &path, text);
                [start, (start + end) / 2, end - 1]
                    .map(|place| json!(flipped(text, place)))
                    .to_vec()
            }
            Value::String(text) => vec![json!(format!("{text}x"))],
            Value::Number(number) => vec![json!(number.as_u64().unwrap() ^ 1)],
            Value::Bool(truth) => vec![json!(!truth)],
            other => panic!("{other} at {path}"),
        };
        for other in others {
            let mut changed = vector.clone();
            *changed.pointer_mut(&path).unwrap() = other;
            changes.push((path.clone(), changed));
        }
    }
    changes
}

/// One vector of each sort: of every operation of a KEM, of every mode of HPKE, valid and not.
pub(crate) fn samples() -> Vec<(&'static File, &'static Value)> {
    let mut samples = Vec::new();
    for file in &*FILES {
        let mut sorts = Vec::new();
        for vector in &file.vectors {
            let fields = ["operation", "mode", "error", "info"].map(|field| vector.get(field));
            let sort = (fields, is_rejected(vector));
            if !sorts.contains(&sort) {
                sorts.push(sort);
                samples.push((file, vector));
            }
        }
    }
    samples
}

#[test]
fn no_field_is_overlooked() {
    let primitives = Trellis::default();
    let mut number = 0;
    for (File { stem, check, .. }, vector) in samples() {
        for (path, changed) in changes(vector) {
            assert!(check(&changed, &primitives).is_err(), "{stem}{path} {}", vector["comment"]);
            number += 1;
        }
    }
    println!("{number} changes");
    assert!(number > 1000);
}
