//! `trellis-sim`: plays random histories of groups over a bad network, and checks what must hold.

use std::process::ExitCode;

fn main() -> ExitCode {
    trellis_sdk::simulator::command::main()
}
