//! Measures the SDK on real sockets, and a mailbox, and writes the figures.
//!
//! ```text
//! cargo run --release -p trellis-benches --bin network
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;
use trellis_benches::network::data::Network;
use trellis_benches::network::{markdown, plan, run, storage, targets};

/// The SDK on loopback beside bare gossip, and a mailbox: writes NETWORK.md and network.json.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Measure what fits into a minute and a half. Writes into the target folder unless told otherwise.
    #[arg(long)]
    quick: bool,
    /// Write into this folder instead of the one of the committed figures.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Measure nothing; write the text anew from the network.json in the folder.
    #[arg(long, conflicts_with = "quick")]
    render: bool,
    /// Store envelopes in this process, and tell how it went. The program calls itself so.
    #[arg(long, hide = true, num_args = 4)]
    store: Option<Vec<String>>,
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
    if let Some(store) = &arguments.store {
        return storage::run(store);
    }
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if arguments.quick => target_folder()?.join("trellis-report"),
        None => COMMITTED.into(),
    };
    let json = out.join("network.json");
    let network = if arguments.render {
        let mut network: Network = serde_json::from_slice(&fs::read(&json)?)?;
        network.targets = targets::targets(&network);
        network
    } else {
        run::run(if arguments.quick { &plan::QUICK } else { &plan::FULL })
    };
    fs::create_dir_all(&out)?;
    fs::write(&json, format!("{}\n", serde_json::to_string_pretty(&network)?))?;
    fs::write(out.join("NETWORK.md"), markdown::render(&network))?;
    let verdicts = |verdict| network.targets.iter().filter(|t| t.is_met() == verdict).count();
    println!(
        "{} goals met, {} missed, {} not measured, in {:.0} s. Written: {}",
        verdicts(Some(true)),
        verdicts(Some(false)),
        verdicts(None),
        network.seconds,
        out.join("NETWORK.md").display()
    );
    Ok(())
}

/// Where Cargo put this program.
fn target_folder() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}
