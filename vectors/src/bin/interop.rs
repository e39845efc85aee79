//! `interop`: live runs with another MLS stack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};
use trellis_vectors::Trellis;
use trellis_vectors::interop::{Cell, Leader, Outcome, Results, Run, SCENARIOS, run};
use trellis_vectors::mls::suite::code_point;
use trellis_vectors::stack::Stack;
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::stack::open_mls::OpenMls;
use trellis_vectors::stack::ts_mls::TsMls;
use trellis_vectors::terminal::{progress, say};

/// Play scenarios live with another MLS stack, on either side, and write the matrix.
///
/// Ends with exit code 1 if a scenario ends otherwise than it must.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// The other stack
    #[arg(long)]
    peer: Peer,
    /// A row of the draft (1 to 11), a suite's name, or `all` post-quantum suites; may be repeated
    #[arg(long, required = true, value_parser = suites)]
    suite: Vec<Suites>,
    /// Let the peer derive key pairs without a label, which has to fail
    #[arg(long)]
    unlabelled: bool,
    /// Where RESULTS.md and RESULTS.json are kept
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/interop"))]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    /// ts-mls under Node, with what it lacks put together from its functions
    TsMls,
    /// ts-mls under Node as it is published
    TsMlsAsIs,
    /// mls-rs on RustCrypto primitives
    MlsRs,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::TsMls => "ts-mls",
            Self::TsMlsAsIs => "ts-mls as published",
            Self::MlsRs => "mls-rs",
        }
    }

    fn start(self) -> Result<Box<dyn Stack>, String> {
        let error = |error: trellis_vectors::stack::StackError| error.to_string();
        Ok(match self {
            Self::TsMls => Box::new(TsMls::start(false).map_err(error)?),
            Self::TsMlsAsIs => Box::new(TsMls::start(true).map_err(error)?),
            Self::MlsRs => Box::new(MlsRs::default()),
        })
    }
}

#[derive(Clone)]
struct Suites(Vec<CipherSuite>);

fn suites(text: &str) -> Result<Suites, String> {
    let post_quantum =
        || CipherSuite::all().filter(|it| it.confidentiality() != Protection::Classical);
    if text == "all" {
        return Ok(Suites(post_quantum().collect()));
    }
    let found = match text.parse::<u8>() {
        Ok(row) => post_quantum().find(|it| it.row() == Some(row)),
        Err(_) => text.parse().ok(),
    };
    found.map(|suite| Suites(vec![suite])).ok_or_else(|| {
        "expected a row of the draft from 1 to 11, the name of a suite, or `all`".into()
    })
}

fn main() -> ExitCode {
    match play(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

fn play(arguments: &Arguments) -> Result<bool, String> {
    let json = arguments.out.join("RESULTS.json");
    let mut results = read(&json)?;
    let peer = arguments.peer.start()?;
    let suites: Vec<CipherSuite> =
        arguments.suite.iter().flat_map(|suites| suites.0.iter().copied()).collect();

    let bar = progress((suites.len() * SCENARIOS.len() * 2) as u64, "scenarios");
    let (mut as_expected, mut passed, mut failed, mut skipped) = (true, 0, 0, 0);
    for suite in suites {
        bar.set_message(suite.to_string());
        let run = play_suite(arguments, &*ours(suite), &*peer, suite, &bar);
        bar.suspend(|| print(&run));
        as_expected &= run.is_as_expected();
        for cell in &run.cells {
            *match cell.outcome {
                Outcome::Passed => &mut passed,
                Outcome::Failed(_) => &mut failed,
                Outcome::NotOffered(_) => &mut skipped,
            } += 1;
        }
        results.record(run);
    }
    bar.finish_and_clear();
    say(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    if arguments.unlabelled {
        say(format_args!(
            "{}",
            if as_expected { "each as it must" } else { "NOT each as it must" }
        ));
    }
    write(&json, &format!("{}\n", serde_json::to_string_pretty(&results).map_err(text)?))?;
    write(&arguments.out.join("RESULTS.md"), &results.markdown())?;
    Ok(as_expected)
}

/// Our side: OpenMLS, or, for what it has no code point for, mls-rs on our primitives.
fn ours(suite: CipherSuite) -> Box<dyn Stack> {
    if suite.code_point(Ecosystem::OpenMls).is_some() {
        Box::new(OpenMls::default())
    } else {
        Box::new(MlsRs::new(Arc::new(Trellis::default())))
    }
}

fn play_suite(
    arguments: &Arguments,
    ours: &dyn Stack,
    peer: &dyn Stack,
    suite: CipherSuite,
    bar: &ProgressBar,
) -> Run {
    let derivation = match arguments.unlabelled {
        true => KeyDerivation::OpenMls09,
        false => KeyDerivation::HpkePq,
    };
    let mut cells = Vec::new();
    for scenario in &SCENARIOS {
        for leader in [Leader::Ours, Leader::Theirs] {
            let outcome = run(scenario, ours, peer, suite, derivation, leader);
            cells.push(Cell { scenario: scenario.name.to_owned(), leader, outcome });
            bar.inc(1);
        }
    }
    Run {
        peer: arguments.peer.name().to_owned(),
        stack: peer.name(),
        ours: ours.name(),
        suite: suite.name().to_owned(),
        row: suite.row(),
        code_point: code_point(suite).unwrap_or_default(),
        unlabelled: arguments.unlabelled,
        cells,
    }
}

fn print(run: &Run) {
    let row = run.row.map_or_else(String::new, |row| format!(" (row {row})"));
    say(format_args!("{}{row}, {:#06x}", run.suite, run.code_point));
    say(format_args!("  we: {}; they: {}", run.ours, run.stack));
    for pair in run.cells.chunks(2) {
        for cell in pair {
            let side = match cell.leader {
                Leader::Ours => "we found the group",
                Leader::Theirs => "they found the group",
            };
            let (word, reason) = match &cell.outcome {
                Outcome::Passed => ("pass", ""),
                Outcome::Failed(reason) => ("FAIL", reason.as_str()),
                Outcome::NotOffered(reason) => ("-", reason.as_str()),
            };
            say(format_args!("  {word:4} {:36} {side:20} {reason}", cell.scenario));
        }
    }
}

fn read(path: &Path) -> Result<Results, String> {
    match fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Results::default()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn write(path: &Path, contents: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, contents))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
