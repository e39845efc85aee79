//! Writes inputs to begin with into `corpus/`, one directory for each target.

use std::fs;
use std::io;

fn main() -> io::Result<()> {
    for (number, (target, input)) in trellis_sdk::fuzzing::seeds().into_iter().enumerate() {
        let directory = format!("corpus/{target}");
        fs::create_dir_all(&directory)?;
        fs::write(format!("{directory}/seed-{number}"), input)?;
    }
    Ok(())
}
