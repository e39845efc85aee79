//! `trellis-vectors verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use trellis_vectors::file::{VectorFile, find};
use trellis_vectors::terminal::{progress, say};
use trellis_vectors::verify::{Report, Tally, verify};

use super::by;

/// Check vectors in files and folders.
///
/// Knows the formats of draft-ietf-hpke-pq, of X-Wing, of mls-implementations and of this project,
/// and tells them by what they hold. Ends with exit code 1 if a vector fails, with 2 if a file is
/// no file of vectors.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Files, and folders with .json files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    options: by::Options,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (checker, files) = match (arguments.options.checker(), find(&arguments.paths)) {
        (Ok(checker), Ok(files)) => (checker, files),
        (Err(reason), _) => return usage(&reason),
        (_, Err(error)) => return usage(&error.to_string()),
    };
    let bar = progress(files.len() as u64, "files");
    let (mut total, mut unreadable) = (Tally::default(), 0);
    for path in &files {
        bar.set_message(path.display().to_string());
        match VectorFile::read(path).and_then(|file| Ok((verify(&file, &*checker)?, file))) {
            Ok((report, file)) => {
                bar.suspend(|| print(path, file.kind.name, &report));
                total += report.tally;
            }
            Err(error) => {
                unreadable += 1;
                bar.suspend(|| eprintln!("not a vector file: {error}"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    say(total);
    if unreadable > 0 {
        ExitCode::from(2)
    } else if total.failed > 0 {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

fn usage(reason: &str) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::from(2)
}

fn print(path: &Path, kind: &str, report: &Report) {
    let word = match report.tally {
        Tally { failed: 1.., .. } => "FAILED",
        Tally { passed: 0, .. } => "skipped",
        _ => "passed",
    };
    say(format_args!("{word:7} {} ({kind}): {}", path.display(), report.tally));
    for (index, failure) in &report.failures {
        say(format_args!("        [{index}] {failure}"));
    }
    for (reason, number) in &report.skipped {
        say(format_args!("        {number} skipped: {reason}"));
    }
}
