//! `trellis-vectors generate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_vectors::generate::{SEED, Scale, parts, sums};
use trellis_vectors::terminal::{progress, say};

/// Make a set of vectors.
///
/// The same seed gives the same bytes; without one they are those of the published set.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A seed in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<Seed>,
    /// More and larger trees, and walks of 1000 epochs
    #[arg(long)]
    large: bool,
}

#[derive(Clone)]
struct Seed(Vec<u8>);

fn seed(digits: &str) -> Result<Seed, String> {
    hex::decode(digits).map(Seed).map_err(|error| error.to_string())
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match generate(arguments) {
        Ok((files, bytes)) => {
            say(format_args!("{files} files, {bytes} bytes in {}", arguments.out.display()));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

fn generate(arguments: &Arguments) -> Result<(usize, usize), String> {
    let seed = arguments.seed.as_ref().map_or(SEED, |seed| &seed.0);
    let scale = if arguments.large { Scale::Large } else { Scale::Published };
    let parts = parts();
    let bar = progress(parts.len() as u64, "parts");
    let (mut written, mut bytes) = (Vec::new(), 0);
    for part in parts {
        bar.set_message(part.to_string());
        for (path, contents) in part.generate(seed, scale).map_err(|it| it.to_string())? {
            write(&arguments.out.join(&path), &contents)?;
            bytes += contents.len();
            written.push((path, sha256(&contents)));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    write(&arguments.out.join("SHA256SUMS"), sums(&written).as_bytes())?;
    Ok((written.len(), bytes))
}

fn sha256(contents: &[u8]) -> [u8; 32] {
    let hash = HashAlgorithm::Sha256.hash(Backend::default(), contents);
    hash.try_into().expect("SHA-256 has 32 bytes")
}

fn write(path: &Path, contents: &[u8]) -> Result<(), String> {
    let error = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(error)?;
    fs::write(path, contents).map_err(error)
}
