//! Test vectors, out of the published files.

use serde_json::Value;
use trellis_ciphersuites::CipherSuite;

use crate::registry::{hybrids, short};
use crate::table::{block, table};
use crate::{Error, read, read_json};

const KEM: &str = "vectors/data/kem/mlkem768-x25519.json";
const HPKE: &str = "vectors/data/hpke/mlkem768-x25519.json";
const SIGNATURE: &str = "vectors/data/signature/mldsa44.json";

/// How the vectors say that something has another length than it should.
const LENGTHS: [&str; 4] =
    ["empty", "last byte missing", "first byte missing", "a zero byte at the end"];

fn list(path: &str) -> Result<Vec<Value>, Error> {
    match read_json(path)? {
        Value::Array(list) => Ok(list),
        _ => Err(Error::Missing(format!("{path} is no list"))),
    }
}

/// Fields by their names, with values as text.
fn fields(value: &Value, names: &[&'static str]) -> Result<Vec<(&'static str, String)>, Error> {
    names
        .iter()
        .map(|name| {
            let text = match &value[*name] {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(Error::Missing(format!("a vector has no field {name}"))),
            };
            Ok((*name, text))
        })
        .collect()
}

fn shown(fields: &[(&str, String)]) -> String {
    block(fields.iter().map(|(name, value)| (*name, value.as_str())))
}

fn first(vectors: &[Value], wanted: impl Fn(&Value) -> bool) -> Result<&Value, Error> {
    let missing = || Error::Missing("a vector that the drafts show is not there".into());
    vectors.iter().find(|vector| wanted(vector)).ok_or_else(missing)
}

/// Which failure each bad input leads to.
pub(crate) fn failures() -> Result<String, Error> {
    let mut rows: Vec<([String; 3], Vec<String>)> = Vec::new();
    for vector in list(KEM)? {
        let (Some(error), Some(hpke)) = (vector["error"].as_str(), vector["hpke_error"].as_str())
        else {
            continue;
        };
        let operation = vector["operation"].as_str().unwrap_or_default();
        let comment = vector["comment"].as_str().unwrap_or_default();
        let what = comment.split_once(": ").map_or(comment, |(_, what)| what);
        let what = if LENGTHS.contains(&what) { "another length" } else { what };
        let key = [operation, error, hpke].map(String::from);
        let place = rows.iter().position(|(other, _)| *other == key).unwrap_or(rows.len());
        if place == rows.len() {
            rows.push((key, Vec::new()));
        }
        if !rows[place].1.iter().any(|other| other == what) {
            rows[place].1.push(what.into());
        }
    }
    let rows = rows.into_iter().map(|([operation, error, hpke], inputs)| {
        vec![format!("{operation}: {error} ({hpke})"), inputs.join("; ")]
    });
    Ok(table(
        "failures",
        "What is refused, by KEM operation",
        &["Operation and error", "Input"],
        rows,
    ))
}

pub(crate) fn kem() -> Result<String, Error> {
    let vectors = list(KEM)?;
    let with = |operation: &'static str| {
        move |v: &Value| v["operation"] == operation && v["error"].is_null()
    };
    let derive = first(&vectors, with("derive"))?;
    let encapsulate = first(&vectors, with("encapsulate"))?;
    let decapsulate = first(&vectors, with("decapsulate"))?;
    let rejected =
        first(&vectors, |v| v["comment"] == "first bit of the ML-KEM ciphertext flipped")?;
    let parts = [
        ("DeriveKeyPair:", fields(derive, &["ikm", "private_key", "public_key"])?),
        (
            "Encap, with the randomness m of ML-KEM and then that of the X25519 scalar:",
            fields(encapsulate, &["public_key", "randomness", "enc", "shared_secret"])?,
        ),
        ("Decap:", fields(decapsulate, &["private_key", "enc", "shared_secret"])?),
        (
            "Decap of a ciphertext whose first bit was flipped, which is no error (implicit rejection):",
            fields(rejected, &["private_key", "enc", "shared_secret"])?,
        ),
    ];
    Ok(parts.iter().map(|(title, fields)| format!("{title}\n\n{}\n", shown(fields))).collect())
}

/// For each combination of KDF and AEAD one vector, without the keys that are as long as pages.
pub(crate) fn hpke() -> Result<String, Error> {
    let vectors = list(HPKE)?;
    let mut text = String::new();
    for suite in hybrids() {
        let wanted = |v: &Value| {
            v["kdf_id"] == suite.kdf().id()
                && v["aead_id"] == suite.aead().id()
                && v["mode"] == 0
                && v["info"] != ""
        };
        let vector = first(&vectors, wanted)?;
        let names = [
            "suite_id",
            "info",
            "ikmE",
            "ikmR",
            "skRm",
            "enc",
            "shared_secret",
            "key",
            "base_nonce",
            "exporter_secret",
        ];
        let mut shown_fields = fields(vector, &names)?;
        shown_fields.extend(fields(&vector["encryptions"][1], &["aad", "pt", "nonce", "ct"])?);
        shown_fields
            .extend(fields(&vector["exports"][0], &["exporter_context", "L", "exported_value"])?);
        text += &format!("{}, mode base:\n\n{}\n", title(suite), shown(&shown_fields));
    }
    Ok(text)
}

fn title(suite: CipherSuite) -> String {
    match suite.row() {
        Some(row) => format!("Row {row}"),
        None => short(suite).replace("legacy", "Legacy"),
    }
}

fn mls(suite: CipherSuite, kind: &str) -> Result<Vec<Value>, Error> {
    list(&format!("vectors/data/mls/{}/{kind}.json", suite.name()))
}

pub(crate) fn crypto_basics() -> Result<String, Error> {
    let mut text = String::new();
    for suite in hybrids() {
        let vectors = mls(suite, "crypto-basics")?;
        let vector = first(&vectors, |_| true)?;
        let mut all = Vec::new();
        let groups: [(&str, &[&'static str]); 4] = [
            ("ref_hash", &["label", "value", "out"]),
            ("expand_with_label", &["secret", "label", "context", "length", "out"]),
            ("derive_secret", &["secret", "label", "out"]),
            ("derive_tree_secret", &["secret", "label", "generation", "length", "out"]),
        ];
        for (group, names) in groups {
            for (name, value) in fields(&vector[group], names)? {
                all.push((format!("{group}.{name}"), value));
            }
        }
        let shown = block(all.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        text += &format!("{}:\n\n{shown}\n", title(suite));
    }
    Ok(text)
}

/// The first epoch of each.
pub(crate) fn key_schedule() -> Result<String, Error> {
    let names = [
        "tree_hash",
        "commit_secret",
        "psk_secret",
        "confirmed_transcript_hash",
        "group_context",
        "joiner_secret",
        "welcome_secret",
        "init_secret",
        "sender_data_secret",
        "encryption_secret",
        "exporter_secret",
        "epoch_authenticator",
        "external_secret",
        "confirmation_key",
        "membership_key",
        "resumption_psk",
        "external_pub",
    ];
    let mut text = String::new();
    for suite in hybrids() {
        let vectors = mls(suite, "key-schedule")?;
        let vector = first(&vectors, |_| true)?;
        let mut all = fields(vector, &["group_id", "initial_init_secret"])?;
        all.extend(fields(&vector["epochs"][0], &names)?);
        all.extend(fields(
            &vector["epochs"][0]["exporter"],
            &["label", "context", "length", "secret"],
        )?);
        text += &format!("{}:\n\n{}\n", title(suite), shown(&all));
    }
    Ok(text)
}

pub(crate) fn signature() -> Result<String, Error> {
    let vectors = list(SIGNATURE)?;
    let vector = first(&vectors, |v| {
        v["comment"].as_str().is_some_and(|c| c.starts_with("deterministic, message of 32"))
    })?;
    Ok(shown(&fields(vector, &["seed", "public_key", "message", "randomness", "signature"])?))
}

/// The files and their hashes, those of the four suites.
pub(crate) fn files() -> Result<String, Error> {
    let sums = read("vectors/data/SHA256SUMS")?;
    let names: Vec<_> = hybrids().map(|suite| format!("mls/{}/", suite.name())).collect();
    let kinds = ["crypto-basics", "key-schedule"];
    let wanted = |path: &str| {
        path.contains("mlkem768-x25519")
            || path.contains("mldsa44")
            || names.iter().any(|name| path.contains(name.as_str()))
                && kinds.iter().any(|kind| path.contains(kind))
    };
    let mut text = String::from("~~~\n");
    let mut folder = "";
    for line in sums.lines() {
        let Some((sum, path)) = line.split_once("  ") else { continue };
        let Some((now, name)) = path.rsplit_once('/').filter(|_| wanted(path)) else { continue };
        if now != folder {
            folder = now;
            text += &format!("{}/\n", folder.trim_start_matches("./"));
        }
        text += &format!("  {name}\n    {sum}\n");
    }
    Ok(text + "~~~\n")
}
