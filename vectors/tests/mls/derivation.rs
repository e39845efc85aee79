//! Vectors tell the two ways to derive a key pair apart, where one is derived.

use openmls_trellis_crypto::KeyDerivation;
use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_vectors::checker::{Checker, StackOnly};
use trellis_vectors::generate::suites;
use trellis_vectors::stack::mls_rs::MlsRs;

use crate::{ROW_1, check, ours, published};

fn holds(checker: &dyn Checker, vector: &Value) -> bool {
    match check(checker, vector) {
        Some(Ok(Ok(()))) => true,
        Some(Ok(Err(trellis_vectors::Failure::Skipped(reason)))) => panic!("skipped: {reason}"),
        Some(Ok(Err(_))) => false,
        other => panic!("{other:?}"),
    }
}

fn unlabelled() -> impl Checker {
    ours(Backend::default(), KeyDerivation::OpenMls09)
}

/// External keys (RFC 9420, section 8.3) and the keys of a path (section 7.4) are derived.
#[test]
fn the_key_schedule_and_paths_derive() {
    for suite in suites() {
        for stem in ["key-schedule", "treekem"] {
            for vector in published(suite.name(), stem) {
                assert!(!holds(&unlabelled(), &vector), "{suite} {stem}");
            }
        }
    }
}

#[test]
fn nothing_else_of_the_model_derives() {
    for suite in suites() {
        for stem in [
            "crypto-basics",
            "secret-tree",
            "psk_secret",
            "transcript-hashes",
            "message-protection",
            "welcome",
            "tree-validation",
        ] {
            for vector in published(suite.name(), stem) {
                assert!(holds(&unlabelled(), &vector), "{suite} {stem}");
            }
        }
    }
}

/// A path, an external commit, or what requires a path (section 12.4): Update and Remove.
#[test]
fn a_passive_client_derives_where_a_commit_has_a_path() {
    let mls_rs =
        StackOnly { stack: Box::new(MlsRs::default()), derivation: KeyDerivation::OpenMls09 };
    for checker in [&unlabelled() as &dyn Checker, &mls_rs] {
        let held = |stem| -> Vec<bool> {
            published(ROW_1, stem).iter().map(|vector| holds(checker, vector)).collect()
        };
        // By value: path, PSK, Add, Remove, external commit, Add and Remove. By reference: Update,
        // PSK, Add, Remove, Add and Remove.
        let commits = [false, true, true, false, false, false, false, true, true, false, false];
        assert_eq!(held("passive-client-handling-commit"), commits, "{}", checker.name());
        // The second and the fourth give a path secret to the new member.
        let name = checker.name();
        assert_eq!(held("passive-client-welcome"), [true, false, true, false], "{name}");
        assert_eq!(held("passive-client-random"), [false], "{name}");
    }
}
