//! The vectors of others, which stay outside of this repository.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use trellis_vectors::kinds::Vector;
use trellis_vectors::kinds::hpke::HpkeVector;
use trellis_vectors::kinds::x_wing::XWingVector;
use trellis_vectors::{Failure, Trellis};

use crate::changes::changes;
use crate::{check, implementations};

/// Where vectors of others are; a copy of the repository alone does not have them.
fn published<V: DeserializeOwned>(path: &str) -> Option<Vec<V>> {
    let folder = std::env::var_os("TRELLIS_EXTERNAL_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/external-vectors"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!("{}: no folder there; set TRELLIS_EXTERNAL_VECTORS", folder.display());
        return None;
    }
    let text = fs::read_to_string(folder.join(path)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn the_vectors_of_hpke_pq_hold() {
    let Some(vectors) = published::<HpkeVector>("hpke-pq/test-vectors.json") else { return };
    for primitives in implementations() {
        let (mut held, mut skipped) = (0, Vec::new());
        for (number, vector) in vectors.iter().enumerate() {
            match vector.check(&*primitives) {
                Ok(()) => held += 1,
                Err(Failure::Skipped(what)) => skipped.push(what),
                Err(failure) => panic!("{number}: {failure}, {}", primitives.name()),
            }
        }
        println!("{}: {held} held, skipped {skipped:?}", primitives.name());
        assert!(held >= 9, "{held} of {}", vectors.len());
        assert!(skipped.iter().all(|what| {
            ["KEM 0x0040", "KDF 0x0012", "KDF 0x0013", "KEM 0x0021"].contains(&&**what)
        }));
    }
}

#[test]
fn the_vectors_of_x_wing_hold_and_no_field_is_overlooked() {
    let Some(vectors) = published::<XWingVector>("xwing/test-vectors.json") else { return };
    for vector in vectors {
        for primitives in implementations() {
            assert_eq!(vector.check(&*primitives), Ok(()), "{}", primitives.name());
        }
        for (path, changed) in changes(&serde_json::to_value(vector).unwrap()) {
            assert!(check::<XWingVector>(&changed, &Trellis::default()).is_err(), "{path}");
        }
    }
}
