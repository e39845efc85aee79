//! The vectors of primitives: made with one implementation, they hold on all; whatever is changed in
//! them is noticed; and those of others hold.

mod changes;
mod hostile;
mod partial;
mod published;

use std::sync::LazyLock;

use serde_json::Value;
use trellis_ciphersuites::Backend;
use trellis_vectors::kinds::{Vector, hpke, kem, signature};
use trellis_vectors::oracle::RustCrypto;
use trellis_vectors::{Failure, Primitives, Randomness, Trellis};

/// A check of a vector as it stands in a file.
type Check = fn(&Value, &dyn Primitives) -> Result<(), Failure>;

/// A file of vectors.
struct File {
    stem: String,
    check: Check,
    vectors: Vec<Value>,
}

fn check<V: Vector>(value: &Value, primitives: &dyn Primitives) -> Result<(), Failure> {
    let vector: V =
        serde_json::from_value(value.clone()).map_err(|error| Failure::refused("vector", error))?;
    vector.check(primitives)
}

fn files<V: Vector>(kind: &str, made: Vec<(String, Vec<V>)>) -> impl Iterator<Item = File> {
    made.into_iter().map(move |(stem, vectors)| File {
        stem: format!("{kind}/{stem}"),
        check: check::<V>,
        vectors: vectors.iter().map(|vector| serde_json::to_value(vector).unwrap()).collect(),
    })
}

fn generate(primitives: &dyn Primitives) -> Vec<File> {
    let randomness = Randomness::new(b"vectors/tests/primitives.rs");
    let hpke = hpke::generate(primitives, &randomness.part("hpke")).unwrap();
    let kem = kem::generate(primitives, &randomness.part("kem")).unwrap();
    let signature = signature::generate(primitives, &randomness.part("signature")).unwrap();
    files("hpke", hpke).chain(files("kem", kem)).chain(files("signature", signature)).collect()
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| generate(&Trellis::default()));

/// Everything that there is to check with.
fn implementations() -> Vec<Box<dyn Primitives>> {
    let ours = Backend::available()
        .map(|backend| Box::new(Trellis { backend, ..Trellis::default() }) as Box<dyn Primitives>);
    ours.chain([Box::new(RustCrypto) as Box<dyn Primitives>]).collect()
}

#[test]
fn what_one_implementation_makes_holds_on_all() {
    for primitives in implementations() {
        for File { stem, check, vectors } in &*FILES {
            for (number, vector) in vectors.iter().enumerate() {
                let result = check(vector, &*primitives);
                let comment = &vector["comment"];
                assert_eq!(result, Ok(()), "{stem}[{number}] {comment} {}", primitives.name());
            }
        }
    }
}

#[test]
fn every_implementation_makes_the_same_and_again() {
    let bytes = |files: &[File]| -> Vec<_> {
        files
            .iter()
            .map(|file| (file.stem.clone(), serde_json::to_string_pretty(&file.vectors).unwrap()))
            .collect()
    };
    let made = bytes(&FILES);
    for primitives in implementations() {
        assert!(made == bytes(&generate(&*primitives)), "{}", primitives.name());
    }
    let size: usize = made.iter().map(|(_, text)| text.len()).sum();
    for (file, (stem, text)) in FILES.iter().zip(&made) {
        println!("{stem}: {} vectors, {} bytes", file.vectors.len(), text.len());
    }
    println!("{} files, {size} bytes", made.len());
    assert!(size < 3_000_000);
}

#[test]
fn there_are_vectors_for_every_number_of_the_post_quantum_suites() {
    let stems: Vec<_> = FILES.iter().map(|file| file.stem.as_str()).collect();
    let kems = ["mlkem768", "mlkem1024", "mlkem768-p256", "mlkem1024-p384", "mlkem768-x25519"];
    for kem in kems {
        assert!(
            stems.contains(&&*format!("hpke/{kem}")) && stems.contains(&&*format!("kem/{kem}"))
        );
    }
    for scheme in ["mldsa44", "mldsa65", "mldsa87"] {
        assert!(stems.contains(&&*format!("signature/{scheme}")));
    }
    let triples: usize =
        FILES.iter().filter(|file| file.stem.starts_with("hpke/")).map(|it| it.vectors.len()).sum();
    assert_eq!(triples, 10 * 2 * 2, "ten combinations, two modes, two info strings");
}
