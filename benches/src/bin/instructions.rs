//! Compares the instructions of some operations with those in `benches/instructions.json`.

use std::env::consts::ARCH;
use std::process::ExitCode;

use clap::Parser;
use rayon::prelude::*;
use trellis_benches::instructions::baseline::{self, Baseline, MARGIN, Verdict, change};
use trellis_benches::instructions::callgrind::Callgrind;
use trellis_benches::instructions::operations::{OPERATIONS, Operation};
use trellis_benches::instructions::program;
use trellis_benches::instructions::surroundings::{Platform, Tools, today};

/// Count the instructions of some operations under valgrind and compare them with the baseline.
///
/// Ends with exit code 1 if an operation takes more instructions than the margin allows or has no
/// baseline, with 2 if nothing could be compared, and with 0 if valgrind is not installed.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Only these operations
    #[arg(value_name = "OPERATION", value_parser = operation, conflicts_with = "update")]
    operations: Vec<Operation>,
    /// Write the baseline instead of comparing with it
    #[arg(long)]
    update: bool,
    /// How much more than its baseline an operation may take, in percent, instead of what the
    /// baseline says
    #[arg(long, value_name = "PERCENT", value_parser = margin)]
    margin: Option<f64>,
    /// What runs under valgrind
    #[arg(long, hide = true, value_parser = operation, exclusive = true)]
    run: Option<Operation>,
}

fn operation(name: &str) -> Result<Operation, String> {
    Operation::find(name).ok_or_else(|| {
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        format!("there are {}", names.join(", "))
    })
}

fn margin(text: &str) -> Result<f64, String> {
    let margin: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if (0.0..=1000.0).contains(&margin) { Ok(margin) } else { Err("from 0 to 1000".to_owned()) }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.run {
        Some(operation) => run(operation).map(|()| true),
        None => guard(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Under valgrind.
fn run(operation: Operation) -> Result<(), Error> {
    operation.run();
    println!("{}", serde_json::to_string(&Platform::here())?);
    Ok(())
}

/// Whether all is well.
fn guard(arguments: &Arguments) -> Result<bool, Error> {
    let Some(tools) = Tools::installed() else {
        println!("skipped: valgrind is not installed");
        return Ok(true);
    };
    // Before minutes are spent.
    let baseline = if arguments.update { None } else { Some(Baseline::read(baseline::PATH)?) };
    if let Some(of) = baseline.as_ref().map(|baseline| &baseline.platform.architecture)
        && of != ARCH
    {
        println!("skipped: the baseline is of {of}, and this is {ARCH}");
        return Ok(true);
    }
    let chosen =
        if arguments.operations.is_empty() { OPERATIONS } else { &arguments.operations[..] };
    let (counts, platform) = count(chosen)?;
    let Some(baseline) = baseline else {
        return update(arguments, tools, platform, &counts).map(|()| true);
    };
    if platform != baseline.platform {
        let before = &baseline.platform;
        return Err(format!("the baseline is of {before}, but this is {platform}").into());
    }
    let failed = compare(&baseline, &counts, arguments.margin.unwrap_or(baseline.margin));
    if failed && tools != baseline.tools {
        let before = &baseline.tools;
        println!(
            "The baseline was made with {} and {}, and this is {} and {}: if that is why, run with \
             --update.",
            before.rustc, before.valgrind, tools.rustc, tools.valgrind
        );
    }
    Ok(!failed)
}

/// Counts, as many at a time as there are processors.
fn count(chosen: &[Operation]) -> Result<(Vec<(Operation, u64)>, Platform), Error> {
    let callgrind = Callgrind::new(program::compile()?)?;
    let counted: Vec<_> = chosen
        .par_iter()
        .with_max_len(1)
        .map(|&operation| match callgrind.count(operation) {
            Ok((count, platform)) => Ok(((operation, count), platform)),
            Err(error) => Err(format!("{}: {error}", operation.name)),
        })
        .collect::<Result<_, _>>()?;
    let (counts, platforms): (Vec<_>, Vec<_>) = counted.into_iter().unzip();
    let platform = platforms.into_iter().next().ok_or("no operation")?;
    Ok((counts, platform))
}

fn update(
    arguments: &Arguments,
    tools: Tools,
    platform: Platform,
    counts: &[(Operation, u64)],
) -> Result<(), Error> {
    let operations =
        counts.iter().map(|&(operation, count)| (operation.name.to_owned(), count)).collect();
    let margin = arguments.margin.unwrap_or(MARGIN);
    Baseline { date: today(), tools, platform, margin, operations }.write(baseline::PATH)?;
    for (operation, count) in counts {
        println!("{:<22} {count:>12}  {}", operation.name, operation.about);
    }
    println!("\n{} is written.", baseline::PATH);
    Ok(())
}

/// Prints the table. Whether anything in it fails.
fn compare(baseline: &Baseline, counts: &[(Operation, u64)], margin: f64) -> bool {
    println!("{:<22} {:>12} {:>12} {:>9}  verdict", "operation", "baseline", "now", "change");
    let mut failed = false;
    for &(operation, now) in counts {
        let before = baseline.operations.get(operation.name).copied();
        let verdict = Verdict::of(before, now, margin);
        failed |= verdict.fails();
        let (before, change) = match before {
            Some(before) => (before.to_string(), format!("{:+.2} %", change(before, now))),
            None => ("-".to_owned(), "-".to_owned()),
        };
        println!("{:<22} {before:>12} {now:>12} {change:>9}  {}", operation.name, verdict.text());
    }
    println!(
        "\nInstructions on the {} backend under valgrind; {margin} % more are allowed.",
        baseline.platform.backend
    );
    failed
}
