//! Bytes that are no file of vectors: the message names the file, the place and what was expected.

use std::path::Path;

use serde_json::{Value, json};
use trellis_vectors::checker::Checker;
use trellis_vectors::file::VectorFile;
use trellis_vectors::verify::verify;

use crate::{ROW_1, by_default, published};

const PATH: &str = "some/where.json";

fn parsed(bytes: impl AsRef<[u8]>) -> Result<VectorFile, String> {
    VectorFile::parse(Path::new(PATH), bytes.as_ref()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, reason: &str) {
    assert_eq!(parsed(bytes).unwrap_err(), format!("{PATH}: {reason}"));
}

#[test]
fn a_file_of_vectors() {
    let vectors = published(ROW_1, "psk_secret");
    let file = parsed(json!(vectors).to_string()).unwrap();
    assert_eq!((file.kind.name, file.vectors), ("psk_secret", vectors));
    assert_eq!(file.path, Path::new(PATH));
}

#[test]
fn what_is_no_json() {
    refused("", "EOF while parsing a value at line 1 column 0");
    refused("[{\n\"psks\": [1,]}]", "trailing comma at line 2 column 12");
    refused("[] []", "trailing characters at line 1 column 4");
    refused([b'[', 0xff], "expected value at line 1 column 2");
}

#[test]
fn what_is_no_list_of_vectors() {
    let vector = &published(ROW_1, "psk_secret")[0];
    for other in [vector.clone(), json!({}), json!("[]"), json!(null), json!(7)] {
        refused(other.to_string(), "expected a list of vectors ([...])");
    }
    refused("[]", "expected at least one vector");
}

#[test]
fn what_is_of_no_known_kind() {
    for other in [json!({}), json!([]), json!(null), json!("psks"), json!({ "cipher_suite": 79 })] {
        let reason = "[0]: expected the fields of a known kind of vector";
        refused(json!([other]).to_string(), reason);
    }
}

#[test]
fn vectors_of_several_kinds() {
    let [psk, tree] = ["psk_secret", "secret-tree"].map(|stem| published(ROW_1, stem)[0].clone());
    for (list, reason) in [
        (json!([psk, psk, tree]), "[2]: expected another psk_secret"),
        (json!([tree, psk]), "[1]: expected another secret-tree"),
        (json!([psk, {}]), "[1]: expected another psk_secret"),
        (json!([psk, null]), "[1]: expected another psk_secret"),
    ] {
        refused(list.to_string(), reason);
    }
}

#[test]
fn what_is_nested_deeply() {
    for (open, close) in [("[", "]"), ("{\"psks\":", "}")] {
        let text = format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
        assert!(parsed(text).unwrap_err().contains("recursion limit exceeded at line 1"));
    }
}

#[track_caller]
fn malformed(path: &[&str], value: Value, reason: &str) {
    let mut vectors = json!(published(ROW_1, "treekem"));
    let pointer: String = path.iter().map(|part| format!("/{part}")).collect();
    *vectors.pointer_mut(&pointer).unwrap() = value;
    let file = parsed(vectors.to_string()).unwrap();
    let checker: &dyn Checker = &by_default();
    let error = verify(&file, checker).unwrap_err();
    assert_eq!(error.to_string(), format!("{PATH}: {reason}"));
}

#[test]
fn a_field_of_a_vector_that_is_something_else() {
    malformed(
        &["1", "update_paths", "0", "commit_secret"],
        json!("0g"),
        "[1].update_paths[0].commit_secret: invalid value: string \"0g\", expected a string of pairs of hexadecimal digits",
    );
    malformed(
        &["0", "leaves_private", "1", "index"],
        json!(-1),
        "[0].leaves_private[1].index: invalid value: integer `-1`, expected u32",
    );
    malformed(&["2", "epoch"], json!("11"), "[2].epoch: invalid type: string \"11\", expected u64");
    malformed(
        &["0", "leaves_private"],
        json!({}),
        "[0].leaves_private: invalid type: map, expected a sequence",
    );
    malformed(
        &["0", "leaves_private", "0"],
        json!({}),
        "[0].leaves_private[0]: missing field `index`",
    );
}
