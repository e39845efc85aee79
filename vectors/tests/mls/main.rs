//! The vectors of MLS: they hold for everyone who can check them; whatever is changed in them is
//! noticed; and nothing that somebody writes into a file makes a check panic.

mod changes;
mod derivation;
mod files;
mod holds;
mod hostile;
mod samples;

use std::fs;
use std::path::Path;

use openmls_trellis_crypto::KeyDerivation;
use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_vectors::Trellis;
use trellis_vectors::checker::{Checker, Model, StackOnly};
use trellis_vectors::kinds::{Checked, recognise};
use trellis_vectors::oracle::RustCrypto;
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::stack::open_mls::OpenMls;

/// The suite of row 1, whose number is 0x004F.
const ROW_1: &str = "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519";

/// The vectors of a published file.
fn published(suite: &str, stem: &str) -> Vec<Value> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mls");
    let path = data.join(suite).join(stem).with_extension("json");
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// Our primitives under the model, and OpenMLS on them.
fn ours(backend: Backend, derivation: KeyDerivation) -> Model {
    Model {
        primitives: Box::new(Trellis { backend, derivation }),
        stack: Some(Box::new(OpenMls { backend, seed: None })),
        derivation,
    }
}

/// The same as the command has it without options.
fn by_default() -> Model {
    ours(Backend::default(), KeyDerivation::HpkePq)
}

/// Everyone who checks in this process.
fn checkers() -> Vec<Box<dyn Checker>> {
    let derivation = KeyDerivation::HpkePq;
    let ours =
        Backend::available().map(|backend| Box::new(ours(backend, derivation)) as Box<dyn Checker>);
    let rust_crypto = Model { primitives: Box::new(RustCrypto), stack: None, derivation };
    let mls_rs = StackOnly { stack: Box::new(MlsRs::default()), derivation };
    ours.chain([Box::new(rust_crypto) as Box<dyn Checker>, Box::new(mls_rs)]).collect()
}

/// Checks a vector as `verify` does: by the kind that it looks like.
fn check(checker: &dyn Checker, vector: &Value) -> Option<Checked> {
    recognise(vector).map(|kind| checker.check(kind, vector))
}
