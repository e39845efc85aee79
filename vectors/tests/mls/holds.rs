//! Every published vector holds for everyone who has something to check it with.

use std::fs;
use std::path::{Path, PathBuf};

use openmls_trellis_crypto::KeyDerivation;
use trellis_vectors::Failure;
use trellis_vectors::checker::{Checker, StackOnly};
use trellis_vectors::file::{VectorFile, find};
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::verify::{Tally, verify};

use crate::{by_default, checkers};

/// What each of the checkers leaves out: RustCrypto has no stack, mls-rs is nothing else.
fn is_left_out(checker: &dyn Checker, kind: &str) -> bool {
    match checker.name() {
        name if name.starts_with("trellis") => false,
        name if name.starts_with("mls-rs") => kind != "passive-client",
        _ => kind == "passive-client",
    }
}

fn files(folder: PathBuf) -> Vec<VectorFile> {
    let paths = find(&[folder]).unwrap();
    paths.iter().map(|path| VectorFile::read(path).unwrap()).collect()
}

#[test]
fn every_published_vector_holds() {
    let files = files(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mls"));
    for checker in checkers() {
        let (mut total, mut expected) = (Tally::default(), Tally::default());
        for file in &files {
            let report = verify(file, &*checker).unwrap();
            let (path, name) = (file.path.display(), checker.name());
            assert_eq!(report.failures, [], "{path} by {name}");
            total += report.tally;
            let number = file.vectors.len();
            if is_left_out(&*checker, file.kind.name) {
                expected.skipped += number;
            } else {
                expected.passed += number;
            }
        }
        assert_eq!(total, expected, "{}", checker.name());
        assert!(total.passed > 100, "{}: {total}", checker.name());
    }
}

/// Vectors of mls-implementations; a copy of the repository alone does not have them.
#[test]
fn the_vectors_of_the_working_group_hold() {
    let folder = std::env::var_os("TRELLIS_EXTERNAL_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/external-vectors"),
        Into::into,
    );
    if !fs::metadata(&folder).is_ok_and(|it| it.is_dir()) {
        eprintln!("{}: no folder there; set TRELLIS_EXTERNAL_VECTORS", folder.display());
        return;
    }
    let files = files(folder.join("mls-implementations"));
    let mls_rs = StackOnly { stack: Box::new(MlsRs::default()), derivation: KeyDerivation::HpkePq };
    for checker in [&by_default() as &dyn Checker, &mls_rs] {
        let (mut total, mut unknown) = (Tally::default(), 0);
        for file in &files {
            let report = verify(file, checker).unwrap();
            let (path, name) = (file.path.display(), checker.name());
            assert_eq!(report.failures, [], "{path} by {name}");
            total += report.tally;
            for (reason, number) in report.skipped {
                // The suites with X448 and Ed448, which the registry does not have.
                let is_448 = reason.contains("0x0004") || reason.contains("0x0006");
                assert!(is_448 || is_left_out(checker, file.kind.name), "{path}: {reason}");
                unknown += usize::from(is_448) * number;
            }
        }
        assert!(unknown > 0, "suites with X448 and Ed448 are among them");
        println!("{}: {total}", checker.name());
        assert!(total.passed > 0, "{}: {total}", checker.name());
    }
}

#[test]
fn a_suite_that_is_unknown_is_skipped_and_named() {
    for kind in crate::samples::kinds_with_a_suite() {
        for number in [0, 0x0004, 0xf00d_u16] {
            let mut vector = kind.vector.clone();
            vector["cipher_suite"] = number.into();
            let reason = Failure::Skipped(format!("cipher suite {number:#06x} is unknown"));
            let result = crate::check(&by_default(), &vector);
            assert_eq!(result, Some(Ok(Err(reason))), "{}", kind.name);
        }
    }
}
