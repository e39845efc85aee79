//! `trellis`: a messenger for the terminal, and the same for scripts.
//!
//! ```text
//! arguments ─▶ run ─┬─▶ setup      before there is an account: init, restore, device request
//!                   ├─▶ deeds      what is done with an open client, the same for commands,
//!                   │              the agent's standard input and the messenger's input line
//!                   ├─▶ listen, agent
//!                   ├─▶ tui        app (state), view (state to frame), screen (terminal)
//!                   └─▶ demo       children of this program, told about step by step
//! ```
//!
//! Nothing here decides about groups; that is in `trellis-sdk`. What it prints is a [`record`], as JSON
//! or as text; what others wrote goes through [`text`] before a terminal sees it.

mod account;
mod agent;
mod arguments;
mod deeds;
mod demo;
mod failure;
mod find;
mod listen;
mod network;
mod output;
mod papers;
mod record;
mod run;
mod setup;
#[cfg(test)]
mod tests;
mod text;
mod tui;
mod world;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are errors here as well, which are for people and end with 0.
        Err(error)
            if error.exit_code() == 0 || !std::env::args_os().any(|word| word == "--json") =>
        {
            error.exit()
        }
        Err(error) => {
            let failure = deeds::usage(&error);
            output::complain(&failure, true);
            return ExitCode::from(failure.exit_code());
        }
    };
    let json = arguments.common.json;
    match run::run_in_runtime(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure, json);
            ExitCode::from(failure.exit_code())
        }
    }
}
