//! `trellis-vectors`: makes and checks test vectors.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
