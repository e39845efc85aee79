//! The two commands, run as a user runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ROW_1: &str = "data/mls/MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519";

/// A folder of a test's own, which is empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn published(stem: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(ROW_1).join(stem).with_extension("json")
}

fn vectors(stem: &str) -> Value {
    serde_json::from_slice(&fs::read(published(stem)).unwrap()).unwrap()
}

/// What a command did.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    error: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }

    /// A wrong use says what is wrong on standard error, and nothing on standard output.
    #[track_caller]
    fn is_refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        assert!(parts.iter().all(|part| self.error.contains(part)), "{parts:?}: {self:?}");
    }
}

fn command(arguments: &[&str]) -> Ended {
    Command::new(env!("CARGO_BIN_EXE_trellis-vectors")).args(arguments).output().unwrap().into()
}

fn interop(arguments: &[&str]) -> Ended {
    Command::new(env!("CARGO_BIN_EXE_interop")).args(arguments).output().unwrap().into()
}

fn verify(path: &Path, options: &[&str]) -> Ended {
    command(&[&["verify", path.to_str().unwrap()], options].concat())
}

/// Puts something into a file of its own and has it verified.
fn verify_contents(test: &str, contents: impl AsRef<[u8]>) -> (PathBuf, Ended) {
    let path = folder(test).join("vectors.json");
    fs::write(&path, contents).unwrap();
    let ended = verify(&path, &[]);
    (path, ended)
}

#[test]
fn a_file_that_holds() {
    for options in
        [&[][..], &["--backend", "portable"], &["--derivation", "hpke-pq"], &["--by", "rustcrypto"]]
    {
        let ended = verify(&published("psk_secret"), options);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.last_line(), "6 passed, 0 failed, 0 skipped");
        assert!(ended.out.starts_with("passed "), "{ended:?}");
        assert!(ended.out.contains("psk_secret.json (psk_secret): 6 passed"), "{ended:?}");
    }
}

#[test]
fn a_folder_and_what_others_check_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(ROW_1);
    let (mut of_the_model, mut of_stacks) = (0, 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let is_passive = stem.starts_with("passive-client");
        let number = vectors(stem).as_array().unwrap().len();
        *if is_passive { &mut of_stacks } else { &mut of_the_model } += number;
    }
    for (by, passed, skipped) in [
        ("trellis", of_the_model + of_stacks, 0),
        ("rustcrypto", of_the_model, of_stacks),
        ("mls-rs", of_stacks, of_the_model),
    ] {
        let ended = verify(&folder, &["--by", by]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let last = format!("{passed} passed, 0 failed, {skipped} skipped");
        assert_eq!(ended.last_line(), last, "{by}");
    }
}

/// Standard error is no terminal here, so there is no progress bar.
#[test]
fn nothing_is_on_standard_error_when_all_is_well() {
    let out = folder("quiet");
    let generate = command(&["generate", "--seed", "07", "--out", out.to_str().unwrap()]);
    assert_eq!(generate.code, Some(0), "{generate:?}");
    for ended in [verify(&published("key-schedule"), &[]), generate] {
        assert_eq!(ended.error, "", "{ended:?}");
    }
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_vector_that_does_not_hold() {
    let mut vectors = vectors("psk_secret");
    let held = vectors[3]["psk_secret"].as_str().unwrap().to_owned();
    let changed = format!("{:x}{}", u8::from_str_radix(&held[..1], 16).unwrap() ^ 1, &held[1..]);
    vectors[3]["psk_secret"] = json!(changed);
    let (path, ended) = verify_contents("changed", vectors.to_string());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.last_line(), "5 passed, 1 failed, 0 skipped");
    assert!(ended.out.starts_with(&format!("FAILED  {} (psk_secret)", path.display())));
    let expected = format!("expected {}... (32 bytes)", &changed[..32]);
    let found = format!("found {}... (32 bytes)", &held[..32]);
    let line = ended.out.lines().find(|line| line.contains("[3]")).unwrap();
    assert_eq!(line.trim(), format!("[3] psk_secret: {expected}, {found}"));
}

#[test]
fn one_file_that_is_none_does_not_hide_the_others() {
    let folder = folder("several");
    fs::copy(published("psk_secret"), folder.join("good.json")).unwrap();
    fs::write(folder.join("bad.json"), "[]").unwrap();
    fs::write(folder.join("other.txt"), "not looked at").unwrap();
    let ended = verify(&folder, &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.last_line(), "6 passed, 0 failed, 0 skipped");
    assert!(ended.error.contains("bad.json: expected at least one vector"), "{ended:?}");
    assert!(!ended.error.contains("other.txt"), "{ended:?}");
}

#[test]
fn what_is_no_file_of_vectors() {
    for (test, contents, message) in [
        ("text", "no JSON".to_owned(), "expected ident at line 1"),
        ("object", "{}".into(), "expected a list of vectors ([...])"),
        ("unknown", "[{}]".into(), "[0]: expected the fields of a known kind of vector"),
    ] {
        let (path, ended) = verify_contents(test, contents);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.error.contains(&format!("{}: {message}", path.display())), "{ended:?}");
        assert_eq!(ended.last_line(), "0 passed, 0 failed, 0 skipped");
    }
}

#[test]
fn a_field_that_is_malformed() {
    let digits = "a string of pairs of hexadecimal digits";
    for (test, field, value, message) in [
        (
            "odd",
            "psk",
            json!("abc"),
            format!("psks[0].psk: invalid value: string \"abc\", expected {digits}"),
        ),
        (
            "number",
            "psk_id",
            json!(5),
            format!("psks[0].psk_id: invalid type: integer `5`, expected {digits}"),
        ),
    ] {
        let mut vectors = vectors("psk_secret");
        vectors[1]["psks"][0][field] = value;
        let (path, ended) = verify_contents(test, vectors.to_string());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let message = format!("not a vector file: {}: [1].{message}", path.display());
        assert_eq!(ended.error.trim_end(), message);
        // The first vector of the file held before that; a file counts as a whole.
        assert_eq!(ended.last_line(), "0 passed, 0 failed, 0 skipped");
    }
}

#[test]
fn a_suite_that_is_unknown_is_skipped_with_its_number() {
    for number in [0x0004, 0xf00d_u16] {
        let mut vectors = vectors("crypto-basics");
        vectors[0]["cipher_suite"] = json!(number);
        let (path, ended) = verify_contents(&format!("suite {number}"), vectors.to_string());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.last_line(), "0 passed, 0 failed, 1 skipped");
        assert!(ended.out.starts_with(&format!("skipped {}", path.display())), "{ended:?}");
        let reason = format!("1 skipped: cipher suite {number:#06x} is unknown");
        assert!(ended.out.contains(&reason), "{ended:?}");
    }
}

#[test]
fn the_derivation_without_a_label_fails_where_keys_are_derived() {
    let ended = verify(&published("key-schedule"), &["--derivation", "openmls09"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.last_line(), "0 passed, 1 failed, 0 skipped");
    assert!(ended.out.contains("[0] epochs[0].external_pub: expected "), "{ended:?}");
    let ended = verify(&published("psk_secret"), &["--derivation", "openmls09"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn what_cannot_be_found() {
    let empty = folder("empty");
    let missing = empty.join("missing.json");
    verify(&missing, &[]).is_refused(&[missing.to_str().unwrap(), "No such file"]);
    verify(&empty, &[]).is_refused(&[empty.to_str().unwrap(), "a folder with .json files"]);
}

#[test]
fn options_that_are_wrong() {
    let path = published("psk_secret");
    command(&[]).is_refused(&["Usage", "generate", "verify", "checked-by"]);
    command(&["verify"]).is_refused(&["<PATHS>"]);
    command(&["generate"]).is_refused(&["--out <DIR>"]);
    verify(&path, &["--backend", "fast"]).is_refused(&["fast", "native, portable"]);
    verify(&path, &["--derivation", "none"]).is_refused(&["none", "hpke-pq, openmls09"]);
    verify(&path, &["--by", "me"]).is_refused(&["me", "trellis, rustcrypto, mls-rs, ts-mls"]);
    verify(&path, &["--by", "mls-rs", "--backend", "portable"]).is_refused(&["--by trellis"]);
    verify(&path, &["--by", "rustcrypto", "--derivation", "openmls09"])
        .is_refused(&["--by trellis and mls-rs"]);
    for seed in ["0", "xy"] {
        let out = folder("seed");
        let ended = command(&["generate", "--seed", seed, "--out", out.to_str().unwrap()]);
        ended.is_refused(&["--seed <HEX>", seed]);
        assert!(fs::read_dir(out).unwrap().next().is_none(), "nothing is written");
    }
}

/// The paths below a folder, with what is there.
fn contents(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, found);
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let [first, second] = ["first", "second"].map(|name| {
        let out = folder(name);
        let ended = command(&["generate", "--seed", "00", "--out", out.to_str().unwrap()]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let mut found = Vec::new();
        contents(&out, &mut found);
        for (path, _) in &mut found {
            *path = path.strip_prefix(&out).unwrap().to_owned();
        }
        found.sort();
        let written = found.iter().filter(|(path, _)| path != "SHA256SUMS").count();
        assert!(ended.last_line().starts_with(&format!("{written} files, ")), "{ended:?}");
        fs::remove_dir_all(out).unwrap();
        found
    });
    assert!(first.iter().any(|(path, _)| path == "SHA256SUMS"));
    assert!(first == second, "the files differ");
}

#[test]
fn the_reader_of_the_output_may_leave() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trellis-vectors"))
        .args(["verify", published("psk_secret").to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""), "{ended:?}");
}

#[test]
fn interop_names_what_it_does_not_know() {
    let out = folder("interop usage");
    let out = out.to_str().unwrap();
    interop(&[]).is_refused(&["--peer", "--suite"]);
    interop(&["--peer", "nobody", "--suite", "1", "--out", out])
        .is_refused(&["nobody", "ts-mls, ts-mls-as-is, mls-rs"]);
    for suite in ["0", "12", "MLS_NONE", "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed2551"] {
        interop(&["--peer", "mls-rs", "--suite", suite, "--out", out])
            .is_refused(&[suite, "a row of the draft from 1 to 11"]);
    }
    assert!(fs::read_dir(out).unwrap().next().is_none(), "nothing is written");
}

fn play(test: &str, options: &[&str]) -> (Ended, String, Value) {
    let out = folder(test);
    let arguments = ["--peer", "mls-rs", "--suite", "1", "--out", out.to_str().unwrap()];
    let ended = interop(&[&arguments, options].concat());
    let page = fs::read_to_string(out.join("RESULTS.md")).unwrap();
    let json = fs::read(out.join("RESULTS.json")).unwrap();
    (ended, page, serde_json::from_slice(&json).unwrap())
}

/// How many scenarios of a run ended in a way.
fn ended_as(run: &Value, outcome: &str) -> usize {
    let cells = run["cells"].as_array().unwrap();
    cells.iter().filter(|cell| cell["outcome"] == outcome).count()
}

#[test]
fn interop_with_mls_rs() {
    let (ended, page, results) = play("interop", &[]);
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""), "{ended:?}");
    assert_eq!(ended.last_line(), "30 passed, 0 failed, 0 skipped");
    let run = &results["runs"][0];
    assert_eq!(
        (&run["peer"], &run["row"], &run["code_point"]),
        (&json!("mls-rs"), &json!(1), &json!(0x4f))
    );
    assert_eq!(ended_as(run, "passed"), 30);
    assert!(page.contains("mls-rs"), "{page}");
}

#[test]
fn interop_with_mls_rs_that_derives_without_a_label() {
    let (ended, page, results) = play("interop unlabelled", &["--unlabelled"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut lines = ended.out.lines().rev();
    assert_eq!(lines.next(), Some("each as it must"));
    let run = &results["runs"][0];
    let (passed, failed) = (ended_as(run, "passed"), ended_as(run, "failed"));
    assert!(passed > 0 && failed > 0, "{results}");
    assert_eq!(lines.next(), Some(&*format!("{passed} passed, {failed} failed, 0 skipped")));
    assert!(page.contains("label"), "{page}");
}
