//! Measures everything in turns and writes the report.
//!
//! ```text
//! cargo run --release -p trellis-benches --bin report
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;
use trellis_benches::plot;
use trellis_benches::report::data::Report;
use trellis_benches::report::{alone, markdown, plan, readme, run};

/// Group messaging beside what one would take instead: measures in turns, and writes REPORT.md,
/// report.json and the plots.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Measure what fits into two minutes. Writes into the target folder unless told otherwise.
    #[arg(long)]
    quick: bool,
    /// Write into this folder instead of the one of the committed report.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Measure nothing; write text and plots anew from the report.json in the folder.
    #[arg(long, conflicts_with = "quick")]
    render: bool,
    /// Live through one group in this process, and tell how it went. The report calls itself so.
    #[arg(long, hide = true, num_args = 3)]
    alone: Option<Vec<String>>,
}

/// The folder of the committed report.
const COMMITTED: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &Arguments) -> io::Result<()> {
    if let Some(alone) = &arguments.alone {
        return alone::run(alone);
    }
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if arguments.quick => target_folder()?.join("trellis-report"),
        None => COMMITTED.into(),
    };
    let json = out.join("report.json");
    let report: Report = if arguments.render {
        serde_json::from_slice(&fs::read(&json)?)?
    } else {
        run::run(if arguments.quick { &plan::QUICK } else { &plan::FULL })?
    };
    write(&out, &report)?;
    if Path::new(COMMITTED) == out {
        readme::update(&Path::new(COMMITTED).join("../README.md"), &report)?;
    }
    summarise(&report, &out);
    Ok(())
}

/// Where Cargo put this program.
fn target_folder() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}

fn write(out: &Path, report: &Report) -> io::Result<()> {
    let plots = out.join("plots");
    fs::create_dir_all(&plots)?;
    fs::write(out.join("report.json"), format!("{}\n", serde_json::to_string_pretty(report)?))?;
    fs::write(out.join("REPORT.md"), markdown::render(report))?;
    for plot in plot::all(report) {
        fs::write(plots.join(plot.file_name), plot.svg)?;
    }
    Ok(())
}

fn summarise(report: &Report, out: &Path) {
    let verdicts = |verdict| report.targets.iter().filter(|t| t.is_met() == verdict).count();
    println!(
        "{} targets met, {} missed, {} not measured, in {:.0} s. Written: {}",
        verdicts(Some(true)),
        verdicts(Some(false)),
        verdicts(None),
        report.seconds,
        out.join("REPORT.md").display()
    );
}
