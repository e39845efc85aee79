//! Writes inputs to begin with into `corpus/`, one directory for each target.

use std::fs;
use std::io;

fn main() -> io::Result<()> {
    let seeds = trellis_sdk::fuzzing::seeds().into_iter();
    let seeds = seeds.chain(trellis_sdk::transport::libp2p::fuzzing::seeds());
    let seeds = seeds.chain(trellis_sdk::directory::fuzzing::seeds());
    for (number, (target, input)) in seeds.enumerate() {
        let directory = format!("corpus/{target}");
        fs::create_dir_all(&directory)?;
        fs::write(format!("{directory}/seed-{number}"), input)?;
    }
    Ok(())
}
