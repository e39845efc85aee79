//! Arbitrary bytes as a file of vectors, each of which is then checked with our primitives.
//!
//! `cargo +nightly fuzz run file`

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use trellis_vectors::Trellis;
use trellis_vectors::checker::Model;
use trellis_vectors::file::VectorFile;
use trellis_vectors::verify::verify;

fuzz_target!(|data: &[u8]| {
    // Passive clients are skipped; the stacks that follow them are others' code.
    let checker = Model {
        primitives: Box::new(Trellis::default()),
        stack: None,
        derivation: Default::default(),
    };
    let path = Path::new("fuzz.json");
    match VectorFile::parse(path, data).and_then(|file| Ok((verify(&file, &checker)?, file))) {
        Ok((report, file)) => {
            let tally = report.tally;
            let number = tally.passed + tally.failed + tally.skipped;
            assert_eq!(number, file.vectors.len(), "each vector counts once");
        }
        Err(error) => assert!(error.to_string().starts_with("fuzz.json: ")),
    }
});
