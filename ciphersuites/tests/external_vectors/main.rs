//! Test vectors that others publish and that stay outside of this repository: one trial for each
//! entry and backend.
//!
//! They are looked for in `TRELLIS_EXTERNAL_VECTORS`, or else in `../shared/external-vectors`
//! beside the repository. Where they are not, and for entries of algorithms that this crate does
//! not have, a trial is reported as ignored and its name says why.

mod fields;
mod file;
mod hpke;
mod mls;
mod xwing;

use std::path::{Path, PathBuf};

use libtest_mimic::Arguments;

fn main() {
    let folder = std::env::var_os("TRELLIS_EXTERNAL_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/external-vectors"),
        PathBuf::from,
    );
    let trials = if folder.is_dir() {
        [&[xwing::FILE, hpke::FILE], &mls::FILES[..]]
            .concat()
            .iter()
            .flat_map(|file| file.trials(&folder))
            .collect()
    } else {
        let reason = "no folder there; set TRELLIS_EXTERNAL_VECTORS";
        vec![file::ignored(&format!("{}: {reason}", folder.display()))]
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
