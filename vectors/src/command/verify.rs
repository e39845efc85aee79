//! `trellis-vectors verify`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::Backend;
use trellis_vectors::Trellis;
use trellis_vectors::checker::{Checker, Model, StackOnly};
use trellis_vectors::file::{VectorFile, find};
use trellis_vectors::oracle::RustCrypto;
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::stack::open_mls::OpenMls;
use trellis_vectors::stack::ts_mls::TsMls;
use trellis_vectors::verify::{Report, Tally, verify};

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
    /// Where our primitives run; by default the fastest
    #[arg(long)]
    backend: Option<BackendName>,
    /// How HPKE key pairs are derived
    #[arg(long, default_value = "hpke-pq")]
    derivation: DerivationName,
    /// Who checks
    #[arg(long, default_value = "trellis")]
    by: By,
}

#[derive(Clone, Copy, ValueEnum)]
enum BackendName {
    Native,
    Portable,
}

#[derive(Clone, Copy, ValueEnum)]
enum DerivationName {
    /// As drafted, with a label
    HpkePq,
    /// As the published providers of OpenMLS 0.9, without
    Openmls09,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// Our primitives, and OpenMLS
    Trellis,
    /// RustCrypto and the hpke crate, under the same model
    Rustcrypto,
    /// mls-rs on RustCrypto: passive clients
    MlsRs,
    /// ts-mls under Node: all kinds of MLS
    TsMls,
}

impl From<DerivationName> for KeyDerivation {
    fn from(name: DerivationName) -> Self {
        match name {
            DerivationName::HpkePq => Self::HpkePq,
            DerivationName::Openmls09 => Self::OpenMls09,
        }
    }
}

fn backend(name: Option<BackendName>) -> Result<Backend, &'static str> {
    match name {
        None => Ok(Backend::default()),
        Some(BackendName::Portable) => Ok(Backend::portable()),
        Some(BackendName::Native) => {
            Backend::native().ok_or("this build or this processor has no native backend")
        }
    }
}

fn checker(arguments: &Arguments) -> Result<Box<dyn Checker>, String> {
    let derivation = arguments.derivation.into();
    Ok(match arguments.by {
        By::Trellis => {
            let backend = backend(arguments.backend)?;
            let primitives = Box::new(Trellis { backend, derivation });
            let stack = Some(Box::new(OpenMls { backend, seed: None }) as _);
            Box::new(Model { primitives, stack, derivation })
        }
        By::Rustcrypto => {
            Box::new(Model { primitives: Box::new(RustCrypto), stack: None, derivation })
        }
        By::MlsRs => Box::new(StackOnly { stack: Box::new(MlsRs::default()), derivation }),
        By::TsMls => Box::new(TsMls::start().map_err(|error| error.to_string())?),
    })
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (checker, files) = match (checker(arguments), find(&arguments.paths)) {
        (Ok(checker), Ok(files)) => (checker, files),
        (Err(reason), _) => return usage(&reason),
        (_, Err(error)) => return usage(&error.to_string()),
    };
    let bar = ProgressBar::new(files.len() as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));

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
    println!("{total}");
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
    let mut out = io::stdout().lock();
    // A closed pipe ends the output, not the check.
    let _ = writeln!(out, "{word:7} {} ({kind}): {}", path.display(), report.tally);
    for (index, failure) in &report.failures {
        let _ = writeln!(out, "        [{index}] {failure}");
    }
    for (reason, number) in &report.skipped {
        let _ = writeln!(out, "        {number} skipped: {reason}");
    }
}
