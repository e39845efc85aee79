//! The command line.

mod by;
mod checked_by;
mod generate;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Test vectors for the post-quantum cipher suites of MLS.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Arguments),
    Verify(verify::Arguments),
    CheckedBy(checked_by::Arguments),
}

pub(crate) fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::CheckedBy(arguments) => checked_by::run(&arguments),
    }
}
