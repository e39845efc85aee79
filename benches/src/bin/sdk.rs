//! Measures the SDK beside raw OpenMLS and writes its figures.
//!
//! ```text
//! cargo run --release -p trellis-benches --bin sdk
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;
use trellis_benches::sdk::data::Sdk;
use trellis_benches::sdk::{markdown, opening, plan, run, targets};

/// The SDK beside raw OpenMLS: measures in turns, and writes SDK.md and sdk.json.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Measure what fits into a minute. Writes into the target folder unless told otherwise.
    #[arg(long)]
    quick: bool,
    /// Write into this folder instead of the one of the committed figures.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Measure nothing; write the text anew from the sdk.json in the folder.
    #[arg(long, conflicts_with = "quick")]
    render: bool,
    /// Open a client in this process, and tell how it went. The program calls itself so.
    #[arg(long, hide = true, num_args = 2)]
    open: Option<Vec<String>>,
}

/// The folder of the committed figures.
const COMMITTED: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> ExitCode {
    match act(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &Arguments) -> io::Result<()> {
    if let Some(open) = &arguments.open {
        return opening::run(open);
    }
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if arguments.quick => target_folder()?.join("trellis-report"),
        None => COMMITTED.into(),
    };
    let json = out.join("sdk.json");
    let sdk = if arguments.render {
        let mut sdk: Sdk = serde_json::from_slice(&fs::read(&json)?)?;
        sdk.targets = targets::targets(&sdk);
        sdk
    } else {
        run::run(if arguments.quick { &plan::QUICK } else { &plan::FULL })?
    };
    fs::create_dir_all(&out)?;
    fs::write(&json, format!("{}\n", serde_json::to_string_pretty(&sdk)?))?;
    fs::write(out.join("SDK.md"), markdown::render(&sdk))?;
    let verdicts = |verdict| sdk.targets.iter().filter(|t| t.is_met() == verdict).count();
    println!(
        "{} goals met, {} missed, {} not measured, in {:.0} s. Written: {}",
        verdicts(Some(true)),
        verdicts(Some(false)),
        verdicts(None),
        sdk.seconds,
        out.join("SDK.md").display()
    );
    Ok(())
}

/// Where Cargo put this program.
fn target_folder() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}
