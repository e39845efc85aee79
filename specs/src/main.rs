//! Writes what the drafts include and nobody types: `trellis-specs [--check]`.
//!
//! Each fragment goes to `specs/generated`. With `--check` nothing is written, and a fragment that is
//! not as it would be is an error. Either way it checks that each MUST of the drafts has a test.

mod interop;
mod registry;
mod requirements;
mod samples;
mod sizes;
mod sources;
mod specimens;
mod table;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("{0}: {1}")]
    Json(String, serde_json::Error),
    #[error("{0}")]
    Missing(String),
    #[error("OpenMLS: {0}")]
    Mls(String),
}

/// The name of a fragment, and what makes it.
type Fragment = (&'static str, fn() -> Result<String, Error>);

const FRAGMENTS: &[Fragment] = &[
    ("suites.md", registry::hybrid_suites),
    ("components.md", registry::hybrid_components),
    ("suites-other.md", registry::other_suites),
    ("components-other.md", registry::other_components),
    ("protection.md", registry::protection),
    ("kems.md", registry::kems),
    ("kem-values.md", registry::kem_values),
    ("signatures.md", registry::signatures),
    ("code-points.md", registry::code_points),
    ("failures.md", samples::failures),
    ("sizes.md", sizes::sizes),
    ("size-formulas.md", sizes::formulas),
    ("vectors-kem.md", samples::kem),
    ("vectors-hpke.md", samples::hpke),
    ("vectors-crypto-basics.md", samples::crypto_basics),
    ("vectors-key-schedule.md", samples::key_schedule),
    ("vectors-signature.md", samples::signature),
    ("vectors-files.md", samples::files),
    ("policy-example.md", specimens::policy),
    ("group-rules-example.md", specimens::rules),
    ("envelope.md", specimens::envelope),
    ("interop.md", interop::matrix),
    ("kinds.md", sources::kinds),
    ("envelope-format.md", sources::envelope),
    ("exports.md", sources::exports),
    ("binding.md", sources::binding),
    ("limits.md", sources::limits),
];

/// The folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn read(path: &str) -> Result<String, Error> {
    fs::read_to_string(root().join(path)).map_err(|error| Error::File(path.into(), error))
}

fn read_json(path: &str) -> Result<serde_json::Value, Error> {
    serde_json::from_str(&read(path)?).map_err(|error| Error::Json(path.into(), error))
}

fn run(check: bool) -> Result<usize, Error> {
    let mut stale = 0;
    for (name, make) in FRAGMENTS {
        let path = format!("specs/generated/{name}");
        let content = make()?;
        if check {
            if read(&path).ok().as_deref() != Some(&content) {
                eprintln!("{path} is stale");
                stale += 1;
            }
        } else {
            fs::write(root().join(&path), content).map_err(|error| Error::File(path, error))?;
        }
    }
    for fault in requirements::faults()? {
        eprintln!("specs/REQUIREMENTS.md: {fault}");
        stale += 1;
    }
    Ok(stale)
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let check = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--check"] => true,
        _ => {
            eprintln!("usage: trellis-specs [--check]");
            return ExitCode::from(2);
        }
    };
    match run(check) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(stale) => {
            eprintln!("{stale} faults; what is stale, specs/build.sh writes anew");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
