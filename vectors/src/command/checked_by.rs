//! `trellis-vectors checked-by`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use trellis_vectors::checker::Checker;
use trellis_vectors::file::{VectorFile, find};
use trellis_vectors::terminal::{progress, say};
use trellis_vectors::verify::{Tally, verify};

use super::by;

/// Let everyone check a folder, and print the table of who checked what.
///
/// Ends with exit code 1 if a vector fails, with 2 if a file is no file of vectors.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A folder that `generate` made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Put the table into this file, between its lines `<!-- checked by -->`
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

const MARK: &str = "<!-- checked by -->\n";

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match check(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

/// The rows of the table: kind, then what each checker found.
type Rows = BTreeMap<String, Vec<Tally>>;

fn check(arguments: &Arguments) -> Result<bool, String> {
    let files = find(std::slice::from_ref(&arguments.folder)).map_err(|it| it.to_string())?;
    let checkers = by::everyone()?;
    let bar = progress((files.len() * checkers.len()) as u64, "checks");
    let mut rows = Rows::new();
    for path in &files {
        let file = VectorFile::read(path).map_err(|it| it.to_string())?;
        let row = rows.entry(row(&arguments.folder, path)).or_default();
        row.resize(checkers.len(), Tally::default());
        for (cell, checker) in row.iter_mut().zip(&checkers) {
            bar.set_message(format!("{} by {}", path.display(), checker.name()));
            let report = verify(&file, &**checker).map_err(|it| it.to_string())?;
            for (index, failure) in &report.failures {
                let (path, name) = (path.display(), checker.name());
                bar.suspend(|| eprintln!("{path} [{index}] by {name}: {failure}"));
            }
            *cell += report.tally;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let table = table(&rows, &checkers);
    say(table.trim_end());
    if let Some(path) = &arguments.write {
        write(path, &table)?;
    }
    Ok(rows.values().flatten().all(|tally| tally.failed == 0))
}

/// `kem`, `hpke`, `signature`, or `mls/` with the kind: suites share a row.
fn row(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let first = inside.iter().next().unwrap_or_default().to_string_lossy();
    if first == "mls" {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return format!("mls, {stem}");
    }
    first.into_owned()
}

fn table(rows: &Rows, checkers: &[Box<dyn Checker>]) -> String {
    let mut text = String::from("| vectors | number |");
    for checker in checkers {
        let _ = write!(text, " {} |", checker.name());
    }
    let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(checkers.len()));
    for (name, cells) in rows {
        let number = cells.first().map_or(0, |it| it.passed + it.failed + it.skipped);
        let _ = write!(text, "| {name} | {number} |");
        for cell in cells {
            let _ = match cell {
                Tally { failed: 0, skipped: 0, .. } => write!(text, " all hold |"),
                Tally { failed: 0, passed: 0, .. } => write!(text, " |"),
                Tally { failed: 0, passed, .. } => write!(text, " {passed} hold |"),
                Tally { failed, .. } => write!(text, " {failed} FAIL |"),
            };
        }
        text.push('\n');
    }
    text
}

fn write(path: &Path, table: &str) -> Result<(), String> {
    let error = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let page = fs::read_to_string(path).map_err(|it| error(&it))?;
    let parts: Vec<&str> = page.split(MARK).collect();
    let [before, _, after] = parts[..] else {
        return Err(error(&format!("expected two lines {}", MARK.trim_end())));
    };
    let page = [before, MARK, table, MARK, after].concat();
    fs::write(path, page).map_err(|it| error(&it))
}
